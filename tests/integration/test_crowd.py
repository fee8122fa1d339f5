"""What a crowd is told comes in rounds over real WebSockets: complete, in order, and no later than what follows it."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from signaling.rounds import CROWD_MIN
from tests.support.signal_service import JOIN, Service, WebSocket, hear, running, say


async def test_a_full_hall_hears_everything_in_order() -> None:
    async with running() as service:
        people = [await service.join(f"p{number}") for number in range(CROWD_MIN + 10)]
        chat = [say(people[number], {"type": "send", "id": 9, "body": number}) for number in range(20)]
        await asyncio.gather(*chat)
        await people[-1].close()
        heard = await asyncio.gather(*(_hear_until_left(websocket) for websocket in people[:-1]))
        everything = _events(heard[0])
        assert everything == list(range(everything[0], everything[0] + len(everything)))
        for messages in heard:
            events = _events(messages)
            assert events == everything[-len(events) :]
            assert sum(message["type"] == "message" for message in messages) == 20
        await _answers_do_not_wait(service, people[0])


def _events(messages: list[dict[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages if "seq" in message and message["type"] != "done"]


async def _hear_until_left(websocket: WebSocket) -> list[dict[str, Any]]:
    messages = [await hear(websocket)]
    while messages[-1]["type"] != "left":
        messages.append(await hear(websocket))
    return messages


async def _answers_do_not_wait(service: Service, amal: WebSocket) -> None:
    """An answer comes after the notices that were held for the same client, not instead of them."""
    late = await service.connect("late")
    await say(late, JOIN)
    for number in itertools.count():
        await say(amal, {"type": "ping", "t": number})
        kinds = [(await hear(amal))["type"]]
        while kinds[-1] != "pong":
            kinds.append((await hear(amal))["type"])
        if "participant" in kinds:
            break
    assert kinds == ["participant", "pong"]
