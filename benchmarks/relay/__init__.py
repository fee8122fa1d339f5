"""How does a call do on a bad network? A seeded UDP relay: loss, delay, queues, reordering, damage, NAT rebinding.

Clients send to the relay instead of the server's media port; it passes on, late, or not at all, as the schedules of the
two ways say. All clients share the two ways, as those behind one router do. Times count from the first packet.
The same seed and the same packets give the same decisions, bit for bit; the log says which packet met which fate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from benchmarks.relay import schedule as schedules
from benchmarks.relay.direction import Direction
from benchmarks.relay.impairment import Fate
from benchmarks.relay.log import BadLog, LogWriter, replay
from benchmarks.relay.schedule import BadSchedule, Schedule, parse_schedule
from benchmarks.relay.shell import Relay

FAILED: Final = 1
HOST: Final = "127.0.0.1"
PORT_MAX: Final = 65_535
DIFFERENT_SHOWN: Final = 10

_EXAMPLES: Final = """\
examples:
  python -m benchmarks relay --listen 41000 --server 127.0.0.1:40000 --down "loss=5% only=media" --log down.jsonl
  python -m benchmarks relay --listen 41000 --server 127.0.0.1:40000 \\
      --up "20s loss=10%; 40s rate=300kbit; 60s clear" --down "delay=40ms jitter=20ms" --seed 7 --seconds 90
  python -m benchmarks relay --listen 41000 --server 127.0.0.1:40000 --up "30s rebind; 60s blackout=5s"
  python -m benchmarks relay --replay down.jsonl

A browser takes the server's address from its answer. To bring a relay between on one computer, let both listen on
the same port of different loopback addresses, and let the server name the relay's:
  halqa media --data DIR --workers 1 --udp-port 40000 --media-address 127.0.0.1 --advertise 127.0.0.2
  python -m benchmarks relay --listen 127.0.0.2:40000 --server 127.0.0.1:40000 --down "loss=5% only=media"

exit codes:
  0  ended by SIGINT, SIGTERM or --seconds; a replay that decided the same
  1  could not start, or a replay that decided otherwise; standard error says why
  2  wrong flags
"""


def main(arguments: list[str]) -> int:
    """Run a relay until it is told to end, or check a log."""
    options = parse_arguments(arguments)
    try:
        return check(options.replay) if options.replay else asyncio.run(serve(options))
    except (BadLog, BadSchedule) as error:
        print(f"relay: {error}", file=sys.stderr)
    except OSError as error:
        print(f"relay: {error.filename or ''}{': ' if error.filename else ''}{error.strerror}", file=sys.stderr)
    return FAILED


async def serve(options: argparse.Namespace) -> int:
    """Relay until a signal or the end of the time, then print what happened as JSON."""
    texts = {"up": options.up.text, "down": options.down.text}
    writer = LogWriter(options.log, seed=options.seed, **texts) if options.log else None
    with writer or nullcontext():
        relay = Relay(options.server, up=options.up, down=options.down, seed=options.seed, log=writer)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        try:
            host, port = relay.open(options.listen)
            print(f"relay: from {host} {port} to {options.server[0]} {options.server[1]}", file=sys.stderr, flush=True)
            try:
                async with asyncio.timeout(options.seconds):
                    await ended.wait()
            except TimeoutError:
                pass
        finally:
            clients = relay.clients
            relay.close()
    print(json.dumps(summary(relay, options.seed) | {"clients": clients}, indent=2))
    return 0


def summary(relay: Relay, seed: int) -> dict[str, object]:
    """Return the figures of a run. `unread` ones were dropped by the kernel, not by a schedule: 0 in a good run."""
    return {
        "seed": seed,
        "seconds": round(relay.now, 3),
        "up": _way(relay.up),
        "down": _way(relay.down),
        "rebindings": relay.rebindings,
        "unread": relay.unread,
        "unsent": relay.unsent,
    }


def _way(direction: Direction) -> dict[str, object]:
    dropped = {fate.value: count for fate, count in direction.counts.items() if fate is not Fate.PASSED}
    return {
        "schedule": direction.schedule.text,
        "passed": direction.passed,
        "dropped": dropped,
        "duplicated": direction.duplicated,
        "corrupted": direction.corrupted,
    }


def check(path: Path) -> int:
    """Decide on the packets of a log again, print if it came out the same."""
    result = replay(path)
    print(f"{result.packets} packets, {result.dropped} dropped, {len(result.different)} decided otherwise")
    for line in result.different[:DIFFERENT_SHOWN]:
        print(f"  {line.way} {line.n} at {line.t} s was {line.fate.value}", file=sys.stderr)
    return FAILED if result.different else 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the options; exits with a message for what cannot be."""
    manual = (schedules.__doc__ or "").partition("\n\n")[2]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks relay",
        description=f"{__doc__}\n{manual}",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--listen", type=address, metavar="[HOST:]PORT", help=f"for clients; HOST left out: {HOST}")
    parser.add_argument("--server", type=address, metavar="HOST:PORT", help="where the server's media port is")
    parser.add_argument("--up", type=schedule, default=Schedule(), metavar="SCHEDULE", help="clients to server")
    parser.add_argument("--down", type=down_schedule, default=Schedule(), metavar="SCHEDULE", help="server to clients")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default 1")
    parser.add_argument("--seconds", type=positive, metavar="N", help="end after so long; default: when told to")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write every packet and its fate there, as JSON lines")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="decide again on the packets of a log, and compare")
    options = parser.parse_args(arguments)
    if options.replay is None and (options.listen is None or options.server is None):
        parser.error("--listen and --server are needed (or --replay)")
    return options


def address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, `[V6]:PORT` or `PORT`."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: expected HOST:PORT or PORT, port up to {PORT_MAX}")
    return host.strip("[]") or HOST, int(port)


def schedule(text: str) -> Schedule:
    try:
        return parse_schedule(text)
    except BadSchedule as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def down_schedule(text: str) -> Schedule:
    parsed = schedule(text)
    if parsed.rebinds_s:
        raise argparse.ArgumentTypeError("`rebind` belongs into --up: it changes the clients' addresses")
    return parsed


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return value
