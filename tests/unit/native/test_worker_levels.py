"""The worker driven by hand: how loud its audio producers are, told by their packets."""

from __future__ import annotations

import itertools

import pytest

from tests.support.native_peer import (
    CODECS_MAX,
    LEVEL_ID,
    MID_ID,
    NONE,
    OPUS,
    ORIENTATION_ID,
    Peer,
    Room,
    rtp_packet,
)

SPEAKER, OTHER, VIEWER = 1, 2, 3
VOICE, OTHER_VOICE, CAMERA = 10, 11, 12
HEARD_MAX = 256  # producers that the worker reads under one lock


class Microphone:
    """One stream of Opus packets with levels."""

    def __init__(self, producer: int) -> None:
        self.mid = b"%d" % producer
        self.ssrc = 1000 + producer
        self.numbers = itertools.count(1)

    def says(self, *levels: int | None) -> list[bytes]:
        """Return a packet for each level; None has no level extension."""
        return [self._packet(next(self.numbers), level) for level in levels]

    def _packet(self, number: int, level: int | None) -> bytes:
        extensions = ((MID_ID, self.mid), *([(LEVEL_ID, bytes([level]))] if level is not None else []))
        return rtp_packet(
            b"opus", ssrc=self.ssrc, number=number, timestamp=960 * number, payload_type=OPUS, extensions=extensions
        )


@pytest.fixture
def speaker(room: Room) -> Peer:
    peer = room.join(SPEAKER)
    room.publish_audio(VOICE, peer)
    return peer


def test_levels_are_told_once_with_whose_they_are(room: Room, speaker: Peer) -> None:
    other = room.join(OTHER)
    room.publish_audio(OTHER_VOICE, other)
    room.send(speaker, *Microphone(VOICE).says(30, 0x80 | 25))
    room.send(other, *Microphone(OTHER_VOICE).says(127))
    assert sorted(room.worker.take_audio_levels()) == [
        (SPEAKER, VOICE, bytes([30, 0x80 | 25])),
        (OTHER, OTHER_VOICE, bytes([127])),
    ]
    assert room.worker.take_audio_levels() == []


def test_who_is_too_quiet_is_not_told_of(room: Room, speaker: Peer) -> None:
    microphone = Microphone(VOICE)
    room.send(speaker, *microphone.says(90, 71, 127))
    assert room.worker.take_audio_levels(70) == []
    room.send(speaker, *microphone.says(90, 70))
    assert room.worker.take_audio_levels(70) == [(SPEAKER, VOICE, bytes([90, 70]))]


def test_the_last_sixteen_are_kept(room: Room, speaker: Peer) -> None:
    room.send(speaker, *Microphone(VOICE).says(*range(40)))
    assert room.worker.take_audio_levels() == [(SPEAKER, VOICE, bytes(range(24, 40)))]


def test_a_muted_track_has_no_level(room: Room, speaker: Peer) -> None:
    microphone = Microphone(VOICE)
    room.send(speaker, *microphone.says(10))
    room.worker.set_paused(VOICE, True)
    assert room.worker.take_audio_levels() == [], "what was said before is not told any more"
    room.send(speaker, *microphone.says(10, 10))
    assert room.worker.take_audio_levels() == []
    room.worker.set_paused(VOICE, False)
    room.send(speaker, *microphone.says(20))
    assert room.worker.take_audio_levels() == [(SPEAKER, VOICE, bytes([20]))]


def test_packets_without_a_level_and_video_say_nothing(room: Room, speaker: Peer) -> None:
    room.publish_video(CAMERA, speaker)
    room.send(speaker, *Microphone(VOICE).says(None, None))
    video = rtp_packet(
        b"\x10x",
        ssrc=5,
        number=1,
        timestamp=1,
        extensions=((MID_ID, b"12"), (LEVEL_ID, b"\x05"), (ORIENTATION_ID, b"0")),
    )
    room.send(speaker, video)
    assert room.worker.take_audio_levels() == []


def test_a_packet_that_comes_twice_counts_once(room: Room, speaker: Peer) -> None:
    microphone = Microphone(VOICE)
    packet = speaker.sealer.protect(microphone.says(30)[0])
    for _ in range(2):
        room.feed(packet, speaker.address)
    assert room.worker.take_audio_levels() == [(SPEAKER, VOICE, bytes([30]))]


def test_a_level_goes_on_to_the_viewers(room: Room, speaker: Peer) -> None:
    viewer = room.join(VIEWER)
    room.listen(30, viewer, VOICE)
    room.send(speaker, *Microphone(VOICE).says(30))
    (packet,) = viewer.take_rtp()
    assert packet.header.extensions, "read on the way, not taken out"


@pytest.mark.parametrize("gone", ["producer", "transport"])
def test_who_is_gone_leaves_the_list(room: Room, speaker: Peer, gone: str) -> None:
    other = room.join(OTHER)
    room.publish_audio(OTHER_VOICE, other)
    room.send(speaker, *Microphone(VOICE).says(30))
    room.send(other, *Microphone(OTHER_VOICE).says(31))
    if gone == "producer":
        room.worker.remove_producer(VOICE)
    else:
        room.worker.remove_transport(SPEAKER)
    assert room.worker.take_audio_levels() == [(OTHER, OTHER_VOICE, bytes([31]))]


def test_more_than_are_read_at_a_time_are_all_told(room: Room, speaker: Peer) -> None:
    count = HEARD_MAX + 3
    for producer in range(100, 100 + count):
        room.publish_audio(producer, speaker)
        room.send(speaker, *Microphone(producer).says(producer % 100))
    heard = room.worker.take_audio_levels()
    assert {producer for _, producer, _ in heard} == set(range(100, 100 + count))
    assert len(heard) == count


def test_an_audio_slot_changes_its_speaker_at_once_and_without_a_hole(room: Room, speaker: Peer) -> None:
    other, viewer = room.join(OTHER), room.join(VIEWER)
    room.publish_audio(OTHER_VOICE, other)
    room.listen(30, viewer, VOICE, first=100)
    first, second = Microphone(VOICE), Microphone(OTHER_VOICE)
    tables = bytes([OPUS]).ljust(CODECS_MAX, b"\xff"), bytes([NONE] * CODECS_MAX)
    received = []
    for producer, (peer, microphone) in zip(
        (VOICE, OTHER_VOICE, VOICE), ((speaker, first), (other, second), (speaker, first)), strict=True
    ):
        room.worker.attach(30, producer, *tables, 0, 255)
        for sender, sound in ((speaker, first), (other, second)):
            room.send(sender, *sound.says(*[30] * (3 if sender is peer and sound is microphone else 1)))
        room.pass_time(60)
        received += viewer.take_rtp()
    assert [packet.number for packet in received] == list(range(100, 109))
    times = [packet.header.timestamp for packet in received]
    assert all(0 < (later - earlier) % 2**32 < 48_000 for earlier, later in itertools.pairwise(times))


def test_the_pauses_of_discontinuous_transmission_are_kept(room: Room, speaker: Peer) -> None:
    viewer = room.join(VIEWER)
    room.listen(30, viewer, VOICE)
    sent = [
        0,
        960,
        1920,
        1920 + 19_200,
        1920 + 38_400,
        1920 + 39_360,
    ]  # comfort noise every 400 ms (RFC 7587 section 3.1.3)
    for number, timestamp in enumerate(sent, 1):
        extensions = ((MID_ID, b"10"), (LEVEL_ID, b"\x7f"))
        packet = rtp_packet(
            b"opus", ssrc=5, number=number, timestamp=timestamp, payload_type=OPUS, extensions=extensions
        )
        room.send(speaker, packet)
    received = viewer.take_rtp()
    assert [packet.header.timestamp - received[0].header.timestamp for packet in received] == sent
    assert [packet.number for packet in received] == list(range(100, 106))
