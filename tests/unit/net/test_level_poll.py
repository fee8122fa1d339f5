"""Rooms are told ten times a second how loud their tracks are, as long as they are open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from media.net.engine import Engine, EngineConfig
from media.routing.router import Heard
from tests.support.peer_school import until


async def test_open_rooms_are_told_and_closed_ones_are_not() -> None:
    engine = await Engine.start(EngineConfig(bind_address="127.0.0.1", workers=1))
    told: dict[str, list[tuple[Sequence[Heard], float]]] = {"open": [], "closed": []}
    try:
        routers = {name: engine.create_router() for name in told}
        for name, router in routers.items():
            router.on_levels = lambda heard, now, name=name: told[name].append((heard, now))
        await until(lambda: len(told["closed"]) >= 2 <= len(told["open"]), "both are told")
        routers["closed"].close()
        before = [len(each) for each in told.values()]
        await until(lambda: len(told["open"]) >= before[0] + 3, "one is told still")
        assert len(told["closed"]) == before[1]
        assert all(heard == () for heard, _ in told["open"]), "nobody is there"
        assert told["open"][-1][1] <= time.monotonic()
    finally:
        await engine.close()
    before = [len(each) for each in told.values()]
    await asyncio.sleep(0.25)
    assert [len(each) for each in told.values()] == before
