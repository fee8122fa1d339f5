"""/health, /ready and /metrics: whether the service lives, whether requests should come, and what it counts."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.api.measurements import Measurements
from lms.api.problems import FORBIDDEN, ProblemError
from lms.api.rate_limits import Limit
from lms.attendance.feed_reader import FeedReader
from lms.operation.readings import Readings
from lms.parts import Parts
from webapi.client_address import is_trusted, parse_networks
from webapi.shapes import Answer

TAG: Final = "For operators"
CHECK_TIMEOUT_S: Final = 3.0


class Health(Answer, frozen=True, kw_only=True):
    """That the process works."""

    status: Literal["ok"]


class Readiness(Answer, frozen=True, kw_only=True):
    """Whether requests should come to this process."""

    status: Literal["ready", "not_ready"]
    because: tuple[Literal["database"], ...] = ()
    """What is away."""
    database: Literal["postgresql", "sqlite"]


class OperationEndpoints:
    """Health and readiness."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            *(
                Endpoint(
                    operation=name,
                    method="GET",
                    path=path,
                    summary="Ask if the process works",
                    tag=TAG,
                    access=Open.ANYBODY,
                    answers={200: Reply("It does.", Health)},
                    limit=Limit.NONE,
                    use=Use.OWN,
                    run=self._health,
                )
                for name, path in (("health", "/health"), ("api_health", "/api/v1/health"))
            ),
            Endpoint(
                operation="ready",
                method="GET",
                path="/ready",
                summary="Ask if requests should come here",
                tag=TAG,
                access=Open.ANYBODY,
                answers={200: Reply("They should.", Readiness), 503: Reply("They should not.", Readiness)},
                limit=Limit.NONE,
                use=Use.OWN,
                run=self._ready,
            ),
        )

    async def _health(self, _call: Call[Nothing, Nothing, Nothing]) -> Result:
        return Result(Health(status="ok"))

    async def _ready(self, _call: Call[Nothing, Nothing, Nothing]) -> Result:
        engine: Literal["postgresql", "sqlite"] = "postgresql" if self._database.is_postgresql else "sqlite"
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self._database.check()
        except (OSError, TimeoutError, SQLAlchemyError):
            return Result(Readiness(status="not_ready", because=("database",), database=engine), status=503)
        return Result(Readiness(status="ready", database=engine))


def add_metrics_route(
    application: web.Application, parts: Parts, measurements: Measurements, reader: FeedReader | None
) -> None:
    """Serve what is counted, to the readers that the settings name."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(measurements)
    readings = Readings(parts, reader)
    registry.register(readings)
    readers = parse_networks(parts.settings.metrics.readers)

    async def respond(request: web.Request) -> web.Response:
        remote = request.remote or ""
        forwarded = hdrs.X_FORWARDED_FOR in request.headers
        if forwarded or not is_trusted(remote, readers):
            raise ProblemError(FORBIDDEN)
        await readings.look()
        return web.Response(body=generate_latest(registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})

    application.router.add_get("/metrics", respond)
