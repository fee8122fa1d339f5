"""One process on one SQLite database: a second one would not see what the first keeps in memory, and is refused."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from lms.errors import StartError


class FileLock:
    """Held until it is closed or the process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the lock; raises StartError with the process that has it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StartError(
                f"{path.parent} is in use by another process ({holder}); SQLite is for one process: stop the other, "
                "choose another data folder, or set database.url to a PostgreSQL"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        return cls(descriptor)

    def close(self) -> None:
        os.close(self._descriptor)
