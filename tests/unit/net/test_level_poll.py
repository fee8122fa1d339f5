"""Rooms are told ten times a second how loud their tracks are, as long as they are open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from media.net import level_poll
from media.net.engine import Engine, EngineConfig
from media.net.level_poll import QUIET_AFTER, QUIET_EVERY, LevelPoll
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


class Ears:
    """A worker and a router in one, with a track that is heard when `loud` says so."""

    def __init__(self) -> None:
        self.loud = False
        self.calls: list[Sequence[Heard]] = []
        self.closed = False
        self.id = 7
        self.on_levels = lambda heard, now: self.calls.append(heard)

    @property
    def transports(self) -> list[Any]:
        return [self]

    def find_producer(self, producer_id: int) -> Any:
        return f"producer {producer_id}"

    def take_audio_levels(self, quietest_dbov: int) -> list[tuple[int, int, bytes]]:
        return [(self.id, 8, b"\x20")] if self.loud else []


async def test_a_quiet_room_is_told_rarely_and_of_the_first_word_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_poll, "LEVEL_INTERVAL_S", 3600.0)  # it is asked by hand
    ears = Ears()
    poll = LevelPoll([ears])  # type: ignore[list-item]
    poll.add(ears)  # type: ignore[arg-type]

    def ask(count: int) -> int:
        before = len(ears.calls)
        for _ in range(count):
            assert poll._timer is not None
            poll._timer.cancel()
            poll._ask()
        return len(ears.calls) - before

    try:
        assert ask(QUIET_AFTER) == QUIET_AFTER
        assert ask(10 * QUIET_EVERY) == 10
        ears.loud = True
        assert ask(3) == 3, "who speaks is heard at once"
        assert [len(heard) for heard in ears.calls[-3:]] == [1, 1, 1]
        ears.loud = False
        assert ask(QUIET_AFTER) == QUIET_AFTER, "a pause between two words is no silence"
        assert ask(10 * QUIET_EVERY) == 10
    finally:
        poll.close()
