"""The outbox: at least once, in order per key, again after failures, by one process at a time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from lms.clock import TurnedClock
from lms.database.database import Database
from lms.ids import Ids
from lms.outbox.relay import ATTEMPTS_MAX, HELD, Message, Relay
from lms.outbox.send import Outbox
from tests.integration.lms.database.test_database import make

CLOCK = TurnedClock(datetime(2026, 11, 23, tzinfo=UTC))


async def send(database: Database, org_id: UUID, key: str, *numbers: int) -> None:
    outbox = Outbox(Ids(CLOCK))
    async with database.write(org_id) as transaction:
        for number in numbers:
            await outbox.send(transaction, "test", key=key, payload={"number": number})
    CLOCK.turn(1)


async def test_in_order_per_key_and_again_after_failures(database: Database) -> None:
    org_id = await make(database, "outbox")
    clock = TurnedClock(datetime.now(UTC))
    told: list[tuple[str, int]] = []
    broken = {"a"}

    async def consume(message: Message) -> None:
        if message.key in broken:
            raise OSError("away")
        told.append((message.key, message.payload["number"]))

    relay = Relay(database, clock)
    relay.on("test", consume)
    await send(database, org_id, "a", 1, 2, 3)
    await send(database, org_id, "b", 1, 2)
    clock.turn(60)
    await relay.run_once()
    assert told == [("b", 1), ("b", 2)]  # who fails holds up nobody else
    broken.clear()
    await relay.run_once()
    assert len(told) == 2  # not yet: there is a pause
    clock.turn(2)
    await relay.run_once()
    assert told[2:] == [("a", 1), ("a", 2), ("a", 3)]
    assert await relay.run_once() == 0


async def test_a_message_that_never_works_is_given_up(database: Database) -> None:
    org_id = await make(database, "outbox")
    clock = TurnedClock(datetime.now(UTC))
    relay = Relay(database, clock)
    tries = 0

    async def consume(message: Message) -> None:
        nonlocal tries
        tries += message.payload["number"] == 1
        if message.payload["number"] == 1:
            raise OSError("away")

    relay.on("test", consume)
    await send(database, org_id, "a", 1, 2)
    for _ in range(ATTEMPTS_MAX + 5):
        clock.turn(1000)
        await relay.run_once()
    assert (tries, relay.given_up) == (ATTEMPTS_MAX, 1)


async def test_two_processes_share_the_work_and_one_that_dies_loses_nothing(database: Database) -> None:
    org_id = await make(database, "outbox")
    clock = TurnedClock(datetime.now(UTC))
    told: list[int] = []

    async def consume(message: Message) -> None:
        await asyncio.sleep(0)
        told.append(message.payload["number"])

    relays = [Relay(database, clock) for _ in range(2)]
    for relay in relays:
        relay.on("test", consume)
    for number in range(10):
        await send(database, org_id, str(number), number)
    clock.turn(60)
    died = await relays[0]._take()  # and then it is killed
    assert died
    await relays[1].run_once()
    clock.turn(HELD)
    await asyncio.gather(*(relay.run_once() for relay in relays))
    assert sorted(told) == list(range(10))
