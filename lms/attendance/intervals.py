"""From facts to intervals: for each connection, when it was there. Pure.

An end that is missing is never guessed later than somebody knew: the room's end, the run's end, or the last time that
the media server was heard of. The first end counts, what follows it is ignored.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lms.attendance.clocks import BootClock, read_clocks
from lms.attendance.facts import SECOND_US, Boot, Fact, FactKind

MOVE_BRIDGE_US: Final = 30 * SECOND_US
"""Whom the server moves to another room is in its hands until the client has connected there; longer is an absence."""


class Place(enum.Enum):
    """What kind of room somebody was in."""

    MAIN = "main"
    BREAKOUT = "breakout"
    LOBBY = "lobby"


class Close(enum.Enum):
    """Why an interval ended."""

    LEAVE = "leave"
    DISCONNECT = "disconnect"
    SUSPEND = "suspend"
    """The connection broke; if it comes back, another interval of the same connection follows."""
    KICKED = "kicked"
    MOVED = "moved"
    SUPERSEDED = "superseded"
    """The same person joined again, and this stay made way."""
    RUN_END = "run_end"
    TIMEOUT = "timeout"
    NODE_LOST = "node_lost"
    """The media server died or was not heard of any more: ended at its last sign of life."""


_CLOSES: Final[Mapping[str, Close]] = {
    "left": Close.LEAVE,
    "disconnected": Close.DISCONNECT,
    "replaced": Close.SUPERSEDED,
    "timeout": Close.TIMEOUT,
    "removed": Close.KICKED,
    "sent_back": Close.KICKED,
    "moved": Close.MOVED,
    "ended": Close.RUN_END,
    "inferred": Close.NODE_LOST,
}


@dataclass(frozen=True, slots=True)
class Interval:
    """Somebody was there, from `start_us` to before `end_us` (wall time, microseconds since 1970)."""

    boot: Boot
    connection: str
    ordinal: int
    """0, 1, 2 ... within a connection: a suspension ends one and a resumption begins the next."""
    identity: str
    place: Place
    start_us: int
    end_us: int
    close: Close | None
    """None while it lasts: `end_us` is then how far we know."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How long what is open may be believed in."""

    now_us: int
    """Our wall clock."""
    lost: Mapping[Boot, int] = field(default_factory=dict)
    """Boots that are not heard of any more: the last time that they were, by our wall clock."""
    ended_us: int | None = None
    """When the run ended; None while it lasts."""


@dataclass(slots=True)
class _Connection:
    """What is known so far of one participant."""

    joined: Fact
    since_us: int | None = None
    """Uptime at which it came or came back; None while it is away."""
    over: bool = False
    spans: list[tuple[int, int, Close]] = field(default_factory=list)

    def close(self, uptime_us: int, reason: Close, *, for_good: bool) -> None:
        if self.over:
            return
        if self.since_us is not None:
            self.spans.append((self.since_us, max(self.since_us, uptime_us), reason))
        self.since_us, self.over = None, for_good


def derive_intervals(
    facts: Iterable[Fact], places: Mapping[str, Place], hearing: Hearing, *, identities: Mapping[str, str] | None = None
) -> tuple[Interval, ...]:
    """Return all intervals of one run, by start; the same for every order and repetition of its facts.

    `places` says which rooms belong to the run, `identities` who somebody is known as (guests who were recognised).
    """
    known: dict[tuple[str, str, int], Fact] = {}
    for fact in facts:
        if fact.room in places and ((twin := known.get(fact.key)) is None or _heard(fact) < _heard(twin)):
            known[fact.key] = fact
    clocks = read_clocks(known.values())
    intervals = []
    for boot, of_boot in _by_boot(known.values()).items():
        if boot in clocks:  # else an end of something whose beginning nobody told
            intervals += _of_boot(boot, of_boot, clocks[boot], places, hearing)
    if identities:
        intervals = [replace(each, identity=identities.get(each.identity, each.identity)) for each in intervals]
    bounded = [_bound(each, hearing) for each in _bridge_moves(intervals)]
    return tuple(
        sorted(
            (each for each in bounded if each is not None), key=lambda each: (each.start_us, each.end_us, _name(each))
        )
    )


def _heard(fact: Fact) -> float:
    return math.inf if fact.received_us is None else fact.received_us


def _by_boot(facts: Collection[Fact]) -> Mapping[Boot, Sequence[Fact]]:
    """Return the facts of each boot in the order in which they happened; inferred ends with the boot that died."""
    of_boot: dict[Boot, list[Fact]] = {}
    for fact in facts:
        boot = fact.boot if fact.inferred is None else Boot(fact.boot.node, fact.inferred.boot_id)
        of_boot.setdefault(boot, []).append(fact)
    for ordered in of_boot.values():
        ordered.sort(key=lambda fact: (fact.inferred is not None, fact.seq, fact.boot.boot_id))
    return of_boot


def _of_boot(
    boot: Boot, facts: Sequence[Fact], clock: BootClock, places: Mapping[str, Place], hearing: Hearing
) -> list[Interval]:
    connections: dict[str, _Connection] = {}
    for fact in facts:
        _take(fact, connections)
    intervals = []
    for participant, connection in connections.items():
        place, identity = places[connection.joined.room], connection.joined.identity
        if connection.joined.hidden:
            continue
        spans: list[tuple[int, int, Close | None]] = [
            (clock.wall_us(start), clock.wall_us(end), close) for start, end, close in connection.spans
        ]
        if connection.since_us is not None and not connection.over:
            start = clock.wall_us(connection.since_us)
            heard = hearing.lost.get(boot)
            end, close = (hearing.now_us, None) if heard is None else (heard, Close.NODE_LOST)
            spans.append((start, max(start, end), close))
        intervals += [
            Interval(boot, participant, ordinal, identity, place, start, end, close)
            for ordinal, (start, end, close) in enumerate(spans)
        ]
    return intervals


def _take(fact: Fact, connections: dict[str, _Connection]) -> None:
    """Note a fact; facts of one boot come in order."""
    uptime_us = fact.uptime_us if fact.inferred is None else fact.inferred.uptime_us
    if fact.kind is FactKind.ROOM_ENDED:
        reason = Close.NODE_LOST if fact.inferred else Close.RUN_END
        for each in connections.values():
            if each.joined.room == fact.room:
                each.close(uptime_us, reason, for_good=True)
        return
    if fact.kind is FactKind.ROOM_STARTED:
        return
    connection = connections.get(fact.participant)
    if connection is None:
        if fact.kind in {FactKind.JOINED, FactKind.RESUMED}:  # whose join was lost is there from when we know it
            connections[fact.participant] = _Connection(fact, uptime_us)
        return
    match fact.kind:
        case FactKind.LEFT:
            connection.close(uptime_us, _CLOSES.get(fact.reason, Close.LEAVE), for_good=True)
        case FactKind.SUSPENDED:
            connection.close(uptime_us, Close.SUSPEND, for_good=False)
        case FactKind.RESUMED if connection.since_us is None and not connection.over:
            connection.since_us = uptime_us
        case _:
            pass


def _bridge_moves(intervals: Sequence[Interval]) -> Iterable[Interval]:
    """Let whoever was moved be there until they arrived; not over a restart, in which nobody was there."""
    of_person: dict[str, list[Interval]] = {}
    for each in intervals:
        of_person.setdefault(each.identity, []).append(each)
    for each in intervals:
        if each.close is not Close.MOVED:
            yield each
            continue
        arrivals = [
            other.start_us
            for other in of_person[each.identity]
            if 0 <= other.start_us - each.end_us <= MOVE_BRIDGE_US
            and (other.boot == each.boot or other.boot.node != each.boot.node)
        ]
        yield replace(each, end_us=min(arrivals, default=each.end_us))


def _bound(interval: Interval, hearing: Hearing) -> Interval | None:
    """Cut an interval at the end of the run; None if it begins after it."""
    ended_us = hearing.ended_us
    if ended_us is None or (interval.end_us <= ended_us and interval.close is not None):
        return interval
    if interval.start_us > ended_us:
        return None
    return replace(interval, end_us=min(interval.end_us, ended_us), close=Close.RUN_END)


def _name(interval: Interval) -> tuple[str, str, str, int]:
    return (*interval.boot, interval.connection, interval.ordinal)
