"""One person's stay in a room, and what the room keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from media.rtp.parameters import Mid
from signaling.grants import Grants
from signaling.identifiers import ParticipantId
from signaling.link import Link
from signaling.server_messages import ParticipantView
from signaling.track import Track
from signaling.viewer import Viewer


@dataclass(eq=False, slots=True)
class Participant:
    """From `join` until it is removed."""

    id: ParticipantId
    order: int
    """Grows with each participant that joins the room."""
    grants: Grants
    name: str
    """Display name."""
    joined_at: datetime
    expires_at: float
    """Monotonic seconds: when the token runs out."""
    link: Link
    viewer: Viewer
    tracks: dict[Mid, Track] = field(default_factory=dict)
    """By the section that carries it."""

    def view(self) -> ParticipantView:
        """Return the participant as it is told to the room."""
        return ParticipantView(
            id=self.id,
            identity=self.grants.identity,
            name=self.name,
            joined_at=self.joined_at,
            tracks=tuple(track.told for track in self.tracks.values()),
        )
