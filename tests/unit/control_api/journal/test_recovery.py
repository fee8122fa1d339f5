"""Recovery from the bytes of a segment: torn at every byte, damaged in the middle, ended without a word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.journal.codec import RecordKind, build_record
from control_api.journal.events import (
    Entry,
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantResumed,
    ParticipantSuspended,
    RoomEnded,
    RoomStarted,
    TrackPublished,
    encode_entry,
)
from control_api.journal.ledger import Ledger, Moment
from control_api.journal.recovery import Beat, Head, encode_beat, encode_head, recover

BEGAN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
BOOT = "00000000-0000-4000-8000-000000000001"


def moment(seconds: float) -> Moment:
    return Moment(BEGAN + timedelta(seconds=seconds), seconds)


def head(position: int = 0, ledger: Ledger | None = None) -> bytes:
    value = Head(journal_id="0a1b2c3d", node="m1", boot_id=BOOT, at=BEGAN, uptime_s=0, ledger=ledger or Ledger())
    return build_record(RecordKind.HEAD, position, encode_head(value))


def record(seq: int, event: Event, seconds: float) -> bytes:
    at, uptime_s = msgspec.structs.astuple(moment(seconds))
    entry = Entry(node="m1", boot_id=BOOT, seq=seq, at=at, uptime_s=uptime_s, event=event)
    return build_record(RecordKind.EVENT, seq, encode_entry(entry))


def beat(position: int, seconds: float) -> bytes:
    at, uptime_s = msgspec.structs.astuple(moment(seconds))
    return build_record(RecordKind.HEARTBEAT, position, encode_beat(Beat(at=at, uptime_s=uptime_s)))


def joined(participant: str = "p1", room: str = "algebra") -> ParticipantJoined:
    return ParticipantJoined(room=room, participant=participant, identity=f"user-{participant}")


def left(participant: str = "p1", room: str = "algebra") -> ParticipantLeft:
    return ParticipantLeft(room=room, participant=participant, identity=f"user-{participant}", reason="left")


def ends(content: bytes) -> list[tuple[str, float, float]]:
    """Return who or what is closed, when by the wall clock, and when by the dead process's own."""
    state = recover(content)
    assert state is not None
    state.ledger.mark_dead(state.last_alive)
    found = []
    for at, event in state.ledger.close_dead():
        assert isinstance(event, ParticipantLeft | RoomEnded)
        assert event.reason == "inferred"
        assert event.inferred is not None
        assert event.inferred.boot_id == BOOT
        name = event.participant if isinstance(event, ParticipantLeft) else event.room
        found.append((name, (at - BEGAN).total_seconds(), event.inferred.uptime_s))
    return found


def test_open_presence_ends_at_the_last_heartbeat() -> None:
    content = head() + record(1, RoomStarted(room="algebra"), 1) + record(2, joined(), 2) + beat(2, 15) + beat(2, 30)
    assert ends(content) == [("p1", 30, 30), ("algebra", 30, 30)]


def test_any_event_is_a_sign_of_life() -> None:
    published = TrackPublished(room="algebra", participant="p1", track="t", source="camera")
    assert ends(head() + record(1, joined(), 2) + beat(1, 15) + record(2, published, 20)) == [("p1", 20, 20)]


def test_suspended_presence_ends_when_it_was_suspended() -> None:
    suspended = ParticipantSuspended(room="algebra", participant="p1", identity="user-p1")
    resumed = ParticipantResumed(room="algebra", participant="p1", identity="user-p1")
    content = head() + record(1, joined(), 2) + record(2, suspended, 5) + beat(2, 15)
    assert ends(content) == [("p1", 5, 5)]
    assert ends(content + record(3, resumed, 16) + beat(3, 30)) == [("p1", 30, 30)]


def test_presence_that_was_given_up_for_silence_ends_at_its_last_sign_of_life() -> None:
    for silent_s, last in ((3.0, 17), (1e9, 0)):
        suspended = ParticipantSuspended(room="algebra", participant="p1", identity="user-p1", silent_s=silent_s)
        assert ends(head() + record(1, joined(), 2) + record(2, suspended, 20)) == [("p1", last, last)]


def test_what_ended_is_not_closed_again() -> None:
    events: list[Event] = [RoomStarted(room="algebra"), joined(), left(), RoomEnded(room="algebra")]
    assert ends(head() + b"".join(record(seq, event, seq) for seq, event in enumerate(events, 1))) == []


def test_presence_of_an_earlier_segment_stands_in_the_head() -> None:
    ledger = Ledger()
    ledger.apply(joined(), BOOT, moment(1))
    content = head(7, ledger) + beat(7, 40)
    assert ends(content) == [("p1", 40, 40)]
    state = recover(content)
    assert state is not None
    assert state.position == 7


def test_second_crash_before_the_ends_are_written_changes_no_time() -> None:
    """The successor wrote its head and died: those whom its predecessor left open still end with their own boot."""
    ledger = Ledger()
    ledger.apply(joined(), BOOT, moment(1))
    ledger.mark_dead(moment(15))
    assert ends(head(1, ledger) + beat(1, 100)) == [("p1", 15, 15)]


def test_torn_last_record_is_cut_at_every_byte() -> None:
    kept = head() + record(1, RoomStarted(room="algebra"), 1) + record(2, joined("p1"), 2)
    last = record(3, joined("p2"), 3)
    for size in range(len(last)):
        state = recover(kept + last[:size])
        assert state is not None
        assert (state.whole_bytes, state.position, state.records_beyond) == (len(kept), 2, 0)
        assert set(state.ledger.presences) == {"p1"}
    whole = recover(kept + last)
    assert whole is not None
    assert (whole.whole_bytes, whole.position) == (len(kept) + len(last), 3)


def test_segment_torn_in_its_head_is_none() -> None:
    content = head()
    assert all(recover(content[:size]) is None for size in range(len(content)))


def test_damage_before_whole_records_is_told_and_no_position_is_given_twice() -> None:
    kept, broken = head() + record(1, joined("p1"), 1), bytearray(record(2, joined("p2"), 2))
    broken[-3] ^= 4
    state = recover(kept + broken + record(3, joined("p3"), 3) + record(4, joined("p4"), 4))
    assert state is not None
    assert (state.whole_bytes, state.records_beyond, state.position) == (len(kept), 2, 4)


def test_event_of_a_later_version_is_kept_and_counted() -> None:
    payload = b'{"node":"m1","boot_id":"b","seq":1,"at":"2026-09-01T08:00:00Z","uptime_s":1,"event":{"type":"poll"}}'
    content = head() + build_record(RecordKind.EVENT, 1, payload)
    state = recover(content)
    assert state is not None
    assert (state.position, state.whole_bytes, state.unknown_events) == (1, len(content), 1)


PARTICIPANTS = st.sampled_from(["p1", "p2", "p3"])
EVENTS = st.one_of(
    st.builds(joined, PARTICIPANTS),
    st.builds(left, PARTICIPANTS),
    st.builds(lambda p: ParticipantSuspended(room="algebra", participant=p, identity=p), PARTICIPANTS),
    st.builds(lambda p: ParticipantResumed(room="algebra", participant=p, identity=p), PARTICIPANTS),
)


@given(st.lists(EVENTS, max_size=12), st.integers(0, 4000))
def test_recovery_of_any_prefix_closes_each_open_presence_once(events: list[Event], size: int) -> None:
    content = head() + b"".join(record(seq, event, seq) for seq, event in enumerate(events, 1))
    size = max(len(head()), min(size, len(content)))
    state = recover(content[:size])
    assert state is not None
    expected: set[str] = set()
    for event in events[: state.position]:
        if isinstance(event, ParticipantJoined):
            expected.add(event.participant)
        elif isinstance(event, ParticipantLeft):
            expected.discard(event.participant)
    closed = [name for name, _, _ in ends(content[:size])]
    assert sorted(closed) == sorted(expected)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\xff" * 100])
def test_what_is_no_segment_is_none(content: bytes) -> None:
    assert recover(content) is None
