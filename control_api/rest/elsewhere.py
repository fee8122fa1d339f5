"""Endpoints with routes of their own (streams of lines, SDP, WebSockets, metrics): described here, served elsewhere."""

from __future__ import annotations

from typing import Final, Literal

from control_api.contract.errors import ErrorAnswer
from control_api.contract.events import EventQuery, FeedEvent
from control_api.contract.scopes import Scope
from control_api.contract.shapes import Answer, Request, RoomText
from control_api.rest.endpoint import AnyEndpoint, Endpoint, Reply
from control_api.rest.rooms import RoomPath

CLIENTS: Final = "For clients"
OPERATORS: Final = "For operators"
SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"


class Health(Answer, frozen=True, kw_only=True):
    """The process runs."""

    status: Literal["alive"]


class StreamPath(Request, frozen=True, kw_only=True):
    room: RoomText
    resource: str


_NOT_IN: Final = {
    401: Reply("`no_token`, `bad_token`, `token_expired`, `token_not_yet_valid`: show a token to join.", ErrorAnswer),
    403: Reply("`wrong_room` and others: the token, or the room, does not allow it.", ErrorAnswer),
    429: Reply("`rate_limited`: too much at once.", ErrorAnswer),
    503: Reply("`shutting_down`, `draining`, `journal_failed`, `room_full`: try again later.", ErrorAnswer),
}
"""How clients are refused."""

_NOT_UNDERSTOOD: Final = {
    400: Reply("`bad_offer`, `bad_query`, `bad_fragment` ...: the request means nothing.", ErrorAnswer),
    413: Reply("`too_large`.", ErrorAnswer),
    415: Reply("`wrong_content_type`.", ErrorAnswer),
    422: Reply("`unusable_offer` and others: understood, and not possible.", ErrorAnswer),
}


def _stream(protocol: str, verb: str, others: str) -> tuple[AnyEndpoint, ...]:
    """Return the endpoints of WHIP or WHEP."""
    gone = {404: Reply("`unknown_resource`: there is no such stream.", ErrorAnswer), **_NOT_IN}
    stale = {
        412: Reply("`stale_etag`: ICE was restarted meanwhile.", ErrorAnswer),
        428: Reply("`if_match_required`.", ErrorAnswer),
    }
    path = f"/{protocol}/{{room}}"
    return (
        Endpoint(
            operation=f"{protocol}_start",
            method="POST",
            path=path,
            summary=f"{verb} a stream by {protocol.upper()}",
            description=f"The body is an offer, the answer's body the answer (SDP). {others}",
            tag=CLIENTS,
            scope=None,
            join_token=True,
            parameters=RoomPath,
            body_media_type=SDP,
            answers={
                201: Reply(
                    "It begins.", None, SDP, headers={"Location": "The stream.", "ETag": "Its ICE credentials."}
                ),
                **_NOT_UNDERSTOOD,
                **_NOT_IN,
            },
        ),
        Endpoint(
            operation=f"{protocol}_change",
            method="PATCH",
            path=f"{path}/{{resource}}",
            summary=f"Trickle candidates or restart ICE of a {protocol.upper()} stream",
            tag=CLIENTS,
            scope=None,
            join_token=True,
            parameters=StreamPath,
            body_media_type=FRAGMENT,
            answers={
                200: Reply("ICE begins anew.", None, FRAGMENT),
                204: Reply("Candidates are taken."),
                **gone,
                **_NOT_UNDERSTOOD,
                **stale,
            },
        ),
        Endpoint(
            operation=f"{protocol}_end",
            method="DELETE",
            path=f"{path}/{{resource}}",
            summary=f"End a {protocol.upper()} stream",
            tag=CLIENTS,
            scope=None,
            join_token=True,
            parameters=StreamPath,
            answers={200: Reply("It is over."), **gone},
        ),
    )


ELSEWHERE: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        operation="read_events",
        method="GET",
        path="/v1/events",
        summary="Read the feed of events",
        description="One JSON object a line, at least once, in order. control_api/events.md says what is in them.",
        tag="Events",
        scope=Scope.EVENTS_READ,
        query=EventQuery,
        answers={
            200: Reply(
                "Events.",
                FeedEvent,
                "application/x-ndjson",
                headers={"Halqa-Cursor": "Where the next page begins."},
            ),
            400: Reply("`bad_cursor`, `bad_parameter`: a parameter means nothing here.", ErrorAnswer),
            410: Reply("`cursor_gone`: what follows is not kept any more.", ErrorAnswer),
            429: Reply("`too_many_readers`: come again later.", ErrorAnswer),
        },
    ),
    Endpoint(
        operation="join_room",
        method="GET",
        path="/v1/rooms/{room}/ws",
        summary="Join a room by WebSocket",
        description="Subprotocol `halqa.v1`; signaling/protocol.md is the manual.",
        tag=CLIENTS,
        scope=None,
        join_token=True,
        parameters=RoomPath,
        answers={
            101: Reply("The WebSocket is open: send `join`."),
            400: Reply("`bad_subprotocol`.", ErrorAnswer),
            426: Reply("`upgrade_required`: this address speaks WebSocket.", ErrorAnswer),
            **_NOT_IN,
        },
    ),
    *_stream("whip", "Send", "RFC 9725."),
    *_stream("whep", "Watch", "The current draft; `source`, `layer` and others choose what is sent."),
    Endpoint(
        operation="check_alive",
        method="GET",
        path="/livez",
        summary="Ask if the process runs",
        tag=OPERATORS,
        scope=None,
        answers={200: Reply("It runs; this says nothing about load.", Health)},
    ),
    Endpoint(
        operation="read_metrics",
        method="GET",
        path="/metrics",
        summary="Read counters, for Prometheus",
        description="Open to this computer; others show an API key with the scope `metrics:read`, unless the operator "
        "chose otherwise. control_api/metrics.md says what each means.",
        tag=OPERATORS,
        scope=None,
        answers={
            200: Reply("The Prometheus text formats.", None, "text/plain"),
            401: Reply("`no_key`, `bad_key`: not from this computer, and without a key that is taken.", ErrorAnswer),
            403: Reply("`missing_scope`: the key may not be used for this.", ErrorAnswer),
        },
    ),
)
