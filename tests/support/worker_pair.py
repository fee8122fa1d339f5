"""A room on two workers, both driven by hand: what comes in at one is mirrored at the other."""

from __future__ import annotations

from media.native import rtcp
from tests.support.native_camera import Camera
from tests.support.native_peer import AUDIO_CODECS, IN_KINDS, VIDEO_CODECS, Room

PUBLISHER, NEAR, FAR = 1, 2, 3
TRACK, MIRROR = 10, 510


class Pair:
    """The worker where the publisher is, and another one that mirrors him."""

    def __init__(self) -> None:
        self.home, self.away = Room(), Room()
        self.publisher = self.home.join(PUBLISHER)
        self.near = self.home.join(NEAR)
        self.far = self.away.join(FAR)

    def publish_video(self, rids: tuple[bytes, ...] = (b"",)) -> None:
        self.home.publish_video(TRACK, self.publisher, rids)
        self.mirror(is_video=True, rids=rids)

    def mirror(self, *, is_video: bool, rids: tuple[bytes, ...] = (b"",)) -> None:
        codecs = VIDEO_CODECS if is_video else AUDIO_CODECS
        home, away = self.home.worker, self.away.worker
        away.add_mirror(MIRROR, TRACK, home.inbox(), IN_KINDS, is_video, codecs, list(rids))
        home.link(TRACK, away.inbox())

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.home.send(self.publisher, packet)
            self.exchange()

    def exchange(self) -> None:
        """Let both read what the other left."""
        now_us = self.away.now_us = max(self.home.now_us, self.away.now_us)
        for room in (self.away, self.home):
            room.worker.read_letters(now_us)
            room.collect()

    def pass_time(self, milliseconds: int) -> None:
        for _ in range(0, milliseconds, 10):
            self.home.pass_time(10)
            self.away.pass_time(10)
            self.exchange()

    def play(self, *cameras: Camera, frames: int) -> None:
        for _ in range(frames):
            for camera in cameras:
                self.send(*camera.frame(packets=2))
            self.pass_time(30)

    def asked(self) -> list[int]:
        """Return the SSRCs of which the publisher was asked for a key frame meanwhile."""
        return [
            rtcp.read_media_ssrc(packet)
            for packet in self.publisher.take_rtcp()
            if (packet.packet_type, packet.count_or_format) == (rtcp.RTCP_PSFB, rtcp.RTCP_FMT_PLI)
        ]

    def close(self) -> None:
        self.away.close()
        self.home.close()
