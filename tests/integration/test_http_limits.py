"""What stands before every route: path tricks, heads without end, slow bodies, rates, and headers of answers."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from control_api.app import MediaServer
from control_api.invitations import Invitation, Role
from control_api.keys import KeyFile
from control_api.protection.settings import ConnectionSettings
from control_api.rate_limits import RateLimitSettings
from control_api.rest import serve
from control_api.settings import HttpSettings, MediaSettings, ServerSettings

CLASS_SIZE = 60
NAT = {"X-Forwarded-For": "203.0.113.7"}


@dataclass(slots=True)
class Running:
    """A server and a client of it."""

    server: MediaServer
    http: aiohttp.ClientSession

    @property
    def keys(self) -> KeyFile:
        return self.server.parts.keys

    def token(self, identity: str, room: str = "algebra") -> str:
        return Invitation(room, identity, Role.STUDENT, time.time() + 600).token(self.keys.first)

    def basic(self) -> dict[str, str]:
        key = self.keys.first
        return {"Authorization": "Basic " + base64.b64encode(key.key_id.encode() + b":" + key.secret).decode()}

    async def get(self, path: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON (None if it is none) and headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.get(f"{self.server.url}{path}", headers=sent) as answer:
            text = await answer.text()
            body = json.loads(text) if answer.content_type == "application/json" else None
            return answer.status, body, dict(answer.headers)

    async def send_raw(self, data: bytes, *, within_s: float = 10.0) -> bytes:
        """Send bytes to the HTTP port, and return what comes until the server closes or falls silent."""
        host, _, port = self.server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        heard = b""
        try:
            writer.write(data)
            async with asyncio.timeout(within_s):
                while piece := await reader.read(65536):
                    heard += piece
                    if heard.endswith(b"}") or b"\r\n\r\n" in heard:
                        break
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.transport.abort()
        return heard


@asynccontextmanager
async def running(folder: Path, **sections: Any) -> AsyncIterator[Running]:
    settings = ServerSettings(
        data=folder,
        http=HttpSettings(port=0),
        media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=1),
        connections=ConnectionSettings(trusted_proxies=("127.0.0.1",)),
    )
    server = await MediaServer.start(replace(settings, **sections))
    try:
        async with aiohttp.ClientSession() as http:
            yield Running(server, http)
    finally:
        await server.close()


PATHS = (
    "/../etc/passwd",
    "//etc/passwd",
    "/sdk/../../../etc/passwd",
    "/sdk/%2e%2e/%2e%2e/etc/passwd",
    "/sdk/..%2f..%2fetc%2fpasswd",
    "/sdk/%00",
    "/sdk/halqa/index.js%00.css",
    "/sdk/halqa/../../tokens.py",
    "/sdk/./",
    "/sdk/halqa/",
    "/sdk//etc/passwd",
    "/class/../../etc/passwd",
    "/class%2f..%2f..",
    "/v1/rooms/../ws",
    "/v1/rooms/%2e%2e/ws",
    "/v1/rooms/a%2fb/ws",
    "/v1/rooms/a%00b/ws",
    "/v1/rooms/%ff%fe/ws",
    "/v1/rooms/%/ws",
    "/v1/rooms/a%0d%0aX:%20y/ws",
    "/v1/rooms/" + "x" * 4000 + "/ws",
    "/v1/rooms//ws",
    "/whip/..%2f..%2fetc",
    "/whep/%00",
    "/v1/events/..",
    "/v1/keys/%2e%2e/revoke",
    "/?" + "a" * 3000,
    "/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "/\\..\\..\\etc\\passwd",
    "*",
    "http://169.254.169.254/latest/meta-data/",
)


async def test_path_tricks_lead_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        for path in PATHS:
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            heard = await site.send_raw(request.encode("latin-1"))
            status = int(heard.split(b" ", 2)[1])
            assert 400 <= status < 500, (path, heard[:200])
            assert b"root:" not in heard
        assert (await site.get("/livez"))[0] == 200
        assert site.server.parts.signaling.rooms == 0


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 1000 + b"\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: a\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
    ],
)
async def test_heads_that_are_none_are_refused(head: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(tmp_path) as site:
        heard = await site.send_raw(head)
        assert heard.split(b" ", 2)[1] == b"400", heard[:200] or "closed"
        assert b'"code":"bad_request"' in heard
        assert b"aiohttp" not in heard
        assert not caplog.records, "whoever sends rubbish does not write into our log"
        assert (await site.get("/livez"))[0] == 200


async def test_a_head_without_end_is_cut(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        heard = await site.send_raw(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"a" * (2 << 20))
        assert heard == b"" or b" 400 " in heard[:20]
        assert site.server.parts.connections.reading()["http_connections"] <= 1


async def test_a_body_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "BODY_TIMEOUT_S", 0.3)
    async with running(tmp_path) as site:
        authorization = site.basic()["Authorization"]
        head = (
            f"POST /v1/keys HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        heard = await site.send_raw(head.encode())
        assert heard.startswith(b"HTTP/1.1 408"), heard[:200]


async def test_every_answer_carries_the_headers_of_protection(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        for path in ("/class", "/sdk/halqa/index.js", "/livez", "/v1/events", "/nowhere", "/whip/algebra", "/docs/api"):
            _, _, headers = await site.get(path)
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] == "no-referrer", path
            assert "default-src 'none'" in headers["Content-Security-Policy"], path
            assert "frame-ancestors" in headers["Content-Security-Policy"], path
            assert "unsafe-eval" not in headers["Content-Security-Policy"], path
            assert "camera=" in headers["Permissions-Policy"], path
            assert "Set-Cookie" not in headers, path
            assert headers["Server"] == "Halqa", path
        _, _, page = await site.get("/class")
        assert "camera=(self)" in page["Permissions-Policy"]
        assert "'unsafe-inline'" not in page["Content-Security-Policy"]


async def test_the_api_is_for_programs_and_not_for_pages_of_others(tmp_path: Path) -> None:
    """No cookie opens anything, so another site gains nothing; and it may not read answers of the control API."""
    async with running(tmp_path) as site:
        origin = {"Origin": "https://evil.example"}
        for path in ("/v1/events", "/v1/keys", "/v1/webhooks", "/metrics", "/livez"):
            _, _, headers = await site.get(path, **origin, **site.basic())
            assert "Access-Control-Allow-Origin" not in headers, path
            assert "Access-Control-Allow-Credentials" not in headers, path
        url = f"{site.server.url}/v1/rooms/algebra/ws"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await site.http.ws_connect(url, headers=origin)
        assert refused.value.status == 401
        headers = {**origin, "Authorization": f"Bearer {site.token('amal')}"}
        async with site.http.ws_connect(url, headers=headers) as websocket:
            assert not websocket.closed


async def test_who_asks_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    async with running(tmp_path, rate_limits=RateLimitSettings(api_burst=5, api_per_s=0.1)) as site:
        answers = [await site.get("/v1/openapi.json", **NAT) for _ in range(6)]
        assert [status for status, _, _ in answers] == [200] * 5 + [429]
        assert [headers["RateLimit-Remaining"] for _, _, headers in answers] == ["4", "3", "2", "1", "0", "0"]
        assert answers[0][2]["RateLimit-Limit"] == "5"
        _, body, headers = answers[-1]
        assert body["error"]["code"] == "rate_limited"
        assert 1 <= int(headers["Retry-After"]) <= 10
        assert (await site.get("/v1/openapi.json", X_Forwarded_For="203.0.113.8"))[0] == 200
        assert (await site.get("/v1/openapi.json"))[0] == 200, "this computer is not counted"
        assert (await site.get("/livez", **NAT))[0] == 200, "whether it lives is always told"


async def test_an_address_cannot_be_made_up(tmp_path: Path) -> None:
    """A client behind the proxy writes a header of its own; the proxy adds the truth on the right."""
    async with running(tmp_path, rate_limits=RateLimitSettings(api_burst=3, api_per_s=0.1)) as site:
        statuses = [
            (await site.get("/v1/openapi.json", X_Forwarded_For=f"198.51.100.{number}, 203.0.113.7"))[0]
            for number in range(5)
        ]
        assert statuses == [200, 200, 200, 429, 429]


async def test_one_key_has_a_rate_from_wherever_it_asks(tmp_path: Path) -> None:
    async with running(tmp_path, rate_limits=RateLimitSettings(key_burst=3, key_per_s=0.1)) as site:
        answers = [
            await site.get("/v1/keys", X_Forwarded_For=f"203.0.113.{number}", **site.basic()) for number in range(4)
        ]
        assert [status for status, _, _ in answers] == [200, 200, 200, 429]
        assert answers[0][2]["RateLimit-Limit"] == "3"
        assert answers[-1][1]["error"]["code"] == "rate_limited"
        assert int(answers[-1][2]["Retry-After"]) >= 1


async def test_failures_are_held_back_and_good_tokens_are_not(tmp_path: Path) -> None:
    async with running(tmp_path, rate_limits=RateLimitSettings(failures_burst=5, failures_per_s=0.1)) as site:
        path = "/v1/rooms/algebra/ice-servers"
        statuses = [(await site.get(path, Authorization="Bearer guessed", **NAT))[0] for _ in range(8)]
        assert statuses == [401] * 5 + [429] * 3
        _, _, headers = await site.get(path, Authorization="Bearer guessed", **NAT)
        assert headers["Access-Control-Allow-Origin"] == "*", "a page of another site must be able to read why"
        status, _, _ = await site.get(path, Authorization=f"Bearer {site.token('amal')}", **NAT)
        assert status == 200, "who comes from the same school with a good token is not held up"
        wrong = "Basic " + base64.b64encode(b"key-1:guess").decode()
        assert (await site.get("/v1/keys", Authorization=wrong, **NAT))[0] == 429
        assert (await site.get("/v1/keys", **NAT, **site.basic()))[0] == 200


async def test_a_class_behind_one_address_is_never_refused(tmp_path: Path) -> None:
    """Sixty load the page, ask for ICE servers and join, as fast as this computer can."""
    async with running(tmp_path) as site:

        async def come(number: int) -> None:
            token = site.token(f"student-{number}")
            for path in ("/class", "/sdk/halqa/index.js", "/sdk/class.js"):
                assert (await site.get(path, **NAT))[0] == 200
            status, _, _ = await site.get("/v1/rooms/algebra/ice-servers", Authorization=f"Bearer {token}", **NAT)
            assert status == 200
            headers = {**NAT, "Authorization": f"Bearer {token}"}
            websocket = await site.http.ws_connect(f"{site.server.url}/v1/rooms/algebra/ws", headers=headers)
            await websocket.send_json({"type": "join", "id": 1})
            assert (await websocket.receive_json(timeout=20))["type"] == "joined"
            arrived.append(websocket)

        arrived: list[aiohttp.ClientWebSocketResponse] = []
        await asyncio.gather(*(come(number) for number in range(CLASS_SIZE)))
        assert site.server.parts.signaling.participants == CLASS_SIZE
        refused = {name: count for name, count in site.server.parts.pace.reading().items() if "refused" in name}
        assert refused
        assert not any(refused.values())
        for websocket in arrived:
            await websocket.close()
