"""What workers know of all rooms' transports, asked for from time to time while there are routers to be told."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence

from media.native.worker import Worker
from media.routing.router import Router
from media.routing.transport import Transport


class RouterPoll(ABC):
    """Sleeps while there is no router. A question is one call of each worker, however many rooms there are."""

    def __init__(self, workers: Sequence[Worker], interval_s: float) -> None:
        self._workers = workers
        self._interval_s = interval_s
        self._loop = asyncio.get_running_loop()
        self._routers: list[Router] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, router: Router) -> None:
        """Tell this router from now on, until it is closed."""
        self._routers.append(router)
        if self._timer is None:
            self._timer = self._loop.call_later(self._interval_s, self._ask)

    def close(self) -> None:
        """Tell nobody any more."""
        self._routers.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        self._routers = [router for router in self._routers if not router.closed]
        self._timer = self._loop.call_later(self._interval_s, self._ask) if self._routers else None
        self._tell()

    @abstractmethod
    def _tell(self) -> None:
        """Ask the workers, and tell the routers what is theirs."""

    def _transports(self) -> dict[int, tuple[Router, Transport]]:
        """Return all transports by their ids."""
        return {transport.id: (router, transport) for router in self._routers for transport in router.transports}
