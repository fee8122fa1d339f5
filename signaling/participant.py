"""One person's stay in a room, and what the room keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from media.rtp.parameters import Mid
from signaling.grants import Grants
from signaling.identifiers import ParticipantId, Source
from signaling.kept_state import KeptState
from signaling.limits import HANDS, OWN_STATE_LIMITS, REACTIONS, SENDS
from signaling.link import Link
from signaling.pace import Allowance
from signaling.record import Who
from signaling.server_messages import ParticipantView, PermissionsView
from signaling.track import Track
from signaling.viewer import Viewer


@dataclass(eq=False, slots=True)
class Participant:
    """From `join` until it is removed, through every break of its connection."""

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
    connected: bool = True
    """Whether a connection leads to it that may break, and come back; to WHIP and WHEP clients none does."""
    suspended_until: float | None = None
    """Monotonic seconds: until when it may come back, None while its connection is there."""
    silent_until: float | None = None
    """Monotonic seconds: until when its media path may be silent, None while signs of life come."""
    media_lived_until: float | None = None
    """Monotonic seconds: when its media path was told to be silent, infinite while it lives; None before it did."""
    state: KeptState = field(default_factory=lambda: KeptState(OWN_STATE_LIMITS))
    sends: Allowance = field(default_factory=lambda: Allowance(SENDS))
    hand_raises: Allowance = field(default_factory=lambda: Allowance(HANDS))
    reactions: Allowance = field(default_factory=lambda: Allowance(REACTIONS))
    _plain_view: ParticipantView | None = field(default=None, init=False, repr=False)
    """Of one who only listens: in a lecture all newcomers are shown all others."""

    def view(self) -> ParticipantView:
        """Return the participant as it is told to the room."""
        if self.tracks or self.state or self.suspended_until is not None:
            return self._make_view()
        plain = self._plain_view
        if plain is None or plain.role is not self.grants.role:
            plain = self._plain_view = self._make_view()
        return plain

    def _make_view(self) -> ParticipantView:
        return ParticipantView(
            id=self.id,
            identity=self.grants.identity,
            name=self.name,
            joined_at=self.joined_at,
            tracks=tuple(track.told for track in self.tracks.values()),
            role=self.grants.role,
            suspended=self.suspended_until is not None,
            state=self.state.view(),
        )

    def who(self) -> Who:
        """Return the participant as a record keeper sees it."""
        return Who(self.id, self.grants.identity, self.name, self.grants.role, self.grants.hidden)

    def permissions(self) -> PermissionsView:
        """Return what the participant may do now."""
        grants = self.grants
        return PermissionsView(
            publish=tuple(source for source in Source if source in grants.publish),
            subscribe=grants.subscribe,
            send=grants.send,
            moderate=grants.moderate,
            record=grants.record,
        )
