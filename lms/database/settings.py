"""Which database, and how many connections to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lms.errors import SettingsError


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where things are kept."""

    url: str | None = field(default=None, repr=False)
    """`postgresql://user:password@host/name`; none: SQLite, in the file `lms.sqlite` of the data folder."""
    connections: int = 10
    """To PostgreSQL, of one process; a transaction holds one for some milliseconds."""
    readers: int = 4
    """Of SQLite; writers come one after the other anyway."""
    wait_s: float = 5.0
    """For a connection to become free; then the request is refused with 503."""

    def __post_init__(self) -> None:
        for name in ("connections", "readers"):
            if not 1 <= getattr(self, name) <= 1000:
                raise SettingsError(f"database.{name} is {getattr(self, name)}, expected 1 to 1000")
        if not 0 < self.wait_s <= 60:
            raise SettingsError(f"database.wait_s is {self.wait_s:g}, expected more than 0, at most 60")
