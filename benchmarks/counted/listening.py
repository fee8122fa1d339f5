"""Listens to sound of any length for chirps, piece by piece."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.counted.analysis import HeardSecond
from benchmarks.counted.sound import (
    CHIRP_S,
    CUT_MAX_S,
    PERIOD_S,
    PLACE_STEP_S,
    SAMPLE_RATE_HZ,
    SECOND_PLACE_S,
    Samples,
    find_chirps,
)

WINDOW_S: Final = 60.0
"""Sound is searched in pieces, so that hours of it need not be in memory."""
LEAD_S: Final = 2 * CHIRP_S
OVERLAP_S: Final = SECOND_PLACE_S + PERIOD_S * PLACE_STEP_S + 2 * CHIRP_S


class ChirpSearch:
    """Puts pieces of sound at their times and searches window after window; gaps are silence.

    A window begins with the last of the one before, so that a chirp across the border is whole in one of them; it is
    taken where its beginning lies in the window's own part.
    """

    def __init__(self, participant: int | None) -> None:
        """Of whose chirps; None hears nothing, and only measures how long the sound is."""
        self._participant = participant
        self._heard: list[HeardSecond] = []
        self._starts_s: float | None = None
        self._taken_from_s = LEAD_S - CUT_MAX_S
        self._window = np.zeros(round((LEAD_S + WINDOW_S + OVERLAP_S) * SAMPLE_RATE_HZ), np.float32)
        self.ends_s = 0.0

    def take(self, at_s: float, samples: Samples) -> None:
        if self._starts_s is None:
            self._starts_s = at_s - LEAD_S
        while at_s + len(samples) / SAMPLE_RATE_HZ - self._starts_s > LEAD_S + WINDOW_S + OVERLAP_S:
            if self._starts_s > self.ends_s:  # a gap longer than a window: nothing to search
                self._starts_s = at_s - LEAD_S
                break
            self._search()
        start = round((at_s - self._starts_s) * SAMPLE_RATE_HZ)
        if start < 0:  # older than what is searched already
            return
        place = self._window[start : start + len(samples)]
        place[:] = samples[: len(place)]
        self.ends_s = max(self.ends_s, at_s + len(samples) / SAMPLE_RATE_HZ)

    def finish(self) -> list[HeardSecond]:
        """Search the rest; return all that was heard, by time."""
        while self._starts_s is not None and self._starts_s + LEAD_S < self.ends_s:
            self._search()
        return self._heard

    def _search(self) -> None:
        assert self._starts_s is not None
        if self._participant is not None:
            filled = max(0, round((self.ends_s - self._starts_s) * SAMPLE_RATE_HZ))
            self._heard += [
                HeardSecond(self._starts_s + chirp.at_s, chirp.second)
                for chirp in find_chirps(self._window[:filled], self._participant)
                if self._taken_from_s <= chirp.at_s < LEAD_S + WINDOW_S
            ]
        keep = round(WINDOW_S * SAMPLE_RATE_HZ)
        rest = self._window[keep:].copy()
        self._window[:] = 0
        self._window[: len(rest)] = rest
        self._starts_s += WINDOW_S
        self._taken_from_s = LEAD_S
