"""Twin of the lateness of a publisher's pictures: the latest of the last ten seconds, if three of them were late.

If eight were, half as much again.
"""

from __future__ import annotations

from tests.oracle.playout import PlayoutDelay


class PublisherLateness:
    def __init__(self) -> None:
        self.late: list[tuple[int, int]] = []
        self.told = PlayoutDelay()

    def note(self, late_us: int, now_us: int) -> None:
        if 30_000 <= late_us <= 500_000:
            self.late.append((now_us // 1_000_000, late_us))

    def tell(self, now_us: int) -> int | None:
        if not self.late:
            return None
        last = [(second, late_us) for second, late_us in self.late if now_us // 1_000_000 - second < 10]
        needed_us = 0
        if (seconds := len({second for second, _ in last})) >= 3:
            latest_us = max(late_us for _, late_us in last)
            needed_us = min(latest_us + (latest_us // 2 if seconds >= 8 else 0) + 50_000, 400_000)
        return self.told.follow(needed_us // 10_000 * 10, now_us)
