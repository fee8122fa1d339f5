"""From endpoints to routes: scope, content type, size, parsing, what is done, and every refusal in the one shape."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from control_api.contract.errors import Error, ErrorAnswer
from control_api.contract.scopes import Scope
from control_api.rest.authority import Authority, Caller
from control_api.rest.endpoint import JSON, NOTHING, AnyEndpoint, Call, Result
from control_api.rest.idempotency import IDEMPOTENCY_KEY, Repetitions
from control_api.rest.problems import Problem, ProblemError, problem_of
from control_api.rest.read import read_body, read_texts, shorten
from signaling.errors import RequestError

BODY_TIMEOUT_S: Final = 10.0
"""For a body to arrive: the largest fits a hundred packets."""

PUBLIC: Final = Caller("", frozenset[Scope](), b"")
"""Who asks where no API key is needed."""


def add_endpoints(application: web.Application, endpoints: Iterable[AnyEndpoint], authority: Authority) -> None:
    """Serve the endpoints that say what they do; the others are served elsewhere."""
    repetitions = Repetitions()
    for endpoint in endpoints:
        if endpoint.run is not None:
            add = application.router.add_get if endpoint.method == "GET" else _adder(application, endpoint.method)
            add(endpoint.path, _respond_with(endpoint, authority, repetitions))


def refuse(error: ProblemError) -> web.Response:
    """Return the answer to a request that is refused."""
    problem = error.problem
    body = Error(
        code=problem.code,
        message=_utf8(error.message),
        field=None if error.field is None else _utf8(error.field),
        value=shorten(error.value),
        expected=error.expected,
    )
    return _answer(ErrorAnswer(error=body), problem.status, error.headers)


def _adder(application: web.Application, method: str) -> Callable[[str, Any], Any]:
    return lambda path, respond: application.router.add_route(method, path, respond)


def _respond_with(
    endpoint: AnyEndpoint, authority: Authority, repetitions: Repetitions
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def respond(request: web.Request) -> web.Response:
        try:
            result = await _run(endpoint, authority, repetitions, request)
        except ProblemError as error:
            return refuse(error)
        except RequestError as error:
            return refuse(problem_of(error))
        return _answer(result.body, result.status, result.headers)

    return respond


async def _run(endpoint: AnyEndpoint, authority: Authority, repetitions: Repetitions, request: web.Request) -> Result:
    caller = PUBLIC
    if endpoint.scope is not None:
        caller = authority.identify(request)
        caller.check(endpoint.scope)
    path = NOTHING if endpoint.parameters is None else read_texts(request.match_info.items(), endpoint.parameters)
    if endpoint.scope is not None and "room" in request.match_info:
        caller.check_room(request.match_info["room"])
    query = read_texts(request.query.items(), endpoint.query or type(NOTHING))
    content = b"" if endpoint.body is None else await _content(request, endpoint)
    body = NOTHING if endpoint.body is None else read_body(content, endpoint.body)
    call: Call[Any, Any, Any] = Call(path, query, body, caller, request)
    key = request.headers.get(IDEMPOTENCY_KEY)
    if not endpoint.idempotency_key or key is None:
        return await _do(endpoint, call)
    asked = f"{request.method} {request.path_qs}\n".encode("utf-8", "surrogateescape") + content
    return await repetitions.once(caller.key_id, key, asked, lambda: _do(endpoint, call))


async def _do(endpoint: AnyEndpoint, call: Call[Any, Any, Any]) -> Result:
    assert endpoint.run is not None, "only endpoints that run are mounted"
    result = await endpoint.run(call)
    assert result.status in endpoint.answers, f"{endpoint.operation} answers {result.status}, which it does not declare"
    return result


async def _content(request: web.Request, endpoint: AnyEndpoint) -> bytes:
    """Return the body; raises ProblemError for another content type, and for one that is too large."""
    if request.content_type != JSON or (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        shown = request.headers.get(hdrs.CONTENT_TYPE)
        raise ProblemError(Problem.WRONG_CONTENT_TYPE, field="Content-Type", value=shown, expected=JSON)
    most = endpoint.body_bytes_max
    content = bytearray()
    # What was not read would be taken for the next request.
    closing = {hdrs.CONNECTION: "close"}
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for piece in request.content.iter_any():
                content += piece
                if len(content) > most:
                    raise ProblemError(Problem.TOO_LARGE, f"The body is larger than {most} bytes.", headers=closing)
    except TimeoutError:
        message = f"The body did not arrive within {BODY_TIMEOUT_S:g} s."
        raise ProblemError(Problem.BODY_TIMEOUT, message, headers=closing) from None
    except web.RequestPayloadError:
        raise ProblemError(Problem.BROKEN_BODY, field="Content-Encoding", headers=closing) from None
    return bytes(content)


def _answer(body: msgspec.Struct | None, status: int, headers: Any) -> web.Response:
    content = None if body is None else msgspec.json.encode(body)
    response = web.Response(status=status, body=content, headers={hdrs.CACHE_CONTROL: "no-store", **headers})
    if content is not None:
        response.content_type = JSON
    return response


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
