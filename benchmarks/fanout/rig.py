"""A running worker with one publisher and N viewers, each with its own keys, SSRC and socket on this host."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from types import TracebackType
from typing import Final, Self

from benchmarks.fanout import packets
from media.native.sealer import GCM_PROFILES, PacketSealer
from media.native.srtp import Profile, SrtpSession
from media.native.worker import Worker
from media.net.shell import DATA_PLANE_NICE
from media.net.sockets import open_socket

HOST: Final = "127.0.0.1"
PACKET_BYTES: Final = 1200
"""Of the RTP packet that a viewer gets, before SRTP adds its tag."""
PUBLISHER: Final = 1
PRODUCER: Final = 1
FIRST_VIEWER: Final = 1000
PUBLISHER_SSRC: Final = 0x50554253
FIRST_VIEWER_SSRC: Final = 0x10000
MID: Final = b"1"
DRAIN_SECONDS_MAX: Final = 30.0
SINK_BUFFER_BYTES: Final = 1
"""The kernel makes it its least, about one packet: sinks are full at once and stay so, for the floor as well."""


class Viewer:
    """One subscriber: a transport row with a single consumer, and the socket that it receives on."""

    def __init__(self, worker: Worker, index: int, profile: Profile, *, numbered: bool) -> None:
        self.id = FIRST_VIEWER + index
        self.ssrc = FIRST_VIEWER_SSRC + index
        self.key = secrets.token_bytes(profile.key_bytes + profile.salt_bytes)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SINK_BUFFER_BYTES)
        self.socket.bind((HOST, 0))
        self.inbound = SrtpSession(profile, secrets.token_bytes(profile.key_bytes + profile.salt_bytes), "inbound")
        self.outbound = SrtpSession(profile, self.key, "outbound")
        self.sealer = PacketSealer(profile, self.key) if profile in GCM_PROFILES else None
        worker.add_transport(self.id, 0x20000 + index, packets.IN_KINDS, packets.OUT_IDS)
        worker.set_address(self.id, *self.socket.getsockname())
        worker.set_keys(self.id, self.inbound.handle, self.outbound.handle, self.sealer.handle if self.sealer else 0)
        first_number = 1 + secrets.randbelow(32767)
        worker.add_consumer(self.id, self.id, True, self.ssrc, 0x80000000 | self.ssrc, first_number, numbered)
        payload_types = bytes([packets.VP8_PAYLOAD_TYPE] + [255] * 23)
        rtx_payload_types = bytes([packets.VP8_RTX_PAYLOAD_TYPE] + [255] * 23)
        worker.attach(self.id, PRODUCER, payload_types, rtx_payload_types, 0, 255)

    def close(self) -> None:
        """Free sockets and keys; the worker must have forgotten the transport."""
        self.socket.close()
        self.inbound.close()
        self.outbound.close()
        if self.sealer:
            self.sealer.close()


class Rig:
    """Use as a context manager: the thread runs inside."""

    def __init__(self, subscribers: int, profile: Profile, *, gso: bool = False, numbered: bool = True) -> None:
        self.profile = profile
        self.subscribers = subscribers
        self.udp = open_socket(HOST, 0)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.worker = Worker(self.udp.fileno(), self._wake, -1, self.udp.family, DATA_PLANE_NICE)
        self.worker.use_gso(gso)
        self.publisher = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.publisher.bind((HOST, 0))
        self.publisher.connect(self.udp.getsockname())
        self.publisher_key = secrets.token_bytes(profile.key_bytes + profile.salt_bytes)
        self._inbound = SrtpSession(profile, self.publisher_key, "inbound")
        self._outbound = SrtpSession(profile, secrets.token_bytes(profile.key_bytes + profile.salt_bytes), "outbound")
        self.sealer = SrtpSession(profile, self.publisher_key, "outbound")
        self.next_number = 1
        self._next_frame = 1
        self.worker.add_transport(PUBLISHER, 0x53465530, packets.IN_KINDS, bytes(64))
        self.worker.set_address(PUBLISHER, *self.publisher.getsockname())
        self.worker.set_keys(PUBLISHER, self._inbound.handle, self._outbound.handle)
        codec = (packets.VP8_PAYLOAD_TYPE, packets.VP8_CODEC, packets.CLOCK_RATE_HZ, packets.VP8_RTX_PAYLOAD_TYPE, True)
        self.worker.add_producer(PRODUCER, PUBLISHER, MID, True, [codec], [(b"", PUBLISHER_SSRC, 0)])
        self.worker.set_paused(PRODUCER, False)
        self.viewers = [Viewer(self.worker, index, profile, numbered=numbered) for index in range(subscribers)]

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.worker.stop()
        for viewer in self.viewers:
            self.worker.remove_transport(viewer.id)
            viewer.close()
        self.worker.remove_transport(PUBLISHER)
        for session in (self._inbound, self._outbound, self.sealer):
            session.close()
        self.publisher.close()
        self.udp.close()
        os.close(self._wake)

    @property
    def tag_bytes(self) -> int:
        """What the profile adds to each packet."""
        return 10 if self.profile is Profile.AES128_CM_SHA1_80 else 16

    def seal_frame(self, packet_bytes: list[int]) -> list[bytes]:
        """Return the publisher's next frame, sealed: `packet_bytes` of what a viewer gets. The first is a key frame."""
        frame = self._next_frame
        self._next_frame += 1
        sealed = []
        for index, size in enumerate(packet_bytes):
            payload = packets.vp8_payload(
                frame, key_frame=frame == 1, size=size - packets.OUT_HEADER_BYTES, start=index == 0
            )
            last = index == len(packet_bytes) - 1
            packet = packets.video_packet(self.next_number, PUBLISHER_SSRC, MID, payload, frame=frame, marker=last)
            sealed.append(self.sealer.protect(packet))
            self.next_number += 1
        return sealed

    def publish(self, frames: list[list[int]]) -> None:
        """Send frames in one burst and wait until every viewer's copy was handed to the kernel."""
        burst = [packet for frame in frames for packet in self.seal_frame(frame)]
        expected = self.worker.counters()["forwarded"] + len(burst) * self.subscribers
        for packet in burst:
            self.publisher.send(packet)
        deadline = time.monotonic() + DRAIN_SECONDS_MAX
        while (forwarded := self.worker.counters()["forwarded"]) < expected:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{forwarded} packets forwarded, expected {expected}: {self.worker.counters()}")
            time.sleep(0.0002)
        with contextlib.suppress(BlockingIOError):  # what the worker tells the publisher is not of interest here
            while True:
                self.publisher.recv(2048, socket.MSG_DONTWAIT)
