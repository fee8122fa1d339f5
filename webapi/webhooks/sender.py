"""POSTs a delivery over HTTP: no redirects, no proxies, no private addresses, bounded time and answers."""

from __future__ import annotations

import socket
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver

from webapi.webhooks.addresses import is_public

ANSWER_BYTES_MAX: Final = 65_536  # read, so that the connection can be used again; more closes it
CONNECTIONS_MAX: Final = 32

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class DeliveryFailedError(Exception):
    """The receiver did not take a delivery; the message says why."""


class ForbiddenAddressError(OSError):
    """A connection to an address that is not of the public Internet."""


class Sender:
    """Sends to any number of receivers. Make it in a running event loop."""

    def __init__(
        self, *, allow_private_addresses: bool, timeout_s: float, resolver: AbstractResolver | None = None
    ) -> None:
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS_MAX,
            resolver=resolver,
            socket_factory=None if allow_private_addresses else _open_public_socket,
        )
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": "halqa-webhooks/1", "Content-Type": "application/json"},
        )

    async def close(self) -> None:
        await self._client.close()

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Return when the receiver took it (any 2xx); raises DeliveryFailedError."""
        try:
            async with self._client.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.content.read(ANSWER_BYTES_MAX)
                if not 200 <= answer.status < 300:
                    raise DeliveryFailedError(f"the receiver answered {answer.status}")
        except TimeoutError:
            raise DeliveryFailedError("the receiver did not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DeliveryFailedError(f"{type(error).__name__}: {_reason(error)}") from None


def _open_public_socket(address: AddressInfo) -> socket.socket:
    """Make the socket for the very address that is connected to next, unless that is forbidden."""
    family, kind, protocol, _, target = address
    if not is_public(str(target[0])):
        raise ForbiddenAddressError(f"{target[0]} is not an address of the public Internet")
    return socket.socket(family, kind, protocol)


def _reason(error: BaseException) -> str:
    """Return what a connector's error is about, without the URL around it."""
    return str(getattr(error, "os_error", None) or error)
