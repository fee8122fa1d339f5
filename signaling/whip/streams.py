"""How a stream is made: the messages by which a publisher or a viewer over HTTP comes into its room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from signaling.client_messages import Join, View
from signaling.codes import ErrorCode
from signaling.grants import NO_SOURCES, Grants
from signaling.identifiers import Identity, TrackId
from signaling.policy import check_view
from signaling.server_messages import Joined, SlotsChanged, TrackChanged, TrackView
from signaling.websocket import SignalingServer
from signaling.whip.config import WhipConfig
from signaling.whip.plans import parse_selection, parse_source, plan_playback, plan_publication
from signaling.whip.refusals import Refusal, RefusedError
from signaling.whip.resources import Resource
from signaling.whip.seat import Seat

_IDENTITY_CHARACTERS_MAX: Final = 100
"""Of a viewer's own; the rest of what an identity may have is for the alias."""


async def publish(
    resource: Resource, signaling: SignalingServer, config: WhipConfig, offer: str, query: Mapping[str, str]
) -> None:
    """Bring a publisher into its room; RefusedError or RequestError."""
    sources = parse_source(query)
    publications = plan_publication(offer, sources, resource.grants)
    seat = _take_seat(resource, signaling, config)
    joined = await seat.enter(Join(offer=offer, slots=[]), resource.grants, Joined)
    for publication in publications:
        await seat.ask(publication, TrackChanged)
    resource.offer, resource.answer = offer, joined.answer or ""


async def play(
    resource: Resource, signaling: SignalingServer, config: WhipConfig, offer: str, query: Mapping[str, str]
) -> None:
    """Bring a viewer into its room, unseen; RefusedError or RequestError."""
    selection = parse_selection(query)
    check_view(resource.grants)
    playback = plan_playback(offer, slots_max=config.slots_max)
    if signaling.find_room(resource.grants.room) is None:
        headers = {"Retry-After": str(config.retry_after_s)}
        raise RefusedError(Refusal.NOT_STARTED, "nobody is in the room yet", headers=headers)
    seat = _take_seat(resource, signaling, config)
    joined = await seat.enter(Join(offer=offer, slots=list(playback.slots)), _hide(resource), Joined)
    if selection.rendition is not None and seat.stay is not None:
        seat.stay.room.prefer(seat.stay.participant, selection.rendition)
    if selection.track is not None:
        track = _find_track(joined, selection.track)
        await seat.ask(View(slots=playback.views(track.id, track.kind)), SlotsChanged)
    resource.offer, resource.answer = offer, joined.answer or ""


def _take_seat(resource: Resource, signaling: SignalingServer, config: WhipConfig) -> Seat:
    resource.seat = Seat(signaling, reply_timeout_s=config.reply_timeout_s, gone=resource.forget)
    return resource.seat


def _hide(resource: Resource) -> Grants:
    """Return what a viewer enters with: unseen, and beside other screens of the same person."""
    identity = Identity(f"{resource.grants.identity[:_IDENTITY_CHARACTERS_MAX]}~{resource.alias}")
    return replace(resource.grants, identity=identity, hidden=True, publish=NO_SOURCES)


def _find_track(joined: Joined, track_id: TrackId) -> TrackView:
    for participant in joined.room.participants:
        for track in participant.tracks:
            if track.id == track_id:
                return track
    raise RefusedError(ErrorCode.UNKNOWN_TRACK, f"there is no track {track_id!r} in this room")
