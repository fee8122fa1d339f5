"""A path in virtual time: a bottleneck with a finite queue, delay and loss; and a sender that obeys an estimate."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from media.native.gcc import Estimator

STEP_S = 0.005
FRAME_S = 0.033
FEEDBACK_S = 0.1
PACKET_BYTES = 1100
LOSS_KNOWN_AFTER_S = 0.2


class Sent(NamedTuple):
    """One packet on its way; `arrives` is None for one that never does."""

    at: float
    arrives: float | None
    size: int
    probe: int


@dataclass
class Path:
    """A bottleneck: `rate_bps` may be changed at any time."""

    rate_bps: float
    seed: int = 1
    delay_s: float = 0.05
    queue_s_max: float = 0.3
    loss: float = 0.0
    burst: float = 1.0
    """Packets that are lost in a row, in the mean (Gilbert's model); 1: each by its own chance."""
    other_bps: float = 0.0
    """What a competing flow takes of the rate."""
    free_at: float = 0.0
    _random: random.Random = field(init=False)
    _is_bad: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def send(self, at: float, size: int) -> tuple[float | None, float]:
        """Return when a packet arrives, and how long it queues in seconds."""
        waits = max(0.0, self.free_at - at)
        if waits > self.queue_s_max or self._loses():
            return None, min(waits, self.queue_s_max)
        self.free_at = at + waits + size * 8 / max(self.rate_bps - self.other_bps, 1.0)
        return self.free_at + self.delay_s, waits

    def _loses(self) -> bool:
        if self.burst <= 1.0:
            return self._random.random() < self.loss
        enter = self.loss / (1.0 - self.loss) / self.burst
        if self._random.random() < (1.0 / self.burst if self._is_bad else enter):
            self._is_bad = not self._is_bad
        return self._is_bad


class Second(NamedTuple):
    """What happened in one second."""

    sent_bps: float
    queue_p95_ms: float
    estimate_bps: int


class Call:
    """A sender of video at the estimated rate, up to what it could use, and the feedback that comes back."""

    def __init__(
        self, path: Path, *, wanted_bps: int = 8_000_000, start_bps: int = 300_000, sends_bps: int | None = None
    ) -> None:
        """`sends_bps` is the most that is sent of what is wanted: an allocator leaves steps out, a lesson is quiet."""
        self.path = path
        self.wanted_bps = wanted_bps
        self.sends_bps = wanted_bps if sends_bps is None else sends_bps
        self.key_frame_bytes = 0
        """Of the next frame, once."""
        self.estimator = Estimator(start_bps)
        self.estimator.want(wanted_bps)
        self.estimator.round_trip(int(2e6 * path.delay_s))
        self.estimate_bps = start_bps
        self.seconds: list[Second] = []
        self.beside: Callable[[float], None] | None = None
        """Called at each step with the time: another flow on the same path."""
        self._random = random.Random(path.seed + 1)
        self._now = 0.0
        self._frame_due = 0.0
        self._feedback_due = FEEDBACK_S
        self._flying: list[Sent] = []
        self._told: list[tuple[float, list[Sent]]] = []
        self._bits = 0
        self._queues_ms: list[float] = []

    def run(self, seconds: int) -> list[Second]:
        """Let time go by; return what these seconds were like."""
        for _ in range(seconds):
            for _ in range(round(1 / STEP_S)):
                self._step()
            ordered = sorted(self._queues_ms) or [0.0]
            self.seconds.append(Second(self._bits, ordered[int(len(ordered) * 0.95)], self.estimate_bps))
            self._bits, self._queues_ms = 0, []
        return self.seconds[-seconds:]

    def until(self, is_reached: Callable[[], bool], seconds_max: float) -> float:
        """Let time go by until something is so; return how long that took, at most so many seconds."""
        began = self._now
        while not is_reached() and self._now - began < seconds_max:
            self._step()
        return self._now - began

    def _step(self) -> None:
        if self.beside is not None:
            self.beside(self._now)
        if self._now >= self._frame_due:
            self._frame_due += FRAME_S
            self._send_frame()
        probe = self.estimator.probe(self._now_us)
        if probe is not None:
            cluster, rate_bps, size = probe
            for index in range(-(-size // 1000)):
                self._send(self._now + index * 8000 / rate_bps, 1000, cluster)
        if self._now >= self._feedback_due:
            self._feedback_due += FEEDBACK_S
            self._tell()
        while self._told and self._told[0][0] <= self._now:
            self._take(self._told.pop(0)[1])
        self._now += STEP_S

    def _send_frame(self) -> None:
        bits = min(self.estimate_bps, self.sends_bps) * FRAME_S * self._random.uniform(0.7, 1.3)
        if self.key_frame_bytes:
            bits, self.key_frame_bytes = self.key_frame_bytes * 8.0, 0
        count = max(1, int(bits / 8 / PACKET_BYTES + 0.999))
        for index in range(count):
            self._send(self._now + index * 0.0005, max(60, int(bits / 8 / count)), 0)

    def _send(self, at: float, size: int, probe: int) -> None:
        arrives, waits_s = self.path.send(at, size)
        self._flying.append(Sent(at, arrives, size, probe))
        self._queues_ms.append(waits_s * 1000)
        self._bits += size * 8

    def _tell(self) -> None:
        """Let the far end report all that was sent until the last packet that came."""
        came = [
            each.at
            for each in self._flying
            if (each.arrives is not None and each.arrives <= self._now)
            or (each.arrives is None and each.at + LOSS_KNOWN_AFTER_S < self._now)
        ]
        if not came:
            return
        told: list[Sent] = []
        kept: list[Sent] = []
        for each in self._flying:
            under_way = each.at > max(came) or (each.arrives is not None and each.arrives > self._now)
            (kept if under_way else told).append(each)
        self._flying = kept
        self._told.append((self._now + self.path.delay_s, sorted(told, key=lambda each: each.at)))

    def _take(self, told: list[Sent]) -> None:
        clock_us = 77_000_000  # the far end's clock is another one
        results = [
            (int(at * 1e6), None if arrives is None else int(arrives * 1e6) + clock_us, size, probe)
            for at, arrives, size, probe in told
        ]
        self.estimate_bps = self.estimator.feedback(results, self._now_us)

    @property
    def _now_us(self) -> int:
        return int(self._now * 1e6) + 1
