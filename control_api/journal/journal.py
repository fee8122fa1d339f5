"""The journal as the event loop sees it: append at once, wait for what is durable, and know when the disk fails.

What the disk does not take waits in memory. From the first error on `failure` says why: the server is not ready for
new rooms, and its log is loud; classes go on, for that is what the server is there for. When memory is half full,
`refuses_joins`. Beyond `QUEUE_EVENTS_MAX` events are lost, and the journal says how many as soon as it can write again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from control_api.journal.codec import RecordKind
from control_api.journal.errors import JournalError
from control_api.journal.events import URGENT, Entry, Event, EventsLost, encode_entry
from control_api.journal.group_commit import GroupCommit
from control_api.journal.ledger import Ledger, Moment
from control_api.journal.recovery import Beat, Recovered, encode_beat, recover
from control_api.journal.segment_log import Boot, Pending, SegmentLog
from control_api.journal.segments import Folder, list_segments
from control_api.journal.settings import JournalSettings
from control_api.metrics.histogram import Histogram

logger = logging.getLogger(__name__)

JOURNAL_FOLDER: Final = "journal"
QUEUE_EVENTS_MAX: Final = 65_536  # about 30 MB: a whole school leaving and joining while the disk is full
QUEUE_EVENTS_ORDINARY_MAX: Final = QUEUE_EVENTS_MAX // 2  # above this only joins and leaves: attendance is what counts
BEATS_A_HEARTBEAT: Final = 2  # so that a slow disk or a late timer does not make a crash cost more than was promised
_ID_BYTES: Final = 4


class Journal:
    """One boot's journal. Use it from the thread of the event loop that opened it."""

    def __init__(self, boot: Boot, settings: JournalSettings, folder: Folder, log: SegmentLog, position: int) -> None:
        self.boot = boot
        self.folder = folder.path
        self.failure: str | None = None
        """Why the disk takes nothing at present; None while it does."""
        self._held = folder
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._started = time.monotonic()
        self._position = self._durable = position
        self._seq = 0
        self._lost = self._lost_unsaid = 0
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._commit = GroupCommit(
            log,
            committed=lambda position: self._call(self._on_committed, position),
            failed=lambda error: self._call(self._on_failed, error),
            ended=lambda: self._call(self._ended.set),
            retry_s=settings.retry_s,
        )
        self._heartbeat: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, data: Path, settings: JournalSettings | None = None) -> Self:
        """Recover what an earlier boot left and begin to write; raises JournalError.

        When it returns, everything that a crash left open is closed, durably.
        """
        settings = settings or JournalSettings()
        folder = Folder(data / JOURNAL_FOLDER)
        try:
            return await cls._open(folder, settings)
        except BaseException:
            folder.release()
            raise

    @classmethod
    async def _open(cls, folder: Folder, settings: JournalSettings) -> Self:
        ordinal, before = _recover_folder(folder)  # reads one file, at a time when nothing is served yet
        journal_id = before.head.journal_id if before else secrets.token_hex(_ID_BYTES)
        boot = Boot(journal_id, settings.node, str(uuid.uuid4()))
        position, ledger = (before.position, before.ledger) if before else (0, Ledger())
        log = SegmentLog(folder, settings, boot, ordinal=ordinal, position=position, ledger=ledger)
        ends = list(ledger.close_dead())  # listed before the thread that owns the ledger from now on starts
        journal = cls(boot, settings, folder, log, position)
        try:
            for at, event in ends:
                journal.append(event, at=at)
            journal.beat()
            await journal._first_commit()
        except BaseException:
            await journal.close()
            raise
        if ends:
            logger.warning("closed what a crash left open", extra={"ends": len(ends)})
        journal._heartbeat = asyncio.create_task(journal._keep_beating(), name="journal heartbeat")
        return journal

    @property
    def position(self) -> int:
        """The last event that was appended; 0 if there never was one."""
        return self._position

    @property
    def durable(self) -> int:
        """The last event that no crash can take back. Only up to here may anybody be told."""
        return self._durable

    @property
    def refuses_joins(self) -> bool:
        """Whether nobody should be let in: the presence of those who are in could not be kept any longer."""
        return self.failure is not None and self._commit.waiting >= QUEUE_EVENTS_ORDINARY_MAX

    def append(self, event: Event, *, at: datetime | None = None) -> int | None:
        """Take an event and return its position; it is durable soon, see `wait_durable`. `at` is now by default.

        None means that it is lost: the disk has failed for so long that memory is full.
        """
        urgent = isinstance(event, URGENT)
        if self._commit.waiting >= (QUEUE_EVENTS_MAX if urgent else QUEUE_EVENTS_ORDINARY_MAX):
            self._lost += 1
            self._lost_unsaid += 1
            return None
        if self._lost_unsaid:
            count, self._lost_unsaid = self._lost_unsaid, 0
            self._append(EventsLost(count=count), None, urgent=True)
        return self._append(event, at, urgent=urgent)

    def beat(self) -> None:
        """Write that the server is alive."""
        moment = self._moment(None)
        payload = encode_beat(Beat(at=moment.at, uptime_s=moment.uptime_s))
        self._commit.add(Pending(RecordKind.HEARTBEAT, self._position, payload, moment), urgent=True)

    async def wait_durable(self, position: int) -> None:
        """Wait until an event is durable; for ever if the disk never works again."""
        while self._durable < position:
            await self._changed.wait()

    async def close(self) -> None:
        """Write what waits and a last heartbeat, and release the folder."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heartbeat
        self.beat()
        self._commit.close()
        await self._ended.wait()
        if left := self._commit.join():
            logger.error("the journal could not be written to the end", extra={"records": left})
        self._held.release()

    @property
    def commit_times(self) -> Histogram:
        """How long writing and syncing a batch takes, in seconds."""
        return self._commit.commit_times

    def reading(self) -> Mapping[str, float]:
        """Return the present metrics."""
        oldest = self._commit.oldest
        waited_s = 0.0 if oldest is None else (datetime.now(UTC) - oldest.moment.at).total_seconds()
        return {
            "journal_events_total": self._seq,
            "journal_events_lost_total": self._lost,
            "journal_events_waiting": self._commit.waiting,
            "journal_commits_total": self._commit.commits,
            "journal_oldest_waiting_seconds": max(0.0, waited_s),
            "journal_slowest_commit_seconds": self._commit.slowest_commit_s,
            "journal_failed": float(self.failure is not None),
        }

    def _append(self, event: Event, at: datetime | None, *, urgent: bool) -> int:
        self._position += 1
        self._seq += 1
        moment = self._moment(at)
        entry = Entry(
            node=self.boot.node,
            boot_id=self.boot.boot_id,
            seq=self._seq,
            at=moment.at,
            uptime_s=moment.uptime_s,
            event=event,
        )
        self._commit.add(Pending(RecordKind.EVENT, self._position, encode_entry(entry), moment, event), urgent=urgent)
        return self._position

    def _moment(self, at: datetime | None) -> Moment:
        return Moment(at or datetime.now(UTC), round(time.monotonic() - self._started, 6))

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_s / BEATS_A_HEARTBEAT)
            if self.failure is None:  # else heartbeats would fill the queue that events need
                self.beat()

    async def _first_commit(self) -> None:
        """Wait for the first commit of this boot: a journal that cannot write at the start does not start."""
        while self._commit.commits == 0 and self.failure is None:
            await self._changed.wait()
        if self.failure is not None:
            raise JournalError(f"journal folder {self.folder} cannot be written to: {self.failure}")
        await self.wait_durable(self._position)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed without closing the journal
            self._loop.call_soon_threadsafe(function, *arguments)

    def _on_committed(self, position: int) -> None:
        self._durable = max(self._durable, position)
        if self.failure is not None:
            logger.warning("the journal is written again", extra={"lost": self._lost})
            self.failure = None
        self._wake()

    def _on_failed(self, error: Exception) -> None:
        self.failure = (isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}"
        logger.error(
            "the journal cannot be written; events wait in memory",
            extra={"because": self.failure, "waiting": self._commit.waiting},
        )
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait_beyond(self, position: int, *, timeout_s: float) -> bool:
        """Wait until something after `position` is durable; False if nothing came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.wait_durable(position + 1)
        except TimeoutError:
            return False
        return True


def _recover_folder(folder: Folder) -> tuple[int, Recovered | None]:
    """Bring the newest segment in order; return its ordinal and in what state it ends, with everybody marked dead."""
    segments = list_segments(folder.path)
    if not segments:
        return 0, None
    newest = segments[-1]
    try:
        content = newest.path.read_bytes()
        state = recover(content)
        if state is None:
            raise JournalError(
                f"journal file {newest.path} is damaged at its start; move the folder away to begin anew"
            )
        if surplus := len(content) - state.whole_bytes:
            damaged = state.records_beyond > 0
            folder.cut(newest, state.whole_bytes, keep=damaged)
            logger.log(
                logging.ERROR if damaged else logging.WARNING,
                "cut a damaged end off the journal" if damaged else "cut a torn record off the journal",
                extra={"file": newest.path.name, "bytes": surplus, "records_beyond": state.records_beyond},
            )
    except OSError as error:
        raise JournalError(f"journal file {newest.path} cannot be read: {error.strerror}") from None
    if state.unknown_events:
        logger.warning("the journal has events of a later version", extra={"events": state.unknown_events})
    state.ledger.mark_dead(state.last_alive)
    return newest.ordinal, state
