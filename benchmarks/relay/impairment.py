"""Decides what happens to each packet of one direction: pure, and the same for the same seed and packets."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from benchmarks.relay.chance import Chance, Purpose, derive_key
from benchmarks.relay.packet import Kind
from benchmarks.relay.profile import Profile, Target
from benchmarks.relay.schedule import Schedule

HEADER_BYTES: Final = 28  # IPv4 and UDP


class Fate(enum.Enum):
    """What became of a packet; all but PASSED are drops."""

    PASSED = "passed"
    LOST = "lost"
    BLACKOUT = "blackout"
    QUEUE_FULL = "queue_full"
    TOO_LARGE = "too_large"
    UNMAPPED = "unmapped"
    """It came to a NAT mapping that a rebinding had ended."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with one packet."""

    fate: Fate
    leaves_s: tuple[float, ...] = ()
    """When each copy goes on, on the clock of `decide`; none if dropped."""
    flipped_bit: int | None = None
    """Bit of the datagram to flip before it goes on: 0 is the highest of the first byte."""


UNMAPPED: Final = Verdict(Fate.UNMAPPED)
_HIT: Final = {
    Target.ALL: frozenset(Kind),
    Target.MEDIA: frozenset({Kind.RTP, Kind.RTCP}),
    Target.RTP: frozenset({Kind.RTP}),
}


class Impairment:
    """One direction of one link. Times are seconds on a clock that starts at 0 with the first packet.

    A packet passes, in this order: MTU, blackout, chance loss, the rate's queue, delay and jitter; a duplicate leaves
    together with its original, and one bit of both may be flipped.
    """

    def __init__(self, schedule: Schedule, seed: int, name: str) -> None:
        """`name` tells directions apart that share a seed."""
        self._chance = Chance(derive_key(seed, name))
        self._schedule = schedule
        self._since_s = 0.0
        self._step = 0
        self._is_bad = False
        self._link_free_s = 0.0
        self._last_leaves_s = 0.0

    @property
    def schedule(self) -> Schedule:
        return self._schedule

    def change(self, schedule: Schedule, *, now: float) -> None:
        """Follow another schedule, whose times count from now. What is on its way is not called back."""
        self._schedule, self._since_s, self._step = schedule, now, 0

    def decide(self, number: int, size_bytes: int, kind: Kind, *, now: float) -> Verdict:
        """Return what happens to the packet with this number (ascending) of this size; `now` never goes back."""
        profile = self._profile(now)
        if profile.mtu_bytes is not None and size_bytes > profile.mtu_bytes:
            return Verdict(Fate.TOO_LARGE)
        if profile.blackout:
            return Verdict(Fate.BLACKOUT)
        may_hit = kind in _HIT[profile.only]
        if may_hit and self._loses(profile, number):
            return Verdict(Fate.LOST)
        through_s = self._through_the_queue(profile, size_bytes, now)
        if through_s is None:
            return Verdict(Fate.QUEUE_FULL)
        leaves_s = self._delayed(profile, number, through_s, may_hit=may_hit)
        if not may_hit:
            return Verdict(Fate.PASSED, (leaves_s,))
        twice = profile.duplicate and self._chance.uniform(number, Purpose.DUPLICATE) < profile.duplicate
        return Verdict(
            Fate.PASSED,
            (leaves_s, leaves_s) if twice else (leaves_s,),
            self._flipped_bit(profile, number, size_bytes),
        )

    def _profile(self, now: float) -> Profile:
        steps = self._schedule.steps
        while self._step + 1 < len(steps) and steps[self._step + 1].at_s <= now - self._since_s:
            self._step += 1
        return steps[self._step].profile

    def _loses(self, profile: Profile, number: int) -> bool:
        drawn = self._chance.uniform(number, Purpose.LOSS)
        if profile.loss and drawn < profile.loss:
            return True
        model = profile.burst
        if model is None:
            return False
        turn = self._chance.uniform(number, Purpose.BURST)
        if turn < (model.leave if self._is_bad else model.enter):
            self._is_bad = not self._is_bad
        return drawn < (model.bad_loss if self._is_bad else model.good_loss)

    def _through_the_queue(self, profile: Profile, size_bytes: int, now: float) -> float | None:
        """Return when the last bit is through, None if the queue is full."""
        if profile.rate_bps is None:
            return now
        starts_s = max(now, self._link_free_s)
        if starts_s - now > profile.queue_s:
            return None
        self._link_free_s = starts_s + (size_bytes + HEADER_BYTES) * 8 / profile.rate_bps
        return self._link_free_s

    def _delayed(self, profile: Profile, number: int, through_s: float, *, may_hit: bool) -> float:
        leaves_s = through_s + profile.delay_s
        if profile.jitter_s:
            leaves_s += profile.jitter_s * self._chance.uniform(number, Purpose.JITTER)
        if may_hit and profile.reorder and self._chance.uniform(number, Purpose.REORDER) < profile.reorder:
            return leaves_s + profile.hold_s  # those that follow do not wait for it
        if not profile.unordered:
            leaves_s = max(leaves_s, self._last_leaves_s)
            self._last_leaves_s = leaves_s
        return leaves_s

    def _flipped_bit(self, profile: Profile, number: int, size_bytes: int) -> int | None:
        if not size_bytes or not profile.corrupt or self._chance.uniform(number, Purpose.CORRUPT) >= profile.corrupt:
            return None
        return int(self._chance.uniform(number, Purpose.BIT) * size_bytes * 8)
