"""A server reduced to its journal, to be killed at any moment: people come and go, and each acknowledgement is printed.

Arguments: folder, seed. Lines on standard output, each written whole:
`boot BOOT_ID`, `ack SEQ EVENT_TYPE PARTICIPANT` (durable now), `alive UPTIME_S` (still running then).
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from control_api.journal.events import Event, ParticipantJoined, ParticipantLeft, RoomStarted
from control_api.journal.journal import Journal
from control_api.journal.settings import JournalSettings

HEARTBEAT_S = 0.05


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def main(folder: Path, seed: int) -> None:
    choose = random.Random(seed)
    settings = JournalSettings(node="m1", heartbeat_s=HEARTBEAT_S, segment_bytes=16384, segments_max=1_000_000)
    journal = await Journal.open(folder, settings)
    started = time.monotonic()
    say(f"boot {journal.boot.boot_id}")
    journal.append(RoomStarted(room=f"room-{seed}"))
    present: list[str] = []
    first = journal.position
    offset = int(journal.reading()["journal_events_total"]) - first
    told: dict[int, str] = {}
    acknowledged = first
    while True:
        for _ in range(choose.randrange(1, 6)):
            event: Event
            if present and choose.random() < 0.4:
                name = present.pop(choose.randrange(len(present)))
                event = ParticipantLeft(room=f"room-{seed}", participant=name, identity=name, reason="left")
            else:
                name = f"p{seed}-{len(told)}"
                present.append(name)
                event = ParticipantJoined(room=f"room-{seed}", participant=name, identity=name)
            position = journal.append(event)
            assert position is not None
            told[position] = f"{position + offset} {type(event).__name__} {name}"
        await journal.wait_durable(acknowledged + 1)
        for position in range(max(acknowledged, first) + 1, journal.durable + 1):
            say(f"ack {told[position]}")
        acknowledged = journal.durable
        say(f"alive {time.monotonic() - started:.6f}")
        if choose.random() < 0.2:
            for _ in range(choose.randrange(20)):
                await asyncio.sleep(HEARTBEAT_S / 5)
                say(f"alive {time.monotonic() - started:.6f}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
