"""When series meet: days of rules, and one hour on the wall through changes of the clock."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.classes.recurrence import (
    HORIZON,
    OCCURRENCES_MAX,
    Frequency,
    Recurrence,
    RuleError,
    Weekday,
    occurrences,
    to_utc,
)
from lms.classes.rule_text import RULE_LENGTH_MAX, build_rule, parse_rule

CAIRO = ZoneInfo("Africa/Cairo")
BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str) -> datetime:
    """Return a time on the wall, without a zone."""
    return datetime.fromisoformat(text)


def days(rule: str, start: str, zone: ZoneInfo = CAIRO, without: frozenset[date] = frozenset()) -> list[str]:
    found = occurrences(parse_rule(rule), local(f"{start}T09:00"), zone, without=without)
    assert all(each.astimezone(zone).hour == 9 for each in found)
    return [each.astimezone(zone).date().isoformat() for each in found]


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", "2026-12-30", ["2026-12-30", "2026-12-31", "2027-01-01"]),
        (
            "FREQ=DAILY;INTERVAL=2;UNTIL=20260305",
            "2026-02-27",
            ["2026-02-27", "2026-03-01", "2026-03-03", "2026-03-05"],
        ),
        ("FREQ=DAILY;BYDAY=SU,MO;COUNT=3", "2026-11-21", ["2026-11-22", "2026-11-23", "2026-11-29"]),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-24", ["2026-11-24", "2026-12-01"]),
        (
            "FREQ=WEEKLY;BYDAY=TU,SU;COUNT=4;WKST=SU",
            "2026-11-22",
            ["2026-11-22", "2026-11-24", "2026-11-29", "2026-12-01"],
        ),
        # RFC 5545 section 3.3.10 shows that WKST decides here, on 5 August 1997.
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05",
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05",
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
        ),
        ("FREQ=MONTHLY;COUNT=3", "2026-01-31", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2027-01-05", ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("FREQ=MONTHLY;BYDAY=1SU,-1TH;COUNT=4", "2026-11-01", ["2026-11-01", "2026-11-26", "2026-12-06", "2026-12-31"]),
        ("FREQ=MONTHLY;BYDAY=5MO;COUNT=2", "2026-11-01", ["2026-11-30", "2027-03-29"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "2026-10-01", ["2026-10-30", "2026-11-30"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=2", "2026-01-01", ["2026-02-13", "2026-03-13"]),
        ("FREQ=MONTHLY;BYMONTH=9,10;BYMONTHDAY=1;COUNT=3", "2026-09-02", ["2026-10-01", "2027-09-01", "2027-10-01"]),
        ("FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2;COUNT=1", "2026-01-01", []),  # never, and it ends
    ],
)
def test_days_that_a_rule_meets(rule: str, start: str, expected: list[str]) -> None:
    assert days(rule, start) == expected


def test_holidays_are_left_out_and_count() -> None:
    rule = "FREQ=WEEKLY;COUNT=3"
    assert days(rule, "2026-11-24", without=frozenset({date(2026, 12, 1)})) == ["2026-11-24", "2026-12-08"]


def test_nine_o_clock_stays_nine_o_clock() -> None:
    rule = parse_rule("FREQ=WEEKLY;COUNT=3")
    spring = occurrences(rule, local("2027-03-21T09:00"), BERLIN)
    assert [each.hour for each in spring] == [8, 7, 7]
    autumn = occurrences(rule, local("2026-10-18T09:00"), BERLIN)
    assert [each.hour for each in autumn] == [7, 8, 8]


def test_an_hour_that_does_not_come_and_one_that_comes_twice() -> None:
    # RFC 5545 section 3.3.5: the offset before the change, and the first of the two.
    assert to_utc(local("2027-03-28T02:30"), BERLIN) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert to_utc(local("2026-10-25T02:30"), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_until_is_a_moment_in_utc_or_a_local_day() -> None:
    assert days("FREQ=DAILY;UNTIL=20261123T070000Z", "2026-11-22") == ["2026-11-22", "2026-11-23"]
    assert days("FREQ=DAILY;UNTIL=20261123T065959Z", "2026-11-22") == ["2026-11-22"]
    assert days("FREQ=DAILY;UNTIL=20261123", "2026-11-22") == ["2026-11-22", "2026-11-23"]


def test_too_many_classes_are_refused() -> None:
    with pytest.raises(RuleError, match="more than 400 days"):
        days("FREQ=DAILY;UNTIL=20290101", "2026-11-22")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no part of a rule"),
        ("FREQ=WEEKLY", "neither COUNT nor UNTIL"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20270101", "or both"),
        ("FREQ=YEARLY;COUNT=3", "expected DAILY, WEEKLY or MONTHLY"),
        ("COUNT=3", "expected DAILY, WEEKLY or MONTHLY"),
        ("FREQ=DAILY;FREQ=DAILY;COUNT=1", "twice"),
        ("FREQ=DAILY;COUNT=0", "COUNT holds '0'"),
        ("FREQ=DAILY;COUNT=-3", "COUNT holds '-3'"),
        ("FREQ=DAILY;COUNT=401", "from 1 to 400"),
        ("FREQ=DAILY;COUNT=٣", "COUNT holds"),
        ("FREQ=DAILY;COUNT=1;INTERVAL=100", "from 1 to 99"),
        ("FREQ=DAILY;UNTIL=20260230", "no day that exists"),
        ("FREQ=DAILY;UNTIL=2026-02-03", "expected e.g."),
        ("FREQ=DAILY;COUNT=1;BYHOUR=9", "no part of a rule"),
        ("FREQ=WEEKLY;COUNT=1;BYDAY=1SU", "belongs to FREQ=MONTHLY"),
        ("FREQ=WEEKLY;COUNT=1;BYDAY=XX", "BYDAY holds 'XX'"),
        ("FREQ=WEEKLY;COUNT=1;BYMONTHDAY=1", "does not go with"),
        ("FREQ=MONTHLY;COUNT=1;BYMONTHDAY=0", "not 0"),
        ("FREQ=MONTHLY;COUNT=1;BYMONTHDAY=32", "from -31 to 31"),
        ("FREQ=MONTHLY;COUNT=1;BYSETPOS=1", "BYSETPOS picks"),
        ("FREQ=WEEKLY;COUNT=1;BYDAY=MO,TU;BYSETPOS=1", "BYSETPOS belongs to"),
        ("FREQ=DAILY;COUNT=1;WKST=XX", "WKST=XX"),
        ("FREQ=DAILY;COUNT=" + "1" * RULE_LENGTH_MAX, "at most 300"),
    ],
)
def test_rules_that_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(RuleError, match=complaint):
        parse_rule(text)


@given(st.text(alphabet="FREQ=DAILYWKMONTH;COUNTUNTIL0123456789,-BYSTP:Z ", max_size=60) | st.text(max_size=60))
def test_any_text_is_a_rule_or_a_rule_error(text: str) -> None:
    with contextlib.suppress(RuleError):
        parse_rule(text)


@st.composite
def rules(draw: st.DrawFn) -> Recurrence:
    frequency = draw(st.sampled_from(Frequency))
    monthly = frequency is Frequency.MONTHLY
    ordinals = st.none() | st.sampled_from([-5, -2, -1, 1, 2, 5]) if monthly else st.none()
    weekdays = draw(st.lists(st.builds(Weekday, st.integers(0, 6), ordinals), unique=True, max_size=4))
    of_month = st.integers(-31, 31).filter(bool)
    month_days = draw(st.lists(of_month, unique=True, max_size=3)) if frequency is not Frequency.WEEKLY else []
    picks = st.lists(st.integers(-3, 3).filter(bool), unique=True, max_size=2)
    return Recurrence(
        frequency=frequency,
        interval=draw(st.integers(1, 4)),
        count=draw(st.integers(1, 60)),
        weekdays=tuple(weekdays),
        month_days=tuple(month_days),
        months=tuple(draw(st.lists(st.integers(1, 12), unique=True, max_size=4))),
        positions=tuple(draw(picks)) if monthly and (weekdays or month_days) else (),
        week_start=draw(st.integers(0, 6)),
    )


starts = st.datetimes(local("2026-01-01T00:00"), local("2027-12-31T00:00")).map(
    lambda each: each.replace(microsecond=0)
)
zones = st.sampled_from(["UTC", "Africa/Cairo", "Africa/Casablanca", "Europe/Berlin", "Asia/Kathmandu"])


@given(rules())
def test_a_rule_survives_its_text(rule: Recurrence) -> None:
    assert parse_rule(build_rule(rule)) == rule


@given(rules(), starts, zones)
def test_occurrences_rise_and_keep_the_hour(rule: Recurrence, start: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    found = occurrences(rule, start, zone)
    assert list(found) == sorted(set(found))
    assert len(found) <= min(rule.count or OCCURRENCES_MAX, OCCURRENCES_MAX)
    for each in found:
        on_wall = each.astimezone(zone).replace(tzinfo=None)
        assert start <= on_wall + timedelta(hours=1)
        assert on_wall.date() <= (start + HORIZON).date() + timedelta(days=1)
        missing = on_wall - datetime.combine(on_wall.date(), start.time())
        assert on_wall.time() == start.time() or missing in {timedelta(hours=1), timedelta(hours=-23)}


@given(rules(), starts)
def test_days_off_only_take_away(rule: Recurrence, start: datetime) -> None:
    whole = occurrences(rule, start, CAIRO)
    off = frozenset(each.astimezone(CAIRO).date() for each in whole[::2])
    assert set(occurrences(rule, start, CAIRO, without=off)) <= set(whole)
