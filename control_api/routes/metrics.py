"""GET /metrics: the counters of this server in the Prometheus text formats, for those who may read them."""

from __future__ import annotations

import ipaddress
from typing import Final, Literal

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from control_api.contract.scopes import Scope
from control_api.rest.authority import Authority
from control_api.rest.problems import ProblemError
from control_api.rest.serve import refuse

Readers = Literal["local", "key", "all"]

FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""What proxies add. A request with one of these is somebody else's, however local it looks."""


def add_metrics_routes(
    application: web.Application, registry: CollectorRegistry, authority: Authority, readers: Readers
) -> None:
    """Serve what `registry` holds, in the format that the scraper asks for, to those whom `readers` lets in."""

    async def respond(request: web.Request) -> web.Response:
        if readers == "key" or (readers == "local" and not is_local(request)):
            try:
                authority.identify(request).check(Scope.METRICS_READ)
            except ProblemError as error:
                return refuse(error)
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        headers = {hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(body=encode(registry), headers=headers)

    application.router.add_get("/metrics", respond)


def is_local(request: web.BaseRequest) -> bool:
    """Return whether a request comes from this computer, and for nobody else."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
