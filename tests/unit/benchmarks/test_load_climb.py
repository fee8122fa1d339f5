"""The climb ends near the largest number that goes, forgives one bad step, and says why more does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.load.climb import CLOSE, GROWTH_FULL, Summit, climb
from benchmarks.load.watched import CpuTimes
from benchmarks.load.window import Window
from media.native.load_incoming import bucket_of


def window(viewers: int, *, lost: int = 0, lost_here: int = 0, p99_ms: float = 1.0, died: str | None = None) -> Window:
    latencies = [0] * 448
    latencies[bucket_of(int(p99_ms * 1e6))] = 100
    counts = {"packets": 10_000 - lost - lost_here, "lost": lost, "lost_here": lost_here, "bytes": 1}
    return Window(8.0, counts, latencies, CpuTimes(1.0), 1.0, 0.0, viewers, died)


async def reach(first: int, highest: int, attempt: Callable[[int], Window]) -> tuple[Summit, list[int]]:
    tried: list[int] = []

    async def measured(viewers: int) -> Window:
        tried.append(viewers)
        return attempt(viewers)

    return await climb(first, highest, measured, lambda _: None, cores=2), tried


@pytest.mark.parametrize("limit", [1, 7, 99, 100, 101, 640, 3000])
async def test_it_finds_the_limit(limit: int) -> None:
    def attempt(viewers: int) -> Window:
        return window(viewers, lost=0 if viewers <= limit else 500)

    summit, tried = await reach(100, 20_000, attempt)
    assert summit.good is not None
    assert summit.bad is not None
    assert summit.bad.fault == "loss 5.00%, above 1%"
    assert limit * (1 - CLOSE) - 1 <= summit.good.viewers <= limit
    assert len(tried) < 30


async def test_a_disturbance_is_forgiven_once() -> None:
    disturbed = iter([True])

    def attempt(viewers: int) -> Window:
        return window(viewers, p99_ms=400.0 if next(disturbed, viewers > 300) else 1.0)

    summit, tried = await reach(100, 20_000, attempt)
    assert tried[:2] == [100, 100]
    assert summit.good is not None
    assert summit.good.viewers > 270
    assert summit.bad is not None
    assert "latency p99" in (summit.bad.fault or "")


async def test_while_others_work_a_bad_step_has_more_tries() -> None:
    went = iter([False, False, False, True])

    def attempt(viewers: int) -> Window:
        return replace(window(viewers, lost=0 if next(went, True) else 500), disturbance_cores=1.5)

    summit, tried = await reach(100, 100, attempt)
    assert tried == [100] * 4
    assert summit.good is not None


async def test_what_the_generator_loses_is_told() -> None:
    summit, _ = await reach(50, 100, lambda viewers: window(viewers, lost_here=100))
    assert summit.good is None
    assert summit.bad is not None
    assert "generator is the limit" in (summit.bad.fault or "")


async def test_viewers_that_do_not_come_in_are_a_fault() -> None:
    summit, _ = await reach(100, 100, lambda viewers: window(viewers - 50))
    assert summit.bad is not None
    assert "not in" in (summit.bad.fault or "")


async def test_silence_is_no_good_step() -> None:
    summit, _ = await reach(1, 1, lambda viewers: replace(window(viewers), counts={"packets": 0, "lost": 0}))
    assert summit.good is None
    assert summit.bad is not None
    assert summit.bad.fault == "nothing comes: who publishes is gone"


async def test_it_ends_at_the_highest() -> None:
    summit, tried = await reach(60, 100, window)
    assert tried == [60, 96, 100]
    assert summit.bad is None


@pytest.mark.parametrize(
    ("used_s", "p99_ms", "second"), [(4.0, 1.0, 160), (10.0, 1.0, 125), (14.0, 1.0, 110), (1.0, 45.0, 110)]
)
async def test_steps_are_smaller_where_the_limit_is_near(used_s: float, p99_ms: float, second: int) -> None:
    def attempt(viewers: int) -> Window:
        return replace(window(viewers, p99_ms=p99_ms, lost=500 if viewers > 150 else 0), server_cpu=CpuTimes(used_s))

    _, tried = await reach(100, 20_000, attempt)
    assert tried[1] == second


async def test_a_full_computer_is_not_driven_far_beyond_its_limit() -> None:
    def attempt(viewers: int) -> Window:
        return replace(
            window(viewers, lost=500 if viewers > 1000 else 0), server_cpu=CpuTimes(min(1.0, viewers / 1000) * 15)
        )

    summit, tried = await reach(100, 20_000, attempt)
    assert summit.good is not None
    assert 1000 * (1 - CLOSE) <= summit.good.viewers <= 1000
    assert max(tried) <= 1000 * GROWTH_FULL
    assert len(tried) < 15


async def test_it_ends_when_the_server_dies() -> None:
    summit, tried = await reach(
        100, 20_000, lambda viewers: window(viewers, died=None if viewers < 200 else "the server's process ended")
    )
    assert tried == [100, 160, 256]
    assert summit.good is not None
    assert summit.good.viewers == 160
