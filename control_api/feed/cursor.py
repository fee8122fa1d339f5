"""Cursors: where a reader of the feed has got to, as text that it gives back. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"([0-9a-f]{8})-(0|[1-9][0-9]{0,17})")  # at most 18 digits: fits 63 bits


class BadCursorError(ValueError):
    """Text that is no cursor of this server; the message says why."""


class Cursor(NamedTuple):
    """A place in one journal."""

    journal_id: str
    position: int
    """Of the last event that the reader has; 0 before the first."""


def build_cursor(cursor: Cursor) -> str:
    return f"{cursor.journal_id}-{cursor.position}"


def parse_cursor(text: str) -> Cursor:
    """Return the cursor; raises BadCursorError."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise BadCursorError("after is not a cursor; give back what an event or the Halqa-Cursor header said")
    return Cursor(match[1], int(match[2]))
