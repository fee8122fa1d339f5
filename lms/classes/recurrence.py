"""When a series meets: days by a rule of RFC 5545 section 3.3.10, at one hour of the clock on the wall. Pure.

    rule = parse_rule("FREQ=WEEKLY;BYDAY=SU,TU;UNTIL=20270531")
    starts = occurrences(rule, datetime(2026, 11, 22, 9, 0), ZoneInfo("Africa/Cairo"))

9:00 stays 9:00 when summer time begins: days are counted on the local calendar, and each becomes UTC by itself. What is
taken of RFC 5545: DAILY, WEEKLY and MONTHLY with INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS and WKST.
A rule must end, by COUNT or UNTIL: every class of it becomes a row that can be moved and cancelled by itself.
"""

from __future__ import annotations

import calendar
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from lms.api.phrases import Phrase

OCCURRENCES_MAX: Final = 400
"""A class on every day of a school year."""

HORIZON: Final = timedelta(days=3 * 366)
"""So far from the start a rule is followed: one that meets nothing (30 February) ends, too."""


class Frequency(enum.Enum):
    """What is repeated."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class RuleError(ValueError):
    """A rule that is wrong, or that we do not follow; the message says what was expected."""

    def __init__(self, english: str, arabic: str) -> None:
        super().__init__(english)
        self.phrase = Phrase(english, arabic)


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week, 0 Monday to 6 Sunday; in months `ordinal` -5..5 picks one of them, -1 the last."""

    day: int
    ordinal: int | None = None


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule, checked: `lms.classes.rule_text` reads and writes it."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | date | None = None
    """The last moment (UTC) or the last day (on the local calendar) that may be met."""
    weekdays: tuple[Weekday, ...] = ()
    month_days: tuple[int, ...] = ()
    """1..31, or -31..-1 from the end of the month."""
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    """Which of the days of one month: 1 the first, -1 the last."""
    week_start: int = 0


def occurrences(
    rule: Recurrence, start: datetime, zone: tzinfo, *, without: frozenset[date] = frozenset()
) -> tuple[datetime, ...]:
    """Return when a series meets, in UTC, rising.

    `start` is a local time without a zone; the first class is the first day from it on that the rule meets. Days of
    `without` (holidays) count for COUNT and are left out. Raises RuleError for more than OCCURRENCES_MAX.
    """
    assert start.tzinfo is None, f"{start} has a time zone, expected local time"
    found: list[datetime] = []
    for counted, day in enumerate(_days(rule, start.date()), start=1):
        moment = to_utc(datetime.combine(day, start.time()), zone)
        if _is_past(rule, day, moment):
            break
        if day not in without:
            found.append(moment)
        if len(found) > OCCURRENCES_MAX:
            raise RuleError(
                f"the rule meets on more than {OCCURRENCES_MAX} days, expected an earlier end",
                f"توافق القاعدة أكثر من {OCCURRENCES_MAX} يومًا، والمتوقع نهاية أقرب",
            )
        if counted == rule.count:
            break
    return tuple(found)


def to_utc(local: datetime, zone: tzinfo) -> datetime:
    """Return a local time in UTC as RFC 5545 section 3.3.5 has it.

    Of an hour that comes twice the first is meant; one that does not come is taken by the offset before the change.
    """
    assert local.tzinfo is None, f"{local} has a time zone, expected local time"
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _is_past(rule: Recurrence, day: date, moment: datetime) -> bool:
    match rule.until:
        case None:
            return False
        case datetime() as last:
            return moment > last
        case last_day:
            return day > last_day


def _days(rule: Recurrence, start: date) -> Iterator[date]:
    """Yield the days that a rule meets from a day on, until the horizon."""
    last = start + HORIZON
    for period in _periods(rule, start, last):
        days = [day for day in period if _fits(rule, day)]
        if rule.positions:
            picked = {position - 1 if position > 0 else position for position in rule.positions}
            days = sorted({days[index] for index in picked if -len(days) <= index < len(days)})
        yield from (day for day in days if start <= day <= last)


def _periods(rule: Recurrence, start: date, last: date) -> Iterator[list[date]]:
    """Yield the days that are thought of in each day, week or month."""
    match rule.frequency:
        case Frequency.DAILY:
            day = start
            while day <= last:
                yield [day]
                day += timedelta(days=rule.interval)
        case Frequency.WEEKLY:
            wanted = {each.day for each in rule.weekdays} or {start.weekday()}
            monday = start - timedelta(days=(start.weekday() - rule.week_start) % 7)
            while monday <= last:
                week = (monday + timedelta(days=index) for index in range(7))
                yield [day for day in week if day.weekday() in wanted]
                monday += timedelta(weeks=rule.interval)
        case Frequency.MONTHLY:
            year, month = start.year, start.month
            while date(year, month, 1) <= last:
                yield _days_of_month(rule, year, month, start)
                year, month = year + (month - 1 + rule.interval) // 12, (month - 1 + rule.interval) % 12 + 1


def _days_of_month(rule: Recurrence, year: int, month: int, start: date) -> list[date]:
    length = calendar.monthrange(year, month)[1]
    whole = [date(year, month, number) for number in range(1, length + 1)]
    if not rule.weekdays and not rule.month_days:
        return [day for day in whole if day.day == start.day]
    if not rule.weekdays:
        return whole
    met: set[date] = set()
    for each in rule.weekdays:
        days = [day for day in whole if day.weekday() == each.day]
        if each.ordinal is None:
            met.update(days)
        else:
            index = each.ordinal - 1 if each.ordinal > 0 else each.ordinal
            met.update(days[index : index + 1 or None])
    return sorted(met)


def _fits(rule: Recurrence, day: date) -> bool:
    """Return whether the parts of a rule that only leave out leave a day in."""
    if rule.months and day.month not in rule.months:
        return False
    if rule.frequency is Frequency.DAILY and rule.weekdays and day.weekday() not in {w.day for w in rule.weekdays}:
        return False
    if rule.month_days:
        length = calendar.monthrange(day.year, day.month)[1]
        return bool({day.day, day.day - length - 1} & set(rule.month_days))
    return True
