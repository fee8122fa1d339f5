"""A time zone as iCalendar tells it: the changes of its clock in the years that matter (RFC 5545 section 3.6.5). Pure.

Every change is an observance of its own with the day on which it happened, none is a rule: Egypt and Morocco have shown
that rules are changed from one year to the next, and what a feed told is read again within the hour anyway.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from lms.classes.calendar.lines import local_value, offset_value, text_value

_STEP: Final = timedelta(days=7)
"""No zone has changed its clock twice within a week and gone back; Morocco's Ramadan is the shortest, four weeks."""

_SECOND: Final = timedelta(seconds=1)


class ZoneError(ValueError):
    """There is no such time zone."""


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database, e.g. Africa/Cairo; raises ZoneError."""
    try:
        if name not in _names():
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ZoneError(f"{name!r} is no time zone, expected a name like Africa/Cairo or UTC") from None


@cache
def _names() -> frozenset[str]:
    """All names that there are; finding them out takes 40 ms, and they are those of the running system."""
    return frozenset(available_timezones())


def zone_lines(zone: ZoneInfo, first: datetime, last: datetime) -> list[str]:
    """Return VTIMEZONE for all moments from `first` to `last`."""
    assert zone.key is not None, "the zone has a name"
    lines = ["BEGIN:VTIMEZONE", f"TZID:{text_value(zone.key)}"]
    begin = first.astimezone(UTC).replace(microsecond=0)
    lines += _observance(zone, begin - _STEP, begin - _STEP - _SECOND)
    for change in _changes(zone, begin - _STEP, last.astimezone(UTC) + _STEP):
        lines += _observance(zone, change, change - _SECOND)
    return [*lines, "END:VTIMEZONE"]


def _observance(zone: ZoneInfo, since: datetime, before: datetime) -> list[str]:
    """Return what holds from a moment on; its DTSTART is told on the clock that was in force before (section 3.6.5)."""
    now, earlier = since.astimezone(zone), before.astimezone(zone)
    kind = "DAYLIGHT" if now.dst() else "STANDARD"
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{local_value(since.replace(tzinfo=None) + _offset(earlier))}",
        f"TZOFFSETFROM:{offset_value(int(_offset(earlier).total_seconds()))}",
        f"TZOFFSETTO:{offset_value(int(_offset(now).total_seconds()))}",
        f"TZNAME:{text_value(now.tzname() or '')}",
        f"END:{kind}",
    ]


def _changes(zone: ZoneInfo, first: datetime, last: datetime) -> list[datetime]:
    """Return the moments, to the second, at which the offset becomes another."""
    found: list[datetime] = []
    low = first
    while low < last:
        high = min(low + _STEP, last)
        if _offset(low.astimezone(zone)) != _offset(high.astimezone(zone)):
            found.append(_first_with_offset_of(zone, low, high))
        low = high
    return found


def _first_with_offset_of(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    wanted = _offset(high.astimezone(zone))
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if _offset(middle.astimezone(zone)) == wanted:
            high = middle
        else:
            low = middle
    return high


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    assert offset is not None, "the moment has a zone"
    return offset
