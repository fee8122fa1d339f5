"""Calendars as programs read them: lines, zones, events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.classes.calendar.feed import CalendarClass, build_calendar
from lms.classes.calendar.lines import LINE_OCTETS_MAX, fold, offset_value, text_value
from lms.classes.calendar.zones import ZoneError, find_zone, zone_lines

MOMENT = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
CLASS = CalendarClass(
    id=UUID("0198c0de-0000-7000-8000-000000000001"),
    version=3,
    title="الجبر، 7ب; مراجعة",
    description="Bring:\n- book\\pen, paper",
    starts_at=datetime(2027, 5, 2, 6, 0, tzinfo=UTC),
    ends_at=datetime(2027, 5, 2, 7, 0, tzinfo=UTC),
    zone=ZoneInfo("Africa/Cairo"),
    is_cancelled=False,
    changed_at=MOMENT,
    created_at=MOMENT - timedelta(days=1),
    url="https://school.example/classes/1",
)


def unfolded(calendar: bytes) -> list[str]:
    assert calendar.endswith(b"\r\n")
    return calendar.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def test_a_class_in_a_calendar() -> None:
    lines = unfolded(build_calendar("Layla", [CLASS]))
    event = lines[lines.index("BEGIN:VEVENT") : lines.index("END:VEVENT") + 1]
    assert event == [
        "BEGIN:VEVENT",
        "UID:0198c0de-0000-7000-8000-000000000001",
        "SEQUENCE:3",
        "DTSTAMP:20261120T120000Z",
        "CREATED:20261119T120000Z",
        "LAST-MODIFIED:20261120T120000Z",
        "DTSTART;TZID=Africa/Cairo:20270502T090000",
        "DTEND;TZID=Africa/Cairo:20270502T100000",
        "SUMMARY:الجبر، 7ب\\; مراجعة",
        "STATUS:CONFIRMED",
        "DESCRIPTION:Bring:\\n- book\\\\pen\\, paper",
        "URL:https://school.example/classes/1",
        "END:VEVENT",
    ]
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    assert {"VERSION:2.0", "METHOD:PUBLISH", "NAME:Layla"} <= set(lines)


def test_a_cancelled_class_is_struck_out_and_utc_stands_for_itself() -> None:
    lines = unfolded(build_calendar("Layla", [replace(CLASS, is_cancelled=True, zone=ZoneInfo("UTC"))]))
    assert "STATUS:CANCELLED" in lines
    assert "DTSTART:20270502T060000Z" in lines
    assert "BEGIN:VTIMEZONE" not in lines


def test_the_second_of_two_equal_hours_is_told_in_utc() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 2:30 in Berlin, again
    lines = unfolded(
        build_calendar("x", [replace(CLASS, starts_at=second, ends_at=second + timedelta(hours=1), zone=BERLIN)])
    )
    assert "DTSTART:20261025T013000Z" in lines
    assert "DTEND;TZID=Europe/Berlin:20261025T033000" in lines


def test_the_same_classes_give_the_same_bytes() -> None:
    other = replace(CLASS, id=UUID(int=7), starts_at=MOMENT, ends_at=MOMENT + timedelta(hours=1))
    assert build_calendar("x", [CLASS, other]) == build_calendar("x", [other, CLASS])
    assert build_calendar("x", []).count(b"BEGIN:") == 1


BERLIN = ZoneInfo("Europe/Berlin")


def test_a_zone_is_told_by_its_changes() -> None:
    lines = zone_lines(BERLIN, datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 4, 30, tzinfo=UTC))
    text = "\n".join(lines)
    assert lines[:2] == ["BEGIN:VTIMEZONE", "TZID:Europe/Berlin"]
    winter = "BEGIN:STANDARD\nDTSTART:20261025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nTZNAME:CET\nEND:STANDARD"
    summer = "BEGIN:DAYLIGHT\nDTSTART:20270328T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nTZNAME:CEST\nEND:DAYLIGHT"
    assert winter in text
    assert summer in text
    assert text.count("DTSTART") == 3  # what held before comes first


@pytest.mark.parametrize("name", ["Africa/Casablanca", "Africa/Cairo", "Asia/Riyadh", "Australia/Lord_Howe", "UTC"])
def test_what_a_calendar_tells_of_a_zone_is_what_holds_in_it(name: str) -> None:
    zone = find_zone(name)
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    observances = _read_zone(zone_lines(zone, first, last))
    for day in range(0, 730, 3):
        moment = first + timedelta(days=day, minutes=37)
        told = [offset for since, offset in observances if since <= moment][-1]
        assert timedelta(seconds=told) == moment.astimezone(zone).utcoffset()


def _read_zone(lines: list[str]) -> list[tuple[datetime, int]]:
    found: list[tuple[datetime, int]] = []
    blocks = "\n".join(lines).split("BEGIN:")
    parts = [dict(line.split(":", 1) for line in block.splitlines() if ":" in line) for block in blocks]
    for part in parts:
        if "DTSTART" in part:
            seconds = [_seconds(part[name]) for name in ("TZOFFSETFROM", "TZOFFSETTO")]
            local = datetime.strptime(part["DTSTART"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            found.append((local - timedelta(seconds=seconds[0]), seconds[1]))
    return found


def _seconds(offset: str) -> int:
    sign = -1 if offset[0] == "-" else 1
    return sign * (int(offset[1:3]) * 3600 + int(offset[3:5]) * 60)


NO_ZONES = ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "africa/cairo\0", "A" * 5000]


@pytest.mark.parametrize("name", NO_ZONES)
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(ZoneError, match="no time zone"):
        find_zone(name)


@pytest.mark.parametrize(("seconds", "text"), [(0, "+0000"), (7200, "+0200"), (-12600, "-0330"), (7509, "+020509")])
def test_offsets(seconds: int, text: str) -> None:
    assert offset_value(seconds) == text


@given(st.text())
def test_folded_lines_are_short_and_unfold(text: str) -> None:
    value = text_value(text)
    assert "\n" not in value
    assert "\r" not in value
    folded = fold(f"SUMMARY:{value}")
    pieces = folded.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(piece) <= LINE_OCTETS_MAX for piece in pieces)
    for piece in pieces:
        piece.decode()  # no character is cut
    assert folded.replace(b"\r\n ", b"") == f"SUMMARY:{value}\r\n".encode()
