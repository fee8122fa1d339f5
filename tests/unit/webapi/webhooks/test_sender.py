"""The sender against real sockets: where it goes, where it does not, and what it makes of answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from webapi.webhooks.sender import DeliveryFailedError, Sender


class Resolver(AbstractResolver):
    """A DNS in bad hands: a public address on the first question, this host on every other."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._addresses.pop(0) if len(self._addresses) > 1 else self._addresses[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def receiver() -> AsyncIterator[dict[str, Any]]:
    """A receiver on this host that answers as `status` says and keeps what it got."""
    state: dict[str, Any] = {"status": 204, "got": []}

    async def take(request: web.Request) -> web.Response:
        state["got"].append((request.path, await request.read(), dict(request.headers)))
        await asyncio.sleep(state.get("delay_s", 0))
        return web.Response(status=state["status"], headers=state.get("headers"), body=state.get("body"))

    application = web.Application()
    application.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state["port"] = runner.addresses[0][1]
    yield state
    await runner.cleanup()


async def send(receiver: dict[str, Any], *, host: str = "127.0.0.1", **options: Any) -> None:
    sender = Sender(**{"allow_private_addresses": True, "timeout_s": 5.0, **options})
    try:
        await sender.send(f"http://{host}:{receiver['port']}/hook", {"webhook-id": "1"}, b"{}")
    finally:
        await sender.close()


async def test_delivery(receiver: dict[str, Any]) -> None:
    await send(receiver)
    [(path, body, headers)] = receiver["got"]
    assert (path, body, headers["webhook-id"], headers["Content-Type"]) == ("/hook", b"{}", "1", "application/json")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "localhost"])
async def test_this_host_is_not_reached_by_any_name(host: str, receiver: dict[str, Any]) -> None:
    resolver = Resolver("127.0.0.1")
    with pytest.raises(DeliveryFailedError):
        await send(receiver, host=host, allow_private_addresses=False, resolver=resolver)
    assert receiver["got"] == []


async def test_name_that_changes_its_address_gains_nothing(receiver: dict[str, Any]) -> None:
    """The address that is connected to is judged, not the one of an earlier look."""
    resolver = Resolver("192.0.2.1", "127.0.0.1")
    for _ in range(2):
        with pytest.raises(DeliveryFailedError, match="not an address of the public Internet"):
            await send(receiver, host="hook.example", allow_private_addresses=False, resolver=resolver)
    assert receiver["got"] == []


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
async def test_anything_but_2xx_is_a_failure_and_no_redirect_is_followed(status: int, receiver: dict[str, Any]) -> None:
    receiver["status"] = status
    receiver["headers"] = {"Location": "/other"}
    with pytest.raises(DeliveryFailedError, match=str(status)):
        await send(receiver)
    assert [path for path, _, _ in receiver["got"]] == ["/hook"]


async def test_slow_receiver_is_a_failure(receiver: dict[str, Any]) -> None:
    receiver["delay_s"] = 5
    with pytest.raises(DeliveryFailedError, match="in time"):
        await send(receiver, timeout_s=0.1)


async def test_large_answer_is_not_read(receiver: dict[str, Any]) -> None:
    receiver.update(status=200, body=b"x" * 50_000_000)
    await send(receiver)


async def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryFailedError, match="refused|Connect"):
            await send({"port": unused.getsockname()[1]})
