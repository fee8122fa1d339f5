"""What the way to one peer carries, as the data plane last estimated it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PathEstimate:
    """An estimate; who must fit into it sums up what it sends: sound, pictures, repair."""

    bitrate_bps: int
    """Of UDP payloads. While less is sent it grows only as far as probes for `Transport.want` find room."""
    loss: float
    """The part of the last packets that the peer did not get, 0 to 1, before repair."""
    round_trip_s: float
    """As the peer's last report has it; 0.2 as long as none came."""
