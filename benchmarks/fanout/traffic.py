"""What the publisher of the fan-out benchmark sends: frames of real video, or full packets that all have one size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from benchmarks.fanout.packets import OUT_HEADER_BYTES, recorded_frames, split_frame
from benchmarks.fanout.rig import PACKET_BYTES

FULL_PER_BURST: Final = 16
"""Full packets that wait when the worker looks: a frame or two under load."""


def recorded() -> list[list[int]]:
    """Return the sizes of the packets that a viewer gets, frame by frame: 10 s of 720p30."""
    limit = PACKET_BYTES - OUT_HEADER_BYTES
    return [[size + OUT_HEADER_BYTES for size in split_frame(frame, limit)] for frame in recorded_frames()]


def full() -> list[list[int]]:
    """Return frames of one full packet, a burst's worth of them."""
    return [[PACKET_BYTES]] * FULL_PER_BURST


TRAFFIC: Final = {"720p30": (recorded, 1), "full": (full, FULL_PER_BURST)}
"""By name: what makes the frames, and how many of them come in one burst."""


def bursts(name: str, packets: int) -> Iterator[list[list[int]]]:
    """Yield bursts of frames until about so many packets were in them."""
    make, frames_per_burst = TRAFFIC[name]
    frames = itertools.cycle(make())
    while packets > 0:
        burst = list(itertools.islice(frames, frames_per_burst))
        yield burst
        packets -= sum(len(frame) for frame in burst)
