"""`halqa demo --fill-only`: flags, progress and what is told at the end."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from lms.cli import build_parser as service_parser
from lms.cli import read_settings
from lms.demo.errors import DemoError
from lms.demo.fill import SLUG_DEFAULT, Demo, Filled, fill_school
from lms.errors import LmsError, SettingsError
from lms.organizations.messages import SLUG_PATTERN
from lms.settings import PORT_MAX, LmsSettings
from webapi.logs import configure_logs

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2

DATA_DEFAULT: Final = Path("halqa-demo")
STUDENTS_DEFAULT: Final = 60
STUDENTS_MAX: Final = 200  # so many names there are
WEEKS_DEFAULT: Final = 4
WEEKS_MAX: Final = 12
PORT_DEFAULT: Final = 8080
PORT_STEP: Final = 10  # from the class page to the school, as `halqa up` has it
PASSWORD_VARIABLE: Final = "HALQA_DEMO_PASSWORD"  # noqa: S105 - a name
PASSWORD_MIN: Final = 12  # what the service asks of everybody

_EPILOG: Final = f"""\
examples:
  halqa demo                                  a school in {DATA_DEFAULT}, running; stop with Ctrl-C
  halqa demo --data school-1 --port 9000
  halqa demo --fill-only --students 12        fill {DATA_DEFAULT}, and end; then: halqa up --data {DATA_DEFAULT}
  halqa demo --database postgresql://halqa@localhost/halqa

The same --seed makes the same people, courses, lessons and grades, counted back from today. A school that is there is
never changed. For a new one take another folder (or, in a database of your own, another --slug).

exit codes:
  0  filled, and stopped by SIGINT or SIGTERM
  1  could not be filled or started, or there is a school already; standard error says why
  2  wrong flags or settings
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the flags say."""

    data: Path
    """The folder of everything, as of `halqa up`; the school is in `lms` below it."""
    database: str | None
    port: int
    fill_only: bool
    demo: Demo

    @property
    def lms_data(self) -> Path:
        return self.data / "lms"


def read_chosen(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Chosen:
    """Return what is wanted; raises SettingsError."""
    given = build_parser().parse_args(arguments)
    if given.time_zone not in available_timezones():
        raise SettingsError(f"flag --time-zone is {given.time_zone!r}, expected e.g. Asia/Riyadh")
    if not re.fullmatch(SLUG_PATTERN, given.slug):
        raise SettingsError(f"flag --slug is {given.slug!r}, expected small letters, digits and -, 3 to 100 of them")
    for flag, value, least, most in (
        ("students", given.students, 2, STUDENTS_MAX),
        ("weeks", given.weeks, 1, WEEKS_MAX),
        ("port", given.port, 0, PORT_MAX - PORT_STEP),
    ):
        if not least <= value <= most:
            raise SettingsError(f"flag --{flag} is {value}, expected {least} to {most}")
    chosen = given.password or environment.get(PASSWORD_VARIABLE) or secrets.token_urlsafe(9)
    if len(chosen) < PASSWORD_MIN:
        raise SettingsError(f"flag --password has {len(chosen)} characters, expected {PASSWORD_MIN} or more")
    demo = Demo(
        seed=given.seed,
        students=given.students,
        weeks=given.weeks,
        time_zone=given.time_zone,
        slug=given.slug,
        password=chosen,
    )
    return Chosen(given.data, given.database, given.port, given.fill_only, demo)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of `halqa demo`."""
    parser = argparse.ArgumentParser(
        prog="halqa demo",
        description="Fill a school with people, classes, attendance and grades, and run it to be looked at.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, default=DATA_DEFAULT, metavar="DIR", help="folder for everything (default: %(default)s)")
    add("--port", type=int, default=PORT_DEFAULT, metavar="N", help="of the class page; the school is at N + 10")
    add("--database", metavar="URL", help="PostgreSQL (default: DATABASE_URL, else SQLite in the folder)")
    add("--fill-only", action="store_true", help="fill, print the logins, and end")
    add("--students", type=int, default=STUDENTS_DEFAULT, metavar="N", help=f"2 to {STUDENTS_MAX} (default: 60)")
    add("--weeks", type=int, default=WEEKS_DEFAULT, metavar="N", help=f"that are over, 1 to {WEEKS_MAX} (default: 4)")
    add("--seed", type=int, default=1, metavar="N", help="another number makes another school (default: 1)")
    add("--time-zone", default="Asia/Riyadh", metavar="ZONE", help="of the school (default: %(default)s)")
    add("--slug", default=SLUG_DEFAULT, metavar="NAME", help="short name of the school (default: %(default)s)")
    add("--password", metavar="TEXT", help="of everybody (default: made up, and printed once)")
    return parser


def settings_of(chosen: Chosen) -> LmsSettings:
    """Return the settings of the service that the school is for; raises SettingsError."""
    flags = ["--data", str(chosen.lms_data), "--port", "0"]
    if chosen.database is not None:
        flags += ["--database", chosen.database]
    return read_settings(service_parser().parse_args(flags)).settings


def main(arguments: Sequence[str]) -> int:
    """Fill a school as the flags say, and return the exit code."""
    try:
        chosen = read_chosen(arguments)
        settings = settings_of(chosen)
    except SettingsError as error:
        print(f"halqa demo: {error}", file=sys.stderr)
        return EXIT_USAGE
    configure_logs("error", settings.logs.format)
    return fill(chosen, settings)


def fill(chosen: Chosen, settings: LmsSettings) -> int:
    """Fill a school, tell of it on standard output, and return the exit code."""
    show = _Progress()
    try:
        filled = asyncio.run(fill_school(settings, chosen.demo, show))
    except DemoError as error:
        show.end()
        print(f"halqa demo: {error}. {_what_to_do(chosen)}", file=sys.stderr)
        return EXIT_FAILED
    except LmsError as error:
        show.end()
        print(f"halqa demo: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        show.end()
        print("halqa demo: interrupted; a school that was begun in a database of yours is not complete",
              file=sys.stderr)  # fmt: skip
        return EXIT_FAILED
    show.end()
    print(describe(chosen, filled), flush=True)
    return EXIT_OK


def describe(chosen: Chosen, filled: Filled) -> str:
    """Return what somebody reads who sees the school for the first time."""
    rows = [("role", "name", "code", "or e-mail")]
    rows += [(each.role, each.name, each.code, each.email or "-") for each in filled.logins]
    widths = [max(_width(row[column]) for row in rows) for column in range(4)]
    table = "\n".join("  " + "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
                      for row in rows)  # fmt: skip
    counts = filled.counts
    return f"""
The school is filled ({filled.took_s:.0f} s): {counts.get("student", 0)} students, {counts.get("courses", 0)} courses, \
{counts.get("classes held", 0)} classes held, {counts.get("grades", 0)} grades, {counts.get("messages", 0)} messages.
Everybody's password, told this once:  {chosen.demo.password}

{table}

Further students are STU1003, STU1004, ...; guardians PAR1002, ...
Access code to try as a student:  {filled.access_code}
On now: "{filled.class_title}", taught by {filled.teacher}
"""


def _what_to_do(chosen: Chosen) -> str:
    return f"Run it with `halqa up --data {chosen.data}`, or choose another --data (or --slug) for a new one"


class _Progress:
    """One line that changes, on a terminal; else a line a step. On standard error: the logins may be redirected."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._open = False

    def __call__(self, step: str) -> None:
        text = f"Filling the school: {step} ..."
        if self._is_terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._open = True
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._open:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._open = False


def _width(text: str) -> int:
    return len(text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
