"""What the paths to the viewers of all workers carry, asked for five times a second and told to the rooms."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from media.native.worker import Worker
from media.net.router_poll import RouterPoll
from media.routing.path_estimate import PathEstimate
from media.routing.router import Estimated, Router

ESTIMATE_INTERVAL_S: Final = 0.2
"""Feedback comes every 50 to 100 ms; a path that narrows must be obeyed within two seconds."""

_MICROSECONDS: Final = 1e6


class EstimatePoll(RouterPoll):
    """Pays for paths that changed only."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        super().__init__(workers, ESTIMATE_INTERVAL_S)

    def _tell(self) -> None:
        changed = [one for worker in self._workers for one in worker.take_estimates()]
        if not changed:
            return
        now = time.monotonic()
        for router, estimates in self._sort(changed).items():
            if router.on_estimates is not None and not router.closed:
                router.on_estimates(estimates, now)

    def _sort(self, changed: list[tuple[int, int, float, int]]) -> dict[Router, list[Estimated]]:
        """Give each transport its estimate; return what each router is to be told."""
        transports = self._transports()
        told: dict[Router, list[Estimated]] = {}
        for transport_id, bitrate_bps, loss, round_trip_us in changed:
            router, transport = transports.get(transport_id, (None, None))
            if router is None or transport is None:
                continue
            transport.estimate = PathEstimate(bitrate_bps, loss, round_trip_us / _MICROSECONDS)
            told.setdefault(router, []).append((transport, transport.estimate))
        return told
