"""What the data plane has counted of the way to one peer and back, in units that people use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_MICROSECONDS: Final = 1e6
_FRACTION: Final = 256  # of a receiver report's fraction lost (RFC 3550 section 6.4.1)


@dataclass(frozen=True, slots=True)
class PathCounters:
    """Times in seconds; 0 where nothing is known."""

    received: int = 0
    """Packets that came, since the start."""
    lost: int = 0
    """Packets that did not come, before repair (RFC 3550 A.3); may shrink when late ones come."""
    sent: int = 0
    """Packets that went out in the slots that carry something now."""
    loss_out: float = 0.0
    """The part of what we sent that the peer's last reports missed, 0 to 1."""
    jitter_in_s: float = 0.0
    jitter_out_s: float = 0.0
    round_trip_s: float = 0.0


UNKNOWN_PATH: Final = PathCounters()


def path_counters(stats: Mapping[str, int]) -> PathCounters:
    """Return what `Worker.path_stats` says, in seconds and parts of one."""
    return PathCounters(
        received=stats["received"],
        lost=stats["lost"],
        sent=stats["sent"],
        loss_out=stats["loss_out"] / _FRACTION,
        jitter_in_s=stats["jitter_in_us"] / _MICROSECONDS,
        jitter_out_s=stats["jitter_out_us"] / _MICROSECONDS,
        round_trip_s=stats["round_trip_us"] / _MICROSECONDS,
    )
