"""Does anything grow: memory, descriptors, threads, native objects, while people come and go for minutes or a day?

A server of its own (or one that is named) holds some classes with real media. People join and leave, vanish without
a word, change what they see and lose their network for a while. Meanwhile its memory is watched; in the end all leave,
and nothing may be left of them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.counted.needs import Missing
from benchmarks.load.clips import Layers
from benchmarks.load.failures import LoadError
from benchmarks.load.ground import Ground, open_ground
from benchmarks.load.options import Address, Options, above_zero, positive
from benchmarks.load.progress import Progress
from benchmarks.load.school import School
from benchmarks.soak.churn import Churn
from benchmarks.soak.gauges import Sample, look
from benchmarks.soak.verdict import SoakFigures, format_table, judge

EXIT_FAILED: Final = 1
SAMPLES: Final = 240
SAMPLE_EVERY_MIN_S: Final = 1.0
FORGETTING_S: Final = 10.0
"""Of the server that is started: how long somebody who vanished, and an empty room, are kept."""
SETTINGS: Final = (
    f"signaling.room.resume_window_s={FORGETTING_S:g}",
    "signaling.room.empty_timeout_s=1",
    "connections.keep_alive_s=5",
)
PATIENCE_S: Final = 90.0
"""After the last one has left: transports of people who vanished go with their stay."""

EXAMPLES: Final = """examples:
  python -m benchmarks soak --minutes 10
  python -m benchmarks soak --minutes 1440 --rooms 50 --json soak.json

exit codes:
  0  nothing grew, nothing was left
  1  something did, or the server ended; the table says what
"""


def main(arguments: list[str]) -> int:
    """Soak, and print one table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks soak",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=above_zero, default=10.0, help="of coming and going; default 10")
    parser.add_argument("--rooms", type=positive, default=4, metavar="N", help="default 4")
    parser.add_argument("--viewers", type=positive, default=8, metavar="N", help="in each room; default 8")
    parser.add_argument("--seed", type=int, default=1, help="of what happens; default 1")
    parser.add_argument("--server", metavar="URL", help="a Halqa server on this computer, instead of one of its own")
    parser.add_argument("--data", type=Path, metavar="DIR", help="its data folder, for tokens")
    parser.add_argument("--server-pid", type=positive, metavar="PID", help="its process")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and samples there, too")
    read = parser.parse_args(arguments)
    if len({read.server is None, read.data is None, read.server_pid is None}) != 1:
        parser.error("--server, --data and --server-pid go together")
    options = Options(
        address=Address(server=read.server, data=read.data, pid=read.server_pid, settings=SETTINGS),
        rooms=read.rooms,
        viewers=read.viewers,
        layers=Layers.SIMULCAST,
        json=read.json,
    )
    try:
        figures = asyncio.run(soak(options, read.minutes * 60, read.seed))
    except (LoadError, Missing) as error:
        print(f"benchmarks soak: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("benchmarks soak: interrupted", file=sys.stderr)
        return EXIT_FAILED
    print(format_table(figures))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")
    return 0 if figures.passed else EXIT_FAILED


async def soak(options: Options, seconds: float, seed: int) -> SoakFigures:
    """Let a school live for so long, and judge what it left."""
    progress = Progress()
    async with open_ground(options) as ground:
        assert ground.watched is not None
        pid = ground.watched.pid
        empty = await look(ground, pid)
        samples: list[Sample] = []
        died: str | None = None
        async with School(ground, options) as school:
            await school.open_rooms()
            await school.admit_viewers(options.rooms * options.viewers)
            churn = Churn(school, seed)
            going = asyncio.create_task(churn.run(seconds))
            try:
                while not going.done():
                    await asyncio.wait({going}, timeout=max(SAMPLE_EVERY_MIN_S, seconds / SAMPLES))
                    samples.append(await look(ground, pid))
                    _tell(progress, samples[-1], churn)
                await going
            except LoadError as error:
                died = str(error)
            finally:
                going.cancel()
                await asyncio.gather(going, return_exceptions=True)
        left = empty if died is not None else await _wait_until_empty(ground, pid, empty)
    progress.end()
    return judge(samples, empty, left, dict(churn.counts), died)


async def _wait_until_empty(ground: Ground, pid: int, empty: Sample) -> Sample:
    """Return what is left, at the latest when it should have gone for long."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        left = await look(ground, pid)
        if left.objects == empty.objects and left.descriptors <= empty.descriptors:
            return left
        if time.monotonic() > deadline:
            return left
        await asyncio.sleep(1.0)


def _tell(progress: Progress, sample: Sample, churn: Churn) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(churn.counts.items()))
    progress.tick(f"{sample.rss_bytes / 1e6:.1f} MB, {sample.descriptors} descriptors, {sample.objects}; {counts}")
