"""A backup of SQLite while the service runs: a folder that is itself a data folder, so that to restore is to use it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL

from lms.database.database import is_sqlite
from lms.errors import LmsError, StartError

DATABASE: Final = "lms.sqlite"
PARTIAL: Final = "lms.sqlite.partial"
BUSY_S: Final = 30.0


def back_up(url: URL, secret: Path, folder: Path) -> int:
    """Write a backup into a new folder and return how many bytes it has; raises LmsError.

    It is the database at one moment: what was acknowledged before it began is there, of what is under way all or
    nothing. Writers do not wait. It is looked over as a whole before it gets its name.
    """
    if not is_sqlite(url):
        raise LmsError("the database is a PostgreSQL: back it up with pg_dump, as lms/README.md says")
    source = Path(url.database or "")
    if not source.exists():
        raise StartError(f"there is no database at {source}")
    if folder.exists() and any(folder.iterdir()):
        raise LmsError(f"{folder} is not empty, expected a new folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = folder / PARTIAL
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT, 0o600))
        _copy(source, partial)
        if secret.exists():
            shutil.copy2(secret, folder / secret.name)
        partial.rename(folder / DATABASE)
        return (folder / DATABASE).stat().st_size
    except OSError as error:
        raise LmsError(f"the backup could not be written: {error}") from None
    except sqlite3.Error as error:
        raise LmsError(f"the database could not be read: {error}") from None


def _copy(source: Path, target: Path) -> None:
    address = f"file:{quote(str(source.absolute()))}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=BUSY_S)) as present,
        closing(sqlite3.connect(target)) as copy,
    ):
        present.backup(copy)  # all pages in one step: readers of WAL hold up no writer
        (found,) = copy.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise LmsError(f"the copy is damaged, and so the database may be: {found}")
        if copy.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise LmsError("rows of the copy point to rows that are not there: the database is damaged")
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
