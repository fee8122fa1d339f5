"""Does one student's network, camera or arrival stay his own business: what do the others of his class notice of it?

Scenarios, each with real WebRTC peers at a server of its own:
  cameras     thirty people with simulcast cameras watch nine each over links of 0.5, 1.5 and 4 Mbit/s
  bad_viewer  one of fifty gets a link of 250 kbit/s that loses a tenth
  storm       three hundred join one class within ten seconds
  floods      one of fifty sends thousands of absurd reports and requests a second
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from benchmarks.counted.clip import Codec
from benchmarks.counted.needs import Missing
from benchmarks.load.clips import prepare
from benchmarks.load.failures import LoadError
from benchmarks.load.ground import Ground, open_ground
from benchmarks.load.options import Options, positive
from benchmarks.machine import CALM_CORES, Disturbance, machine_facts
from benchmarks.neighbours import bad_viewer, cameras, floods, storm
from benchmarks.neighbours.verdict import Row, Scenario, format_table, medians

EXIT_MISSED: Final = 1
EXIT_FAILED: Final = 2
EXAMPLES: Final = """examples:
  python -m benchmarks neighbours
  python -m benchmarks neighbours storm --runs 3 --json storm.json

exit codes:
  0  all that is asked was reached
  1  something was not: the table says NO
  2  the class did not come about, or the flags are wrong
"""

Play: TypeAlias = Callable[[Ground], Awaitable[list[Row]]]
SCENARIOS: Final[dict[str, Play]] = {
    "cameras": lambda ground: cameras.play(ground, cameras.Size()),
    "bad_viewer": lambda ground: bad_viewer.play(ground, bad_viewer.Size()),
    "storm": lambda ground: storm.play(ground, storm.Size()),
    "floods": lambda ground: floods.play(ground, floods.Size()),
}


def main(arguments: list[str]) -> int:
    """Play the scenarios, and print one table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks neighbours",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    parser.add_argument("--runs", type=positive, default=1, metavar="N", help="medians of so many; default 1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    read = parser.parse_args(arguments)
    names = read.scenarios or list(SCENARIOS)
    if unknown := [name for name in names if name not in SCENARIOS]:
        parser.error(f"no scenario {unknown[0]!r}; there are: {', '.join(SCENARIOS)}")
    try:
        found = asyncio.run(measure(names, read.runs))
    except (LoadError, Missing) as error:
        print(f"benchmarks neighbours: {error}", file=sys.stderr)
        return EXIT_FAILED
    print(format_table(found, CALM_CORES))
    if read.json is not None:
        document = {"neighbours": found, "machine": machine_facts()}
        read.json.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    return 0 if all(row.is_reached for each in found for row in each.rows) else EXIT_MISSED


async def measure(names: list[str], runs: int) -> list[Scenario]:
    """Play each scenario so often, every time at a new server, and return the medians."""
    prepare(Codec.VP8, Codec.H264)
    found = []
    for name in names:
        figures: list[tuple[list[Row], float]] = []
        for _ in range(runs):
            async with open_ground(Options()) as ground:
                assert ground.watched is not None
                disturbance, spent_s = Disturbance(), ground.watched.cpu_s()
                started = asyncio.get_running_loop().time()
                rows = await SCENARIOS[name](ground)
                seconds = asyncio.get_running_loop().time() - started
                server_cores = (ground.watched.cpu_s() - spent_s) / seconds
                figures.append((rows, max(0.0, disturbance.cores() - server_cores)))
        found.append(medians(name, figures))
    return found
