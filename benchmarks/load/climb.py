"""How many viewers go: climb until it is bad, then halve the distance between the last good and the first bad.

The nearer the limit seems, the smaller the steps: a server that half as many again overwhelm needs minutes to let them
in, loses those who are there, and is not what it was when they have left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.load.window import Window

LOSS_MAX: Final = 0.01
LATENCY_P99_MAX_MS: Final = 50.0
JOIN_FAILURES_MAX: Final = 0.01
GENERATOR_LOSS_MAX: Final = 0.001
GROWTH: Final = 1.6
GROWTH_BUSY: Final = 1.25
GROWTH_FULL: Final = 1.1
BUSY: Final = 0.5
FULL: Final = 0.75
"""Of the computer's cores, by all that runs on it; or of the latency that is allowed."""
CLOSE: Final = 0.06
"""Of the good number: the distance at which the climb ends."""
TRIES: Final = 2
"""A step is bad if it is so as often in a row: other programs disturb once."""
DISTURBED_TRIES: Final = 4
DISTURBED_CORES: Final = 0.5
"""While others use more, a bad step says little; it has more tries."""
COLLAPSE_LOSS: Final = 0.2
"""So much is lost by no disturbance: no further try, which would let even more join a server that is down."""


@dataclass(frozen=True, slots=True)
class Step:
    """One number of viewers, and how it went."""

    viewers: int
    window: Window
    fault: str | None
    """Why it is bad, None if it is good."""


@dataclass(frozen=True, slots=True)
class Summit:
    """What a climb found."""

    good: Step | None
    bad: Step | None
    steps: tuple[Step, ...]


def fault_of(window: Window, wanted: int) -> str | None:
    """Return why a stretch of measuring was bad, None if it was good."""
    if window.died is not None:
        return window.died
    if not window.counts["packets"]:
        return "nothing comes: who publishes is gone"
    if window.loss_here > GENERATOR_LOSS_MAX:
        return f"this computer lost {window.loss_here:.2%} after the server had sent it: the generator is the limit"
    if window.loss > LOSS_MAX:
        return f"loss {window.loss:.2%}, above {LOSS_MAX:.0%}"
    if (latency_ms := window.latency_ms(0.99)) > LATENCY_P99_MAX_MS:
        return f"latency p99 {latency_ms:.0f} ms, above {LATENCY_P99_MAX_MS:g} ms"
    if window.viewers < wanted * (1 - JOIN_FAILURES_MAX):
        return f"{wanted - window.viewers} of {wanted} viewers are not in"
    return None


async def climb(
    first: int,
    highest: int,
    attempt: Callable[[int], Awaitable[Window]],
    told: Callable[[Step], None],
    *,
    cores: int,
) -> Summit:
    """Return the largest number found that goes. `attempt` brings so many in and measures; the computer has `cores`."""
    steps: list[Step] = []

    async def try_with(viewers: int) -> Step:
        for tries in range(1, DISTURBED_TRIES + 1):
            window = await attempt(viewers)
            step = Step(viewers, window, fault_of(window, viewers))
            steps.append(step)
            told(step)
            if step.fault is None or window.died is not None or window.loss > COLLAPSE_LOSS:
                break
            if tries >= TRIES and window.disturbance_cores < DISTURBED_CORES:
                break
        return step

    good: Step | None = None
    bad: Step | None = None
    wanted = min(first, highest)
    while True:
        step = await try_with(wanted)
        if step.fault is None:
            good = step
        else:
            bad = step
        if step.window.died is not None:
            break
        following = _next(good, bad, highest, cores)
        if following is None:
            break
        wanted = following
    return Summit(good, bad, tuple(steps))


def _next(good: Step | None, bad: Step | None, highest: int, cores: int) -> int | None:
    """Return the number to try next, None when it is known well enough."""
    if bad is None:
        assert good is not None
        more = max(good.viewers + 1, round(good.viewers * _growth(good.window, cores)))
        return None if good.viewers == highest else min(highest, more)
    low = 0 if good is None else good.viewers
    if bad.viewers - low <= max(1, round(CLOSE * low)):
        return None
    return (low + bad.viewers) // 2


def _growth(window: Window, cores: int) -> float:
    """Return how far to go from a number that is good."""
    fullness = max(window.busy_cores / cores, window.latency_ms(0.99) / LATENCY_P99_MAX_MS)
    if fullness < BUSY:
        return GROWTH
    return GROWTH_BUSY if fullness < FULL else GROWTH_FULL
