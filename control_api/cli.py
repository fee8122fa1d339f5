"""The `halqa` command: one function a command, errors in one line, exit codes as the help says."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Final

from control_api.configuration import TREE
from control_api.flags import build_parser, read_settings
from control_api.invitations import Invitation
from control_api.keys import open_keys
from control_api.keys.command import run_keys
from control_api.logs import configure_logs
from control_api.run import EXIT_FAILED, EXIT_OK, run_server
from control_api.settings import SettingsError
from control_api.up import Beside, run_up
from media.errors import LocalError
from signaling.room_pattern import RoomPattern
from webapi.configuration.show import show_settings

EXIT_USAGE: Final = 2  # argparse's own

HOURS_MAX: Final = 365 * 24.0  # servers refuse tokens for more than a year: they are mistakes


def main(arguments: Sequence[str] | None = None, *, beside: Beside | None = None) -> int:
    """Run the command and return its exit code; `beside` is what `halqa up` starts beside the media server."""
    chosen = build_parser().parse_args(arguments)
    try:
        return _run(chosen, beside)
    except SettingsError as error:
        print(f"halqa: {error}", file=sys.stderr)
        return EXIT_USAGE
    except LocalError as error:
        print(f"halqa: {error}", file=sys.stderr)
        return EXIT_FAILED


def _run(chosen: argparse.Namespace, beside: Beside | None) -> int:
    match chosen.command:
        case "media":
            return _media(chosen)
        case "up":
            return _up(chosen, beside)
        case "token":
            return _token(chosen)
        case "keys":
            return _keys(chosen)
        case unknown:
            raise AssertionError(unknown)


def _media(chosen: argparse.Namespace) -> int:
    loaded = read_settings(chosen)
    if chosen.print_config:
        print(show_settings(TREE, loaded), end="")
        return EXIT_OK
    settings = loaded.settings
    configure_logs(settings.logs.level, settings.logs.format)
    return run_server(settings)


def _up(chosen: argparse.Namespace, beside: Beside | None) -> int:
    settings = read_settings(chosen).settings
    configure_logs(settings.logs.level, settings.logs.format)
    return run_up(settings, room=chosen.room, beside=beside)


def _token(chosen: argparse.Namespace) -> int:
    if not 0 < chosen.hours <= HOURS_MAX:
        raise SettingsError(
            f"a token for {chosen.hours:g} hours is not possible, expected more than 0, at most {HOURS_MAX:g}"
        )
    try:
        invitation = Invitation(
            room=chosen.room,
            identity=chosen.identity,
            role=chosen.role,
            expires_at=time.time() + chosen.hours * 3600,
            name=chosen.name,
        )
    except ValueError as error:
        raise SettingsError(str(error)) from None
    key = open_keys(read_settings(chosen).settings.data).signer(RoomPattern(invitation.room))
    print(invitation.link(key, chosen.link) if chosen.link else invitation.token(key))
    return EXIT_OK


def _keys(chosen: argparse.Namespace) -> int:
    data = read_settings(chosen).settings.data
    try:
        print(run_keys(chosen, data))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return EXIT_OK
