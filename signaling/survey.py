"""A room as the server itself sees it, hidden participants and those who wait too."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.entrance import Visitor
from signaling.identifiers import Door, ParticipantId
from signaling.participant import Participant
from signaling.server_messages import RecordingState


@dataclass(frozen=True, slots=True)
class Survey:
    """As of one moment; what it holds is the room's own and only to be looked at."""

    door: Door
    participants: tuple[Participant, ...]
    """In the order in which they joined."""
    visitors: tuple[Visitor, ...]
    """In the order in which they wait."""
    spotlight: tuple[ParticipantId, ...]
    hands: tuple[ParticipantId, ...]
    recording: RecordingState
