"""From endpoints to routes: who asks, limits, reading, the transaction, what is done, and the one shape of answers."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lms.access.authority import Authority
from lms.access.roles import Permission
from lms.api import repetitions
from lms.api.caller import Caller
from lms.api.endpoint import JSON, NOTHING, AnyEndpoint, Call, Cookie, Nothing, Open, Result, Use
from lms.api.envelope import Meta, encode_success, refused
from lms.api.languages import Language, choose_language
from lms.api.phrases import Phrase, expectation, same
from lms.api.problems import (
    BAD_FIELD,
    BAD_JSON,
    BODY_TIMEOUT,
    BROKEN_BODY,
    CONFLICT,
    MISSING_FIELD,
    RATE_LIMITED,
    REPEATED_FIELD,
    TOO_LARGE,
    UNAVAILABLE,
    UNKNOWN_FIELD,
    WRONG_CONTENT_TYPE,
    Problem,
    ProblemError,
    bad_field,
)
from lms.api.rate_limits import Limit, Limits
from lms.api.repetitions import IDEMPOTENCY_KEY, Kept
from lms.clock import Clock
from lms.database.database import Database
from webapi.client_address import Network, bucket_of, client_address
from webapi.read import Fault, UnreadableError, read_body, read_texts
from webapi.shapes import Request

logger = logging.getLogger(__name__)

BODY_TIMEOUT_S: Final = 30.0
"""For a body to arrive; uploads of some MB over a telephone take their time."""
REQUEST_ID: Final = web.RequestKey("request_id", str)
CALLER: Final = web.RequestKey("caller", Caller)
"""Who asks, once that is known."""
SECURE: Final = web.AppKey("secure", bool)
"""Whether people reach the service by HTTPS, so that cookies may be marked so."""

_VERSION: Final = re.compile(r'(?:W/)?"?(\d{1,18})"?')
_WHOLE_TEXT: Final = Phrase("text without U+0000 and surrogates", "نص بلا المحرف U+0000 وبلا أنصاف المحارف البديلة")
_BY_RULE: Final = {"unknown": UNKNOWN_FIELD, "required": MISSING_FIELD, "once": REPEATED_FIELD}


class Server:
    """Serves endpoints."""

    def __init__(
        self,
        database: Database,
        authority: Authority,
        limits: Limits,
        clock: Clock,
        trusted: tuple[Network, ...] = (),
    ) -> None:
        self._database = database
        self._authority = authority
        self._limits = limits
        self._clock = clock
        self._trusted = trusted

    def add(self, application: web.Application, endpoints: Iterable[AnyEndpoint]) -> None:
        """Add a route for each endpoint."""
        for endpoint in endpoints:
            application.router.add_route(endpoint.method, endpoint.path, self._respond_with(endpoint))

    def address_of(self, request: web.Request) -> str | None:
        """Return under which name the sender of a request is counted; None for this computer."""
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return bucket_of(client_address(request.remote or "", forwarded, self._trusted))

    def _respond_with(self, endpoint: AnyEndpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def respond(request: web.Request) -> web.StreamResponse:
            try:
                return await self._respond(endpoint, request)
            except (PoolTimeoutError, OperationalError) as error:
                logger.warning("the database is away", extra={"operation": endpoint.operation, "error": str(error)})
                raise ProblemError(UNAVAILABLE, headers={hdrs.RETRY_AFTER: "1"}) from None
            except IntegrityError as error:
                # Rules are checked before; this is two at once, and one of them was first.
                logger.info("a write met another", extra={"operation": endpoint.operation, "error": str(error.orig)})
                raise ProblemError(CONFLICT) from None
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise ProblemError(UNAVAILABLE, headers={hdrs.RETRY_AFTER: "1"}) from None
                raise

        return respond

    async def _respond(self, endpoint: AnyEndpoint, request: web.Request) -> web.StreamResponse:
        address = self.address_of(request)
        caller = None
        if endpoint.access is Open.ANYBODY:
            await self._count(endpoint, ("address", address or ""))
        else:
            caller = request[CALLER] = await self._authority.identify(request)
            await self._count_caller(caller, endpoint)
            if isinstance(endpoint.access, Permission):
                caller.check(endpoint.access)
        call = await self._read(endpoint, request, caller, address)
        match endpoint.uses:
            case Use.OWN:
                return _response(await self._run(endpoint, call), request)
            case Use.READ:
                assert caller is not None, f"{endpoint.operation}: a transaction needs an organization"
                async with self._database.read(caller.org_id) as transaction:
                    result = await self._run(endpoint, replace(call, known_transaction=transaction))
                return _response(result, request)
            case Use.WRITE:
                assert caller is not None, f"{endpoint.operation}: a transaction needs an organization"
                async with self._database.write(caller.org_id) as transaction:
                    return await self._write(endpoint, replace(call, known_transaction=transaction), request)

    async def _write(
        self, endpoint: AnyEndpoint, call: Call[Any, Any, Any], request: web.Request
    ) -> web.StreamResponse:
        key = request.headers.get(IDEMPOTENCY_KEY)
        if not endpoint.idempotency_key or key is None:
            return _response(await self._run(endpoint, call), request)
        repetitions.check_key(key)
        asked = repetitions.hash_request(request.method, request.path_qs, call.content)
        earlier = await repetitions.begin(call.transaction, call.caller.user_id, key, asked)
        if earlier is not None:
            return _repeat(earlier)
        response = _response(await self._run(endpoint, call), request)
        assert isinstance(response.body, bytes), "answers that are kept are whole"
        headers = {name: value for name, value in response.headers.items() if name in {"ETag", "Location"}}
        kept = Kept(response.status, {hdrs.CONTENT_TYPE: response.content_type, **headers}, response.body)
        await repetitions.keep(call.transaction, call.caller.user_id, key, kept)
        return response

    @staticmethod
    async def _run(endpoint: AnyEndpoint, call: Call[Any, Any, Any]) -> Result:
        result = await endpoint.run(call)
        assert result.status in endpoint.answers, (
            f"{endpoint.operation} answers {result.status}, which it does not declare"
        )
        return result

    async def _read(
        self, endpoint: AnyEndpoint, request: web.Request, caller: Caller | None, address: str | None
    ) -> Call[Any, Any, Any]:
        try:
            path = NOTHING if endpoint.parameters is None else _texts(request.match_info.items(), endpoint.parameters)
            query = _texts(request.query.items(), endpoint.query or Nothing)
            content = await _content(request, endpoint) if endpoint.takes_body else b""
            body = NOTHING if endpoint.body is None else _body(content, endpoint.body)
        except UnreadableError as error:
            raise explain(error) from None
        return Call(
            path=path,
            query=query,
            body=body,
            language=_language(request),
            request_id=request[REQUEST_ID],
            address=address,
            http=request,
            content=content,
            version=_version(request) if endpoint.versioned else None,
            known_caller=caller,
            known_transaction=None,
        )

    async def _count_caller(self, caller: Caller, endpoint: AnyEndpoint) -> None:
        who = str(caller.user_id)
        counted = [("organization", str(caller.org_id)), ("api", who)]
        if endpoint.limit not in {Limit.API, Limit.LOGIN}:  # attempts to log in are counted with the account's name
            counted.append((endpoint.limit.value, who))
        await self._count(endpoint, *counted)

    async def _count(self, endpoint: AnyEndpoint, *counted: tuple[str, str]) -> None:
        if endpoint.limit is not Limit.NONE:
            await self.count(*(each for each in counted if each[1]))

    async def count(self, *counted: tuple[str, str]) -> None:
        """Count one against named limits, each for somebody; raises ProblemError (`rate_limited`)."""
        refused = await self._limits.take_all(counted, now=self._clock.monotonic())
        if refused is not None:
            headers = {hdrs.RETRY_AFTER: str(refused.wait_s)}
            raise ProblemError(RATE_LIMITED, rule=refused.name, headers=headers, wait_s=refused.wait_s)


def refusal(error: ProblemError, request: web.Request) -> web.Response:
    """Return the answer to a request that is refused, in the language of who asks."""
    language = _language(request)
    request_id = request.get(REQUEST_ID, "")
    body = msgspec.json.encode(refused(error, language, request_id))
    headers = {hdrs.CACHE_CONTROL: "no-store", hdrs.CONTENT_LANGUAGE: language.value, **error.headers}
    return web.Response(status=error.problem.status, body=body, content_type=JSON, headers=headers)


def _language(request: web.Request) -> Language:
    accepted = request.headers.get(hdrs.ACCEPT_LANGUAGE)
    caller = request.get(CALLER)
    return choose_language(accepted) if caller is None else caller.speaks(accepted)


def _texts(pairs: Iterable[tuple[str, str]], shape: type[Request]) -> Request:
    listed = list(pairs)
    for name, text in listed:
        _check_text(text, name)
    return read_texts(listed, shape)


def _body(content: bytes, shape: type[Request]) -> Request:
    body = read_body(content, shape)
    if b"\\u" in content or b"\0" in content:
        _check_texts(msgspec.to_builtins(body, str_keys=True), "")
    return body


def _check_texts(value: Any, place: str) -> None:
    """Refuse what no database keeps: U+0000, and halves of surrogate pairs."""
    match value:
        case str():
            _check_text(value, place)
        case dict():
            for name, inner in value.items():
                _check_text(name, place)
                _check_texts(inner, f"{place}.{name}".lstrip("."))
        case list() | tuple():
            for index, inner in enumerate(value):
                _check_texts(inner, f"{place}[{index}]")
        case _:
            pass


def _check_text(text: str, place: str) -> None:
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise bad_field(place, text.replace("\0", "�"), _WHOLE_TEXT, "characters")


async def _content(request: web.Request, endpoint: AnyEndpoint) -> bytes:
    """Return the body; raises ProblemError for another content type, and for one that is too large."""
    wanted = endpoint.body_media_type
    if request.content_type != wanted or (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        shown = request.headers.get(hdrs.CONTENT_TYPE)
        raise ProblemError(
            WRONG_CONTENT_TYPE, field=hdrs.CONTENT_TYPE, value=shown, expected=same(wanted), rule="choice"
        )
    most = endpoint.body_bytes_max
    content = bytearray()
    closing = {hdrs.CONNECTION: "close"}  # what was not read would be taken for the next request
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for piece in request.content.iter_any():
                content += piece
                if len(content) > most:
                    raise ProblemError(TOO_LARGE, expected=same(most), rule="length", headers=closing)
    except TimeoutError:
        raise ProblemError(BODY_TIMEOUT, headers=closing) from None
    except web.RequestPayloadError:
        raise ProblemError(BROKEN_BODY, field=hdrs.CONTENT_ENCODING, rule="encoding", headers=closing) from None
    return bytes(content)


def explain(error: UnreadableError) -> ProblemError:
    """Return the refusal of what cannot be read."""
    expected = None if error.expected is None else expectation(error.expected)
    if error.fault is Fault.JSON:
        return ProblemError(BAD_JSON, rule=error.rule, expected=expected)
    problem: Problem = _BY_RULE.get(error.rule, BAD_FIELD)
    return ProblemError(
        problem, field=error.field or "body", value=error.value, rule=error.rule or "form", expected=expected
    )


def _version(request: web.Request) -> int | None:
    text = request.headers.get(hdrs.IF_MATCH)
    if text is None:
        return None
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise bad_field(hdrs.IF_MATCH, text, Phrase("a version as in ETag", "نسخة كما في ترويسة ETag"), "pattern")
    return int(match[1])


def _response(result: Result, request: web.Request) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: "no-store", **result.headers}
    if result.version is not None:
        headers[hdrs.ETAG] = f'"{result.version}"'
    if result.file is not None:
        response = web.Response(status=result.status, body=result.file.content, headers=headers)
        response.headers[hdrs.CONTENT_TYPE] = result.file.media_type
        if result.file.name is not None:
            saved = f"attachment; filename*=UTF-8''{quote(result.file.name)}"
            response.headers[hdrs.CONTENT_DISPOSITION] = saved
    elif result.data is None:
        response = web.Response(status=result.status, headers=headers)
    else:
        meta = Meta(request_id=request[REQUEST_ID], next=result.next, version=result.version)
        content = encode_success(result.data, meta)
        response = web.Response(status=result.status, body=content, content_type=JSON, headers=headers)
    for cookie in result.cookies:
        _set(response, cookie, secure=request.app[SECURE])
    return response


def _repeat(kept: Kept) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: "no-store", "Idempotency-Replayed": "true", **kept.headers}
    return web.Response(status=kept.status, body=kept.content, headers=headers)


def _set(response: web.Response, cookie: Cookie, *, secure: bool) -> None:
    response.set_cookie(
        cookie.name,
        cookie.value,
        path=cookie.path,
        max_age=cookie.max_age_s if cookie.value else 0,
        httponly=True,
        secure=secure,
        samesite="Strict",
    )
