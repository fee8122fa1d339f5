"""A lesson goes on and does not notice what strangers, and worse neighbours, send to the same server meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import aiohttp
import pytest

from media.native import rtcp
from media.transport.keys import SrtpProfile
from signaling.join_pace import JoinRates
from tests.support.peer import Peer
from tests.support.peer_attacker import (
    client_hellos,
    forged_check,
    pour,
    random_datagrams,
    unsigned_check,
)
from tests.support.peer_lesson import Lesson, open_lesson
from tests.support.peer_link import binding_request, open_srtp
from tests.support.peer_offer import make_credentials
from tests.support.peer_school import until
from tests.support.peer_signal import PeerSignal, Refused
from tests.support.peer_streams import OutgoingStream, Unit

FLOOD = 5000
JOINS = 60
NUMBERS_AHEAD = 500  # so that only authentication can tell; libsrtp looks for replays first
UNIT = Unit(b"hostile", 0, marker=False)
NO_EXTENSION = (3, b"\0\0")
DTLS_FIRST_BYTES = range(20, 64)
MEDIA_FIRST_BYTES = range(128, 192)
REFUSED_MEDIA = ("srtp_rejected_total", "srtp_replayed_total", "rtp_malformed_total", "rtcp_malformed_total")
REFUSED_DTLS = (
    "control_flooded_total",
    "control_dropped_dtls_rate_total",
    "control_dropped_dtls_malformed_total",
    "control_dropped_dtls_unexpected_total",
)


@pytest.fixture
async def lesson(tmp_path: Path) -> AsyncIterator[Lesson]:
    async with open_lesson(tmp_path) as opened:
        yield opened


def total(rise: dict[str, float], names: Iterable[str]) -> float:
    return sum(rise.get(name, 0) for name in names)


async def record(peer: Peer, count: int) -> list[bytes]:
    """Return the next sealed packets that a peer sends."""
    link = peer.media.link
    packets = link.record = []
    await until(lambda: len(packets) >= count, "packets are recorded")
    link.record = None
    return packets[:count]


def copied(stream: OutgoingStream, ssrc: int) -> OutgoingStream:
    """Return a stream whose next numbers are those that a participant's own stream will have soon."""
    copy = OutgoingStream(stream.payload_type, stream.clock_rate_hz, stream.extensions, random.Random(3))
    copy.ssrc, copy.number = ssrc, stream.number + NUMBERS_AHEAD
    return copy


def prefixes(*datagrams: bytes) -> list[bytes]:
    return [datagram[:size] for datagram in datagrams for size in range(1, len(datagram))]


async def test_random_datagrams_of_strangers(lesson: Lesson) -> None:
    async with lesson.unnoticed() as rise:
        sent = await lesson.attacker.pour(random_datagrams(random.Random(1), FLOOD))
        await lesson.attacker.pour([b""] * 10)
    assert rise["truncated_total"] == 10
    assert total(rise, ("unknown_address_total", "unclassified_total")) == sent


async def test_truncated_datagrams_of_strangers(lesson: Lesson) -> None:
    packets = await record(lesson.teacher, 4)
    check, hello = lesson.teacher.media.link.last_check, client_hellos(1)[0]
    cut = prefixes(*packets, check, hello)
    async with lesson.unnoticed() as rise:
        sent = await lesson.attacker.pour(cut)
    refused = (
        "unknown_address_total",
        "unclassified_total",
        "unknown_ufrags_total",
        "control_dropped_stun_malformed_total",
    )
    assert total(rise, refused) == sent


async def test_random_and_truncated_datagrams_from_the_address_of_a_participant(lesson: Lesson) -> None:
    chance = random.Random(2)
    packets = await record(lesson.teacher, 4)
    link = lesson.teacher.media.link
    media = random_datagrams(chance, 1000, MEDIA_FIRST_BYTES) + prefixes(*packets)
    async with lesson.unnoticed() as rise:
        sent = await pour(media, link.send_raw)
        control = await pour(random_datagrams(chance, 1000, DTLS_FIRST_BYTES), link.send_raw)
        control += await pour(prefixes(link.last_check, *client_hellos(1)), link.send_raw)
    assert total(rise, REFUSED_MEDIA) == sent
    unread = ("unclassified_total", "unknown_ufrags_total", "control_dropped_stun_malformed_total", *REFUSED_DTLS)
    assert control - 10 <= total(rise, unread) <= control + 10, "but for the lesson's own checks"


async def test_plaintext_rtp_and_rtcp(lesson: Lesson) -> None:
    teacher = lesson.teacher.media
    plain: list[bytes] = []
    for stream in teacher.streams:
        plain += [copied(stream, stream.ssrc).packet(UNIT, NO_EXTENSION) for _ in range(50)]
        plain += [rtcp.write_bye(stream.ssrc), stream.sender_report(now=0, wallclock=0)]
    for slot in lesson.teacher.slots.values():
        plain += [rtcp.write_pli(1, slot.ssrc), rtcp.write_nack(1, slot.ssrc, list(range(200)))]
    async with lesson.unnoticed() as rise:
        from_elsewhere = await lesson.attacker.pour(plain)
        from_teacher = await pour(plain, teacher.link.send_raw)
    assert rise["unknown_address_total"] == from_elsewhere
    assert total(rise, REFUSED_MEDIA) == from_teacher
    assert "nack_requested_total" not in rise


@pytest.mark.parametrize("profile", SrtpProfile)
async def test_srtp_with_wrong_keys(lesson: Lesson, profile: SrtpProfile) -> None:
    session = open_srtp(profile, secrets.token_bytes(profile.key_bytes + profile.salt_bytes), inbound=False)
    teacher, chance = lesson.teacher.media, random.Random(4)
    sealed: list[bytes] = []
    for stream in teacher.streams:
        for ssrc in (stream.ssrc, chance.randrange(1 << 32)):
            copy = copied(stream, ssrc)
            sealed += [session.protect(copy.packet(UNIT, NO_EXTENSION)) for _ in range(100)]
            sealed += [session.protect_rtcp(rtcp.write_bye(ssrc)), session.protect_rtcp(rtcp.write_pli(1, ssrc))]
    async with lesson.unnoticed() as rise:
        from_elsewhere = await lesson.attacker.pour(sealed)
        from_teacher = await pour(sealed, teacher.link.send_raw)
    assert rise["unknown_address_total"] == from_elsewhere
    # A number that the lesson has used meanwhile is seen to be old before its seal is looked at.
    assert total(rise, ("srtp_rejected_total", "srtp_replayed_total")) == from_teacher
    assert "strangers_total" not in rise, "what does not open costs no place for an SSRC"


async def test_replayed_packets(lesson: Lesson) -> None:
    packets = await record(lesson.teacher, 200)
    link = lesson.teacher.media.link
    async with lesson.unnoticed() as rise:
        from_elsewhere = await lesson.attacker.pour(packets * 5)
        from_teacher = await pour(packets * 5, link.send_raw)
        from_student = await pour(packets * 5, lesson.student.media.link.send_raw)
    assert rise["unknown_address_total"] == from_elsewhere
    assert rise["srtp_replayed_total"] == from_teacher
    assert rise["srtp_rejected_total"] == from_student


async def test_stun_of_strangers(lesson: Lesson) -> None:
    ours, theirs = lesson.teacher.media.link.credentials
    forged = [forged_check(ours, theirs) for _ in range(200)]
    async with lesson.unnoticed() as rise:
        await lesson.attacker.pour(forged)
        await lesson.attacker.pour([unsigned_check(ours, theirs)] * 200)
        await lesson.attacker.pour([lesson.teacher.media.link.last_check] * 50)
    assert rise["control_dropped_stun_wrong_integrity_total"] == len(forged)
    assert rise["control_dropped_stun_no_credentials_total"] == 200
    assert rise["control_dropped_stun_error_withheld_total"] >= 350, "a stranger does not make us talk"
    assert rise["control_dropped_stun_replayed_total"] == 50


async def test_a_flood_of_stun_while_somebody_joins(lesson: Lesson) -> None:
    ours = make_credentials()
    unknown = [binding_request(ours, make_credentials()) for _ in range(FLOOD)]
    async with lesson.unnoticed() as rise:
        flood = asyncio.create_task(lesson.attacker.pour(unknown))
        for number in range(3):
            guest = await lesson.school.join(f"guest-{number}")
            await guest.leave()
            lesson.school.forget(guest)
        sent = await flood
    assert total(rise, ("unknown_ufrags_total", "events_dropped_total")) >= sent


async def test_a_flood_of_client_hellos_from_elsewhere_while_somebody_joins(lesson: Lesson) -> None:
    hellos = client_hellos(50) * (FLOOD // 50)
    async with lesson.unnoticed() as rise:
        flood = asyncio.create_task(lesson.attacker.pour(hellos))
        for number in range(3):
            guest = await lesson.school.join(f"guest-{number}")
            await guest.leave()
            lesson.school.forget(guest)
        sent = await flood
    assert rise["unknown_address_total"] >= sent
    assert rise["dtls_handshakes_admitted_total"] == 3


async def test_a_flood_of_client_hellos_from_a_checked_address(lesson: Lesson) -> None:
    hellos = client_hellos(50) * (FLOOD // 50)
    async with lesson.unnoticed() as rise:
        flooder = await lesson.school.knock("flooder")
        await flooder.media.link.check()
        flood = asyncio.create_task(pour(hellos, flooder.media.link.send_raw))
        guest = await lesson.school.join("guest")
        await guest.leave()
        lesson.school.forget(guest)
        sent = await flood
        assert lesson.school.metrics()["dtls_handshakes"] <= 1
        await flooder.leave()
        lesson.school.forget(flooder)
    assert total(rise, REFUSED_DTLS) >= 0.9 * sent
    assert rise["dtls_handshakes_admitted_total"] <= 2


async def test_client_hellos_of_others_from_the_own_address_during_the_handshake(lesson: Lesson) -> None:
    hellos = itertools.cycle(client_hellos(20))
    async with lesson.unnoticed() as rise:
        guest = await lesson.school.knock("guest")
        link = guest.media.link

        def forge() -> None:
            for _ in range(5):
                link.send_raw(next(hellos))

        link.on_dtls = forge
        await guest.media.connect()
        await guest.leave()
        lesson.school.forget(guest)
    assert rise["dtls_handshakes_admitted_total"] == 1


async def test_offers_of_a_megabyte(lesson: Lesson) -> None:
    school = lesson.school
    async with lesson.unnoticed():
        for size, code in ((1 << 20, 1009), (150_000, 4000)):
            for offer in ("v=0\r\n" + "a=x\r\n" * (size // 5), "m=audio" * (size // 7), "\u0663" * (size // 2)):
                token = school.token("hostile", "algebra")
                signal = await PeerSignal.open(school.http, school.server.url, "algebra", token, lambda _: None)
                with pytest.raises((Refused, ConnectionError)):
                    await signal.ask({"type": "join", "offer": offer, "slots": []})
                assert await signal.wait_closed() == code
                await signal.close()
    assert lesson.teacher.present == {lesson.teacher.id, lesson.student.id}


async def test_a_flood_of_joins_of_one_identity(lesson: Lesson) -> None:
    school = lesson.school
    joined = len(lesson.teacher.identities)
    guests: list[Peer] = []
    close_codes: list[int | None] = []

    async def knock_again_and_again() -> None:
        for _ in range(JOINS // 4):
            try:
                guests.append(await school.knock("restless"))
            except aiohttp.WSServerHandshakeError as refused:
                assert refused.status == 429

    async with lesson.unnoticed():
        await asyncio.gather(*(knock_again_and_again() for _ in range(4)))
        assert JoinRates().identity_burst <= len(guests) < JOINS, "and the rest is told to wait"
        came = len(guests)
        await until(lambda: len(lesson.teacher.identities) == joined + came, "everybody is announced")
        assert len(lesson.teacher.present) == 3, "and put out when the next one comes"
        while guests:
            guest = guests.pop()
            await guest.close()
            school.forget(guest)
            close_codes.append(guest.signal.close_code)
        del guest
        await until(lambda: len(lesson.teacher.present) == 2, "the last one has left")
    assert close_codes.count(4004) == came - 1
