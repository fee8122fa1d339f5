"""/v1/rooms/{room}/tracks and /messages: what is shown in a room, and a word from outside."""

from __future__ import annotations

from typing import Final, Literal

from control_api.contract.messages import SendMessage
from control_api.contract.scopes import Scope
from control_api.contract.shapes import Request, RoomText, TrackText
from control_api.contract.tracks import Track, TrackList
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.hall import Hall
from control_api.rest.problems import Problem, ProblemError
from control_api.rest.rooms import RoomPath
from control_api.rest.views import tell_track
from signaling.client_messages import Recipients
from signaling.participant import Participant
from signaling.room import Room
from signaling.track import Track as Published

TAG: Final = "Tracks"


class TrackPath(Request, frozen=True, kw_only=True):
    """Which track of which room."""

    room: RoomText
    """Its name."""
    track: TrackText
    """The id of the track."""


class TrackEndpoints:
    """What is shown and said in rooms."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_tracks",
                method="GET",
                path="/v1/rooms/{room}/tracks",
                summary="List the tracks of a room",
                tag=TAG,
                scope=Scope.ROOMS_READ,
                parameters=RoomPath,
                answers={200: Reply("Tracks, oldest first.", TrackList)},
                problems=(Problem.NO_SUCH_ROOM,),
                run=self._list,
            ),
            Endpoint(
                operation="mute_track",
                method="POST",
                path="/v1/rooms/{room}/tracks/{track}/mute",
                summary="Mute a track",
                description="Its owner may go on with it.",
                tag=TAG,
                scope=Scope.ROOMS_MODERATE,
                parameters=TrackPath,
                answers={200: Reply("The track as it is now.", Track)},
                problems=(Problem.NO_SUCH_ROOM, Problem.NO_SUCH_TRACK),
                run=self._mute,
            ),
            Endpoint(
                operation="send_message",
                method="POST",
                path="/v1/rooms/{room}/messages",
                summary="Send a message into a room",
                description="To all, to roles, or to some. It is not kept: who joins later does not get it.",
                tag="Rooms",
                scope=Scope.ROOMS_MODERATE,
                parameters=RoomPath,
                body=SendMessage,
                answers={202: Reply("It is on its way to those who are in the room.")},
                problems=(Problem.NO_SUCH_ROOM, Problem.NO_SUCH_PARTICIPANT, Problem.TOO_LARGE),
                run=self._send,
            ),
        )

    async def _list(self, call: Call[RoomPath, Nothing, Nothing]) -> Result:
        _, room = self._hall.find(call.path.room, call.caller)
        return Result(TrackList(tracks=() if room is None else tuple(_tracks(room))))

    async def _mute(self, call: Call[TrackPath, Nothing, Nothing]) -> Result:
        _, room = self._hall.find(call.path.room, call.caller)
        if room is None:
            raise ProblemError(Problem.NO_SUCH_TRACK, "There is nobody in this room.")
        room.mute_track(call.path.track)
        [track] = [each for each in _tracks(room) if each.id == call.path.track]
        return Result(track)

    async def _send(self, call: Call[RoomPath, Nothing, SendMessage]) -> Result:
        name, room = self._hall.find(call.path.room, call.caller)
        body = call.body
        to: Literal["all"] | Recipients = "all"
        if body.roles or body.participants:
            to = Recipients(roles=list(body.roles), participants=list(body.participants))
        if room is not None:
            room.send(body.body, to=to, topic=body.topic)
        elif body.participants:
            raise ProblemError(Problem.NO_SUCH_PARTICIPANT, f"There is nobody in room {name!r}.")
        return Result(status=202)


def _tracks(room: Room) -> list[Track]:
    """Return all tracks, oldest first."""
    stays = room.survey().participants
    found = sorted(((who, each) for who in stays for each in who.tracks.values()), key=_publication_order)
    return [tell_track(who.id, each) for who, each in found]


def _publication_order(found: tuple[Participant, Published]) -> int:
    return found[1].publication_order
