"""Signalling over the real media engine: a browser's own offer in, engine rows made, moved and given back."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from media.net.engine import Engine, EngineConfig
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, RoomName
from signaling.keys import StaticKeys
from signaling.tokens import make_token
from signaling.websocket import SignalingServer

SECRET = b"0123456789abcdef0123456789abcdef"
OFFER = (Path(__file__).parent.parent / "data" / "sdp" / "chromium_sdk_join.sdp").read_text()
"""Sections 0 to 3 send microphone, camera, screen and its sound; 4 to 7 are for audio, 8 to 17 for video."""
SLOTS = [{"mid": str(mid), "kind": "audio" if mid < 8 else "screen" if mid == 17 else "video"} for mid in range(4, 18)]
PATIENCE_S = 5.0

Heard = dict[str, Any]


class Client:
    """One participant's WebSocket."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket
        self._requests = 0

    async def ask(self, kind: str, **fields: Any) -> Heard:
        """Send a request and return its answer; what comes in between is passed over."""
        self._requests += 1
        await self._websocket.send_json({"type": kind, "id": self._requests, **fields})
        while (heard := await self.hear()).get("re") != self._requests:
            pass
        return heard

    async def hear(self, kind: str | None = None) -> Heard:
        while True:
            heard: Heard = json.loads(await self._websocket.receive_str(timeout=PATIENCE_S))
            if kind in (None, heard["type"]):
                return heard

    async def leave(self) -> None:
        await self._websocket.close()


class Place:
    """A running server."""

    def __init__(self, engine: Engine, signaling: SignalingServer, url: str, http: aiohttp.ClientSession) -> None:
        self.engine = engine
        self.signaling = signaling
        self._url = url
        self._http = http

    async def join(self, identity: str) -> tuple[Client, Heard]:
        grants = Grants(RoomName("algebra"), Identity(identity), time.time() + 60, publish=ALL_SOURCES)
        token = make_token(grants, key_id="school", secret=SECRET)
        headers = {"Authorization": f"Bearer {token}"}
        client = Client(await self._http.ws_connect(f"{self._url}/v1/rooms/algebra/ws", headers=headers))
        return client, await client.ask("join", offer=OFFER.replace("\n", "\r\n"), slots=SLOTS)

    def rows(self) -> tuple[float, ...]:
        metrics = self.engine.metrics()
        return tuple(metrics[name] for name in ("routers", "transports", "producers", "consumers"))


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    engine = await Engine.start(EngineConfig(bind_address="127.0.0.1", workers=1))
    signaling = SignalingServer(engine, StaticKeys({"school": SECRET}))
    application = web.Application()
    signaling.add_routes(application)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as http:
        yield Place(engine, signaling, f"http://{host}:{port}", http)
    await signaling.close()
    await runner.cleanup()
    assert Place(engine, signaling, "", http).rows() == (0, 0, 0, 0)
    await engine.close()


async def test_a_browsers_offer_is_answered_with_the_engines_address_and_ssrcs(place: Place) -> None:
    _, joined = await place.join("amal")
    answer = joined["answer"]
    assert f" 127.0.0.1 {place.engine.udp_ports[0]} typ host" in answer
    assert len(set(re.findall(r"a=ssrc:(\d+) cname", answer))) >= len(SLOTS)
    assert place.rows() == (1, 1, 4, 14)


async def test_tracks_come_into_slots_and_go(place: Place) -> None:
    amal, joined = await place.join("amal")
    badr, _ = await place.join("badr")
    await badr.hear("slots")
    track = (await amal.ask("publish", mid="1", source="camera", width=1280, height=720))["track"]
    assert track["encodings"] == ["q", "h", "f"]
    shown = await badr.hear("slots")
    assert shown["slots"] == [
        {"mid": "8", "track": track["id"], "participant": joined["participant"], "encoding": None}
    ]
    moved = await badr.ask("view", slots=[{"mid": "12", "track": track["id"], "height": 720}])
    assert {slot["mid"]: slot["track"] for slot in moved["slots"]} == {"8": None, "12": track["id"]}
    assert (await amal.ask("mute", track=track["id"], muted=True))["track"]["state"] == "muted"
    assert (await amal.ask("unpublish", track=track["id"]))["track"]["state"] == "ended"
    assert (await badr.hear("slots"))["slots"][0]["track"] is None


async def test_ice_is_restarted_by_another_offer(place: Place) -> None:
    amal, joined = await place.join("amal")
    ufrag = re.search(r"a=ice-ufrag:(\S+)", OFFER)
    assert ufrag is not None
    again = OFFER.replace("\n", "\r\n").replace(f"a=ice-ufrag:{ufrag[1]}", "a=ice-ufrag:wxyz")
    answer = (await amal.ask("offer", sdp=again))["sdp"]
    local = {re.search(r"a=ice-ufrag:(\S+)", text)[1] for text in (answer, joined["answer"])}  # type: ignore[index]
    assert len(local) == 2
    assert re.findall(r"a=ssrc:.*", answer) == re.findall(r"a=ssrc:.*", joined["answer"])


async def test_sections_that_go_give_their_rows_back(place: Place) -> None:
    amal, _ = await place.join("amal")
    lines = OFFER.replace("m=video 9 ", "m=video 0 ").replace("\n", "\r\n")
    mids = re.search(r"a=group:BUNDLE (.*)", OFFER)
    assert mids is not None
    lines = lines.replace(mids[0], "a=group:BUNDLE 0 3 4 5 6 7")
    assert (await amal.ask("offer", sdp=lines))["type"] == "answer"
    assert place.rows() == (1, 1, 2, 4)


async def test_what_comes_and_goes_leaves_nothing(place: Place) -> None:
    for _ in range(10):
        amal, _ = await place.join("amal")
        badr, _ = await place.join("badr")
        await amal.ask("publish", mid="0", source="microphone")
        await amal.ask("publish", mid="2", source="screen")
        await badr.ask("publish", mid="1", source="camera")
        await amal.leave()
        await badr.hear("left")
        await badr.ask("ping", t=1)
        await badr.leave()
    await place.signaling.close()
    assert place.rows() == (0, 0, 0, 0)
