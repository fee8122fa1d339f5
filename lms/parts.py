"""The parts of one LMS, as the composition root hands them to the modules."""

from __future__ import annotations

from dataclasses import dataclass

from lms.access.authority import Authority
from lms.access.standing import Standings
from lms.api.rate_limits import RateLimits
from lms.api.serve import Server
from lms.clock import Clock
from lms.database.database import Database
from lms.ids import Ids
from lms.outbox.relay import Relay
from lms.outbox.send import Outbox
from lms.settings import LmsSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs; who closes it is `service.LmsService`."""

    settings: LmsSettings
    clock: Clock
    ids: Ids
    database: Database
    standings: Standings
    authority: Authority
    limits: RateLimits
    server: Server
    outbox: Outbox
    relay: Relay
    secrets: tuple[str, ...]
    """Sign tokens, the first one."""
    url: str
    """How people reach the service, without a slash at the end."""
