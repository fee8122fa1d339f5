"""The clock of a worker's transports on uvloop, whose timers that are due at once are no timers."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import uvloop

from media.net.shell import WorkerShell


class Overdue:
    """A transport whose deadline has passed when it is woken."""

    def __init__(self, id: int) -> None:
        self.id = id
        self.calls = 0

    def next_timeout(self) -> float | None:
        return None if self.calls else asyncio.get_running_loop().time() - 1.0

    def handle_timeout(self) -> None:
        self.calls += 1


async def wake_two() -> list[int]:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        nothing = cast("Any", None)
        shell = WorkerShell(
            udp,
            candidates=(),
            fingerprint=nothing,
            kinds=nothing,
            services=nothing,
            transport_config=nothing,
            new_id=lambda: 1,
        )
        shell.start()
        transports = [Overdue(1), Overdue(2)]
        for transport in transports:
            shell._transports[transport.id] = cast("Any", transport)
        for transport in transports:
            shell.wake(cast("Any", transport))
        await asyncio.sleep(0.05)
        for transport in transports:
            shell.unregister(cast("Any", transport))
        shell.close()
        return [transport.calls for transport in transports]


def test_deadlines_that_have_passed_are_met_at_once() -> None:
    assert uvloop.run(wake_two()) == [1, 1]
