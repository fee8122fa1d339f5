"""A WHIP and WHEP endpoint on aiortc, which has nothing of ours: it decodes what comes and encodes it anew for each.

    python -m tests.support.foreign_endpoint

Prints its address. POST /whip publishes, POST /whep watches, DELETE ends; without a publisher /whep answers 409.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from typing import Final

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamTrack

SDP: Final = "application/sdp"


class Endpoint:
    """One stream in, any number out."""

    def __init__(self) -> None:
        self._relay = MediaRelay()
        self._tracks: list[MediaStreamTrack] = []
        self._connections: dict[str, RTCPeerConnection] = {}
        self._ids = itertools.count(1)

    async def publish(self, request: web.Request) -> web.Response:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.on("track", self._tracks.append)
        return await self._answer(request, connection)

    async def watch(self, request: web.Request) -> web.Response:
        if not self._tracks:
            return web.Response(status=409, text="nobody publishes")
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for track in self._tracks:
            connection.addTrack(self._relay.subscribe(track))
        return await self._answer(request, connection)

    async def end(self, request: web.Request) -> web.Response:
        connection = self._connections.pop(request.match_info["id"], None)
        if connection is None:
            return web.Response(status=404)
        await connection.close()
        return web.Response()

    async def _answer(self, request: web.Request, connection: RTCPeerConnection) -> web.Response:
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        name = str(next(self._ids))
        self._connections[name] = connection
        answer = connection.localDescription.sdp
        return web.Response(status=201, text=answer, content_type=SDP, headers={"Location": f"/streams/{name}"})


async def main() -> None:
    endpoint = Endpoint()
    application = web.Application()
    application.router.add_post("/whip", endpoint.publish)
    application.router.add_post("/whep", endpoint.watch)
    application.router.add_delete("/streams/{id}", endpoint.end)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started it has gone


if __name__ == "__main__":
    asyncio.run(main())
