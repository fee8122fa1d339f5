"""A bot without media that notes who was in class, and for how long; it prints the list when the class is over."""

import asyncio
import sys
import time
from collections import defaultdict

from signaling.client import Room
from signaling.client.events import ParticipantJoined, ParticipantLeft


async def main(server: str, name: str, token: str) -> None:
    came: dict[str, float] = {}
    stayed: defaultdict[str, float] = defaultdict(float)
    async with Room(server, name, token) as room:
        came |= {who.identity: time.monotonic() for who in room.participants.values()}
        async for event in room.events():
            match event:
                case ParticipantJoined(participant=who):
                    came[who.identity] = time.monotonic()
                case ParticipantLeft(participant=who):
                    stayed[who.identity] += time.monotonic() - came.pop(who.identity)
    for identity, since in came.items():
        stayed[identity] += time.monotonic() - since
    for identity, seconds in sorted(stayed.items()):
        print(f"{identity}: {seconds / 60:.1f} minutes")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
