"""POST /api/v1/sync: what a device did while it was offline."""

from __future__ import annotations

from typing import Final

import msgspec

from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result, Use
from lms.parts import Parts
from lms.sync.apply import Applier
from lms.sync.messages import OPERATIONS_MAX, OperationResult, Outcome, Synchronize, Synchronized
from webapi.shapes import Request

BODY_BYTES_MAX: Final = 1 << 20
"""A hundred messages as long as may be."""


class SyncEndpoints:
    """Queues of devices."""

    def __init__(self, parts: Parts) -> None:
        self._applier = Applier(parts.database, parts.server, parts.operations)
        self._kinds = parts.operations

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        kinds = "\n".join(f"* `{kind}`: {_fields(each.shape)}" for kind, each in sorted(self._kinds.known.items()))
        return (
            Endpoint(
                operation="synchronize",
                method="POST",
                path="/api/v1/sync",
                summary="Do what was done offline",
                description=f"At most {OPERATIONS_MAX} operations, in order; each is done whole or not at all, and "
                "once, however often it is sent: its `id` and the `device_id` are known for 90 days. One that is "
                "refused does not keep those after it from being done; one to `retry` does. A `conflict` has what is "
                "there now in `error.details.more`, with its version: look at both, and queue another operation.\n\n"
                f"Kinds, and what their `body` has:\n\n{kinds}",
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


def _fields(shape: type[Request]) -> str:
    """Return the fields of an operation, those that may be left out in parentheses; types are as in its endpoint."""
    told = msgspec.structs.fields(shape)
    needed = [f"`{each.encode_name}`" for each in told if each.required]
    return ", ".join([*needed, *(f"(`{each.encode_name}`)" for each in told if not each.required)])
