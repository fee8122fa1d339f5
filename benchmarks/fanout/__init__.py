"""What does it cost to send one packet to a whole class, and how long does that take?

CPU time per outgoing packet through the real data-plane thread (receive, open, parse, statistics, history, fan-out,
seal, sendmmsg), beside bare sendmmsg of the same sizes, one by one, measured in turn with it; latency beside a busy
event loop; memory per viewer. All sockets are on this host, and those of the viewers are full in both measurements: the
kernel's receive half is paid for (it runs in the sender's time), the queueing of what nobody reads is not.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Final

from benchmarks.fanout.cost import Pass, measure_cost
from benchmarks.fanout.latency import measure_latency
from benchmarks.fanout.memory import Footprint, measure_memory
from benchmarks.fanout.report import Row, Setup, build_row, format_table
from benchmarks.fanout.rig import Rig
from benchmarks.fanout.traffic import TRAFFIC
from benchmarks.machine import Disturbance, machine_facts
from media.native.srtp import Profile, load
from media.net.gso import gso_pays

PROFILES: Final = {
    "gcm": Profile.AEAD_AES_128_GCM,
    "cm": Profile.AES128_CM_SHA1_80,
    "gcm256": Profile.AEAD_AES_256_GCM,
}
SUBSCRIBERS_MAX: Final = 10_000
DESCRIPTORS_BESIDE: Final = 200
"""Open files apart from one socket a viewer."""
LOAD: Final = 0.5
"""Of the maximum rate, when latency is measured."""

EXAMPLES: Final = """examples:
  python -m benchmarks fanout
  python -m benchmarks fanout --subscribers 200 --profile gcm --json fanout.json
  python -m benchmarks fanout --subscribers 200 --gso off --traffic full
  python -m benchmarks fanout --subscribers 50,1000 --passes 15 --seconds 20
"""


def main(arguments: list[str]) -> int:
    """Measure every asked-for combination, print one table."""
    options = parse_arguments(arguments)
    load()
    raise_descriptor_limit(max(options.subscribers) + DESCRIPTORS_BESIDE)
    gso = options.gso == "auto" and gso_pays()
    if options.gso == "auto" and not gso:
        tell("UDP GSO does not pay on this computer: measured without")
    rows: list[Row] = []
    for name in options.profile:
        profile = PROFILES[name]
        tell(f"{name}: memory per viewer")
        footprint = measure_memory(profile)
        for subscribers in options.subscribers:
            tell(f"{name}, {subscribers} subscribers: CPU per packet, {options.passes} passes")
            disturbance = Disturbance()
            with Rig(subscribers, profile, gso=gso, numbered=options.numbers == "on") as rig:
                passes = measure_cost(rig, options.passes, options.traffic)
            rows.append(measure_row(name, subscribers, passes, footprint, options.seconds, disturbance, gso=gso))
    print(format_table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


def measure_row(
    name: str,
    subscribers: int,
    passes: list[Pass],
    footprint: Footprint,
    seconds: float,
    disturbance: Disturbance,
    *,
    gso: bool,
) -> Row:
    """Measure the latency at half of the rate that these passes found, and put all figures together."""
    cost_us = sorted(one.forward_us for one in passes)[len(passes) // 2]
    packets_per_second = LOAD * 1e6 / cost_us / subscribers
    tell(f"{name}, {subscribers} subscribers: latency at {packets_per_second:.0f} incoming packets/s, {seconds:g} s")
    with Rig(subscribers, PROFILES[name], gso=gso) as rig:
        results = measure_latency(rig, packets_per_second, seconds)
    return build_row(
        Setup(subscribers, name, gso),
        passes,
        results=results,
        packets_per_second=packets_per_second,
        footprint=footprint,
        disturbance_cores=disturbance.cores(),
        machine=machine_facts(),
    )


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the options; exits with a message for what cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks fanout",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--subscribers", type=subscriber_counts, default=[50, 200, 1000], metavar="N,...", help="default 50,200,1000"
    )
    parser.add_argument(
        "--profile",
        type=profile_names,
        default=["gcm", "cm"],
        metavar="NAME,...",
        help=f"of {', '.join(PROFILES)}; default gcm,cm",
    )
    parser.add_argument(
        "--traffic",
        choices=list(TRAFFIC),
        default="720p30",
        help="frames of recorded 720p30 video, as they come from a camera, or bursts of full packets; default 720p30",
    )
    parser.add_argument(
        "--gso",
        choices=["auto", "off"],
        default="auto",
        help="equal packets to one viewer as one message: where a trial says that it pays, or never; default auto",
    )
    parser.add_argument(
        "--numbers",
        choices=["on", "off"],
        default="on",
        help="transport-wide numbers toward viewers, as browsers take them, when cost is measured; default on",
    )
    parser.add_argument("--passes", type=positive, default=7, metavar="N", help="of the cost measurement; default 7")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each latency measurement; default 8")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value


def subscriber_counts(text: str) -> list[int]:
    counts = [positive(part) for part in text.split(",")]
    if max(counts) > SUBSCRIBERS_MAX:
        raise argparse.ArgumentTypeError(f"{max(counts)} is more than {SUBSCRIBERS_MAX}")
    return counts


def profile_names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in PROFILES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PROFILES)}")
    return names


def raise_descriptor_limit(wanted: int) -> None:
    """Allow this process `wanted` open files. OSError if the system does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


def tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
