"""Which lines of the feed a key may see: those of its rooms, and those of no room."""

from __future__ import annotations

from typing import Final

import msgspec

from control_api.feed.cursor import parse_cursor
from control_api.feed.feed import Feed, Page
from signaling.room_pattern import RoomPattern

PAGES_MAX: Final = 20
"""Read in vain for one request, when all that happens is in other rooms; the reader then goes on from the cursor."""


class _EventPlace(msgspec.Struct, frozen=True):
    room: str | None = None


class _LinePlace(msgspec.Struct, frozen=True):
    """All of a line that matters here."""

    event: _EventPlace


_decoder: Final = msgspec.json.Decoder(_LinePlace)


def is_visible(line: bytes, rooms: RoomPattern) -> bool:
    """Return whether a line of the feed is about one of these rooms, or about none."""
    if rooms.is_everything:
        return True
    room = _decoder.decode(line).event.room
    return room is None or rooms.allows(room)


async def read_visible(feed: Feed, first: Page, rooms: RoomPattern, *, limit: int) -> Page:
    """Return what of a page may be seen; if there is none, what may be seen of the pages that are there after it.

    Raises as `Feed.read`.
    """
    page = first
    for _ in range(PAGES_MAX):
        lines = [line for line in page.lines if is_visible(line, rooms)]
        if lines or not page.lines:
            return Page(lines, page.cursor)
        page = await feed.read(parse_cursor(page.cursor), limit=limit)
    return Page([], page.cursor)
