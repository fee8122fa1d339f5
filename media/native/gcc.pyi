"""How much a path carries: Google congestion control."""

from collections.abc import Sequence
from typing import Self, final

@final
class Estimator:
    """One estimate, for simulations and tests."""

    def __new__(cls, start_bps: int = 300_000, min_bps: int = 30_000, max_bps: int = 50_000_000) -> Self: ...
    def feedback(self, results: Sequence[tuple[int, int | None, int, int]], now_us: int) -> int:
        """Take (sent_us, received_us or None, size, probe) of packets in the order sent; return bit/s."""

    def remb(self, bps: int, now_us: int) -> int:
        """Take a limit of the peer's own; return the estimate in bit/s."""

    def round_trip(self, round_trip_us: int) -> None:
        """Say how long the way there and back takes."""

    def want(self, bps: int) -> None:
        """Say how much could be used: beyond the estimate it is probed for."""

    def probe(self, now_us: int) -> tuple[int, int, int] | None:
        """Return (cluster, rate in bit/s, bytes) of padding to send now, or None."""

    def facts(self) -> dict[str, float]:
        """Return what the estimate was made of."""
