"""One room as far as a page can tell: speaks protocol.md by script, keeps what it hears, sends what a test says."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import WSMsgType, web

from signaling.web.pages import add_web_pages

Message = dict[str, Any]
Reply = Callable[[Message], Message | None]

PEER_SCRIPT: Final = Path(__file__).with_name("media_peer.js").read_text()
LOCAL_ID: Final = "p-local"
WAIT_S: Final = 20.0
ROOM_EVENTS: Final = frozenset(
    {
        *("participant", "left", "track", "presence", "hands", "state", "message", "room"),
        *("knock", "knock_over", "permissions", "asked", "recording"),
    }
)
PERMISSIONS: Final = {
    "publish": ["camera", "microphone", "screen"],
    **dict.fromkeys(("subscribe", "send", "moderate", "record"), True),
}


def make_token(**claims: Any) -> str:
    """Return a token that reads like a real one; the fake server believes every signature."""
    claims = {"sub": "lina", "room": "algebra", "publish": True, "exp": time.time() + 3600, **claims}
    parts = (json.dumps({"alg": "HS256"}), json.dumps(claims), "signature")
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def make_track(track: str, source: str, state: str = "live") -> Message:
    kind = "audio" if source in ("microphone", "screen_audio") else "video"
    return {"id": track, "source": source, "kind": kind, "state": state}


def make_participant(participant: str, name: str, *tracks: Message) -> Message:
    return {"id": participant, "identity": name.lower(), "name": name, "tracks": list(tracks)}


class FakeServer:
    """`replies[type]` takes the place of the usual reply to a message; None as its result: no reply at all."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Awaitable[str]] | None = None
        """Makes an SDP answer; set by the test's media peer."""
        self.refusal: web.Response | None = None
        """HTTP answer to every upgrade, if set."""
        self.participants: list[Message] = []
        """Who is there before the page joins."""
        self.room: Message = {}
        """What else the snapshot of the room holds."""
        self.permissions: Message = dict(PERMISSIONS)
        self.missed: list[Message] = []
        """Events that are told to who resumes."""
        self.heard: list[Message] = []
        self.subprotocols: list[str] = []
        self.replies: dict[str, Reply] = {}
        self.close_codes: list[int | None] = []
        """With which codes pages have closed."""
        self._sockets: list[web.WebSocketResponse[bool]] = []
        self._heard_more = asyncio.Condition()
        self._seq = 1
        self._tracks: dict[str, Message] = {}
        application = web.Application()
        add_web_pages(application)
        application.router.add_get("/peer", self._serve_peer)
        application.router.add_get("/blank", self._serve_blank)
        application.router.add_get("/v1/rooms/{room}/ws", self._serve_room)
        self._runner = web.AppRunner(application, shutdown_timeout=1)
        self.origin = ""

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"

    async def stop(self) -> None:
        await self.close(1001)
        await self._runner.cleanup()

    def class_address(self, token: str | None = None, room: str = "algebra", **more: str) -> str:
        fragment = "".join(f"&{key}={value}" for key, value in more.items())
        return f"{self.origin}/class#room={room}&token={token or make_token()}{fragment}"

    @property
    def room_address(self) -> str:
        return self.origin.replace("http", "ws") + "/v1/rooms/algebra/ws"

    async def send(self, kind: str, **fields: Any) -> None:
        """Send a message to the page, with the next `seq` if it is a room event."""
        if kind in ROOM_EVENTS:
            self._seq += 1
            fields = {"seq": self._seq, **fields}
        for socket in self._sockets:
            await socket.send_json({"type": kind, **fields})

    def miss(self, kind: str, **fields: Any) -> None:
        """Let a room event happen while the page is away."""
        self._seq += 1
        self.missed.append({"type": kind, "seq": self._seq, **fields})

    async def send_text(self, text: str) -> None:
        for socket in self._sockets:
            await socket.send_str(text)

    async def close(self, code: int) -> None:
        """Close the page's WebSocket."""
        for socket in list(self._sockets):
            await socket.close(code=code)

    def drop(self) -> None:
        """Cut the connection without a goodbye."""
        for socket in self._sockets:
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()

    def all_heard(self, kind: str) -> list[Message]:
        return [message for message in self.heard if message["type"] == kind]

    async def hears(self, kind: str, matching: Callable[[Message], bool] = lambda _message: True) -> Message:
        """Return the newest matching message, waiting for one if none has come yet."""
        async with asyncio.timeout(WAIT_S), self._heard_more:
            while not (found := [message for message in self.all_heard(kind) if matching(message)]):
                await self._heard_more.wait()
            return found[-1]

    def slot_mids(self, kind: str) -> list[str]:
        """Return the mids of the slots of this kind that the page asked for when it joined."""
        return [slot["mid"] for slot in self.all_heard("join")[-1]["slots"] if slot["kind"] == kind]

    async def _serve_peer(self, _request: web.Request) -> web.Response:
        return web.Response(text=f"<script>{PEER_SCRIPT}</script>", content_type="text/html")

    async def _serve_blank(self, _request: web.Request) -> web.Response:
        return web.Response(text="<title>blank</title>", content_type="text/html")

    async def _serve_room(self, request: web.Request) -> web.StreamResponse:
        if self.refusal is not None:
            return web.Response(status=self.refusal.status, body=self.refusal.body, content_type="application/json")
        header = request.headers.get("Sec-WebSocket-Protocol", "")
        self.subprotocols = [value.strip() for value in header.split(",")]
        socket: web.WebSocketResponse[bool] = web.WebSocketResponse(protocols=("halqa.v1",))
        await socket.prepare(request)
        self._sockets.append(socket)
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(socket, json.loads(frame.data))
        finally:
            self._sockets.remove(socket)
            self.close_codes.append(socket.close_code)
        return socket

    async def _receive(self, socket: web.WebSocketResponse[bool], message: Message) -> None:
        async with self._heard_more:
            self.heard.append(message)
            self._heard_more.notify_all()
        kind = message["type"]
        if kind in self.replies:
            reply = self.replies[kind](message)
        elif kind == "join":
            reply = await self._join(message)
        else:
            reply = self._usual_reply(message)
        if reply is not None:
            await socket.send_json({"re": message["id"], **reply} if "id" in message else reply)
        if kind == "resume" and kind not in self.replies:
            for event in self.missed:
                await socket.send_json(event)
        if kind == "join" and kind not in self.replies:
            empty = {"track": None, "participant": None, "encoding": None}
            await socket.send_json({"type": "slots", "slots": [{"mid": s["mid"], **empty} for s in message["slots"]]})

    async def _join(self, message: Message) -> Message:
        if self.answer is None:
            return {"type": "error", "code": "internal", "message": "the test has no media peer"}
        me = make_participant(LOCAL_ID, message.get("name") or "Lina")
        room = {"name": "algebra", "seq": self._seq, "participants": [*self.participants, me], **self.room}
        answer = await self.answer(message["offer"])
        entry = {"participant": LOCAL_ID, "seq": self._seq, "resume": "r1", "permissions": self.permissions}
        return {"type": "joined", "answer": answer, "room": room, **entry}

    def _usual_reply(self, message: Message) -> Message | None:
        match message["type"]:
            case "publish":
                track = make_track(f"t-{message['source']}", message["source"])
            case "mute":
                track = {**self._tracks[message["track"]], "state": "muted" if message["muted"] else "live"}
            case "unpublish":
                track = {**self._tracks[message["track"]], "state": "ended"}
            case "view" | "limit":
                return {"type": "slots", "slots": []}
            case "ping":
                return {"type": "pong", "t": message["t"]}
            case "resume":
                place = {"participant": LOCAL_ID, "seq": message["seq"], "permissions": self.permissions}
                return {"type": "resumed", "resume": f"{message['token']}+", **place}
            case "leave":
                return None
            case _:
                return {"type": "done", "seq": self._seq}
        self._seq += 1
        self._tracks[track["id"]] = track
        return {"type": "track", "seq": self._seq, "participant": LOCAL_ID, "track": track}
