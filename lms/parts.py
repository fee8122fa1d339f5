"""The parts of one LMS, as the composition root hands them to the modules."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update

from lms.access.authority import Authority
from lms.access.passwords import Passwords
from lms.access.standing import Standings
from lms.api.rate_limits import Limits
from lms.api.serve import Server
from lms.classes.media import MediaServer
from lms.clock import Clock
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.live.live import Live
from lms.outbox.relay import Relay
from lms.outbox.send import Outbox
from lms.people.tables import app_user
from lms.schedule.scheduler import Scheduler
from lms.settings import LmsSettings
from lms.sync.registry import Operations
from lms.webhooks.deliver import WebhookDeliveries


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs; who closes it is `service.LmsService`."""

    settings: LmsSettings
    clock: Clock
    ids: Ids
    database: Database
    standings: Standings
    authority: Authority
    limits: Limits
    server: Server
    outbox: Outbox
    relay: Relay
    schedule: Scheduler
    webhooks: WebhookDeliveries
    secrets: tuple[str, ...]
    """Sign tokens, the first one."""
    passwords: Passwords
    media: MediaServer
    live: Live
    operations: Operations
    """What devices may do from their queues."""
    url: str
    """How people reach the service, without a slash at the end."""

    async def end_access(self, transaction: Transaction, user_id: UUID) -> None:
        """End every access token and connection of somebody of the transaction's organization, once it is committed."""
        await transaction.execute(
            update(app_user)
            .where(app_user.c.org_id == transaction.org_id, app_user.c.id == user_id)
            .values(token_version=app_user.c.token_version + 1)
        )
        self.forget_standing(transaction, user_id)
        await self.live.close_connections(transaction, user_id)

    def forget_standing(self, transaction: Transaction, user_id: UUID) -> None:
        """Have changes to somebody's account or roles count from the commit on."""
        org_id = transaction.org_id
        transaction.after_commit.append(lambda: self.standings.forget(org_id, user_id))
