"""The flags of the `halqa` command, their defaults from the environment, and what they make: settings."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from control_api.invitations import Role
from control_api.logs import LEVELS
from control_api.settings import (
    HTTP_HOST_DEFAULT,
    HTTP_PORT_DEFAULT,
    MEDIA_ADDRESS_DEFAULT,
    UDP_PORT_DEFAULT,
    HttpSettings,
    MediaSettings,
    ServerSettings,
)

ENVIRONMENT_PREFIX: Final = "HALQA_"
DATA_DEFAULT: Final = Path("halqa-data")
ROOM_DEFAULT: Final = "class"
HOURS_DEFAULT: Final = 12.0
LOCAL_SERVER: Final = f"http://localhost:{HTTP_PORT_DEFAULT}"

_EXIT_CODES: Final = """\
exit codes:
  0  done, or stopped by SIGINT, SIGTERM or SIGHUP
  1  could not start, or failed; standard error says why
  2  wrong flags
"""

_HALQA: Final = f"""\
examples:
  halqa up
  halqa media --port 8080 --data /var/lib/halqa
  halqa token --room algebra --identity t1 --role teacher

`halqa COMMAND --help` says more.

{_EXIT_CODES}"""

_MEDIA: Final = f"""\
examples:
  halqa media --port 8080 --data /var/lib/halqa
  halqa media --data /var/lib/halqa --advertise 203.0.113.7 --udp-port 40000 --workers 4
  halqa media --data /var/lib/halqa --host 0.0.0.0 --tls-certificate chain.pem --tls-key key.pem

Each flag can come from the environment too (HALQA_PORT, HALQA_UDP_PORT, ...; HALQA_ADVERTISE takes several addresses
with commas between); the flag wins. A data folder without API keys gets one, in keys.json.
Clients reach the HTTP port, by a proxy or straight, and straight one UDP port for each worker.

{_EXIT_CODES}"""

_UP: Final = f"""\
examples:
  halqa up
  halqa up --port 9000 --room algebra

{_EXIT_CODES}"""

_TOKEN: Final = f"""\
examples:
  halqa token --room algebra --identity t1 --role teacher
  halqa token --room algebra --identity s17 --role student --name "Muna" --hours 2
  halqa token --room algebra --identity s17 --role student --link https://class.example.org

A teacher may publish camera, microphone and screen, a student camera and microphone, a viewer nothing.
Somebody who comes with an identity that is in the room already takes the other's place.

{_EXIT_CODES}"""


def build_parser(environment: Mapping[str, str] = os.environ) -> argparse.ArgumentParser:
    """Return the parser of the whole command; it sets `command` and, by it, the fields used below."""
    parser = argparse.ArgumentParser(
        prog="halqa",
        description="Media server for live classes.",
        epilog=_HALQA,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    media = _add_command(commands, "media", "run a media server", _MEDIA)
    _add_server_flags(media, environment, None)
    media.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)  # how `halqa up` hears the URL

    up = _add_command(commands, "up", "run everything on this computer and print links to try it with", _UP)
    _add_server_flags(up, environment, DATA_DEFAULT)
    up.set_defaults(log_level=environment.get(_variable("--log-level"), "warning"))  # whoever tries it reads links
    up.add_argument("--room", default=ROOM_DEFAULT, help="room that the links open (default: %(default)s)")

    token = _add_command(commands, "token", "make a token or a link for one person and one room", _TOKEN)
    _add_token_flags(token, environment)
    return parser


def server_settings(chosen: argparse.Namespace) -> ServerSettings:
    """Return the settings of a media server; raises SettingsError for a value that cannot work."""
    return ServerSettings(
        data=chosen.data,
        http=HttpSettings(
            host=chosen.host,
            port=chosen.port,
            tls_certificate=chosen.tls_certificate,
            tls_key=chosen.tls_key,
        ),
        media=MediaSettings(
            bind_address=chosen.media_address,
            udp_port=chosen.udp_port,
            workers=chosen.workers,
            advertise=tuple(chosen.advertise or chosen.advertise_default),
        ),
    )


def media_flags(settings: ServerSettings, *, log_level: str) -> list[str]:
    """Return the flags of `halqa media` that make these settings again."""
    http, media = settings.http, settings.media
    flags = ["--data", str(settings.data), "--log-level", log_level]
    flags += ["--host", http.host, "--port", str(http.port)]
    if http.tls_certificate is not None:
        flags += ["--tls-certificate", str(http.tls_certificate), "--tls-key", str(http.tls_key)]
    flags += ["--media-address", media.bind_address, "--udp-port", str(media.udp_port), "--workers", str(media.workers)]
    return flags + [part for address in media.advertise for part in ("--advertise", address)]


def log_level(text: str) -> str:
    """Return the level, or raise ValueError: argparse then says that it is an invalid log_level value."""
    if text not in LEVELS:
        raise ValueError(text)
    return text


class _Flag(NamedTuple):
    """A flag whose default may come from the environment."""

    name: str
    type: Callable[[str], object]
    default: object
    metavar: str
    help: str


_SERVER_FLAGS: Final = (
    _Flag("--port", int, HTTP_PORT_DEFAULT, "N", "TCP port for HTTP and WebSocket; 0 takes any (default: %(default)s)"),
    _Flag("--host", str, HTTP_HOST_DEFAULT, "IP", "address to serve them at; 0.0.0.0 for all (default: %(default)s)"),
    _Flag("--tls-certificate", Path, None, "FILE", "PEM file with the certificate chain: HTTPS without a proxy"),
    _Flag("--tls-key", Path, None, "FILE", "PEM file with its private key"),
    _Flag(
        "--udp-port",
        int,
        UDP_PORT_DEFAULT,
        "N",
        "UDP port of the first worker, the next ones follow (default: %(default)s)",
    ),
    _Flag("--media-address", str, MEDIA_ADDRESS_DEFAULT, "IP", "address for media (default: %(default)s, all of IPv4)"),
    _Flag("--workers", int, os.cpu_count() or 1, "N", "data-plane threads (default: one a core, %(default)s here)"),
    _Flag("--log-level", log_level, "info", "LEVEL", f"{', '.join(LEVELS)} (default: %(default)s)"),
)


def _add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, epilog: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_server_flags(parser: argparse.ArgumentParser, environment: Mapping[str, str], data: Path | None) -> None:
    _add_data_flag(parser, environment, data)
    for flag in _SERVER_FLAGS:
        # A text goes through the flag's type: what is wrong in the environment is told like a wrong flag.
        default = environment.get(_variable(flag.name), flag.default)
        parser.add_argument(flag.name, type=flag.type, default=default, metavar=flag.metavar, help=flag.help)
    parser.add_argument(
        "--advertise",
        action="append",
        metavar="IP",
        default=None,
        help="address that clients are told to send media to, e.g. the public one behind NAT; may be repeated "
        "(default: those of this host)",
    )
    advertise = environment.get(_variable("--advertise"), "")
    parser.set_defaults(advertise_default=tuple(part.strip() for part in advertise.split(",") if part.strip()))


def _add_token_flags(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    _add_data_flag(parser, environment, DATA_DEFAULT)
    parser.add_argument("--room", required=True, help="room that it opens")
    parser.add_argument(
        "--identity", required=True, help="who it is for: unique in the room, stays the same over rejoins"
    )
    parser.add_argument("--role", type=Role, choices=list(Role), required=True, metavar="teacher|student|viewer")
    parser.add_argument("--name", help="name that the others see (default: the page asks)")
    parser.add_argument(
        "--hours", type=float, default=HOURS_DEFAULT, metavar="H", help="valid so long (default: %(default)s)"
    )
    parser.add_argument(
        "--link",
        nargs="?",
        const=LOCAL_SERVER,
        metavar="URL",
        help=f"print a link to the class page of the server at URL (default: {LOCAL_SERVER}) instead of the token",
    )


def _add_data_flag(parser: argparse.ArgumentParser, environment: Mapping[str, str], otherwise: Path | None) -> None:
    default = environment.get(_variable("--data"), otherwise)
    said = "" if default is None else " (default: %(default)s)"
    parser.add_argument(
        "--data",
        type=Path,
        default=default,
        required=default is None,
        metavar="DIR",
        help=f"folder that holds the API keys; made if it is missing{said}",
    )


def _variable(flag: str) -> str:
    return ENVIRONMENT_PREFIX + flag.removeprefix("--").replace("-", "_").upper()
