"""`halqa lms`: flags, settings, and the process with its signals."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import available_timezones

import uvloop

from lms.access.passwords import Passwords
from lms.api.languages import Language
from lms.database.backup import back_up
from lms.database.database import Database, database_url
from lms.errors import LmsError, SettingsError
from lms.ids import Ids
from lms.organizations.challenge import can_be_proven
from lms.organizations.make import NewOrganization, make_organization
from lms.organizations.messages import HOST_PATTERN, SLUG_PATTERN
from lms.service import SECRET_FILE, LmsService
from lms.settings import HTTP_PORT_DEFAULT, LmsSettings
from webapi.configuration.load import Loaded, load_settings
from webapi.configuration.settings_tree import DATA_PATH, SettingsTree
from webapi.configuration.show import show_settings
from webapi.configuration.sources import Layer, read_assignments, read_environment, read_file, read_flags
from webapi.garbage import collect_seldom
from webapi.logs import configure_logs

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2

TREE: Final = SettingsTree(LmsSettings, prefix="HALQA_LMS_", error=SettingsError, faults=(LmsError,))

_EPILOG: Final = """\
examples:
  halqa lms --data /var/lib/halqa-lms
  halqa lms --data /var/lib/halqa-lms create-organization --slug al-noor --name "Al Noor" --owner Huda
  halqa lms --data /var/lib/halqa-lms backup /backup/monday
  halqa lms --data /var/lib/halqa-lms --database postgresql://halqa@localhost/halqa

Each setting can come from a TOML file (--config or HALQA_LMS_CONFIG), from the environment (HALQA_LMS_HTTP_PORT, ...;
DATABASE_URL for the database) and by a flag; the flag wins over the environment, and that over the file.
SIGTERM and SIGINT end it, after the requests that are under way.

exit codes:
  0  stopped by SIGINT or SIGTERM
  1  could not start, or failed; standard error says why
  2  wrong flags or settings
"""


class ShortFlag(NamedTuple):
    """A setting that has a flag, and perhaps a variable, of a short name."""

    name: str
    path: str
    metavar: str
    help: str
    variable: str | None = None


SHORT_FLAGS: Final = (
    ShortFlag("--data", DATA_PATH, "DIR", "folder for the SQLite database and the secret of tokens"),
    ShortFlag("--port", "http.port", "N", f"TCP port; 0 takes any (default: {HTTP_PORT_DEFAULT})"),
    ShortFlag("--host", "http.host", "IP", "address to serve at (default: 127.0.0.1)"),
    ShortFlag("--public-url", "http.public_url", "URL", "how people reach it (default: as it is served)"),
    ShortFlag("--database", "database.url", "URL", "PostgreSQL (default: SQLite in the data folder)", "DATABASE_URL"),
    ShortFlag("--media-server", "media_server.url", "URL", "control API of the media server that classes run on"),
    ShortFlag("--log-level", "logs.level", "LEVEL", "debug, info, warning or error (default: info)"),
    ShortFlag("--log-format", "logs.format", "FORMAT", "text, json or auto (default: auto)"),
)


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    chosen = build_parser().parse_args(arguments)
    try:
        loaded = read_settings(chosen)
        if chosen.print_config:
            print(show_settings(TREE, loaded), end="")
            return EXIT_OK
        configure_logs(loaded.settings.logs.level, loaded.settings.logs.format)
        if chosen.command == "create-organization":
            return asyncio.run(create_organization(loaded.settings, chosen))
        if chosen.command == "backup":
            return run_backup(loaded.settings, chosen.folder)
        return run_service(loaded.settings, _tell)
    except SettingsError as error:
        print(f"halqa lms: {error}", file=sys.stderr)
        return EXIT_USAGE
    except LmsError as error:
        print(f"halqa lms: {error}", file=sys.stderr)
        return EXIT_FAILED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of `halqa lms`; it sets `command`."""
    parser = argparse.ArgumentParser(
        prog="halqa lms",
        description="Run the learning management system.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command="serve")
    commands = parser.add_subparsers(metavar="COMMAND")
    create = commands.add_parser("create-organization", help="make an organization and its owner, and end")
    create.set_defaults(command="create-organization")
    create.add_argument("--slug", required=True, help="short name, e.g. al-noor")
    create.add_argument("--name", required=True, help='e.g. "Al Noor School"')
    create.add_argument("--owner", required=True, metavar="NAME", help="who owns it")
    create.add_argument("--email", help="of the owner")
    create.add_argument("--time-zone", default="UTC", metavar="ZONE", help="e.g. Asia/Riyadh (default: UTC)")
    create.add_argument("--language", choices=[each.value for each in Language], default="en")
    create.add_argument(
        "--host",
        dest="hosts",  # `host` is where the service listens
        action="append",
        default=[],
        metavar="HOST",
        help="its own address, e.g. school.example.org, verified; may be repeated",
    )
    backup = commands.add_parser(
        "backup", help="copy the SQLite database into a new data folder, also while it is used"
    )
    backup.set_defaults(command="backup")
    backup.add_argument("folder", metavar="FOLDER", type=Path, help="a folder that is not there yet")
    parser.add_argument("--config", metavar="FILE", help="settings file in TOML")
    for flag in SHORT_FLAGS:
        parser.add_argument(flag.name, metavar=flag.metavar, help=flag.help)
    parser.add_argument("--set", action="append", metavar="PATH=VALUE", help="any setting; may be repeated")
    parser.add_argument("--print-config", action="store_true", help="print the settings in force, without secrets")
    return parser


def read_settings(chosen: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Loaded[LmsSettings]:
    """Return the settings; raises SettingsError for a value that cannot work."""
    given = {flag.name: getattr(chosen, flag.name.removeprefix("--").replace("-", "_")) for flag in SHORT_FLAGS}
    assigned = read_assignments(TREE, chosen.set or ())
    flagged = read_flags(TREE, given, {flag.name: flag.path for flag in SHORT_FLAGS})
    for path in assigned.keys() & flagged.keys():
        raise SettingsError(f"{assigned[path].source} and {flagged[path].source} name one setting; give one of them")
    short = {flag.variable: flag.path for flag in SHORT_FLAGS if flag.variable is not None}
    layers: list[Layer] = [{**assigned, **flagged}, read_environment(TREE, environment, short)]
    file = chosen.config or environment.get(TREE.config_variable)
    if file:
        layers.append(read_file(TREE, Path(file)))
    return load_settings(TREE, layers)


def run_service(settings: LmsSettings, ready: Callable[[LmsService], None]) -> int:
    """Serve until a signal ends it; `ready` is called once everything works. Raises StartError."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, ready))


def _tell(service: LmsService) -> None:
    print(f"Halqa LMS is running: {service.url}  (API: {service.url}/docs/api)", flush=True)


def run_backup(settings: LmsSettings, folder: Path) -> int:
    """Back the SQLite database up; raises LmsError."""
    size = back_up(database_url(settings.database, settings.data), settings.data / SECRET_FILE, folder)
    print(f"{folder} is a backup of {size} bytes; `halqa lms --data {folder}` runs on it")
    return EXIT_OK


async def create_organization(settings: LmsSettings, chosen: argparse.Namespace) -> int:
    """Make an organization, and print its owner's code and password."""
    if not re.fullmatch(SLUG_PATTERN, chosen.slug):
        raise SettingsError(f"flag --slug is {chosen.slug!r}, expected small letters, digits and -, 3 to 100 of them")
    if chosen.time_zone not in available_timezones():
        raise SettingsError(f"flag --time-zone is {chosen.time_zone!r}, expected e.g. Asia/Riyadh")
    for host in chosen.hosts:
        if not re.fullmatch(HOST_PATTERN, host) or not can_be_proven(host):
            raise SettingsError(f"flag --host is {host!r}, expected e.g. school.example.org, in small letters")
    password = secrets.token_urlsafe(12)
    passwords = Passwords(settings.passwords)
    database = await Database.open(settings.database, settings.data)
    try:
        new = NewOrganization(
            slug=chosen.slug,
            name=chosen.name,
            owner_name=chosen.owner,
            owner_email=chosen.email,
            password_hash=await passwords.hash(password),
            time_zone=chosen.time_zone,
            language=Language(chosen.language),
            hosts=tuple(dict.fromkeys(chosen.hosts)),
        )
        owner = await make_organization(database, Ids(), new)
    finally:
        passwords.close()
        await database.close()
    print(f"{chosen.name} is there. Its owner logs in with\n  code      {owner.code}\n  password  {password}")
    return EXIT_OK


async def _serve(settings: LmsSettings, ready: Callable[[LmsService], None]) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, ended.set)
    service = await LmsService.start(settings)
    collect_seldom()
    ready(service)
    await ended.wait()
    await service.close()
    return EXIT_OK
