"""A whole class, and what goes wrong around one, at the level `debug`: the log holds no secret of anybody."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from pathlib import Path

import aiohttp

from control_api.authorize.control_token import make_control_token
from control_api.contract.scopes import Scope
from control_api.invitations import Invitation, Role
from tests.support.media_process import media_process
from tests.support.peer import Peer, PeerOptions
from tests.support.peer_school import until

ROOM = "algebra-canary"
NAMES = ("teacher-canary", "student-canary")
TURN_SECRET = "turn-secret-canary-0123456789"


async def test_no_secret_is_logged(tmp_path: Path) -> None:
    flags = ("--log-level", "debug", "--set", "ice.turn_urls=turn:turn.example.org", "--set")
    async with (
        media_process(tmp_path, *flags, f"ice.turn_secret={TURN_SECRET}") as server,
        aiohttp.ClientSession() as http,
    ):
        key = server.key
        secrets = {key.secret.decode(), TURN_SECRET}
        tokens = [Invitation(ROOM, name, Role.TEACHER, time.time() + 600).token(key) for name in NAMES]
        secrets.update(tokens)
        peers = [Peer(ROOM, name, PeerOptions()) for name in NAMES]
        try:
            for peer, token in zip(peers, tokens, strict=True):
                await peer.join(http, server.url, token)
                await peer.publish("camera", "microphone")
            first, second = peers
            await until(lambda: second.packets_from(first.author, video=True) > 5, "the class sees the teacher")
            for peer in peers:
                for credentials in peer.media.link.credentials:
                    secrets.update((credentials.ufrag, credentials.password))
            secrets |= await misuse(http, server.url, key.key_id, key.secret.decode(), tokens)
            for peer in peers:
                await peer.leave()
        finally:
            for peer in peers:
                await peer.abort()
        secrets |= await use_keys(http, server.url, f"Bearer {make_control_token(key, expires_at=time.time() + 60)}")
        log = server.log.read_text()
    log += server.log.read_text()
    assert len(log.splitlines()) >= 5, "something was logged at all"
    assert not [secret for secret in secrets if secret in log]
    assert not [name for name in NAMES if name in log], "nor whom it taught"
    assert not re.search(r"eyJ[\w-]{10,}", log), "no JSON Web Token"
    assert "a=ice-" not in log
    assert "a=candidate" not in log
    assert not re.search(r"BEGIN [A-Z ]*KEY", log)


async def misuse(http: aiohttp.ClientSession, url: str, key_id: str, secret: str, tokens: list[str]) -> set[str]:
    """Show good secrets in wrong places, where an error might repeat them; return what else must not be logged."""
    wrong = "Basic " + base64.b64encode(f"{key_id}:guess-canary".encode()).decode()
    swapped = "Basic " + base64.b64encode(f"{secret}:{key_id}".encode()).decode()
    for authorization in (wrong, swapped, f"Bearer {tokens[0]}x", f"Bearer {secret}", f"Token {tokens[0]}"):
        for path in ("/v1/events", "/v1/keys", f"/v1/rooms/{ROOM}/ws", f"/v1/rooms/{ROOM}/ice-servers"):
            async with http.get(f"{url}{path}", headers={"Authorization": authorization}) as answer:
                assert answer.status == 401
    async with http.get(f"{url}/v1/rooms/{ROOM}/ws?token={tokens[0]}") as answer:
        assert answer.status == 401
    protocols = ("nonsense", f"bearer.{tokens[0]}")
    try:
        await http.ws_connect(f"{url}/v1/rooms/{ROOM}/ws", protocols=protocols)
    except aiohttp.WSServerHandshakeError as refused:
        assert refused.status == 400
    host, _, port = url.removeprefix("http://").partition(":")
    for line in (
        f"Authorization: Bearer {tokens[0]}\x00",
        f"Authorization : Bearer {tokens[0]}",
        "X" * 9000 + tokens[0],
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /v1/events?{secret} HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n".encode())
        await asyncio.wait_for(reader.read(100), 5)
        writer.close()
        await writer.wait_closed()
    bearer = {"Authorization": f"Bearer {tokens[0]}", "Content-Type": "application/sdp"}
    async with http.post(f"{url}/whip/{ROOM}", data=f"v=0\r\na=ice-pwd:{secret}\r\n", headers=bearer) as answer:
        assert 400 <= answer.status < 500
    return {wrong.split()[1], swapped.split()[1], "guess-canary"}


async def use_keys(http: aiohttp.ClientSession, url: str, authorization: str) -> set[str]:
    """Make, rotate and revoke a key and get TURN credentials; return what was told."""
    told: set[str] = {authorization.split()[1]}
    headers = {"Authorization": authorization}
    wanted = {"name": "canary", "scopes": [Scope.EVENTS_READ.value]}
    async with http.post(f"{url}/v1/keys", json=wanted, headers=headers) as answer:
        made = await answer.json()
    told.add(made["secret"])
    address = f"{url}/v1/keys/{made['key']['id']}"
    async with http.post(f"{address}/rotate", json={"overlap_s": 5}, headers=headers) as answer:
        told.add((await answer.json())["secret"])
    async with http.post(f"{address}/revoke", headers=headers) as answer:
        assert answer.status == 200
    async with http.get(f"{url}/v1/ice-servers", headers=headers) as answer:
        turn = (await answer.json())["ice_servers"][-1]
    return told | {turn["credential"]}
