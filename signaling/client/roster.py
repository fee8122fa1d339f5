"""The room as a client knows it, kept from the server's messages: a pure machine from messages to events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from signaling.client import events
from signaling.client.events import Event, Participant, Visitor
from signaling.identifiers import Door, ParticipantId
from signaling.server_messages import (
    AnyServerMessage,
    Asked,
    Draining,
    HandsChanged,
    Joined,
    Knock,
    KnockOver,
    MessageSent,
    Moved,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantView,
    Permissions,
    PermissionsView,
    Presence,
    Quality,
    Reaction,
    RecordingChanged,
    RecordingState,
    Resumed,
    RoomChanged,
    RoomView,
    SlotsChanged,
    SlotView,
    Speakers,
    StateChanged,
    StateEntry,
    TrackChanged,
    TrackView,
)

GONE_UNSEEN = "unknown"
"""The reason for who left while we could not be told."""


class Roster:
    """Feed it every message in order; `apply` says what happened."""

    def __init__(self) -> None:
        self.name = ""
        self.own_id = ParticipantId("")
        self.participants: dict[ParticipantId, Participant] = {}
        """Everybody in the room, ourselves too, in the order of arrival."""
        self.hands: list[ParticipantId] = []
        """Whose hand is up, the first raised first."""
        self.door = Door.OPEN
        self.spotlight: tuple[ParticipantId, ...] = ()
        self.state: dict[str, StateEntry] = {}
        self.waiting: dict[ParticipantId, Visitor] = {}
        self.permissions: PermissionsView | None = None
        self.recording: RecordingState = "off"
        self.slots: dict[str, SlotView] = {}
        """What each slot shows, by mid."""
        self.seq = 0
        """Number of the last event heard: where a resumption goes on."""
        self.resume_token = ""

    @property
    def local(self) -> Participant | None:
        """Ourselves, once joined."""
        return self.participants.get(self.own_id)

    def apply(self, message: AnyServerMessage) -> list[Event]:
        """Take a message, and return what it means; nothing for those that only answer requests."""
        number: int | None = getattr(message, "seq", None)
        if number is not None:
            self.seq = number if isinstance(message, Joined | Resumed) else max(self.seq, number)
        return list(self._apply(message))

    def _apply(self, message: AnyServerMessage) -> Iterator[Event]:  # noqa: C901, PLR0912 - one case a message
        match message:
            case Joined():
                again = bool(self.own_id)
                self.own_id, self.resume_token = message.participant, message.resume
                self.permissions = message.permissions
                yield events.Joined(again)
                yield from self._begin(message.room, again=again)
            case Resumed():
                self.resume_token, self.permissions = message.resume, message.permissions
                yield events.Resumed()
                if message.room is not None:
                    yield from self._begin(message.room, again=True)
            case ParticipantJoined(participant=participant):
                self.participants[participant.id] = participant
                yield events.ParticipantJoined(participant)
            case ParticipantLeft():
                yield from self._forget(message.participant, message.reason.value)
            case TrackChanged():
                yield from self._change_track(message.participant, message.track)
            case Presence():
                if changed := self._change(message.participant, suspended=message.suspended):
                    yield events.PresenceChanged(changed)
            case HandsChanged():
                yield from self._change_hands(message)
            case StateChanged():
                yield from self._keep(message)
            case MessageSent():
                sender = self._find(message.participant)
                own = message.participant == self.own_id
                yield events.MessageReceived(sender, message.topic, message.body, message.to, own)
            case Reaction():
                if sender := self._find(message.participant):
                    yield events.ReactionReceived(sender, message.reaction)
            case RoomChanged():
                self.door, self.spotlight = message.door, message.spotlight
                yield events.RoomChanged()
            case Knock():
                self.waiting[message.participant.id] = message.participant
                yield events.Knocked(message.participant)
            case KnockOver():
                self.waiting.pop(message.participant, None)
                yield events.KnockOver(message.participant, message.outcome)
            case Permissions():
                if message.participant == self.own_id:
                    self.permissions = message.permissions
                if whose := self._find(message.participant):
                    yield events.PermissionsChanged(whose, message.permissions)
            case Asked():
                yield events.AskedToUnmute(message.source, self._find(message.participant))
            case SlotsChanged():
                self.slots |= {slot.mid: slot for slot in message.slots}
                if message.slots:
                    yield events.SlotsChanged(tuple(slot.mid for slot in message.slots))
            case Moved():
                yield events.Moved(message.url)
            case Draining():
                yield events.Draining(message.ends_at)
            case _:
                yield from self._apply_optional(message)

    def _apply_optional(self, message: AnyServerMessage) -> Iterator[Event]:
        match message:
            case Speakers():
                known = ((self._find(each.participant), each) for each in message.speakers)
                yield events.SpeakersChanged(
                    tuple(events.Speaker(who, each.track, each.level) for who, each in known if who is not None)
                )
            case Quality():
                yield events.QualityChanged({each.participant: each.level for each in message.participants})
            case RecordingChanged():
                self.recording = message.state
                yield events.RecordingChanged(message.state)
            case _:
                return

    def _begin(self, room: RoomView, *, again: bool) -> Iterator[Event]:
        """Begin from a snapshot; what differs from what was known is told, as if it had happened now."""
        before, raised = self.participants, set(self.hands)
        self.name, self.door, self.spotlight = room.name, room.door, room.spotlight
        self.participants = {each.id: each for each in room.participants}
        self.hands = [each for each in room.hands if each in self.participants]
        self.state = dict(room.state)
        self.waiting = {visitor.id: visitor for visitor in room.waiting}
        self.slots.clear()
        was_recording, self.recording = self.recording, room.recording
        if not again:
            return
        for gone in [each for each in before.values() if each.id not in self.participants]:
            yield events.ParticipantLeft(gone, GONE_UNSEEN)
        for participant in room.participants:
            known = before.get(participant.id)
            if known is None:
                if participant.id != self.own_id:
                    yield events.ParticipantJoined(participant)
                continue
            yield from (events.TrackChanged(participant, track) for track in _track_changes(known, participant))
            if known.suspended != participant.suspended:
                yield events.PresenceChanged(participant)
        yield from (events.HandRaised(self.participants[each]) for each in self.hands if each not in raised)
        yield from (
            events.HandLowered(self.participants[each])
            for each in raised
            if each not in self.hands and each in self.participants
        )
        if was_recording != room.recording:
            yield events.RecordingChanged(room.recording)
        yield events.RoomChanged()

    def _find(self, participant_id: ParticipantId | None) -> Participant | None:
        return None if participant_id is None else self.participants.get(participant_id)

    def _change(self, participant_id: ParticipantId, **fields: Any) -> Participant | None:
        participant = self._find(participant_id)
        if participant is None:
            return None
        self.participants[participant_id] = participant = replace(participant, **fields)
        return participant

    def _forget(self, participant_id: ParticipantId, reason: str) -> Iterator[Event]:
        participant = self.participants.pop(participant_id, None)
        if participant_id in self.hands:
            self.hands.remove(participant_id)
        if participant is not None:
            yield events.ParticipantLeft(participant, reason)

    def _change_track(self, participant_id: ParticipantId, track: TrackView) -> Iterator[Event]:
        participant = self._find(participant_id)
        if participant is None:
            return
        tracks = {each.id: each for each in participant.tracks}
        tracks.pop(track.id, None) if track.state == "ended" else tracks.update({track.id: track})
        changed = self._change(participant_id, tracks=tuple(tracks.values()))
        yield events.TrackChanged(changed or participant, track)

    def _change_hands(self, message: HandsChanged) -> Iterator[Event]:
        for lowered in message.lowered:
            if lowered in self.hands:
                self.hands.remove(lowered)
            if participant := self._find(lowered):
                yield events.HandLowered(participant)
        for raised in message.raised:
            if raised not in self.hands:
                self.hands.append(raised)
            if participant := self._find(raised):
                yield events.HandRaised(participant)

    def _keep(self, message: StateChanged) -> Iterator[Event]:
        owner = self._find(message.participant)
        if message.participant is not None and owner is None:
            return
        kept = self.state if owner is None else dict(owner.state)
        if message.value is None:
            kept.pop(message.key, None)
        else:
            kept[message.key] = StateEntry(value=message.value, version=message.seq)
        if owner is not None:
            owner = self._change(owner.id, state=kept)
        yield events.ValueChanged(owner, message.key, message.value)


def _track_changes(before: ParticipantView, after: ParticipantView) -> Iterator[TrackView]:
    known, now = ({track.id: track for track in each.tracks} for each in (before, after))
    yield from (replace(track, state="ended") for track_id, track in known.items() if track_id not in now)
    yield from (track for track_id, track in now.items() if known.get(track_id) != track)
