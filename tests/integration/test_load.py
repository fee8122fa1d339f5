"""`benchmarks load` as a whole, small: against our server, against one that is not ours, and when things go wrong."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from benchmarks import load
from benchmarks.joins.server import Server
from benchmarks.load.clips import Layers
from benchmarks.load.options import Address, Options
from tests.support.short_clips import short_clips

__all__ = ["short_clips"]

pytestmark = pytest.mark.usefixtures("short_clips")
ROOT = Path(__file__).parents[2]
SETTINGS = ("media.workers=1",)


@pytest.fixture(autouse=True)
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "SETTLE_S", 0.3)
    monkeypatch.setattr(load, "SETTLE_MAX_S", 0.3)


def options(tmp_path: Path, **changes: Any) -> Options:
    usual: dict[str, Any] = {"viewers": 4, "duration_s": 1.0, "layers": Layers.SINGLE, "single_rid": "q", "height": 180}
    return Options(**{**usual, "json": tmp_path / "load.json", **changes})


def figures(tmp_path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    return read


async def test_a_server_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = options(tmp_path, address=Address(settings=SETTINGS), rooms=2, viewers=3, layers=Layers.SIMULCAST)
    assert await load.run(wanted) == 0
    found = figures(tmp_path)
    assert (found["viewers"], found["joined"], found["failures"]) == (6, 6, 0)
    assert found["loss_in_server"] == 0
    assert found["packets_lost_in_server"] == 0
    assert found["refused_packets"] == 0
    assert found["packets_out_per_s"] > 6 * 50
    assert 0 < found["join_p50_s"] <= found["join_p95_s"]
    assert 0 < found["first_keyframe_p50_s"] <= found["first_keyframe_p99_s"]
    assert 0 < found["latency_p50_ms"] <= found["latency_p99_ms"]
    assert found["server_cpu_s"] > 0
    assert found["generator_cpu_s"] > 0
    assert found["server_rss_bytes"] > 10_000_000
    assert found["packets_per_cpu_s"] > 0
    assert "6 of 6 joined" in capsys.readouterr().out


async def test_a_climb(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.load.school.allow_peers", lambda _wanted: 3)
    wanted = options(tmp_path, address=Address(settings=SETTINGS), viewers=1, find_max=True, step_s=0.4)
    assert await load.run(wanted) == 0
    found = figures(tmp_path)
    assert found["max_viewers"] <= 2  # less, if other programs let even so few packets come late
    assert found["steps"][0]["viewers"] == 1
    assert f"most viewers       {found['max_viewers']}" in capsys.readouterr().out


async def test_loss_at_the_viewers_is_mended_and_is_not_the_servers(tmp_path: Path) -> None:
    wanted = options(tmp_path, address=Address(settings=SETTINGS), loss=0.1, duration_s=1.5, layers=Layers.SIMULCAST)
    assert await load.run(wanted) == 0
    found = figures(tmp_path)
    assert found["nack_count"] > 0
    assert found["recovered"] > 0
    assert found["packets_lost_in_server"] == 0


async def test_whip_and_whep_of_a_server_that_is_not_ours(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.foreign_endpoint"), cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        address = Address(whip=f"{url}/whip", whep=f"{url}/whep", pid=process.pid)
        assert await load.run(options(tmp_path, address=address, viewers=2, duration_s=1.5)) == 0
    finally:
        process.kill()
        await process.communicate()
    found = figures(tmp_path)
    assert (found["joined"], found["failures"]) == (2, 0)
    assert found["packets_out_per_s"] > 2 * 20
    assert found["refused_packets"] == 0
    assert found["first_keyframe_p50_s"] > 0


async def test_nobody_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await load.run(options(tmp_path, address=Address(server="http://127.0.0.1:9", bearer="token"))) == 1
    assert "cannot be reached" in capsys.readouterr().err


async def test_a_token_that_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with Server(*SETTINGS) as server:
        assert await load.run(options(tmp_path, address=Address(server=server.url, bearer="nonsense"))) == 1
        assert "bad_token" in capsys.readouterr().err
        address = Address(whip=f"{server.url}/whip/a", whep=f"{server.url}/whep/a", bearer="nonsense")
        assert await load.run(options(tmp_path, address=address)) == 1
        assert "answered 401" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("hello", "not SDP"),
        ("v=0\r\ns=-\r\n", "no m= section"),
        ("v=0\r\nm=video 9 X 96\r\na=setup:both\r\n", "a=setup:both"),
        ("v=0\r\nm=video 9 X 96\r\na=setup:passive\r\na=fingerprint:sha-256 AA\r\n", "no candidate"),
    ],
)
async def test_sdp_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: str, complaint: str
) -> None:
    async with endpoint(answer) as url:
        assert await load.run(options(tmp_path, address=Address(whip=url, whep=url))) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("by_whip", [False, True])
async def test_a_server_that_dies(tmp_path: Path, capsys: pytest.CaptureFixture[str], by_whip: bool) -> None:
    async with Server(*SETTINGS) as server:
        token = server.token("load-1", "all")
        if by_whip:
            address = Address(whip=f"{server.url}/whip/load-1", whep=f"{server.url}/whep/load-1", bearer=token)
        else:
            address = Address(server=server.url, data=server.data)
        run = asyncio.create_task(load.run(options(tmp_path, address=address, duration_s=60.0)))
        try:
            await asyncio.sleep(2.5)
            assert not run.done()
            server._process.kill()
            started = time.monotonic()
            assert await asyncio.wait_for(run, 40) == 1
        finally:
            run.cancel()
    assert time.monotonic() - started < 30
    found = figures(tmp_path)
    assert found["joined"] == 4
    assert "stopped serving" in found["ended_early"]
    assert "stopped serving" in capsys.readouterr().err


async def test_a_folder_without_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await load.run(options(tmp_path, address=Address(server="http://127.0.0.1:9", data=tmp_path))) == 1
    assert "no keys.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("--whip http://x", "--whip and --whep go together"),
        ("--server http://x", "--server needs --data"),
        ("--server http://x --key abc", "expected ID:SECRET"),
        ("--viewers 0", "above 0"),
        ("--viewers 30000", "at most"),
        ("--loss 100", "0 to below 100"),
        ("--join-rate nan", "above 0"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load.main(arguments.split())
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@asynccontextmanager
async def endpoint(answer: str) -> AsyncIterator[str]:
    """An address that answers every offer alike."""

    async def respond(_request: web.Request) -> web.Response:
        return web.Response(status=201, text=answer, content_type="application/sdp")

    application = web.Application()
    application.router.add_post("/", respond)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
