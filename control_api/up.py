"""`halqa up`: everything on one computer with defaults, links to try it with, and a server that comes back.

It runs the same server that an operator would start, as a child that it starts again when it ends by itself: killed,
crashed, or drained by an operator's request. Signals go down, the exit code comes up.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from control_api.app import MediaServer
from control_api.invitations import Invitation, Role
from control_api.keys import ApiKey, open_keys
from control_api.listen import open_listening_socket
from control_api.run import EXIT_FAILED, run_server
from control_api.settings import ServerSettings, SettingsError
from control_api.supervisor import Supervisor
from media.errors import LocalError

LINK_SECONDS: Final = 24 * 3600.0  # a day: long enough for a try, short enough to forget


class _Ready(NamedTuple):
    """What a child says once it works; the next child takes the same ports."""

    url: str
    udp_port: int


class Running(NamedTuple):
    """What something beside the media server needs to reach it."""

    url: str
    key: str
    """Of the API, as ID:SECRET."""
    data: Path
    certificate: Path | None
    """The server's own, of HTTPS: on this computer it is reached by another name than the certificate's."""


Beside = Callable[[Running], AbstractContextManager[str]]
"""Starts something beside the media server; yields what a user is told of it, and ends it."""


def run_up(settings: ServerSettings, *, room: str, beside: Beside | None = None) -> int:
    """Start the media server, print what to do next and wait for its end; raises StartError and SettingsError."""
    invitations = [_invite(room, Role.TEACHER), _invite(room, Role.STUDENT)]
    key = open_keys(settings.data).first
    listening = open_listening_socket(settings.http)

    def run(tell: Callable[[str], None], before: str | None) -> int:
        media = settings.media
        if before is not None:
            media = replace(media, udp_port=msgspec.json.decode(before, type=_Ready).udp_port)

        def ready(server: MediaServer) -> None:
            tell(msgspec.json.encode(_Ready(server.url, server.engine.udp_ports[0])).decode())

        try:
            return run_server(replace(settings, media=media), listening=listening, ready=ready)
        except LocalError as error:
            print(f"halqa: {error}", file=sys.stderr)
            return EXIT_FAILED

    def greet(line: str) -> None:
        url = localhost_url(msgspec.json.decode(line, type=_Ready).url)
        print(welcome(url, key, settings.data, invitations), flush=True)
        if beside is not None:
            secret = f"{key.key_id}:{key.secret.decode()}"
            running = Running(url, secret, settings.data, settings.http.tls_certificate)
            print(started.enter_context(beside(running)), flush=True)

    with ExitStack() as started, listening:
        return Supervisor(run, on_first_ready=greet).supervise()


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
