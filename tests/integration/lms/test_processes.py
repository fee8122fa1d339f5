"""`halqa lms` and `halqa up` as a user meets them: start, links, a login, a second process, kill -9, and their end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from tests.integration.test_media_server import write_certificate
from tests.support.postgresql import Cluster

HALQA = [sys.executable, "-P", "-m", "halqa"]
START_SECONDS_MAX = 30.0


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HALQA_")}
    with subprocess.Popen(
        [*HALQA, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=START_SECONDS_MAX)


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(pattern, line):
            return match
    assert process.stderr is not None
    raise AssertionError(f"{pattern!r} was not written: {process.stderr.read()}")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: PLW1510 - the test looks at the exit code
        [*HALQA, *arguments], cwd=folder, capture_output=True, text=True, timeout=START_SECONDS_MAX
    )


def test_a_school_by_command_a_second_process_and_the_end(tmp_path: Path) -> None:
    made = run(tmp_path, "lms", "--data", "d", "create-organization", "--slug", "s-1", "--name", "S", "--owner", "O")
    assert re.search(r"code +OWN1001\n +password +\S{12,}", made.stdout), made.stderr
    with running(tmp_path, "lms", "--data", "d", "--port", "0") as process:
        read_until(process, r"http://127\.0\.0\.1:\d+")
        second = run(tmp_path, "lms", "--data", "d", "--port", "0")
        assert (second.returncode, f"another process ({process.pid})" in second.stderr) == (1, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS_MAX) == 0


async def test_two_processes_on_one_postgresql(tmp_path: Path, postgresql_cluster: Cluster) -> None:
    """Both migrate at the same time, and a login of one is taken by the other."""
    url = postgresql_cluster.url(postgresql_cluster.create())
    secret = "tokens.secrets=" + "x" * 40
    common = ("lms", "--port", "0", "--database", url, "--set", secret)
    with running(tmp_path, *common, "--data", "1") as one, running(tmp_path, *common, "--data", "2") as two:
        first, second = (read_until(each, r"http://127\.0\.0\.1:\d+")[0] for each in (one, two))
        made = run(
            *(tmp_path, *common, "--data", "1", "create-organization", "--slug", "s-1", "--name", "S", "--owner", "O"),
            *("--host", "school.example.org"),
        )
        found = re.search(r"code +(\S+)\n +password +(\S+)", made.stdout)
        assert found is not None, made.stderr
        async with aiohttp.ClientSession() as http:
            login = {"login": found[1], "password": found[2]}
            async with http.post(f"{first}/api/v1/auth/login", json=login) as answer:
                token = (await answer.json())["data"]["access_token"]
            bearer = {"Authorization": f"Bearer {token}"}
            async with http.get(f"{second}/api/v1/auth/me", headers=bearer) as answer:
                assert (await answer.json())["data"]["code"] == found[1]
            async with http.get(f"{second}/api/v1/organization/hosts", headers=bearer) as answer:
                (host,) = (await answer.json())["data"]
                assert (host["host"], host["state"]) == ("school.example.org", "verified")


async def test_up_starts_both_and_keeps_both(tmp_path: Path) -> None:
    port = free_port_with_one_ten_above()
    flags = ("--port", str(port), "--udp-port", "0", "--workers", "1")
    with running(tmp_path, "up", *flags) as process:
        read_until(process, rf"teacher +http://localhost:{port}/class")
        code = read_until(process, r"code +(\S+)")[1]
        password = read_until(process, r"password +(\S+)")[1]
        url = read_until(process, r"running: (http://127\.0\.0\.1:\d+)")[1]
        async with aiohttp.ClientSession() as http:
            login = {"login": code, "password": password}
            async with http.post(f"{url}/api/v1/auth/login", json=login) as answer:
                assert answer.status == 200
            os.kill(server_of(process.pid), signal.SIGKILL)
            deadline = time.monotonic() + START_SECONDS_MAX
            while True:
                try:
                    async with http.get(f"{url}/ready") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientError:
                    assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS_MAX) == 0


async def test_up_with_https_reaches_its_own_media_server(tmp_path: Path) -> None:
    """Its certificate is for another name than the one by which the LMS reaches it."""
    certificate, key = write_certificate(tmp_path)
    port = free_port_with_one_ten_above()
    flags = ("--port", str(port), "--udp-port", "0", "--workers", "1", "--tls-certificate", str(certificate))
    with running(tmp_path, "up", *flags, "--tls-key", str(key)) as process:
        code = read_until(process, r"code +(\S+)")[1]
        password = read_until(process, r"password +(\S+)")[1]
        url = read_until(process, r"running: (http://127\.0\.0\.1:\d+)")[1] + "/api/v1"
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{url}/auth/login", json={"login": code, "password": password}) as answer:
                bearer = {"Authorization": f"Bearer {(await answer.json())['data']['access_token']}"}
            now = datetime.now(UTC)
            times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat()}
            async with http.post(f"{url}/live-classes", json={"title": "Algebra", **times}, headers=bearer) as answer:
                made = (await answer.json())["data"]
            async with http.post(f"{url}/live-classes/{made['id']}/start", headers=bearer) as answer:
                assert answer.status == 200, await answer.text()
            async with http.post(f"{url}/live-classes/{made['id']}/join", json={}, headers=bearer) as answer:
                assert (await answer.json())["data"]["url"] == f"https://localhost:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS_MAX) == 0


def server_of(pid: int) -> int:
    """Return the process that serves the LMS: the child of the one that keeps it."""
    for child in children_of(pid):
        if b"up-lms" in (Path(f"/proc/{child}") / "cmdline").read_bytes():
            return children_of(child)[0]
    raise AssertionError("nobody keeps an LMS")


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port_with_one_ten_above() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 10))
            except (OSError, OverflowError):
                continue
            return port
