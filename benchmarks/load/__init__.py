"""How many students can a server hold: real WebRTC peers that publish and watch, counted packet by packet?

Peers do all that browsers do on the wire: ICE, DTLS, SRTP, receiver reports, NACK, PLI, transport-wide feedback.
Nothing is decoded. Publishers send frames that were really encoded, each with the moment at which it was sent in its
last bytes; the latency is from then to the arrival at a viewer's socket. Server and generator share this computer.

The server is a Halqa server (--server with --data), any other by WHIP and WHEP (--whip, --whep), or one that is started
for the run. A Halqa server takes all peers for one address and one API key; give the one under test these settings:

  --set rate_limits.joins_burst=100000 --set connections.connections_per_address_max=20000
  --set signaling.join_rates.key_burst=100000 --set signaling.room.participants_max=2000
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from benchmarks.counted.needs import Missing
from benchmarks.load.climb import Step, climb, fault_of
from benchmarks.load.failures import LoadError
from benchmarks.load.figures import Figures, StepFigures, figures_of, format_table
from benchmarks.load.ground import open_ground
from benchmarks.load.options import Options, parse_arguments
from benchmarks.load.progress import Progress
from benchmarks.load.school import School
from benchmarks.load.window import Window, between, read, watch

SETTLE_S: Final = 2.0
SETTLE_MAX_S: Final = 10.0
SETTLE_TICK_S: Final = 1.0
EXIT_FAILED: Final = 1
JOIN_TICK_S: Final = 1.0

EXAMPLES: Final = """examples:
  python -m benchmarks load --viewers 500 --duration 30
  python -m benchmarks load --rooms 20 --viewers 30 --join-rate 100 --json load.json
  python -m benchmarks load --find-max
  python -m benchmarks load --server http://127.0.0.1:8080 --data halqa-data --server-pid 4711
  python -m benchmarks load --whip http://HOST/whip --whep http://HOST/whep --bearer TOKEN --layers f

exit codes:
  0  everybody joined and the run came to its end
  1  it did not: what was measured until then is printed, with the reason
"""


def main(arguments: list[str]) -> int:
    """Run, and print one table."""
    assert __doc__ is not None
    options = parse_arguments(arguments, __doc__, EXAMPLES)
    try:
        return asyncio.run(run(options))
    except KeyboardInterrupt:
        print("benchmarks load: interrupted", file=sys.stderr)
        return EXIT_FAILED


async def run(options: Options) -> int:
    """Do a whole run, print what it found and return the exit code."""
    progress = Progress()
    try:
        async with open_ground(options) as ground, School(ground, options) as school:
            figures = await (find_max if options.find_max else measure)(school, progress)
    except (LoadError, Missing) as error:
        progress.end()
        print(f"benchmarks load: {error}", file=sys.stderr)
        return EXIT_FAILED
    progress.end()
    print(format_table(figures))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")
    if figures.ended_early is not None:
        print(f"benchmarks load: {figures.ended_early}", file=sys.stderr)
        return EXIT_FAILED
    if not options.find_max and figures.joined < figures.viewers:
        print(f"benchmarks load: {figures.viewers - figures.joined} viewers did not get media", file=sys.stderr)
        return EXIT_FAILED
    return 0


async def measure(school: School, progress: Progress) -> Figures:
    """Let everybody join, then measure for as long as was asked for."""
    options = school.options
    await school.open_rooms()
    progress.tell(f"{options.rooms * options.viewers} viewers join, {options.join_rate:g} a second")
    joining = await join(school, options.rooms * options.viewers, progress)
    if not school.viewers:
        reason = min(school.roll.failures, default="for no reason that is known")
        return figures_of(
            school, joining, between(now := read(school), now, viewers=0, died=f"nobody joined: {reason}"), None
        )
    await watch(school, SETTLE_S, progress.window)
    progress.tell(f"{len(school.viewers)} joined; measuring for {options.duration_s:g} s")
    window = await watch(school, options.duration_s, progress.window)
    watched = school.ground.watched
    return figures_of(school, joining, window, None if watched is None else watched.memory_bytes())


async def find_max(school: School, progress: Progress) -> Figures:
    """Climb to the number of viewers that goes, and return the figures of the last good step."""
    options = school.options
    await school.open_rooms()
    before = read(school)
    memory: dict[int, int] = {}

    async def attempt(viewers: int) -> Window:
        there = len(school.viewers)
        if viewers > there:
            await join(school, viewers - there, progress)
        else:
            await school.dismiss(there - viewers)
        await settle(school, progress)
        window = await watch(school, options.step_s, progress.window)
        if school.ground.watched is not None:
            memory[viewers] = school.ground.watched.memory_bytes()
        return window

    def told(step: Step) -> None:
        verdict = "good" if step.fault is None else f"bad: {step.fault}"
        p99_ms = step.window.latency_ms(0.99)
        progress.tell(f"{step.viewers} viewers: loss {step.window.loss:.3%}, latency p99 {p99_ms:.1f} ms: {verdict}")

    highest = school.peers_max - options.rooms * options.publishers
    cores = os.cpu_count() or 1
    summit = await climb(options.rooms * options.viewers, highest, attempt, told, cores=cores)
    shown = summit.good or summit.bad
    assert shown is not None
    figures = figures_of(school, between(before, read(school), viewers=0), shown.window, memory.get(shown.viewers))
    steps = [StepFigures.of(step) for step in summit.steps]
    best = 0 if summit.good is None else summit.good.viewers
    limit = None if summit.bad is None else summit.bad.fault
    died = next((step.window.died for step in summit.steps if step.window.died is not None), None)
    return msgspec.structs.replace(figures, max_viewers=best, limit=limit, steps=steps, ended_early=died)


async def settle(school: School, progress: Progress) -> None:
    """Wait until what joins and leaves stirred up is over, or is no matter of time: a step measures what stays."""
    await watch(school, SETTLE_S, progress.window)
    waited_s = SETTLE_S
    while waited_s < SETTLE_MAX_S:
        window = await watch(school, SETTLE_TICK_S, progress.window)
        waited_s += SETTLE_TICK_S
        if window.died is not None or fault_of(window, window.viewers) is None:
            return


async def join(school: School, count: int, progress: Progress) -> Window:
    """Let more viewers join, and return what that took."""
    before = read(school)
    async with _joins_told(school, len(school.viewers) + count, progress):
        await school.admit_viewers(count)
    return between(before, read(school), viewers=len(school.viewers))


@contextlib.asynccontextmanager
async def _joins_told(school: School, wanted: int, progress: Progress) -> AsyncIterator[None]:
    async def tell() -> None:
        while True:
            await asyncio.sleep(JOIN_TICK_S)
            failures = sum(school.roll.failures.values())
            progress.tick(f"{len(school.viewers)} of {wanted} joined, {failures} failures")

    teller = asyncio.create_task(tell())
    try:
        yield
    finally:
        teller.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await teller
