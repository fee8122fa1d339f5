"""A client of the LMS's WebSocket: asks and waits for answers, keeps what it is told, and remembers its marks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

from tests.support.lms import Person, School

PATIENCE_S = 20.0


class RefusedError(Exception):
    """A request that was answered by `error`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["code"])
        self.error = error
        self.code = error["code"]


class LiveClient:
    """One open connection."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.told: list[dict[str, Any]] = []
        """Everything but answers, in order."""
        self.marks: dict[str, int] = {}
        """The last change that it was told of each room."""
        self.welcome: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name="live client")

    @property
    def close_code(self) -> int | None:
        return self.websocket.close_code

    async def ask(self, type_: str, **fields: Any) -> Any:
        """Say something and return the result; raises RefusedError."""
        number = next(self._numbers)
        if self._reading.done():
            raise ConnectionError(f"closed with {self.close_code}")
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE_S):
            await self.websocket.send_json({"type": type_, "id": number, **fields})
            found = await answer
        if found["type"] == "error":
            raise RefusedError(found)
        return found.get("result")

    async def say(self, room_id: str, body: str, **fields: Any) -> dict[str, Any]:
        """Send a message and return it, once it is kept."""
        sent = {"room_id": room_id, "body": body, "client_id": str(uuid4()), **fields}
        return dict((await self.ask("community:message", **sent))["message"])

    def of(self, *types: str) -> list[dict[str, Any]]:
        """Return what was told of these types."""
        return [each for each in self.told if each["type"] in types]

    def bodies(self, room_id: str | None = None) -> list[str]:
        """Return the texts of new messages, in the order in which they were told."""
        told = self.of("community:message", "private:message")
        return [each["message"]["body"] for each in told if room_id in {None, each["room_id"]}]

    async def until(self, type_: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """Wait until so many messages of a type with these fields were told, and return the last of them."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [each for each in self.of(type_) if fields.items() <= each.items()]
                if len(found) >= count:
                    return found[count - 1]
                assert not self._reading.done(), f"closed with {self.close_code} before {type_}"
                self._news.clear()
                await self._news.wait()

    async def closed(self) -> int | None:
        """Wait for the end, and return its code."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.shield(self._reading)
        return self.close_code

    async def close(self) -> None:
        await self.websocket.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self.websocket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            told = message.json()
            answer = self._answers.pop(told.get("re", 0), None)
            if answer is not None and not answer.done():
                answer.set_result(told)
            else:
                self._keep(told)
            self._news.set()
        self._news.set()
        for each in self._answers.values():
            if not each.done():
                each.set_exception(ConnectionError(f"closed with {self.close_code}"))
                each.exception()

    def _keep(self, told: dict[str, Any]) -> None:
        self.told.append(told)
        if told["type"] == "welcome":
            self.welcome = told
        elif "change" in told and told["type"] != "community:joined":
            self.marks[told["room_id"]] = told["change"]


async def connect(
    school: School,
    person: Person | None,
    *,
    after: dict[str, int] | None = None,
    url: str | None = None,
    headers: dict[str, str] | None = None,
    **auth: Any,
) -> LiveClient:
    """Open a connection and say who it is."""
    asked = dict(auth) | ({} if person is None else {"token": person.token})
    return await connect_to(school.http, url or school.url, after=after, headers=headers, **asked)


async def connect_to(
    http: aiohttp.ClientSession,
    url: str,
    *,
    after: dict[str, int] | None = None,
    headers: dict[str, str] | None = None,
    **auth: Any,
) -> LiveClient:
    """Open a connection to whichever service, and say who it is."""
    client = LiveClient(await http.ws_connect(url.replace("http", "ws", 1) + "/api/v1/ws", headers=headers))
    try:
        await client.ask("auth", **auth, **({} if after is None else {"after": after}))
    except BaseException:
        await client.close()
        raise
    return client


@asynccontextmanager
async def listening(school: School, person: Person, *room_ids: str, **options: Any) -> AsyncIterator[LiveClient]:
    """A connection that listens to rooms."""
    client = await connect(school, person, **options)
    try:
        for room_id in room_ids:
            await client.ask("community:join", room_id=room_id)
        yield client
    finally:
        await client.close()
