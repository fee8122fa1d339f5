"""The load of HTTP and WebSockets: a small run on a server of its own, schedules of users, and all that ends one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from benchmarks import api
from benchmarks.api import drive
from benchmarks.api.drive import Drive, Outcome
from benchmarks.api.scenario import Scenario, Suite, Target, User
from benchmarks.api.scenarios import control, load_suite, suite_names
from benchmarks.api.stages import parse_stages

ROOT = Path(__file__).parent.parent.parent

Answer = Callable[[], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of libuv live as long as their process."""
    monkeypatch.setattr(api, "uvloop", asyncio)


@contextlib.asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """Serve every path by this function."""

    async def respond(_request: web.Request) -> web.StreamResponse:
        return await answer()

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", respond)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def nowhere() -> AsyncIterator[Target]:
    yield Target("http://127.0.0.1:9")


def suite(run: Callable[[User], Awaitable[None]]) -> Suite:
    return Suite(question="?", scenarios=(Scenario("only", run),), steps=("reads.x",), thresholds=(), start=nowhere)


async def drive_at(target: Target, run: Callable[[User], Awaitable[None]], stages: str) -> Outcome:
    return await Drive(suite(run), target, parse_stages(stages), seed=1, tell=lambda _point: None).run()


async def click(user: User) -> None:
    await user.ask("reads.x", "GET", "/")
    await user.think(0.1, spread=0)


async def test_a_stall_is_counted_for_all_who_would_have_come_meanwhile() -> None:
    answered = 0

    async def answer() -> web.StreamResponse:
        nonlocal answered
        answered += 1
        if answered == 5:
            await asyncio.sleep(1.0)
        return web.json_response({})

    async with answering(answer) as url:
        outcome = await drive_at(Target(url), click, "2.5:1")
    figures = outcome.tally.steps["reads.x"]
    late = [at for at, ms in figures.response.distribution_ms([n / 100 for n in range(101)]) if ms > 150]
    assert len(late) / 100 > 0.2, "one second of 2.5 s in which ten clicks were due"
    assert figures.service.quantile_s(0.5) < figures.response.max_s
    assert figures.response.max_s >= 1.0
    assert figures.count >= 15, "who was late catches up"
    assert outcome.ended is None


async def test_errors_are_counted_and_users_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "STUMBLE_S", 0.05)
    answered = 0

    async def answer() -> web.StreamResponse:
        nonlocal answered
        answered += 1
        return web.json_response({}, status=503 if answered % 2 else 200)

    async with answering(answer) as url:
        outcome = await drive_at(Target(url), click, "1:3")
    figures = outcome.tally.steps["reads.x"]
    assert figures.errors["status 503"] == figures.failed == outcome.stumbled > 0
    assert figures.response.count > 0
    assert outcome.done > 0


async def test_a_server_that_answers_nobody_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "SILENT_S", 0.3)
    monkeypatch.setattr(drive, "STUMBLE_S", 0.05)
    async with answering(lambda: asyncio.sleep(0, web.Response())) as url:
        pass
    outcome = await drive_at(Target(url), click, "20:2")
    assert outcome.ended == "nothing has succeeded for 0.3 s; most often: cannot connect"
    assert outcome.seconds < 15


async def test_a_server_that_dies_ends_the_run_with_what_was_measured() -> None:
    answered = 0

    async def answer() -> web.StreamResponse:
        nonlocal answered
        answered += 1
        return web.Response()

    async with answering(answer) as url:
        target = Target(url, died=lambda: "it died" if answered > 3 else None)
        outcome = await drive_at(target, click, "20:2")
    assert outcome.ended == "it died"
    assert outcome.tally.steps["reads.x"].response.count > 0


async def test_a_fault_of_a_scenario_ends_the_run() -> None:
    async def broken(user: User) -> None:
        raise KeyError("rooms")

    outcome = await drive_at(Target("http://127.0.0.1:9"), broken, "20:1")
    assert outcome.ended == "scenario 'only' failed outside of a step: KeyError: 'rooms'"


def test_small_run(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    rules = ["--threshold", "all.errors<=0%", "--threshold", "live.join.p95<=30s"]
    command = [sys.executable, "-m", "benchmarks", "api", "--stages", "0.2:4,1.2:4", "--think", "0.1", *rules]
    printed = subprocess.run([*command, "--json", str(path)], capture_output=True, text=True, check=False)
    assert printed.returncode == 0, printed.stderr
    assert "held    all.errors<=0%: 0.000%" in printed.stdout
    assert "users" in printed.stderr
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert figures["benchmark"] == "api"
    assert figures["users_max"] == 4
    assert set(figures["steps"]) <= set(control.SUITE.steps)
    assert figures["groups"]["all"]["count"] > 4
    assert figures["server_cpu_s"] > 0
    assert figures["generator"]["cpu_s"] > 0
    assert figures["timeline"][-1]["users"] == 4
    assert [level["users"] for level in figures["levels"]] == [4]
    assert figures["machine"]["commit"]


def test_a_missed_threshold_has_an_exit_code_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(user: User) -> None:
        async with user.step("reads.x"):
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def start() -> AsyncIterator[Target]:
        yield Target("http://127.0.0.1:9")

    slow = Suite(
        question="?",
        scenarios=(Scenario("wait", wait),),
        steps=("reads.x",),
        thresholds=("reads.p50<=10ms",),
        start=start,
    )
    monkeypatch.setattr(api, "load_suite", lambda _name: slow)
    assert api.main(["--stages", "0.3:2", "--quiet"]) == api.EXIT_MISSED
    assert "MISSED  reads.p50<=10ms" in capsys.readouterr().out


def test_interrupted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupt(user: User) -> None:
        async with user.step("reads.x"):
            os.kill(os.getpid(), signal.SIGINT)
        await user.think(60)

    monkeypatch.setattr(api, "load_suite", lambda _name: suite(interrupt))
    assert api.main(["--stages", "30:1", "--quiet"]) == api.EXIT_NOT_MEASURED
    assert "interrupted" in capsys.readouterr().err


def test_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert api.main(["--url", "http://127.0.0.1:9", "--key", "a:b", "--stages", "1:1"]) == api.EXIT_NOT_MEASURED
    assert "http://127.0.0.1:9 cannot be reached" in capsys.readouterr().err


async def test_refused_key() -> None:
    refusal = {"error": {"code": "bad_key", "message": "The API key or its secret is wrong."}}

    async def answer() -> web.StreamResponse:
        return web.json_response(refusal, status=401)

    async with answering(answer) as url:
        arguments = ["--url", url, "--key", "a:b", "--stages", "1:1"]
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks", "api", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        _, told = await program.communicate()
    assert program.returncode == api.EXIT_NOT_MEASURED
    assert "refuses API key 'a': 401 bad_key" in told.decode()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--stages", "2x:1"], "stage '2x:1': expected TIME:USERS"),
        (["--scale", "0"], "'0': expected a number above 0"),
        (["--scale", "nan"], "'nan': expected a number above 0"),
        (["--url", "127.0.0.1:80"], "'127.0.0.1:80' is no address"),
        (["--url", "ftp://x"], "is no address"),
        (["--key", "a:b"], "give its --url, too"),
        (["--url", "http://x", "--key", "a"], "--key 'a': expected ID:SECRET"),
        (["--threshold", "reads.p95<=5%"], "p95 is in ms or s, not in %"),
        (["--threshold", "raeds.p95<=5ms"], "no such step"),
        (["--option", "x"], "'x': expected NAME=VALUE"),
        (["--json", "no/such/folder/x.json"], "there is no folder no/such/folder"),
        (["--suite", "x"], "invalid choice"),
    ],
)
def test_wrong_flags(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        api.main(arguments)
    assert ended.value.code == api.EXIT_NOT_MEASURED
    assert sentence in capsys.readouterr().err


def test_wrong_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert api.main(["--url", "http://127.0.0.1:9", "--data", str(tmp_path)]) == api.EXIT_NOT_MEASURED
    assert "there is no keys.json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_can_be_loaded(name: str) -> None:
    found = load_suite(name)
    assert found.question.endswith("?")
    assert {step.count(".") for step in found.steps} == {1}
