"""`halqa up` and `halqa media` as a user meets them: processes, links, pages, errors and their end."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from control_api.cli import main
from control_api.keys import open_keys
from signaling.identifiers import Source
from signaling.tokens import check_token

HALQA = [sys.executable, "-P", "-m", "control_api"]
ANY_PORTS = ["--port", "0", "--udp-port", "0", "--workers", "1"]
START_SECONDS_MAX = 20.0


class Program:
    """A running `halqa`, its output line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def read_until(self, pattern: str) -> re.Match[str]:
        """Return the first match in the lines that come; fails when the program ends without one."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"the program ended with {self.process.wait()} and never wrote {pattern!r}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(START_SECONDS_MAX)


@contextmanager
def running(*arguments: str, folder: Path) -> Iterator[Program]:
    with subprocess.Popen([*HALQA, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Program(process)
        finally:
            if process.poll() is None:
                process.terminate()
            assert process.stdout is not None
            process.stdout.read()


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HALQA, *arguments], cwd=folder, capture_output=True, text=True, timeout=START_SECONDS_MAX, check=False
    )


def children_of(number: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


def process_state(number: int) -> str:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def udp_ports_of(number: int) -> set[str]:
    """Return the local addresses of the UDP sockets that a process holds."""
    held = {str(entry.readlink()) for entry in Path(f"/proc/{number}/fd").iterdir() if entry.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if f"socket:[{row[9]}]" in held}


def http_status(port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS_MAX)
    try:
        client.request(method, path, headers=headers or {})
        return client.getresponse().status
    finally:
        client.close()


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + START_SECONDS_MAX
    while not condition():
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.02)


def test_up_prints_two_links_that_the_server_accepts(tmp_path: Path) -> None:
    with running("up", *ANY_PORTS, "--room", "جبر", folder=tmp_path) as program:
        links = [program.read_until(rf"{role} +(http://localhost:\d+/class#\S+)")[1] for role in ("teacher", "student")]
        more = program.read_until(r"(token --data .*)$")[1]
        assert program.stop() == 0
    keys = open_keys(tmp_path / "halqa-data")
    grants = []
    for link in links:
        fields = parse_qs(urlsplit(link).fragment)
        grants.append(check_token(fields["token"][0], keys, wallclock=time.time()))
        assert fields["room"] == [grants[-1].room] == ["جبر"]
    assert [each.identity for each in grants] == ["teacher-1", "student-1"]
    assert grants[0].publish == set(Source)
    assert grants[1].publish == {Source.CAMERA, Source.MICROPHONE}
    assert "student-2" in more


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_parent_and_child(number: signal.Signals, tmp_path: Path) -> None:
    with running("up", *ANY_PORTS, folder=tmp_path) as program:
        port = int(program.read_until(r"http://localhost:(\d+)/class")[1])
        children = children_of(program.process.pid)
        assert len(children) == 1
        assert program.stop(number) == 0
    assert not Path(f"/proc/{children[0]}").exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_server_that_is_killed_comes_back_on_the_same_ports(tmp_path: Path) -> None:
    with running("up", *ANY_PORTS, folder=tmp_path) as program:
        port = int(program.read_until(r"http://localhost:(\d+)/class")[1])
        (child,) = children_of(program.process.pid)
        before = udp_ports_of(child)
        started = time.monotonic()
        os.kill(child, signal.SIGKILL)
        assert http_status(port, "/livez") == 200, "who connects meanwhile waits, and is not refused"
        back_after_s = time.monotonic() - started
        (other,) = children_of(program.process.pid)
        assert other != child
        assert udp_ports_of(other) == before
        key = open_keys(tmp_path / "halqa-data").first
        shown = {"Authorization": aiohttp.encode_basic_auth(key.key_id, key.secret.decode())}
        assert http_status(port, "/drain?timeout_s=0", "POST", shown) == 202
        until(lambda: children_of(program.process.pid) not in ([other], []))
        assert http_status(port, "/readyz") == 200, "who drained is followed by one who takes rooms"
        assert program.stop() == 0
    print(f"back after {back_after_s:.2f} s")
    assert back_after_s < 5


def test_server_ends_with_its_parent(tmp_path: Path) -> None:
    with running("up", *ANY_PORTS, folder=tmp_path) as program:
        program.read_until("Stop with Ctrl-C")
        (child,) = children_of(program.process.pid)
        program.process.kill()
        program.process.wait(START_SECONDS_MAX)
        until(lambda: not Path(f"/proc/{child}").exists() or "Z" in process_state(child))


async def test_pages_health_and_metrics(tmp_path: Path) -> None:
    with running("up", *ANY_PORTS, folder=tmp_path) as program:
        server = program.read_until(r"(http://localhost:\d+)/class")[1]
        async with aiohttp.ClientSession(server) as client:
            async with client.get("/livez") as answer:
                assert (answer.status, await answer.json()) == (200, {"status": "alive"})
            async with client.get("/metrics") as answer:
                text = await answer.text()
                assert answer.content_type == "text/plain"
                assert "\nhalqa_datagrams_total " in text
                assert "\nhalqa_workers 1.0\n" in text
                assert "\nhalqa_participants 0.0\n" in text
            async with client.get("/class") as answer:
                assert (answer.status, answer.content_type) == (200, "text/html")
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                page = await answer.text()
            addresses = re.findall(r'(?:src|href)="([^"#]+)"', page)
            assert addresses, "the page loads its own scripts and styles"
            for address in addresses:
                async with client.get(f"/{address}") as answer:
                    assert answer.status == 200, address
                    if address.endswith(".js"):
                        assert answer.content_type in {"text/javascript", "application/javascript"}
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert program.stop() == 0


def test_token_command_agrees_with_the_server(tmp_path: Path) -> None:
    answer = run("token", "--room", "r", "--identity", "s2", "--role", "student", "--name", "Muna", folder=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    grants = check_token(answer.stdout.strip(), open_keys(tmp_path / "halqa-data"), wallclock=time.time())
    assert (grants.room, grants.identity, grants.name) == ("r", "s2", "Muna")
    link = run("token", "--room", "r", "--identity", "s2", "--role", "viewer", "--link", folder=tmp_path).stdout
    assert link.startswith("http://localhost:8080/class#room=r&token=")


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["media", "--data", "d", "--host", "192.0.2.99", *ANY_PORTS], 1, "this computer has no such address"),
        (["media", "--data", "d", "--media-address", "192.0.2.99", *ANY_PORTS], 1, "this computer has no such address"),
        (["media", "--data", "taken", *ANY_PORTS], 1, "data folder taken cannot be used: File exists"),
        (["up", "--data", "taken", *ANY_PORTS], 1, "data folder taken cannot be used: File exists"),
        (["up", "--room", "a/b", *ANY_PORTS], 2, "room name holds U+002F"),
        (
            ["media", "--data", "d", "--tls-certificate", "c", "--tls-key", "k", *ANY_PORTS],
            1,
            "No such file or directory",
        ),
        ([], 2, "required: COMMAND"),
    ],
)
def test_errors_are_one_clear_line(arguments: list[str], code: int, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    answer = run(*arguments, folder=tmp_path)
    assert complaint in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.returncode == code


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["media", "--host", "nowhere"], "HTTP host 'nowhere' is not an IP address"),
        (["media", "--port", "99999"], "HTTP port is 99999, expected 0 to 65535"),
        (["token", "--room", "r", "--identity", "i", "--role", "student", "--hours", "0"], "0 hours is not possible"),
        (["token", "--room", "r", "--identity", "i", "--role", "king"], "invalid Role value: 'king'"),
        (["media", "--log-level", "loud"], "flag --log-level is 'loud', expected one of debug"),
    ],
)
def test_flags_that_cannot_be_are_one_clear_line(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are told before anything begins, so this process does for all of them."""
    try:
        code = main([*arguments, "--data", str(tmp_path / "d")])
    except SystemExit as ended:  # argparse's way
        code = int(str(ended.code))
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert complaint in told.err
    assert not (tmp_path / "d").exists()


def test_taken_ports_are_named_with_the_flag_that_helps(tmp_path: Path) -> None:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("0.0.0.0", 0))
        port, udp_port = str(tcp.getsockname()[1]), str(udp.getsockname()[1])
        page = run("media", "--data", "d", "--port", port, "--udp-port", "0", folder=tmp_path)
        media = run("up", "--port", "0", "--udp-port", udp_port, "--workers", "1", folder=tmp_path)
    assert f"TCP port {port} of 127.0.0.1 is taken by another program; choose another with --port" in page.stderr
    assert f"UDP port {udp_port} of 0.0.0.0 is taken by another program; choose another with --udp-port" in media.stderr
    assert (page.returncode, media.returncode) == (1, 1)
