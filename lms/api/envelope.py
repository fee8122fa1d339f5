"""The one shape of every JSON answer: {success, data, meta, error}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from lms.api.languages import Language
from lms.api.problems import BAD_FIELD, ProblemError
from webapi.openapi import Reply, Schema
from webapi.read import shorten
from webapi.shapes import Answer


class Meta(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """What is said beside the answer."""

    request_id: str
    """Also the header `X-Request-Id`; name it when you report a fault."""
    next: str | None = None
    """Of a list: the `cursor` of the next page; absent on the last."""
    version: int | None = None
    """Of something that can be changed: for `If-Match`; also the header `ETag`."""
    repeated: bool = False
    """Whether this is the answer of an earlier request with the same Idempotency-Key."""


class Details(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """What exactly was wrong."""

    field: str | None = None
    """Where in the request, e.g. `address.city`."""
    value: Any = None
    """What stood there, shortened."""
    rule: str | None = None
    """Which rule it broke: `unknown`, `required`, `type`, `choice`, `length`, `range`, `pattern`, `unique` ..."""
    expected: str | None = None
    """What should have stood there."""
    more: dict[str, Any] | None = None
    """Whatever else a program needs to know."""


class Error(Answer, frozen=True, kw_only=True):
    """Why a request was refused; it changed nothing."""

    code: str
    """For programs; never renamed."""
    message: str
    """A sentence for people, in the language of the account, else of `Accept-Language`: English or Arabic."""
    details: Details


class Refused(Answer, frozen=True, kw_only=True):
    """The body of every answer with a status of 400 or more."""

    success: Literal[False]
    data: None
    meta: Meta
    error: Error


def encode_success(body: Any, meta: Meta) -> bytes:
    """Return the JSON of an answer."""
    return msgspec.json.encode({"success": True, "data": body, "meta": meta, "error": None})


def refused(problem: ProblemError, language: Language, request_id: str) -> Refused:
    """Return the body of a refusal, in a language."""
    expected = None if problem.expected is None else problem.expected.text(language)
    value = shorten(problem.value)
    words: Mapping[str, Any] = {
        **problem.words,
        "field": problem.field or "",
        "value": msgspec.json.encode(value).decode() if problem.problem is BAD_FIELD else value,
        "expected": expected or "",
    }
    shown = {name: each for name, each in problem.words.items() if isinstance(each, int | float | bool | dict)}
    return Refused(
        success=False,
        data=None,
        meta=Meta(request_id=request_id),
        error=Error(
            code=problem.problem.code,
            message=problem.problem.text(language, words),
            details=Details(field=problem.field, value=value, rule=problem.rule, expected=expected, more=shown or None),
        ),
    )


def wrap(schema: Schema, _reply: Reply) -> Schema:
    """Return the schema of an answer whose `data` has this one."""
    return {
        "type": "object",
        "required": ["success", "data", "meta", "error"],
        "properties": {
            "success": {"const": True},
            "data": schema,
            "meta": {"$ref": "#/components/schemas/Meta"},
            "error": {"type": "null"},
        },
    }
