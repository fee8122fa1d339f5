"""What do people cost the event loop: when a whole school joins at once, when it sits still, when some do not read?

A server of its own is started; all clients live in this process and speak the WebSocket protocol without media
(`benchmarks load` brings media). Rush: N clients join within some seconds. Idle: N participants who say nothing. Slow:
N clients that stop reading while others chat as fast as they may.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.fanout import raise_descriptor_limit
from benchmarks.joins.idle import measure_idle
from benchmarks.joins.rush import measure_rush
from benchmarks.joins.server import Server, ServerDidNotStartError
from benchmarks.joins.slow import measure_slow
from benchmarks.machine import Disturbance, machine_facts

DESCRIPTORS_BESIDE: Final = 200
EXIT_FAILED: Final = 1

EXAMPLES: Final = """examples:
  python -m benchmarks joins
  python -m benchmarks joins --rush 600 --rush-seconds 5 --json joins.json

exit codes:
  0  measured
  1  the server did not start, or ended meanwhile
"""


def main(arguments: list[str]) -> int:
    """Measure all three and print one table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks joins",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rush", type=int, default=300, metavar="N", help="clients that join at once; default 300")
    parser.add_argument("--rush-seconds", type=float, default=10.0, metavar="S", help="for all joins; default 10")
    parser.add_argument("--idle", type=int, default=1000, metavar="N", help="participants that sit still; default 1000")
    parser.add_argument("--idle-seconds", type=float, default=30.0, metavar="S", help="of watching them; default 30")
    parser.add_argument("--slow", type=int, default=100, metavar="N", help="clients that do not read; default 100")
    parser.add_argument("--slow-seconds", type=float, default=20.0, metavar="S", help="of chat; default 20")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    options = parser.parse_args(arguments)
    raise_descriptor_limit(max(options.rush, options.idle, options.slow) + DESCRIPTORS_BESIDE)
    disturbance = Disturbance()
    try:
        figures = asyncio.run(_measure(options))
    except ServerDidNotStartError as error:
        print(f"benchmarks joins: {error}", file=sys.stderr)
        return EXIT_FAILED
    facts = {"disturbance_cores": round(disturbance.cores(), 2), "machine": machine_facts()}
    if options.json is not None:
        options.json.write_text(json.dumps(figures | facts, indent=2) + "\n", encoding="utf-8")
    return 0


async def _measure(options: argparse.Namespace) -> dict[str, object]:
    figures: dict[str, object] = {}
    async with Server() as server:
        tell(f"rush: {options.rush} clients join within {options.rush_seconds:g} s")
        rush = await measure_rush(server, options.rush, options.rush_seconds)
        print(
            f"rush   {rush.joined} of {rush.clients} joined, p50 {rush.join_p50_ms:.0f} ms, p95 {rush.join_p95_ms:.0f} "
            f"ms, p99 {rush.join_p99_ms:.0f} ms; event loop late p99 {rush.loop_lag_p99_ms:.1f} ms; "
            f"server CPU {rush.server_cpu_s:.2f} s ({rush.server_cpu_s / rush.clients * 1000:.1f} ms a join)"
        )
        figures["rush"] = asdict(rush)
    async with Server() as server:
        tell(f"idle: {options.idle} participants say nothing for {options.idle_seconds:g} s")
        idle = await measure_idle(server, options.idle, options.idle_seconds)
        print(
            f"idle   {idle.participants} participants: {idle.server_cores * 100:.1f} % of a core, "
            f"{idle.bytes_per_participant / 1024:.0f} KiB each"
        )
        figures["idle"] = asdict(idle)
    async with Server() as server:
        tell(f"slow: {options.slow} clients stop reading while others chat for {options.slow_seconds:g} s")
        slow = await measure_slow(server, options.slow, options.slow_seconds)
        print(
            f"slow   {slow.clients} clients that do not read: {slow.closed} closed, server memory up by at most "
            f"{slow.growth_max_bytes / 1e6:.1f} MB ({slow.messages} messages); a reader beside them waited p99 "
            f"{slow.reader_latency_p99_ms:.0f} ms, at most {slow.reader_latency_max_ms:.0f} ms"
        )
        figures["slow"] = asdict(slow)
    return figures


def tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
