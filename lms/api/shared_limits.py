"""How often somebody may ask, counted by all processes together in a Redis or Valkey.

The same token buckets as in `rate_limits`, filled and emptied by one script, so that two processes cannot both give the
last token; the time is the server's, so that their clocks need not agree. While the server is away each process counts
for itself, and says so: a school must not stand before closed doors because of a cache.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from lms.api.rate_limits import WINDOW_S, RateLimits, Refused

logger = logging.getLogger(__name__)

TIMEOUT_S: Final = 0.25
"""For an answer: every request waits for it."""
AWAY_S: Final = 5.0
"""After a failure it is left alone for so long."""
CONNECTIONS_MAX: Final = 32
PREFIX: Final = "halqa:limit:"

_SCRIPT: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
for index, key in ipairs(KEYS) do
    local most = tonumber(ARGV[index])
    local rate = most / tonumber(ARGV[#KEYS + 1])
    local kept = redis.call('HMGET', key, 'left', 'at')
    local left, at = tonumber(kept[1]), tonumber(kept[2])
    if left == nil or at == nil then left, at = most, now end
    left = math.min(most, left + math.max(0, now - at) * rate)
    if left < 1 then
        redis.call('HSET', key, 'left', tostring(left), 'at', tostring(now))
        return {index, math.max(1, math.ceil((1 - left) / rate))}
    end
    redis.call('HSET', key, 'left', tostring(left - 1), 'at', tostring(now))
    redis.call('EXPIRE', key, math.ceil(tonumber(ARGV[#KEYS + 1])) + 1)
end
return {0, 0}
"""
"""Takes one token of each bucket in turn, until one is empty: which one, and how many seconds until it has one. A
bucket that nobody took from for a whole window is full, and so need not be kept."""


class SharedLimits:
    """The buckets of all processes that name the same server. Make it in a running event loop."""

    def __init__(self, url: str, own: RateLimits) -> None:
        """`own` has the settings, and counts while the server is away."""
        # Few have one, and all would wait for this: a twentieth of the time in which a service begins.
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.exceptions import RedisError  # noqa: PLC0415

        self._own = own
        self._faults = (RedisError, OSError, TimeoutError)
        self._redis: Any = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            max_connections=CONNECTIONS_MAX,
            retry=Retry(NoBackoff(), 1),
        )
        self._script: Any = self._redis.register_script(_SCRIPT)
        self._away_until = 0.0
        self.failures = 0
        """How often the server did not answer."""

    @property
    def refused(self) -> dict[str, int]:
        """How often each limit said no, here."""
        return self._own.refused

    async def close(self) -> None:
        await self._redis.aclose()

    async def take_all(self, counted: Sequence[tuple[str, str]], *, now: float) -> Refused | None:
        """Count one request against settings by name, each for somebody; return the first that says no."""
        if time.monotonic() < self._away_until:
            return await self._own.take_all(counted, now=now)
        most = [int(getattr(self._own.settings, f"{name}_per_minute")) for name, _ in counted]
        keys = [_key(name, who) for name, who in counted]
        try:
            index, wait_s = await self._script(keys=keys, args=[*most, WINDOW_S])
        except self._faults as error:
            self.failures += 1
            self._away_until = time.monotonic() + AWAY_S
            logger.warning("limits.redis does not answer: counted by this process alone", extra={"error": str(error)})
            return await self._own.take_all(counted, now=now)
        if index == 0:
            return None
        name = counted[index - 1][0]
        self.refused[name] = self.refused.get(name, 0) + 1
        return Refused(name, int(wait_s))


def _key(name: str, who: str) -> str:
    """Return where a bucket is kept: without names and addresses, which are nobody else's business."""
    return f"{PREFIX}{name}:{hashlib.sha256(who.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"
