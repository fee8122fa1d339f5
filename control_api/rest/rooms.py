"""/v1/rooms: create rooms, list them, look at one, change it, end it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from msgspec import UNSET

from control_api.contract.rooms import (
    METADATA_BYTES_MAX,
    ChangeRoom,
    ControlRecording,
    CreateRoom,
    EndRoomQuery,
    Room,
    RoomDefinition,
    RoomList,
    RoomQuery,
)
from control_api.contract.scopes import Scope
from control_api.contract.shapes import Request, RoomText
from control_api.rest.created_rooms import CreatedRoom, with_limits
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.hall import Hall, parse_name
from control_api.rest.problems import Problem, ProblemError
from signaling.client_messages import End, Lock
from signaling.identifiers import RoomName
from signaling.kept_state import check_json

TAG: Final = "Rooms"
NAME_BYTES: Final = 9  # 72 random bits: nobody guesses the room of somebody else

_CREATING: Final = (Problem.TOO_LARGE, Problem.TOO_MANY, Problem.DRAINING)


class RoomPath(Request, frozen=True, kw_only=True):
    """Which room."""

    room: RoomText
    """Its name: letters, marks and digits of any script, `_`, `.`, `-`; not beginning with a dot or a mark."""


class RoomEndpoints:
    """Rooms as wholes."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_rooms",
                method="GET",
                path="/v1/rooms",
                summary="List rooms",
                description="By name; of rooms that the API key is not for nothing is told.",
                tag=TAG,
                scope=Scope.ROOMS_READ,
                query=RoomQuery,
                answers={200: Reply("Rooms, those with nobody in them too.", RoomList)},
                run=self._list,
            ),
            Endpoint(
                operation="create_room",
                method="POST",
                path="/v1/rooms",
                summary="Create a room",
                description="It exists at once, and until it was empty for `limits.empty_timeout_s`, "
                "which is 5 minutes by default.",
                tag=TAG,
                scope=Scope.ROOMS_WRITE,
                body=CreateRoom,
                answers={201: Reply("The new room.", Room, headers={"Location": "Where it is."})},
                problems=(*_CREATING, Problem.ROOM_EXISTS, Problem.ROOM_NOT_ALLOWED),
                idempotency_key=True,
                run=self._create,
            ),
            Endpoint(
                operation="put_room",
                method="PUT",
                path="/v1/rooms/{room}",
                summary="Create a room, or make it what it is to be",
                description="Done again, it changes nothing. In a room that exists, door, limits and metadata are "
                "replaced; nobody is put out.",
                tag=TAG,
                scope=Scope.ROOMS_WRITE,
                parameters=RoomPath,
                body=RoomDefinition,
                answers={
                    200: Reply("It existed, and is so now.", Room),
                    201: Reply("The new room.", Room, headers={"Location": "Where it is."}),
                },
                problems=_CREATING,
                run=self._put,
            ),
            Endpoint(
                operation="get_room",
                method="GET",
                path="/v1/rooms/{room}",
                summary="Look at a room",
                tag=TAG,
                scope=Scope.ROOMS_READ,
                parameters=RoomPath,
                answers={200: Reply("The room.", Room)},
                problems=(Problem.NO_SUCH_ROOM,),
                run=self._get,
            ),
            Endpoint(
                operation="change_room",
                method="PATCH",
                path="/v1/rooms/{room}",
                summary="Change a room",
                description="Everybody in it is told of another door.",
                tag=TAG,
                scope=Scope.ROOMS_WRITE,
                parameters=RoomPath,
                body=ChangeRoom,
                answers={200: Reply("The room as it is now.", Room)},
                problems=(Problem.NO_SUCH_ROOM, Problem.TOO_LARGE, Problem.TOO_MANY),
                run=self._change,
            ),
            Endpoint(
                operation="control_recording",
                method="POST",
                path="/v1/rooms/{room}/recording",
                summary="Record a room, or end that",
                description="Everybody in it is told. A recording ends with its room.",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=RoomPath,
                body=ControlRecording,
                answers={200: Reply("The room as it is now.", Room)},
                problems=(Problem.NO_SUCH_ROOM, Problem.CONFLICT, Problem.RECORDING_UNAVAILABLE),
                run=self._record,
            ),
            Endpoint(
                operation="end_room",
                method="DELETE",
                path="/v1/rooms/{room}",
                summary="End a room",
                description="Everybody in it is told `ended` and put out. Who still has a token opens a new room of "
                "that name by joining; with `closed_s` they are refused (`room_locked`) for so long.",
                tag=TAG,
                scope=Scope.ROOMS_WRITE,
                parameters=RoomPath,
                query=EndRoomQuery,
                answers={204: Reply("It is over.")},
                problems=(Problem.NO_SUCH_ROOM,),
                run=self._end,
            ),
        )

    async def _list(self, call: Call[Nothing, RoomQuery, Nothing]) -> Result:
        query = call.query
        for field, text in (("after", query.after), ("prefix", query.prefix)):
            if text is not None:
                parse_name(text, field=field)
        names = [
            name
            for name in self._hall.names(call.caller)
            if (query.after is None or name > query.after) and name.startswith(query.prefix or "")
        ]
        shown, more = names[: query.limit], len(names) > query.limit
        rooms = tuple(self._hall.look(name) for name in shown)
        return Result(RoomList(rooms=rooms, next=shown[-1] if more else None))

    async def _create(self, call: Call[Nothing, Nothing, CreateRoom]) -> Result:
        body = call.body
        text = secrets.token_urlsafe(NAME_BYTES) if body.name is None else body.name
        name = self._hall.parse_name(text, call.caller, field="name")
        if self._hall.signaling.find_room(name) is not None or self._hall.record(name) is not None:
            raise ProblemError(Problem.ROOM_EXISTS, f"There is a room {name!r} already.", field="name", value=name)
        return self._make(name, body)

    async def _put(self, call: Call[RoomPath, Nothing, RoomDefinition]) -> Result:
        name = self._hall.parse_name(call.path.room, call.caller)
        room, record = self._hall.signaling.find_room(name), self._hall.record(name)
        if room is None and record is None:
            return self._make(name, call.body)
        _check_metadata(call.body.metadata)
        settings = replace(with_limits(self._hall.created.default_created, call.body.limits), door=call.body.door)
        self._hall.created.put(replace(self._record_of(name), settings=settings, metadata=call.body.metadata))
        self._apply(name)
        return Result(self._hall.look(name))

    async def _get(self, call: Call[RoomPath, Nothing, Nothing]) -> Result:
        return Result(self._hall.look(self._hall.parse_name(call.path.room, call.caller)))

    async def _change(self, call: Call[RoomPath, Nothing, ChangeRoom]) -> Result:
        name, _ = self._hall.find(call.path.room, call.caller)
        record = self._record_of(name)
        settings, metadata = with_limits(record.settings, call.body.limits), record.metadata
        if call.body.door is not UNSET:
            settings = replace(settings, door=call.body.door)
        if call.body.metadata is not UNSET:
            _check_metadata(call.body.metadata)
            metadata = call.body.metadata
        self._hall.created.put(replace(record, settings=settings, metadata=metadata))
        self._apply(name)
        return Result(self._hall.look(name))

    async def _record(self, call: Call[RoomPath, Nothing, ControlRecording]) -> Result:
        name, room = self._hall.find(call.path.room, call.caller)
        if room is None:
            raise ProblemError(Problem.CONFLICT, "Nobody is in the room yet.")
        room.record(call.body.action)
        return Result(self._hall.look(name))

    async def _end(self, call: Call[RoomPath, EndRoomQuery, Nothing]) -> Result:
        name, room = self._hall.find(call.path.room, call.caller)
        self._hall.created.close(name, seconds=call.query.closed_s)
        if room is not None:
            room.act(End(reason=call.query.reason), now=_now())
            await asyncio.sleep(0)  # the room is carried out before another request may create it again
        return Result(status=204)

    def _make(self, name: RoomName, definition: RoomDefinition) -> Result:
        """Keep a new room; it costs nothing before the first join."""
        if self._hall.signaling.draining:
            raise ProblemError(Problem.DRAINING, headers={"Retry-After": "5"})
        _check_metadata(definition.metadata)
        settings = replace(with_limits(self._hall.created.default_created, definition.limits), door=definition.door)
        record = CreatedRoom(name, settings, _utc(), self._hall.created.now(), definition.metadata)
        self._hall.created.put(record)
        return Result(self._hall.look(name), status=201, headers={"Location": f"/v1/rooms/{quote(name, safe='')}"})

    def _record_of(self, name: RoomName) -> CreatedRoom:
        """Return what is known of a room that exists, as if created now; its door may have been changed inside."""
        room, record = self._hall.signaling.find_room(name), self._hall.record(name)
        if record is None:
            settings = self._hall.created.default if room is None else room.settings
            record = CreatedRoom(name, settings, None, self._hall.created.now(), begun=True)
        record = replace(record, since=self._hall.created.now())
        return record if room is None else replace(record, settings=replace(record.settings, door=room.survey().door))

    def _apply(self, name: RoomName) -> None:
        """Bring what the record says to the room, if there is one yet."""
        room, record = self._hall.signaling.find_room(name), self._hall.record(name)
        if room is not None and record is not None:
            room.configure(record.settings)
            if room.survey().door is not record.settings.door:
                room.act(Lock(door=record.settings.door), now=_now())


def _check_metadata(metadata: dict[str, Any]) -> None:
    check_json(metadata, bytes_max=METADATA_BYTES_MAX)


def _utc() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _now() -> float:
    return asyncio.get_running_loop().time()
