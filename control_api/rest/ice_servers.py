"""/v1/ice-servers: STUN and TURN servers with credentials, for programs that hand them on to people."""

from __future__ import annotations

import time
from typing import Final

from control_api.contract.ice_servers import IceQuery, IceServers
from control_api.contract.scopes import Scope
from control_api.ice_servers import IceSettings, ice_servers_for
from control_api.rest.elsewhere import CLIENTS
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.rooms import RoomPath

ROOM_PATH: Final = "/v1/rooms/{room}/ice-servers"


class IceEndpoints:
    """The endpoints over the ICE servers that the operator set up."""

    def __init__(self, settings: IceSettings) -> None:
        self._settings = settings

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="get_ice_servers",
                method="GET",
                path="/v1/ice-servers",
                summary="Get ICE servers for somebody",
                description="Credentials of TURN servers live ten minutes at most: ask for each person, at each join.",
                tag="Connectivity",
                scope=Scope.ICE_READ,
                query=IceQuery,
                answers={200: Reply("What to give to the person's RTCPeerConnection.", IceServers)},
                run=self._get,
            ),
            Endpoint(
                operation="get_ice_servers_of_room",
                method="GET",
                path=ROOM_PATH,
                summary="Get ICE servers for oneself",
                description="For pages and programs that are about to join, before they make their offer.",
                tag=CLIENTS,
                scope=None,
                join_token=True,
                parameters=RoomPath,
                answers={
                    200: Reply("What to give to the RTCPeerConnection.", IceServers),
                    401: Reply("There is no token, or it opens nothing."),
                    403: Reply("The token is for another room."),
                    429: Reply("`rate_limited`: too many requests from this address."),
                    503: Reply("`shutting_down`."),
                },
            ),
        )

    async def _get(self, call: Call[Nothing, IceQuery, Nothing]) -> Result:
        return Result(ice_servers_for(self._settings, call.query.name, wallclock=time.time()))
