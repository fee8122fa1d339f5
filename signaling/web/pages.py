"""Serve the class page at /class, the SDK's manual at /docs/sdk, and what they load at /sdk/, under a strict policy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

FOLDER: Final = Path(__file__).parent

_SERVED_SUFFIXES: Final = frozenset({".css", ".html", ".js", ".json", ".svg"})
"""The folder is a Python package too; its modules are nobody's business."""

_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self' blob: mediastream:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

_PAGE_HEADERS: Final = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
    "Referrer-Policy": "no-referrer",
}

_FILE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    # Browsers ask again each time and mostly hear "304 Not Modified": after an update nobody runs half of the old page.
    hdrs.CACHE_CONTROL: "no-cache",
    # A page of another origin (an LMS) may import the SDK; it holds no secret.
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

Responder = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_web_pages(application: web.Application) -> None:
    """Add GET /class, GET /docs/sdk and GET /sdk/{path} to `application`."""
    application.router.add_get("/class", _file_response("class.html", _PAGE_HEADERS))
    application.router.add_get("/docs/sdk", _file_response("docs/sdk.html", _PAGE_HEADERS))
    application.router.add_get(r"/sdk/{path:[\w./-]+}", _sdk_response)


def _file_response(name: str, headers: dict[str, str]) -> Responder:
    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(FOLDER / name, headers={**_FILE_HEADERS, **headers})

    return respond


async def _sdk_response(request: web.Request) -> web.StreamResponse:
    path = (FOLDER / request.match_info["path"]).resolve()
    if not path.is_relative_to(FOLDER.resolve()) or path.suffix not in _SERVED_SUFFIXES or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers=_FILE_HEADERS)
