"""What of the feed a key sees."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from control_api.feed.visible import is_visible
from signaling.room_pattern import EVERY_ROOM, RoomPattern


def line(event: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"cursor": "c", "node": "m1", "event": event})


def test_a_key_sees_its_rooms_and_what_is_about_none() -> None:
    own, other, none = ({"type": "room_started", "room": "a.1"}, {"type": "room_started", "room": "b.1"}, {"type": "x"})
    assert [is_visible(line(event), RoomPattern("a.*")) for event in (own, other, none)] == [True, False, True]
    assert all(is_visible(line(event), EVERY_ROOM) for event in (own, other, none))
