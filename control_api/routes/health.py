"""GET /livez: the process runs and its event loop turns. It says nothing about load."""

from __future__ import annotations

from aiohttp import web


def add_health_routes(application: web.Application) -> None:
    application.router.add_get("/livez", _alive)


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "alive"}, headers={"Cache-Control": "no-store"})
