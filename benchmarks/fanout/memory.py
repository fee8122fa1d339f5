"""Bytes of memory that a viewer costs: rows, sequence maps and SRTP state of both directions, as a class uses them.

The viewer has 14 receive slots (9 video, 4 audio, 1 screen), of which 4 video and 4 audio slots carry a track; each of
these has sent, so that libsrtp holds its per-SSRC state, and the viewer has sent RTCP. Not counted: what all viewers
share (histories, event ring, socket buffers) and Python's objects for ICE, DTLS and signalling.
"""

from __future__ import annotations

import gc
import os
import secrets
import socket
import struct
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from benchmarks.fanout import packets
from media.native.sealer import GCM_PROFILES, PacketSealer
from media.native.srtp import Profile, SrtpSession
from media.native.worker import Worker
from media.net.sockets import open_socket

VIEWERS: Final = 1000
SLOTS: Final = 14
ATTACHED_VIDEO: Final = 4
ATTACHED_AUDIO: Final = 4
VIDEO_SLOTS: Final = 10
RING_EVENTS: Final = 1100
"""More than the event ring has slots: its pages are touched before the measurement begins."""
RING_STEP: Final = 100
STUN_CHECK: Final = struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(12)
PUBLISHER: Final = 1
VIEWER_IDS: Final = 10_000
SLOT_IDS: Final = 100_000
AUDIO_PAYLOAD_TYPE: Final = 111
WAIT_SECONDS_MAX: Final = 20.0
NO_TYPES: Final = [255] * 23


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes per viewer: growth of the resident set, and what the native rows alone add up to."""

    resident: int
    rows: int


def measure_memory(profile: Profile, viewers: int = VIEWERS) -> Footprint:
    """Measure in a process of its own: one that has freed memory before would grow by less than it uses."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure_growth, profile, viewers).result()


def measure_growth(profile: Profile, viewers: int) -> Footprint:
    """Add `viewers` viewers to a running worker, let media flow to all of them, and divide what the process grew by."""
    room = _Room(profile, viewers)
    try:
        room.warm_up()
        gc.collect()
        before = _resident_bytes()
        room.join()
        room.flow()
        return Footprint((_resident_bytes() - before) // viewers, _row_bytes(room.worker))
    finally:
        room.close()


def _row_bytes(worker: Worker) -> int:
    sizes = worker.memory_per_viewer()
    return (
        sizes["transport"]
        + sizes["bandwidth"]
        + SLOTS * sizes["consumer"]
        + (ATTACHED_VIDEO + ATTACHED_AUDIO) * sizes["sequence_map"]
    )


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _Room:
    """A publisher with eight tracks and the viewers, whose addresses are all of 127.0.0.0/8 at one port."""

    def __init__(self, profile: Profile, viewers: int) -> None:
        self.profile = profile
        self.count = viewers
        self.udp = open_socket("127.0.0.1", 0)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        self.worker = Worker(self.udp.fileno(), self._wake, -1, self.udp.family)
        self.sink = self._bind("0.0.0.0")
        self.port = int(self.sink.getsockname()[1])
        self.keys = [self._key() for _ in range(viewers)]
        self.sealed_reports = [self._sealed_report(key) for key in self.keys]
        self.sessions: list[SrtpSession | PacketSealer] = []
        self.number = 0
        self._add_publisher()

    def _key(self) -> bytes:
        return secrets.token_bytes(self.profile.key_bytes + self.profile.salt_bytes)

    def _session(self, key: bytes, direction: str) -> SrtpSession:
        session = SrtpSession(self.profile, key, "inbound" if direction == "inbound" else "outbound")
        self.sessions.append(session)
        return session

    def _sealer(self, key: bytes) -> int:
        if self.profile not in GCM_PROFILES:
            return 0
        sealer = PacketSealer(self.profile, key)
        self.sessions.append(sealer)
        return sealer.handle

    def _bind(self, host: str, port: int = 0) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        return bound

    def _sealed_report(self, key: bytes) -> bytes:
        """Return an empty receiver report, sealed; made before the measurement, for its session costs memory too."""
        session = SrtpSession(self.profile, key, "outbound")
        sealed = session.protect_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 1))
        session.close()
        return sealed

    def _add_publisher(self) -> None:
        key = self._key()
        self.sealer = self._session(key, "outbound")
        self.publisher = self._bind("127.0.0.1")
        self.worker.add_transport(PUBLISHER, PUBLISHER, packets.IN_KINDS, bytes(64))
        self.worker.set_address(PUBLISHER, *self.publisher.getsockname())
        inbound, outbound = self._session(key, "inbound"), self._session(self._key(), "outbound")
        self.worker.set_keys(PUBLISHER, inbound.handle, outbound.handle)
        video = (packets.VP8_PAYLOAD_TYPE, packets.VP8_CODEC, packets.CLOCK_RATE_HZ, packets.VP8_RTX_PAYLOAD_TYPE, True)
        audio = (AUDIO_PAYLOAD_TYPE, 1, 48000, 255, False)
        for track in range(ATTACHED_VIDEO + ATTACHED_AUDIO):
            is_video = track < ATTACHED_VIDEO
            mid = b"%d" % track
            self.worker.add_producer(
                1 + track, PUBLISHER, mid, is_video, [video if is_video else audio], [(b"", 1 + track, 0)]
            )
            self.worker.set_paused(1 + track, False)

    def warm_up(self) -> None:
        """Start the thread and touch what is shared: event ring, histories, batches."""
        self.worker.start()
        with self._bind("127.0.0.1") as stranger:
            for number in range(RING_EVENTS):
                stranger.sendto(STUN_CHECK, self.udp.getsockname())
                if number % RING_STEP == 0:
                    self._wait("stun", number + 1)
                    self._drain_events()
        self.flow()
        self._drain_events()

    def join(self) -> None:
        """Add the viewers with their keys and slots."""
        for index, key in enumerate(self.keys):
            viewer = VIEWER_IDS + index
            self.worker.add_transport(viewer, viewer, packets.IN_KINDS, packets.OUT_IDS)
            self.worker.set_address(viewer, self._address(index), self.port)
            inbound, outbound = self._session(key, "inbound"), self._session(own := self._key(), "outbound")
            self.worker.set_keys(viewer, inbound.handle, outbound.handle, self._sealer(own))
            for slot in range(SLOTS):
                self._add_slot(viewer, SLOT_IDS + SLOTS * index + slot, slot)

    def _address(self, index: int) -> str:
        return f"127.1.{index >> 8}.{index & 0xFF}"

    def _add_slot(self, viewer: int, consumer: int, slot: int) -> None:
        is_video = slot < VIDEO_SLOTS
        rtx_ssrc = 0x2000 + slot if is_video else 0
        self.worker.add_consumer(consumer, viewer, is_video, 0x1000 + slot, rtx_ssrc, 1, numbered=True)
        producer = 1 + slot if slot < ATTACHED_VIDEO else 1 + ATTACHED_VIDEO + slot - VIDEO_SLOTS
        if is_video and slot < ATTACHED_VIDEO:
            types = bytes([packets.VP8_PAYLOAD_TYPE, *NO_TYPES]), bytes([packets.VP8_RTX_PAYLOAD_TYPE, *NO_TYPES])
            self.worker.attach(consumer, producer, *types, 0, 255)
        elif not is_video:
            self.worker.attach(
                consumer, producer, bytes([AUDIO_PAYLOAD_TYPE, *NO_TYPES]), bytes([255, *NO_TYPES]), 0, 255
            )

    def flow(self) -> None:
        """Let every track send a packet to all viewers, and every viewer send a report."""
        self.number += 1
        joined = self.worker.rows()[0] - 1
        for track in range(ATTACHED_VIDEO + ATTACHED_AUDIO):
            expected = self.worker.counters()["forwarded"] + joined
            payload = packets.vp8_payload(self.number, key_frame=True, size=200)
            packet = bytearray(packets.video_packet(self.number, 1 + track, b"%d" % track, payload))
            packet[1] = packets.VP8_PAYLOAD_TYPE if track < ATTACHED_VIDEO else AUDIO_PAYLOAD_TYPE
            self.publisher.sendto(self.sealer.protect(bytes(packet)), self.udp.getsockname())
            self._wait("forwarded", expected)
        for index in range(joined):
            with self._bind(self._address(index), self.port) as viewer:
                viewer.sendto(self.sealed_reports[index], self.udp.getsockname())
        self._wait("rtcp_packets", joined)

    def _wait(self, counter: str, expected: int) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while (reached := self.worker.counters()[counter]) < expected:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{counter} is {reached}, expected {expected}: {self.worker.counters()}")
            time.sleep(0.001)

    def _drain_events(self) -> None:
        while self.worker.drain_events():
            pass

    def close(self) -> None:
        self.worker.stop()
        for index in range(self.count):
            self.worker.remove_transport(VIEWER_IDS + index)
        self.worker.remove_transport(PUBLISHER)
        for session in self.sessions:
            session.close()
        for opened in (self.publisher, self.sink, self.udp):
            opened.close()
        os.close(self._wake)
