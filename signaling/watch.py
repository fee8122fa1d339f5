"""A look at everybody's connection every two seconds: who is told what of its quality, and who sends too much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from signaling.bitrates import Excess, ExcessMeter
from signaling.codes import ErrorCode
from signaling.identifiers import ParticipantId, TrackId
from signaling.levels import Level
from signaling.members import Members
from signaling.outbox import Outbox
from signaling.participant import Participant
from signaling.ports import PathCounters
from signaling.publications import Publications
from signaling.quality import Gauge, report
from signaling.server_messages import Error, ParticipantQuality, Quality

LOOK_S: Final = 2.0
"""Reports of receivers come once a second; who looks more often sees the same."""

STILL_LOOKS: Final = 2
"""A path on which nothing flowed is left out of so many looks, unless it falls silent: most of a school only waits."""


@dataclass(slots=True)
class _Watched:
    """What is known of one participant's connection."""

    gauge: Gauge = field(default_factory=Gauge)
    counters: PathCounters | None = None
    """At the last look."""
    told: Level | None = None
    is_new: bool = True
    """Has not been told of the others yet."""
    rests: int = 0
    """Looks at which the counters are not read."""


class Watch:
    """`handle_timeout` does nothing before `next_timeout`."""

    def __init__(self, outbox: Outbox, members: Members, publications: Publications) -> None:
        self._outbox = outbox
        self._members = members
        self._publications = publications
        self._watched: dict[ParticipantId, _Watched] = {}
        self._meters: dict[TrackId, ExcessMeter] = {}
        self._look_at: float | None = None

    def begin(self, *, now: float) -> None:
        """Look from now on, as long as somebody is there."""
        if self._look_at is None:
            self._look_at = now + LOOK_S

    def limit_quality(self, participant: ParticipantId, ceiling: Level | None) -> None:
        """Let nobody be told of a better connection than this, from the next look on; None: no such limit."""
        self._watched.setdefault(participant, _Watched()).gauge.ceiling = ceiling

    def level(self, participant: ParticipantId) -> Level | None:
        """Return what is known of somebody's connection."""
        watched = self._watched.get(participant)
        return None if watched is None else watched.gauge.level

    def forget(self, participant: ParticipantId) -> None:
        """Somebody is gone."""
        self._watched.pop(participant, None)

    def tell_again(self, participant: ParticipantId) -> None:
        """Tell somebody who comes back of all the others, at the next look."""
        self._watched.setdefault(participant, _Watched()).is_new = True

    def next_timeout(self) -> float | None:
        """Return when to look next, in monotonic seconds; None if nobody is there."""
        return self._look_at if len(self._members) else None

    def handle_timeout(self, *, now: float) -> None:
        """Look, if it is time."""
        if self._look_at is None or self._look_at > now:
            return
        self._look_at = now + LOOK_S
        for participant in self._members:
            self._look(participant)
        self._tell_quality()
        self._look_at_tracks(now=now)

    def _look(self, participant: Participant) -> None:
        watched = self._watched.setdefault(participant.id, _Watched())
        silent = participant.silent_until is not None
        if watched.rests and not silent and watched.gauge.level is not Level.LOST:
            watched.rests -= 1
            return
        before, after = watched.counters, participant.link.path
        watched.counters = after
        flows = before is not None and after is not None and (after.received > before.received or after.sent > 0)
        seen = report(before, after) if flows and before is not None and after is not None else None
        watched.rests = STILL_LOOKS if seen is None and before is not None else 0
        watched.gauge.take(seen, silent=silent)

    def _tell_quality(self) -> None:
        everything: list[ParticipantQuality] = []
        changed: list[ParticipantQuality] = []
        for participant in self._members:
            watched = self._watched[participant.id]
            level = watched.gauge.level
            is_news = level is not None and level is not watched.told
            watched.told = level
            if level is None:
                continue
            news = ParticipantQuality(participant=participant.id, level=level)
            if participant.grants.hidden:
                if is_news:
                    self._outbox.tell(participant.id, Quality(participants=(news,)))
                continue
            everything.append(news)
            if is_news:
                changed.append(news)
        newcomers = tuple(each.id for each in self._members if self._watched[each.id].is_new)
        for newcomer in newcomers:
            self._watched[newcomer].is_new = False
        if everything and newcomers:
            self._outbox.tell_some(newcomers, Quality(participants=tuple(everything)))
        if changed:
            informed = set(newcomers)
            known = tuple(each.id for each in self._members if each.id not in informed)
            if known:
                self._outbox.tell_some(known, Quality(participants=tuple(changed)))

    def _look_at_tracks(self, *, now: float) -> None:
        meters, self._meters = self._meters, {}
        for track in self._publications.tracks:
            meter = self._meters[track.id] = meters.get(track.id) or ExcessMeter()
            if track.muted:
                continue
            match meter.look(tuple(track.producer.received_bytes), track.sending.limits_bps, now=now):
                case Excess.REMIND:
                    self._publications.tell_layers(track)
                case Excess.MUTE:
                    self._mute(track.owner, track.id)
                case Excess.NONE:
                    pass

    def _mute(self, owner: ParticipantId, track: TrackId) -> None:
        self._publications.mute_track(track)
        reason = f"track {track!r} was muted: it sends far more than `layers` allows"
        self._outbox.tell(owner, Error(code=ErrorCode.BITRATE_EXCEEDED, message=reason))
