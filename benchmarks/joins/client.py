"""One participant without media: a WebSocket that joined."""

from __future__ import annotations

import json
from typing import Any, Final, Self

import aiohttp

from benchmarks.joins.server import Server

JOIN: Final = json.dumps({"type": "join", "id": 1})


class RefusedError(RuntimeError):
    """The server did not let a client in."""


class Client:
    """A participant; `connect` makes one."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket

    @classmethod
    async def connect(cls, server: Server, room: str, identity: str) -> Self:
        """Join, and return once the server said so; RefusedError if it says otherwise."""
        headers = {"Authorization": f"Bearer {server.token(room, identity)}"}
        url = f"{server.url}/v1/rooms/{room}/ws"
        websocket = await server.http.ws_connect(url, headers=headers, max_msg_size=0, autoping=True)
        client = cls(websocket)
        await websocket.send_str(JOIN)
        answer = await client.read()
        if answer is None or answer["type"] != "joined":
            await websocket.close()
            raise RefusedError(f"{identity} was answered {answer} (close code {websocket.close_code})")
        return client

    async def read(self) -> dict[str, Any] | None:
        """Return the next message, None at the end."""
        message = await self.websocket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            return None
        read: dict[str, Any] = json.loads(message.data)
        return read

    async def read_on(self) -> None:
        """Read until the end, as a page does that shows nothing."""
        while not self.websocket.closed:
            await self.websocket.receive()
