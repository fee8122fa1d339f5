"""From rooms of signalling to what the control API tells of them. Pure but for the look at a room."""

from __future__ import annotations

from control_api.contract import participants as told
from control_api.contract.rooms import BitratesInForce, LimitsInForce
from control_api.contract.rooms import Room as RoomTold
from control_api.contract.tracks import Track as TrackTold
from control_api.rest.created_rooms import CreatedRoom
from signaling.entrance import Visitor
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, RoomName, Source
from signaling.limits import RoomSettings
from signaling.participant import Participant
from signaling.room import Room
from signaling.track import Track


def tell_room(name: RoomName, room: Room | None, record: CreatedRoom | None, default: RoomSettings) -> RoomTold:
    """Return a room as it is told; `room` is None before the first join, `record` if nothing was said of it."""
    settings = room.settings if room is not None else record.settings if record is not None else default
    survey = None if room is None else room.survey()
    return RoomTold(
        name=name,
        door=settings.door if survey is None else survey.door,
        limits=tell_limits(settings),
        metadata={} if record is None else record.metadata,
        created_at=None if record is None else record.created_at,
        begun=room is not None and room.begun,
        participants=0 if survey is None else len(survey.participants),
        waiting=0 if survey is None else len(survey.visitors),
        spotlight=() if survey is None else survey.spotlight,
        hands=() if survey is None else survey.hands,
        recording="off" if survey is None else survey.recording,
    )


def tell_limits(settings: RoomSettings) -> LimitsInForce:
    return LimitsInForce(
        participants_max=settings.participants_max,
        publishers_max=settings.publishers_max,
        waiting_max=settings.waiting_max,
        bitrates=BitratesInForce(
            microphone_bps=settings.bitrates.microphone_bps,
            camera_bps=settings.bitrates.camera_bps,
            screen_bps=settings.bitrates.screen_bps,
            screen_audio_bps=settings.bitrates.screen_audio_bps,
        ),
        resume_window_s=settings.resume_window_s,
        empty_timeout_s=settings.empty_timeout_s,
        duration_max_s=settings.duration_max_s,
    )


def tell_participant(participant: Participant) -> told.Participant:
    suspended = participant.suspended_until is not None
    return told.Participant(
        id=participant.id,
        identity=participant.grants.identity,
        name=participant.name,
        role=participant.grants.role,
        presence=told.Presence.SUSPENDED if suspended else told.Presence.PRESENT,
        hidden=participant.grants.hidden,
        joined_at=participant.joined_at,
        permissions=tell_permissions(participant.grants),
        tracks=tuple(tell_track(participant.id, track) for track in participant.tracks.values()),
    )


def tell_visitor(visitor: Visitor) -> told.Participant:
    return told.Participant(
        id=visitor.id,
        identity=visitor.grants.identity,
        name=visitor.name,
        role=visitor.grants.role,
        presence=told.Presence.WAITING,
        hidden=visitor.grants.hidden,
        joined_at=visitor.wallclock,
        permissions=tell_permissions(visitor.grants),
        tracks=(),
    )


def tell_permissions(grants: Grants) -> told.Permissions:
    return told.Permissions(
        publish=tuple(source for source in Source if source in grants.publish),
        subscribe=grants.subscribe,
        send=grants.send,
        moderate=grants.moderate,
        record=grants.record,
    )


def tell_track(owner: ParticipantId, track: Track) -> TrackTold:
    view = track.view()
    return TrackTold(
        id=view.id,
        participant=owner,
        source=view.source,
        kind="video" if view.kind.value == "video" else "audio",
        muted=track.muted,
        codec=view.codec,
        width=view.width,
        height=view.height,
        encodings=view.encodings,
        audience=view.audience or None,
    )
