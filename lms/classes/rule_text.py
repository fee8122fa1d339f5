"""The text of a recurrence rule: read strictly, with the reason when it is refused, and written in one form. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final, TypeVar

from lms.classes.recurrence import OCCURRENCES_MAX, Frequency, Recurrence, RuleError, Weekday

RULE_LENGTH_MAX: Final = 300
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN: Final = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"},
)
_INTERVAL_MAX: Final = 99
_ITEMS_MAX: Final = 62
_WEEKDAY: Final = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL: Final = re.compile(r"\d{8}(T\d{6}Z)?", re.ASCII)

ItemT = TypeVar("ItemT")


def parse_rule(text: str) -> Recurrence:
    """Return a rule, with or without `RRULE:` before it; raises RuleError."""
    if len(text) > RULE_LENGTH_MAX:
        raise RuleError(
            f"the rule has {len(text)} characters, expected at most {RULE_LENGTH_MAX}",
            f"القاعدة {len(text)} حرفًا، والمتوقع {RULE_LENGTH_MAX} على الأكثر",
        )
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if name not in _KNOWN or not equals or not value:
            raise RuleError(
                f"{part!r} is no part of a rule that is known here, expected NAME=VALUE with {_listed()}",
                f"{part!r} جزء غير معروف من القاعدة، والمتوقع NAME=VALUE من {_listed()}",
            )
        if name in parts:
            raise RuleError(f"{name} is there twice", f"تكرر {name}")
        parts[name] = value
    rule = Recurrence(
        frequency=_frequency(parts.get("FREQ", "")),
        interval=_number("INTERVAL", parts.get("INTERVAL", "1"), 1, _INTERVAL_MAX),
        count=_number("COUNT", parts["COUNT"], 1, OCCURRENCES_MAX) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        weekdays=_items(parts.get("BYDAY"), _weekday),
        month_days=_items(parts.get("BYMONTHDAY"), lambda item: _number("BYMONTHDAY", item, -31, 31)),
        months=_items(parts.get("BYMONTH"), lambda item: _number("BYMONTH", item, 1, 12)),
        positions=_items(parts.get("BYSETPOS"), lambda item: _number("BYSETPOS", item, -31, 31)),
        week_start=_week_start(parts.get("WKST", "MO")),
    )
    _check_together(rule)
    return rule


def build_rule(rule: Recurrence) -> str:
    """Return the text of a rule, always the same for the same rule."""
    parts = [f"FREQ={rule.frequency.value}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.until is not None:
        pattern = "%Y%m%dT%H%M%SZ" if isinstance(rule.until, datetime) else "%Y%m%d"
        parts.append(f"UNTIL={rule.until.strftime(pattern)}")
    if rule.weekdays:
        parts.append("BYDAY=" + ",".join(f"{each.ordinal or ''}{_DAYS[each.day]}" for each in rule.weekdays))
    for name, numbers in (("BYMONTHDAY", rule.month_days), ("BYMONTH", rule.months), ("BYSETPOS", rule.positions)):
        if numbers:
            parts.append(f"{name}={','.join(map(str, numbers))}")
    if rule.week_start:
        parts.append(f"WKST={_DAYS[rule.week_start]}")
    return ";".join(parts)


def _check_together(rule: Recurrence) -> None:
    if (rule.count is None) == (rule.until is None):
        raise RuleError(
            "the rule has neither COUNT nor UNTIL, or both; expected one: a series ends",
            "في القاعدة COUNT و UNTIL معًا أو ليس فيها أيهما، والمتوقع واحد: للسلسلة نهاية",
        )
    if rule.frequency is not Frequency.MONTHLY and any(each.ordinal is not None for each in rule.weekdays):
        raise RuleError(
            f"BYDAY with a number belongs to FREQ=MONTHLY, not to {rule.frequency.value}",
            f"العدد مع BYDAY يخص FREQ=MONTHLY لا {rule.frequency.value}",
        )
    if rule.frequency is Frequency.WEEKLY and rule.month_days:
        raise RuleError("BYMONTHDAY does not go with FREQ=WEEKLY", "لا يجتمع BYMONTHDAY مع FREQ=WEEKLY")
    if rule.positions and rule.frequency is not Frequency.MONTHLY:
        raise RuleError(
            f"BYSETPOS belongs to FREQ=MONTHLY, not to {rule.frequency.value}",
            f"BYSETPOS يخص FREQ=MONTHLY لا {rule.frequency.value}",
        )
    if rule.positions and not (rule.weekdays or rule.month_days):
        raise RuleError(
            "BYSETPOS picks among days of BYDAY or BYMONTHDAY, and there is neither",
            "BYSETPOS يختار من أيام BYDAY أو BYMONTHDAY، وليس هنا أي منهما",
        )


def _frequency(text: str) -> Frequency:
    try:
        return Frequency(text)
    except ValueError:
        raise RuleError(
            f"FREQ={text}, expected DAILY, WEEKLY or MONTHLY",
            f"قيمة FREQ هي {text}، والمتوقع DAILY أو WEEKLY أو MONTHLY",
        ) from None


def _number(name: str, text: str, least: int, most: int) -> int:
    try:
        number = int(text) if re.fullmatch(r"[+-]?[0-9]{1,4}", text) else None
    except ValueError:
        number = None
    if number is None or number == 0 or not least <= number <= most:
        raise RuleError(
            f"{name} holds {text!r}, expected a number from {least} to {most} (not 0)",
            f"قيمة {name} هي {text!r}، والمتوقع عدد من {least} إلى {most} (غير 0)",
        )
    return number


def _items(text: str | None, read: Callable[[str], ItemT]) -> tuple[ItemT, ...]:
    if text is None:
        return ()
    items = text.split(",")
    if len(items) > _ITEMS_MAX:
        raise RuleError(
            f"{text[:20]}... lists {len(items)} items, expected at most {_ITEMS_MAX}",
            f"في {text[:20]}... من العناصر {len(items)}، والمتوقع {_ITEMS_MAX} على الأكثر",
        )
    return tuple(dict.fromkeys(read(item) for item in items))


def _weekday(text: str) -> Weekday:
    if (found := _WEEKDAY.fullmatch(text)) is None:
        raise RuleError(
            f"BYDAY holds {text!r}, expected e.g. SU, TU or, in a month, 1SU, -1TH",
            f"قيمة BYDAY هي {text!r}، والمتوقع مثلًا SU أو TU أو في الشهر 1SU أو -1TH",
        )
    return Weekday(_DAYS.index(found[2]), int(found[1]) if found[1] else None)


def _week_start(text: str) -> int:
    if text not in _DAYS:
        days = ", ".join(_DAYS)
        raise RuleError(f"WKST={text}, expected one of {days}", f"قيمة WKST هي {text}، والمتوقع إحدى القيم: {days}")
    return _DAYS.index(text)


def _until(text: str) -> datetime | date:
    """A moment in UTC as RFC 5545 wants it, or a day, which people write: that day is still met."""
    if _UNTIL.fullmatch(text) is None:
        raise RuleError(
            f"UNTIL={text}, expected e.g. 20270531 or 20270531T215959Z",
            f"قيمة UNTIL هي {text}، والمتوقع مثلًا 20270531 أو 20270531T215959Z",
        )
    try:
        if len(text) == 8:
            return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RuleError(f"UNTIL={text} is no day that exists", f"قيمة UNTIL هي {text}، وليس هذا يومًا موجودًا") from None


def _listed() -> str:
    return ", ".join(sorted(_KNOWN))
