"""`halqa up`: everything on one computer with defaults, and links to try it with.

It starts the same process that an operator would start, and stays its parent: signals go down, the exit code comes up.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

from control_api.invitations import Invitation, Role
from control_api.keys import ApiKey, open_keys
from control_api.run import EXIT_FAILED, EXIT_OK, STOP_SIGNALS
from control_api.settings import SettingsError

LINK_SECONDS: Final = 24 * 3600.0  # a day: long enough for a try, short enough to forget


def run_up(flags: Sequence[str], *, data: Path, room: str) -> int:
    """Start the media server with these flags of `halqa media`, print what to do next and wait for its end."""
    invitations = [_invite(room, Role.TEACHER), _invite(room, Role.STUDENT)]
    key = open_keys(data).first
    ready, ready_write = os.pipe()
    # -P: a folder called media or signaling, wherever this is typed, must not take the place of ours.
    command = [sys.executable, "-P", "-m", "control_api", "media", *flags, "--ready-fd", str(ready_write)]
    with _stop_signals_for_child() as relay, os.fdopen(ready) as lines:
        with subprocess.Popen(command, pass_fds=(ready_write,)) as child:  # noqa: S603 - our own program
            relay.attach(child)
            os.close(ready_write)
            if url := lines.readline().strip():
                print(welcome(localhost_url(url), key, data, invitations), flush=True)
        return relay.exit_code


def welcome(url: str, key: ApiKey, data: Path, invitations: Sequence[Invitation]) -> str:
    """Return what a new user reads: the links, what next, and where things are kept."""
    links = "\n".join(f"  {each.role.value}  {each.link(key, url)}" for each in invitations)
    room = invitations[0].room
    more = ["token", "--data", str(data), "--room", room, "--identity", "student-2", "--role", "student", "--link", url]
    return f"""
Halqa is running. Open each link in a browser window of its own:

{links}

They open the room "{room}" for 24 hours. A link is one person's: make one for each further student with

  {own_command()} {shlex.join(more)}

Browsers on other computers give a camera to HTTPS pages only: see "From another computer" in README.md.
Stop with Ctrl-C.
"""


def own_command() -> str:
    """Return how to call `halqa` from where the user is: it is on the path only if he put it there."""
    beside = Path(sys.executable).with_name("halqa")
    if shutil.which("halqa") or not beside.exists():
        return "halqa"
    return shlex.quote(str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside))


def localhost_url(url: str) -> str:
    """Return the URL for a browser on this computer: without HTTPS it gives a camera to `localhost` alone."""
    parts = urlsplit(url)
    if parts.hostname in {"127.0.0.1", "0.0.0.0", "::1", "::"}:
        return f"{parts.scheme}://localhost:{parts.port}"
    return url


def _invite(room: str, role: Role) -> Invitation:
    try:
        return Invitation(room=room, identity=f"{role.value}-1", role=role, expires_at=time.time() + LINK_SECONDS)
    except ValueError as error:
        raise SettingsError(str(error)) from None


class _Relay:
    """Hands stop signals on to the child; one that comes before there is a child waits for it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = False

    def attach(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        if self._asked:
            child.terminate()

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        if self._child is not None:
            self._child.terminate()

    @property
    def exit_code(self) -> int:
        """The child's, once it ended; stopped before it could handle the signal is as good as stopped."""
        code = self._child.returncode if self._child is not None else EXIT_FAILED
        if code >= 0:
            return code
        return EXIT_OK if self._asked else EXIT_FAILED


@contextmanager
def _stop_signals_for_child() -> Iterator[_Relay]:
    relay = _Relay()
    before = {number: signal.signal(number, relay.on_signal) for number in STOP_SIGNALS}
    try:
        yield relay
    finally:
        for number, disposition in before.items():
            signal.signal(number, disposition)
