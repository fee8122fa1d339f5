"""What an allocation changes for a viewer, and wishes that are cut: less is to climb at a time, one camera is to do."""

from __future__ import annotations

import enum
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Final

from media.bwe.allocator import KeyT, Layer, Rank, SlotWish

AT_ONCE: Final = 0.6
"""Part of the estimate that the encodings together may have that begin at the same time: each begins with a key frame,
of about a third of a second of its bitrate, and all of them are to be through the bottleneck in a fifth of one."""


class Change(enum.Enum):
    """What becomes of what was shown."""

    NONE = enum.auto()
    CLIMB = enum.auto()
    """More is sent of something, and less of nothing."""
    FALL = enum.auto()
    """Less is sent of something than it wants."""


def compare(wishes: Sequence[SlotWish[KeyT]], layers: Mapping[KeyT, Layer | None]) -> Change:
    """Return what layers change for those wishes that are shown already. Who wants less, and gets it, does not fall."""
    change = Change.NONE
    for wish in wishes:
        if wish.layers:
            before, after, most = (_height(each) for each in (wish.current, layers[wish.key], wish.layers[-1]))
            if after < min(before, most):
                return Change.FALL
            if after > before:
                change = Change.CLIMB
    return change


def held(wishes: Sequence[SlotWish[KeyT]], *, paused: Container[KeyT]) -> list[SlotWish[KeyT]]:
    """Return wishes of which none goes beyond what is shown now; what is new may have its lowest layer."""
    return [replace(wish, layers=() if wish.key in paused else _up_to_now(wish)) for wish in wishes]


def late(wishes: Sequence[SlotWish[KeyT]], layers: Mapping[KeyT, Layer | None], *, left_bps: float) -> set[KeyT]:
    """Return whose turn to climb to these layers comes later: too many encodings would begin at once."""
    beginning_bps = 0
    waiting: set[KeyT] = set()
    for wish in sorted(wishes, key=lambda wish: wish.rank):
        layer = layers[wish.key]
        if layer is not None and (wish.current is None or layer.encoding > wish.current.encoding):
            if beginning_bps and beginning_bps + layer.bitrate_bps > left_bps * AT_ONCE:
                waiting.add(wish.key)
            else:
                beginning_bps += layer.bitrate_bps
    return waiting


def in_turn(
    wishes: Sequence[SlotWish[KeyT]], layers: Mapping[KeyT, Layer | None], waiting: Container[KeyT]
) -> list[SlotWish[KeyT]]:
    """Return wishes of which none goes beyond these layers, and those that wait stay where they are."""
    cut: list[SlotWish[KeyT]] = []
    for wish in wishes:
        if wish.key not in waiting:
            top = _height(layers[wish.key])
            cut.append(replace(wish, layers=[layer for layer in wish.layers if _height(layer) <= top]))
        else:
            cut.append(replace(wish, layers=() if wish.current is None else _up_to_now(wish)))
    return cut


def keep_one_camera(wishes: Sequence[SlotWish[KeyT]], *, first: Container[KeyT]) -> list[SlotWish[KeyT]]:
    """Return wishes of which only screens and one camera are for anything: one of `first`, else of the first rank."""
    cameras = [wish for wish in wishes if wish.rank is not Rank.SCREEN]
    best = min(cameras, key=lambda wish: (wish.key not in first, wish.rank), default=None)
    return [wish if wish.rank is Rank.SCREEN or wish is best else replace(wish, layers=()) for wish in wishes]


def _up_to_now(wish: SlotWish[KeyT]) -> tuple[Layer, ...]:
    below = [layer for layer in wish.layers if _height(layer) <= _height(wish.current)]
    return tuple(below or wish.layers[:1])


def _height(layer: Layer | None) -> tuple[int, int]:
    """Return what layers are compared by."""
    return (-1, -1) if layer is None else (layer.encoding, layer.temporal)
