"""Every way in which the LMS refuses, as values: code, HTTP status and a sentence in each language.

A module keeps its own in `problems.py`, made with `Problem(...)`; the sentences may name {field}, {value}, {expected}
and whatever else the error was raised with, the same in both languages (a test looks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lms.api.languages import Language
from lms.api.phrases import Phrase


@dataclass(frozen=True, slots=True)
class Problem:
    """One way of refusing. The code is part of the interface and never renamed."""

    code: str
    status: int
    english: str
    arabic: str

    def text(self, language: Language, words: Mapping[str, Any]) -> str:
        """Return the sentence in a language; a word that is not given leaves its place empty."""
        template = self.arabic if language is Language.ARABIC else self.english
        said = {name: each.text(language) if isinstance(each, Phrase) else each for name, each in words.items()}
        return template.format_map(_Words(said))


class _Words(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


class ProblemError(Exception):
    """A request that is refused; it changed nothing."""

    def __init__(
        self,
        problem: Problem,
        *,
        field: str | None = None,
        value: Any = None,
        rule: str | None = None,
        expected: Phrase | None = None,
        headers: Mapping[Any, str] | None = None,
        **words: Phrase | float | Mapping[str, Any],
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.field = None if field is None else str(field)  # names of headers are a kind of text of their own
        self.value = value
        self.rule = rule
        """Which rule the value broke: `required`, `length`, `range`, `pattern`, `unique`, `order` ..."""
        self.expected = expected
        self.headers = dict(headers or {})
        self.words = words


BAD_JSON: Final = Problem(
    "bad_json",
    400,
    "The body is no JSON in UTF-8, or is nested too deeply.",
    "نص الطلب ليس JSON بترميز UTF-8، أو أن تداخله عميق جدًا.",
)
BROKEN_BODY: Final = Problem(
    "broken_body",
    400,
    "The body is not packed as its Content-Encoding says.",
    "نص الطلب ليس مضغوطًا كما يذكر Content-Encoding.",
)
BAD_FIELD: Final = Problem(
    "bad_field",
    400,
    "{field} is {value}, expected {expected}.",
    "قيمة {field} هي {value}، والمتوقع {expected}.",
)
MISSING_FIELD: Final = Problem("bad_field", 400, "{field} is missing.", "الحقل {field} مطلوب.")
UNKNOWN_FIELD: Final = Problem("bad_field", 400, "{field} is not known here.", "الحقل {field} غير معروف هنا.")
REPEATED_FIELD: Final = Problem("bad_field", 400, "{field} is given more than once.", "تكرر الحقل {field}.")
BAD_CURSOR: Final = Problem("bad_cursor", 400, "The cursor is not one of this list.", "مؤشر الصفحة لا يخص هذه القائمة.")
NOT_SIGNED_IN: Final = Problem("not_signed_in", 401, "Log in first.", "سجّل الدخول أولًا.")
BAD_TOKEN: Final = Problem(
    "bad_token", 401, "The access token is wrong or no longer holds.", "رمز الدخول غير صحيح أو انتهت صلاحيته."
)
FORBIDDEN: Final = Problem("forbidden", 403, "You may not do this.", "ليست لديك صلاحية لهذا الإجراء.")
FOREIGN_ORIGIN: Final = Problem(
    "foreign_origin",
    403,
    "This page may not act in your name; see cors.origins.",
    "لا يُسمح لهذه الصفحة بالتصرف باسمك؛ راجع cors.origins.",
)
NOT_FOUND: Final = Problem("not_found", 404, "There is no such {what}.", "غير موجود: {what}.")
BODY_TIMEOUT: Final = Problem(
    "body_timeout", 408, "The body did not arrive in time.", "لم يصل نص الطلب في الوقت المحدد."
)
CONFLICT: Final = Problem("conflict", 409, "What is there now does not allow it.", "الحالة الحالية لا تسمح بذلك.")
ALREADY_TAKEN: Final = Problem(
    "already_taken", 409, "{field} {value} is taken already.", "قيمة {field} {value} مستخدمة من قبل."
)
VERSION_CONFLICT: Final = Problem(
    "version_conflict",
    409,
    "It was changed meanwhile: version {current} is there, {value} was expected.",
    "جرى تعديله في هذه الأثناء: النسخة الحالية {current} والمتوقعة {value}.",
)
TOO_LARGE: Final = Problem(
    "too_large", 413, "The body is larger than {expected} bytes.", "حجم الطلب أكبر من {expected} بايت."
)
WRONG_CONTENT_TYPE: Final = Problem(
    "wrong_content_type", 415, "The body must be {expected}.", "يجب أن يكون نوع المحتوى {expected}."
)
KEY_REUSED: Final = Problem(
    "idempotency_key_reused",
    422,
    "This Idempotency-Key came before with another request.",
    "استُخدم مفتاح Idempotency-Key هذا سابقًا مع طلب آخر.",
)
QUOTA_EXCEEDED: Final = Problem(
    "quota_exceeded",
    422,
    "The organization's quota of {what} is used up: {value}.",
    "استُنفدت حصة المؤسسة من {what}: {value}.",
)
VERSION_REQUIRED: Final = Problem(
    "version_required",
    428,
    "Say which version you change: If-Match with the version.",
    "حدد النسخة التي تعدلها في ترويسة If-Match.",
)
RATE_LIMITED: Final = Problem(
    "rate_limited",
    429,
    "Too many requests; try again in {wait_s} s.",
    "طلبات كثيرة جدًا؛ أعد المحاولة بعد {wait_s} ثانية.",
)
INTERNAL: Final = Problem(
    "internal", 500, "The server failed on this request; its log says why.", "تعذّر على الخادم تنفيذ الطلب."
)
UNAVAILABLE: Final = Problem(
    "unavailable", 503, "The database is busy or away; try again soon.", "قاعدة البيانات مشغولة؛ أعد المحاولة بعد قليل."
)


def not_found(what: Phrase) -> ProblemError:
    """Return the refusal for something that is not there, or that is another organization's: the two look alike."""
    return ProblemError(NOT_FOUND, what=what)


def bad_field(field: str, value: Any, expected: Phrase, rule: str = "form") -> ProblemError:
    """Return the refusal of one field's value."""
    return ProblemError(BAD_FIELD, field=field, value=value, expected=expected, rule=rule)
