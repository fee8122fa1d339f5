"""A whole worker in virtual time: a publisher, the data plane driven by hand, a path, a viewer that reports.

Only the allocator is missing: the publisher's encoder follows the estimate, as if there were a layer for every rate.
"""

from __future__ import annotations

import random
from typing import Final

from media.native.twcc import ArrivalRecorder
from tests.sim.crossing import Crossing, Rhythm
from tests.sim.path import Path, Second
from tests.support.native_camera import vp8_body
from tests.support.native_peer import (
    MID_ID,
    NUMBER_ID,
    NUMBERED_IDS,
    RTCP_FIRST,
    RTCP_LAST,
    START_US,
    Peer,
    Room,
    rtp_packet,
)

PUBLISHER, VIEWER, TRACK, SLOT = 1, 2, 10, 20
STEP_US: Final = 1000  # the thread wakes each millisecond while it probes
FRAME_US: Final = 33_000
FEEDBACK_US: Final = 100_000
POLL_US: Final = 200_000  # as often as the shell asks
BODY_MAX: Final = 1100
VIEWER_CLOCK_US: Final = 7_000_000_000
HEADER_BYTES: Final = 60  # RTP header, extensions, VP8 descriptor and tag


class WorkerCall:
    """One viewer; `path` may be changed at any time."""

    def __init__(self, path: Path, *, wanted_bps: int = 8_000_000, has_rtx: bool = True) -> None:
        self.path = path
        self.wanted_bps = wanted_bps
        self.estimate_bps = 300_000
        self.seconds: list[Second] = []
        self.room = Room()
        self.worker = self.room.worker
        self.publisher = self.room.join(PUBLISHER)
        self.viewer: Peer = self.room.join(VIEWER, out_ids=NUMBERED_IDS)
        self.room.publish_video(TRACK, self.publisher)
        self.room.subscribe(SLOT, self.viewer, TRACK, numbered=True, has_rtx=has_rtx)
        self.worker.set_wanted(VIEWER, wanted_bps)
        self.came = 0
        self._recorder = ArrivalRecorder()
        self._random = random.Random(path.seed + 1)
        self._now_us = START_US
        self._rhythm = Rhythm(START_US)
        self._number = 1
        self._picture = 0
        self._crossing = Crossing()
        self._bits = 0
        self._queues_ms: list[float] = []

    def close(self) -> None:
        self.room.close()

    def run(self, seconds: int) -> list[Second]:
        """Let time go by; return what these seconds were like."""
        for _ in range(seconds):
            for _ in range(1_000_000 // STEP_US):
                self._step()
            ordered = sorted(self._queues_ms) or [0.0]
            self.seconds.append(Second(self._bits, ordered[int(len(ordered) * 0.95)], self.estimate_bps))
            self._bits, self._queues_ms = 0, []
        return self.seconds[-seconds:]

    def _step(self) -> None:
        if self._is_due("frame", FRAME_US):
            self._send_frame()
        self.worker.tick(self._now_us)
        self._carry()
        for at_us, datagram in self._crossing.arrived(self._now_us):
            self._arrive(datagram, at_us)
        if self._is_due("feedback", FEEDBACK_US):
            self._report()
        for packet in self._crossing.answered(self._now_us):
            self.worker.feed(packet, self.viewer.address, self._now_us)
        if self._is_due("poll", POLL_US):
            for _, estimate_bps, _, _ in self.worker.take_estimates():
                self.estimate_bps = estimate_bps
        self._now_us += STEP_US

    def _is_due(self, name: str, every_us: int) -> bool:
        return self._rhythm.is_due(name, every_us, self._now_us)

    def _send_frame(self) -> None:
        """Let the publisher send a frame of about the estimate's size; the first is a key frame."""
        size = int(min(self.estimate_bps, self.wanted_bps) * FRAME_US / 8e6 * self._random.uniform(0.7, 1.3))
        count = max(1, -(-size // (BODY_MAX + HEADER_BYTES)))
        for index in range(count):
            body = vp8_body(self._picture, 1, key=self._picture == 0 and index == 0, start=index == 0)
            packet = rtp_packet(
                body.ljust(max(size // count - HEADER_BYTES, len(body)), b"\0"),
                ssrc=77,
                number=self._number,
                timestamp=self._picture * 3000,
                marker=index == count - 1,
                extensions=((MID_ID, b"%d" % TRACK),),
            )
            self._number += 1
            sealed = self.publisher.sealer.protect(packet)
            self.worker.feed(sealed, self.publisher.address, self._now_us, more=index < count - 1)
        self._picture += 1

    def _carry(self) -> None:
        """Put on the path what the worker sent to the viewer."""
        for datagram, destination in self.worker.take_datagrams():
            if destination != self.viewer.address or RTCP_FIRST <= datagram[1] <= RTCP_LAST:
                continue
            self._bits += len(datagram) * 8
            self._queues_ms.append(self._crossing.send(self.path, datagram, self._now_us))

    def _arrive(self, datagram: bytes, at_us: int) -> None:
        self.viewer.receive(datagram)
        (packet,) = self.viewer.take_rtp()
        (number,) = [value for element, value in packet.header.extensions if element == NUMBER_ID]
        self._recorder.received(int.from_bytes(number), at_us + VIEWER_CLOCK_US)
        self.came += 1

    def _report(self) -> None:
        while feedback := self._recorder.build(1, SLOT):
            self._crossing.answer(self.path, self.viewer.sealer.protect_rtcp(feedback), self._now_us)
