"""The signalling server with a count at its door: who asks to join, and who is refused with which code."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from control_api.joins.funnel import JoinFunnel, Stage
from signaling.client_messages import Join
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.websocket import Outlet, SignalingServer, Stay


class WatchedSignalingServer(SignalingServer):
    """Does what a signalling server does."""

    def __init__(self, *arguments: Any, funnel: JoinFunnel, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._funnel = funnel

    def add_routes(self, app: web.Application) -> None:
        super().add_routes(app)
        app.on_response_prepare.append(self._count_websocket)

    def admit(self, request: web.BaseRequest, room: str) -> Grants:
        try:
            return super().admit(request, room)
        except RequestError as error:
            self._funnel.refused(error.code.value)
            raise

    def enter(self, outlet: Outlet, join: Join, grants: Grants, *, connected: bool = False) -> Stay:
        self._funnel.reached(Stage.ASKED)
        try:
            return super().enter(outlet, join, grants, connected=connected)
        except RequestError as error:
            self._funnel.refused(error.code.value)
            raise

    async def _count_websocket(self, _request: web.Request, response: web.StreamResponse) -> None:
        if isinstance(response, web.WebSocketResponse):
            self._funnel.reached(Stage.WEBSOCKET)
