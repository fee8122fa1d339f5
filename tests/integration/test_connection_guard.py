"""The guard of connections, with transports that only remember: limits of one address and of all, and who gives way."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from control_api.protection.connections import FILES_RESERVED, HEAD_BYTES_MAX, ConnectionGuard
from control_api.protection.settings import ConnectionSettingError, ConnectionSettings

PLENTY = 100_000  # open files


class Transport(asyncio.Transport):
    """Knows its peer, and whether it was aborted."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 50_000)})
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Served(asyncio.Protocol):
    """In place of aiohttp's protocol."""

    def __init__(self) -> None:
        self.heard = b""

    def data_received(self, data: bytes) -> None:
        self.heard += data


class Door:
    """A guard, and connections that come to it."""

    def __init__(self, *, files_max: int = PLENTY, **settings: Any) -> None:
        self.guard = ConnectionGuard(ConnectionSettings(**settings), files_max=files_max)
        self.served: list[Served] = []
        self._make = self.guard.guarded(self._serve)

    def _serve(self) -> Served:
        self.served.append(Served())
        return self.served[-1]

    def come(self, peer: str = "203.0.113.7") -> tuple[asyncio.Protocol, Transport]:
        connection, transport = self._make(), Transport(peer)
        connection.connection_made(transport)
        return connection, transport

    async def hear(self, number: int) -> None:
        """Let the request of a connection be heard, as aiohttp does when its head is whole."""

        class Request:
            protocol = self.served[number]

        async def handler(_request: object) -> object:
            return None

        await self.guard.middleware(cast(Any, Request()), cast(Any, handler))


async def test_one_address_has_so_many_and_others_theirs() -> None:
    door = Door(connections_per_address_max=3)
    mine = [door.come() for _ in range(4)]
    assert [transport.aborted for _, transport in mine] == [False, False, False, True]
    assert not door.come("203.0.113.8")[1].aborted
    assert door.guard.reading()["http_connections_refused"] == 1
    mine[3][0].connection_lost(None)
    mine[0][0].connection_lost(None)
    assert not door.come()[1].aborted, "one has gone, one may come"
    assert door.come()[1].aborted


async def test_an_ipv6_customer_is_one_and_this_computer_and_proxies_are_none() -> None:
    door = Door(connections_per_address_max=1, trusted_proxies=("198.51.100.0/24",))
    assert not door.come("2001:db8::1")[1].aborted
    assert door.come("2001:db8::2")[1].aborted
    assert not door.come("2001:db8:0:1::1")[1].aborted
    for peer in ("127.0.0.1", "::1", "198.51.100.9"):
        assert not any(door.come(peer)[1].aborted for _ in range(5))


async def test_the_oldest_that_says_nothing_gives_way() -> None:
    door = Door(unheard_max=2)
    first, second, third = (door.come()[1] for _ in range(3))
    assert (first.aborted, second.aborted, third.aborted) == (True, False, False)
    await door.hear(1)
    fourth, fifth = (door.come()[1] for _ in range(2))
    assert (second.aborted, third.aborted) == (False, True), "who was heard stays"
    assert (fourth.aborted, fifth.aborted) == (False, False)
    assert door.guard.reading()["http_connections_displaced"] == 2


async def test_when_all_places_are_taken_by_those_who_were_heard_nobody_comes_in() -> None:
    door = Door(connections_max=2)
    for number in range(2):
        assert not door.come()[1].aborted
        await door.hear(number)
    assert door.come()[1].aborted
    assert door.guard.reading()["http_connections"] == 2


async def test_open_files_bound_connections() -> None:
    door = Door(files_max=FILES_RESERVED + 2)
    for number in range(2):
        door.come()
        await door.hear(number)
    assert door.come()[1].aborted


async def test_who_says_nothing_has_little_time() -> None:
    door = Door(head_timeout_s=0.1)
    (_, silent), (_, heard) = door.come(), door.come()
    await door.hear(1)
    await asyncio.sleep(0.3)
    assert silent.aborted
    assert not heard.aborted
    assert door.guard.reading()["http_connections_timed_out"] == 1
    assert door.guard.reading()["http_connections_unheard"] == 0


async def test_a_head_has_an_end_and_a_body_needs_none() -> None:
    door = Door()
    (talker, talking), (sender, sending) = door.come(), door.come()
    await door.hear(1)
    for _ in range(2 * HEAD_BYTES_MAX // 65_536):
        talker.data_received(b"x" * 65_536)
        sender.data_received(b"x" * 65_536)
    assert talking.aborted
    assert not sending.aborted
    assert len(door.served[0].heard) < HEAD_BYTES_MAX
    assert len(door.served[1].heard) == 2 * HEAD_BYTES_MAX
    for connection in (talker, sender):
        connection.connection_lost(None)
    assert door.guard.reading()["http_connections"] == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"head_timeout_s": 0.0}, "head_timeout_s is 0"),
        ({"connections_max": -1}, "connections_max is -1"),
        ({"trusted_proxies": ("caddy",)}, "'caddy' is no IP address"),
    ],
)
def test_settings_that_cannot_work(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConnectionSettingError, match=said):
        ConnectionSettings(**wrong)
