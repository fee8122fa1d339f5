"""How far a receiver has got, in a file that is always whole."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

import msgspec

from control_api.webhooks.delivery import Progress
from media.errors import LocalError

_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class ProgressFileError(LocalError):
    """A file that says nothing usable; the message says what to do."""


class ProgressFile:
    """The file of one receiver."""

    def __init__(self, folder: Path, name: str, thread: Executor) -> None:
        """`thread` is where the disk is waited for."""
        self._path = folder / f"{name}.json"
        self._thread = thread

    def load(self) -> Progress | None:
        """Return what was saved last, None if nothing was; raises ProgressFileError."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Progress)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise ProgressFileError(
                f"{self._path} cannot be read ({error}); remove it to begin with new events"
            ) from None

    async def save(self, progress: Progress) -> None:
        """Replace what was saved, or raise OSError and leave it as it was."""
        content = msgspec.json.encode(progress)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._replace, content)

    def _replace(self, content: bytes) -> None:
        self._path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
