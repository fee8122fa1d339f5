"""A whole worker in virtual time with a teacher who speaks and shares a screen, and a viewer behind a narrow path.

The screen is what a browser sends at its lowest layer: a key frame of a second of its bitrate when somebody asks for
one, a burst each time a line is written, little between. The viewer asks for what it misses as libwebrtc does, and for
a key frame when a picture cannot be completed any more.
"""

from __future__ import annotations

import heapq
import random
import struct
from itertools import pairwise
from typing import Final, NamedTuple

from media.native import rtcp
from media.native.twcc import ArrivalRecorder
from tests.sim.crossing import Crossing, Rhythm
from tests.sim.path import Path
from tests.support.native_camera import vp8_body
from tests.support.native_peer import (
    MID_ID,
    NUMBER_ID,
    NUMBERED_IDS,
    OPUS,
    RTCP_FIRST,
    RTCP_LAST,
    START_US,
    VIEWER_RTX,
    Peer,
    Received,
    Room,
    rtp_packet,
)

TEACHER, VIEWER = 1, 2
VOICE, SCREEN, VOICE_SLOT, SCREEN_SLOT = 10, 11, 20, 21
STEP_US: Final = 1000
SOUND_US: Final = 20_000
SOUND_BYTES: Final = 80  # Opus at 32 kbit/s
FRAME_US: Final = 200_000
WRITTEN_EVERY: Final = 3  # frames: a line of text
KEY_FRAME_BYTES: Final = 24_000
WRITTEN_BYTES: Final = 9_000
STILL_BYTES: Final = 400
BODY_MAX: Final = 1100
FEEDBACK_US: Final = 100_000
POLL_US: Final = 200_000
ASKS_US: Final = 20_000
ASKS_AGAIN_US: Final = 120_000
ASKS_MAX: Final = 10
KEY_FRAME_WAIT_US: Final = 200_000  # libwebrtc's, before its first picture,
FRAME_WAIT_US: Final = 3_000_000  # and after it
VIEWER_CLOCK_US: Final = 7_000_000_000
TAIL: Final = struct.Struct("!IHH?")
PLI: Final = (206, 1)


class Part(NamedTuple):
    """What the tail of each packet of the screen says."""

    frame: int
    position: int
    of: int
    is_key: bool


class Watcher:
    """What has come of the screen, what is missing, and which pictures could be shown when."""

    def __init__(self) -> None:
        self.shown_us: list[int] = []
        self._parts: dict[int, set[int]] = {}
        self._counts: dict[int, Part] = {}
        self._next = -1
        self._missing: dict[int, tuple[int, int]] = {}
        self._highest: int | None = None
        self._told_us = 0

    def take(self, packet: Received, now_us: int) -> None:
        is_repeat = packet.header.payload_type == VIEWER_RTX
        self._note(packet.original_number if is_repeat else packet.number)
        if len(packet.body) < TAIL.size + 2:
            return  # padding
        part = Part(*TAIL.unpack(packet.body[-TAIL.size :]))
        self._parts.setdefault(part.frame, set()).add(part.position)
        self._counts[part.frame] = part
        self._show(now_us)

    def asks(self, now_us: int) -> list[int]:
        """Return the numbers to ask for now."""
        due = [number for number, (at, _) in self._missing.items() if now_us >= at]
        for number in due:
            asked = self._missing[number][1] + 1
            self._missing[number] = (now_us + ASKS_AGAIN_US, asked)
            if asked >= ASKS_MAX:
                del self._missing[number]
        return due

    def is_stuck(self, now_us: int) -> bool:
        """Whether it is time to ask for a key frame: nothing was shown for long although something came."""
        last_us = self.shown_us[-1] if self.shown_us else 0
        wait_us = FRAME_WAIT_US if last_us > self._told_us else KEY_FRAME_WAIT_US
        if not self._parts or now_us - max(last_us, self._told_us) < wait_us:
            return False
        self._told_us = now_us
        return True

    def _note(self, number: int) -> None:
        if self._highest is None:
            self._highest = number - 1
        ahead = (number - self._highest) & 0xFFFF
        if ahead < 0x8000:
            for each in range(1, ahead):
                self._missing[(self._highest + each) & 0xFFFF] = (0, 0)
            self._highest = number
        self._missing.pop(number, None)

    def _show(self, now_us: int) -> None:
        for frame in sorted(self._parts):
            part = self._counts[frame]
            if len(self._parts[frame]) == part.of and (part.is_key or frame == self._next) and frame >= self._next:
                self._next = frame + 1
                self.shown_us.append(now_us)
        for frame in [each for each in self._parts if each < self._next]:
            del self._parts[frame]
        if self._parts and self._missing and min(self._parts) > self._next + 100:
            self._missing.clear()


class ScreenCall:
    """One teacher, one viewer; `path` may be changed at any time."""

    def __init__(self, path: Path, *, wanted_bps: int = 900_000) -> None:
        self.path = path
        self.room = Room()
        self.worker = self.room.worker
        self.teacher = self.room.join(TEACHER)
        self.viewer: Peer = self.room.join(VIEWER, out_ids=NUMBERED_IDS)
        self.room.publish_audio(VOICE, self.teacher)
        self.room.publish_video(SCREEN, self.teacher)
        self.room.listen(VOICE_SLOT, self.viewer, VOICE, numbered=True)
        self.room.subscribe(SCREEN_SLOT, self.viewer, SCREEN, numbered=True)
        self.worker.set_wanted(VIEWER, wanted_bps)
        self.watcher = Watcher()
        self.sound_us: list[int] = []
        self.queues_ms: list[float] = []
        self.estimates_bps: list[int] = []
        self.sent_bits = 0
        self._began_us = START_US
        self.key_frames = 0
        self._recorder = ArrivalRecorder()
        self._now_us = START_US
        self._rhythm = Rhythm(START_US)
        self._numbers = {VOICE: 1, SCREEN: 1}
        self._frame = 0
        self._random = random.Random(path.seed + 1)
        self._crossing = Crossing()
        self._sent = 0
        self._leaving: list[tuple[int, int, bytes]] = []

    def close(self) -> None:
        self.room.close()

    def run(self, seconds: int) -> None:
        """Let time go by; what is measured counts from here."""
        self.sound_us, self.queues_ms, self.estimates_bps = self.sound_us[-1:], [], []
        self.watcher.shown_us = self.watcher.shown_us[-1:]
        self.sent_bits = self.key_frames = 0
        self._began_us = self._now_us
        for _ in range(seconds * 1_000_000 // STEP_US):
            self._step()

    def until_waiting(self) -> None:
        """Let a key frame be sent, and time go by until most of it waits for the path."""
        self._answer(rtcp.write_pli(1, SCREEN_SLOT))
        before = self.key_frames
        while self.key_frames == before:
            self._step()
        for _ in range(50):
            self._step()

    def tick(self) -> None:
        """Let a millisecond go by in which only the worker does something."""
        self._now_us += STEP_US
        self.worker.tick(self._now_us)

    @property
    def sound_gap_ms(self) -> float:
        return max(later - earlier for earlier, later in pairwise(self.sound_us)) / 1000

    @property
    def screen_gap_ms(self) -> float:
        return max((later - earlier for earlier, later in pairwise(self.watcher.shown_us)), default=1e9) / 1000

    @property
    def screen_fps(self) -> float:
        span_us = self._now_us - self._began_us
        return len(self.watcher.shown_us) * 1e6 / span_us

    @property
    def queue_p95_ms(self) -> float:
        return sorted(self.queues_ms)[int(len(self.queues_ms) * 0.95)]

    def _step(self) -> None:
        if self._is_due("sound", SOUND_US):
            self._send(VOICE, 77, OPUS, b"\0" * SOUND_BYTES, self._now_us * 48 // 1000, marker=False)
        if self._is_due("frame", FRAME_US):
            self._write()
        while self._leaving and self._leaving[0][0] <= self._now_us:
            _, _, packet = heapq.heappop(self._leaving)
            self.worker.feed(packet, self.teacher.address, self._now_us)
        self.worker.tick(self._now_us)
        self._carry()
        for at_us, datagram in self._crossing.arrived(self._now_us):
            self._arrive(datagram, at_us)
        if self._is_due("feedback", FEEDBACK_US):
            while feedback := self._recorder.build(1, SCREEN_SLOT):
                self._answer(feedback)
        if self._is_due("asks", ASKS_US):
            if numbers := self.watcher.asks(self._now_us):
                self._answer(rtcp.write_nack(1, SCREEN_SLOT, sorted(numbers)))
            if self.watcher.is_stuck(self._now_us):
                self._answer(rtcp.write_pli(1, SCREEN_SLOT))
        for packet in self._crossing.answered(self._now_us):
            self.worker.feed(packet, self.viewer.address, self._now_us)
        if self._is_due("poll", POLL_US):
            self.estimates_bps += [each[1] for each in self.worker.take_estimates()]
        self._now_us += STEP_US

    def _is_due(self, name: str, every_us: int) -> bool:
        return self._rhythm.is_due(name, every_us, self._now_us)

    def _write(self) -> None:
        """Send a frame of the screen, in packets a millisecond apart as browsers pace them."""
        is_key = self._frame == 0 or self._asked_for_key()
        size = KEY_FRAME_BYTES if is_key else WRITTEN_BYTES if self._frame % WRITTEN_EVERY == 0 else STILL_BYTES
        size = int(size * self._random.uniform(0.7, 1.3))
        self.key_frames += is_key
        count = max(1, -(-size // BODY_MAX))
        for index in range(count):
            start = vp8_body(self._frame, 1, key=is_key and index == 0, start=index == 0)
            body = start.ljust(size // count - TAIL.size, b"\0") + TAIL.pack(self._frame, index, count, is_key)
            self._send(SCREEN, 78, 96, body, self._frame * 18000, marker=index == count - 1, after_us=index * 3000)
        self._frame += 1

    def _asked_for_key(self) -> bool:
        return any((each.packet_type, each.count_or_format) == PLI for each in self.teacher.take_rtcp())

    def _send(
        self, mid: int, ssrc: int, payload_type: int, body: bytes, timestamp: int, *, marker: bool, after_us: int = 0
    ) -> None:
        packet = rtp_packet(
            body,
            ssrc=ssrc,
            number=self._numbers[mid],
            timestamp=timestamp,
            payload_type=payload_type,
            marker=marker,
            extensions=((MID_ID, b"%d" % mid),),
        )
        self._numbers[mid] += 1
        self._sent += 1
        heapq.heappush(self._leaving, (self._now_us + after_us, self._sent, self.teacher.sealer.protect(packet)))

    def _carry(self) -> None:
        """Put on the path what the worker sent to the viewer."""
        for datagram, destination in self.worker.take_datagrams():
            if destination == self.teacher.address:
                self.teacher.receive(datagram)
                continue
            if RTCP_FIRST <= datagram[1] <= RTCP_LAST:
                continue
            self.queues_ms.append(self._crossing.send(self.path, datagram, self._now_us))
            self.sent_bits += len(datagram) * 8

    def _arrive(self, datagram: bytes, at_us: int) -> None:
        self.viewer.receive(datagram)
        for packet in self.viewer.take_rtp():
            for element, value in packet.header.extensions:
                if element == NUMBER_ID:
                    self._recorder.received(int.from_bytes(value), at_us + VIEWER_CLOCK_US)
            if packet.header.ssrc == VOICE_SLOT:
                self.sound_us.append(at_us)
            else:
                self.watcher.take(packet, at_us)

    def _answer(self, packet: bytes) -> None:
        self._crossing.answer(self.path, self.viewer.sealer.protect_rtcp(packet), self._now_us)
