"""Doors that stay shut for WHIP and WHEP, as for everybody: each with its code, its status and when to come again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import pytest

from signaling.client_messages import Lock, Remove
from signaling.identifiers import Door, RoomName
from signaling.join_pace import JoinRates
from signaling.limits import RoomSettings
from signaling.room import Room
from tests.integration.test_whip import PUBLISHER, VIEWER
from tests.support.whip import Answer, Server, serve


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve() as server:
        created = await server.post("/whip/algebra", PUBLISHER, "camera-1")
        assert created.status == 201
        yield server


def room_of(server: Server) -> Room:
    room = server.signaling.find_room(RoomName("algebra"))
    assert room is not None
    return room


DOORS: dict[str, tuple[Callable[[Room], None], int]] = {
    "room_locked": (lambda room: room.act(Lock(door=Door.LOCKED), now=0.0), 403),
    "not_admitted": (lambda room: room.act(Lock(door=Door.WAITING), now=0.0), 403),
    "room_full": (lambda room: room.configure(RoomSettings(participants_max=1, empty_timeout_s=0.0)), 503),
}


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]["code"]


@pytest.mark.parametrize("code", DOORS)
@pytest.mark.parametrize(("path", "offer"), [("/whip/algebra", PUBLISHER), ("/whep/algebra", VIEWER)])
async def test_a_door_that_is_shut(server: Server, path: str, offer: str, code: str) -> None:
    shut, status = DOORS[code]
    shut(room_of(server))
    assert refusal(await server.post(path, offer, "stranger")) == (status, code)
    assert (server.signaling.participants, server.whip.streams) == (1, 1)


async def test_who_was_banned_does_not_come_back(server: Server) -> None:
    assert (await server.post("/whip/algebra", PUBLISHER, "camera-2")).status == 201
    [banned] = [each for each in room_of(server).survey().participants if each.grants.identity == "camera-2"]
    room_of(server).act(Remove(participant=banned.id, ban=True), now=0.0)
    assert refusal(await server.post("/whip/algebra", PUBLISHER, "camera-2")) == (403, "banned")
    assert (await server.post("/whip/algebra", PUBLISHER, "camera-3")).status == 201


async def test_a_draining_server_takes_streams_into_rooms_that_are_there(server: Server) -> None:
    server.signaling.drain(None)
    assert (await server.post("/whip/algebra", PUBLISHER, "camera-2")).status == 201
    refused = await server.post("/whip/physics", PUBLISHER, "camera-3", room="physics")
    assert (*refusal(refused), refused.headers["Retry-After"]) == (503, "draining", "5")


async def test_who_comes_too_often_is_told_when_to_come_again(server: Server) -> None:
    refused = [await server.post("/whip/algebra", "no SDP", "restless") for _ in range(JoinRates().identity_burst + 5)]
    assert refusal(refused[0]) == (400, "bad_offer")
    assert refusal(refused[-1]) == (429, "rate_limited")
    assert int(refused[-1].headers["Retry-After"]) >= 1
    assert (await server.post("/whip/algebra", PUBLISHER, "patient")).status == 201
