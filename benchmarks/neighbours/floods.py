"""One viewer floods the server with RTCP that no receiver sends: what do the others notice, and what does it cost?

Each kind of flood comes alone: NACK for thousands of packets, estimates (REMB) of nothing and of more than a number
holds, transport-wide feedback about packets that never were, requests for key frames. A stretch without any, once more,
says what such figures come to of themselves.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmarks.load.ground import Ground
from benchmarks.load.options import Options
from benchmarks.load.school import School
from benchmarks.neighbours.stretch import (
    CHANGE_MAX,
    END_S,
    Stretch,
    largest_change_percent,
    measure,
    sent_change_percent,
    viewers_change_percent,
    viewers_part_change_percent,
)
from benchmarks.neighbours.verdict import Row
from media.native.rtcp import (
    RTCP_FMT_AFB,
    RTCP_FMT_NACK,
    RTCP_FMT_TWCC,
    RTCP_PSFB,
    RTCP_RTPFB,
    write_fir,
    write_pli,
)

COMPOUND_BYTES: Final = 1200
COMPOUNDS: Final = 64
"""Different ones of each kind."""
EXTRA_CORES_MAX: Final = 0.1
"""What a flood may cost the server: fifty such viewers are to be borne by five cores, not to stop one."""
NACK_WORDS: Final = 60
"""Of one message: each asks for 17 packets."""
EVERYTHING_LOST: Final = 0xFFFF
STATUSES: Final = (1, 14, 500, 8191, 65535)
MANTISSA_MAX: Final = (1 << 18) - 1
EXPONENT_MAX: Final = 63
REMB_VALUES: Final = ((0, 0), (0, 1), (EXPONENT_MAX, MANTISSA_MAX), (EXPONENT_MAX, 1), (0, MANTISSA_MAX))
"""Exponent and mantissa: 0, 1 bit/s, 2^81, 2^63, the most without an exponent."""

Writer: TypeAlias = Callable[[random.Random, int], bytes]


@dataclass(frozen=True, slots=True)
class Size:
    viewers: int = 50
    join_rate: float = 25.0
    settle_s: float = 15.0
    """Until then publishers still stop what nobody needs."""
    seconds: float = 8.0
    """Twice round the clip that the teacher sends."""
    end_s: float = END_S
    per_s: float = 2000.0


async def play(ground: Ground, size: Size) -> list[Row]:
    """Let the class meet, have one of it flood the server in every way, and return what changed for the others."""
    async with School(ground, Options(viewers=size.viewers, join_rate=size.join_rate)) as school:
        await school.open_rooms()
        await school.admit_viewers(size.viewers)
        flooder, *others = school.viewers
        number = flooder.peer.number
        assert number is not None
        await asyncio.sleep(size.settle_s)
        quiet = await measure(school, others, size.seconds, end_s=size.end_s)
        still = await measure(school, others, size.seconds, end_s=size.end_s)
        rows = [
            Row(name="server without a flood", value=round(quiet.server_cores, 3), unit="cores"),
            Row(name="key frames asked of the teacher a minute without a flood", value=round(quiet.plis_a_minute, 1)),
            *_changes("no flood", quiet, still),
        ]
        for kind, writer in FLOODS.items():
            compounds = compounds_of(writer, [ssrc for ssrc, _, repairs in flooder.peer.heard if not repairs])
            school.plane.set_flood(number, compounds, size.per_s)
            sent = school.plane.flooded(number)
            flooded = await measure(school, others, size.seconds, end_s=size.end_s)
            sent = school.plane.flooded(number) - sent
            school.plane.set_flood(number, [], size.per_s)
            rows += rows_of(kind, quiet, flooded, sent)
        return rows


def rows_of(kind: str, quiet: Stretch, flooded: Stretch, sent: int) -> list[Row]:
    """Return what one flood changed."""
    cores = flooded.server_cores - quiet.server_cores
    return [
        Row(name=f"{kind}: compounds sent a second", value=round(sent / flooded.seconds)),
        *_changes(kind, quiet, flooded),
        Row(name=f"{kind}: key frames asked of the teacher a minute", value=round(flooded.plis_a_minute, 1)),
        Row(name=f"{kind}: packets that others missed", value=flooded.lost, most=0),
        Row(name=f"{kind}: others' latency p99", value=round(flooded.latency_p99_ms, 2), unit="ms", most=20.0),
        Row(name=f"{kind}: server, more than without", value=round(cores, 3), unit="cores", most=EXTRA_CORES_MAX),
        Row(name=f"{kind}: a compound costs the server", value=round(cores * flooded.seconds * 1e6 / max(1, sent), 1),
            unit="us"),
    ]  # fmt: skip


def _changes(kind: str, quiet: Stretch, later: Stretch) -> list[Row]:
    parts = viewers_part_change_percent(quiet, later)
    return [
        Row(name=f"{kind}: most that another's bitrate changed",
            value=round(max(viewers_change_percent(quiet, later)), 2), unit="%", most=CHANGE_MAX),
        Row(name=f"{kind}: the same, beside what was sent to them", value=round(max(parts), 2), unit="%",
            most=CHANGE_MAX),
        Row(name=f"{kind}: change of what the teacher sends to them",
            value=round(largest_change_percent(quiet, later), 2), unit="%", most=CHANGE_MAX),
        Row(name=f"{kind}: change of all that the teacher sends, for that one, too",
            value=round(sent_change_percent(quiet, later), 2), unit="%"),
    ]  # fmt: skip


def compounds_of(writer: Writer, ssrcs: Sequence[int], seed: int = 1) -> list[bytes]:
    """Return full compounds of one kind, about all slots."""
    chance = random.Random(seed)
    compounds = []
    for _ in range(COMPOUNDS):
        compound = b""
        while len(message := writer(chance, chance.choice(ssrcs))) + len(compound) <= COMPOUND_BYTES:
            compound += message
        compounds.append(compound)
    return compounds


def write_nack_flood(chance: random.Random, ssrc: int) -> bytes:
    """Ask for a thousand packets in a row, anywhere."""
    first = chance.randrange(65536)
    words = [struct.pack("!HH", (first + 17 * at) & 0xFFFF, EVERYTHING_LOST) for at in range(NACK_WORDS)]
    return feedback(RTCP_RTPFB, RTCP_FMT_NACK, ssrc, b"".join(words))


def write_remb_flood(chance: random.Random, ssrc: int) -> bytes:
    """Say that the path carries nothing, or more than there is."""
    exponent, mantissa = chance.choice(REMB_VALUES)
    value = exponent << 18 | mantissa
    return feedback(
        RTCP_PSFB, RTCP_FMT_AFB, 0, b"REMB" + bytes([1]) + value.to_bytes(3, "big") + struct.pack("!I", ssrc)
    )


def write_twcc_flood(chance: random.Random, ssrc: int) -> bytes:
    """Tell of packets anywhere, more than the message holds, that came at any time: long ago, ages ahead, or never."""
    count = chance.choice(STATUSES)
    body = struct.pack("!HH", chance.randrange(65536), count) + chance.randbytes(3) + bytes([chance.randrange(256)])
    symbol = chance.choice((0, 1, 2, 3))
    body += struct.pack("!H", symbol << 13 | min(count, 8191))
    if chance.random() < 0.5:
        body += chance.randbytes(chance.choice((2, 30, 400)))
    else:  # deltas as large as they go
        body += struct.pack("!h", chance.choice((32767, -32768))) * min(count, 200)
    return feedback(RTCP_RTPFB, RTCP_FMT_TWCC, ssrc, body + bytes(-len(body) % 4))


def write_key_frame_flood(chance: random.Random, ssrc: int) -> bytes:
    """Ask for a key frame in one way or the other."""
    return write_pli(1, ssrc) if chance.random() < 0.5 else write_fir(1, ssrc, chance.randrange(256))


def feedback(packet_type: int, format_: int, media_ssrc: int, body: bytes) -> bytes:
    """Return one RTCP feedback message (RFC 4585 section 6.1)."""
    words = 2 + len(body) // 4
    return struct.pack("!BBHII", 0x80 | format_, packet_type, words, 1, media_ssrc) + body


FLOODS: Final[dict[str, Writer]] = {
    "NACK": write_nack_flood,
    "REMB": write_remb_flood,
    "TWCC": write_twcc_flood,
    "PLI and FIR": write_key_frame_flood,
}
