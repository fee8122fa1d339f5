"""The drain of a server: no new rooms, clients are told, and the end comes when all have gone or the time is over."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from signaling.websocket import SignalingServer

logger = logging.getLogger(__name__)


class Drain:
    """Begun once, by a signal or by `POST /drain`; asked again, the later time holds. There is no way back."""

    def __init__(self, signaling: SignalingServer) -> None:
        self._signaling = signaling
        self._emptying: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        """Set when a drain has begun and no room is left."""
        self.ends_at: datetime | None = None
        """When rooms that are left are ended (UTC); None before a drain."""

    @property
    def active(self) -> bool:
        """Whether it has begun."""
        return self._emptying is not None

    def begin(self, timeout_s: float) -> datetime:
        """Begin, or change the time; return when it ends at the latest."""
        self.ends_at = datetime.now(UTC) + timedelta(seconds=timeout_s)
        self._signaling.drain(self.ends_at)
        if self._emptying is None:
            logger.info("draining", extra={"rooms": self._signaling.rooms, "timeout_s": timeout_s})
            self._emptying = asyncio.create_task(self._wait_empty(), name="drain")
        return self.ends_at

    async def close(self) -> None:
        """Stop waiting."""
        if self._emptying is not None:
            self._emptying.cancel()
            await asyncio.gather(self._emptying, return_exceptions=True)

    async def _wait_empty(self) -> None:
        await self._signaling.empty()
        logger.info("drained")
        self.ended.set()
