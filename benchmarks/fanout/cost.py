"""CPU time of the data-plane thread per outgoing packet, beside bare sendmmsg of the same bytes to the same sockets."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.fanout.rig import Rig
from benchmarks.fanout.traffic import bursts
from media.native.udp import AddressList, send_plain
from media.net.sockets import open_socket

PACKETS_PER_PASS: Final = 64_000
"""Outgoing, of each measurement; some 0.2 s of one core."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Microseconds of CPU per outgoing packet, measured one right after the other."""

    forward_us: float
    floor_us: float


def measure_cost(rig: Rig, passes: int, traffic: str = "720p30") -> list[Pass]:
    """Measure forwarding and floor in turn, `passes` times, after a warm-up of both."""
    addresses = AddressList([viewer.socket.getsockname() for viewer in rig.viewers], socket.AF_INET)
    sent = list(bursts(traffic, max(1, PACKETS_PER_PASS // rig.subscribers)))
    sizes = [size + rig.tag_bytes for burst in sent for frame in burst for size in frame]
    with open_socket("127.0.0.1", 0) as plain:
        _forward(rig, sent)
        _floor(plain, addresses, sizes)
        return [Pass(_forward(rig, sent), _floor(plain, addresses, sizes)) for _ in range(passes)]


def _forward(rig: Rig, sent_bursts: list[list[list[int]]]) -> float:
    sent, spent_ns = rig.worker.counters()["sent"], rig.worker.cpu_ns()
    for burst in sent_bursts:
        rig.publish(burst)
    return (rig.worker.cpu_ns() - spent_ns) / 1000 / (rig.worker.counters()["sent"] - sent)


def _floor(plain: socket.socket, addresses: AddressList, sizes: list[int]) -> float:
    sent, spent_ns = send_plain(plain.fileno(), addresses, sizes)
    return spent_ns / 1000 / sent


def median_ratio(passes: list[Pass]) -> float:
    """Return the middle of the ratios of each pair: both halves of a pair meet the same phase of the machine."""
    return median(one.forward_us / one.floor_us for one in passes)
