"""How often one person, and the holders of one API key's tokens, may come in: token buckets, as many as are named."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import Identity, RoomName
from signaling.pace import Allowance, Rate

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class JoinRates:
    """Of joins, resumptions, and streams by WHIP and WHEP. How often one address may ask is for the HTTP server."""

    identity_per_s: float = 1.0
    identity_burst: int = 30
    """Of one person in one room: a client that reconnects with back-off begins with five tries in 5 s."""
    key_per_s: float = 300.0
    key_burst: int = 3000
    """Of all tokens of one API key: ten schools when the bell rings, and more than a server can take in a second."""
    identities_max: int = 16_384
    """Whose buckets are kept; the one that was silent for longest is forgotten. About 5 MiB."""
    keys_max: int = 1024
    """API keys whose buckets are kept."""

    def __post_init__(self) -> None:
        for name, rate in (("identity", self.identity), ("key", self.key)):
            if not 0 < rate.per_s < math.inf:
                raise ValueError(f"{name}_per_s is {rate.per_s:g}, expected more than 0")
            if not rate.burst >= 1:
                raise ValueError(f"{name}_burst is {rate.burst:g}, expected 1 or more")

    @property
    def identity(self) -> Rate:
        return Rate(per_s=self.identity_per_s, burst=self.identity_burst)

    @property
    def key(self) -> Rate:
        return Rate(per_s=self.key_per_s, burst=self.key_burst)


class JoinPace:
    """Counts who comes in."""

    def __init__(self, rates: JoinRates) -> None:
        self._identities: _Table[tuple[RoomName, Identity]] = _Table(rates.identity, rates.identities_max)
        self._keys: _Table[str] = _Table(rates.key, rates.keys_max)

    def check(self, grants: Grants, *, now: float) -> None:
        """Count one; raises RequestError (`rate_limited`) if it is one too many."""
        self._identities.take((grants.room, grants.identity), now=now, who="you come")
        self._keys.take(grants.key_id, now=now, who="people with tokens of this key come")


class _Table(Generic[Name]):
    def __init__(self, rate: Rate, size_max: int) -> None:
        self._rate = rate
        self._size_max = size_max
        self._allowances: OrderedDict[Name, Allowance] = OrderedDict()

    def take(self, name: Name, *, now: float, who: str) -> None:
        allowance = self._allowances.get(name)
        if allowance is None:
            if len(self._allowances) >= self._size_max:
                self._allowances.popitem(last=False)
            allowance = self._allowances[name] = Allowance(self._rate)
        self._allowances.move_to_end(name)
        if not allowance.take(now=now):
            wait_s = max(1, math.ceil(allowance.wait_s))
            raise RequestError(ErrorCode.RATE_LIMITED, f"{who} in too often: wait {wait_s} s", retry_after_s=wait_s)
