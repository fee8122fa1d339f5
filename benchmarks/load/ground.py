"""Where a run takes place: a server of ours with its tokens, one started for the run, or anybody's endpoints."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from benchmarks.joins.server import Server, ServerDidNotStartError
from benchmarks.load.entrance import Entrance, HttpEntrance, WebSocketEntrance
from benchmarks.load.failures import LoadError
from benchmarks.load.options import Address, Options
from benchmarks.load.peer import Peer
from benchmarks.load.watched import WatchedProcess
from control_api.keys import KeyFileError, open_keys
from signaling.grants import ALL_SOURCES, NO_SOURCES, Grants
from signaling.identifiers import Identity, Role, RoomName
from signaling.tokens import make_token

TOKEN_S: Final = 6 * 3600.0
ANY_NUMBER_OF_PEERS: Final = (
    "connections.connections_max=60000",
    "signaling.join_rates.key_burst=100000",
)


@dataclass(frozen=True, slots=True)
class Ground:
    """A server that peers can go to."""

    http: aiohttp.ClientSession
    address: Address
    url: str
    """Of a Halqa server; "" with plain WHIP and WHEP."""
    key: tuple[str, bytes] | None
    hidden: bool
    watched: WatchedProcess | None

    def entrance(self, peer: Peer, room: str, identity: str, *, role: Role | None = None) -> Entrance:
        """Return the way in of one peer: a teacher if it publishes and nothing else is said."""
        publishes = peer.sending is not None
        if self.address.whip is not None and self.address.whep is not None:
            url = self.address.whip if publishes else self.address.whep
            return HttpEntrance(self.http, url, self.address.bearer)
        return WebSocketEntrance(
            self.http, self.url, room, self._token(room, identity, publishes, role), hear=peer.hear
        )

    @property
    def name(self) -> str:
        """What is measured, for the report."""
        return self.address.server or self.address.whip or "a server of this benchmark"

    def _token(self, room: str, identity: str, publishes: bool, role: Role | None) -> str:
        if self.key is None:
            assert self.address.bearer is not None
            return self.address.bearer
        grants = Grants(
            RoomName(room),
            Identity(identity),
            time.time() + TOKEN_S,
            publish=ALL_SOURCES if publishes else NO_SOURCES,
            role=role or (Role.TEACHER if publishes else Role.STUDENT),
            hidden=self.hidden and not publishes,
            send=not (self.hidden and not publishes),
        )
        return make_token(grants, key_id=self.key[0], secret=self.key[1])


@asynccontextmanager
async def open_ground(options: Options) -> AsyncIterator[Ground]:
    """Find the server, or start one; LoadError if that cannot be."""
    address = options.address
    watched = WatchedProcess(address.pid) if address.pid is not None else None
    if address.server is None and address.whip is None:
        try:
            async with Server(*ANY_NUMBER_OF_PEERS, *address.settings) as server:
                key = open_keys(server.data).first
                yield Ground(
                    server.http,
                    address,
                    server.url,
                    (key.key_id, key.secret),
                    options.hidden,
                    watched or WatchedProcess(server.pid),
                )
        except ServerDidNotStartError as error:
            raise LoadError(str(error)) from error
        return
    pair = None if address.bearer is not None or address.whip is not None else _read_key(address)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield Ground(http, address, address.server or "", pair, options.hidden, watched)


def _read_key(address: Address) -> tuple[str, bytes]:
    if address.key is not None:
        name, _, secret = address.key.partition(":")
        return name, secret.encode()
    assert address.data is not None
    if not (address.data / "keys.json").exists():
        raise LoadError(f"{address.data} holds no keys.json: is it the data folder of the server?")
    try:
        key = open_keys(address.data).first
    except KeyFileError as error:
        raise LoadError(f"the keys of {address.data} cannot be read: {error}") from error
    return key.key_id, key.secret
