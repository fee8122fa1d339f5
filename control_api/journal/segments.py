"""The files of a journal: names, creation that is all or nothing, cutting, removal. No decisions here."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from control_api.journal.errors import JournalError

_NAME: Final = re.compile(r"(\d{8})-(\d{19})\.journal")
_LOCK: Final = "lock"
_FILE_MODE: Final = 0o600  # names of people
_FOLDER_MODE: Final = 0o700


class Segment(NamedTuple):
    """One file, by its name. They sort in the order of writing."""

    ordinal: int
    """1, 2, 3 ..."""
    first: int
    """Position of the first event that is, or would be, in it."""
    path: Path


class SegmentFile:
    """A segment that is written to."""

    def __init__(self, segment: Segment, descriptor: int, size_bytes: int) -> None:
        self.segment = segment
        self.size_bytes = size_bytes
        self._descriptor = descriptor

    def append(self, content: bytes) -> None:
        """Put bytes behind the others and see them on the disk. After an OSError nothing is known of these bytes."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fdatasync(self._descriptor)
        self.size_bytes += len(content)

    def close(self) -> None:
        os.close(self._descriptor)


class Folder:
    """The folder of a journal, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        """Take the folder; raises JournalError if another process has it, or it cannot be made."""
        self.path = path
        try:
            path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        except OSError as error:
            raise JournalError(f"journal folder {path} cannot be used: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise JournalError(f"journal folder {path} is in use by another media server") from None
        for unfinished in path.glob("*.partial"):
            unfinished.unlink()

    def release(self) -> None:
        """Let another process have it; safe to call again."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def create(self, ordinal: int, first: int, head: bytes) -> SegmentFile:
        """Return a new segment that has its head; after a crash or OSError there is either all of it or nothing."""
        path = self.path / f"{ordinal:08d}-{first:019d}.journal"
        partial = path.with_suffix(".partial")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        file = SegmentFile(Segment(ordinal, first, path), os.open(partial, flags, _FILE_MODE), 0)
        try:
            file.append(head)
            partial.rename(path)
            self._sync()
        except OSError:
            file.close()
            for left in (partial, path):
                with contextlib.suppress(OSError):
                    left.unlink()
            raise
        return file

    def cut(self, segment: Segment, size_bytes: int, *, keep: bool) -> None:
        """Shorten a segment; with `keep`, what is cut off goes into a file beside it."""
        if keep:
            content = segment.path.read_bytes()[size_bytes:]
            segment.path.with_suffix(f".cut-{size_bytes}").write_bytes(content)
        with segment.path.open("rb+") as file:
            file.truncate(size_bytes)
            os.fsync(file.fileno())

    def remove(self, segment: Segment) -> None:
        """Remove a segment and what was once cut off it."""
        for cut in self.path.glob(f"{segment.path.stem}.cut-*"):
            cut.unlink(missing_ok=True)
        segment.path.unlink(missing_ok=True)

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def list_segments(path: Path) -> list[Segment]:
    """Return the segments in a folder, oldest first."""
    return sorted(_segments(path))


def _segments(path: Path) -> Iterator[Segment]:
    for each in path.iterdir():
        if match := _NAME.fullmatch(each.name):
            yield Segment(int(match[1]), int(match[2]), each)
