"""From the bytes of the newest segment to where the journal goes on after a crash. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from control_api.journal.codec import Record, RecordKind, find_record, parse_record
from control_api.journal.events import decode_entry
from control_api.journal.ledger import Ledger, Moment


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first record of a segment."""

    journal_id: str
    """Tells this journal from another in the same place, so that no cursor is mistaken."""
    node: str
    boot_id: str
    at: datetime
    uptime_s: float
    ledger: Ledger
    """What was open when the segment began."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat."""

    at: datetime
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Recovered:
    """The state in which a segment ends."""

    head: Head
    position: int
    """Of the last event; with damage, of the last that is known to have been."""
    ledger: Ledger
    last_alive: Moment
    whole_bytes: int
    """So many bytes from the start are whole records; the rest is to be cut off."""
    records_beyond: int
    """Whole records that stand after the first damaged byte: none in a torn write."""
    unknown_events: int
    """Undamaged events that this version cannot read: a later one wrote them."""


_head_decoder: Final = msgspec.json.Decoder(Head)
_beat_decoder: Final = msgspec.json.Decoder(Beat)


def encode_head(head: Head) -> bytes:
    return msgspec.json.encode(head)


def encode_beat(beat: Beat) -> bytes:
    return msgspec.json.encode(beat)


def parse_head(content: bytes) -> tuple[Head, Record] | None:
    """Return the head at the start of a segment, or None if there is no whole one."""
    record = parse_record(content, 0)
    if record is None or record.kind is not RecordKind.HEAD:
        return None
    try:
        return _head_decoder.decode(record.payload), record
    except msgspec.DecodeError:
        return None


def recover(content: bytes) -> Recovered | None:
    """Return the state at the end of a segment, or None if it has no whole head."""
    found = parse_head(content)
    if found is None:
        return None
    head, record = found
    ledger = head.ledger
    last_alive = Moment(head.at, head.uptime_s)
    position, offset, unknown_events = record.position, record.end, 0
    while (following := parse_record(content, offset)) is not None:
        offset, position = following.end, following.position
        try:
            last_alive = _take(following, ledger)
        except msgspec.DecodeError:
            unknown_events += 1
    beyond, position_beyond = _survey(content, offset)
    return Recovered(
        head=head,
        position=max(position, position_beyond),
        ledger=ledger,
        last_alive=last_alive,
        whole_bytes=offset,
        records_beyond=beyond,
        unknown_events=unknown_events,
    )


def _take(record: Record, ledger: Ledger) -> Moment:
    """Note what a record says in the ledger and return the moment at which it was written."""
    if record.kind is RecordKind.EVENT:
        entry = decode_entry(record.payload)
        moment = Moment(entry.at, entry.uptime_s)
        ledger.apply(entry.event, entry.boot_id, moment)
        return moment
    beat = _beat_decoder.decode(record.payload)
    return Moment(beat.at, beat.uptime_s)


def _survey(content: bytes, offset: int) -> tuple[int, int]:
    """Return how many whole records stand after the damage at `offset`, and the highest position among them."""
    count = position = 0
    while (start := find_record(content, offset)) is not None:
        record = parse_record(content, start)
        assert record is not None
        count, position, offset = count + 1, max(position, record.position), record.end
    return count, position
