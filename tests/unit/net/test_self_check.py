"""A worker that runs answers; one whose thread stands still does not."""

from __future__ import annotations

import asyncio

import pytest

from media.net.engine import Engine, EngineConfig
from media.net.sockets import count_drops, open_socket, open_sockets

ADDRESS = "127.0.0.1"


@pytest.mark.parametrize("address", [ADDRESS, "0.0.0.0", "::"])
async def test_running_workers_answer(address: str) -> None:
    engine = await Engine.start(EngineConfig(bind_address=address, workers=2))
    try:
        assert await engine.silent_workers(timeout_s=10) == ()
        assert engine.metrics()["transports"] == engine.metrics()["unknown_ufrags_total"] == 0
    finally:
        await engine.close()


async def test_stopped_worker_is_named() -> None:
    engine = await Engine.start(EngineConfig(bind_address=ADDRESS, workers=2))
    try:
        engine._shells[1].worker.stop()
        assert await engine.silent_workers(timeout_s=0.2) == (1,)
        engine._shells[1].worker.start()
        assert await engine.silent_workers(timeout_s=10) == ()
    finally:
        await engine.close()


def test_ports_follow_each_other_where_the_system_chooses() -> None:
    sockets = open_sockets(ADDRESS, 0, 3)
    try:
        first, *others = [each.getsockname()[1] for each in sockets]
        assert others == [first + 1, first + 2]
        with pytest.raises(OSError, match="in use"):
            open_sockets(ADDRESS, first, 2)
    finally:
        for each in sockets:
            each.close()


async def test_full_receive_buffer_is_counted() -> None:
    with open_socket(ADDRESS, 0) as full, open_socket(ADDRESS, 0) as sender:
        full.setsockopt(1, 8, 4096)  # SOL_SOCKET, SO_RCVBUF
        for _ in range(200):
            sender.sendto(bytes(1000), full.getsockname())
        await asyncio.sleep(0)
        assert 0 < count_drops(full) < 200
