"""An observer of rooms that does nothing, to build on; and one that passes everything on to several others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from signaling.facts import LeftFact, ParticipantFact, RecordingFact, RoomFact, TrackFact
from signaling.ports import RoomObserver

logger = logging.getLogger(__name__)

FactT = TypeVar("FactT")


class QuietObserver:
    """A `signaling.ports.RoomObserver` without interest."""

    def room_started(self, fact: RoomFact) -> None:
        """Somebody came into a room that was empty."""

    def room_ended(self, fact: RoomFact) -> None:
        """The last one left, or the room was ended."""

    def participant_joined(self, fact: ParticipantFact) -> None:
        """Somebody is in a room."""

    def participant_left(self, fact: LeftFact) -> None:
        """Somebody is gone for good."""

    def participant_suspended(self, fact: ParticipantFact) -> None:
        """Somebody's connection broke."""

    def participant_resumed(self, fact: ParticipantFact) -> None:
        """Somebody came back."""

    def track_published(self, fact: TrackFact) -> None:
        """A track is there."""

    def track_unpublished(self, fact: TrackFact) -> None:
        """A track is gone."""

    def recording_started(self, fact: RecordingFact) -> None:
        """A recording began."""

    def recording_paused(self, fact: RecordingFact) -> None:
        """A recording pauses."""

    def recording_resumed(self, fact: RecordingFact) -> None:
        """A recording goes on."""

    def recording_stopped(self, fact: RecordingFact) -> None:
        """A recording ended."""


class Observers(QuietObserver):
    """Tells all of them, in order; one that fails is logged, and does not keep the fact from the others."""

    def __init__(self, observers: Sequence[RoomObserver]) -> None:
        self._observers = tuple(observers)

    def room_started(self, fact: RoomFact) -> None:
        self._tell(fact, lambda each: each.room_started)

    def room_ended(self, fact: RoomFact) -> None:
        self._tell(fact, lambda each: each.room_ended)

    def participant_joined(self, fact: ParticipantFact) -> None:
        self._tell(fact, lambda each: each.participant_joined)

    def participant_left(self, fact: LeftFact) -> None:
        self._tell(fact, lambda each: each.participant_left)

    def participant_suspended(self, fact: ParticipantFact) -> None:
        self._tell(fact, lambda each: each.participant_suspended)

    def participant_resumed(self, fact: ParticipantFact) -> None:
        self._tell(fact, lambda each: each.participant_resumed)

    def track_published(self, fact: TrackFact) -> None:
        self._tell(fact, lambda each: each.track_published)

    def track_unpublished(self, fact: TrackFact) -> None:
        self._tell(fact, lambda each: each.track_unpublished)

    def recording_started(self, fact: RecordingFact) -> None:
        self._tell(fact, lambda each: each.recording_started)

    def recording_paused(self, fact: RecordingFact) -> None:
        self._tell(fact, lambda each: each.recording_paused)

    def recording_resumed(self, fact: RecordingFact) -> None:
        self._tell(fact, lambda each: each.recording_resumed)

    def recording_stopped(self, fact: RecordingFact) -> None:
        self._tell(fact, lambda each: each.recording_stopped)

    def _tell(self, fact: FactT, choose: Callable[[RoomObserver], Callable[[FactT], None]]) -> None:
        for observer in self._observers:
            try:
                choose(observer)(fact)
            except Exception:
                logger.exception("an observer failed", extra={"observer": type(observer).__name__})
