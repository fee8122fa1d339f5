"""What does a student notice of a bad network? Freezes, invented sound and gaps in Chromium behind a seeded relay.

A teacher's page publishes camera (360p, 20 frames a second) and microphone to a server that is started for each row;
a student's page watches from behind a link that loses, or is narrow, with a round trip of 100 ms. Counting starts after
a warm-up; of several runs, each with a seed of its own, the medians count. The row `clear` loses nothing: what it shows
is this computer's own, for browser, encoder and decoder share it with whatever else runs; the others cannot be better.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.joins.server import ServerDidNotStartError
from benchmarks.machine import machine_facts
from benchmarks.rough.call import NoCallError, Watched, open_browser, watch
from benchmarks.rough.judge import format_floor, format_row, format_title, missed
from benchmarks.rough.links import LINKS, Link
from benchmarks.rough.medians import format_medians, middle_of

EXIT_FAILED: Final = 1
EXIT_MISSED: Final = 3

EXAMPLES: Final = """examples:
  python -m benchmarks rough
  python -m benchmarks rough --runs 3 --rows clear,loss10,bursts --seconds 30 --seed 7 --json rough.json

exit codes:
  0  every row's medians reached what is asked
  1  the server did not start, or a page got no media
  2  wrong flags
  3  medians of a row missed what is asked
"""


def main(arguments: list[str]) -> int:
    """Play each row and print one table."""
    options = parse_arguments(arguments)
    try:
        runs = asyncio.run(_play(options))
    except (NoCallError, ServerDidNotStartError) as error:
        print(f"benchmarks rough: {error}", file=sys.stderr)
        return EXIT_FAILED
    rows = [(link, middle_of(each)) for link, each in runs]
    if options.runs > 1:
        print(f"\nof {options.runs} runs\n{format_medians(runs)}")
    print(format_floor(rows))
    if options.json is not None:
        written = {
            "rows": [
                {
                    "link": asdict(link),
                    **asdict(row),
                    "missed": missed(link, row),
                    "runs": [asdict(run) for run in each],
                }
                for (link, row), (_, each) in zip(rows, runs, strict=True)
            ],
            "seconds": options.seconds,
            "seed": options.seed,
            "runs": options.runs,
            "machine": machine_facts(),
        }
        options.json.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return EXIT_MISSED if any(missed(link, row) for link, row in rows) else 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the flags; ends the program for wrong ones, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks rough",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [link.name for link in LINKS]
    parser.add_argument("--rows", default=",".join(names), metavar="NAMES", help=f"some of {','.join(names)}")
    parser.add_argument("--seconds", type=float, default=40.0, metavar="S", help="that count, each row; default 40")
    parser.add_argument("--warm-up", type=float, default=12.0, metavar="S", help="that do not; default 12")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what the first run loses; default 1")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="of each row; their medians count; default 1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    options = parser.parse_args(arguments)
    unknown = set(options.rows.split(",")) - set(names)
    if unknown:
        parser.error(f"--rows: no row {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if options.seconds <= 0 or options.warm_up < 0 or options.runs < 1:
        parser.error("--seconds must be above 0, --warm-up not below, --runs at least 1")
    return options


async def _play(options: argparse.Namespace) -> list[tuple[Link, list[Watched]]]:
    runs: list[tuple[Link, list[Watched]]] = []
    chosen = [link for link in LINKS if link.name in options.rows.split(",")]
    print(format_title(os.cpu_count() or 1))
    with tempfile.TemporaryDirectory(prefix="halqa-rough-") as folder:
        async with open_browser(Path(folder)) as browser:
            for link in chosen:
                rows: list[Watched] = []
                runs.append((link, rows))
                for seed in range(options.seed, options.seed + options.runs):
                    row = await watch(browser, link, warm_up_s=options.warm_up, seconds=options.seconds, seed=seed)
                    rows.append(row)
                    print(format_row(link, row), flush=True)
    return runs
