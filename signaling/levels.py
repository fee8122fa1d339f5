"""How good a connection is, in the words of the protocol."""

from __future__ import annotations

import enum
from typing import Final


class Level(enum.Enum):
    """As the protocol says it, best first."""

    EXCELLENT = "excellent"
    GOOD = "good"
    POOR = "poor"
    MINIMAL = "minimal"
    AUDIO = "audio"
    """Good enough for sound, and for little else."""
    LOST = "lost"
    """No sign of life comes."""

    @property
    def rank(self) -> int:
        """0 for the best."""
        return _ORDER.index(self)


_ORDER: Final = tuple(Level)
