"""`halqa keys`: API keys made, listed, rotated and revoked by hand. A server that runs follows at once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from control_api.contract.scopes import Scope
from control_api.keys.api_key import ALL_SCOPES, ApiKey, make_api_key
from control_api.keys.key_file import KEYS_FILE, KeyFile, KeyFileError, NoSuchKeyError, open_keys
from signaling.room_pattern import RoomPattern

OVERLAP_HOURS_DEFAULT: Final = 24.0
DAY_S: Final = 86_400.0

EPILOG: Final = """\
examples:
  halqa keys create --name "LMS of school A" --scope rooms:read --scope tokens:create --rooms "school-a.*"
  halqa keys create --name "nightly report" --scope events:read --days 365
  halqa keys list
  halqa keys rotate key-5f3a9c1e --overlap-hours 48
  halqa keys revoke key-5f3a9c1e

A secret is printed once, when it is made. After a rotation both secrets count for a while. Tokens of a key that was
revoked open nothing any more; who is in a room stays there. A server that runs follows with its next request.

exit codes:
  0  done
  1  there is no such key, or the key file cannot be used; standard error says why
  2  wrong flags or settings
"""


def add_keys_flags(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Add the subcommands; returns their parsers, for the flags that all have. Sets `keys_command`."""
    commands = parser.add_subparsers(dest="keys_command", metavar="create|list|rotate|revoke", required=True)
    create = commands.add_parser("create", help="make a key and print its secret")
    create.add_argument("--name", required=True, help="which program gets it; for people")
    create.add_argument(
        "--scope",
        action="append",
        type=Scope,
        choices=list(Scope),
        metavar="SCOPE",
        help=f"what it may be used for; may be repeated (default: all of {', '.join(scope.value for scope in Scope)})",
    )
    create.add_argument(
        "--rooms",
        default="*",
        metavar="PATTERN",
        help='rooms that it opens: NAME, or the beginning of names and *, e.g. "school-a.*" (default: all)',
    )
    create.add_argument("--days", type=float, metavar="N", help="ends so many days from now (default: when revoked)")
    listing = commands.add_parser("list", help="show all keys, without secrets")
    rotate = commands.add_parser("rotate", help="give a key another secret and print it")
    rotate.add_argument(
        "--overlap-hours",
        type=float,
        default=OVERLAP_HOURS_DEFAULT,
        metavar="H",
        help="how long the present secret goes on to count (default: %(default)g)",
    )
    revoke = commands.add_parser("revoke", help="end a key now")
    for each in (rotate, revoke):
        each.add_argument("key", metavar="ID", help="id of the key, as `halqa keys list` shows it")
    parsers = [create, listing, rotate, revoke]
    for each in parsers:
        each.add_argument("--json", action="store_true", help="print JSON")
    return parsers


def run_keys(chosen: argparse.Namespace, data: Path) -> str:
    """Do what was asked and return what to print; raises KeyFileError, or ValueError for a flag that cannot work."""
    match chosen.keys_command:
        case "create":
            return _created(_create(chosen, data), as_json=chosen.json)
        case "list":
            return _listed(KeyFile(data / KEYS_FILE).listed(), as_json=chosen.json)
        case "rotate":
            return _created(_rotate(chosen, data), as_json=chosen.json)
        case "revoke":
            return _listed([_revoke(chosen, data)], as_json=chosen.json)
        case unknown:
            raise AssertionError(unknown)


def _create(chosen: argparse.Namespace, data: Path) -> ApiKey:
    key = make_api_key(
        at=_now(),
        name=chosen.name,
        scopes=chosen.scope or ALL_SCOPES,
        rooms=RoomPattern(chosen.rooms),
        lifetime_s=None if chosen.days is None else chosen.days * DAY_S,
    )
    open_keys(data).add(key)
    return key


def _rotate(chosen: argparse.Namespace, data: Path) -> ApiKey:
    try:
        return KeyFile(data / KEYS_FILE).rotate(chosen.key, overlap_s=chosen.overlap_hours * 3600)
    except NoSuchKeyError:
        raise _unknown(chosen.key) from None


def _revoke(chosen: argparse.Namespace, data: Path) -> ApiKey:
    try:
        return KeyFile(data / KEYS_FILE).revoke(chosen.key)
    except NoSuchKeyError:
        raise _unknown(chosen.key) from None


def _unknown(key_id: str) -> KeyFileError:
    return KeyFileError(f"there is no key {key_id!r}; `halqa keys list` shows those that there are")


def _created(key: ApiKey, *, as_json: bool) -> str:
    secret = key.secret.decode()
    if as_json:
        return json.dumps({**_fields(key), "secret": secret}, indent=2, ensure_ascii=False)
    return f"id      {key.key_id}\nsecret  {secret}"


def _listed(keys: Iterable[ApiKey], *, as_json: bool) -> str:
    rows = [_fields(key) for key in keys]
    if as_json:
        return json.dumps(rows, indent=2, ensure_ascii=False)
    titles = ("id", "state", "ends", "rooms", "scopes", "name")
    return _table([titles, *(tuple(_cell(row[title]) for title in titles) for row in rows)])


def _fields(key: ApiKey) -> dict[str, Any]:
    state = "revoked" if key.revoked_at is not None else "usable" if key.is_usable(_now()) else "expired"
    ends = key.revoked_at or key.expires_at
    return {
        "id": key.key_id,
        "state": state,
        "ends": None if ends is None else ends.isoformat(timespec="seconds"),
        "rooms": key.rooms.text,
        "scopes": sorted(scope.value for scope in key.scopes),
        "name": key.name,
    }


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "all" if len(value) == len(Scope) else ",".join(value)
    return "-" if value in {None, ""} else str(value)


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _now() -> datetime:
    return datetime.now(UTC)
