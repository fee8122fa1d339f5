"""Reading of requests as in every service here (`webapi.read`), with the refusals of this API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from control_api.rest.problems import Problem, ProblemError
from webapi import read
from webapi.read import DEPTH_MAX, VALUE_CHARACTERS_MAX, Fault, UnreadableError, deeper_than, shorten
from webapi.shapes import Request

__all__ = ["DEPTH_MAX", "VALUE_CHARACTERS_MAX", "convert", "deeper_than", "read_body", "read_texts", "shorten"]

RequestT = TypeVar("RequestT", bound=Request)

_PROBLEMS: Final = {Fault.JSON: Problem.BAD_JSON, Fault.FIELD: Problem.BAD_FIELD}


def read_body(content: bytes, shape: type[RequestT]) -> RequestT:
    """Return the body; raises ProblemError (`bad_json`, `bad_field`)."""
    try:
        return read.read_body(content, shape)
    except UnreadableError as error:
        raise _refusal(error) from None


def read_texts(pairs: Iterable[tuple[str, str]], shape: type[RequestT]) -> RequestT:
    """Return parameters of a path or a query; raises ProblemError (`bad_field`)."""
    try:
        return read.read_texts(pairs, shape)
    except UnreadableError as error:
        raise _refusal(error) from None


def convert(value: Any, shape: type[RequestT], *, strict: bool) -> RequestT:
    """Return plain values as a struct; raises ProblemError (`bad_field`). Not `strict`: texts may stand for numbers."""
    try:
        return read.convert(value, shape, strict=strict)
    except UnreadableError as error:
        raise _refusal(error) from None


def _refusal(error: UnreadableError) -> ProblemError:
    problem = _PROBLEMS[error.fault]
    return ProblemError(problem, error.message, field=error.field, value=error.value, expected=error.expected)
