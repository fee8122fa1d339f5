"""Where several processes count together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from lms.errors import SettingsError

_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    """What rate limits of several processes share."""

    redis: str | None = field(default=None, repr=False)
    """`redis://host:port/number`, or `rediss://` with TLS: a Redis or Valkey in which all processes count together.
    None: each counts for itself.
    """

    def __post_init__(self) -> None:
        if self.redis is not None and urlsplit(self.redis).scheme not in _SCHEMES:
            raise SettingsError("limits.redis is no address of a Redis, expected e.g. redis://127.0.0.1:6379/0")
