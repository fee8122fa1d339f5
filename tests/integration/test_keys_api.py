"""API keys by HTTP: made, used for what they are for, rotated and revoked; walls between the rooms of two schools."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from control_api.app import MediaServer
from control_api.authorize.control_token import make_control_token
from control_api.contract.scopes import Scope
from control_api.ice_servers import IceSettings
from control_api.invitations import Invitation, Role
from control_api.journal.events import RoomStarted
from control_api.keys import ApiKey
from control_api.settings import HttpSettings, MediaSettings, ServerSettings

ICE = IceSettings(stun_urls=("stun:turn.example.org",), turn_urls=("turn:turn.example.org",), turn_secret="s" * 32)


def basic(key_id: str, secret: str | bytes) -> str:
    text = secret.encode() if isinstance(secret, str) else secret
    return "Basic " + base64.b64encode(key_id.encode() + b":" + text).decode()


@dataclass(slots=True)
class Running:
    """A server and a client of it."""

    server: MediaServer
    http: aiohttp.ClientSession

    @property
    def first(self) -> ApiKey:
        return self.server.parts.keys.first

    @property
    def everything(self) -> str:
        """Authorization by the key that may do everything."""
        return basic(self.first.key_id, self.first.secret)

    async def ask(
        self, method: str, path: str, authorization: str | None, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        """Return status and body."""
        sent = {**headers} if authorization is None else {"Authorization": authorization, **headers}
        async with self.http.request(method, f"{self.server.url}{path}", json=body, headers=sent) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    async def create(self, *scopes: str, by: str | None = None, **fields: object) -> tuple[str, str]:
        """Return id and secret of a new key."""
        body = {"name": "test", "scopes": scopes, **fields}
        status, answer = await self.ask("POST", "/v1/keys", by or self.everything, body)
        assert status == 201, answer
        return answer["key"]["id"], answer["secret"]


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    settings = ServerSettings(
        data=folder,
        http=HttpSettings(port=0),
        media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=1),
        ice=ICE,
    )
    server = await MediaServer.start(settings)
    try:
        async with aiohttp.ClientSession() as http:
            yield Running(server, http)
    finally:
        await server.close()


async def test_the_life_of_a_key(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        key_id, secret = await site.create("events:read", rooms="school-a.*", lifetime_s=3600)
        assert (await site.ask("GET", "/v1/events", basic(key_id, secret)))[0] == 200
        status, listed = await site.ask("GET", "/v1/keys", site.everything)
        assert status == 200
        found = next(key for key in listed["keys"] if key["id"] == key_id)
        assert (found["state"], found["rooms"], found["scopes"]) == ("usable", "school-a.*", ["events:read"])
        assert secret not in json.dumps(listed)

        status, rotated = await site.ask("POST", f"/v1/keys/{key_id}/rotate", site.everything, {"overlap_s": 60})
        assert status == 200
        assert rotated["secret"] != secret
        assert rotated["key"]["earlier_secret_until"]
        for each in (secret, rotated["secret"]):
            assert (await site.ask("GET", "/v1/events", basic(key_id, each)))[0] == 200
        _, again = await site.ask("POST", f"/v1/keys/{key_id}/rotate", site.everything, {"overlap_s": 0})
        for each, expected in ((rotated["secret"], 401), (secret, 200), (again["secret"], 200)):
            assert (await site.ask("GET", "/v1/events", basic(key_id, each)))[0] == expected

        for _ in range(2):
            status, revoked = await site.ask("POST", f"/v1/keys/{key_id}/revoke", site.everything)
            assert (status, revoked["state"]) == (200, "revoked")
        for each in (secret, again["secret"]):
            assert (await site.ask("GET", "/v1/events", basic(key_id, each)))[0] == 401
        assert (await site.ask("POST", f"/v1/keys/{key_id}/rotate", site.everything, {}))[0] == 409


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "x", "scopes": []}, 400, "bad_field"),
        ({"name": "x", "scopes": ["rooms:everything"]}, 400, "bad_field"),
        ({"name": "x"}, 400, "bad_field"),
        ({"name": "", "scopes": ["rooms:read"]}, 400, "bad_field"),
        ({"name": "a\u202eb", "scopes": ["rooms:read"]}, 400, "bad_field"),
        ({"name": "x", "scopes": ["rooms:read"], "rooms": "../*"}, 400, "bad_field"),
        ({"name": "x", "scopes": ["rooms:read"], "lifetime_s": 0}, 400, "bad_field"),
        ({"name": "x", "scopes": ["rooms:read"], "admin": True}, 400, "bad_field"),
        ({"name": "x", "scopes": ["rooms:read"], "secret": "mine"}, 400, "bad_field"),
    ],
)
async def test_keys_that_cannot_be_made(body: object, status: int, code: str, tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        answer = await site.ask("POST", "/v1/keys", site.everything, body)
        assert (answer[0], answer[1]["error"]["code"]) == (status, code)
        assert len(site.server.parts.keys.listed()) == 1


async def test_no_key_makes_sees_or_ends_a_stronger_one(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        school = basic(*await site.create("keys:write", "events:read", rooms="school-a.*"))
        for wanted, code in (
            ({"scopes": ["rooms:write"]}, "missing_scope"),
            ({"scopes": ["events:read"], "rooms": "*"}, "room_not_allowed"),
            ({"scopes": ["events:read"], "rooms": "school*"}, "room_not_allowed"),
        ):
            status, answer = await site.ask("POST", "/v1/keys", school, {"name": "x", **wanted})
            assert (status, answer["error"]["code"]) == (403, code)
        child, _ = await site.create("events:read", by=school)
        _, listed = await site.ask("GET", "/v1/keys", school)
        assert {key["rooms"] for key in listed["keys"]} == {"school-a.*"}
        assert child in {key["id"] for key in listed["keys"]}
        for verb in ("rotate", "revoke"):
            body: dict[str, int] | None = {} if verb == "rotate" else None
            status, answer = await site.ask("POST", f"/v1/keys/{site.first.key_id}/{verb}", school, body)
            assert (status, answer["error"]["code"]) == (404, "no_such_key")
        assert (await site.ask("POST", f"/v1/keys/{child}/revoke", school))[0] == 200


async def test_every_scope_is_denied_unless_given(tmp_path: Path) -> None:
    """Each endpoint of the API that needs a scope, by a key with all scopes but that one, and by nobody."""
    async with running(tmp_path) as site:
        status, document = await site.ask("GET", "/v1/openapi.json", None)
        assert status == 200
        tried = 0
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if {"api_key": []} not in operation["security"]:
                    continue
                scope = operation["description"].rpartition("Needs the scope `")[2].partition("`")[0]
                others = [each.value for each in Scope if each.value != scope]
                weak = basic(*await site.create(*others))
                address = path.replace("{", "").replace("}", "")
                status, answer = await site.ask(method.upper(), address, weak)
                assert (status, answer["error"]["code"]) == (403, "missing_scope"), (method, path)
                for nobody in (None, "Bearer nonsense", basic("key-1", "guess"), "Negotiate abc"):
                    status, answer = await site.ask(method.upper(), address, nobody)
                    assert (status, answer["error"]["code"] in {"no_key", "bad_key"}) == (401, True), (method, path)
                tried += 1
        assert tried >= 7


async def test_a_short_token_instead_of_the_secret(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        soon = time.time() + 60
        whole = make_control_token(site.first, expires_at=soon)
        assert (await site.ask("GET", "/v1/keys", f"Bearer {whole}"))[0] == 200
        narrow = make_control_token(site.first, expires_at=soon, scopes=frozenset({Scope.EVENTS_READ}))
        assert (await site.ask("GET", "/v1/events", f"Bearer {narrow}"))[0] == 200
        status, answer = await site.ask("GET", "/v1/keys", f"Bearer {narrow}")
        assert (status, answer["error"]["code"]) == (403, "missing_scope")
        old = make_control_token(site.first, expires_at=time.time() - 60)
        join = Invitation("algebra", "amal", Role.TEACHER, soon).token(site.first)
        for token in (old, join):
            status, answer = await site.ask("GET", "/v1/keys", f"Bearer {token}")
            assert (status, answer["error"]["code"]) == (401, "bad_key")
        status, answer = await site.ask("GET", "/v1/rooms/algebra/ice-servers", f"Bearer {whole}")
        assert (status, answer["error"]["code"]) == (401, "bad_token"), "nor does it let anybody into a room"


async def test_a_key_of_one_school_opens_no_room_of_another(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        key_id, secret = await site.create("tokens:create", "rooms:moderate", "events:read", rooms="school-a.*")
        key = site.server.parts.keys.find(key_id)
        assert key is not None
        for room, status in (("school-a.7b", 200), ("school-b.7b", 401)):
            token = Invitation(room, "amal", Role.TEACHER, time.time() + 60).token(key)
            bearer = f"Bearer {token}"
            assert (await site.ask("GET", f"/v1/rooms/{room}/ice-servers", bearer))[0] == status
            answer = await site.ask("GET", f"/v1/rooms/{room}/ws", bearer)
            assert answer[0] == (426 if status == 200 else status)
            answer = await site.ask("POST", f"/whip/{room}", bearer)
            assert answer[0] == (415 if status == 200 else status)

        for room in ("school-b.1", "school-a.1"):
            site.server.parts.journal.append(RoomStarted(room=room))
        await site.server.parts.journal.wait_durable(site.server.parts.journal.position)
        _, lines = await site.ask("GET", "/v1/events", basic(key_id, secret))
        assert "school-a.1" in lines
        assert "school-b" not in lines
        _, lines = await site.ask("GET", "/v1/events", site.everything)
        assert "school-b.1" in lines


async def test_what_happens_elsewhere_does_not_end_a_wait(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        reader = basic(*await site.create("events:read", rooms="school-a.*"))
        journal = site.server.parts.journal
        waiting = asyncio.create_task(site.ask("GET", "/v1/events?after=now&wait_s=20", reader))
        await asyncio.sleep(0.2)
        for number in range(5):
            journal.append(RoomStarted(room=f"school-b.{number}"))
            await journal.wait_durable(journal.position)
        await asyncio.sleep(0.1)
        assert not waiting.done()
        journal.append(RoomStarted(room="school-a.9"))
        _, lines = await asyncio.wait_for(waiting, 10)
        assert [json.loads(line)["event"]["room"] for line in lines.splitlines()] == ["school-a.9"]


async def test_ice_servers_for_people_and_programs(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        bearer = "Bearer " + Invitation("algebra", "Maryam", Role.STUDENT, time.time() + 60).token(site.first)
        url = f"{site.server.url}/v1/rooms/algebra/ice-servers"
        async with site.http.get(url, headers={"Authorization": bearer}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["Cache-Control"] == "no-store"
            servers = await answer.json()
        assert servers["ttl_s"] == 600
        stun, turn = servers["ice_servers"]
        assert stun == {"urls": ["stun:turn.example.org"]}
        assert turn["urls"] == ["turn:turn.example.org"]
        assert int(turn["username"].partition(":")[0]) - time.time() <= 600
        assert "Maryam" not in json.dumps(servers)
        async with site.http.options(url, headers={"Origin": "https://lms.example"}) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Headers"] == "Authorization"
        for authorization, status in ((None, 401), ("Bearer x", 401), (bearer.replace("Bearer", "Basic"), 401)):
            assert (await site.ask("GET", "/v1/rooms/algebra/ice-servers", authorization))[0] == status
        assert (await site.ask("GET", "/v1/rooms/other/ice-servers", bearer))[0] == 403

        status, servers = await site.ask("GET", "/v1/ice-servers?name=Maryam", site.everything)
        assert status == 200
        assert servers["ice_servers"][1]["credential"]
        assert (await site.ask("GET", "/v1/ice-servers", bearer))[0] == 401
