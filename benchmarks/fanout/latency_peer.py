"""The measuring side of the latency benchmark, a process of its own: sends as the publisher, receives as some viewers.

Every packet carries the moment it was sent; the kernel stamps the moment at which a viewer's copy arrived. Neither
waits for an interpreter lock of the server's process. Settings come as JSON on stdin, results go as JSON to stdout;
sockets are inherited.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from typing import Final, TypedDict

from benchmarks.fanout import packets
from media.native.rtp import parse_header
from media.native.srtp import Profile, SrtpSession

SO_RCVBUFFORCE: Final = 33
SO_TIMESTAMPNS: Final = 35  # Linux; the socket module does not name it
RECEIVE_BUFFER_BYTES: Final = 16 * 1024 * 1024
NICE: Final = -10  # of a late sender the latency would be its own
DRAIN_SECONDS: Final = 0.5  # after the last packet was sent


class ViewerSettings(TypedDict):
    """A viewer's socket, and the key that its packets are sealed with."""

    descriptor: int
    key: str


class Settings(TypedDict):
    """What the peer needs to know; keys in hexadecimal."""

    profile: str
    descriptor: int
    key: str
    ssrc: int
    mid: str
    payload_bytes: int
    packets_per_second: float
    warm_up_packets: int
    packets: int
    viewers: list[ViewerSettings]


class Results(TypedDict):
    """Nanoseconds of every packet of every observed viewer, the warm-up left out."""

    latencies_ns: list[int]
    sent: int
    viewers: int
    late_ns_max: int


class Observer:
    """One viewer's socket with kernel time stamps, and the key to open what comes."""

    def __init__(self, settings: ViewerSettings, profile: Profile) -> None:
        self.socket = socket.socket(fileno=settings["descriptor"])
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        self.session = SrtpSession(profile, bytes.fromhex(settings["key"]), "inbound")

    def receive(self) -> Iterator[tuple[int, int]]:
        """Yield (number of the packet, nanoseconds from sending to arrival) of what waits."""
        while True:
            try:
                sealed, ancillary, _, _ = self.socket.recvmsg(2048, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if 192 <= sealed[1] <= 223:
                continue  # a sender report
            seconds, nanoseconds = struct.unpack("@ll", ancillary[0][2])
            packet = self.session.unprotect(sealed)
            at = parse_header(packet).payload_offset + packets.STAMP_AT
            number, sent_ns = struct.unpack_from("!QQ", packet, at)
            yield number, seconds * 1_000_000_000 + nanoseconds - sent_ns


def run(settings: Settings) -> Results:
    """Send all packets evenly spaced, and collect what arrives meanwhile and shortly after."""
    with contextlib.suppress(PermissionError):
        os.nice(NICE)
    profile = Profile[settings["profile"]]
    publisher = socket.socket(fileno=settings["descriptor"])
    sealer = SrtpSession(profile, bytes.fromhex(settings["key"]), "outbound")
    observers = {viewer["descriptor"]: Observer(viewer, profile) for viewer in settings["viewers"]}
    poll = select.poll()
    for descriptor in observers:
        poll.register(descriptor, select.POLLIN)
    spacing_ns = int(1e9 / settings["packets_per_second"])
    total = settings["warm_up_packets"] + settings["packets"]
    latencies: list[int] = []
    late_ns_max = number = 0
    next_ns = time.monotonic_ns()
    end_ns = next_ns + (total * spacing_ns) + int(DRAIN_SECONDS * 1e9)
    while (now_ns := time.monotonic_ns()) < end_ns:
        if number < total and now_ns >= next_ns:
            number += 1
            publisher.send(sealer.protect(stamped_packet(settings, number)))
            late_ns_max = max(late_ns_max, now_ns - next_ns)
            next_ns += spacing_ns
            continue
        wait_ns = (next_ns if number < total else end_ns) - now_ns
        for descriptor, _ in poll.poll(wait_ns / 1e6):
            latencies += [
                spent for number, spent in observers[descriptor].receive() if number > settings["warm_up_packets"]
            ]
    return {
        "latencies_ns": latencies,
        "sent": settings["packets"],
        "viewers": len(observers),
        "late_ns_max": late_ns_max,
    }


def stamped_packet(settings: Settings, number: int) -> bytes:
    """Return the packet of this number (from 1; the first is a key frame) with its number and the time of day."""
    payload = packets.vp8_payload(number, key_frame=number == 1, size=settings["payload_bytes"])
    stamp = struct.pack("!QQ", number, time.time_ns())
    payload = payload[: packets.STAMP_AT] + stamp + payload[packets.STAMP_AT + len(stamp) :]
    return packets.video_packet(number, settings["ssrc"], settings["mid"].encode(), payload)


def main() -> None:
    """Take settings, measure, give results."""
    json.dump(run(json.load(sys.stdin)), sys.stdout)
