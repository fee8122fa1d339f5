"""The `halqa` command: hands over to the service that is meant, so that neither service knows the other.

`halqa up` starts both: the media server, and beside it the LMS as a process of its own that is started again when it
ends by itself. `halqa demo` does so with a school that is filled in.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from control_api.up import Running

KEPT_LMS: Final = "up-lms"
"""The command of the process beside; for `halqa up` alone."""
PORT_STEP: Final = 10  # from the media server's port to the LMS's: 8080 and 8090
STOP_SECONDS_MAX: Final = 15.0
_FIRST_SCHOOL: Final = ("create-organization", "--slug", "school", "--name", "My school", "--owner", "Owner")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Neither service loads the other's code.
    if given[:1] == ["lms"]:
        from lms.cli import main as run_lms  # noqa: PLC0415

        return run_lms(given[1:])
    if given[:1] == ["demo"]:
        return _demo(given[1:])
    if given[:1] == [KEPT_LMS]:
        return _keep_lms(given[1:])
    from control_api.cli import main as run_media  # noqa: PLC0415

    return run_media(given, beside=_lms_beside)


def _demo(arguments: Sequence[str]) -> int:
    """Fill a school and run everything with it, or end once it is filled, as the flags say."""
    from control_api.cli import main as run_media  # noqa: PLC0415
    from lms.demo import cli, opening  # noqa: PLC0415
    from lms.errors import SettingsError  # noqa: PLC0415

    try:
        chosen = cli.read_chosen(arguments)
    except SettingsError:
        return cli.main(arguments)  # which says what is wrong
    if chosen.fill_only:
        return cli.main(arguments)
    if chosen.database is not None:
        os.environ["HALQA_LMS_DATABASE_URL"] = chosen.database
    # In a process of its own: who forks servers must have no threads, and need not hold what filling took.
    filling = [sys.executable, "-m", "halqa", "demo", *arguments, "--fill-only"]
    environment = {**os.environ, cli.PASSWORD_VARIABLE: chosen.demo.password}
    filled = subprocess.run(  # noqa: S603 - our own command
        filling, stdout=subprocess.PIPE, text=True, check=False, env=environment
    )
    if filled.returncode != cli.EXIT_OK:
        return filled.returncode

    @contextmanager
    def school_beside(media: Running) -> Iterator[str]:
        with _lms_beside(media) as told:
            yield f"{filled.stdout}\n{told}{opening.open_class(told, chosen)}"

    flags = ["--data", str(chosen.data), "--port", str(chosen.port)]
    return run_media(["up", *flags], beside=school_beside)


@contextmanager
def _lms_beside(media: Running) -> Iterator[str]:
    """Run an LMS for a media server, in the folder `lms` of its data; yield what it says at its start."""
    port = urlsplit(media.url).port or 0
    command = [sys.executable, "-m", "halqa", KEPT_LMS, "--data", str(media.data / "lms"), "--media-server", media.url]
    command += ["--port", str(port + PORT_STEP), "--log-level", "warning"]
    if media.certificate is not None:
        command += ["--set", f"media_server.certificate={media.certificate.absolute()}"]
    environment = {**os.environ, "HALQA_LMS_MEDIA_SERVER_KEY": media.key}
    # In a session of its own: what Ctrl-C ends is decided here.
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert process.stdout is not None
    try:
        told = ""
        for line in process.stdout:
            told += line
            if "is running" in line:
                break
        else:
            told += "The LMS could not start; the media server runs without it.\n"
        yield told
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _keep_lms(arguments: Sequence[str]) -> int:
    """Run an LMS, again when it ends by itself, until the parent ends; a folder without a school gets one."""
    import asyncio  # noqa: PLC0415
    from dataclasses import replace  # noqa: PLC0415

    from control_api.supervisor import Supervisor, die_with_parent  # noqa: PLC0415
    from lms import cli  # noqa: PLC0415
    from lms.errors import LmsError  # noqa: PLC0415
    from lms.service import LmsService  # noqa: PLC0415
    from webapi.logs import configure_logs  # noqa: PLC0415

    die_with_parent(os.getppid(), signal.SIGTERM)
    chosen = cli.build_parser().parse_args(arguments)
    settings = cli.read_settings(chosen).settings
    configure_logs(settings.logs.level, settings.logs.format)

    def run(tell: Callable[[str], None], before: str | None) -> int:
        again = settings
        if before is not None:  # on the port that was taken first
            again = replace(settings, http=replace(settings.http, port=urlsplit(before).port or 0))

        def ready(service: LmsService) -> None:
            tell(service.url)

        try:
            return cli.run_service(again, ready)
        except LmsError as error:
            print(f"halqa up: {error}", file=sys.stderr)
            return cli.EXIT_FAILED

    try:
        if settings.database.url is None and not (settings.data / "lms.sqlite").exists():
            first = cli.build_parser().parse_args([*arguments, *_FIRST_SCHOOL])
            asyncio.run(cli.create_organization(settings, first))
    except LmsError as error:
        print(f"halqa up: {error}", file=sys.stderr)
        return cli.EXIT_FAILED
    return Supervisor(run, on_first_ready=_tell).supervise()


def _tell(url: str) -> None:
    print(f"The school around the classes is running: {url}  (log in there; its API: {url}/docs/api)", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
