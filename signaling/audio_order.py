"""In which order audio tracks come into audio slots, decided once per room: a viewer's slots take those in front.

From front to back, of the tracks that are not muted:

1. Those of the *pinned* participant: a teacher in the spotlight, else a teacher, else who is in the spotlight; of
   several, who joined first. What a teacher says is never waited for.
2. Who leads (see `speech`).
3. Who speaks, in the order in which they began: while more speak than there are slots, nobody is cut off by a newcomer
   who is no louder.
4. Who is silent: who spoke, or was unmuted, last is in front, for it is they who speak next; then all others, in the
   order of publication.

Muted tracks come last, in the order of rule 4. So nothing moves while there are slots for all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from signaling.identifiers import ParticipantId, Role, TrackId


class AudioTrack(Protocol):
    """A microphone, or the sound of a screen."""

    @property
    def id(self) -> TrackId: ...
    @property
    def owner(self) -> ParticipantId: ...
    @property
    def owner_role(self) -> Role: ...
    @property
    def owner_order(self) -> int:
        """Grows with each participant that joins."""

    @property
    def publication_order(self) -> int:
        """Grows with each track that is published."""

    @property
    def muted(self) -> bool: ...


class AudioOrder:
    """What the order depends on, beside the tracks themselves: after each change they are to be sorted by `key`."""

    def __init__(self) -> None:
        self.spotlight: tuple[ParticipantId, ...] = ()
        self.pinned: ParticipantId | None = None
        """As of the last `pin`."""
        self._leader: TrackId | None = None
        self._speaking: frozenset[TrackId] = frozenset()
        self._turns: dict[TrackId, int] = {}
        """When each track last began or ended to speak, or was unmuted: the last has the greatest number."""
        self._turn = 0

    def hear(self, speaking: Collection[TrackId], leader: TrackId | None) -> bool:
        """Take note of who speaks now; return whether that is news."""
        now = frozenset(speaking)
        if (now, leader) == (self._speaking, self._leader):
            return False
        for track in speaking:
            if track not in self._speaking:
                self.take_turn(track)
        for track in self._speaking - now:
            self.take_turn(track)
        self._speaking, self._leader = now, leader
        return True

    def take_turn(self, track: TrackId) -> None:
        """Take note that somebody is about to be heard, or was heard just now."""
        self._turn += 1
        self._turns[track] = self._turn

    def forget(self, track: TrackId) -> None:
        """Take note that a track has ended."""
        self._turns.pop(track, None)
        self._speaking -= {track}

    def pin(self, tracks: Iterable[AudioTrack]) -> None:
        """Find out whose tracks come first."""
        best = min((self._claim(track) for track in tracks if not track.muted), default=None)
        self.pinned = None if best is None or not best[:2] < (True, True) else best[-1]

    def key(self, track: AudioTrack) -> tuple[bool | int, ...]:
        """Return what sorts a track into its place."""
        turn = self._turns.get(track.id, 0)
        speaks = track.id in self._speaking
        return (
            track.muted,
            track.owner != self.pinned,
            track.id != self._leader,
            not speaks,
            turn if speaks else -turn,
            track.publication_order,
        )

    def _claim(self, track: AudioTrack) -> tuple[bool, bool, int, ParticipantId]:
        """Return what makes an owner pinned, the least best: no teacher, not in the spotlight, when joined."""
        return (
            track.owner_role is not Role.TEACHER,
            track.owner not in self.spotlight,
            track.owner_order,
            track.owner,
        )
