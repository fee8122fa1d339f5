"""Words for people in each language, and those of the reader of requests (`webapi.read`) in Arabic. Pure.

What a refusal expected, and whatever else it says beside its sentence, is a `Phrase`: so nothing is told in one
language only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lms.api.languages import Language


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words with one meaning, in each language."""

    english: str
    arabic: str

    def text(self, language: Language) -> str:
        """Return them in a language."""
        return self.arabic if language is Language.ARABIC else self.english


def same(text: object) -> Phrase:
    """Return what is written alike in both: a number, a name, a sign."""
    return Phrase(str(text), str(text))


def expectation(told: str) -> Phrase:
    """Return what the reader of requests expected, in both languages."""
    arabic = in_arabic(told)
    return Phrase(told, told if arabic is None else arabic)


def in_arabic(told: str) -> str | None:
    """Return what the reader of requests expected in Arabic; None for words that are none of its own."""
    for pattern, arabic in _WHOLE:
        if (match := pattern.fullmatch(told)) is not None:
            return match.expand(arabic)
    match = _TYPED.fullmatch(told)
    if match is None:
        return None
    kinds = " أو ".join(_KINDS[each] for each in match["kinds"].split(" or "))
    for pattern, arabic in _LIMITS:
        if (limit := pattern.fullmatch(match["limit"])) is not None:
            return kinds + limit.expand(arabic)
    return None


_WHOLE: Final = tuple(
    (re.compile(pattern, re.DOTALL), arabic)
    for pattern, arabic in (
        (r"one of the values in the documentation", "إحدى القيم المذكورة في التوثيق"),
        (r"one of (.*)", r"إحدى القيم: \1"),
        (r"a value", "قيمة"),
        (r"one value", "قيمة واحدة"),
        (r"no such field", "ألا يوجد هذا الحقل"),
        (r"a value that fits", "قيمة ضمن الحدود الممكنة"),
        (r"another form", "صيغة أخرى"),
        (r"whole numbers without a fraction", "أعداد صحيحة بلا كسور"),
        (r"(\d+) cells", r"\1 من الخلايا"),
        (r"JSON", "صيغة JSON"),
        (r"JSON, which it is not at byte (\d+)", r"صيغة JSON، وليس كذلك عند البايت \1"),
        (r"UTF-8, which a text is not at its byte (\d+)", r"ترميز UTF-8، وأحد النصوص ليس كذلك عند البايت \1"),
        (r"at most (\d+) levels", r"\1 من مستويات التداخل على الأكثر"),
    )
)
_KINDS: Final = {
    "text": "نص",
    "a whole number": "عدد صحيح",
    "a number": "عدد",
    "a decimal number": "عدد عشري",
    "true or false": "نعم أو لا (true أو false)",
    "true": "نعم (true)",
    "false": "لا (false)",
    "a list": "قائمة",
    "an object": "كائن",
    "an id (UUID)": "معرّف (UUID)",
    "a time such as 2026-11-23T08:00:00Z": "وقت مثل 2026-11-23T08:00:00Z",
    "a day such as 2026-11-23": "يوم مثل 2026-11-23",
    "an hour such as 08:00:00": "ساعة مثل 08:00:00",
    "a duration such as PT45M": "مدة مثل PT45M",
    "Base64": "ترميز Base64",
    "null": "لا شيء (null)",
}
"""Split at " or ", `true or false` is two of them."""

_KIND: Final = "|".join(map(re.escape, _KINDS))
_TYPED: Final = re.compile(rf"(?P<kinds>(?:{_KIND})(?: or (?:{_KIND}))*)(?P<limit>.*)", re.DOTALL)
_LIMITS: Final = tuple(
    (re.compile(pattern, re.DOTALL), arabic)
    for pattern, arabic in (
        (r"", ""),
        (r" of length <= (\d+)", r" بطول \1 على الأكثر"),
        (r" of length >= (\d+)", r" بطول \1 على الأقل"),
        (r" of length (\d+) to (\d+)", r" بطول من \1 إلى \2"),
        (r" of length (\d+)", r" بطول \1"),
        (r" of at least length (\d+)", r" بطول \1 على الأقل"),
        (r" of at most length (\d+)", r" بطول \1 على الأكثر"),
        (r" <= (\S+)", r" لا يزيد على \1"),
        (r" >= (\S+)", r" لا يقل عن \1"),
        (r" < (\S+)", r" أصغر من \1"),
        (r" > (\S+)", r" أكبر من \1"),
        (r" that's a multiple of (\S+)", r" من مضاعفات \1"),
        (r" matching regex (.*)", r" على الصورة \1"),
        (r" with a timezone component", " مع المنطقة الزمنية"),
    )
)
