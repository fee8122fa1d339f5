"""A class of cameras: everybody publishes simulcast and watches nine others, each over a link of another width.

H.264 without temporal layers: the clips of the load generator have none, and of VP8 the server expects three.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import mean, median
from typing import Final

from benchmarks.counted.clip import Codec
from benchmarks.load.ground import Ground
from benchmarks.load.options import Options
from benchmarks.load.peer import Attending, Sending, Watching
from benchmarks.load.school import Member, School
from benchmarks.neighbours.verdict import Row
from signaling.identifiers import Role

LIMITS_BPS: Final = (500_000, 1_500_000, 4_000_000)
DELAY_S: Final = 0.03
QUEUE_S: Final = 0.3
TOP: Final = "f"
WINDOW_S: Final = 5
"""What a limit is held to: over shorter times a queue takes what is too much."""
UNSEEN_BPS_MAX: Final = 1000.0
"""Of an encoding that nobody sees: nothing, but for a packet that was under way."""


@dataclass(frozen=True, slots=True)
class Size:
    people: int = 30
    watched: int = 9
    seen: int = 20
    """Cameras that anybody looks at."""
    height: int = 360
    settle_s: float = 15.0
    seconds: int = 20
    join_every_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Second:
    """What one second brought: bits at the link of each viewer, and payload bits of each camera by encoding."""

    came: list[float]
    sent: list[dict[str | None, float]]


async def play(ground: Ground, size: Size) -> list[Row]:
    """Let the class meet, and return its figures."""
    options = Options(viewers=size.people, publishers=1, videos=size.watched)
    async with School(ground, options) as school:
        members = await _gather(school, size)
        await school.wait_for_media()
        blind = sum(member.arrival.first_key_frame_s is None for member in members)
        await asyncio.sleep(size.settle_s)
        before = [school.plane.link(_number(member)) for member in members]
        seconds = await _seconds(school, members, size.seconds)
        after = [school.plane.link(_number(member)) for member in members]
    jams = [
        (late["jammed"] - early["jammed"]) / max(1, late["offered"] - early["offered"])
        for early, late in zip(before, after, strict=True)
    ]
    waits_ms = [
        (late["waited_ns"] - early["waited_ns"]) / max(1, late["offered"] - early["offered"]) / 1e6
        for early, late in zip(before, after, strict=True)
    ]
    return [
        Row(name="viewers that saw nothing", value=blind, most=0),
        *_viewer_rows(seconds, jams, waits_ms),
        *_camera_rows(seconds, size),
    ]


async def _gather(school: School, size: Size) -> list[Member]:
    """Let everybody in, each behind a link of its own, and have each look at its nine."""
    members: list[Member] = []
    for index, limit_bps in enumerate(islice(cycle(LIMITS_BPS), size.people)):
        work = Attending(Sending(codec=Codec.H264, number=index), Watching(videos=size.watched))
        member = await school.admit(work, 0, f"student-{index}", role=Role.STUDENT)
        school.plane.set_link(_number(member), rate_bps=limit_bps, delay_s=DELAY_S, queue_s=QUEUE_S)
        members.append(member)
        await asyncio.sleep(size.join_every_s)
    tracks = [str(member.peer.camera) for member in members[: size.seen]]
    for index, member in enumerate(members):
        turned = tracks[index % size.seen :] + tracks[: index % size.seen]
        others = [track for track in turned if track != member.peer.camera]
        await member.peer.look_at(others[: size.watched], size.height)
    return members


async def _seconds(school: School, members: list[Member], count: int) -> list[Second]:
    def read() -> Second:
        came = [float(school.plane.link(_number(member))["offered_bytes"] * 8) for member in members]
        return Second(came, [{rid: size * 8.0 for rid, size in each.peer.sent_bytes().items()} for each in members])

    loop = asyncio.get_running_loop()
    seconds, last, last_at = [], read(), loop.time()
    for _ in range(count):
        await asyncio.sleep(max(0.0, last_at + 1.0 - loop.time()))
        now, at = read(), loop.time()
        share = 1.0 / (at - last_at)
        came = [(late - early) * share for early, late in zip(last.came, now.came, strict=True)]
        sent = [
            {rid: (late[rid] - early.get(rid, 0.0)) * share for rid in late}
            for early, late in zip(last.sent, now.sent, strict=True)
        ]
        seconds.append(Second(came, sent))
        last, last_at = now, at
    return seconds


def _viewer_rows(seconds: list[Second], jams: list[float], waits_ms: list[float]) -> list[Row]:
    rows = []
    limits = list(islice(cycle(LIMITS_BPS), len(jams)))
    for limit_bps in dict.fromkeys(limits):
        those = [at for at, each in enumerate(limits) if each == limit_bps]
        means = [mean(second.came[at] for second in seconds) / limit_bps for at in those]
        windows = [
            mean(second.came[at] for second in seconds[start : start + WINDOW_S]) / limit_bps
            for at in those
            for start in range(max(1, len(seconds) - WINDOW_S + 1))
        ]
        name = f"viewers with {limit_bps / 1e6:g} Mbit/s"
        rows += [
            Row(name=f"{name}: most that one is sent, of its limit", value=round(max(means), 3), most=1.0),
            Row(name=f"{name}: busiest {WINDOW_S} s of one", value=round(max(windows), 3), most=1.05),
            Row(name=f"{name}: median used", value=round(median(means), 3)),
            Row(name=f"{name}: lost to a full queue, the worst", value=round(max(jams[at] for at in those) * 100, 2),
                unit="%", most=2.0),
            Row(name=f"{name}: queue, mean of the worst", value=round(max(waits_ms[at] for at in those), 1),
                unit="ms", most=150.0),
        ]  # fmt: skip
    return rows


def _camera_rows(seconds: list[Second], size: Size) -> list[Row]:
    def bps(at: int, rid: str) -> float:
        return mean(second.sent[at].get(rid, 0.0) for second in seconds)

    cameras = range(size.people)
    rids = [rid for rid in seconds[0].sent[0] if rid is not None]
    unseen = [sum(bps(at, rid) for rid in rids) for at in cameras if at >= size.seen]
    seen = [sum(bps(at, rid) for rid in rids) for at in cameras if at < size.seen]
    return [
        Row(name=f"cameras: most sent of the {TOP!r} encoding, which nobody needs",
            value=round(max(bps(at, TOP) for at in cameras)), unit="bit/s", most=UNSEEN_BPS_MAX),
        Row(name="cameras that nobody looks at: most sent in all", value=round(max(unseen, default=0.0)),
            unit="bit/s", most=UNSEEN_BPS_MAX),
        Row(name="cameras that somebody looks at: median sent", value=round(median(seen)), unit="bit/s"),
    ]  # fmt: skip


def _number(member: Member) -> int:
    assert member.peer.number is not None
    return member.peer.number
