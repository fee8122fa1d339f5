"""GET /api/v1/openapi.json: the OpenAPI document of the LMS; GET /docs/api: the same to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from lms.access.roles import PERMISSIONS, Permission
from lms.api.endpoint import AnyEndpoint, Open
from lms.api.envelope import Refused, wrap
from lms.api.problems import (
    BAD_FIELD,
    BAD_JSON,
    BAD_TOKEN,
    BODY_TIMEOUT,
    BROKEN_BODY,
    FORBIDDEN,
    FOREIGN_ORIGIN,
    KEY_REUSED,
    NOT_SIGNED_IN,
    RATE_LIMITED,
    TOO_LARGE,
    UNAVAILABLE,
    VERSION_CONFLICT,
    VERSION_REQUIRED,
    WRONG_CONTENT_TYPE,
    Problem,
)
from lms.api.rate_limits import Limit
from webapi.openapi import IDEMPOTENCY_HEADER, About, Operation, Refusal, build_document
from webapi.page import build_page

DOCUMENT_PATH: Final = "/api/v1/openapi.json"
PAGE_PATH: Final = "/docs/api"
BEARER: Final = "access_token"

DESCRIPTION: Final = """\
The school around the class: people, courses, live classes, attendance, grades and chat.

* Log in with `POST /api/v1/auth/login`; show the access token as `Authorization: Bearer ...`. Browsers get cookies.
* Every answer is `{"success", "data", "meta", "error"}`. Whatever is refused changed nothing, and `error` says why:
  `code` for programs, `message` in English or Arabic, `details` with `field`, `value`, `rule` and `expected`.
* It speaks the language that the account chose; without one, what `Accept-Language` asks for; else the organization's.
* Bodies are JSON in UTF-8. A field or parameter that is not known is refused, so that no slip goes unnoticed. Answers
  may gain fields; pass over those that you do not know. Times are RFC 3339 in UTC; exact decimals are texts.
* Lists come in pages of at most 100: give `meta.next` back as `cursor` until it is absent.
* What can be changed has a version, in `meta.version` and `ETag`: say with `If-Match` which one you change.
"""

SECURITY: Final = {
    BEARER: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of a login; it holds for 15 minutes.",
    }
}

_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The version that you change, as it stood in `ETag` or `meta.version`; without it: 428.",
    "schema": {"type": "string", "pattern": '^(W/)?"?[0-9]{1,18}"?$'},
}

_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    hdrs.CACHE_CONTROL: "no-cache",
}


def document_of(endpoints: Iterable[AnyEndpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of these endpoints; chapters are in their order."""
    endpoints = tuple(endpoints)
    about = About(
        title="Halqa LMS",
        version=_package_version(),
        description=DESCRIPTION,
        tags=[(tag, "") for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        security_schemes=SECURITY,
        error=Refused,
        wrap=wrap,
        names_by_package=True,
    )
    return build_document((_operation(endpoint) for endpoint in endpoints), about)


def add_document_routes(application: web.Application, endpoints: Iterable[AnyEndpoint]) -> None:
    """Serve document and page; they hold no secret."""
    written = _Written(tuple(endpoints))

    async def respond_document(_request: web.Request) -> web.Response:
        content, _ = await written.get()
        headers = {hdrs.CACHE_CONTROL: "no-cache", hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"}
        return web.Response(body=content, content_type="application/json", headers=headers)

    async def respond_page(_request: web.Request) -> web.Response:
        _, page = await written.get()
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=_PAGE_HEADERS)

    application.router.add_get(DOCUMENT_PATH, respond_document)
    application.router.add_get(PAGE_PATH, respond_page)


class _Written:
    """Document and page, made once, in a thread, when they are first asked for: it takes half a second."""

    def __init__(self, endpoints: tuple[AnyEndpoint, ...]) -> None:
        self._endpoints = endpoints
        self._made: tuple[bytes, bytes] | None = None
        self._making = asyncio.Lock()

    async def get(self) -> tuple[bytes, bytes]:
        async with self._making:
            if self._made is None:
                with ThreadPoolExecutor(max_workers=1, thread_name_prefix="OpenAPI") as thread:
                    self._made = await asyncio.get_running_loop().run_in_executor(thread, self._make)
            return self._made

    def _make(self) -> tuple[bytes, bytes]:
        document = document_of(self._endpoints)
        text = msgspec.json.format(msgspec.json.encode(document), indent=1)
        return text, build_page(document, document_path=DOCUMENT_PATH).encode()


def problems_of(endpoint: AnyEndpoint) -> tuple[Problem, ...]:
    """Return every refusal that an endpoint may meet, by status."""
    problems = {*endpoint.problems, BAD_FIELD, UNAVAILABLE}
    if endpoint.limit is not Limit.NONE:
        problems.add(RATE_LIMITED)
    if endpoint.access is not Open.ANYBODY:
        problems |= {NOT_SIGNED_IN, BAD_TOKEN}
        if endpoint.method != "GET":
            problems.add(FOREIGN_ORIGIN)
    if isinstance(endpoint.access, Permission):
        problems.add(FORBIDDEN)
    if endpoint.takes_body:
        problems |= {BAD_JSON, BODY_TIMEOUT, BROKEN_BODY, TOO_LARGE, WRONG_CONTENT_TYPE}
    if endpoint.idempotency_key:
        problems.add(KEY_REUSED)
    if endpoint.versioned:
        problems |= {VERSION_REQUIRED, VERSION_CONFLICT}
    return tuple(sorted(problems, key=lambda each: (each.status, each.code)))


def _operation(endpoint: AnyEndpoint) -> Operation:
    headers = [IDEMPOTENCY_HEADER] if endpoint.idempotency_key else []
    return Operation(
        operation=endpoint.operation,
        method=endpoint.method,
        path=endpoint.path,
        summary=endpoint.summary,
        description="\n\n".join(part for part in (endpoint.description, _who(endpoint)) if part),
        tag=endpoint.tag,
        parameters=endpoint.parameters,
        query=endpoint.query,
        headers=[*headers, _IF_MATCH] if endpoint.versioned else headers,
        body=endpoint.body,
        body_media_type=endpoint.body_media_type,
        answers=endpoint.answers,
        refusals=[Refusal(each.code, each.status, each.english) for each in problems_of(endpoint)],
        security=() if endpoint.access is Open.ANYBODY else ({BEARER: ()},),
    )


def _who(endpoint: AnyEndpoint) -> str:
    match endpoint.access:
        case Open.ANYBODY:
            return "For anybody."
        case Open.SIGNED_IN:
            return "For whoever is logged in."
        case Permission() as permission:
            roles = ", ".join(f"`{role.value}`" for role, may in PERMISSIONS.items() if permission in may)
            return f"Needs the permission `{permission.value}`: {roles}."


def _package_version() -> str:
    try:
        return version("halqa")
    except PackageNotFoundError:  # from a source tree that is not installed
        return "0"
