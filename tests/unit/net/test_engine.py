"""What the engine tells of its addresses, and how it starts, spreads rooms and ends."""

from __future__ import annotations

import socket

import pytest

from media.errors import LocalError
from media.net.engine import Engine, EngineConfig, host_candidates
from media.rtp.parameters import Fingerprint, IceCredentials, RemoteTransport

LOCAL = "127.0.0.1"
REMOTE = RemoteTransport(IceCredentials("abcd", "p" * 22), (Fingerprint("sha-256", "00:" * 31 + "00"),), {})


class Listener:
    def on_connected(self) -> None: ...
    def on_silent(self, *, now: float) -> None: ...
    def on_alive(self) -> None: ...
    def on_closed(self, reason: str) -> None: ...


def config(workers: int = 1, udp_port: int = 0) -> EngineConfig:
    return EngineConfig(bind_address=LOCAL, udp_port=udp_port, workers=workers)


def test_first_address_is_preferred() -> None:
    first, second = host_candidates(("192.0.2.1", "198.51.100.7"), 40000)
    assert first.priority > second.priority
    assert first.priority == 2130706431  # the textbook value of a host candidate (RFC 8445 section 5.1.2.1)
    assert (first.foundation, second.foundation) == ("1", "2")
    assert second.port == 40000


async def test_rooms_spread_over_workers() -> None:
    engine = await Engine.start(config(workers=2))
    try:
        assert len(set(engine.udp_ports)) == 2
        ports = set()
        for _ in range(2):
            transport = engine.create_router().create_transport(REMOTE, Listener())
            ports.add(transport.local.candidates[0].port)
        assert ports == set(engine.udp_ports)
        assert engine.metrics()["transports"] == 2
    finally:
        await engine.close()


async def test_closed_router_makes_no_transport_and_gives_its_rows_back() -> None:
    engine = await Engine.start(config())
    try:
        router = engine.create_router()
        transport = router.create_transport(REMOTE, Listener())
        router.close()
        assert transport.state == "closed"
        assert engine.metrics()["transports"] == engine.metrics()["routers"] == 0
        with pytest.raises(LocalError):
            router.create_transport(REMOTE, Listener())
    finally:
        await engine.close()


async def test_taken_port_is_an_error_and_leaves_nothing_open() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOCAL, 0))
        with pytest.raises(OSError, match="in use"):
            await Engine.start(config(udp_port=taken.getsockname()[1]))


async def test_engine_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="workers is 0"):
        await Engine.start(config(workers=0))


async def test_ice_restart_gives_new_credentials_and_keeps_the_candidates() -> None:
    engine = await Engine.start(config())
    try:
        transport = engine.create_router().create_transport(REMOTE, Listener())
        before = transport.local
        after = transport.restart_ice(IceCredentials("efgh", "q" * 22))
        assert after.ice != before.ice
        assert after.candidates == before.candidates
        transport.close()
        with pytest.raises(LocalError):
            transport.restart_ice(IceCredentials("ijkl", "r" * 22))
    finally:
        await engine.close()
