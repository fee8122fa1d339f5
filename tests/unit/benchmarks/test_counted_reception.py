"""A native viewer's end: packets that are lost, late, double or out of order become the frames that a viewer sees."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.counted.clip import Clip, Codec, load_clip, load_sound
from benchmarks.counted.payloads import Packetiser
from benchmarks.counted.reception import PATIENCE_S, FrameAssembler, PictureReception, RtpPacket, SoundReception
from benchmarks.counted.report import analyse

RATE = 15
BEGINS = (0, 127, 32767, 32768, 65534, 65535)
LATE_S = 0.12


@pytest.fixture(scope="module", params=[Codec.VP8, Codec.H264])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = tmp_path_factory.mktemp("clips")
    return load_clip(request.param, height=180, frames_per_second=RATE, bitrate_bps=400_000, seconds=2, folder=folder)


def packets_of(clip: Clip, frames: int, *, begin: int = 1, ask_for_key_at: int = -1) -> list[tuple[float, RtpPacket]]:
    """Return (time, packet) of so many frames, from the clip's first."""
    packetiser, playback = Packetiser(clip.codec), clip.play()
    sent: list[tuple[float, RtpPacket]] = []
    for count in range(frames):
        if count == ask_for_key_at:
            playback.request_key_frame()
        payloads = packetiser.payloads(playback.next().data)
        for payload in payloads:
            packet = RtpPacket(
                (begin + len(sent)) & 0xFFFF,
                (0xFFFF0000 + count * clip.frame_ticks) & 0xFFFFFFFF,
                payload is payloads[-1] and clip.codec is not Codec.OPUS,
                payload,
            )
            sent.append((count * clip.frame_s, packet))
    return sent


@pytest.mark.parametrize("begin", BEGINS)
def test_all_frames_come_over_a_wrap(clip: Clip, begin: int) -> None:
    reception = PictureReception(clip.codec)
    for at_s, packet in packets_of(clip, 45, begin=begin):
        reception.receive(packet, now=at_s)
    report = analyse(reception.frames, loop_frames=len(clip))
    assert (report.faults.seen, report.faults.lost, report.faults.duplicated) == (45, (), 0)
    assert (report.frames_per_second, report.freezes) == (RATE, ())


def test_late_and_double_packets_do_no_harm(clip: Clip) -> None:
    chance = random.Random(4)
    sent = packets_of(clip, 60)
    arrivals = [(at_s + chance.choice([0, 0, 0, 0.3]), packet) for at_s, packet in sent]
    arrivals += [(at_s + 0.05, packet) for at_s, packet in sent[::7]]
    reception = PictureReception(clip.codec)
    for at_s, packet in sorted(arrivals, key=lambda one: one[0]):
        reception.receive(packet, now=at_s)
    faults = analyse(reception.frames, loop_frames=len(clip)).faults
    assert faults.seen >= 57, "the last may still wait for one of theirs"
    assert (faults.lost, faults.duplicated, faults.out_of_order, faults.unreadable) == ((), 0, 0, 0)


def test_what_is_lost_is_missed_until_a_key_frame(clip: Clip) -> None:
    sent = packets_of(clip, 90)
    gone = next(index for index, (at_s, _) in enumerate(sent) if at_s > 1.0)  # in the middle of the first circle
    reception = PictureReception(clip.codec)
    for index, (at_s, packet) in enumerate(sent):
        if index != gone:
            reception.receive(packet, now=at_s)
    report = analyse(reception.frames, loop_frames=len(clip))
    key_again = len(clip)  # the circle's own key frame
    assert set(report.faults.lost) == set(range(16, key_again))
    assert reception.assembler.given_up == 1
    (freeze,) = report.freezes
    assert freeze.for_s >= PATIENCE_S - 2 / RATE
    assert report.faults.unreadable == 0


def test_joining_in_the_middle_waits_for_a_key_frame(clip: Clip) -> None:
    reception = PictureReception(clip.codec)
    for at_s, packet in packets_of(clip, 60, ask_for_key_at=20)[5:]:
        reception.receive(packet, now=at_s)
    assert reception.assembler.skipped > 0
    first = reception.frames[0].mark
    assert first is not None
    assert first.frame in clip.key_at


def test_hostile_packets_end_nothing() -> None:
    chance = random.Random(8)
    for codec in Codec:
        assembler = FrameAssembler(codec)
        for count in range(3000):
            payload = chance.randbytes(chance.randrange(9))
            packet = RtpPacket(chance.randrange(1 << 16), 0, chance.random() < 0.3, payload)
            try:
                list(assembler.receive(packet, now=count / 10))
            except ValueError:
                continue
        assert len(assembler._waiting) <= 4096


def test_sound_is_found_where_its_packets_came(tmp_path: Path) -> None:
    sound = load_sound(participant=4, folder=tmp_path)
    reception = SoundReception()
    chance = random.Random(3)
    for at_s, packet in packets_of(sound, 50 * 6):
        if packet.sequence_number % 40 != 20:  # half a second from the chirps
            reception.receive(packet, now=LATE_S + at_s + chance.choice([0, 0, 0, 0.04]))
    heard = reception.heard(4)
    assert [second.second for second in heard] == list(range(6))
    assert [second.at_s for second in heard] == pytest.approx([LATE_S + second for second in range(6)], abs=0.002)
