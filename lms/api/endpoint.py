"""An endpoint of the LMS as a value: address, permission, parameters, body, answers and what it does.

    Endpoint(
        operation="get_course",
        method="GET",
        path="/api/v1/courses/{course_id}",
        summary="Look at a course",
        tag="Courses",
        access=Permission.COURSES_READ,
        parameters=CoursePath,                      # names and {placeholders} are the same
        answers={200: Reply("The course.", CourseView)},
        problems=(NOT_FOUND,),                      # beside those that every such endpoint may meet
        run=self._get,                              # async (Call[CoursePath, Nothing, Nothing]) -> Result
    )

`run` gets checked structs, who asks, and a transaction for the organization of who asks: a reading one for GET, else a
writing one, which is committed when `run` returns and undone when it raises. What it refuses, it raises: ProblemError.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from aiohttp import web

from lms.access.roles import Permission
from lms.api.caller import Caller
from lms.api.languages import Language
from lms.api.problems import VERSION_CONFLICT, VERSION_REQUIRED, Problem, ProblemError
from lms.api.rate_limits import Limit
from lms.database.transaction import Transaction
from webapi.openapi import JSON, Reply
from webapi.shapes import Nothing, Request

__all__ = ["JSON", "AnyEndpoint", "Call", "Cookie", "Endpoint", "File", "Nothing", "Open", "Reply", "Result", "Use"]

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

BODY_BYTES_MAX: Final = 64 * 1024
"""Unless an endpoint says more: texts of people are shorter."""

NOTHING: Final = Nothing()

PathT = TypeVar("PathT", bound=Request)
QueryT = TypeVar("QueryT", bound=Request)
BodyT = TypeVar("BodyT", bound=Request)


class Open(enum.Enum):
    """Endpoints that ask for no permission."""

    ANYBODY = "anybody"
    """Logged in or not; there is no caller."""
    SIGNED_IN = "signed_in"
    """Whoever is logged in."""


class Use(enum.Enum):
    """What an endpoint does with the database."""

    READ = "read"
    WRITE = "write"
    OWN = "own"
    """It opens transactions itself: because it waits for something else meanwhile."""


@dataclass(frozen=True, slots=True)
class Call(Generic[PathT, QueryT, BodyT]):
    """One request, checked."""

    path: PathT
    query: QueryT
    body: BodyT
    language: Language
    request_id: str
    address: str | None
    """Of who asks, as rate limits count it."""
    http: web.Request
    content: bytes
    """The body as it came; of endpoints that take no JSON all there is."""
    version: int | None
    """What If-Match said."""
    known_caller: Caller | None
    known_transaction: Transaction | None

    @property
    def caller(self) -> Caller:
        """Who asks, of every endpoint that asks to be logged in."""
        assert self.known_caller is not None, "an endpoint for anybody has no caller"
        return self.known_caller

    @property
    def transaction(self) -> Transaction:
        """The transaction for the organization of who asks."""
        assert self.known_transaction is not None, "an endpoint with Use.OWN opens its transactions itself"
        return self.known_transaction

    def check_version(self, current: int) -> None:
        """Raise ProblemError unless If-Match named the version that is there."""
        if self.version is None:
            raise ProblemError(VERSION_REQUIRED, field="If-Match", rule="required")
        if self.version != current:
            raise ProblemError(VERSION_CONFLICT, field="If-Match", value=self.version, rule="version", current=current)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; HttpOnly, SameSite=Strict, and Secure where the service is reached by HTTPS."""

    name: str
    value: str
    """Empty: taken away."""
    path: str
    max_age_s: int


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is no JSON."""

    content: bytes
    media_type: str
    name: str | None = None
    """What a browser saves it as; None: it is shown."""


@dataclass(frozen=True, slots=True)
class Result:
    """What `run` returns: `data` as the endpoint declares it for this status (a struct or a list of them), or bytes."""

    data: Any = None
    status: int = 200
    next: str | None = None
    """The cursor of the next page, from `lms.api.paging`."""
    version: int | None = None
    """For If-Match; sent as ETag."""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[Cookie, ...] = ()
    file: File | None = None


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
    access: Permission | Open
    parameters: type[PathT] | None = None
    query: type[QueryT] | None = None
    body: type[BodyT] | None = None
    body_bytes_max: int = BODY_BYTES_MAX
    body_media_type: str = JSON
    """Other than JSON: `call.content` has the bytes, and `body` stays empty."""
    answers: Mapping[int, Reply]
    problems: tuple[Problem, ...] = ()
    idempotency_key: bool = False
    """Whether a repetition with the same Idempotency-Key gets the first answer again."""
    versioned: bool = False
    """Whether it takes If-Match; `call.check_version` asks for it."""
    limit: Limit = Limit.API
    use: Use | None = None
    """By default what the method says."""
    run: Callable[[Call[PathT, QueryT, BodyT]], Awaitable[Result]]

    def __post_init__(self) -> None:
        assert not (self.idempotency_key and self.uses is not Use.WRITE), (
            f"{self.operation}: a repetition is known by what its transaction wrote"
        )

    @property
    def uses(self) -> Use:
        """What it does with the database."""
        if self.use is not None:
            return self.use
        return Use.READ if self.method == "GET" else Use.WRITE

    @property
    def takes_body(self) -> bool:
        return self.body is not None or self.body_media_type != JSON


AnyEndpoint: TypeAlias = Endpoint[Any, Any, Any]
