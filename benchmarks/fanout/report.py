"""From measurements to one row of figures, and from rows to a table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple, TypedDict

from benchmarks.fanout.cost import Pass, median_ratio
from benchmarks.fanout.latency_peer import Results
from benchmarks.fanout.memory import Footprint
from benchmarks.machine import CALM_CORES

KIBIBYTE: Final = 1024


class Row(TypedDict):
    """What one number of subscribers under one SRTP profile costs."""

    subscribers: int
    profile: str
    gso: bool
    us_per_packet: float
    us_per_packet_min: float
    floor_us: float
    floor_us_min: float
    ratio: float
    passes: int
    latency_p50_ms: float
    latency_p99_ms: float
    latency_p999_ms: float
    latency_samples: int
    latency_lost: int
    packets_per_second: float
    bytes_per_viewer: int
    row_bytes_per_viewer: int
    disturbance_cores: float
    machine: dict[str, str | int]


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest value that at least this fraction of them does not exceed (nearest rank); 0 of none."""
    if not values:
        return 0.0
    rank = -(-len(values) * round(fraction * 1_000_000) // 1_000_000)
    return sorted(values)[max(rank, 1) - 1]


class Setup(NamedTuple):
    """What was measured."""

    subscribers: int
    profile: str
    gso: bool


def build_row(
    setup: Setup,
    passes: list[Pass],
    *,
    results: Results,
    packets_per_second: float,
    footprint: Footprint,
    disturbance_cores: float,
    machine: dict[str, str | int],
) -> Row:
    """Return the figures of one configuration."""
    latencies_ns = results["latencies_ns"]
    forward = [one.forward_us for one in passes]
    floor = [one.floor_us for one in passes]
    return {
        "subscribers": setup.subscribers,
        "profile": setup.profile,
        "gso": setup.gso,
        "us_per_packet": round(median(forward), 3),
        "us_per_packet_min": round(min(forward), 3),
        "floor_us": round(median(floor), 3),
        "floor_us_min": round(min(floor), 3),
        "ratio": round(median_ratio(passes), 3),
        "passes": len(passes),
        "latency_p50_ms": round(percentile(latencies_ns, 0.5) / 1e6, 3),
        "latency_p99_ms": round(percentile(latencies_ns, 0.99) / 1e6, 3),
        "latency_p999_ms": round(percentile(latencies_ns, 0.999) / 1e6, 3),
        "latency_samples": len(latencies_ns),
        "latency_lost": results["sent"] * results["viewers"] - len(latencies_ns),
        "packets_per_second": round(packets_per_second, 1),
        "bytes_per_viewer": footprint.resident,
        "row_bytes_per_viewer": footprint.rows,
        "disturbance_cores": round(disturbance_cores, 2),
        "machine": machine,
    }


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as one table for a terminal."""
    heads = [
        "subscribers",
        "profile",
        "gso",
        "us/packet",
        "floor us",
        "ratio",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "KiB/viewer",
        "others",
    ]
    cells = [heads] + [
        [
            str(row["subscribers"]),
            row["profile"],
            "on" if row["gso"] else "off",
            f"{row['us_per_packet']:.2f} ({row['us_per_packet_min']:.2f})",
            f"{row['floor_us']:.2f} ({row['floor_us_min']:.2f})",
            f"{row['ratio']:.2f}",
            f"{row['latency_p50_ms']:.2f}",
            f"{row['latency_p99_ms']:.2f}",
            f"{row['latency_p999_ms']:.2f}",
            f"{row['bytes_per_viewer'] / KIBIBYTE:.1f}",
            f"{row['disturbance_cores']:.2f}",
        ]
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    lines += [
        "us: CPU of the data-plane thread per outgoing packet, median (min); latency at half of the maximum rate;",
        "others: cores that other programs kept busy meanwhile",
    ]
    if any(row["disturbance_cores"] > CALM_CORES for row in rows):
        lines.append("This computer was not calm: measure again before you believe the figures.")
    return "\n".join(lines)
