"""Every way in which the control API refuses: one table of codes, HTTP status and meaning."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

from media.errors import RemoteError
from signaling.codes import ErrorCode
from signaling.errors import RequestError


class Problem(enum.Enum):
    """(code, HTTP status, meaning). Codes are part of the interface, never renamed."""

    BAD_JSON = ("bad_json", 400, "The body is no JSON in UTF-8, or is nested too deeply.")
    BAD_FIELD = ("bad_field", 400, "A parameter or a field is unknown, missing or wrong; `field` says which.")
    NO_KEY = ("no_key", 401, "There is no API key in the request.")
    BAD_KEY = ("bad_key", 401, "The API key or its secret is wrong.")
    MISSING_SCOPE = ("missing_scope", 403, "The API key may not be used for this.")
    ROOM_NOT_ALLOWED = ("room_not_allowed", 403, "The API key is for other rooms.")
    NO_SUCH_ROOM = ("no_such_room", 404, "There is no room of that name now.")
    NO_SUCH_PARTICIPANT = ("no_such_participant", 404, "Nobody in the room has that id.")
    NO_SUCH_TRACK = ("no_such_track", 404, "No track in the room has that id.")
    NO_SUCH_KEY = ("no_such_key", 404, "There is no such API key, or it may do more than the key that asks.")
    NO_SUCH_WEBHOOK = ("no_such_webhook", 404, "There is no webhook of that name.")
    ROOM_EXISTS = ("room_exists", 409, "There is a room of that name already.")
    CONFLICT = ("conflict", 409, "What is there now does not allow it.")
    RECORDING_UNAVAILABLE = ("recording_unavailable", 409, "This server has no recorder.")
    IN_PROGRESS = ("in_progress", 409, "A request with this Idempotency-Key is being worked on.")
    BROKEN_BODY = ("broken_body", 400, "The body is not packed as its Content-Encoding says.")
    BODY_TIMEOUT = ("body_timeout", 408, "The body did not arrive in time.")
    TOO_LARGE = ("too_large", 413, "The body, or a value in it, is larger than is taken.")
    WRONG_CONTENT_TYPE = ("wrong_content_type", 415, "The body must be application/json.")
    KEY_REUSED = ("idempotency_key_reused", 422, "This Idempotency-Key came before with another request.")
    RATE_LIMITED = ("rate_limited", 429, "Too many requests; `Retry-After` says when to ask again, in seconds.")
    TOO_MANY = ("too_many", 429, "There is no place for more now.")
    DRAINING = ("draining", 503, "The server is about to go and makes no new rooms.")
    SHUTTING_DOWN = ("shutting_down", 503, "The server takes nothing new: it is about to end.")

    @property
    def code(self) -> str:
        """What programs look at."""
        return self.value[0]

    @property
    def status(self) -> int:
        return self.value[1]

    @property
    def meaning(self) -> str:
        return self.value[2]


class ProblemError(RemoteError):
    """A request that is refused; it changed nothing."""

    def __init__(
        self,
        problem: Problem,
        message: str = "",
        *,
        field: str | None = None,
        value: Any = None,
        expected: str | None = None,
        headers: Mapping[Any, str] | None = None,
    ) -> None:
        """Without a `message` the meaning of the problem is told."""
        super().__init__(message or problem.meaning)
        self.problem = problem
        self.message = message or problem.meaning
        self.field = field
        self.value = value
        self.expected = expected
        self.headers = dict(headers or {})


OF_ROOM: Final = {
    ErrorCode.UNKNOWN_PARTICIPANT: Problem.NO_SUCH_PARTICIPANT,
    ErrorCode.UNKNOWN_TRACK: Problem.NO_SUCH_TRACK,
    ErrorCode.RECORDING_UNAVAILABLE: Problem.RECORDING_UNAVAILABLE,
    ErrorCode.TOO_LARGE: Problem.TOO_LARGE,
    ErrorCode.DRAINING: Problem.DRAINING,
    ErrorCode.SHUTTING_DOWN: Problem.SHUTTING_DOWN,
}
"""What a room refuses; anything else is a `conflict`: the request was understood, the room does not allow it."""


def problem_of(error: RequestError) -> ProblemError:
    """Return what a room said as an answer of this API."""
    return ProblemError(OF_ROOM.get(error.code, Problem.CONFLICT), error.message)
