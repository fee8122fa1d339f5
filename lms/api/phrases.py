"""What was expected of a value, in Arabic: the few phrases that the reader of requests makes (`webapi.read`)."""

from __future__ import annotations

import re
from typing import Final

_PHRASES: Final = (
    (re.compile(r"text of length <= (\d+)"), r"نص لا يزيد على \1 حرفًا"),
    (re.compile(r"text of length >= (\d+)"), r"نص لا يقل عن \1 حرفًا"),
    (re.compile(r"a list of length <= (\d+)"), r"قائمة لا تزيد على \1 عنصرًا"),
    (re.compile(r"a list of length >= (\d+)"), r"قائمة لا تقل عن \1 عنصرًا"),
    (re.compile(r"a(?: whole)? number <= (\S+)"), r"عدد لا يزيد على \1"),
    (re.compile(r"a(?: whole)? number >= (\S+)"), r"عدد لا يقل عن \1"),
    (re.compile(r"text matching regex (.*)"), r"نص على الصورة \1"),
    (re.compile(r"one of (.*)"), r"إحدى القيم: \1"),
    (re.compile(r"a whole number"), "عدد صحيح"),
    (re.compile(r"a number"), "عدد"),
    (re.compile(r"true or false"), "نعم أو لا"),
    (re.compile(r"a list"), "قائمة"),
    (re.compile(r"an object"), "كائن"),
    (re.compile(r"one value"), "قيمة واحدة"),
    (re.compile(r"a value"), "قيمة"),
    (re.compile(r"text"), "نص"),
    (re.compile(r"\bor null\b"), "أو لا شيء"),
)


def in_arabic(expected: str) -> str:
    """Return the phrase in Arabic, or as it was where it is none of ours."""
    for pattern, arabic in _PHRASES:
        expected = pattern.sub(arabic, expected, count=1)
    return expected
