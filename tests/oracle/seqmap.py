"""Twin of the run table: every number on its own in a dictionary, as far as runs are remembered."""

from __future__ import annotations

RUNS = 64
RESENT = 64


class RunTable:
    def __init__(self) -> None:
        self._runs: list[tuple[int, int, int, int | None]] = []
        self._resent: dict[int, tuple[int, int]] = {}

    def open(self, source: int, first_source: int, delta: int) -> None:
        self._runs = [*self._runs, (source, first_source, delta, None)][-RUNS:]

    def close(self, end_source: int) -> None:
        source, first, delta, _ = self._runs[-1]
        self._runs[-1] = (source, first, delta, end_source)

    def by_source(self, source: int, extended: int) -> int | None:
        for run_source, first, delta, end in reversed(self._runs):
            if run_source == source and extended >= first and (end is None or extended < end):
                return extended - delta
        return None

    def by_output(self, output: int) -> tuple[int, int] | None:
        found = [
            (source, output + delta)
            for source, first, delta, end in self._runs
            if output + delta >= first and (end is None or output + delta < end)
        ]
        return found[-1] if found else None

    def may_resend(self, output: int, now_us: int, spacing_us: int) -> bool:
        number, at = self._resent.get(output % RESENT, (-1, 0))
        if number == output and at and now_us - at < spacing_us:
            return False
        self._resent[output % RESENT] = (output, now_us)
        return True
