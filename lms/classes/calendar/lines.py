"""Content lines of iCalendar: escaped, folded, ended (RFC 5545 section 3.1 and 3.3.11). Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

LINE_OCTETS_MAX: Final = 75
"""Without the line break (RFC 5545 section 3.1)."""

_ESCAPES: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
_BREAKS: Final = re.compile("\r\n|\r|\x85|\u2028|\u2029")


def text_value(text: str) -> str:
    """Return a text escaped; what a text may not hold (control characters) is left out."""
    lines = _BREAKS.sub("\n", text)
    kept = "".join(sign for sign in lines if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs"})
    return kept.translate(_ESCAPES)


def utc_value(moment: datetime) -> str:
    """Return a moment in form 2 of DATE-TIME: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def local_value(moment: datetime) -> str:
    """Return a moment in form 1 of DATE-TIME, for a TZID beside it: as it stands, without its zone."""
    return moment.strftime("%Y%m%dT%H%M%S")


def offset_value(seconds: int) -> str:
    """Return an offset from UTC, e.g. +0200; seconds only where there are any, as in local mean times."""
    hours, rest = divmod(abs(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{minutes:02}" + (f"{left:02}" if left else "")


def build_lines(lines: list[str]) -> bytes:
    """Return the lines folded and ended by CRLF."""
    return b"".join(fold(line) for line in lines)


def fold(line: str) -> bytes:
    """Return one line, cut into pieces of at most 75 octets, never within a character."""
    octets = line.encode()
    pieces: list[bytes] = []
    room = LINE_OCTETS_MAX
    while len(octets) > room:
        cut = room
        while octets[cut] & 0xC0 == 0x80:  # the next octet continues a character
            cut -= 1
        pieces.append(octets[:cut])
        octets = octets[cut:]
        room = LINE_OCTETS_MAX - 1  # the space that says that it goes on
    return b"\r\n ".join([*pieces, octets]) + b"\r\n"
