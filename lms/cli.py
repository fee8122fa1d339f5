"""`halqa lms`: flags, settings, and the process with its signals."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import uvloop

from lms.errors import LmsError, SettingsError
from lms.service import LmsService
from lms.settings import HTTP_PORT_DEFAULT, LmsSettings
from webapi.configuration.load import Loaded, load_settings
from webapi.configuration.settings_tree import DATA_PATH, SettingsTree
from webapi.configuration.show import show_settings
from webapi.configuration.sources import Layer, read_assignments, read_environment, read_file, read_flags
from webapi.logs import configure_logs

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2

TREE: Final = SettingsTree(LmsSettings, prefix="HALQA_LMS_", error=SettingsError, faults=(LmsError,))

_EPILOG: Final = """\
examples:
  halqa lms --data /var/lib/halqa-lms
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
        return run_service(loaded.settings)
    except SettingsError as error:
        print(f"halqa lms: {error}", file=sys.stderr)
        return EXIT_USAGE
    except LmsError as error:
        print(f"halqa lms: {error}", file=sys.stderr)
        return EXIT_FAILED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of `halqa lms`."""
    parser = argparse.ArgumentParser(
        prog="halqa lms",
        description="Run the learning management system.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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


def run_service(settings: LmsSettings) -> int:
    """Serve until a signal ends it; raises StartError."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings))


async def _serve(settings: LmsSettings) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, ended.set)
    service = await LmsService.start(settings)
    print(f"Halqa LMS is running: {service.url}  (API: {service.url}/docs/api)", flush=True)
    await ended.wait()
    await service.close()
    return EXIT_OK
