"""What some viewers got and their teacher sent over a stretch of time, to be compared with another stretch.

A key frame is a twentieth of what comes in eight seconds: read once, a stretch that happens to begin or end beside one
is that much more or less. So each of its ends is as wide as a turn of the clip, and what was counted there is the mean
of many readings. A clip is no encoder either: asked for a key frame it goes on with another turn, which is up to 4 %
more or less over such a stretch, where an encoder keeps to its rate. What viewers got, beside what was sent of the
encoding that most is sent of, knows nothing of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Final

from benchmarks.counted.clip import SECONDS_DEFAULT
from benchmarks.load.school import Member, School
from benchmarks.load.window import between, read

CHANGE_MAX: Final = 2.0
"""Of a bitrate, in percent: what nobody is to notice of somebody else."""
END_S: Final = float(SECONDS_DEFAULT)
"""How wide the ends of a stretch are: once round the clip."""
READ_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Stretch:
    seconds: float
    got_bps: list[float]
    """Of each viewer."""
    sent_bps: float
    """Of all publishers."""
    largest_bps: float
    """The same, of each publisher's largest encoding alone, without headers."""
    plis_a_minute: float
    """Asked of all publishers."""
    latency_p99_ms: float
    server_cores: float
    lost: int
    """Packets that viewers missed, mended or not, and whose loss was the server's."""


@dataclass(frozen=True, slots=True)
class _End:
    """Means of readings: when they were made, and the bytes until then."""

    at: float
    got: list[float]
    """Of each viewer."""
    sent: float
    fed: list[list[float]]
    """Of each encoding of each publisher."""


async def measure(school: School, viewers: Sequence[Member], seconds: float, *, end_s: float = END_S) -> Stretch:
    """Let the school go on for so long, from the middle of one end to that of the other."""
    before, lost_before = read(school), sum(_counted(school, viewers, "lost"))
    first = await _end(school, viewers, end_s)
    await asyncio.sleep(max(0.0, seconds - end_s))
    last = await _end(school, viewers, end_s)
    lost_after = sum(_counted(school, viewers, "lost"))
    window = between(before, read(school), viewers=len(viewers))
    between_s = max(last.at - first.at, READ_EVERY_S)
    fed = [[late - early for early, late in zip(*each, strict=True)] for each in zip(first.fed, last.fed, strict=True)]
    return Stretch(
        seconds=window.seconds,
        got_bps=[(late - early) * 8 / between_s for early, late in zip(first.got, last.got, strict=True)],
        sent_bps=(last.sent - first.sent) * 8 / between_s,
        largest_bps=sum(max(each, default=0.0) for each in fed) * 8 / between_s,
        plis_a_minute=window.counts["plis_heard"] * 60 / window.seconds,
        latency_p99_ms=window.latency_ms(0.99),
        server_cores=window.server_cpu_s / window.seconds,
        lost=max(0, lost_after - lost_before),
    )


async def _end(school: School, viewers: Sequence[Member], seconds: float) -> _End:
    loop = asyncio.get_running_loop()
    publishers = [member for member in school.members if member.peer.sending is not None]
    until = loop.time() + seconds
    moments: list[float] = []
    got: list[list[int]] = []
    sent: list[int] = []
    fed: list[list[list[int]]] = []
    while not moments or loop.time() < until:
        moments.append(loop.time())
        got.append(_counted(school, viewers, "bytes"))
        sent.append(sum(_counted(school, publishers, "sent_bytes")))
        fed.append([_fed(school, each) for each in publishers])
        await asyncio.sleep(READ_EVERY_S)
    fed_means = [_means(one) for one in zip(*fed, strict=True)]
    return _End(mean(moments), _means(got), mean(sent), fed_means)


def _means(readings: Iterable[Sequence[float]]) -> list[float]:
    return [mean(each) for each in zip(*readings, strict=True)]


def _fed(school: School, publisher: Member) -> list[int]:
    number = publisher.peer.number
    return [] if number is None else [octets for _, octets, _ in school.plane.feeds(number).values()]


def _counted(school: School, members: Sequence[Member], name: str) -> list[int]:
    numbers = [member.peer.number for member in members]
    return [0 if number is None else school.plane.counters(number)[name] for number in numbers]


def viewers_change_percent(before: Stretch, after: Stretch) -> list[float]:
    """Return by how much each viewer's bitrate changed."""
    return [_change_percent(early, late) for early, late in zip(before.got_bps, after.got_bps, strict=True)]


def viewers_part_change_percent(before: Stretch, after: Stretch) -> list[float]:
    """Return by how much each viewer's bitrate changed beside that of the largest encodings."""
    return [
        _change_percent(early * after.largest_bps, late * before.largest_bps)
        for early, late in zip(before.got_bps, after.got_bps, strict=True)
    ]


def largest_change_percent(before: Stretch, after: Stretch) -> float:
    """Return by how much changed what publishers sent of their largest encodings."""
    return _change_percent(before.largest_bps, after.largest_bps)


def sent_change_percent(before: Stretch, after: Stretch) -> float:
    """Return by how much changed what publishers sent."""
    return _change_percent(before.sent_bps, after.sent_bps)


def _change_percent(early: float, late: float) -> float:
    return 100.0 if early <= 0 else abs(late / early - 1) * 100
