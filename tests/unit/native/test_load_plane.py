"""The load generator's thread counts what was sent, lost and mended: two peers with a wire in between that we hold."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from media.native import rtp
from media.native.load_incoming import bucket_of, bucket_us
from media.native.load_plane import LoadFrames, LoadPlane
from media.native.payload import CODEC_OPUS, CODEC_VP8
from media.native.srtp import Profile, SrtpSession
from tests.support.native_camera import vp8_body

RTX = 100
VIDEO_SSRC, RTX_SSRC, SOUND_SSRC = 0x11111111, 0x22222222, 0x33333333
ROLES = bytes({96: CODEC_VP8, 97: RTX, 111: CODEC_OPUS}.get(number, 0) for number in range(128))
FRAME_NS = 10_000_000
PATIENCE_S = 20.0
STAMP = bytes(16)


class Wire:
    """A publisher's and a viewer's socket in one plane, and every datagram between them in our hands."""

    def __init__(self, loss: float = 0.0, announced: list[tuple[int, int, int]] | None = None) -> None:
        self.plane = LoadPlane(4)
        self.middle = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.middle.bind(("127.0.0.1", 0))
        self.ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for end in self.ends:
            end.connect(self.middle.getsockname())
            end.setblocking(False)
        keys = [bytes([which]) * (16 + 12) for which in (1, 2)]
        profile = Profile.AEAD_AES_128_GCM
        self.ours = SrtpSession(profile, keys[1], "inbound"), SrtpSession(profile, keys[0], "outbound")
        theirs = SrtpSession(profile, keys[0], "inbound"), SrtpSession(profile, keys[1], "outbound")
        self.sessions = (*self.ours, *theirs)
        first, second = self.ends
        self.publisher = self.plane.add(first.fileno(), *self.ours, ROLES, ssrc=1, counts=False)
        self.viewer = self.plane.add(second.fileno(), *theirs, ROLES, ssrc=2, loss=loss, announced=announced or [])

    def carry(self, until: Callable[[], bool], keep: Callable[[rtp.Header], bool] = lambda _: True) -> int:
        """Carry datagrams both ways until something is so; RTP that is not to be kept is dropped: return how many."""
        addresses = {
            end.getsockname(): other.getsockname() for end, other in zip(self.ends, self.ends[::-1], strict=True)
        }
        dropped, deadline = 0, time.monotonic() + PATIENCE_S
        while not until():
            assert time.monotonic() < deadline, (self.counters(self.publisher), self.counters(self.viewer))
            if not select.select([self.middle], [], [], 0.05)[0]:
                continue
            datagram, source = self.middle.recvfrom(2048)
            is_media = 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223
            if is_media and not keep(rtp.parse_header(datagram)):
                dropped += 1
                continue
            self.middle.sendto(datagram, addresses[source])
        return dropped

    def counters(self, peer: int) -> Counter[str]:
        return Counter(self.plane.counters(peer))

    def close(self) -> None:
        self.plane.stop()
        for peer in (self.publisher, self.viewer):
            with contextlib.suppress(ValueError):
                self.plane.remove(peer)
        for session in self.sessions:
            session.close()
        for end in (*self.ends, self.middle):
            end.close()


@pytest.fixture
def wires() -> Iterator[Callable[..., Wire]]:
    made: list[Wire] = []

    def make(**settings: object) -> Wire:
        made.append(Wire(**settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for wire in made:
        wire.close()


def video(packets: int = 3, frames: int = 20) -> LoadFrames:
    """Two turns, with key frames at 0 and half of the circle."""
    turns = []
    for key_at in (0, frames // 2):
        turn = []
        for number in range(frames):
            bodies = [vp8_body(0, 0, key=number == key_at, start=part == 0) for part in range(packets)]
            turn.append([*bodies[:-1], bodies[-1] + STAMP])
        turns.append(turn)
    return LoadFrames(CODEC_VP8, FRAME_NS, 900, [0, frames // 2], turns)


def sound() -> LoadFrames:
    return LoadFrames(CODEC_OPUS, FRAME_NS, 480, [0], [[[b"\x7b\x41\x10" + bytes(40) + STAMP]]])


def play(wire: Wire, *, rtx_ssrc: int = 0, rtx_payload_type: int = 0) -> None:
    wire.plane.add_feed(
        wire.publisher,
        video(),
        ssrc=VIDEO_SSRC,
        payload_type=96,
        rtx_ssrc=rtx_ssrc,
        rtx_payload_type=rtx_payload_type,
    )
    wire.plane.add_feed(wire.publisher, sound(), ssrc=SOUND_SSRC, payload_type=111)
    wire.plane.start()


def test_all_that_is_sent_is_counted(wires: Callable[..., Wire]) -> None:
    wire = wires()
    play(wire)
    wire.carry(lambda: wire.counters(wire.viewer)["packets"] >= 400)
    wire.plane.set_paused(wire.publisher, VIDEO_SSRC, True)
    wire.plane.set_paused(wire.publisher, SOUND_SSRC, True)
    wire.carry(lambda: wire.counters(wire.viewer)["packets"] == wire.counters(wire.publisher)["sent"])
    sent, came = wire.counters(wire.publisher), wire.counters(wire.viewer)
    assert came["bytes"] == sent["sent_bytes"]
    assert not [
        came[name] for name in ("lost", "lost_here", "refused", "duplicates", "nacked", "dropped") if came[name]
    ]
    assert came["frames"] == sum(wire.plane.latencies()) > 100
    first, key, heard = wire.plane.firsts(wire.viewer)
    assert 0 < first <= key <= heard <= time.time_ns()


def test_what_the_wire_loses_is_counted_and_mended_by_rtx(wires: Callable[..., Wire]) -> None:
    wire = wires(announced=[(VIDEO_SSRC, CODEC_VP8, 0), (RTX_SSRC, RTX, VIDEO_SSRC)])
    play(wire, rtx_ssrc=RTX_SSRC, rtx_payload_type=97)

    def keep(header: rtp.Header) -> bool:
        return header.ssrc != VIDEO_SSRC or header.sequence_number % 7 != 3

    dropped = wire.carry(lambda: wire.counters(wire.viewer)["packets"] >= 600, keep)
    wire.plane.set_paused(wire.publisher, VIDEO_SSRC, True)

    def all_is_mended() -> bool:
        came = wire.counters(wire.viewer)
        return came["recovered"] == came["lost"] >= dropped - 2  # what nothing came before, or behind, is not missed

    dropped += wire.carry(all_is_mended, keep)
    came = wire.counters(wire.viewer)
    assert came["lost"] <= dropped
    assert wire.counters(wire.publisher)["resent"] >= came["recovered"]
    assert wire.counters(wire.publisher)["nacks_heard"] >= came["recovered"]


def test_without_rtx_it_is_sent_again_as_it_was(wires: Callable[..., Wire]) -> None:
    wire = wires()
    play(wire)
    came_before: Counter[int] = Counter()

    def keep(header: rtp.Header) -> bool:
        if header.ssrc != VIDEO_SSRC or header.sequence_number % 7 != 3:
            return True
        came_before[header.sequence_number] += 1
        return came_before[header.sequence_number] > 1

    wire.carry(lambda: wire.counters(wire.viewer)["recovered"] >= 20, keep)
    wire.plane.set_paused(wire.publisher, VIDEO_SSRC, True)
    wire.carry(lambda: wire.counters(wire.viewer)["recovered"] >= len(came_before) - 1, keep)
    assert wire.counters(wire.viewer)["lost"] >= len(came_before) - 1


def test_what_the_user_wishes_lost_is_not_the_wires_fault(wires: Callable[..., Wire]) -> None:
    wire = wires(loss=0.2)
    play(wire)
    wire.carry(lambda: wire.counters(wire.viewer)["packets"] >= 600)
    came = wire.counters(wire.viewer)
    assert 50 < came["dropped"] < 250
    assert came["lost"] == 0
    assert came["recovered"] > 20


def test_a_key_frame_that_is_asked_for_comes(wires: Callable[..., Wire]) -> None:
    """The viewer misses every first key frame, so it asks; the clip changes to the turn that has one next."""
    wire = wires()
    play(wire)
    missed: list[int] = []

    def keep(header: rtp.Header) -> bool:
        if header.ssrc == VIDEO_SSRC and not missed:
            missed.append(header.sequence_number)
            return False
        return True

    wire.carry(lambda: wire.plane.firsts(wire.viewer)[1] > 0, keep)
    assert wire.counters(wire.publisher)["keys_sent"] >= 2


def test_stun_and_dtls_wait_for_python(wires: Callable[..., Wire]) -> None:
    wire = wires()
    wire.plane.start()
    viewer = wire.ends[1].getsockname()
    request, response, hello = b"\x00\x01" + bytes(18), b"\x01\x01" + bytes(18), b"\x16\xfe\xfd" + bytes(20)
    for datagram in (request, response, hello):
        wire.middle.sendto(datagram, viewer)
    assert select.select([wire.plane.told], [], [], PATIENCE_S)[0]
    taken: list[tuple[int, bytes]] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(taken) < 2 and time.monotonic() < deadline:
        taken += wire.plane.take_control()
        time.sleep(0.01)
    assert taken == [(wire.viewer, request), (wire.viewer, hello)]


def test_a_peer_that_is_cut_off_hears_and_says_nothing(wires: Callable[..., Wire]) -> None:
    wire = wires()
    wire.plane.set_cut(wire.viewer, True)
    play(wire)
    wire.carry(lambda: wire.counters(wire.publisher)["sent"] >= 100)
    assert wire.counters(wire.viewer)["packets"] == 0
    wire.plane.set_cut(wire.viewer, False)
    wire.carry(lambda: wire.counters(wire.viewer)["packets"] >= 100)


def test_garbage_is_refused_and_counted(wires: Callable[..., Wire]) -> None:
    wire = wires()
    wire.plane.start()
    for size in (1, 2, 12, 30, 1400):
        wire.middle.sendto(b"\x80" + bytes(size - 1), wire.ends[1].getsockname())
        wire.middle.sendto((b"\x80\xc8" + bytes(size))[:size], wire.ends[1].getsockname())
    deadline = time.monotonic() + PATIENCE_S
    while wire.counters(wire.viewer)["refused"] < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert wire.counters(wire.viewer)["refused"] == 10


def test_what_has_gone_stays_in_the_totals(wires: Callable[..., Wire]) -> None:
    wire = wires()
    play(wire)
    wire.carry(lambda: wire.counters(wire.viewer)["packets"] >= 100)
    wire.plane.remove(wire.viewer)
    assert wire.plane.totals()["packets"] >= 100
    with pytest.raises(ValueError, match="no peer"):
        wire.plane.counters(wire.viewer)


def test_what_cannot_be_is_refused(wires: Callable[..., Wire]) -> None:
    wire = wires()
    with pytest.raises(ValueError, match="roles"):
        wire.plane.add(wire.middle.fileno(), *wire.ours, b"", ssrc=1)
    with pytest.raises(OSError, match="is no socket"):
        wire.plane.add(-1, *wire.ours, ROLES, ssrc=1)
    with pytest.raises(ValueError, match="key frame"):
        LoadFrames(CODEC_VP8, 1, 1, [5], [[[STAMP]]])
    with pytest.raises(ValueError, match="too short"):
        LoadFrames(CODEC_VP8, 1, 1, [0], [[[b"short"]]])
    with pytest.raises(ValueError, match="more than 0"):
        LoadFrames(CODEC_VP8, 0, 1, [0], [[[STAMP]]])
    with pytest.raises(ValueError, match="key each"):
        LoadFrames(CODEC_VP8, 1, 1, [], [])


@pytest.mark.parametrize("took_us", [0, 1, 15, 16, 17, 31, 32, 33, 999, 1000, 65_535, 65_536, 1_000_000, 60_000_000])
def test_a_latency_falls_into_a_bucket_that_is_six_per_cent_wide(took_us: int) -> None:
    bucket = bucket_of(took_us * 1000)
    assert bucket_us(bucket) <= took_us < bucket_us(bucket + 1)
    assert bucket_us(bucket + 1) - bucket_us(bucket) <= max(1, took_us / 16)


def test_a_clock_that_is_set_back_makes_no_latency() -> None:
    assert bucket_of(-5_000_000) == 0
    assert bucket_of(1 << 60) == 447
