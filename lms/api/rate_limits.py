"""How often somebody may ask: token buckets in tables of bounded size, of one process. Pure: time is an argument.

Counted by person where somebody is logged in, so that a classroom behind one address can work; by address where nobody
is, and by organization, so that one school cannot take the service from the others.
"""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from lms.errors import SettingsError

WINDOW_S: Final = 60.0
BUCKETS_MAX: Final = 65_536
"""Kept of one kind; who was silent for longest is forgotten. Some 15 MiB."""


class Limit(enum.Enum):
    """What is counted separately; the values are the names of the settings."""

    API = "api"
    LOGIN = "login"
    REDEEM = "redeem"
    UPLOAD = "upload"
    CHAT = "chat"
    HOST_CHECK = "host_check"
    NONE = "none"
    """Health checks."""


@dataclass(frozen=True, slots=True)
class RateLimitSettings:
    """So many a minute; as many at once."""

    api_per_minute: int = 100
    """Requests of one person."""
    login_per_minute: int = 5
    """Attempts from one address at one account."""
    account_login_per_minute: int = 30
    """Attempts at one account from all addresses, but not from browsers that were logged in to it before."""
    redeem_per_minute: int = 5
    """Access codes tried by one person."""
    upload_per_minute: int = 10
    """Files sent by one person."""
    host_check_per_minute: int = 6
    """Questions of one person to DNS, whether a host is theirs."""
    chat_per_minute: int = 120
    """Messages, edits and reactions of one person, however they come."""
    live_per_minute: int = 1200
    """Messages of one person by WebSocket."""
    address_per_minute: int = 3000
    """Requests from one address without a login: a school that opens its pages when the bell rings."""
    address_login_per_minute: int = 300
    """Attempts to log in from one address, at whatever account: ten classes behind one router."""
    organization_per_minute: int = 60_000
    """Requests of all people of one organization."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 1 <= getattr(self, name) <= 10_000_000:
                raise SettingsError(f"rate_limits.{name} is {getattr(self, name)}, expected 1 to 10000000")


class Refused(NamedTuple):
    """One more is too many."""

    name: str
    """Of the limit."""
    wait_s: int


class Limits(Protocol):
    """Who counts: this process alone, or all that share a Redis."""

    @property
    def refused(self) -> dict[str, int]:
        """How often each limit said no, here."""
        ...

    async def take_all(self, counted: Sequence[tuple[str, str]], *, now: float) -> Refused | None:
        """Count one request against settings by name, each for somebody; return the first that says no."""
        ...


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(slots=True)
class RateLimits:
    """The buckets of one process."""

    settings: RateLimitSettings
    refused: dict[str, int] = field(default_factory=dict)
    """How often each limit said no."""
    _tables: dict[str, OrderedDict[str, _Bucket]] = field(default_factory=dict)

    def take(self, name: str, who: str, *, now: float) -> int:
        """Count one request against the setting `name`_per_minute; return 0, or how many seconds to wait."""
        per_minute = int(getattr(self.settings, f"{name}_per_minute"))
        table = self._tables.setdefault(name, OrderedDict())
        bucket = table.get(who)
        if bucket is None:
            if len(table) >= BUCKETS_MAX:
                table.popitem(last=False)
            bucket = table[who] = _Bucket(float(per_minute), now)
        else:
            table.move_to_end(who)
        rate = per_minute / WINDOW_S
        bucket.left = min(float(per_minute), bucket.left + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return 0
        self.refused[name] = self.refused.get(name, 0) + 1
        return max(1, math.ceil((1.0 - bucket.left) / rate))

    async def take_all(self, counted: Sequence[tuple[str, str]], *, now: float) -> Refused | None:
        """Count one request against several settings, each for somebody; return the first that says no."""
        for name, who in counted:
            wait_s = self.take(name, who, now=now)
            if wait_s:
                return Refused(name, wait_s)
        return None
