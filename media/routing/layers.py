"""The layers of one stream (SVC) as a ladder of sizes, like that of simulcast: arithmetic on native counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LayerCount = tuple[int, int, int, int, int, int]
"""Spatial and temporal layer, bytes since the start, bitrate in bit/s, width and height: as the native core tells."""


@dataclass(frozen=True, slots=True)
class SpatialLayer:
    """One size, with all layers that it needs and all temporal layers."""

    width: int
    height: int
    received_bytes: int
    bitrate_bps: int
    temporal_shares: tuple[float, ...]
    """Of the bitrate, up to each temporal layer, lowest first; empty as long as it is not known."""


def spatial_layers(counts: Sequence[LayerCount]) -> tuple[SpatialLayer, ...]:
    """Return the sizes of a stream, smallest first; empty if it has no layers.

    The index is the layer's number: one that is not sent stands for the next above, which is what a viewer gets.
    """
    layers: list[SpatialLayer] = []
    for spatial in range(max((each[0] for each in counts), default=-1), -1, -1):
        of_layer = sorted(each for each in counts if each[0] == spatial)
        layers.append(_layer(of_layer) if of_layer else layers[-1])
    return tuple(reversed(layers))


def _layer(counts: Sequence[LayerCount]) -> SpatialLayer:
    _, _, received_bytes, bitrate_bps, width, height = counts[-1]
    rates = [each[3] for index, each in enumerate(counts) if index == 0 or each[2] > counts[index - 1][2]]
    shares = tuple(min(rate / bitrate_bps, 1.0) for rate in rates) if bitrate_bps else ()
    return SpatialLayer(width, height, received_bytes, bitrate_bps, shares)
