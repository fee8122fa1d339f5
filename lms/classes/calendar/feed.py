"""The calendar of somebody's live classes as one text (RFC 5545, with what RFC 7986 adds for feeds). Pure.

Every class is an event of its own with the id of the class as UID, which never changes, and its version as SEQUENCE,
which only grows: a class that is moved moves in the calendars that know it, one that is cancelled is struck out there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from lms.classes.calendar.lines import build_lines, local_value, text_value, utc_value
from lms.classes.calendar.zones import zone_lines

MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
REFRESH: Final = "PT15M"
"""How often programs are asked to look; some take no less than hours."""


@dataclass(frozen=True, slots=True)
class CalendarClass:
    """What a calendar tells of one live class."""

    id: UUID
    version: int
    """Grows with every change."""
    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo
    """On the clock of which the class is planned."""
    is_cancelled: bool
    changed_at: datetime
    created_at: datetime
    url: str | None = None
    """The page that leads to the class. It holds no token."""


def build_calendar(name: str, classes: Sequence[CalendarClass]) -> bytes:
    """Return the text of a calendar; the same classes give the same bytes."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Halqa//Live classes//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{text_value(name)}",
        f"X-WR-CALNAME:{text_value(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",
    ]
    ordered = sorted(classes, key=lambda each: (each.starts_at, each.id))
    for zone in _zones(ordered):
        own = [each for each in ordered if each.zone.key == zone.key]
        lines += zone_lines(zone, min(each.starts_at for each in own), max(each.ends_at for each in own))
    for each in ordered:
        lines += _event(each)
    return build_lines([*lines, "END:VCALENDAR"])


def _zones(classes: Iterable[CalendarClass]) -> list[ZoneInfo]:
    zones = {each.zone.key: each.zone for each in classes if not _is_utc(each.zone)}
    return [zones[key] for key in sorted(zones)]


def _event(each: CalendarClass) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{each.id}",
        f"SEQUENCE:{each.version}",
        f"DTSTAMP:{utc_value(each.changed_at)}",
        f"CREATED:{utc_value(each.created_at)}",
        f"LAST-MODIFIED:{utc_value(each.changed_at)}",
        _moment("DTSTART", each.starts_at, each.zone),
        _moment("DTEND", each.ends_at, each.zone),
        f"SUMMARY:{text_value(each.title)}",
        f"STATUS:{'CANCELLED' if each.is_cancelled else 'CONFIRMED'}",
    ]
    if each.description:
        lines.append(f"DESCRIPTION:{text_value(each.description)}")
    if each.url is not None:
        lines.append(f"URL:{each.url}")
    return [*lines, "END:VEVENT"]


def _moment(name: str, moment: datetime, zone: ZoneInfo) -> str:
    """UTC stands for itself; and so does an hour that comes twice, as a local time would mean the first of the two."""
    local = moment.astimezone(zone)
    if _is_utc(zone) or local.fold:
        return f"{name}:{utc_value(moment)}"
    return f"{name};TZID={zone.key}:{local_value(local)}"


def _is_utc(zone: ZoneInfo) -> bool:
    return zone.key in {"UTC", "Etc/UTC"}
