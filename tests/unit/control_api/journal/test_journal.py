"""The journal on real files: durability, rotation, retention, and a disk that fails and comes back."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from control_api.journal import journal as journal_module
from control_api.journal.errors import JournalError
from control_api.journal.events import (
    Entry,
    EventsLost,
    ParticipantJoined,
    ParticipantLeft,
    RoomStarted,
    TrackPublished,
    decode_entry,
)
from control_api.journal.journal import JOURNAL_FOLDER, Journal
from control_api.journal.reader import Item, JournalReader, PositionGoneError
from control_api.journal.segments import SegmentFile, list_segments
from control_api.journal.settings import SEGMENT_BYTES_MIN, JournalSettings

Open = Callable[..., Awaitable[Journal]]


@pytest.fixture
async def open_journal(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens journals in one folder; those that a test leaves open are closed."""
    opened: list[Journal] = []

    async def open_one(**settings: object) -> Journal:
        journal = await Journal.open(tmp_path, JournalSettings(node="m1", retry_s=0.02, **settings))  # type: ignore[arg-type]
        opened.append(journal)
        return journal

    yield open_one
    for journal in opened:
        await journal.close()


def joined(number: int, room: str = "algebra") -> ParticipantJoined:
    return ParticipantJoined(room=room, participant=f"p{number}", identity=f"user-{number}")


async def settle(journal: Journal) -> None:
    await asyncio.wait_for(journal.wait_durable(journal.position), 10)


def read(journal: Journal, after: int = 0, limit: int = 10_000) -> list[Item]:
    return JournalReader(journal.folder).read(after, durable=journal.durable, limit=limit)


def entries(journal: Journal, after: int = 0) -> list[Entry]:
    return [decode_entry(item.payload) for item in read(journal, after)]


async def test_events_are_read_in_order_over_boots(open_journal: Open) -> None:
    for boot in range(3):
        journal = await open_journal()
        for number in range(4):
            journal.append(TrackPublished(room="algebra", participant=f"p{boot}", track=f"t{number}", source="camera"))
        await settle(journal)
        await journal.close()
    journal = await open_journal()
    found = entries(journal)
    assert [entry.seq for entry in found] == [1, 2, 3, 4] * 3
    assert len({entry.boot_id for entry in found}) == 3
    assert [item.position for item in read(journal)] == list(range(1, 13))
    assert [item.position for item in read(journal, after=5, limit=3)] == [6, 7, 8]


async def test_ordinary_events_wait_for_company_and_become_durable(open_journal: Open) -> None:
    journal = await open_journal()
    journal.append(TrackPublished(room="algebra", participant="p", track="t", source="camera"))
    assert journal.durable == 0
    await settle(journal)
    assert journal.durable == 1


async def test_crash_closes_who_was_there(open_journal: Open) -> None:
    first = await open_journal()
    first.append(RoomStarted(room="algebra"))
    first.append(joined(1))
    first.append(joined(2))
    first.append(ParticipantLeft(room="algebra", participant="p1", identity="user-1", reason="left"))
    await settle(first)
    await first.close()  # says nothing of those who are there, as a crash would

    second = await open_journal()
    ends = entries(second, after=4)
    assert [type(each.event).__name__ for each in ends] == ["ParticipantLeft", "RoomEnded"]
    assert isinstance(ends[0].event, ParticipantLeft)
    assert (ends[0].event.participant, ends[0].event.reason) == ("p2", "inferred")
    assert ends[0].event.inferred is not None
    assert ends[0].event.inferred.boot_id == first.boot.boot_id
    assert ends[0].boot_id == second.boot.boot_id
    assert ends[0].at <= datetime.now(UTC)
    await second.close()

    third = await open_journal()
    assert third.position == 6  # nothing is closed twice


async def test_torn_tail_is_cut_and_written_over(open_journal: Open, caplog: pytest.LogCaptureFixture) -> None:
    journal = await open_journal()
    journal.append(joined(1))
    await settle(journal)
    await journal.close()
    newest = list_segments(journal.folder)[-1].path
    size = newest.stat().st_size
    newest.write_bytes(newest.read_bytes() + b"\xff\x02torn")
    again = await open_journal()
    assert newest.stat().st_size == size
    assert "cut a torn record off the journal" in caplog.text
    assert again.position == 2  # the join, and its inferred end


async def test_damage_becomes_a_gap_and_what_is_cut_is_kept(open_journal: Open) -> None:
    journal = await open_journal()
    for number in range(3):
        journal.append(joined(number))
        await settle(journal)
    await journal.close()
    newest = list_segments(journal.folder)[-1].path
    content = bytearray(newest.read_bytes())
    content[content.index(b'"p1"') + 1] ^= 1
    newest.write_bytes(content)
    again = await open_journal()
    assert again.position > 3
    items = read(again)
    assert [(item.position, item.lost) for item in items[:2]] == [(1, 0), (3, 2)]
    assert len(list(journal.folder.glob("*.cut-*"))) == 1


async def test_damage_in_an_older_segment_loses_no_more_than_it_must(open_journal: Open) -> None:
    journal = await open_journal()
    for number in range(5):
        journal.append(joined(number))
    await settle(journal)
    older = list_segments(journal.folder)[-1].path
    content = bytearray(older.read_bytes())
    content[content.index(b'"p2"') + 1] ^= 1
    older.write_bytes(content)
    assert [(item.position, item.lost) for item in read(journal)] == [(1, 0), (2, 0), (3, 1), (4, 0), (5, 0)]


async def test_damaged_head_stops_the_start(open_journal: Open) -> None:
    journal = await open_journal()
    await journal.close()
    list_segments(journal.folder)[-1].path.write_bytes(b"nothing")
    with pytest.raises(JournalError, match="damaged at its start; move the folder away"):
        await open_journal()


async def test_one_process_at_a_time(open_journal: Open) -> None:
    await open_journal()
    with pytest.raises(JournalError, match="in use by another media server"):
        await open_journal()


async def test_segments_rotate_and_are_read_across(open_journal: Open) -> None:
    journal = await open_journal(segment_bytes=SEGMENT_BYTES_MIN)
    for number in range(100):
        journal.append(joined(number))
        if number % 10 == 9:
            await settle(journal)
    assert len(list_segments(journal.folder)) >= 5
    assert [item.position for item in read(journal)] == list(range(1, 101))
    await journal.close()
    again = await open_journal()
    assert len(entries(again, after=100)) == 100  # all are closed, whatever segment saw them come


async def test_old_segments_are_removed(open_journal: Open) -> None:
    journal = await open_journal()
    journal.append(joined(1))
    await settle(journal)
    await journal.close()
    old = list_segments(journal.folder)[0].path
    long_ago = time.time() - 100
    os.utime(old, (long_ago, long_ago))
    again = await open_journal(retention_s=50.0)
    again.append(joined(2))
    await settle(again)
    await again.close()  # after the commit comes the removal; the thread is joined here
    assert not old.exists()
    with pytest.raises(PositionGoneError) as gone:
        read(again)
    assert [item.position for item in read(again, after=gone.value.oldest)][-1] == again.position


async def test_number_of_segments_is_bounded(open_journal: Open) -> None:
    journal = await open_journal(segment_bytes=SEGMENT_BYTES_MIN, segments_max=3)
    for number in range(100):
        journal.append(joined(number))
        if number % 10 == 9:
            await settle(journal)
    await journal.close()
    assert len(list_segments(journal.folder)) == 3


class Disk:
    """A disk that fails when told to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.error: int | None = None
        self._append = SegmentFile.append
        patch.setattr(SegmentFile, "append", lambda file, content: self.append(file, content))  # noqa: PLW0108

    def append(self, file: SegmentFile, content: bytes) -> None:
        if self.error is not None:
            os.write(file._descriptor, content[: len(content) // 2])  # some of it may be there, as in life
            raise OSError(self.error, os.strerror(self.error))
        self._append(file, content)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def wait_for_failure(journal: Journal) -> None:
    async with asyncio.timeout(5):
        while journal.failure is None:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_disk_that_fails_loses_nothing_when_it_works_again(open_journal: Open, disk: Disk, number: int) -> None:
    journal = await open_journal()
    journal.append(joined(1))
    await settle(journal)
    disk.error = number
    for each in range(2, 6):
        journal.append(joined(each))
    await wait_for_failure(journal)
    assert journal.failure == os.strerror(number)
    assert journal.durable == 1
    assert journal.reading()["journal_failed"] == 1
    disk.error = None
    await settle(journal)
    assert journal.failure is None
    assert [entry.seq for entry in entries(journal)] == [1, 2, 3, 4, 5]
    await journal.close()
    again = await open_journal()
    assert [entry.seq for entry in entries(again)][:5] == [1, 2, 3, 4, 5]


async def test_full_memory_counts_what_is_lost_and_says_so(
    open_journal: Open, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "QUEUE_EVENTS_MAX", 10)
    monkeypatch.setattr(journal_module, "QUEUE_EVENTS_ORDINARY_MAX", 5)
    journal = await open_journal()
    disk.error = errno.ENOSPC
    track = TrackPublished(room="algebra", participant="p", track="t", source="camera")
    kept = [journal.append(joined(number)) for number in range(5)]
    assert journal.append(track) is None
    kept += [journal.append(joined(number)) for number in range(5, 20)]
    await wait_for_failure(journal)
    assert journal.refuses_joins
    assert kept.count(None) >= 10
    disk.error = None
    await settle(journal)
    journal.append(joined(99))
    await settle(journal)
    assert not journal.refuses_joins
    found = entries(journal)
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    lost = [entry.event.count for entry in found if isinstance(entry.event, EventsLost)]
    assert sum(lost) == kept.count(None) + 1 == journal.reading()["journal_events_lost_total"]


async def test_disk_that_fails_at_the_start_stops_the_start(open_journal: Open, disk: Disk, tmp_path: Path) -> None:
    disk.error = errno.EROFS
    with pytest.raises(JournalError, match="cannot be written to: Read-only"):
        await open_journal()
    disk.error = None
    await open_journal()
    assert not list((tmp_path / JOURNAL_FOLDER).glob("*.partial"))


async def test_event_loop_never_waits_for_the_disk(open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = await open_journal()
    monkeypatch.setattr(os, "fdatasync", lambda _descriptor: time.sleep(0.2))
    slowest_s = 0.0
    for number in range(200):
        before = time.perf_counter()
        journal.append(joined(number))
        slowest_s = max(slowest_s, time.perf_counter() - before)
    assert slowest_s < 0.1
    await settle(journal)
    assert journal.reading()["journal_commits_total"] <= 5  # one fsync for many


@pytest.mark.parametrize(
    ("field", "value"),
    [("node", "a b"), ("heartbeat_s", 0.0), ("segment_bytes", 1), ("retention_s", 0.0), ("segments_max", 1)],
)
def test_settings_that_cannot_work_are_refused(field: str, value: object) -> None:
    with pytest.raises(JournalError):
        JournalSettings(**{field: value})  # type: ignore[arg-type]
