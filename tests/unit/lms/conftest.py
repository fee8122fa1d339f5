"""What tests of the LMS get: a database on each engine, and a school that runs on it."""

from __future__ import annotations

from tests.support.database import (
    database,
    database_settings,
    postgresql_cluster,
    postgresql_template,
    sqlite_template,
)
from tests.support.lms import school

__all__ = ["database", "database_settings", "postgresql_cluster", "postgresql_template", "school", "sqlite_template"]
