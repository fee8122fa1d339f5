"""GET /v1/webhooks and POST /v1/webhooks/{name}/replay: how receivers fare, and dead letters once more."""

from __future__ import annotations

from typing import Any

from aiohttp import hdrs, web

from control_api.errors import error_response
from control_api.feed.cursor import Cursor, build_cursor
from control_api.routes.events import Authorize
from control_api.webhooks.webhooks import Webhooks
from control_api.webhooks.worker import Worker


def add_webhook_routes(application: web.Application, webhooks: Webhooks, authorize: Authorize) -> None:
    """Serve the state of the receivers to whom `authorize` lets in."""

    async def show(request: web.Request) -> web.Response:
        if (refusal := authorize(request)) is not None:
            return refusal
        shown = [_describe(worker) for worker in webhooks.workers.values()]
        return web.json_response({"webhooks": shown}, headers={hdrs.CACHE_CONTROL: "no-store"})

    async def replay(request: web.Request) -> web.Response:
        if (refusal := authorize(request)) is not None:
            return refusal
        worker = webhooks.workers.get(request.match_info["name"])
        if worker is None:
            return error_response(404, "no_such_webhook", "There is no webhook of that name.")
        return web.json_response({"ranges": worker.replay()}, status=202)

    application.router.add_get("/v1/webhooks", show)
    application.router.add_post("/v1/webhooks/{name}/replay", replay)


def _describe(worker: Worker) -> dict[str, Any]:
    delivery = worker.delivery
    progress = delivery.progress
    return {
        "name": worker.endpoint.name,
        "cursor": build_cursor(Cursor(progress.journal_id, progress.position)),
        "waiting": worker.lag,
        "failures": delivery.failures,
        "error": delivery.error,
        "dead_letters": sum(each.last - each.after for each in progress.dead),
        "replaying": sum(each.last - each.after for each in progress.replay),
    }
