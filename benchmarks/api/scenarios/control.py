"""The media server's control API and signalling: what an LMS asks for, and people who join, chat and leave."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from benchmarks.api.scenario import Scenario, Suite, SuiteError, Target, User
from benchmarks.api.seat import Seat
from benchmarks.joins.server import Server, ServerDidNotStartError
from benchmarks.load.failures import LoadError
from benchmarks.load.watched import WatchedProcess
from control_api.client import ControlClient, ControlError, Patience, RefusedError
from control_api.contract import ChangeRoom, CreateToken, EventQuery, RoomDefinition, RoomQuery, SendMessage
from control_api.keys import open_keys

ROOM_PREFIX: Final = "benchmark-api-"
CLASS_SIZE: Final = 30
THINK_S: Final = 1.0
"""As in the requirements' own script: a user does one thing a second."""
CHATS: Final = 3
PATIENCE: Final = Patience(attempts=1, timeout_s=20.0)
"""Every try is measured: none may hide behind the next."""
ONE_KEY_IS_A_SCHOOL: Final = (
    "rate_limits.api_burst=1000000",
    "rate_limits.api_per_s=1000000",
    "rate_limits.key_burst=1000000",
    "rate_limits.key_per_s=1000000",
)
"""Limits of one address and one API key, which all users of the run share."""


async def attend(user: User) -> None:
    """A student: gets a token by way of the LMS, joins, writes now and then, leaves."""
    control, room = _control(user), _room(user)
    async with user.step("writes.token"):
        token = await control.create_token(CreateToken(room=room, identity=f"user-{user.number}"))
    async with _seated(user, room, token.token) as seat:
        for number in range(CHATS):
            await user.think(THINK_S)
            async with user.step("live.chat"):
                await seat.ask({"type": "send", "body": f"Message {number}: is that homework?"})
        await user.think(THINK_S)
        async with user.step("live.leave"):
            await seat.leave()
    await user.think(THINK_S)


async def prepare_class(user: User) -> None:
    """A teacher's page of the LMS: sets a room up, changes it, looks who is there, says something."""
    control, room = _control(user), _room(user)
    async with user.step("writes.put_room"):
        await control.put_room(room, RoomDefinition(metadata={"course": user.number // CLASS_SIZE}))
    await user.think(THINK_S)
    async with user.step("reads.room"):
        await control.get_room(room)
    await user.think(THINK_S)
    async with user.step("writes.change_room"):
        await control.change_room(room, ChangeRoom(metadata={"course": user.number // CLASS_SIZE, "week": 7}))
    await user.think(THINK_S)
    async with user.step("reads.participants"):
        await control.list_participants(room)
    await user.think(THINK_S)
    async with user.step("writes.message"):
        await control.send_message(room, SendMessage(topic="notice", body="Five minutes left."))
    await user.think(THINK_S)


async def follow(user: User) -> None:
    """An LMS that keeps itself informed: rooms, who is in one, what happened since the last time."""
    control = _control(user)
    async with user.step("reads.rooms"):
        listed = await control.list_rooms(RoomQuery(prefix=ROOM_PREFIX))
    await user.think(THINK_S)
    names = [room.name for room in listed.rooms]
    async with user.step("reads.participants"):
        await control.list_participants(user.random.choice(names or [f"{ROOM_PREFIX}0"]))
    await user.think(THINK_S)
    async with user.step("reads.events"):
        page = await control.read_events(EventQuery(after=user.memory.get("cursor", "now")))
    user.memory["cursor"] = page.cursor
    await user.think(THINK_S)


async def prepare(target: Target) -> None:
    """Open a room for the first users; so what is wrong with address or key is told before the run."""
    async with ControlClient(target.url, target.key_id, target.secret, patience=PATIENCE) as control:
        try:
            await control.put_room(f"{ROOM_PREFIX}0")
        except RefusedError as error:
            raise SuiteError(f"{target.url} refuses API key {target.key_id!r}: {error}") from None
        except ControlError as error:
            raise SuiteError(str(error)) from None


async def clean_up(target: Target) -> None:
    """End the rooms of the run."""
    async with ControlClient(target.url, target.key_id, target.secret, patience=PATIENCE) as control:
        with contextlib.suppress(ControlError):  # the server may be gone, or a room have ended by itself
            async for room in control.all_rooms(prefix=ROOM_PREFIX):
                with contextlib.suppress(RefusedError):
                    await control.end_room(room.name)


@contextlib.asynccontextmanager
async def start() -> AsyncIterator[Target]:
    """Start a media server that takes a school from one address and by one key."""
    server = Server(*ONE_KEY_IS_A_SCHOOL)
    try:
        await server.__aenter__()
        watched = WatchedProcess(server.pid)
    except (ServerDidNotStartError, LoadError) as error:
        raise SuiteError(str(error)) from None
    try:
        key = open_keys(server.data).first
        yield Target(
            server.url,
            key.key_id,
            key.secret.decode(),
            cpu_s=watched.cpu_s,
            memory_bytes=watched.memory_bytes,
            died=lambda: None if watched.alive else "the server died",
        )
    finally:
        await server.__aexit__(None, None, None)


@contextlib.asynccontextmanager
async def _seated(user: User, room: str, token: str) -> AsyncIterator[Seat]:
    async with user.step("live.join"):
        seat = await Seat.join(user.http, user.target.url, room, token)
    try:
        yield seat
    finally:
        await seat.close()


def _control(user: User) -> ControlClient:
    """Return the user's own client, over the user's own connections."""
    control: ControlClient | None = user.memory.get("control")
    if control is None:
        target = user.target
        control = ControlClient(target.url, target.key_id, target.secret, patience=PATIENCE, http=user.http)
        user.memory["control"] = control
    return control


def _room(user: User) -> str:
    return f"{ROOM_PREFIX}{user.number // CLASS_SIZE}"


SUITE: Final = Suite(
    question="How fast are control API and signalling, when so many people and programs use them?",
    scenarios=(
        Scenario("attend", attend, weight=6),
        Scenario("prepare a class", prepare_class, weight=1),
        Scenario("follow", follow, weight=2),
    ),
    steps=(
        *("live.join", "live.chat", "live.leave"),
        *("reads.room", "reads.rooms", "reads.participants", "reads.events"),
        *("writes.token", "writes.put_room", "writes.change_room", "writes.message"),
    ),
    thresholds=(
        "reads.p95<=50ms",
        "writes.p95<=60ms",
        "live.join.p95<=200ms",
        "live.chat.p95<=100ms",
        "all.p99<=1500ms",
        "all.errors<=0.1%",
    ),
    start=start,
    prepare=prepare,
    clean_up=clean_up,
)
