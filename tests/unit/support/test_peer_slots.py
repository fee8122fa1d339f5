"""The instrument itself: a test peer's slot notices everything that a decoder or a viewer would."""

from __future__ import annotations

import random

import pytest

from tests.support.peer_offer import LIKE_CHROMIUM
from tests.support.peer_slots import ReceivingSlot
from tests.support.peer_sources import Camera, Rates
from tests.support.peer_streams import Unit

AUTHOR, OTHER = "algebra/amal", "algebra/badr"


def frames(identity: str, count: int, packets: int = 2) -> list[Unit]:
    """Return the packets of one encoding, first a key frame."""
    camera = Camera(
        "algebra",
        identity,
        numbers=LIKE_CHROMIUM,
        rates=Rates(packets_per_frame=packets),
        chance=random.Random(1),
        rids=("f",),
    )
    (encoding,) = camera.encodings.values()
    return [unit for number in range(count) for unit in encoding.frame(number * 3000)]


def slot_with(*authors: str) -> ReceivingSlot:
    slot = ReceivingSlot("v0", "video", 1, 2)
    for author in authors:
        slot.assign(f"track of {author}", author, "f", author)
    return slot


def feed(
    slot: ReceivingSlot, units: list[Unit], first: int = 65_530, *, leave_out: frozenset[int] = frozenset()
) -> None:
    for number, unit in enumerate(units):
        if number not in leave_out:
            slot.receive((first + number) & 0xFFFF, unit.timestamp, unit.payload, now=0.0)


def test_what_is_right_is_no_fault() -> None:
    slot = slot_with(AUTHOR)
    feed(slot, frames("amal", 10))
    assert (slot.faults, slot.misrouted(), slot.reception.lost) == ([], [], 0)
    assert (slot.packets[AUTHOR], slot.key_frames[AUTHOR]) == (20, 1)


@pytest.mark.parametrize("late", [False, True])
def test_a_missing_packet_is_lost_until_it_comes(late: bool) -> None:
    slot, units = slot_with(AUTHOR), frames("amal", 10)
    feed(slot, units, leave_out=frozenset({7}))
    assert slot.reception.lost == 1
    assert slot.reception.due(1.0) == [1]
    if late:
        slot.receive(1, units[7].timestamp, units[7].payload, now=0.0)
        slot.receive(1, units[7].timestamp, units[7].payload, now=0.0)
        assert (slot.reception.lost, slot.reception.duplicates) == (0, 1)
    assert slot.faults == []


def test_a_picture_that_is_left_out_without_a_trace_is_a_fault() -> None:
    units = frames("amal", 10)
    slot = slot_with(AUTHOR)
    feed(slot, units[:8] + units[10:])
    assert any("picture id" in fault for fault in slot.faults)


def test_another_author_needs_a_key_frame_and_an_announcement() -> None:
    slot = slot_with(AUTHOR)
    feed(slot, frames("amal", 2) + frames("badr", 3)[2:])
    assert any("without a key frame" in fault for fault in slot.faults)
    assert slot.misrouted() == [OTHER]
    slot.assign("track", OTHER, "f", OTHER)
    assert slot.misrouted() == []


def test_a_track_that_was_announced_and_never_came_is_no_misrouting() -> None:
    slot = slot_with(AUTHOR, OTHER, AUTHOR)
    feed(slot, frames("amal", 2))
    assert slot.misrouted() == []


def test_what_is_damaged_is_a_fault() -> None:
    slot, (unit,) = slot_with(AUTHOR), frames("amal", 1, packets=1)
    slot.receive(1, 0, unit.payload[:-70], now=0.0)
    slot.receive(2, 0, b"", now=0.0)
    assert len(slot.faults) == 2
