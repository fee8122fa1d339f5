"""Serve the school's page at / and where mails lead, and what it loads at /school/, under a strict policy."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from lms.mail.links import PAGES

FOLDER: Final = Path(__file__).parent

_SERVED_SUFFIXES: Final = frozenset({".css", ".js", ".json", ".svg"})

_PAGE_HEADERS: Final[dict[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    # What opens the room of a class is in the address of the tab that we open: nobody is told where it came from.
    "Referrer-Policy": "no-referrer",
}
_FILE_HEADERS: Final[dict[str, str]] = {
    # Browsers ask again each time and mostly hear "304 Not Modified": after an update nobody runs half of the old page.
    hdrs.CACHE_CONTROL: "no-cache",
}


def add_school_page(application: web.Application) -> None:
    """Add GET /, the addresses in mails, and GET /school/{path} to `application`."""
    for path in sorted({"/", *PAGES.values()}):
        application.router.add_get(path, _page)
    application.router.add_get(r"/school/{path:[\w.]+}", _file)


async def _page(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(FOLDER / "index.html", headers=_FILE_HEADERS | _PAGE_HEADERS)


async def _file(request: web.Request) -> web.StreamResponse:
    folder = FOLDER / "school"
    path = folder / request.match_info["path"]
    if path.parent != folder or path.suffix not in _SERVED_SUFFIXES or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers=_FILE_HEADERS)
