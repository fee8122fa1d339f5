"""`python -m tests.sim.figures [SEEDS]`: what the bandwidth estimate reaches in virtual time, against what is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from statistics import mean, median
from typing import Final, NamedTuple

from tests.sim.path import FEEDBACK_S, Call, Path, Second
from tests.sim.rival import Rival
from tests.sim.screen_call import ScreenCall

SEEDS: Final = 20
STEADY_BPS: Final = (300_000, 500_000, 1_000_000, 3_000_000, 5_000_000)
SCREEN_BPS: Final = (200_000, 300_000, 500_000)
RIVAL_BPS: Final = (1_000_000, 2_000_000, 4_000_000)
TOP_LAYER_BPS: Final = 1_500_000


class Row(NamedTuple):
    """One figure over seeds: worst, middle, and whether the worst is good enough."""

    name: str
    asked: str
    worst: float
    middle: float
    is_reached: bool


def sent_bps(seconds: list[Second]) -> float:
    """Return the mean of what was sent."""
    return mean(second.sent_bps for second in seconds)


def row(name: str, figures: list[float], *, least: float = 0.0, most: float = float("inf")) -> Row:
    """Return a row of figures that should lie between two bounds."""
    worst = min(figures) if least > 0 else max(figures)
    asked = f">= {least:g}" if least > 0 else f"<= {most:g}"
    return Row(name, asked, worst, median(figures), all(least <= each <= most for each in figures))


def steady(rate_bps: int, seed: int) -> tuple[float, float]:
    """Return the used part of a steady link, and the queue's 95th percentile in ms (of the middle second)."""
    call = Call(Path(rate_bps, seed=seed))
    call.run(8)
    seconds = call.run(40)
    return sent_bps(seconds) / rate_bps, median(second.queue_p95_ms for second in seconds)


def known_after_s(rate_bps: int, seed: int) -> float:
    """Return after how long four fifths of what is wanted and there are known."""
    call = Call(Path(rate_bps, seed=seed), wanted_bps=2_500_000)
    goal_bps = 0.8 * min(rate_bps, call.wanted_bps)
    return call.until(lambda: call.estimate_bps >= goal_bps, 10.0)


def narrowed(seed: int) -> tuple[float, float]:
    """Return the part of 300 kbit/s that is sent from 2 s after a fall, and the seconds to the top layer afterwards."""
    path = Path(3_000_000, seed=seed)
    call = Call(path)
    call.run(20)
    path.rate_bps = 300_000
    call.run(2)
    obeyed = sent_bps(call.run(20)) / 300_000
    path.rate_bps = 3_000_000
    return obeyed, call.until(lambda: call.estimate_bps >= TOP_LAYER_BPS, 30.0)


def lossy(loss: float, seed: int) -> float:
    """Return the used part of a path that always loses."""
    call = Call(Path(2_000_000, seed=seed, loss=loss))
    call.run(10)
    return sent_bps(call.run(30)) / 2_000_000


def kept_over_loss(loss: float, seed: int) -> float:
    """Return the part of what is wanted that a wide path that loses is sent in its worst three seconds."""
    call = Call(Path(20_000_000, seed=seed, loss=loss), wanted_bps=900_000)
    call.run(10)
    seconds = call.run(30)
    return min(sent_bps(seconds[at : at + 3]) for at in range(28)) / 900_000


def kept_over_bursts(loss: float, seed: int) -> float:
    """Return the part of what is sent that the estimate of a wide path falls to which loses five packets in a row."""
    call = Call(Path(20_000_000, seed=seed, loss=loss, burst=5.0), wanted_bps=900_000, sends_bps=640_000)
    call.run(10)
    least_bps = float(call.estimate_bps)
    for _ in range(round(30 / FEEDBACK_S)):
        call.until(lambda: False, FEEDBACK_S)
        least_bps = min(least_bps, call.estimate_bps)
    return least_bps / call.sends_bps


def rivalled(rate_bps: int, queue_s: float, seed: int) -> float:
    """Return the part that is kept beside a flow like TCP's."""
    path = Path(rate_bps, seed=seed, queue_s_max=queue_s)
    call = Call(path)
    call.run(10)
    call.beside = Rival(path).step
    call.run(10)
    return sent_bps(call.run(30)) / rate_bps


def idle(rate_bps: int, seed: int) -> float:
    """Return the least part of a path that an estimate falls to while little is sent, and a key frame now and then."""
    call = Call(Path(rate_bps, seed=seed), sends_bps=200_000)
    call.run(5)
    least_bps = float("inf")
    for _ in range(15):
        call.key_frame_bytes = 20_000
        call.run(2)
        least_bps = min(least_bps, call.estimate_bps)
    return least_bps / rate_bps


def beside_a_screen(rate_bps: int, seed: int) -> tuple[float, float, float]:
    """Return the longest gap of sound in ms, pictures of the screen a second, and the queue's 95th percentile in ms."""
    call = ScreenCall(Path(rate_bps, seed=seed))
    try:
        call.run(8)
        call.run(40)
        return call.sound_gap_ms, call.screen_fps, call.queue_p95_ms
    finally:
        call.close()


def rows(seeds: range) -> Iterator[Row]:
    """Measure everything; some seconds for each ten seeds."""

    def over(measure: Callable[[int], float]) -> list[float]:
        return [measure(seed) for seed in seeds]

    for rate_bps in STEADY_BPS:
        both = [steady(rate_bps, seed) for seed in seeds]
        yield row(f"steady {rate_bps / 1e6:g} Mbit/s, used", [used for used, _ in both], least=0.85)
        yield row(f"steady {rate_bps / 1e6:g} Mbit/s, queue p95 ms", [queue for _, queue in both], most=150)
    for rate_bps in (1_000_000, 2_000_000, 20_000_000):
        yield row(f"{rate_bps / 1e6:g} Mbit/s known after s", over(partial(known_after_s, rate_bps)), most=1)
    falls = [narrowed(seed) for seed in seeds]
    yield row("3 Mbit/s -> 300 kbit/s, sent of it after 2 s", [obeyed for obeyed, _ in falls], most=1.05)
    yield row("back to 3 Mbit/s, top layer after s", [back_s for _, back_s in falls], most=10)
    for loss in (0.05, 0.1):
        yield row(f"{loss:.0%} random loss, used", over(partial(lossy, loss)), least=0.5)
    yield row("20% random loss, a camera's least", over(partial(kept_over_loss, 0.2)), least=0.4)
    for loss in (0.05, 0.1):
        yield row(f"{loss:.0%} in bursts of 5, least estimate", over(partial(kept_over_bursts, loss)), least=0.8)
    for rate_bps in RIVAL_BPS:
        for queue_s in (0.1, 0.3):
            name = f"beside TCP, {rate_bps / 1e6:g} Mbit/s, queue {queue_s:g} s, kept"
            yield row(name, over(partial(rivalled, rate_bps, queue_s)), least=0.3)
    for rate_bps in SCREEN_BPS:
        found = [beside_a_screen(rate_bps, seed) for seed in seeds]
        name = f"a screen over {rate_bps / 1e6:g} Mbit/s"
        yield row(f"{name}, gap of sound ms", [gap for gap, _, _ in found], most=200)
        yield row(f"{name}, pictures a second", [fps for _, fps, _ in found], least=1)
        yield row(f"{name}, queue p95 ms", [queue for _, _, queue in found], most=150)
    for rate_bps in (1_000_000, 1_500_000, 4_000_000):
        yield row(f"idle, {rate_bps / 1e6:g} Mbit/s, least estimate", over(partial(idle, rate_bps)), least=0.5)


def main(arguments: list[str]) -> int:
    """Print a table; 1 if something is not reached."""
    seeds = range(1, 1 + (int(arguments[0]) if arguments else SEEDS))
    missed = 0
    print(f"| {'over ' + str(len(seeds)) + ' seeds':48} | {'asked':8} | {'worst':>8} | {'median':>8} | reached |")
    for each in rows(seeds):
        missed += not each.is_reached
        verdict = "yes" if each.is_reached else "NO"
        print(f"| {each.name:48} | {each.asked:8} | {each.worst:8.2f} | {each.middle:8.2f} | {verdict:7} |", flush=True)
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
