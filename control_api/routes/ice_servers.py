"""GET /v1/rooms/{room}/ice-servers: what somebody with a token to join asks for before the offer is made."""

from __future__ import annotations

import time
from typing import Final

import msgspec
from aiohttp import hdrs, web

from control_api.ice_servers import IceSettings, ice_servers_for
from control_api.rest.ice_servers import ROOM_PATH
from signaling.errors import RequestError
from signaling.upgrade import refuse
from signaling.websocket import SignalingServer

# A token opens the door, never a cookie: a page of any site may hold one.
CORS: Final = {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"}
PREFLIGHT: Final = {
    **CORS,
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization",
    hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
}


def add_ice_server_routes(application: web.Application, settings: IceSettings, signaling: SignalingServer) -> None:
    """Serve ICE servers to those whose token opens the room."""

    async def respond(request: web.Request) -> web.Response:
        try:
            grants = signaling.admit(request, request.match_info["room"])
        except RequestError as error:
            response = refuse(error)
            response.headers.update(CORS)
            return response
        servers = ice_servers_for(settings, f"{grants.room}/{grants.identity}", wallclock=time.time())
        headers = {hdrs.CACHE_CONTROL: "no-store", **CORS}
        return web.Response(body=msgspec.json.encode(servers), content_type="application/json", headers=headers)

    async def preflight(_request: web.Request) -> web.Response:
        return web.Response(status=204, headers=PREFLIGHT)

    application.router.add_get(ROOM_PATH, respond)
    application.router.add_options(ROOM_PATH, preflight)
