"""Reads what is durable, in order, from any position: straight from the files, a bounded piece at a time. Synchronous.

A damaged place never stops a reader and is never passed over in silence: it becomes a gap with the number of lost
events in it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from control_api.journal.codec import RecordKind, find_record, parse_record
from control_api.journal.segments import Segment, list_segments

logger = logging.getLogger(__name__)

HINTS_MAX: Final = 64  # readers that go on where they stopped, each without searching


class Item(NamedTuple):
    """An event, or a gap."""

    position: int
    """Of the event; of the last of a gap."""
    payload: bytes
    """The entry as JSON; empty for a gap."""
    lost: int = 0
    """How many events a gap has."""


class PositionGoneError(Exception):
    """What follows the position was removed; `oldest` is the first position to read after."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"events up to {oldest} were removed")
        self.oldest = oldest


class JournalReader:
    """Reads one folder, also while it is written to. Not for several threads at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hints: OrderedDict[int, tuple[Path, int]] = OrderedDict()

    def oldest(self) -> int:
        """Return the position after which everything is still there."""
        segments = list_segments(self._folder)
        return segments[0].first - 1 if segments else 0

    def read(self, after: int, *, durable: int, limit: int) -> list[Item]:
        """Return up to `limit` items after a position, none beyond `durable`; raises PositionGoneError."""
        if after >= durable:
            return []
        segments = list_segments(self._folder)
        if not segments or segments[0].first > after + 1:
            raise PositionGoneError(segments[0].first - 1 if segments else durable)
        starts = [each for each in segments if each.first <= after + 1]
        wanted = segments[len(starts) - 1 :]
        return list(islice(self._items(wanted, after, durable, limit), limit))

    def _items(self, segments: list[Segment], after: int, durable: int, limit: int) -> Iterator[Item]:
        """Yield what there is, and remember where the last of `limit` items ended."""
        reached, count = after, 0
        for segment in segments:
            for position, payload, end in self._events(segment, reached):
                if position > durable:
                    break
                if position > reached + 1:
                    count += 1
                    yield _gap(reached, position - 1)
                reached, count = position, count + 1
                if count >= limit or position == durable:
                    self._remember(position, segment.path, end)
                yield Item(position, payload)
            if reached >= durable:
                return
        if reached < durable:
            yield _gap(reached, durable)

    def _events(self, segment: Segment, reached: int) -> Iterator[tuple[int, bytes, int]]:
        """Yield position, payload and end of each undamaged event after `reached`, over damage where there is some."""
        path, start = self._hints.get(reached, (segment.path, 0))
        if path != segment.path:
            start = 0
        with segment.path.open("rb") as file:
            file.seek(start)
            content = file.read()
        offset = 0
        while offset < len(content):
            record = parse_record(content, offset)
            if record is None:
                found = find_record(content, offset + 1)
                if found is None:
                    return
                offset = found
                continue
            offset = record.end
            if record.kind is RecordKind.EVENT and record.position > reached:
                yield record.position, record.payload, start + offset

    def _remember(self, position: int, path: Path, end: int) -> None:
        self._hints[position] = (path, end)
        while len(self._hints) > HINTS_MAX:
            self._hints.popitem(last=False)


def _gap(reached: int, last: int) -> Item:
    logger.error("journal files are damaged: events are lost", extra={"first": reached + 1, "last": last})
    return Item(last, b"", last - reached)
