"""The secret that signs cursors, made once and kept in the data directory."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from graph_api.errors import ConfigurationError


def kept_secret(data_dir: Path) -> SecretStr:
    """The secret of this data directory; whoever comes first makes it."""
    file = data_dir / "secret_key"
    try:
        if not file.exists():
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(file)
        return SecretStr(file.read_text())
    except OSError as error:
        raise ConfigurationError(
            f"The secret that signs cursors cannot be kept in {file} ({error}). Set "
            "SECRET_KEY to 16 characters or more that nobody knows."
        ) from error


def _make(file: Path) -> None:
    # Written beside its place and linked: it is whole, or not there, and of two who
    # make it at once one is first. mkstemp lets nobody else read it.
    descriptor, fresh = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(32))
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            file.hardlink_to(fresh)
    finally:
        Path(fresh).unlink()
