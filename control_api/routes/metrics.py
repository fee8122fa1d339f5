"""GET /metrics: the counters of this server in the Prometheus text formats."""

from __future__ import annotations

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


def add_metrics_routes(application: web.Application, registry: CollectorRegistry) -> None:
    """Serve what `registry` holds, in the format that the scraper asks for."""

    async def respond(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=encode(registry), headers={hdrs.CONTENT_TYPE: content_type})

    application.router.add_get("/metrics", respond)
