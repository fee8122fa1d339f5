"""The impairment relay before a server on 127.0.0.1, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.relay.direction import Change, Entry
from benchmarks.relay.schedule import Schedule
from benchmarks.relay.shell import Relay


@dataclass(slots=True)
class WatchedRelay:
    """A relay and its log, in the order of packets."""

    relay: Relay
    log: list[Entry | Change] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        return [entry for entry in self.log if isinstance(entry, Entry)]

    def dropped(self, direction: str) -> list[Entry]:
        """Return what did not pass in a direction ("up", "down")."""
        return [entry for entry in self.entries if entry.direction == direction and entry.is_dropped]


@asynccontextmanager
async def open_relay(
    server_port: int, *, up: str | Schedule = "", down: str | Schedule = "", seed: int = 1
) -> AsyncIterator[Relay]:
    """Run a relay on a free port (`relay.port`); its schedules are those of `benchmarks.relay.schedule`."""
    relay = Relay(("127.0.0.1", server_port), up=up, down=down, seed=seed)
    relay.open()
    try:
        yield relay
    finally:
        relay.close()


@asynccontextmanager
async def open_watched_relay(
    server_port: int, *, up: str | Schedule = "", down: str | Schedule = "", seed: int = 1
) -> AsyncIterator[WatchedRelay]:
    """Run a relay as `open_relay` does, and keep its log."""
    log: list[Entry | Change] = []
    relay = Relay(("127.0.0.1", server_port), up=up, down=down, seed=seed, log=log.append)
    relay.open()
    try:
        yield WatchedRelay(relay, log)
    finally:
        relay.close()
