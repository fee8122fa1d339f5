"""`halqa demo` on both databases: what is filled in comes out by the API, and is not filled in twice."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE
from typing import Any

import aiohttp
import pytest

import halqa
from lms.api.rate_limits import RateLimitSettings
from lms.database.settings import DatabaseSettings
from lms.demo import cli
from lms.demo.courses import EXTRA_TITLE
from lms.demo.errors import DemoError
from lms.demo.fill import Demo, fill_school
from lms.service import LmsService
from lms.settings import HttpSettings, LmsSettings
from tests.integration.lms.test_processes import free_port_with_one_ten_above
from tests.support.postgresql import Cluster

pytestmark = pytest.mark.timeout(300)

STUDENTS = int(os.environ.get("HALQA_TEST_DEMO_STUDENTS", "6"))
PASSWORD = "correct horse battery"
FLAGS = ["--students", str(STUDENTS), "--weeks", "1", "--seed", "3", "--password", PASSWORD]
HALQA = [sys.executable, "-P", "-m", "halqa", "demo"]
START_S = 120.0  # four processes, on a computer that others use too
QUICK = RateLimitSettings(**{each.name: 1_000_000 for each in fields(RateLimitSettings)})


class Visitor:
    """Somebody who logs in to the service that is started on what was filled in."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.id = ""

    async def log_in(self, code: str) -> None:
        body = {"login": code, "password": PASSWORD}
        tokens = await self.ask("POST", "/auth/login", json=body)
        self._http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.id = tokens["me"]["id"]

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        async with self._http.request(method, f"/api/v1{path}", **more) as response:
            answer = await response.json()
        assert answer["success"], answer
        return answer["data"]

    async def get(self, path: str, **query: str) -> Any:
        return await self.ask("GET", path, params=query)


def test_a_school_is_filled_once_and_everything_comes_out(
    postgresql_cluster: Cluster,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    url = postgresql_cluster.url(postgresql_cluster.create())
    chosen = cli.read_chosen([*FLAGS, "--fill-only", "--data", str(tmp_path), "--database", url])
    assert cli.fill(chosen, cli.settings_of(chosen)) == cli.EXIT_OK
    told = capsys.readouterr()
    assert "Filling the school: people" in told.err
    for shown in ("TCH1001", "OWN1001", "STU1001", PASSWORD, EXTRA_TITLE):
        assert shown in told.out
    assert cli.fill(chosen, cli.settings_of(chosen)) == cli.EXIT_FAILED
    assert "there is a school 'demo' already; nothing was changed" in capsys.readouterr().err

    async def look() -> None:
        database = DatabaseSettings(url=url)
        settings = LmsSettings(data=tmp_path / "lms", database=database, http=HttpSettings(port=0), rate_limits=QUICK)
        service = await LmsService.start(settings)
        try:
            await look_around(service.url, "start")
        finally:
            await service.close()

    asyncio.run(look())


def test_the_whole_command_leaves_a_school_that_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite: filled, started, and the class that is on now open; stopped by Ctrl-C; not filled a second time."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    environment = {**os.environ, "HALQA_UDP_PORT": "0", "HALQA_WORKERS": "1"}
    command = [*HALQA, *FLAGS, "--data", "d", "--port", str(free_port_with_one_ten_above())]
    with subprocess.Popen(command, cwd=tmp_path, stdout=PIPE, stderr=PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            told = ""
            for line in process.stdout:
                told += line
                if "is on now" in line:
                    break
            found = re.search(r"is running: (http://127\.0\.0\.1:\d+)", told)
            assert found is not None, told
            assert "TCH1001" in told
            asyncio.run(look_around(found[1], "join"))
            process.send_signal(signal.SIGINT)
            assert process.wait(START_S) == 0
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=START_S)
    data = tmp_path / "d"
    assert halqa.main(["demo", *FLAGS, "--data", str(data)]) == cli.EXIT_FAILED
    assert f"Run it with `halqa up --data {data}`" in capfd.readouterr().err


async def look_around(url: str, deed: str) -> None:
    """See that everything is there; `deed` is what the teacher may do with the class that is on now."""
    await look_as_teacher(url, deed)
    await look_as_student(url)
    await look_as_owner(url)


async def look_as_teacher(url: str, deed: str) -> None:
    async with aiohttp.ClientSession(url) as http:
        visitor = Visitor(http)
        await visitor.log_in("TCH1001")
        classes = await visitor.get("/live-classes", limit="100")
        now = datetime.now(UTC)
        (extra,) = [each for each in classes if each["title"] == EXTRA_TITLE]
        assert datetime.fromisoformat(extra["starts_at"]) < now < datetime.fromisoformat(extra["ends_at"])
        assert deed in extra["allowed"]
        held = [each for each in classes if each["status"] == "ended"]
        assert held
        assert any(datetime.fromisoformat(each["starts_at"]) > now for each in classes)
        for each in held[:3]:
            sheet = await visitor.get(f"/live-classes/{each['id']}/attendance")
            assert sheet["state"] == "final"
            assert not sheet["incomplete"]
            assert len(sheet["members"]) == sum(sheet["counts"].values()) > 0
        report = await visitor.get(f"/courses/{held[0]['course_id']}/attendance")
        assert report["runs"] >= 1
        assert float(report["rate"]) > 20
        async with http.get(f"/api/v1/courses/{held[0]['course_id']}/attendance.csv") as response:
            assert response.status == 200
        book = await visitor.get(f"/courses/{held[0]['course_id']}/gradebook")
        assert all(row["total"]["percent"] is not None for row in book)
        rooms = await visitor.get("/rooms")
        assert any(room["last_seq"] >= 3 for room in rooms)


async def look_as_student(url: str) -> None:
    async with aiohttp.ClientSession(url) as http:
        visitor = Visitor(http)
        await visitor.log_in("STU1001")
        overview = await visitor.get(f"/users/{visitor.id}/attendance")
        assert len(overview["courses"]) == 2
        assert all(each["percent"] is not None for each in await visitor.get("/grades"))


async def look_as_owner(url: str) -> None:
    async with aiohttp.ClientSession(url) as http:
        visitor = Visitor(http)
        await visitor.log_in("OWN1001")
        assert (await visitor.get("/audit/check"))["whole"]
        people = await visitor.get("/users", limit="100", role="student")
        assert len(people) == STUDENTS


def test_what_was_begun_is_taken_away_when_it_fails(tmp_path: Path) -> None:
    demo = Demo(seed=3, students=2, weeks=1, time_zone="Asia/Riyadh", slug="demo", password=PASSWORD)

    def stop(step: str) -> None:
        if step == "courses":
            raise DemoError("the test stops it")

    with pytest.raises(DemoError, match="the test stops it"):
        asyncio.run(fill_school(LmsSettings(data=tmp_path), demo, stop))
    assert not list(tmp_path.glob("lms.sqlite*"))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--students", "1"], "flag --students is 1, expected 2 to 200"),
        (["--time-zone", "Mars/Olympus"], "flag --time-zone is 'Mars/Olympus'"),
        (["--slug", "No!"], "flag --slug is 'No!'"),
        (["--password", "short"], "flag --password has 5 characters"),
        (["--weeks", "99"], "flag --weeks is 99, expected 1 to 12"),
    ],
)
def test_flags_that_cannot_work_are_named(flags: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--fill-only", *flags]) == cli.EXIT_USAGE
    assert said in capsys.readouterr().err
