"""A lesson in memory: people come and go, a media server keeps its real journal, and the truth is kept beside it.

Time is true time in seconds since the lesson's begin. The journal's records are written, cut and recovered by
`control_api.journal`; what the feed would tell comes out as `Fact`s.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from control_api.contract import FeedEvent
from control_api.journal import events as journal
from control_api.journal.codec import RecordKind, build_record, parse_record
from control_api.journal.ledger import Ledger, Moment
from control_api.journal.recovery import Beat, Head, encode_beat, encode_head, recover
from lms.attendance.facts import SECOND_US, Boot, Fact, fact_of, microseconds
from lms.attendance.intervals import Place
from lms.attendance.policy import Policy
from lms.attendance.sheet import Roster, Run, Sheet, fill_sheet
from lms.attendance.spans import Span

BEGIN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
BEGIN_US = microseconds(BEGIN)
HEARTBEAT_S = 15
TOLD_AFTER_US = 300_000
"""How long an event is on its way to us."""
PEOPLE = ("amal", "badr", "dana", "eman")
PLACES = {"algebra": Place.MAIN, "algebra.1": Place.BREAKOUT}
EXACT = Policy(gap_merge_s=0, late_after_s=60, early_leave_s=60)
"""Nothing is merged, so that what comes out is the truth itself."""


def us(seconds: float) -> int:
    """Return the wall time of a moment of the lesson."""
    return BEGIN_US + round(seconds * SECOND_US)


@dataclass
class MediaServer:
    """One node through its boots. `content` is the newest segment of its journal."""

    node: str = "media-1"
    skew_s: float = 0.0
    """How far its wall clock is off."""
    now: float = 0.0
    content: bytes = b""
    written: list[tuple[int, float]] = field(default_factory=list)
    """After each record: the length of `content`, and the true time."""
    told: list[bytes] = field(default_factory=list)
    """What feeds told before the newest segment."""
    truth: dict[str, list[list[float]]] = field(default_factory=dict)
    here: dict[str, str] = field(default_factory=dict)
    """Participants who are there, with their identities."""
    rooms: dict[str, str] = field(default_factory=dict)
    suspended: dict[str, str] = field(default_factory=dict)
    open: dict[str, list[float]] = field(default_factory=dict)
    """The part of the truth that lasts, by participant."""
    booted: list[tuple[Boot, float]] = field(default_factory=list)
    """Boots, and when they began in true time."""
    count: int = 0
    boots: int = 0
    seq: int = 0
    booted_at: float = 0.0
    beat_at: float = 0.0
    position: int = 0
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self._boot([])

    @property
    def boot(self) -> Boot:
        return Boot(self.node, str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.node}/{self.boots}")))

    def wait(self, seconds: float) -> None:
        """Let time pass, with heartbeats."""
        until = self.now + seconds
        while self.beat_at + HEARTBEAT_S <= until:
            self.now = self.beat_at = self.beat_at + HEARTBEAT_S
            self._beat()
        self.now = until

    def join(self, identity: str, room: str = "algebra", *, hidden: bool = False) -> str:
        if room not in self.rooms.values():
            self._tell(journal.RoomStarted(room=room))
        self.count += 1
        participant = f"p{self.boots}-{self.count}"
        self._tell(
            journal.ParticipantJoined(
                room=room, participant=participant, identity=identity, role="student", hidden=hidden
            )
        )
        self.rooms[participant] = room
        self._come(participant, identity)
        return participant

    def leave(self, participant: str, reason: str = "left") -> None:
        identity = self.here.get(participant) or self.suspended[participant]
        if participant in self.here:
            self._go(participant)
        self.suspended.pop(participant, None)
        room = self.rooms.pop(participant)
        self._tell(journal.ParticipantLeft(room=room, participant=participant, identity=identity, reason=reason))
        if room not in self.rooms.values():
            self._tell(journal.RoomEnded(room=room))

    def suspend(self, participant: str) -> None:
        identity = self._go(participant)
        self.suspended[participant] = identity
        room = self.rooms[participant]
        self._tell(journal.ParticipantSuspended(room=room, participant=participant, identity=identity))

    def fall_silent(self, participant: str, *, idle_s: float, noticed_s: float, waits: bool = True) -> None:
        """Be gone from now on; `idle_s` ago was the last sign of life, and it is noticed after `noticed_s`."""
        identity = self._go(participant)
        silent_s = round(idle_s + noticed_s, 3)
        self.wait(noticed_s)
        room = self.rooms[participant]
        if waits:
            self.suspended[participant] = identity
            self._tell(
                journal.ParticipantSuspended(room=room, participant=participant, identity=identity, silent_s=silent_s)
            )
            return
        del self.rooms[participant]
        self._tell(
            journal.ParticipantLeft(
                room=room, participant=participant, identity=identity, reason="timeout", silent_s=silent_s
            )
        )

    def resume(self, participant: str) -> None:
        identity = self.suspended.pop(participant)
        room = self.rooms[participant]
        self._tell(journal.ParticipantResumed(room=room, participant=participant, identity=identity))
        self._come(participant, identity)

    def crash(self, *, down_s: float = 2.0, content: bytes | None = None) -> None:
        """Die without a word, with `content` left on the disk; start again after a while."""
        for participant in list(self.here):
            self._go(participant)
        self.suspended.clear()
        self.rooms.clear()
        self.content = self.content if content is None else content
        state = recover(self.content)
        assert state is not None
        self.told += lines_of(self.content[: state.whole_bytes])
        state.ledger.mark_dead(state.last_alive)
        self.ledger, self.position = state.ledger, state.position
        self.now += down_s
        self._boot(list(state.ledger.close_dead()))

    def facts(self, *, received: bool = False) -> tuple[Fact, ...]:
        """Return what the feed told; `received` as if each had been told at once to somebody with a good clock."""
        told = [msgspec.json.decode(line, type=FeedEvent) for line in (*self.told, *lines_of(self.content))]
        facts = [fact for each in told if (fact := fact_of(each)) is not None]
        if not received:
            return tuple(facts)
        booted = dict(self.booted)
        return tuple(
            replace(fact, received_us=us(booted[fact.boot]) + fact.uptime_us + TOLD_AFTER_US) for fact in facts
        )

    def true_seconds(self, identity: str, until: float | None = None) -> float:
        """Return for how long somebody was there in truth, however many devices they had."""
        end = self.now if until is None else until
        spans = [(start, min(finish, end)) for start, finish in self.truth.get(identity, []) if start < end]
        return union_length(spans)

    def _come(self, participant: str, identity: str) -> None:
        self.here[participant] = identity
        self.truth.setdefault(identity, []).append([self.now, float("inf")])
        self.open[participant] = self.truth[identity][-1]

    def _go(self, participant: str) -> str:
        self.open.pop(participant)[1] = self.now
        return self.here.pop(participant)

    def _boot(self, ends: Iterable[tuple[datetime, journal.Event]]) -> None:
        self.boots += 1
        self.booted_at = self.beat_at = self.now
        self.booted.append((self.boot, self.now))
        self.seq = 0
        head = Head(
            journal_id="00000000",
            node=self.node,
            boot_id=self.boot.boot_id,
            at=self._wall(),
            uptime_s=0.0,
            ledger=self.ledger,
        )
        self.content = b""
        self.written = []
        self._write(RecordKind.HEAD, encode_head(head))
        for at, event in ends:
            self._tell(event, at=at)
        self._beat()

    def _tell(self, event: journal.Event, *, at: datetime | None = None) -> None:
        self.seq += 1
        self.position += 1
        moment = Moment(at or self._wall(), self.now - self.booted_at)
        entry = journal.Entry(
            node=self.node, boot_id=self.boot.boot_id, seq=self.seq, at=moment.at, uptime_s=moment.uptime_s, event=event
        )
        self.ledger.apply(event, self.boot.boot_id, moment)
        self._write(RecordKind.EVENT, journal.encode_entry(entry))

    def _beat(self) -> None:
        self._write(RecordKind.HEARTBEAT, encode_beat(Beat(at=self._wall(), uptime_s=self.now - self.booted_at)))

    def _write(self, kind: RecordKind, payload: bytes) -> None:
        self.content += build_record(kind, self.position, payload)
        self.written.append((len(self.content), self.now))

    def _wall(self) -> datetime:
        return BEGIN + timedelta(seconds=self.now + self.skew_s)


def lines_of(content: bytes) -> list[bytes]:
    """Return the events of a segment as the feed tells them."""
    lines, offset = [], 0
    while (record := parse_record(content, offset)) is not None:
        offset = record.end
        if record.kind is RecordKind.EVENT:
            lines.append(b'{"cursor":"00000000-%d",' % record.position + record.payload[1:])
    return lines


def union_length(spans: Iterable[tuple[float, float]]) -> float:
    """Return the length of what spans cover together; another way than the product's."""
    spans = list(spans)  # they are gone through twice
    edges = sorted(
        [(start, 1) for start, end in spans if end > start] + [(end, -1) for start, end in spans if end > start]
    )
    covered = depth = since = 0.0
    for moment, change in edges:
        if depth > 0:
            covered += moment - since
        depth, since = depth + change, moment
    return covered


def fill(
    facts: Iterable[Fact],
    *,
    policy: Policy = EXACT,
    ended_s: float | None = None,
    now_s: float | None = None,
    scheduled: tuple[float, float] | None = None,
    roster: Roster | None = None,
    lost: dict[Boot, float] | None = None,
) -> Sheet:
    """Return the sheet of the lesson, in the lesson's own seconds."""
    plan = None if scheduled is None else Span(us(scheduled[0]), us(scheduled[1]))
    run = Run(BEGIN_US, None if ended_s is None else us(ended_s), plan, PLACES)
    now = now_s if now_s is not None else (ended_s or 0.0)
    silent = {boot: us(at) for boot, at in (lost or {}).items()}
    return fill_sheet(facts, run, roster or Roster(PEOPLE), policy, now_us=us(now), lost=silent)


Action = tuple[str, int, float]
KINDS = ("join", "join", "leave", "suspend", "resume", "remove", "breakout", "crash")


def actions(kinds: Sequence[str] = KINDS, *, most: int = 25) -> st.SearchStrategy[list[Action]]:
    """Draw what happens in a lesson: what, to whom, and after how many seconds (to the millisecond)."""
    wait = st.integers(0, 120_000).map(lambda milliseconds: milliseconds / 1000)
    return st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 3), wait), min_size=1, max_size=most)


def play(script: Iterable[Action], server: MediaServer | None = None) -> MediaServer:
    """Let it happen; what is not possible (leaving without being there) is left out."""
    server = server or MediaServer()
    for kind, person, wait_s in script:
        server.wait(wait_s)
        identity = PEOPLE[person]
        mine = [participant for participant, who in server.here.items() if who == identity]
        away = [participant for participant, who in server.suspended.items() if who == identity]
        match kind:
            case "join" if len(mine) < 2:
                server.join(identity)
            case "leave" if mine or away:
                server.leave((mine or away)[0])
            case "remove" if mine:
                server.leave(mine[-1], "removed")
            case "suspend" if mine:
                server.suspend(mine[0])
            case "resume" if away:
                server.resume(away[0])
            case "breakout" if mine:
                room = "algebra" if server.rooms[mine[0]] == "algebra.1" else "algebra.1"
                server.leave(mine[0], "moved")
                server.join(identity, room)
            case "crash":
                server.crash()
            case "step":
                server.skew_s += 3600.0 if person % 2 else -3600.0
            case _:
                pass
    server.wait(5)
    return server
