"""A room's channel: whatever gets lost, comes late or twice, each listener is told everything once and in order."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from lms.live.channel import Changes, Channel
from lms.live.events import Gap, encode_event

ORG, ROOM = UUID(int=1), UUID(int=2)


class Room:
    """What a database would know: change N is the frame "N"."""

    def __init__(self) -> None:
        self.change = 0
        self.failures = 0

    async def read(self, _org_id: UUID, _room_id: UUID, after: int, limit: int) -> Changes:
        seen = self.change
        for _ in range(random.randrange(3)):  # a reading takes turns of the loop, in which more is written
            await asyncio.sleep(0)
        frames = [(number, str(number).encode()) for number in range(after + 1, seen + 1)][:limit]
        return Changes(frames, frames[-1][0] if len(frames) == limit else seen, seen)


class Ear:
    org_id = ORG

    def __init__(self, number: int) -> None:
        self.user_id = UUID(int=100 + number)
        self.heard: list[bytes] = []
        self.after = 0

    def send(self, frame: bytes) -> None:
        self.heard.append(frame)

    async def has_space(self) -> None:
        await asyncio.sleep(0)


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(["write", "write silently", "note only", "note again", "come", "turn", "look"]),
        min_size=5,
        max_size=60,
    ),
    st.integers(),
)
def test_every_listener_hears_everything_once_and_in_order(steps: list[str], seed: int) -> None:
    random.seed(seed)

    async def play() -> None:
        room, ears, tasks = Room(), list[Ear](), list[asyncio.Task[None]]()
        channel = Channel(ORG, ROOM, 0, room.read, 1000)
        for step in steps:
            match step:
                case "write":
                    room.change += 1
                    channel.take(room.change, str(room.change).encode())
                case "write silently":  # the note is lost, or still on its way
                    room.change += 1
                case "note only":  # of another process
                    room.change += 1
                    channel.take(room.change, None)
                case "note again":
                    channel.take(room.change, None)
                case "come":
                    ear = Ear(len(ears))
                    ear.after = random.randrange(room.change + 1)
                    ears.append(ear)
                    tasks.append(asyncio.create_task(channel.catch_up(ear, ear.after)))
                case "look":
                    channel.look()
                case _:
                    await asyncio.sleep(0)
        channel.look()
        async with asyncio.timeout(2):
            await asyncio.gather(*tasks)
            while channel.told < room.change:
                await asyncio.sleep(0)
        for ear in ears:
            assert ear.heard == [str(number).encode() for number in range(ear.after + 1, room.change + 1)]
        channel.stop()

    asyncio.run(play())


async def test_what_is_too_much_is_left_out_and_said() -> None:
    room, ear = Room(), Ear(0)
    room.change = 250
    channel = Channel(ORG, ROOM, 250, room.read, 120)
    await channel.catch_up(ear, 100)
    assert ear.heard[:120] == [str(number).encode() for number in range(101, 221)]
    assert ear.heard[120:] == [encode_event(Gap(room_id=ROOM, after=220, change=250))]
    room.change = 251
    channel.take(251, b"251")
    assert ear.heard[-1] == b"251"


async def test_who_leaves_hears_nothing_more() -> None:
    room, ear, other = Room(), Ear(0), Ear(1)
    channel = Channel(ORG, ROOM, 0, room.read, 10)
    for each in (ear, other):
        await channel.catch_up(each, 0)
    channel.remove(ear)
    room.change = 1
    channel.take(1, b"1")
    channel.say(b"passing", but=other.user_id)
    assert (ear.heard, other.heard) == ([], [b"1"])
