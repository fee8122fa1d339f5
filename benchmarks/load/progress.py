"""What a run says of itself meanwhile: one line that changes on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Final

from benchmarks.load.window import Window

QUIET_S: Final = 10.0
"""Between lines where there is no terminal."""
WIDTH: Final = 110


class Progress:
    """Writes to standard error."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._said_at = -QUIET_S

    def tell(self, text: str) -> None:
        """Say something that stays."""
        self._clear()
        print(text, file=sys.stderr, flush=True)

    def tick(self, text: str) -> None:
        """Say how it goes at the moment."""
        now = time.monotonic()
        if self._terminal:
            sys.stderr.write(f"\r{text[:WIDTH]:{WIDTH}}")
            sys.stderr.flush()
        elif now - self._said_at >= QUIET_S:
            self._said_at = now
            print(text, file=sys.stderr, flush=True)

    def window(self, window: Window) -> None:
        """Say how the last second went."""
        self.tick(
            f"{window.viewers} viewers  {window.packets_per_s:,.0f} packets/s  {window.bits_per_s / 1e6:,.0f} Mbit/s  "
            f"lost {window.loss:.3%}  latency p50 {window.latency_ms(0.5):.1f} p99 {window.latency_ms(0.99):.1f} ms  "
            f"CPU server {window.server_cpu_s / window.seconds:.0%} generator "
            f"{window.generator_cpu_s / window.seconds:.0%}"
        )

    def end(self) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._terminal:
            sys.stderr.write(f"\r{'':{WIDTH}}\r")
