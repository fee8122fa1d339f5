"""From the facts that signalling tells to the events of the journal (a `signaling.ports.RoomObserver`)."""

from __future__ import annotations

from control_api.journal.events import (
    ParticipantJoined,
    ParticipantLeft,
    ParticipantResumed,
    ParticipantSuspended,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
    RoomEnded,
    RoomStarted,
    TrackPublished,
    TrackUnpublished,
)
from control_api.journal.journal import Journal
from signaling.facts import LeftFact, ParticipantFact, RecordingFact, RoomFact, TrackFact


class JournalObserver:
    """Appends every fact. It returns before the disk has it: nobody outside is told before (see `Journal.durable`).

    The event's time is the journal's own, finer than the whole seconds of some facts.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def room_started(self, fact: RoomFact) -> None:
        self._journal.append(RoomStarted(room=fact.room))

    def room_ended(self, fact: RoomFact) -> None:
        self._journal.append(RoomEnded(room=fact.room))

    def participant_joined(self, fact: ParticipantFact) -> None:
        self._journal.append(
            ParticipantJoined(
                room=fact.room,
                participant=fact.participant,
                identity=fact.identity,
                name=fact.name,
                role=fact.role.value,
                hidden=fact.hidden,
            )
        )

    def participant_left(self, fact: LeftFact) -> None:
        who = fact.who
        self._journal.append(
            ParticipantLeft(
                room=who.room,
                participant=who.participant,
                identity=who.identity,
                reason=fact.reason.value,
                silent_s=_milliseconds(who.silent_s),
            )
        )

    def participant_suspended(self, fact: ParticipantFact) -> None:
        self._journal.append(
            ParticipantSuspended(
                room=fact.room,
                participant=fact.participant,
                identity=fact.identity,
                silent_s=_milliseconds(fact.silent_s),
            )
        )

    def participant_resumed(self, fact: ParticipantFact) -> None:
        self._journal.append(ParticipantResumed(room=fact.room, participant=fact.participant, identity=fact.identity))

    def track_published(self, fact: TrackFact) -> None:
        self._journal.append(
            TrackPublished(
                room=fact.who.room, participant=fact.who.participant, track=fact.track, source=fact.source.value
            )
        )

    def track_unpublished(self, fact: TrackFact) -> None:
        self._journal.append(TrackUnpublished(room=fact.who.room, participant=fact.who.participant, track=fact.track))

    def recording_started(self, fact: RecordingFact) -> None:
        self._journal.append(RecordingStarted(room=fact.room, recording=fact.recording, **_asked_by(fact)))

    def recording_paused(self, fact: RecordingFact) -> None:
        self._journal.append(RecordingPaused(room=fact.room, recording=fact.recording, **_asked_by(fact)))

    def recording_resumed(self, fact: RecordingFact) -> None:
        self._journal.append(RecordingResumed(room=fact.room, recording=fact.recording, **_asked_by(fact)))

    def recording_stopped(self, fact: RecordingFact) -> None:
        self._journal.append(
            RecordingStopped(room=fact.room, recording=fact.recording, failure=fact.failure or None, **_asked_by(fact))
        )


def _milliseconds(duration_s: float | None) -> float | None:
    """Return seconds to the millisecond: nobody knows such a thing better."""
    return None if duration_s is None else round(duration_s, 3)


def _asked_by(fact: RecordingFact) -> dict[str, str]:
    return {} if fact.by is None else {"participant": fact.by.participant, "identity": fact.by.identity}
