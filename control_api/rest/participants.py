"""/v1/rooms/{room}/participants: who is in a room, and what is decided about them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from control_api.contract.participants import (
    Admit,
    Admitted,
    ChangePermissions,
    Move,
    Mute,
    Participant,
    ParticipantList,
    ParticipantQuery,
    Permissions,
    RemoveQuery,
)
from control_api.contract.scopes import Scope
from control_api.contract.shapes import ParticipantText, Request, RoomText
from control_api.rest.authority import Caller
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.hall import Hall
from control_api.rest.problems import Problem, ProblemError
from control_api.rest.rooms import RoomPath
from control_api.rest.views import tell_participant, tell_permissions, tell_visitor
from signaling import client_messages as asked
from signaling import participant as stays
from signaling.entrance import Visitor
from signaling.identifiers import Source
from signaling.room import Room
from signaling.tokens import make_token

TAG: Final = "Participants"
PATH: Final = "/v1/rooms/{room}/participants/{participant}"


class ParticipantPath(Request, frozen=True, kw_only=True):
    """Who, in which room."""

    room: RoomText
    """Its name."""
    participant: ParticipantText
    """The id of the participant, not the identity of the person: `GET /v1/rooms/{room}/participants?identity=`."""


class ParticipantEndpoints:
    """People in rooms. `wallclock` is seconds since 1970, UTC."""

    def __init__(self, hall: Hall, wallclock: Callable[[], float] = time.time) -> None:
        self._hall = hall
        self._wallclock = wallclock

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (*self._looking(), *self._deciding())

    def _looking(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_participants",
                method="GET",
                path="/v1/rooms/{room}/participants",
                summary="List who is in a room",
                tag=TAG,
                scope=Scope.ROOMS_READ,
                parameters=RoomPath,
                query=ParticipantQuery,
                answers={200: Reply("Those who are in it, and who wait.", ParticipantList)},
                problems=(Problem.NO_SUCH_ROOM,),
                run=self._list,
            ),
            Endpoint(
                operation="get_participant",
                method="GET",
                path=PATH,
                summary="Look at a participant",
                tag=TAG,
                scope=Scope.ROOMS_READ,
                parameters=ParticipantPath,
                answers={200: Reply("The participant.", Participant)},
                problems=(Problem.NO_SUCH_ROOM, Problem.NO_SUCH_PARTICIPANT),
                run=self._get,
            ),
        )

    def _deciding(self) -> tuple[AnyEndpoint, ...]:
        missing = (Problem.NO_SUCH_ROOM, Problem.NO_SUCH_PARTICIPANT)
        return (
            Endpoint(
                operation="remove_participant",
                method="DELETE",
                path=PATH,
                summary="Put somebody out",
                description="Of the room, or of its waiting room. They are told `removed` or `banned`, and the reason.",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=ParticipantPath,
                query=RemoveQuery,
                answers={204: Reply("They are gone.")},
                problems=missing,
                run=self._remove,
            ),
            Endpoint(
                operation="mute_participant",
                method="POST",
                path=f"{PATH}/mute",
                summary="Mute somebody",
                description="Their tracks stop at the server; they may go on with them. To keep them from it, change "
                "their permissions.",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=ParticipantPath,
                body=Mute,
                answers={200: Reply("The participant as it is now.", Participant)},
                problems=missing,
                run=self._mute,
            ),
            Endpoint(
                operation="mute_everybody",
                method="POST",
                path="/v1/rooms/{room}/mute",
                summary="Mute everybody who does not moderate",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=RoomPath,
                body=Mute,
                answers={204: Reply("They are muted.")},
                problems=(Problem.NO_SUCH_ROOM,),
                run=self._mute_everybody,
            ),
            Endpoint(
                operation="change_permissions",
                method="PATCH",
                path=f"{PATH}/permissions",
                summary="Change what somebody may do",
                description="From now on, in this stay. They are told; tracks that are not allowed any more end.",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=ParticipantPath,
                body=ChangePermissions,
                answers={200: Reply("What they may do now.", Permissions)},
                problems=missing,
                run=self._permit,
            ),
            Endpoint(
                operation="move_participant",
                method="POST",
                path=f"{PATH}/move",
                summary="Send somebody to another room",
                description="Their client is told `moved`, with a token for the other room, and joins there by itself. "
                "Needs the scope `tokens:create` too, and an API key for both rooms.",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=ParticipantPath,
                body=Move,
                answers={202: Reply("They are on their way.")},
                problems=(*missing, Problem.CONFLICT),
                run=self._move,
            ),
            Endpoint(
                operation="admit",
                method="POST",
                path="/v1/rooms/{room}/admit",
                summary="Let in who waits",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=RoomPath,
                body=Admit,
                answers={200: Reply("Who was let in.", Admitted)},
                problems=missing,
                run=self._admit,
            ),
        )

    async def _list(self, call: Call[RoomPath, ParticipantQuery, Nothing]) -> Result:
        _, room = self._hall.find(call.path.room, call.caller)
        if room is None:
            return Result(ParticipantList(participants=(), next=None))
        query, survey = call.query, room.survey()
        everybody = [
            *((0, tell_visitor(each)) for each in survey.visitors),
            *((each.order, tell_participant(each)) for each in survey.participants),
        ]
        after = -1 if query.after is None else int(query.after)
        found = [
            (order, each)
            for order, each in everybody
            if order > after and query.presence in {None, each.presence} and query.identity in {None, each.identity}
        ]
        return Result(_page(found, query.limit))

    async def _get(self, call: Call[ParticipantPath, Nothing, Nothing]) -> Result:
        found = _find(self._live(call.path, call.caller), call.path.participant)
        return Result(tell_visitor(found) if isinstance(found, Visitor) else tell_participant(found))

    async def _remove(self, call: Call[ParticipantPath, RemoveQuery, Nothing]) -> Result:
        message = asked.Remove(participant=call.path.participant, reason=call.query.reason, ban=call.query.ban)
        self._live(call.path, call.caller).act(message, now=_now())
        return Result(status=204)

    async def _mute(self, call: Call[ParticipantPath, Nothing, Mute]) -> Result:
        room = self._live(call.path, call.caller)
        participant = _find_inside(room, call.path.participant)
        for source in _sources(call.body):
            room.act(asked.MuteParticipant(participant=participant.id, source=source), now=_now())
        return Result(tell_participant(participant))

    async def _mute_everybody(self, call: Call[RoomPath, Nothing, Mute]) -> Result:
        _, room = self._hall.find(call.path.room, call.caller)
        if room is not None:
            for source in _sources(call.body):
                room.act(asked.MuteParticipant(participant=asked.EVERYBODY, source=source), now=_now())
        return Result(status=204)

    async def _permit(self, call: Call[ParticipantPath, Nothing, ChangePermissions]) -> Result:
        room, body = self._live(call.path, call.caller), call.body
        message = asked.Permit(
            participant=call.path.participant,
            publish=None if body.publish is None else list(body.publish),
            subscribe=body.subscribe,
            send=body.send,
            moderate=body.moderate,
            record=body.record,
        )
        room.act(message, now=_now())
        return Result(tell_permissions(_find_inside(room, call.path.participant).grants))

    async def _move(self, call: Call[ParticipantPath, Nothing, Move]) -> Result:
        call.caller.check(Scope.TOKENS_CREATE)
        room = self._live(call.path, call.caller)
        participant = _find_inside(room, call.path.participant)
        there = self._hall.parse_name(call.body.room, call.caller)
        if there == room.name and call.body.url is None:
            raise ProblemError(Problem.CONFLICT, "They are in that room already.", field="room", value=there)
        ends_at = self._wallclock() + participant.expires_at - _now()
        grants = replace(participant.grants, room=there, expires_at=ends_at, name=participant.name)
        try:
            token = make_token(grants, key_id=call.caller.key_id, secret=call.caller.secret)
        except ValueError as error:  # a longer room name, and what they may do is said at length
            raise ProblemError(Problem.CONFLICT, f"{error}.", field="room") from None
        # Relative to the address at which they are: behind a proxy we do not know the one that they see.
        url = call.body.url or f"../{quote(there, safe='')}/ws"
        room.move(participant.id, url=url, token=token)
        return Result(status=202)

    async def _admit(self, call: Call[RoomPath, Nothing, Admit]) -> Result:
        who, (_, room) = call.body.participant, self._hall.find(call.path.room, call.caller)
        if room is None:
            if who != asked.EVERYBODY:
                raise ProblemError(Problem.NO_SUCH_PARTICIPANT, "Nobody waits.")
            return Result(Admitted(participants=()))
        waited = [each.id for each in room.survey().visitors]
        room.act(asked.Admit(participant=who), now=_now())
        inside = {each.id for each in room.survey().participants}
        return Result(Admitted(participants=tuple(each for each in waited if each in inside)))

    def _live(self, path: ParticipantPath, caller: Caller) -> Room:
        _, room = self._hall.find(path.room, caller)
        if room is None:
            raise ProblemError(Problem.NO_SUCH_PARTICIPANT, "There is nobody in this room.")
        return room


def _page(found: list[tuple[int, Participant]], limit: int) -> ParticipantList:
    """Return the first so many; all who wait come together, as they have no number of their own."""
    shown = found[:limit]
    while len(shown) < len(found) and shown[-1][0] == found[len(shown)][0]:
        shown.append(found[len(shown)])
    more = len(found) > len(shown)
    return ParticipantList(participants=tuple(each for _, each in shown), next=str(shown[-1][0]) if more else None)


def _find(room: Room, participant: str) -> stays.Participant | Visitor:
    survey = room.survey()
    for inside in survey.participants:
        if inside.id == participant:
            return inside
    for visitor in survey.visitors:
        if visitor.id == participant:
            return visitor
    raise ProblemError(Problem.NO_SUCH_PARTICIPANT, f"There is no participant {participant!r} in this room.")


def _find_inside(room: Room, participant: str) -> stays.Participant:
    found = _find(room, participant)
    if isinstance(found, Visitor):
        raise ProblemError(Problem.CONFLICT, f"{participant!r} waits to be admitted.")
    return found


def _sources(body: Mute) -> tuple[Source, ...]:
    return tuple(Source) if body.source is None else (body.source,)


def _now() -> float:
    return asyncio.get_running_loop().time()
