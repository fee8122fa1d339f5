"""An endpoint as a value: address, scope, parameters, body, answers and what it does. Everything else follows from it.

    class RoomPath(Request):
        room: RoomText

    Endpoint(
        operation="get_room",
        method="GET",
        path="/v1/rooms/{room}",
        summary="Look at a room",
        tag="Rooms",
        scope=Scope.ROOMS_READ,
        parameters=RoomPath,                        # in the path; names and {placeholders} are the same
        answers={200: Reply("The room.", Room)},
        problems=(Problem.NO_SUCH_ROOM,),           # beside those that every such endpoint may meet
        run=self.get,                               # async (Call[RoomPath, Nothing, Nothing]) -> Result
    )

`run` gets checked structs and returns a `Result`; it raises ProblemError, or RequestError of a room. An endpoint
without `run` is served elsewhere, and described only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from aiohttp import web

from control_api.contract.scopes import Scope
from control_api.contract.shapes import Answer, Request
from control_api.rest.authority import Caller
from control_api.rest.problems import Problem
from webapi.openapi import JSON, Reply
from webapi.shapes import Nothing

__all__ = ["JSON", "NOTHING", "AnyEndpoint", "Call", "Endpoint", "Method", "Nothing", "Reply", "Result"]

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

BODY_BYTES_MAX: Final = 64 * 1024
"""Of a body; the largest that make sense are messages (16 KiB) and metadata (16 KiB)."""


NOTHING: Final = Nothing()

PathT = TypeVar("PathT", bound=Request)
QueryT = TypeVar("QueryT", bound=Request)
BodyT = TypeVar("BodyT", bound=Request)


@dataclass(frozen=True, slots=True)
class Call(Generic[PathT, QueryT, BodyT]):
    """One request, checked."""

    path: PathT
    query: QueryT
    body: BodyT
    caller: Caller
    http: web.Request


@dataclass(frozen=True, slots=True)
class Result:
    """What `run` returns: a struct that the endpoint declares for this status, or nothing."""

    body: Answer | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[PathT, QueryT, BodyT]):
    """One method of one address."""

    operation: str
    """Unique; what generated clients call it."""
    method: Method
    path: str
    summary: str
    """One line."""
    description: str = ""
    """More, if there is more to know. Markdown."""
    tag: str
    """The chapter of the documentation."""
    scope: Scope | None
    """What the API key must be good for; None: no API key is asked for."""
    parameters: type[PathT] | None = None
    query: type[QueryT] | None = None
    body: type[BodyT] | None = None
    body_bytes_max: int = BODY_BYTES_MAX
    body_media_type: str = JSON
    """Other than JSON only where it is served elsewhere."""
    answers: Mapping[int, Reply]
    problems: tuple[Problem, ...] = ()
    idempotency_key: bool = False
    """Whether a repetition with the same Idempotency-Key gets the first answer again."""
    join_token: bool = False
    """Whether it is for people in rooms, who show the token that they join with; served elsewhere."""
    run: Callable[[Call[PathT, QueryT, BodyT]], Awaitable[Result]] | None = None


AnyEndpoint: TypeAlias = Endpoint[Any, Any, Any]
