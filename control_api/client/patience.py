"""How long a client waits, and how often it tries again. Pure: randomness is an argument."""

from __future__ import annotations

from dataclasses import dataclass

RETRIED_STATUS = frozenset({429, 502, 503, 504})
"""Too much at once, a proxy without a server behind it, a server that is about to go: another moment may do."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Of one request."""

    attempts: int = 4
    """Tries of what may be done twice, the first one included."""
    timeout_s: float = 10.0
    """Of one try: a server that needs longer for a few kilobytes is in trouble."""
    backoff_s: float = 0.25
    """Before the second try; twice as long before each further one."""
    backoff_max_s: float = 5.0
    """No wait is longer, whatever the server wishes: who waits longer should say so to somebody."""

    def wait_s(self, attempt: int, *, retry_after_s: float | None, chance: float) -> float:
        """Return how long to wait after try `attempt` (1 ...); `chance` 0..1 spreads those who failed together."""
        wanted: float = self.backoff_s * 2 ** (attempt - 1) * (0.5 + chance / 2)
        return min(self.backoff_max_s, max(wanted, retry_after_s or 0.0))
