"""Keys of rows: UUIDs of version 7, known before the row is stored.

RFC 9562, section 6.2, method 3: 48 bits of milliseconds, 12 bits of their fraction and
62 random bits. Within a process each key is greater than the one before.
"""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_key() -> UUID:
    """A new key, greater than all that this process has made so far."""
    global _last  # noqa: PLW0603 - the clock of the process, guarded by the lock
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    with _lock:
        _last = moment = max(milliseconds << 12 | rest * 4096 // 1_000_000, _last + 1)
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(
        int=moment >> 12 << 80 | 7 << 76 | (moment & 0xFFF) << 64 | 2 << 62 | random
    )
