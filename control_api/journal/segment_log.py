"""The journal as one log over many segments: commit, rotation, retention, and going on after an I/O error.

Synchronous, and used by one thread. An error of the disk is never papered over: what was to be committed is not, the
segment is given up, and the next attempt cuts it back to what is known to be on the disk and begins a new one. (After
a failed fsync the kernel may forget which pages were dirty; writing to that file again proves nothing.)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from control_api.journal.codec import RecordKind, build_record
from control_api.journal.events import Event
from control_api.journal.ledger import Ledger, Moment
from control_api.journal.recovery import Head, encode_head
from control_api.journal.segments import Folder, Segment, SegmentFile, list_segments
from control_api.journal.settings import JournalSettings

logger = logging.getLogger(__name__)

RETENTION_CHECK_S: Final = 600.0  # a file may live so much longer than the operator said


@dataclass(frozen=True, slots=True)
class Pending:
    """A record that is to be written."""

    kind: RecordKind
    position: int
    payload: bytes
    moment: Moment
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Boot:
    """Who writes."""

    journal_id: str
    node: str
    boot_id: str


class SegmentLog:
    """Appends to the newest segment. Open from the first `commit` on."""

    def __init__(
        self, folder: Folder, settings: JournalSettings, boot: Boot, *, ordinal: int, position: int, ledger: Ledger
    ) -> None:
        """`ordinal` and `position` are those of the last segment and event that exist, `ledger` what is open there."""
        self._folder = folder
        self._settings = settings
        self._boot = boot
        self._ordinal = ordinal
        self._position = position
        self._ledger = ledger
        self._file: SegmentFile | None = None
        self._broken: tuple[Segment, int] | None = None
        self._retention_due = 0.0

    def commit(self, records: Sequence[Pending]) -> None:
        """Put records on the disk, all of them or, with an OSError, none that a reader will ever see."""
        if not records:
            return
        if self._file is not None and self._file.size_bytes >= self._settings.segment_bytes:
            self._file.close()
            self._file = None
        if self._file is None:
            self._file = self._begin(records[0].moment)
        try:
            self._file.append(b"".join(build_record(each.kind, each.position, each.payload) for each in records))
        except OSError:
            self._broken = (self._file.segment, self._file.size_bytes)
            self._file.close()
            self._file = None
            raise
        for each in records:
            self._position = each.position
            if each.event is not None:
                self._ledger.apply(each.event, self._boot.boot_id, each.moment)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove_old(self) -> None:
        """Remove what is older or more than the settings keep; never the newest. What cannot be removed is logged."""
        if time.monotonic() < self._retention_due:
            return
        self._retention_due = time.monotonic() + RETENTION_CHECK_S
        try:
            self._remove_old()
        except OSError as error:
            logger.warning("old journal files cannot be removed", extra={"because": str(error)})

    def _remove_old(self) -> None:
        segments = list_segments(self._folder.path)[:-1]
        oldest_kept = time.time() - self._settings.retention_s
        surplus = len(segments) + 1 - self._settings.segments_max
        for index, segment in enumerate(segments):
            if index >= surplus and segment.path.stat().st_mtime >= oldest_kept:
                break
            self._folder.remove(segment)
            logger.info("removed an old journal file", extra={"file": segment.path.name})

    def _begin(self, moment: Moment) -> SegmentFile:
        if self._broken is not None:
            segment, size_bytes = self._broken
            self._folder.cut(segment, size_bytes, keep=False)
            self._broken = None
        head = Head(
            journal_id=self._boot.journal_id,
            node=self._boot.node,
            boot_id=self._boot.boot_id,
            at=moment.at,
            uptime_s=moment.uptime_s,
            ledger=self._ledger,
        )
        record = build_record(RecordKind.HEAD, self._position, encode_head(head))
        file = self._folder.create(self._ordinal + 1, self._position + 1, record)
        self._ordinal += 1
        self._retention_due = 0.0
        return file
