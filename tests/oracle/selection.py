"""Layer selection in plain Python: sets of targets instead of bits, and every decision ever made instead of a ring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

NO_TARGET = 255
EVERYTHING = 0xFFFFFFFF
REMEMBERED = 512


def bits(mask: int, count: int) -> set[int]:
    return {index for index in range(count) if mask >> index & 1}


@dataclass(frozen=True)
class Frame:
    number: int
    timestamp: int
    spatial: int
    present: int
    required: int
    switches: int
    references: tuple[int, ...] = ()
    active: int = EVERYTHING
    own: int = NO_TARGET
    ends: bool = False
    marker: bool = False


@dataclass
class Selection:
    layers: list[tuple[int, int]] = field(default_factory=list)
    wanted: tuple[int, int] = (255, 255)
    intact: set[int] = field(default_factory=set)
    sent: int | None = None
    top: int = 0
    newest: int | None = None
    picture: int | None = None
    active: int = EVERYTHING
    is_stale: bool = True
    decided: dict[int, bool] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    first: int = 0
    last: int | None = None
    """Of the picture under way: its first frame, and the newest that was sent, unless one came late after it."""
    relied_on: set[int] = field(default_factory=set)
    given_up: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)

    def set_targets(self, layers: list[tuple[int, int]]) -> None:
        self.layers = layers
        self.is_stale = True

    def want(self, spatial: int, temporal: int) -> None:
        self.wanted = spatial, temporal

    def target(self) -> int | None:
        return self.sent

    def start(self) -> None:
        self.__init__(self.layers, self.wanted)  # type: ignore[misc]

    def take(self, frame: Frame, *, late: bool = False) -> tuple[bool, bool] | None:
        if late:
            return self._late(frame)
        answer = self._take(frame)
        if frame.ends and self.newest == frame.number:
            self.ended.add(frame.number)
            (self.marked.add if frame.marker else self.marked.discard)(frame.number)
        return answer

    def _take(self, frame: Frame) -> tuple[bool, bool] | None:
        if self.newest is None:
            self.newest, self.active = frame.number - 1, frame.active
        elif frame.number <= self.newest:
            return self._late(frame) if self._decision(frame.number) is None else self._answer(frame.number)
        if frame.timestamp != self.picture:
            if self.newest + 1 == frame.number and self._is_unfinished():
                self.given_up |= set(range(self.first, self.newest + 1))
                self.intact -= self.relied_on
            self.first, self.last, self.relied_on = frame.number, None, set()
        gained = bits(frame.active & ~self.active, len(self.layers))
        self.active = frame.active
        if self.is_stale:
            self.intact, self.sent, gained, self.is_stale = set(), None, set(), False
        self.newest = frame.number
        decodable = self._can_be_decoded(frame)
        reachable = self.intact | (bits(frame.switches, len(self.layers)) if decodable else set())
        if frame.timestamp != self.picture:
            self.picture = frame.timestamp
            self._begin_picture(reachable, gained)
        elif self.sent is not None and self.sent != self._goal():
            self._go_on(reachable, frame)
        belongs = self.sent is not None and frame.present >> self.sent & 1
        self.decided[frame.number] = bool(decodable and belongs)
        if decodable and belongs:
            self.last = frame.number
            self.relied_on |= bits(frame.required, len(self.layers))
            self.intact |= bits(frame.switches, len(self.layers))
            if frame.spatial == self.top:
                self.closed.add(frame.number)
        else:
            self.intact -= bits(frame.required, len(self.layers))
        return self._answer(frame.number)

    def waits(self) -> bool:
        if not self.layers or self.newest is None or self.is_stale:
            return False
        if self.sent is None or self.sent not in self.intact:
            return True
        size = self.layers[self._goal()][0]
        return self.layers[self.sent][0] != size and not any(
            self.layers[each][0] == size for each in self.intact & self._allowed()
        )

    def climbs(self) -> bool:
        if not self.layers or self.newest is None or self.sent is None or self.sent not in self.intact:
            return False
        return self.layers[self.sent][0] < self.layers[self._goal()][0]

    def _is_unfinished(self) -> bool:
        """Tell whether all of the picture came, and nothing that was sent of it says that it ends."""
        if self.last is None or self.newest is None:
            return False
        is_whole = all(self._decision(each) is not None for each in range(self.first, self.newest + 1))
        return is_whole and self.last in self.ended and self.last not in self.closed | self.marked

    def _late(self, frame: Frame) -> tuple[bool, bool] | None:
        if self.newest is None or self.sent is None:
            return None
        if self._decision(frame.number) is None:
            belongs = frame.present >> self.sent & 1
            self.decided[frame.number] = bool(belongs and self._can_be_decoded(frame))
            if not self.decided[frame.number]:
                self.intact -= bits(frame.required, len(self.layers)) - {self.sent}
                return self._answer(frame.number)
            if frame.spatial == self.layers[self.sent][0]:
                self.closed.add(frame.number)
            if frame.number >= self.first:
                self.last = None
                self.relied_on |= bits(frame.required, len(self.layers))
        return self._answer(frame.number)

    def _answer(self, number: int) -> tuple[bool, bool]:
        return bool(self._decision(number)), bool(self._decision(number)) and number in self.closed

    def _decision(self, number: int) -> bool | None:
        assert self.newest is not None
        if number > self.newest:
            return None
        oldest = min(self.decided, default=self.newest + 1)
        if number < oldest or self.newest - number >= REMEMBERED:
            return False  # before the first frame, or too long ago
        return self.decided.get(number)

    def _can_be_decoded(self, frame: Frame) -> bool:
        whole = frame.own == NO_TARGET or frame.own in self.intact
        references = [frame.number - each for each in frame.references]
        return whole and not any(self._decision(each) is False or each in self.given_up for each in references)

    def _best(self, candidates: Iterable[int], choose: Callable[..., int] = max) -> int | None:
        known = sorted(candidates)
        return choose(known, key=lambda each: self.layers[each]) if known else None

    def _allowed(self) -> set[int]:
        there = bits(self.active, len(self.layers))
        spatial, temporal = self.wanted
        allowed = {each for each in there if self.layers[each][0] <= spatial and self.layers[each][1] <= temporal}
        if allowed:
            return allowed
        lowest = self._best(there or range(len(self.layers)), min)
        assert lowest is not None
        return {lowest}

    def _goal(self) -> int:
        goal = self._best(self._allowed())
        assert goal is not None
        return goal

    def _begin_picture(self, reachable: set[int], gained: set[int]) -> None:
        best = self._best(self._allowed() & reachable)
        if best is None and self.sent is not None:
            size = self.layers[self.sent][0]
            best = self._best({each for each in reachable if self.layers[each][0] == size}, min)
        self.sent = self.sent if best is None else best
        self.top = 0 if self.sent is None else self.layers[self.sent][0]
        if self.sent is not None and self._goal() in gained:
            self.top = max(self.top, self.layers[self._goal()][0])

    def _go_on(self, reachable: set[int], frame: Frame) -> None:
        assert self.sent is not None
        size, rate = self.layers[self.sent]
        candidates = self._allowed() & reachable
        if self.top > size and frame.spatial == self.top:
            best = self._best({each for each in candidates if self.layers[each][0] == self.top})
            if best is None:
                self.intact = set()
            else:
                self.sent = best
            return
        best = self._best({each for each in candidates if self.layers[each][0] == size})
        if best is not None and self.layers[best][1] > rate:
            self.sent = best
