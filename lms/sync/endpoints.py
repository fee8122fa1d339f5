"""POST /api/v1/sync: what a device did while it was offline."""

from __future__ import annotations

from typing import Final

from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.parts import Parts
from lms.sync.apply import Applier
from lms.sync.messages import OPERATIONS_MAX, OperationResult, Outcome, Synchronize, Synchronized

BODY_BYTES_MAX: Final = 1 << 20
"""A hundred messages as long as may be."""


class SyncEndpoints:
    """Queues of devices."""

    def __init__(self, parts: Parts) -> None:
        self._applier = Applier(parts.database, parts.server, parts.operations)
        self._kinds = parts.operations

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        kinds = ", ".join(f"`{kind}` ({each.shape.__name__})" for kind, each in sorted(self._kinds.known.items()))
        return (
            Endpoint(
                operation="synchronize",
                method="POST",
                path="/api/v1/sync",
                summary="Do what was done offline",
                description=f"At most {OPERATIONS_MAX} operations, in order; each is done whole or not at all, and "
                "once, however often it is sent: its `id` and the `device_id` are known for 90 days. One that is "
                f"refused does not keep those after it from being done; one to `retry` does. Kinds: {kinds}.",
                tag="Offline",
                access=Open.SIGNED_IN,
                body=Synchronize,
                body_bytes_max=BODY_BYTES_MAX,
                answers={200: Reply("What became of each.", Synchronized)},
                use=Use.OWN,
                run=self._synchronize,
            ),
        )

    async def _synchronize(self, call: Call[Nothing, Nothing, Synchronize]) -> Result:
        results: list[OperationResult] = []
        is_busy = False
        for queued in call.body.operations:
            if is_busy:
                results.append(OperationResult(id=queued.id, outcome=Outcome.RETRY))
                continue
            done = await self._applier.apply(call.caller, call.body.device_id, queued, call.language)
            is_busy = done.outcome is Outcome.RETRY
            results.append(done)
        return Result(Synchronized(results=tuple(results)))
