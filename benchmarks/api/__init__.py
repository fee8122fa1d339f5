"""How fast are HTTP and WebSockets for a school that fills up: percentiles and errors, held to thresholds?

Users come and go in stages and run weighted scenarios, which are plain Python (`benchmarks/api/scenario.py` says how).
Durations count from the moment at which a step was due by the user's own schedule, so a slow server does not hide by
being asked less often. The generator watches itself: how late its event loop was, how full its core.

A loop of our own drives it, on the aiohttp and uvloop that the product uses. Locust would bring gevent, whose patched
sockets do not run asyncio clients such as ours; its users can keep a pace, but its durations leave out how late a user
was, and are rounded to 10 ms from 100 ms on. k6 is a Go program with scenarios in JavaScript.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import uvloop
from yarl import URL

from benchmarks.api.drive import Drive, Outcome
from benchmarks.api.report import Setup, build_document, format_outcome, format_point
from benchmarks.api.scenario import Suite, SuiteError, Target
from benchmarks.api.scenarios import load_suite, suite_names
from benchmarks.api.stages import USUAL, Stage, format_stages, parse_stages, scaled, total_s
from benchmarks.api.thresholds import Threshold, judge, parse_threshold, unknown_steps
from benchmarks.api.timeline import Point
from benchmarks.fanout import raise_descriptor_limit
from benchmarks.load.failures import LoadError
from benchmarks.load.watched import WatchedProcess
from benchmarks.machine import Disturbance
from control_api.keys import KEYS_FILE, KeyFileError, open_keys
from webapi.garbage import collect_seldom

DESCRIPTORS_BESIDE: Final = 200
SOCKETS_A_USER: Final = 4
"""A WebSocket, and connections that are kept for the next request."""
SCALE_MAX: Final = 100.0
EXIT_MISSED: Final = 1
EXIT_NOT_MEASURED: Final = 2

EXAMPLES: Final = """examples:
  python -m benchmarks api                          36 minutes, up to 400 users, on a server of its own
  python -m benchmarks api --scale 0.05             the same in two minutes
  python -m benchmarks api --stages 30s:50,1m:50,10s:0 --threshold "reads.p95<=20ms" --json api.json
  python -m benchmarks api --url http://127.0.0.1:8080 --data halqa-data --server-pid 4711

A server that is not started for the run counts all users as one address and one API key; give the one under test
`--set rate_limits.api_per_s=100000`, and the same for api_burst, key_per_s, key_burst and joins_burst.

exit codes:
  0  measured, and every threshold held
  1  measured, and a threshold was missed
  2  not measured, or not to the end: wrong flags, no server, a refused key, a server that died
"""


def main(arguments: list[str]) -> int:
    """Run a suite, print one table."""
    options, suite = parse_arguments(arguments)
    descriptors = max(stage.users for stage in options.stages) * SOCKETS_A_USER + DESCRIPTORS_BESIDE
    try:
        raise_descriptor_limit(descriptors)
    except (OSError, ValueError):
        print(
            f"benchmarks api: {descriptors} open files are not allowed here: ulimit -n {descriptors}", file=sys.stderr
        )
        return EXIT_NOT_MEASURED
    disturbance = Disturbance()
    collect_seldom()  # as the services do: a look through all that was loaded is some 50 ms in which nobody is asked
    try:
        outcome = uvloop.run(_run(options, suite))
    except (SuiteError, LoadError) as error:
        print(f"benchmarks api: {error}", file=sys.stderr)
        return EXIT_NOT_MEASURED
    except asyncio.CancelledError:
        print("benchmarks api: ended by SIGTERM", file=sys.stderr)
        return EXIT_NOT_MEASURED
    apart = outcome.server_cpu_s if options.url is not None else None  # else it is a child, and counted as ours
    others = max(0.0, disturbance.cores() - (apart or 0.0) / outcome.seconds)
    verdicts = judge(options.thresholds, outcome.tally.by_name())
    print(format_outcome(outcome, verdicts, others))
    if options.json is not None:
        setup = Setup(options.suite, options.url, options.stages, options.seed)
        document = build_document(setup, outcome, verdicts, others)
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if outcome.ended is not None:
        print(f"benchmarks api: ended after {outcome.seconds:.0f} s: {outcome.ended}", file=sys.stderr)
        return EXIT_NOT_MEASURED
    return 0 if all(verdict.held for verdict in verdicts) else EXIT_MISSED


class _Ending:
    """SIGTERM ends a run as SIGINT does: with the servers that were started for it; once, however often it comes."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._asked = False
        self.drive: Drive | None = None
        """Set once users come: what they did so far is told."""

    def end(self) -> None:
        if self._asked:
            return
        self._asked = True
        if self.drive is not None:
            self.drive.stop("terminated")
        elif self._task is not None:
            self._task.cancel()


async def _run(options: argparse.Namespace, suite: Suite) -> Outcome:
    seconds = total_s(options.stages)

    def show(point: Point) -> None:
        if not options.quiet:
            tell(format_point(point, seconds))

    ending = _Ending()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.end)
    async with _target(options, suite) as target:
        await suite.prepare(target)
        tell(f"{options.suite}: {format_stages(options.stages)} on {target.url}")
        drive = Drive(suite, target, options.stages, seed=options.seed, tell=show)
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, drive.stop, "interrupted")
        ending.drive = drive
        try:
            return await drive.run()
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
            await suite.clean_up(target)


@contextlib.asynccontextmanager
async def _target(options: argparse.Namespace, suite: Suite) -> AsyncIterator[Target]:
    if options.url is None:
        async with suite.start() as target:
            target.options, target.think_scale = options.option, options.think
            yield target
        return
    key_id, _, secret = (options.key or ":").partition(":")
    if options.data is not None:
        if not (options.data / KEYS_FILE).is_file():
            raise SuiteError(f"there is no {KEYS_FILE} in {options.data}, expected the data folder of the server")
        try:
            key = open_keys(options.data).first
        except KeyFileError as error:
            raise SuiteError(str(error)) from None
        key_id, secret = key.key_id, key.secret.decode()
    target = Target(options.url.rstrip("/"), key_id, secret, options.think, options.option)
    if options.server_pid is not None:
        watched = WatchedProcess(options.server_pid)
        target.cpu_s, target.memory_bytes = watched.cpu_s, watched.memory_bytes
        target.died = lambda: None if watched.alive else f"process {options.server_pid}, the server, is gone"
    yield target


def parse_arguments(arguments: list[str]) -> tuple[argparse.Namespace, Suite]:
    """Return options and suite; exits with a message for what cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks api",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = suite_names()
    parser.add_argument("--suite", choices=names, default="control", help="of scenarios; default control")
    parser.add_argument("--url", type=address, help="of the server; default: one is started")
    parser.add_argument("--key", metavar="ID:SECRET", help="an API key of that server, if the suite needs one")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="that server's data folder, instead of --key")
    parser.add_argument("--server-pid", type=int, metavar="PID", help="that server's process: its CPU and memory")
    parser.add_argument(
        "--stages", type=stages, default=USUAL, metavar="TIME:USERS,...", help=f"default {format_stages(USUAL)}"
    )
    parser.add_argument("--scale", type=scale, default=1.0, metavar="X", help="multiplies the time of all stages")
    parser.add_argument(
        "--threshold",
        type=threshold,
        action="append",
        default=[],
        metavar="RULE",
        help='like "reads.p95<=50ms", "all.errors<=0.1%%"; may be repeated; default: those of the suite',
    )
    parser.add_argument("--think", type=scale, default=1.0, metavar="X", help="multiplies the pauses of users")
    parser.add_argument("--option", type=option, action="append", default=[], metavar="NAME=VALUE", help="to the suite")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what users choose; default 1")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    options = parser.parse_args(arguments)
    if options.url is None and (options.key or options.data or options.server_pid):
        parser.error("--key, --data and --server-pid are of a server that runs: give its --url, too")
    if options.key is not None and ":" not in options.key:
        parser.error(f"--key {options.key!r}: expected ID:SECRET")
    if options.json is not None and not options.json.parent.is_dir():
        parser.error(f"--json {options.json}: there is no folder {options.json.parent}")
    suite = load_suite(options.suite)
    options.thresholds = options.threshold or [parse_threshold(text) for text in suite.thresholds]
    if strange := unknown_steps(options.thresholds, suite.steps):
        parser.error(f"--threshold {strange[0]!r}: no such step, expected all, a group, or of {', '.join(suite.steps)}")
    options.stages = scaled(options.stages, options.scale)
    options.option = dict(options.option)
    return options, suite


def address(text: str) -> str:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise argparse.ArgumentTypeError(f"{text!r} is no address, expected one like http://127.0.0.1:8080")
    return text


def stages(text: str) -> tuple[Stage, ...]:
    try:
        return parse_stages(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def threshold(text: str) -> Threshold:
    try:
        return parse_threshold(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).replace("%", "%%")) from None


def scale(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= SCALE_MAX:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number above 0 and at most {SCALE_MAX:g}")
    return value


def option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=VALUE")
    return name, value


def tell(message: Any) -> None:
    print(message, file=sys.stderr, flush=True)
