"""How often one address and one API key may ask: token buckets in tables of bounded size. Pure: time is an argument.

The defaults let a whole school behind one address in at once: a class of 60 that opens the page and joins within ten
seconds makes some 2,500 requests for the page's files, 60 for ICE servers and 60 WebSockets.
"""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from media.errors import LocalError
from signaling.pace import Allowance, Rate

BURST_MAX: Final = 1_000_000


class RateLimitError(LocalError):
    """A rate that cannot work; the message says which."""


class Limit(enum.Enum):
    """What is counted separately; the values are the names of the settings."""

    PAGES = "pages"
    JOINS = "joins"
    API = "api"
    FAILURES = "failures"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class RateLimitSettings:
    """So many at once (`burst`), and so many a second in the long run (`per_s`), of one address or one API key."""

    pages_burst: int = 6000
    """Files of the class page and the SDK, of one address: two classes that open it at the same moment."""
    pages_per_s: float = 500.0
    joins_burst: int = 1000
    """WebSockets, ICE servers, and requests of WHIP and WHEP, of one address: a school when the bell rings."""
    joins_per_s: float = 100.0
    """A server does not take in many more a second anyway."""
    api_burst: int = 500
    """All other requests of one address."""
    api_per_s: float = 100.0
    failures_burst: int = 120
    """Requests of one address with a token or key that is not taken (401): two classes with yesterday's links. Beyond
    it they are told to wait (429); who comes from there with a good token is not held up.
    """
    failures_per_s: float = 2.0
    key_burst: int = 1000
    """Requests with one API key, from wherever."""
    key_per_s: float = 200.0
    addresses_max: int = 16_384
    """Whose buckets are kept at the same time; the one that was silent for longest is forgotten. About 5 MiB."""

    def __post_init__(self) -> None:
        for limit in Limit:
            rate = self.rate(limit)
            if not 0 < rate.per_s < math.inf:
                raise RateLimitError(f"{limit.value}_per_s is {rate.per_s:g}, expected more than 0")
            if not 1 <= rate.burst <= BURST_MAX:
                raise RateLimitError(f"{limit.value}_burst is {rate.burst}, expected 1 to {BURST_MAX}")
        if self.addresses_max < 1:
            raise RateLimitError(f"addresses_max is {self.addresses_max}, expected 1 or more")

    def rate(self, limit: Limit) -> Rate:
        """Return one of the rates."""
        return Rate(
            per_s=getattr(self, f"{limit.value}_per_s"),
            burst=getattr(self, f"{limit.value}_burst"),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one more is allowed, and what is left."""

    allowed: bool
    burst: int
    left: int
    wait_s: int
    """Whole seconds until one more is allowed, at least 1 of one that was refused."""
    full_s: int
    """Whole seconds until as many are allowed as ever."""


@dataclass(slots=True)
class RateLimits:
    """The buckets of one server."""

    settings: RateLimitSettings
    refused: dict[Limit, int] = field(default_factory=lambda: dict.fromkeys(Limit, 0))
    """How often each limit said no."""
    _tables: dict[Limit, OrderedDict[str, Allowance]] = field(
        default_factory=lambda: {limit: OrderedDict() for limit in Limit}
    )

    def take(self, limit: Limit, who: str, *, now: float) -> Verdict:
        """Count one request of an address or key."""
        table, rate = self._tables[limit], self.settings.rate(limit)
        allowance = table.get(who)
        if allowance is None:
            if len(table) >= self.settings.addresses_max:
                table.popitem(last=False)
            allowance = table[who] = Allowance(rate)
        else:
            table.move_to_end(who)
        allowed = allowance.take(now=now)
        if not allowed:
            self.refused[limit] += 1
        wait_s = 0 if allowed else max(1, math.ceil(allowance.wait_s))
        full_s = math.ceil((rate.burst - allowance.left) / rate.per_s)
        return Verdict(allowed, int(rate.burst), allowance.left, wait_s, full_s)

    def reading(self) -> dict[str, float]:
        """Return what is counted, for metrics."""
        refused = {f"requests_refused_by_{limit.value}_limit": float(count) for limit, count in self.refused.items()}
        return refused | {"addresses_remembered": float(max(len(table) for table in self._tables.values()))}
