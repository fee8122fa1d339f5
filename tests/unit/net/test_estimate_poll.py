"""Rooms are told what the paths to their clients carry: each of its own, only when something changed, while open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from media.net.estimate_poll import EstimatePoll
from media.routing.path_estimate import PathEstimate
from tests.support.peer_school import until


class Estimates:
    """Stands for the native worker's news, one list a question."""

    def __init__(self) -> None:
        self.news: list[list[tuple[int, int, float, int]]] = []
        self.asked = 0

    def take_estimates(self) -> list[tuple[int, int, float, int]]:
        self.asked += 1
        return self.news.pop(0) if self.news else []


@dataclass(eq=False)
class Way:
    id: int
    estimate: PathEstimate | None = None


@dataclass(eq=False)
class Crossbar:
    transports: list[Way]
    closed: bool = False
    on_estimates: Callable[[Sequence[tuple[Way, PathEstimate]], float], None] | None = None


def room(*ids: int) -> Any:
    return Crossbar([Way(each) for each in ids])


def hear(router: Any) -> list[tuple[Sequence[tuple[Any, PathEstimate]], float]]:
    told: list[tuple[Sequence[tuple[Any, PathEstimate]], float]] = []
    router.on_estimates = lambda estimates, now: told.append((estimates, now))
    return told


async def test_each_room_is_told_of_its_own_paths_that_changed() -> None:
    worker: Any = Estimates()
    poll = EstimatePoll([worker])
    one, other, closed = room(1, 2), room(3), room(4)
    told = [hear(router) for router in (one, other, closed)]
    try:
        for router in (one, other, closed):
            poll.add(router)
        closed.closed = True
        worker.news = [[(2, 500_000, 0.25, 80_000), (4, 1, 0.0, 0), (99, 1, 0.0, 0)], [], [(3, 90_000, 0.0, 0)]]
        await until(lambda: bool(told[1]), "the last change is told")
    finally:
        poll.close()
    assert [[(transport.id, estimate) for transport, estimate in estimates] for estimates, _ in told[0]] == [
        [(2, PathEstimate(500_000, 0.25, 0.08))]
    ]
    assert [transport.id for estimates, _ in told[1] for transport, _ in estimates] == [3]
    assert told[2] == []
    assert (one.transports[0].estimate, one.transports[1].estimate.bitrate_bps) == (None, 500_000)


async def test_nobody_is_asked_while_no_room_is_open() -> None:
    worker: Any = Estimates()
    poll = EstimatePoll([worker])
    router = room(1)
    poll.add(router)
    await until(lambda: worker.asked >= 1, "it is asked")
    router.closed = True
    asked = worker.asked
    await until(lambda: worker.asked == asked + 1, "it is asked a last time")
    poll.add(room(2))
    await until(lambda: worker.asked == asked + 2, "it is asked again for the next room")
    poll.close()
