"""How loud the tracks of all workers are, asked for ten times a second and told to the rooms that want to know."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from media.native.worker import Worker
from media.net.router_poll import RouterPoll
from media.routing.router import Heard, Router

LEVEL_INTERVAL_S: Final = 0.1
"""Five packets of 20 ms: short enough that a speaker is seen after a syllable, long enough to cost nothing."""

QUIETEST_DBOV: Final = 70
"""Who was never louder is not told of: noise suppression leaves silence at 80 or below, a quiet voice is at 50."""

QUIET_AFTER: Final = 20
"""Calls without anybody heard, after which a room is told rarely: all pauses between words have ended."""

QUIET_EVERY: Final = 5
"""Calls between two to a quiet room, which only lets it notice who came or is pinned meanwhile."""


class LevelPoll(RouterPoll):
    """Is given routers that listen only."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        super().__init__(workers, LEVEL_INTERVAL_S)
        self._quiet: dict[Router, int] = {}
        """Calls since somebody was heard there."""

    def _tell(self) -> None:
        heard = [one for worker in self._workers for one in worker.take_audio_levels(QUIETEST_DBOV)]
        now = time.monotonic()
        told = self._sort(heard) if heard else {}
        self._quiet = {router: 0 if router in told else self._quiet.get(router, 0) + 1 for router in self._routers}
        for router, quiet in list(self._quiet.items()):
            if router.on_levels is not None and (quiet <= QUIET_AFTER or quiet % QUIET_EVERY == 0):
                router.on_levels(told.get(router, ()), now)

    def _sort(self, heard: list[tuple[int, int, bytes]]) -> dict[Router, list[Heard]]:
        """Return what each router is to be told."""
        transports = self._transports()
        told: dict[Router, list[Heard]] = {}
        for transport_id, producer_id, levels in heard:
            router, transport = transports.get(transport_id, (None, None))
            producer = None if transport is None else transport.find_producer(producer_id)
            if router is not None and producer is not None:
                told.setdefault(router, []).append((producer, levels))
        return told
