"""/readyz and /drain: whether new rooms should come to this server, and how it is told to go."""

from __future__ import annotations

from control_api.contract.operation import DrainQuery, DrainState, ReadyState
from control_api.contract.scopes import Scope
from control_api.drain import Drain
from control_api.health.health import Health
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.problems import Problem
from control_api.settings import DrainSettings
from signaling.websocket import SignalingServer

TAG = "For operators"


class OperationEndpoints:
    """The endpoints by which a server is operated."""

    def __init__(self, health: Health, drain: Drain, signaling: SignalingServer, settings: DrainSettings) -> None:
        self._health = health
        self._drain = drain
        self._signaling = signaling
        self._settings = settings

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="check_ready",
                method="GET",
                path="/readyz",
                summary="Ask if new rooms may come",
                description="What runs goes on either way. It says no for a reason that lasts, not for a busy second.",
                tag=TAG,
                scope=None,
                answers={200: Reply("They may.", ReadyState), 503: Reply("They should go elsewhere.", ReadyState)},
                run=self._ready,
            ),
            Endpoint(
                operation="drain",
                method="POST",
                path="/drain",
                summary="Have the server take no new rooms, and end",
                description=(
                    "Clients are told. The server ends when no room is left, or when the time is over: then clients "
                    "are sent to come back, to this address or another. Asked again, the new time holds. There is no "
                    "way back; who supervises the server starts the next one."
                ),
                tag=TAG,
                scope=Scope.SERVER_DRAIN,
                query=DrainQuery,
                answers={202: Reply("It drains.", DrainState)},
                problems=(Problem.MISSING_SCOPE,),
                run=self._begin,
            ),
            Endpoint(
                operation="get_drain",
                method="GET",
                path="/drain",
                summary="See how a drain stands",
                tag=TAG,
                scope=Scope.SERVER_DRAIN,
                answers={200: Reply("How it stands.", DrainState)},
                problems=(Problem.MISSING_SCOPE,),
                run=self._show,
            ),
        )

    async def _ready(self, _call: Call[Nothing, Nothing, Nothing]) -> Result:
        reasons = self._health.reasons()
        if not reasons:
            return Result(ReadyState(status="ready"))
        return Result(ReadyState(status="not_ready", because=tuple(reason.value for reason in reasons)), status=503)

    async def _begin(self, call: Call[Nothing, DrainQuery, Nothing]) -> Result:
        asked_s = call.query.timeout_s
        self._drain.begin(self._settings.request_timeout_s if asked_s is None else asked_s)
        return Result(self._state(), status=202)

    async def _show(self, _call: Call[Nothing, Nothing, Nothing]) -> Result:
        return Result(self._state())

    def _state(self) -> DrainState:
        return DrainState(
            draining=self._drain.active,
            ends_at=self._drain.ends_at,
            rooms=self._signaling.rooms,
            participants=self._signaling.participants,
        )
