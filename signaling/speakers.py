"""Who speaks in a room: what its levels mean for the audio slots, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from signaling.grants import Grants
from signaling.identifiers import ParticipantId, Role, SlotKind, Source, TrackId
from signaling.members import Members
from signaling.outbox import Outbox
from signaling.policy import may_receive, may_see
from signaling.publications import Publications
from signaling.server_messages import Speaker, Speakers
from signaling.speech import Speech
from signaling.track import Track

TELL_INTERVAL_S: Final = 0.3
"""Between two messages to anybody: faster than one can look from picture to picture."""

SPEAKERS_MAX: Final = 8
"""In one message. Of a larger babble nobody hears, or sees, more."""

LEVEL_DIGITS: Final = 2

_Kind = tuple[bool, Role, frozenset[tuple[Role, Source]] | None]
"""What decides which tracks of others somebody may hear."""


class SpeakerWatch:
    """Takes the levels that the engine reads and is silent, and nearly free of cost, while everybody else is."""

    def __init__(
        self,
        outbox: Outbox,
        members: Members,
        publications: Publications,
        spotlight: Callable[[], tuple[ParticipantId, ...]],
    ) -> None:
        self._outbox = outbox
        self._members = members
        self._publications = publications
        self._spotlight = spotlight
        self._voices: Speech[TrackId] = Speech()
        self._sounds: Speech[TrackId] = Speech()
        """Of screens: they may need a slot, but are no speakers."""
        self._told: dict[ParticipantId, tuple[TrackId, ...] | None] = {}
        """Whom each member believes to speak; None for those that are away."""
        self._away: tuple[ParticipantId, ...] = ()
        """Whom the last message did not reach."""
        self._told_at: float | None = None
        self._told_members: Sequence[ParticipantId] = ()
        self._stale = False

    @property
    def speaking(self) -> tuple[TrackId, ...]:
        """The microphones that are spoken into now, the leader's first."""
        return self._voices.speaking

    def hear(self, heard: Sequence[tuple[Any, bytes]], now: float) -> None:
        """Take the levels of those who were audible since the last call; to be called some ten times a second."""
        if not (heard or self._voices.voices or self._sounds.voices or self._is_behind()):
            return
        line = [track for track in self._publications.tracks.line(SlotKind.AUDIO) if not track.muted]
        self._listen(line, heard, now)
        self._arrange()
        if (self._stale or self._is_behind()) and (self._told_at is None or now - self._told_at >= TELL_INTERVAL_S):
            self._tell(now)

    def _listen(self, line: Iterable[Track], heard: Sequence[tuple[Any, bytes]], now: float) -> None:
        levels = {id(producer): each for producer, each in heard}
        before = self._voices.speaking
        for speech, is_voice in ((self._voices, True), (self._sounds, False)):
            tracks = [track for track in line if (track.source is Source.MICROPHONE) is is_voice]
            speech.keep({track.id for track in tracks})
            speech.hear(
                {track.id: levels[id(track.producer)] for track in tracks if id(track.producer) in levels}, now=now
            )
        self._stale = self._stale or before != self._voices.speaking

    def _arrange(self) -> None:
        order = self._publications.tracks.audio
        changed = order.hear([*self._voices.speaking, *self._sounds.speaking], self._voices.leader)
        if order.spotlight != self._spotlight():
            order.spotlight = self._spotlight()
            changed = True
        if changed:
            self._publications.arrange_audio()

    def _is_behind(self) -> bool:
        """Whether somebody came, came back or went since the last message, or is pinned since."""
        return (
            self._told_members is not self._outbox.members
            or self._publications.tracks.audio.spotlight != self._spotlight()
            or not all(self._is_away(each) for each in self._away)
        )

    def _is_away(self, participant: ParticipantId) -> bool:
        member = self._members.get(participant)
        return member is None or member.suspended_until is not None

    def _tell(self, now: float) -> None:
        """Tell those who know something else, all that may hear the same in one message."""
        self._told_members, self._stale = self._outbox.members, False
        tracks = [self._publications.tracks[track] for track in self._voices.speaking[:SPEAKERS_MAX]]
        if not (tracks or self._away or any(self._told.values())):
            return  # it is as silent as everybody believes
        owners = {track.owner for track in tracks}
        audible: dict[_Kind, tuple[Track, ...]] = {}
        messages: dict[tuple[TrackId, ...], list[ParticipantId]] = {}
        told: dict[ParticipantId, tuple[TrackId, ...] | None] = {}
        for member in self._members:
            if member.suspended_until is not None:
                told[member.id] = None
                continue
            kind = (member.grants.subscribe, member.grants.role, member.grants.sees)
            if kind not in audible:
                audible[kind] = tuple(track for track in tracks if _may_hear(member.grants, track))
            speakers = audible[kind]
            if member.id in owners:  # one's own voice is no secret
                speakers = tuple(each for each in tracks if each.owner == member.id or _may_hear(member.grants, each))
            known = tuple(track.id for track in speakers)
            if known != self._told.get(member.id, ()):
                messages.setdefault(known, []).append(member.id)
            told[member.id] = known
        for known, recipients in messages.items():
            views = tuple(self._view(track) for track in tracks if track.id in known)
            self._outbox.tell_some(tuple(recipients), Speakers(speakers=views))
        self._told = told
        self._away = tuple(each for each, tracks in told.items() if tracks is None)
        if messages:
            self._told_at = now

    def _view(self, track: Track) -> Speaker:
        level = round(self._voices.level(track.id), LEVEL_DIGITS)
        return Speaker(participant=track.owner, track=track.id, level=level)


def _may_hear(grants: Grants, track: Track) -> bool:
    return may_receive(grants) and may_see(grants, owner=track.owner_role, source=track.source, audience=track.audience)
