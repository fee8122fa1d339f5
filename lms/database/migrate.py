"""Migrations: each module has its own line of them in its folder `migrations/`, and Alembic runs them all.

A module's first migration says `branch_labels = ("NAME",)`, and `depends_on` for the modules that its tables point to.
So two modules never compete for one number, and `upgrade` takes every line to its end.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine, event, pool

LMS: Final = Path(__file__).parent.parent
ENVIRONMENT: Final = Path(__file__).parent / "environment"

_LOCK: Final = 0x48616C71  # any number that is ours: "Halq"


def upgrade(url: URL, to: str = "heads") -> None:
    """Bring the tables of a database up to date."""
    _run(url, lambda config: command.upgrade(config, to))


def downgrade(url: URL, to: str = "base") -> None:
    """Take tables back to an earlier state, e.g. "courses@base"; what does not fit there is lost."""
    _run(url, lambda config: command.downgrade(config, to))


def migrations() -> ScriptDirectory:
    """Return all migrations of all modules."""
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    folders = sorted(str(folder) for folder in LMS.glob("*/migrations") if any(folder.glob("*.py")))
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(folders).replace("%", "%%"))
    return config


def _run(url: URL, act: Callable[[Config], None]) -> None:
    """Run with a connection of the synchronous driver; who else wants to migrate at the same time waits."""
    driver = "sqlite" if url.drivername.startswith("sqlite") else url.drivername
    engine = create_engine(url.set(drivername=driver), poolclass=pool.NullPool)
    if driver == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    quiet = logging.getLogger("alembic")
    level = quiet.level
    quiet.setLevel(logging.WARNING)
    try:
        with engine.begin() as connection:
            if driver != "sqlite":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            config = _config()
            config.attributes["connection"] = connection
            act(config)
    finally:
        quiet.setLevel(level)
        engine.dispose()


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Have transactions begin where we say, and the write-ahead log on while nobody else is there.

    The file keeps it on. Of several connections that turn it on at once, SQLite refuses one without waiting.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL").close()
