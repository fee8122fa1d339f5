"""The worker driven by hand: viewers who lose sound get each packet with those before it, and nobody else does."""

from __future__ import annotations

from media.native import rtcp
from tests.support.native_peer import (
    CODECS_MAX,
    MID_ID,
    NONE,
    OPUS,
    Peer,
    Room,
    rtp_packet,
)

SPEAKER, LOSSY, CALM = 1, 2, 3
VOICE = 10
LOSSY_SLOT, CALM_SLOT = 20, 30
RED = 63
STEP = 960  # 20 ms at 48 kHz


def listen(room: Room, consumer: int, peer: Peer, *, red: int = RED) -> None:
    room.worker.add_consumer(consumer, peer.id, False, consumer, 0, 100)
    types, repairs = (bytes([value]).ljust(CODECS_MAX, b"\xff") for value in (OPUS, red))
    room.worker.attach(consumer, VOICE, types, repairs, 0, 255)


def lesson(room: Room) -> tuple[Peer, Peer, Peer]:
    speaker, lossy, calm = (room.join(transport) for transport in (SPEAKER, LOSSY, CALM))
    room.publish_audio(VOICE, speaker)
    listen(room, LOSSY_SLOT, lossy)
    listen(room, CALM_SLOT, calm)
    return speaker, lossy, calm


def say(room: Room, speaker: Peer, *numbers: int, step: int = STEP) -> None:
    for number in numbers:
        packet = rtp_packet(
            bytes([number]) * (20 + number),
            ssrc=5,
            number=number,
            timestamp=step * number,
            payload_type=OPUS,
            extensions=((MID_ID, b"%d" % VOICE),),
        )
        room.send(speaker, packet)


def report(room: Room, viewer: Peer, slot: int, lost: float) -> None:
    block = rtcp.Report(slot, round(lost * 256), 0, 0, 0, 0, 0)
    room.send_rtcp(viewer, rtcp.write_receiver_report(1, [block]))


def blocks(body: bytes) -> list[tuple[int, int, bytes]]:
    """Take a RED payload apart (RFC 2198 section 3): (payload type, timestamp offset, bytes), oldest first."""
    headers, at = [], 0
    while body[at] & 0x80:
        word = int.from_bytes(body[at : at + 4])
        headers.append((word >> 24 & 0x7F, word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
    last = body[at] & 0x7F
    at += 1
    found = []
    for payload_type, offset, length in headers:
        found.append((payload_type, offset, body[at : at + length]))
        at += length
    return [*found, (last, 0, body[at:])]


def sound(number: int) -> bytes:
    return bytes([number]) * (20 + number)


def test_who_loses_nothing_gets_plain_sound(room: Room) -> None:
    speaker, lossy, _ = lesson(room)
    report(room, lossy, LOSSY_SLOT, 0)
    say(room, speaker, 1, 2, 3)
    assert [(packet.header.payload_type, packet.body) for packet in lossy.take_rtp()] == [
        (OPUS, sound(number)) for number in (1, 2, 3)
    ]


def test_few_losses_bring_one_block_and_many_two_and_to_nobody_else(room: Room) -> None:
    speaker, lossy, calm = lesson(room)
    say(room, speaker, 1, 2)
    report(room, lossy, LOSSY_SLOT, 0.03)
    say(room, speaker, 3)
    report(room, lossy, LOSSY_SLOT, 0.10)
    say(room, speaker, 4)
    one, two = lossy.take_rtp()[2:]
    assert (one.header.payload_type, one.header.timestamp % STEP) == (RED, two.header.timestamp % STEP)
    assert blocks(one.body) == [(OPUS, STEP, sound(2)), (OPUS, 0, sound(3))]
    assert blocks(two.body) == [(OPUS, 2 * STEP, sound(2)), (OPUS, STEP, sound(3)), (OPUS, 0, sound(4))]
    assert [packet.body for packet in calm.take_rtp()] == [sound(number) for number in (1, 2, 3, 4)]
    assert room.counters()["red_packets"] == 2


def test_it_ends_ten_seconds_after_the_last_loss(room: Room) -> None:
    speaker, lossy, _ = lesson(room)
    say(room, speaker, 1)
    report(room, lossy, LOSSY_SLOT, 0.05)
    say(room, speaker, 2)
    report(room, lossy, LOSSY_SLOT, 0)
    room.pass_time(9000)
    say(room, speaker, 3)
    room.pass_time(1500)
    say(room, speaker, 4, 5)
    assert [packet.header.payload_type for packet in lossy.take_rtp()] == [OPUS, RED, RED, OPUS, OPUS]


def test_what_is_missing_or_too_far_away_is_left_out(room: Room) -> None:
    speaker, lossy, _ = lesson(room)
    report(room, lossy, LOSSY_SLOT, 0.2)
    say(room, speaker, 1, 3)
    say(room, speaker, 4, step=STEP + 5000)
    assert [packet.header.payload_type for packet in lossy.take_rtp()] == [OPUS, OPUS, OPUS]


def test_without_the_codec_there_is_none(room: Room) -> None:
    speaker, lossy, _ = lesson(room)
    listen(room, 40, lossy, red=NONE)
    report(room, lossy, 40, 0.2)
    say(room, speaker, 1, 2, 3)
    assert {packet.header.payload_type for packet in lossy.take_rtp() if packet.header.ssrc == 40} == {OPUS}
