"""From an estimate to one layer for each slot. Pure: the same wishes and the same past give the same answer.

Everybody gets something before anybody gets more: each slot its lowest layer, in order of rank; then rank by rank the
slots climb together, a step each in turn, as far as the estimate carries them. To climb above what a slot has, the
estimate must hold more than the sum; to stay, it need only hold the sum: so nothing flaps at the edge. Sound is not
here: it is taken off the estimate first, and never sacrificed.
"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

CLIMB_MARGIN: Final = 1.15
"""Of the sum, for a step above what is shown now: an estimate swings by a tenth on a quiet path."""
SCREEN_OVERSEND_BPS: Final = 150_000
"""A screen's lowest layer is sent even where the estimate is short by so much: a lesson without its text is none, and
what is on a screen mostly stands still (Jitsi allows 500,000)."""

KeyT = TypeVar("KeyT", bound=Hashable)


class Rank(enum.IntEnum):
    """Who comes first when there is too little for all."""

    SCREEN = 0
    PINNED = 1
    SPEAKER = 2
    OTHER = 3


@dataclass(frozen=True, slots=True)
class Layer:
    """One way to send a track: an encoding, and the highest temporal layer of it that is forwarded."""

    encoding: int
    temporal: int
    bitrate_bps: int
    """As measured, of all temporal layers up to this one."""


@dataclass(frozen=True, slots=True)
class SlotWish(Generic[KeyT]):
    """What one slot could show."""

    key: KeyT
    rank: Rank
    layers: Sequence[Layer]
    """In the order in which they are climbed, lowest first, none above what is wanted; bitrates rise. For a screen:
    resolution before frame rate."""
    current: Layer | None = None
    """What it shows now."""


@dataclass(frozen=True, slots=True)
class Allocation(Generic[KeyT]):
    """What every slot gets, and what all of them could use."""

    layers: dict[KeyT, Layer | None]
    """None: nothing fits, the slot is paused."""
    used_bps: int
    wanted_bps: int
    """The sum of the highest layers: what it would be worth to look for more bandwidth for."""


def allocate(estimate_bps: float, wishes: Sequence[SlotWish[KeyT]]) -> Allocation[KeyT]:
    """Return the layers that an estimate carries. Within a rank the order of the wishes counts."""
    ordered = sorted((wish for wish in wishes if wish.layers), key=lambda wish: wish.rank)
    steps: dict[KeyT, int] = {}
    used_bps = 0
    for wish in ordered:
        lowest = wish.layers[0]
        allowed_bps = estimate_bps + (SCREEN_OVERSEND_BPS if wish.rank is Rank.SCREEN else 0)
        if _fits(used_bps + lowest.bitrate_bps, allowed_bps, climbs=wish.current is None):
            steps[wish.key] = 0
            used_bps += lowest.bitrate_bps
    for rank in Rank:
        used_bps = _climb(
            [wish for wish in ordered if wish.rank is rank and wish.key in steps], steps, used_bps, estimate_bps
        )
    layers = {wish.key: wish.layers[steps[wish.key]] if wish.key in steps else None for wish in wishes}
    return Allocation(layers, used_bps, sum(wish.layers[-1].bitrate_bps for wish in ordered))


def _climb(wishes: list[SlotWish[KeyT]], steps: dict[KeyT, int], used_bps: int, estimate_bps: float) -> int:
    """Let slots of one rank climb a step each in turn until none can; return what is used then."""
    climbing = list(wishes)
    while climbing:
        still: list[SlotWish[KeyT]] = []
        for wish in climbing:
            at = steps[wish.key]
            if at + 1 == len(wish.layers):
                continue
            more_bps = wish.layers[at + 1].bitrate_bps - wish.layers[at].bitrate_bps
            if _fits(used_bps + more_bps, estimate_bps, climbs=_is_above(wish.layers[at + 1], wish.current)):
                steps[wish.key] = at + 1
                used_bps += more_bps
                still.append(wish)
        climbing = still
    return used_bps


def _fits(sum_bps: float, allowed_bps: float, *, climbs: bool) -> bool:
    return sum_bps * (CLIMB_MARGIN if climbs else 1.0) <= allowed_bps


def _is_above(layer: Layer, current: Layer | None) -> bool:
    """Whether a layer is more than what is shown: a higher encoding, or more frames of the same."""
    return current is None or (layer.encoding, layer.temporal) > (current.encoding, current.temporal)
