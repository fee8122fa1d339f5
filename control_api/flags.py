"""The flags of the `halqa` command, and the settings that they, the environment and a file make together."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from control_api.configuration import TREE
from control_api.invitations import Role
from control_api.keys.command import EPILOG as KEYS_EPILOG
from control_api.keys.command import add_keys_flags
from control_api.settings import (
    DRAIN_TIMEOUT_S_DEFAULT,
    HTTP_PORT_DEFAULT,
    UDP_PORT_DEFAULT,
    ServerSettings,
    SettingsError,
)
from webapi.configuration.load import Loaded, load_settings
from webapi.configuration.settings_tree import DATA_PATH
from webapi.configuration.sources import (
    Given,
    Layer,
    read_assignments,
    read_environment,
    read_file,
    read_flags,
)

CONFIG_VARIABLE: Final = TREE.config_variable

DATA_DEFAULT: Final = Path("halqa-data")
ROOM_DEFAULT: Final = "class"
HOURS_DEFAULT: Final = 12.0
LOCAL_SERVER: Final = f"http://localhost:{HTTP_PORT_DEFAULT}"

_EXIT_CODES: Final = """\
exit codes:
  0  done, or stopped by SIGINT or SIGTERM
  1  could not start, or failed; standard error says why
  2  wrong flags or settings
"""

_HALQA: Final = f"""\
examples:
  halqa up
  halqa media --port 8080 --data /var/lib/halqa
  halqa token --room algebra --identity t1 --role teacher
  halqa keys create --name "LMS of school A" --rooms "school-a.*"
  halqa lms --data /var/lib/halqa-lms    (the learning management system; `halqa lms --help`)
  halqa demo                             (a school to look at, filled and running; `halqa demo --help`)

`halqa COMMAND --help` says more.

{_EXIT_CODES}"""

_MEDIA: Final = f"""\
examples:
  halqa media --port 8080 --data /var/lib/halqa
  halqa media --data /var/lib/halqa --advertise 203.0.113.7 --udp-port 40000 --workers 4
  halqa media --data /var/lib/halqa --host 0.0.0.0 --tls-certificate chain.pem --tls-key key.pem

Each setting can come from a TOML file (--config or HALQA_CONFIG), from the environment (HALQA_PORT, HALQA_UDP_PORT,
...) and by a flag; the flag wins over the environment, and that over the file. `halqa media --print-config` lists all
settings, control_api/settings.md explains them. A data folder without API keys gets one, in keys.json.
Clients reach the HTTP port, by a proxy or straight, and straight one UDP port for each worker.

SIGTERM drains: no new rooms, clients are told, and the server ends when all have gone or the time is over; a second
SIGTERM, or SIGINT, ends it at once. SIGHUP reads the TLS files again (they are looked at every few seconds anyway);
where standard error is a terminal it means that the terminal was closed, and ends the server.

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


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command; it sets `command` and, by it, what the functions below read."""
    parser = argparse.ArgumentParser(
        prog="halqa",
        description="Media server for live classes.",
        epilog=_HALQA,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    media = _add_command(commands, "media", "run a media server", _MEDIA)
    _add_server_flags(media)
    media.add_argument("--print-config", action="store_true", help="print the settings in force, without secrets")

    up = _add_command(commands, "up", "run everything on this computer and print links to try it with", _UP)
    _add_server_flags(up)
    up.add_argument("--room", default=ROOM_DEFAULT, help="room that the links open (default: %(default)s)")

    token = _add_command(commands, "token", "make a token or a link for one person and one room", _TOKEN)
    _add_token_flags(token)

    keys = _add_command(commands, "keys", "make, list, rotate and revoke API keys", KEYS_EPILOG)
    for command in add_keys_flags(keys):
        _add_config_flag(command)
        _add_data_flag(command)
    return parser


def read_settings(chosen: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Loaded[ServerSettings]:
    """Return the settings of a media server; raises SettingsError for a value that cannot work."""
    flags = {flag.name: flag.path for flag in SHORT_FLAGS}
    given = {flag.name: getattr(chosen, flag.attribute, None) for flag in SHORT_FLAGS}
    layers: list[Layer] = [
        _once(read_assignments(TREE, getattr(chosen, "set", None) or ()), read_flags(TREE, given, flags)),
        read_environment(TREE, environment, {flag.variable: flag.path for flag in SHORT_FLAGS}),
    ]
    file = getattr(chosen, "config", None) or environment.get(CONFIG_VARIABLE)
    if file:
        layers.append(read_file(TREE, Path(file)))
    layers.append(_COMMAND_DEFAULTS.get(chosen.command, {}))
    return load_settings(TREE, layers)


def _once(assignments: Layer, flags: Layer) -> Layer:
    for path in assignments.keys() & flags.keys():
        raise SettingsError(f"{assignments[path].source} and {flags[path].source} name one setting; give one of them")
    return {**assignments, **flags}


class ShortFlag(NamedTuple):
    """A setting that has a flag and a variable of a short name."""

    name: str
    path: str
    metavar: str
    help: str
    repeated: bool = False

    @property
    def attribute(self) -> str:
        return self.name.removeprefix("--").replace("-", "_")

    @property
    def variable(self) -> str:
        return TREE.prefix + self.attribute.upper()


_DATA_FLAG: Final = ShortFlag("--data", DATA_PATH, "DIR", "folder for API keys and the journal; made if it is missing")
SHORT_FLAGS: Final = (
    _DATA_FLAG,
    ShortFlag(
        "--port", "http.port", "N", f"TCP port for HTTP and WebSocket; 0 takes any (default: {HTTP_PORT_DEFAULT})"
    ),
    ShortFlag("--host", "http.host", "IP", "address to serve them at; 0.0.0.0 for all (default: 127.0.0.1)"),
    ShortFlag("--tls-certificate", "http.tls_certificate", "FILE", "PEM file with the certificate chain: HTTPS"),
    ShortFlag("--tls-key", "http.tls_key", "FILE", "PEM file with its private key"),
    ShortFlag(
        "--udp-port",
        "media.udp_port",
        "N",
        f"UDP port of the first worker, the next ones follow (default: {UDP_PORT_DEFAULT})",
    ),
    ShortFlag("--media-address", "media.bind_address", "IP", "address for media (default: 0.0.0.0, all of IPv4)"),
    ShortFlag("--workers", "media.workers", "N", "data-plane threads (default: one a core)"),
    ShortFlag(
        "--advertise",
        "media.advertise",
        "IP",
        "address that clients are told to send media to, e.g. the public one behind NAT; may be repeated "
        "(default: those of this host)",
        repeated=True,
    ),
    ShortFlag(
        "--drain-timeout-s",
        "drain.timeout_s",
        "S",
        f"seconds from SIGTERM on for running classes (default: {DRAIN_TIMEOUT_S_DEFAULT:g})",
    ),
    ShortFlag("--log-level", "logs.level", "LEVEL", "debug, info, warning or error (default: info)"),
    ShortFlag("--log-format", "logs.format", "FORMAT", "text, json, or auto by what standard error is (default: auto)"),
)

_UP_SOURCE: Final = "default of `halqa up`"
_COMMAND_DEFAULTS: Final[Mapping[str, Layer]] = {
    "up": {
        DATA_PATH: Given(DATA_DEFAULT, _UP_SOURCE),
        "logs.level": Given("warning", _UP_SOURCE),  # whoever tries it reads links
    },
    "token": {DATA_PATH: Given(DATA_DEFAULT, "default of `halqa token`")},
    "keys": {DATA_PATH: Given(DATA_DEFAULT, "default of `halqa keys`")},
}


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


def _add_server_flags(parser: argparse.ArgumentParser) -> None:
    _add_config_flag(parser)
    for flag in SHORT_FLAGS:
        parser.add_argument(
            flag.name, metavar=flag.metavar, help=flag.help, action="append" if flag.repeated else "store"
        )
    parser.add_argument(
        "--set",
        action="append",
        metavar="PATH=VALUE",
        help="any setting by its place in the file, e.g. signaling.room.participants_max=50; may be repeated",
    )


def _add_config_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help=f"settings file in TOML (default: {CONFIG_VARIABLE}, or none)")


def _add_data_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        _DATA_FLAG.name, metavar="DIR", help=f"folder that holds the API keys (default: {DATA_DEFAULT})"
    )


def _add_token_flags(parser: argparse.ArgumentParser) -> None:
    _add_config_flag(parser)
    _add_data_flag(parser)
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
