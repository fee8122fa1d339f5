"""The result of a run: one flat set of figures, as JSON and as a table."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.fanout.report import percentile
from benchmarks.load.climb import Step
from benchmarks.load.school import Arrival, School
from benchmarks.load.window import Window
from benchmarks.machine import CALM_CORES, machine_facts

STOLEN_CORES_SHOWN: Final = 0.05
REPOSITORY: Final = Path(__file__).parents[2]


class StepFigures(msgspec.Struct, frozen=True):
    """One step of --find-max."""

    viewers: int
    loss_in_server: float
    latency_p99_ms: float
    packets_out_per_s: int
    server_cpu_s: float
    generator_cpu_s: float
    disturbance_cores: float
    fault: str | None

    @classmethod
    def of(cls, step: Step) -> StepFigures:
        window = step.window
        return cls(
            step.viewers,
            round(window.loss, 6),
            round(window.latency_ms(0.99), 3),
            round(window.packets_per_s),
            round(window.server_cpu_s, 3),
            round(window.generator_cpu_s, 3),
            round(window.disturbance_cores, 2),
            step.fault,
        )


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and bytes unless the name says otherwise; CPU and latency are those of the measuring, joins apart."""

    server: str
    rooms: int
    publishers: int
    viewers: int
    """Who wanted to join, in all rooms."""
    joined: int
    """Who got media."""
    failures: int
    failure_reasons: dict[str, int]
    join_p50_s: float
    """From the first byte of signalling to the first packet of media."""
    join_p95_s: float
    join_p99_s: float
    first_keyframe_p50_s: float
    first_keyframe_p95_s: float
    first_keyframe_p99_s: float
    join_server_cpu_s: float | None
    join_generator_cpu_s: float
    duration_s: float
    packets_out_per_s: float
    bits_out_per_s: float
    loss_in_server: float
    """The part of all packets that never reached a viewer's socket, resent ones included."""
    packets_lost_in_server: int
    loss_in_generator: float
    recovered: int
    refused_packets: int
    latency_p50_ms: float
    latency_p95_ms: float
    latency_p99_ms: float
    latency_p99_ms_by_second: list[float]
    nack_count: int
    """Packets that viewers asked for again."""
    pli_count: int
    """Key frames that viewers asked for."""
    publisher_nack_count: int
    publisher_pli_count: int
    server_cpu_s: float | None
    generator_cpu_s: float
    packets_per_cpu_s: float | None
    cpu_us_per_packet: float | None
    """Of the server; its parts are next: of its main thread, of the others in the kernel, and of those elsewhere."""
    main_us_per_packet: float | None
    kernel_us_per_packet: float | None
    threads_us_per_packet: float | None
    viewers_per_core: float | None
    server_rss_bytes: int | None
    disturbance_cores: float
    stolen_cores: float
    """Of those, what the host of this virtual computer took away."""
    machine: dict[str, str | int]
    commit: str
    ended_early: str | None = None
    max_viewers: int | None = None
    """Found by --find-max: the largest number at which loss and latency were in order."""
    limit: str | None = None
    """What was wrong with more."""
    steps: list[StepFigures] = []


def figures_of(school: School, joining: Window, window: Window, rss_bytes: int | None) -> Figures:
    """Put a run's figures together."""
    roll, options = school.roll, school.options
    came = [arrival for arrival in roll.arrivals if arrival.failure is None]
    watched = school.ground.watched is not None
    cpu_s = window.server_cpu_s if watched else None
    counts = window.counts
    packets = counts["packets"] if watched else 0
    joins = _times(came, "first_packet_s")
    keys = _times(came, "first_key_frame_s")
    return Figures(
        server=school.ground.name,
        rooms=options.rooms,
        publishers=options.rooms * options.publishers,
        viewers=roll.wanted,
        joined=len(came),
        failures=sum(roll.failures.values()),
        failure_reasons=dict(roll.failures),
        join_p50_s=round(percentile(joins, 0.5), 4),
        join_p95_s=round(percentile(joins, 0.95), 4),
        join_p99_s=round(percentile(joins, 0.99), 4),
        first_keyframe_p50_s=round(percentile(keys, 0.5), 4),
        first_keyframe_p95_s=round(percentile(keys, 0.95), 4),
        first_keyframe_p99_s=round(percentile(keys, 0.99), 4),
        join_server_cpu_s=round(joining.server_cpu_s, 3) if watched else None,
        join_generator_cpu_s=round(joining.generator_cpu_s, 3),
        duration_s=round(window.seconds, 2),
        packets_out_per_s=round(window.packets_per_s),
        bits_out_per_s=round(window.bits_per_s),
        loss_in_server=round(window.loss, 6),
        packets_lost_in_server=counts["lost"],
        loss_in_generator=round(window.loss_here, 6),
        recovered=counts["recovered"],
        refused_packets=counts["refused"],
        latency_p50_ms=round(window.latency_ms(0.5), 3),
        latency_p95_ms=round(window.latency_ms(0.95), 3),
        latency_p99_ms=round(window.latency_ms(0.99), 3),
        latency_p99_ms_by_second=[round(p99_ms, 3) for p99_ms in window.p99_ms_by_second],
        nack_count=counts["nacked"],
        pli_count=counts["plis"],
        publisher_nack_count=counts["nacks_heard"],
        publisher_pli_count=counts["plis_heard"],
        server_cpu_s=None if cpu_s is None else round(cpu_s, 3),
        generator_cpu_s=round(window.generator_cpu_s, 3),
        packets_per_cpu_s=round(counts["packets"] / cpu_s) if cpu_s else None,
        cpu_us_per_packet=_each_us(window.server_cpu_s, packets),
        main_us_per_packet=_each_us(window.server_cpu.main_s, packets),
        kernel_us_per_packet=_each_us(window.server_cpu.kernel_s, packets),
        threads_us_per_packet=_each_us(window.server_cpu.threads_s, packets),
        viewers_per_core=round(window.viewers * window.seconds / cpu_s, 1) if cpu_s else None,
        server_rss_bytes=rss_bytes,
        disturbance_cores=round(window.disturbance_cores, 2),
        stolen_cores=round(window.stolen_cores, 2),
        machine=machine_facts(),
        commit=commit(),
        ended_early=window.died,
    )


def format_table(figures: Figures) -> str:
    """Return the figures as text for people."""
    per_cpu = figures.packets_per_cpu_s
    server_cpu = figures.server_cpu_s
    memory = figures.server_rss_bytes
    rows = [
        ("server", figures.server),
        ("viewers", f"{figures.joined} of {figures.viewers} joined, {figures.failures} failures"),
        ("rooms, publishers", f"{figures.rooms}, {figures.publishers}"),
        ("first packet", _three(figures.join_p50_s, figures.join_p95_s, figures.join_p99_s, "s")),
        (
            "first key frame",
            _three(figures.first_keyframe_p50_s, figures.first_keyframe_p95_s, figures.first_keyframe_p99_s, "s"),
        ),
        ("measured for", f"{figures.duration_s:.0f} s"),
        ("out", f"{figures.packets_out_per_s:,} packets/s, {figures.bits_out_per_s / 1e6:,.1f} Mbit/s"),
        ("lost in server", f"{figures.loss_in_server:.4%} ({figures.packets_lost_in_server} packets)"),
        ("lost in generator", f"{figures.loss_in_generator:.4%}"),
        ("latency", _three(figures.latency_p50_ms, figures.latency_p95_ms, figures.latency_p99_ms, "ms")),
        ("p99 by second", _seconds(figures.latency_p99_ms_by_second)),
        ("asked for", f"{figures.nack_count} packets, {figures.pli_count} key frames"),
        ("server CPU", "unknown: say --server-pid" if server_cpu is None else _cpu(server_cpu, figures.duration_s)),
        ("generator CPU", _cpu(figures.generator_cpu_s, figures.duration_s)),
        ("packets per CPU s", "unknown" if per_cpu is None else f"{per_cpu:,}"),
        ("CPU per packet", _parts(figures)),
        ("viewers per core", "unknown" if figures.viewers_per_core is None else f"{figures.viewers_per_core:,.0f}"),
        ("server memory", "unknown" if memory is None else f"{memory / 1e6:,.0f} MB"),
        ("commit, processor", f"{figures.commit}, {figures.machine['processor']}, {figures.machine['cores']} cores"),
    ]
    if figures.max_viewers is not None:
        rows.insert(1, ("most viewers", f"{figures.max_viewers}; beyond: {figures.limit or 'not tried'}"))
    lines = [f"{name:18} {value}" for name, value in rows]
    lines += [f"failed: {count} x {reason}" for reason, count in figures.failure_reasons.items()]
    if figures.loss_in_generator > 0:
        lines.append("note: this computer lost packets that the server had sent: the generator is at its limit")
    if figures.disturbance_cores > CALM_CORES:
        stolen = f", the host {figures.stolen_cores:.1f} of them" if figures.stolen_cores >= STOLEN_CORES_SHOWN else ""
        lines.append(
            f"note: others used {figures.disturbance_cores:.1f} cores meanwhile{stolen}; measure at a calm moment"
        )
    return "\n".join(lines)


def commit() -> str:
    """Return what `git describe` says of this repository, "unknown" without one."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        asked = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return asked.stdout.strip() or "unknown"


def _each_us(spent_s: float, packets: int) -> float | None:
    return round(spent_s / packets * 1e6, 3) if packets > 0 else None


def _parts(figures: Figures) -> str:
    if figures.cpu_us_per_packet is None:
        return "unknown"
    return (
        f"{figures.cpu_us_per_packet:.2f} µs: kernel {figures.kernel_us_per_packet:.2f}, "
        f"threads {figures.threads_us_per_packet:.2f}, main thread {figures.main_us_per_packet:.2f}"
    )


def _seconds(p99_ms: Sequence[float]) -> str:
    if not p99_ms:
        return "unknown"
    return f"half of all seconds below {statistics.median(p99_ms):.2f}, the worst {max(p99_ms):.2f} ms"


def _times(arrivals: Sequence[Arrival], name: str) -> list[float]:
    return [value for arrival in arrivals if (value := getattr(arrival, name)) is not None]


def _three(p50: float, p95: float, p99: float, unit: str) -> str:
    return f"p50 {p50:.2f}, p95 {p95:.2f}, p99 {p99:.2f} {unit}"


def _cpu(spent_s: float, seconds: float) -> str:
    return f"{spent_s:.2f} s ({spent_s / max(seconds, 1e-3):.0%} of a core)"
