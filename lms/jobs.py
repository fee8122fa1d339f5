"""Everything that is done from time to time: one line for each job."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lms.access import links, logins
from lms.api import repetitions
from lms.audit.retention import AuditRetention
from lms.chat.retention import ChatRetention
from lms.classes import retention
from lms.classes.told import ClassJobs
from lms.codes import forgetting
from lms.notifications import store
from lms.notifications.classes import ClassNews
from lms.organizations.host_checks import HostChecks
from lms.outbox import relay
from lms.parts import Parts
from lms.personal import work
from lms.sync import apply
from lms.webhooks import queue

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def add_jobs(parts: Parts, classes: ClassJobs, news: ClassNews) -> None:
    """Have all jobs of the service done; modules that add their own do so in their constructors."""
    schedule = parts.schedule
    schedule.add("classes.end_overdue", 2 * MINUTE, classes.end_overdue)
    schedule.add("classes.tell_starting", MINUTE, news.tell_starting)
    schedule.add("recordings.expire", HOUR, retention.RecordingRetention(parts.database, parts.outbox).run)
    schedule.add("hosts.check", DAY, HostChecks(parts).run, timeout_s=HOUR.total_seconds())
    schedule.add("chat.expire", HOUR, ChatRetention(parts.database, parts.live).run)
    schedule.add("audit.forget", DAY, AuditRetention(parts.database).run)
    schedule.add_for_all("seats.forget", DAY, retention.forget_grants)
    schedule.add_for_all("access_codes.forget", DAY, forgetting.forget_old)
    schedule.add_for_all("logins.forget", HOUR, logins.forget_old)
    schedule.add_for_all("mailed_links.forget", DAY, links.forget_old)
    schedule.add_for_all("idempotency_keys.forget", HOUR, repetitions.forget_old)
    schedule.add_for_all("sync_operations.forget", DAY, apply.forget_old)
    schedule.add_for_all("notifications.forget", DAY, store.forget_old)
    schedule.add_for_all("outbox.forget", HOUR, relay.forget_old)
    schedule.add_for_all("data_archives.forget", HOUR, work.forget_archives)
    schedule.add_for_all("webhook_deliveries.forget", HOUR, queue.forget_old)
