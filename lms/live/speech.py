"""What clients may say by WebSocket: modules add their messages, each a struct with a `type` and what is done on it.

    speech.on("community:typing", Typing, say_typing)   # async (Conversation, Typing) -> result of the `ack`, or None

A message with an `id` is answered by `ack` or `error` with `re`; one without is answered only if it is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lms.api.caller import Caller
from lms.api.envelope import refused
from lms.api.languages import Language
from lms.api.phrases import Phrase, expectation
from lms.api.problems import BAD_JSON, CONFLICT, UNAVAILABLE, ProblemError, bad_field
from lms.api.serve import explain
from lms.live.connection import Connection
from lms.live.events import Refusal
from webapi.read import UnreadableError, convert, deeper_than
from webapi.shapes import Request

DEPTH_MAX: Final = 8
REQUEST_ID_MAX: Final = 1 << 53

RequestId = Annotated[int, Meta(ge=0, le=REQUEST_ID_MAX)]


class Spoken(Request, frozen=True, kw_only=True):
    """What every message of a client may have."""

    id: RequestId | None = None
    """Chosen by the client; the answer has it as `re`."""


SpokenT = TypeVar("SpokenT", bound=Spoken)


@dataclass(slots=True)
class Conversation:
    """A connection whose person is known."""

    connection: Connection
    caller: Caller
    language: Language
    version: int
    """The count of logins-out that the token knows."""


Act = Callable[[Conversation, Any], Awaitable[Any]]


class Speech:
    """Everything that can be said, by its `type`."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[type[Spoken], Act]] = {}

    def on(self, type_: str, shape: type[SpokenT], act: Callable[[Conversation, SpokenT], Awaitable[Any]]) -> None:
        """Have a function called on messages of a type."""
        assert type_ not in self._known, f"{type_} is somebody else's"
        self._known[type_] = (shape, act)

    @property
    def types(self) -> dict[str, type[Spoken]]:
        """Every type, with its struct."""
        return {type_: shape for type_, (shape, _) in self._known.items()}

    def read(self, frame: bytes) -> tuple[str, Spoken, Act]:
        """Return what a frame says; raises ProblemError."""
        type_, value = split(frame)
        known = self._known.get(type_)
        if known is None:
            raise bad_field("type", type_, expectation(f"one of {', '.join(sorted(self._known))}"), "choice")
        return type_, read_as(value, known[0]), known[1]


def split(frame: bytes) -> tuple[str, dict[str, Any]]:
    """Return the type of a message, and its other fields; raises ProblemError."""
    try:
        value = msgspec.json.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ProblemError(BAD_JSON, rule="json") from None
    if not isinstance(value, dict) or deeper_than(value, DEPTH_MAX):
        raise ProblemError(BAD_JSON, rule="json")
    type_ = value.pop("type", None)
    if not isinstance(type_, str):
        raise bad_field("type", type_, Phrase("a text", "نص"), "required")
    return type_, value


def read_as(value: dict[str, Any], shape: type[SpokenT]) -> SpokenT:
    """Return the fields of a message as its struct; raises ProblemError."""
    try:
        return convert(value, shape, strict=True)
    except UnreadableError as error:
        raise explain(error) from None


def request_id_of(frame: bytes) -> int | None:
    """Return the `id` of a message that may be wrong otherwise."""
    try:
        value = msgspec.json.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    found = value.get("id") if isinstance(value, dict) else None
    return found if type(found) is int and 0 <= found <= REQUEST_ID_MAX else None


def refusal_of(problem: ProblemError, language: Language, re: int | None) -> Refusal:
    """Return a refusal as it is told."""
    error = refused(problem, language, "").error
    details = msgspec.to_builtins(error.details)
    return Refusal(re=re, code=error.code, message=error.message, details=details or None)


def problem_of(error: Exception) -> ProblemError | None:
    """Return what a fault of the database is for a client; None if it is a fault of ours."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, PoolTimeoutError | OperationalError):
        return ProblemError(UNAVAILABLE)
    if isinstance(error, IntegrityError):
        return ProblemError(CONFLICT)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return ProblemError(UNAVAILABLE)
    return None
