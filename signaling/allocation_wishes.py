"""What each slot of a viewer could be sent, and in which order it climbs there: tables and arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from media.bwe.allocator import Layer, Rank
from media.rtp.parameters import MediaKind
from signaling.allocation_rates import Rates
from signaling.identifiers import SlotKind, Source, TrackId
from signaling.layers import TEMPORAL_ALL, likely_heights, of_one_size
from signaling.track import Track

TEMPORAL_SHARES: Final = (0.5, 0.7, 1.0)
"""Of the bitrate, up to each of three temporal layers: as libwebrtc's encoders divide it, near enough."""

PINNED_MAX: Final = 2
"""Who pins more than so many tracks has laid out a grid, and means none of them in particular."""

_USUAL_HEIGHT: Final = 180
_USUAL_BPS: Final = 150_000
_USUAL_POWER: Final = 1.65
"""180 lines at 150 kbit/s, 360 at 470, 720 at 1,480, 1080 at 2,880: what browsers aim at, in between too."""

SCREEN_USUAL_BPS: Final = 300_000
"""A screen mostly stands still, and its size says little. Of several encodings the upper ones are never taken for less:
the next page is a burst that a path must have room for."""

SCREEN_LOWEST_USUAL_BPS: Final = 150_000
"""Of several encodings of a screen the lowest has few frames: our SDK's 5 a second, at most 200,000 bit/s."""

AUDIO_USUAL_BPS: Final = 40_000
"""Opus at 32 kbit/s, with headers."""


def usual_bps(height: float, *, source: Source, limit_bps: int, is_lower: bool = False) -> int:
    """Return what an encoding of that height may be expected to need, in bit/s, at most its limit (0: none yet).

    `is_lower`: it is the lowest of several.
    """
    if source is Source.SCREEN:
        expected = SCREEN_LOWEST_USUAL_BPS if is_lower else SCREEN_USUAL_BPS
    else:
        expected = round(_USUAL_BPS * (height / _USUAL_HEIGHT) ** _USUAL_POWER)
    return min(expected, limit_bps) if limit_bps > 0 else expected


def has_temporal_layers(codec: str | None, encodings: int) -> bool:
    """Return whether frames can be left out: browsers make three layers of simulcast VP8, our SDK of VP9 and AV1."""
    name = (codec or "").upper()
    return name in ("VP9", "AV1") or (name == "VP8" and encodings > 1)


def ladder(
    costs: Sequence[int],
    *,
    highest: int,
    temporal: int,
    layered: bool,
    is_screen: bool,
    shares: Sequence[Sequence[float]] = (),
    one_size: bool = False,
) -> tuple[Layer, ...]:
    """Return the layers that a slot climbs, from the first to the last that is wanted; each costs more than the last.

    `costs` are those of the encodings in bit/s, lowest first; `highest` is the encoding that is wanted, `temporal` the
    highest temporal layer (TEMPORAL_ALL: all); `layered` says whether there are any, `shares` of each encoding which
    part of its bitrate goes up to each of them, where that is measured. A screen climbs in resolution first, then in
    frames; of several encodings of one size it climbs from one to the next, each whole: the lower has few frames as it
    is, and a quarter of what is written twice a second is a picture each two seconds. A camera has at least half its
    frames before it grows.
    """
    wanted = [*range(min(temporal, TEMPORAL_ALL - 1)), temporal] if layered else [temporal]
    if is_screen and one_size and len(costs) > 1:
        steps = [(encoding, temporal) for encoding in range(highest + 1)]
    elif is_screen:
        steps = [(encoding, wanted[0]) for encoding in range(highest + 1)]
        steps += [(highest, each) for each in wanted[1:]]
    else:
        steps = [(0, each) for each in wanted]
        steps += [(encoding, each) for encoding in range(1, highest + 1) for each in wanted[1:] or wanted]
    climbed: list[Layer] = []
    for encoding, each in reversed(steps):  # from the best: what is worse is worth a step only if it costs less
        share = _share(shares[encoding] if encoding < len(shares) else (), each) if layered else 1.0
        cost = round(costs[encoding] * share)
        if not climbed or cost < climbed[-1].bitrate_bps:
            climbed.append(Layer(encoding, each, cost))
    return tuple(reversed(climbed))


def _share(measured: Sequence[float], temporal: int) -> float:
    """Return which part of a bitrate goes up to a temporal layer; what is usual, if it is not measured."""
    known = measured or TEMPORAL_SHARES
    return known[temporal] if temporal < len(known) and temporal < TEMPORAL_ALL else 1.0


def rank_of(*, source: Source, kind: SlotKind, pinned: bool, in_spotlight: bool, speaks: bool) -> Rank:
    """Return who comes first when there is too little for all."""
    if source is Source.SCREEN:
        return Rank.SCREEN
    if kind is SlotKind.STAGE or pinned or in_spotlight:
        return Rank.PINNED
    return Rank.SPEAKER if speaks else Rank.OTHER


class Offers:
    """What slots may climb on, by track; the same for all who want the same, so it is kept between two looks."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._ladders: dict[tuple[TrackId, str | None, tuple[int, ...], int, int], tuple[Layer, ...]] = {}

    def ladder(self, track: Track, highest: int, temporal: int) -> tuple[Layer, ...]:
        """Return the layers of a track up to what is wanted."""
        key = (track.id, track.codec, tuple(each.height for each in track.encodings), highest, temporal)
        known = self._ladders.get(key)
        if known is None:
            known = self._ladders[key] = ladder(
                self.costs(track),
                highest=min(highest, len(track.encodings) - 1),
                temporal=temporal,
                layered=has_temporal_layers(track.codec, len(track.sending.rids))
                or any(len(each.temporal_shares) > 1 for each in track.encodings),
                is_screen=track.source is Source.SCREEN,
                shares=[each.temporal_shares for each in track.encodings],
                one_size=of_one_size([each.height for each in track.encodings]),
            )
        return known

    def costs(self, track: Track) -> tuple[int, ...]:
        """Return what each encoding of a track costs in bit/s."""
        source = track.source
        heights = likely_heights(
            [each.height for each in track.encodings], declared_height=track.declared_height, source=source
        )
        limits_bps = track.sending.limits_bps
        if len(limits_bps) != len(heights):  # the sizes of a layered stream have one limit together
            limits_bps = limits_bps[-1:] * len(heights)
        several = len(heights) > 1
        usual = [
            usual_bps(height, source=source, limit_bps=limit_bps, is_lower=several and index == 0)
            for index, (height, limit_bps) in enumerate(zip(heights, limits_bps, strict=True))
        ]
        costs = self._rates.costs(track.id, usual)
        if source is Source.SCREEN and several:
            return costs[0], *(max(cost, least) for cost, least in zip(costs[1:], usual[1:], strict=True))
        return costs

    def has_moved(self, track: Track) -> bool:
        """Return whether a track costs something else than when this was last true."""
        usual = (AUDIO_USUAL_BPS,)
        costs = self._rates.costs(track.id, usual) if track.kind is MediaKind.AUDIO else self.costs(track)
        return self._rates.has_moved(track.id, costs)

    def forget(self) -> None:
        """Costs may be others now."""
        self._ladders.clear()
