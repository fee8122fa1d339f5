"""An LMS of the benchmark's own: processes of service, media server and perhaps PostgreSQL, with a school in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import benchmarks
from benchmarks.joins.server import Server
from benchmarks.postgresql import running_cluster
from benchmarks.school.furnish import SchoolSize, furnish
from control_api.keys import open_keys
from lms.access.passwords import Passwords
from lms.access.passwords_settings import PasswordSettings
from lms.database.database import Database
from lms.database.settings import DatabaseSettings

PASSWORD: Final = "a school that is measured"
START_S_MAX: Final = 60.0
END_S_MAX: Final = 15.0
ONE_KEY_IS_A_SCHOOL: Final = (
    "rate_limits.api_burst=1000000",
    "rate_limits.api_per_s=1000000",
    "rate_limits.key_burst=1000000",
    "rate_limits.key_per_s=1000000",
)
"""The LMS is one address and one key for all classes of the run."""
_ADDRESS: Final = re.compile(rb"http://127\.0\.0\.1:\d+")


class SchoolDidNotStartError(RuntimeError):
    """The service ended before it served; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class RunningSchool:
    """A service that answers."""

    url: str
    process: asyncio.subprocess.Process
    database_pid: int | None
    """Of PostgreSQL."""


@asynccontextmanager
async def running_school(
    *, postgresql: bool, size: SchoolSize, settings: tuple[str, ...] = ()
) -> AsyncIterator[RunningSchool]:
    """Run it on PostgreSQL, which writes to the disk as in production, or on SQLite; `settings` are PATH=VALUE."""
    async with contextlib.AsyncExitStack() as closing:
        data = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="halqa-benchmark-")))
        url = pid = None
        if postgresql:  # it knows nothing of the rows yet: autovacuum counts them within a minute
            cluster = closing.enter_context(running_cluster(options=()))
            url, pid = cluster.url(cluster.create()), cluster.process.pid
        await _fill(DatabaseSettings(url=url), data, size)
        media = await closing.enter_async_context(Server(*ONE_KEY_IS_A_SCHOOL))
        key = open_keys(media.data).first
        chosen = (
            *([f"database.url={url}"] if url is not None else []),
            f"media_server.url={media.url}",
            f"media_server.key={key.key_id}:{key.secret.decode()}",
            "logs.level=error",
            *settings,
        )
        process = await _start(data, chosen)
        closing.push_async_callback(_end, process)
        yield RunningSchool(await _address(process), process, pid)


async def _fill(settings: DatabaseSettings, data: Path, size: SchoolSize) -> None:
    passwords = Passwords(PasswordSettings())
    try:
        password_hash = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    database = await Database.open(settings, data)
    try:
        await furnish(database, size, password_hash)
    finally:
        await database.close()


async def _start(data: Path, settings: tuple[str, ...]) -> asyncio.subprocess.Process:
    flags = [part for setting in settings for part in ("--set", setting)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HALQA_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "halqa", "lms", "--data", str(data), "--port", "0", *flags),
        cwd=Path(benchmarks.__path__[0]).parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=None,
        env=environment,
    )


async def _address(process: asyncio.subprocess.Process) -> str:
    """Return where it serves, once it does."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S_MAX):
            async for line in process.stdout:
                if found := _ADDRESS.search(line):
                    return found[0].decode()
    except TimeoutError:
        raise SchoolDidNotStartError(f"the LMS did not serve within {START_S_MAX:g} s") from None
    raise SchoolDidNotStartError("the LMS ended before it served; what it said stands above")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_S_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()
