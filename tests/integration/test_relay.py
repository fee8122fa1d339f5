"""The relay on real sockets: its log says exactly what the far end misses, and it decides again what it decided."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.relay import main
from benchmarks.relay.direction import Change, Entry
from benchmarks.relay.impairment import Fate
from benchmarks.relay.log import LogWriter, replay
from benchmarks.relay.packet import digest, flip
from tests.support.relay import WatchedRelay, open_watched_relay

SEEDS = 20
PACKETS = 400
AT_ONCE = 50
PATIENCE_S = 10.0
BAD = "loss=8% burst=2 delay=2ms jitter=4ms unordered duplicate=3% corrupt=2% rate=40Mbit queue=10ms"


UP_SSRC, DOWN_SSRC = 7, 9


def rtp(number: int, ssrc: int = UP_SSRC, size: int = 300) -> bytes:
    """Return a packet with an RTP header, and its number once more behind."""
    return b"\x80\x60" + number.to_bytes(2) + bytes(4) + ssrc.to_bytes(4) + number.to_bytes(4) + bytes(size - 16)


class FarEnd:
    """A plain UDP socket, read by the event loop."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.received: list[tuple[bytes, tuple[str, int]]] = []
        self.before = 0
        """How much of it came before the test's own packets."""

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def packets(self) -> list[bytes]:
        return [datagram for datagram, _ in self.received]

    @property
    def sources(self) -> list[tuple[str, int]]:
        """Addresses in the order in which they were first seen."""
        return list(dict.fromkeys(source for _, source in self.received))

    def read(self) -> None:
        while True:
            try:
                self.received.append(self.socket.recvfrom(2048))
            except BlockingIOError:
                return

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.received) < count:
                await asyncio.sleep(0.002)
                self.read()


@pytest.fixture
def ends() -> Iterator[tuple[FarEnd, FarEnd]]:
    """Return client and server."""
    client, server = FarEnd(), FarEnd()
    with closing(client.socket), closing(server.socket):
        yield client, server


async def exchange(watched: WatchedRelay, client: FarEnd, server: FarEnd, up: list[bytes], down: list[bytes]) -> None:
    """Send packets both ways, then wait until all that the relay let pass has come."""
    relay = ("127.0.0.1", watched.relay.port)
    for start in range(0, max(len(up), len(down)), AT_ONCE):
        for datagram in up[start : start + AT_ONCE]:
            client.socket.sendto(datagram, relay)
        for datagram in down[start : start + AT_ONCE]:
            server.socket.sendto(datagram, server.received[-1][1])
        await asyncio.sleep(0.002)
        server.read()
    async with asyncio.timeout(PATIENCE_S):
        while len(watched.entries) < len(up) + len(down):
            await asyncio.sleep(0.002)
    for way, end in (("up", server), ("down", client)):
        copies = sum(len(entry.verdict.leaves_s) for entry in watched.entries if entry.direction == way)
        await end.wait_for(copies + end.before)


async def meet(watched: WatchedRelay, client: FarEnd, server: FarEnd) -> None:
    """Send one packet up, so that the server knows where to answer, then forget it."""
    client.socket.sendto(b"hello", ("127.0.0.1", watched.relay.port))
    await server.wait_for(1)
    server.before = 1
    watched.log.clear()


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_the_log_says_what_the_far_end_misses(seed: int, ends: tuple[FarEnd, FarEnd]) -> None:
    client, server = ends
    up = [rtp(number, UP_SSRC) for number in range(PACKETS)]
    down = [rtp(number, DOWN_SSRC) for number in range(PACKETS)]
    async with open_watched_relay(server.port, seed=seed) as watched:
        await meet(watched, client, server)
        watched.relay.change(up=BAD, down=BAD)
        await exchange(watched, client, server, up, down)
        assert watched.relay.unread == watched.relay.unsent == 0
    for way, sent, received in (("up", up, server.packets[1:]), ("down", down, client.packets)):
        entries = [entry for entry in watched.entries if entry.direction == way]
        assert [entry.digest for entry in entries] == [digest(datagram) for datagram in sent], "each is in the log"
        expected = Counter[bytes]()
        for entry, datagram in zip(entries, sent, strict=True):
            bit = entry.verdict.flipped_bit
            expected[datagram if bit is None else flip(datagram, bit)] += len(entry.verdict.leaves_s)
        assert Counter(received) == +expected, "what comes is what the log lets pass, damage and doubles included"
        dropped = {entry.sequence_number for entry in entries if entry.is_dropped}
        missing = set(sent) - {flip_back(datagram, entries) for datagram in received}
        assert {int.from_bytes(datagram[2:4]) for datagram in missing} == dropped
        assert dropped


async def test_a_blackout_ends_by_itself(ends: tuple[FarEnd, FarEnd]) -> None:
    client, server = ends
    async with open_watched_relay(server.port) as watched:
        await meet(watched, client, server)
        watched.relay.change(up="blackout=300ms")
        await exchange(watched, client, server, [rtp(number) for number in range(10)], [])
        assert len(watched.dropped("up")) == 10
        async with asyncio.timeout(PATIENCE_S):
            while len(server.received) == 1:
                client.socket.sendto(rtp(11), ("127.0.0.1", watched.relay.port))
                await asyncio.sleep(0.02)
                server.read()
        passed = next(entry for entry in watched.entries if not entry.is_dropped)
        assert passed.at_s - watched.entries[0].at_s >= 0.25


async def test_a_rebinding_gives_a_new_source_and_ends_the_old(ends: tuple[FarEnd, FarEnd]) -> None:
    client, server = ends
    async with open_watched_relay(server.port, up="200ms rebind") as watched:
        await meet(watched, client, server)
        async with asyncio.timeout(PATIENCE_S):
            while len(server.sources) < 2:
                client.socket.sendto(rtp(1), ("127.0.0.1", watched.relay.port))
                await asyncio.sleep(0.02)
                server.read()
        old, new = server.sources
        server.socket.sendto(rtp(2), old)
        server.socket.sendto(rtp(3), new)
        await client.wait_for(1)
        async with asyncio.timeout(PATIENCE_S):
            while not watched.dropped("down"):
                await asyncio.sleep(0.002)
        assert client.packets == [rtp(3)]
        assert [(entry.sequence_number, entry.verdict.fate) for entry in watched.dropped("down")] == [
            (2, Fate.UNMAPPED)
        ]
        watched.relay.rebind()
        client.socket.sendto(rtp(4), ("127.0.0.1", watched.relay.port))
        await server.wait_for(len(server.received) + 1)
        assert len(server.sources) == 3
        assert watched.relay.rebindings == 2


async def test_clients_do_not_get_each_others_packets(ends: tuple[FarEnd, FarEnd]) -> None:
    client, server = ends
    other = FarEnd()
    with closing(other.socket):
        async with open_watched_relay(server.port) as watched:
            for number, end in enumerate((client, other)):
                end.socket.sendto(rtp(number), ("127.0.0.1", watched.relay.port))
                await server.wait_for(number + 1)
            for datagram, source in server.received:
                server.socket.sendto(datagram, source)
            await client.wait_for(1)
            await other.wait_for(1)
        assert (client.packets, other.packets) == ([rtp(0)], [rtp(1)])


async def test_a_server_that_is_gone_ends_nothing(ends: tuple[FarEnd, FarEnd]) -> None:
    client, server = ends
    async with open_watched_relay(server.port) as watched:
        port = server.port
        server.socket.close()
        for number in range(20):
            client.socket.sendto(rtp(number), ("127.0.0.1", watched.relay.port))
            await asyncio.sleep(0.002)
        server.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.socket.bind(("127.0.0.1", port))
        server.socket.setblocking(False)
        async with asyncio.timeout(PATIENCE_S):
            while not server.received:
                client.socket.sendto(rtp(99), ("127.0.0.1", watched.relay.port))
                await asyncio.sleep(0.01)
                server.read()
        assert watched.relay.unsent > 0
    server.socket.close()


def flip_back(datagram: bytes, entries: list[Entry]) -> bytes:
    """Return a packet as it was sent: damage may have hit its number, so the filler's copy of it may have to tell."""
    for candidate in (datagram, *(flip(datagram, bit) for bit in _bits(entries))):
        if candidate[2:4] == candidate[14:16] and digest(candidate) in _digests(entries):
            return candidate
    raise AssertionError(f"nobody sent {datagram[:16].hex()}")


def _bits(entries: list[Entry]) -> list[int]:
    return [entry.verdict.flipped_bit for entry in entries if entry.verdict.flipped_bit is not None]


def _digests(entries: list[Entry]) -> set[str]:
    return {entry.digest for entry in entries}


async def run_command(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks",
        "relay",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_command_relays_writes_its_log_and_replays(ends: tuple[FarEnd, FarEnd], tmp_path: Path) -> None:
    client, server = ends
    log = tmp_path / "relay.jsonl"
    flags = ["--server", f"127.0.0.1:{server.port}", "--seed", "5", "--log", str(log), "--up", BAD]
    process = await run_command("--listen", "0", *flags)
    assert process.stderr is not None
    relay = ("127.0.0.1", int((await process.stderr.readline()).split()[3]))
    for number in range(PACKETS):
        client.socket.sendto(rtp(number), relay)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0.005)
    await server.wait_for(PACKETS // 2)
    await asyncio.sleep(0.2)
    process.terminate()
    printed, complaint = await process.communicate()
    assert (process.returncode, complaint) == (0, b"")
    report = json.loads(printed)
    assert report["up"]["passed"] + sum(report["up"]["dropped"].values()) == PACKETS
    assert report["unread"] == 0

    result = replay(log)
    assert (result.packets, result.different) == (PACKETS, ())
    assert result.dropped == sum(report["up"]["dropped"].values())
    assert main(["--replay", str(log)]) == 0
    log.write_text(log.read_text().replace('"seed":5', '"seed":6'))
    assert main(["--replay", str(log)]) == 1, "another seed decides otherwise"


async def test_changes_are_replayed_too(ends: tuple[FarEnd, FarEnd], tmp_path: Path) -> None:
    client, server = ends
    path = tmp_path / "relay.jsonl"
    async with open_watched_relay(server.port, seed=9, up="delay=1ms") as watched:
        await exchange(watched, client, server, [rtp(number) for number in range(50)], [])
        watched.relay.change(up="loss=50%; 10ms clear")
        await exchange(watched, client, server, [rtp(number) for number in range(100)], [])
    with LogWriter(path, seed=9, up="delay=1ms", down="") as write:
        for event in watched.log:
            write(event)
    assert any(isinstance(event, Change) for event in watched.log)
    assert replay(path).different == ()


@pytest.mark.parametrize(
    ("flags", "code", "complaint"),
    [
        ([], 2, "--listen and --server are needed"),
        (["--listen", "x", "--server", "127.0.0.1:1"], 2, "'x' is no address"),
        (["--listen", "0", "--server", "127.0.0.1:1", "--up", "los=5%"], 2, "'los' is not known"),
        (["--listen", "0", "--server", "127.0.0.1:1", "--down", "1s rebind"], 2, "belongs into --up"),
        (["--listen", "0", "--server", "127.0.0.1:1", "--seconds", "-1"], 2, "no positive number"),
        (["--listen", "192.0.2.1:9", "--server", "127.0.0.1:1"], 1, "cannot listen on 192.0.2.1 port 9: Cannot assign"),
        (["--listen", "0", "--server", "no-such.invalid:1"], 1, "'no-such.invalid' is no host"),
        (["--listen", "0", "--server", "127.0.0.1:1", "--log", "/proc/log"], 1, "/proc/log: No such file"),
        (["--replay", "no-such-file"], 1, "No such file"),
        (["--replay", "pyproject.toml"], 1, "pyproject.toml, line 1"),
    ],
)
def test_bad_input_is_a_sentence_and_an_exit_code(
    flags: list[str], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(flags)
    except SystemExit as end:
        found = int(str(end.code))
    assert found == code
    assert complaint in capsys.readouterr().err
