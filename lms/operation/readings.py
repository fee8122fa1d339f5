"""What is counted, read when Prometheus asks: from the parts of this process, and from the tables of all processes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from lms.access.tables import login
from lms.api.shared_limits import SharedLimits
from lms.attendance.feed_reader import FeedReader
from lms.attendance.tables import attendance_feed, attendance_run
from lms.classes.tables import class_run
from lms.database.database import Database
from lms.database.transaction import Transaction
from lms.operation.catalogue import CATALOGUE, PREFIX
from lms.outbox.relay import ATTEMPTS_MAX
from lms.outbox.tables import outbox
from lms.parts import Parts
from lms.schedule.tables import scheduled_job
from lms.webhooks.tables import DeliveryState, webhook, webhook_delivery

ACTIVE: Final = timedelta(minutes=20)
"""Whoever is there renews their access token every 15 minutes."""
READ_AGAIN_S: Final = 5.0
"""Several scrapers, or one in a hurry, cost one look at the tables in so long."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number."""

    name: str
    """Of the catalogue."""
    value: float
    labels: tuple[str, ...] = ()


class Readings(Collector):
    """All numbers but those of requests."""

    def __init__(self, parts: Parts, reader: FeedReader | None) -> None:
        """`reader` follows the media server's feed, if there is one."""
        self._parts = parts
        self._reader = reader
        self._tables: list[Sample] = []
        self._read_at = -READ_AGAIN_S

    async def look(self) -> None:
        """Read the tables, before `collect` tells what they hold; unless that was done just now."""
        now = self._parts.clock.monotonic()
        if now - self._read_at >= READ_AGAIN_S:
            self._tables = await read_tables(self._parts.database)
            self._read_at = now

    def collect(self) -> Iterator[Metric]:
        found: dict[str, Any] = {}
        for sample in (*self._tables, *_of_process(self._parts), *_of_reader(self._reader)):
            family = CATALOGUE[sample.name]
            if sample.name not in found:
                made = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
                found[sample.name] = made(f"{PREFIX}{sample.name}", family.meaning, labels=list(family.labels))
            found[sample.name].add_metric(list(sample.labels), sample.value)
        yield from found.values()


def _of_process(parts: Parts) -> Iterator[Sample]:
    for limit, count in sorted(parts.limits.refused.items()):
        yield Sample("rate_limited_total", count, (limit,))
    if isinstance(parts.limits, SharedLimits):
        yield Sample("shared_limits_failures_total", parts.limits.failures)
    yield Sample("webhook_events_delivered_total", parts.webhooks.counts.delivered)
    yield Sample("webhook_attempts_failed_total", parts.webhooks.counts.failed)
    for (job, outcome), count in sorted(parts.schedule.runs.items(), key=lambda each: (each[0][0], each[0][1].value)):
        yield Sample("job_runs_total", count, (job, outcome.value))
    in_use, most = parts.database.connections
    yield Sample("database_connections", in_use)
    yield Sample("database_connections_max", most)
    yield Sample("disk_used_ratio", _disk_used(parts.settings.data))


def _of_reader(reader: FeedReader | None) -> Iterator[Sample]:
    if reader is not None:
        yield Sample("feed_failures", reader.failures)
        yield Sample("feed_pages_total", reader.pages)
        yield Sample("feed_begun_anew_total", reader.begun_anew)


def _disk_used(folder: Path) -> float:
    usage = shutil.disk_usage(folder)
    return 1.0 - usage.free / usage.total


async def read_tables(database: Database) -> list[Sample]:
    """Return what the tables say of all organizations and processes."""
    async with database.read_all() as transaction:
        now = transaction.now
        samples = [
            Sample(
                "active_users",
                await _count(
                    transaction,
                    select(func.count(login.c.user_id.distinct())).where(
                        login.c.ended_at.is_(None), login.c.used_at > now - ACTIVE
                    ),
                ),
            ),
            Sample(
                "live_classes", await _count(transaction, _counting(class_run).where(class_run.c.ended_at.is_(None)))
            ),
            Sample(
                "attendance_due",
                await _count(transaction, _counting(attendance_run).where(attendance_run.c.due_at <= now)),
            ),
            *await _of_outbox(transaction),
            *await _of_webhooks(transaction),
            *await _of_feed(transaction),
        ]
        for row in await transaction.rows(select(scheduled_job).order_by(scheduled_job.c.name)):
            samples.append(Sample("job_failures", row.attempts, (row.name,)))
            samples.append(Sample("job_succeeded_timestamp_seconds", _seconds(row.succeeded_at), (row.name,)))
    return samples


async def _of_outbox(transaction: Transaction) -> list[Sample]:
    waits = (outbox.c.published_at.is_(None), outbox.c.attempts < ATTEMPTS_MAX)
    row = await transaction.one(
        select(func.count().label("events"), func.min(outbox.c.created_at).label("oldest")).where(*waits)
    )
    given_up = _counting(outbox).where(outbox.c.published_at.is_(None), outbox.c.attempts >= ATTEMPTS_MAX)
    return [
        Sample("outbox_waiting", row.events),
        Sample("outbox_oldest_waiting_seconds", _age(transaction, row.oldest)),
        Sample("outbox_given_up", await _count(transaction, given_up)),
    ]


async def _of_webhooks(transaction: Transaction) -> list[Sample]:
    rows: Mapping[Any, Any] = {
        row.state: row
        for row in await transaction.rows(
            select(
                webhook_delivery.c.state,
                func.count().label("events"),
                func.min(webhook_delivery.c.created_at).label("oldest"),
            )
            .where(webhook_delivery.c.state != DeliveryState.DELIVERED)
            .group_by(webhook_delivery.c.state)
        )
    }
    waiting, dead = rows.get(DeliveryState.WAITING), rows.get(DeliveryState.DEAD)
    return [
        Sample("webhook_events_waiting", waiting.events if waiting else 0),
        Sample("webhook_oldest_waiting_seconds", _age(transaction, waiting.oldest) if waiting else 0.0),
        Sample("webhook_dead_letters", dead.events if dead else 0),
        Sample("webhooks_failing", await _count(transaction, _counting(webhook).where(webhook.c.failures > 0))),
    ]


async def _of_feed(transaction: Transaction) -> list[Sample]:
    rows = await transaction.rows(select(attendance_feed.c.lost_events, attendance_feed.c.heard_at))
    return [
        Sample("feed_lost_events", sum(row.lost_events for row in rows)),
        Sample("feed_heard_timestamp_seconds", max((_seconds(row.heard_at) for row in rows), default=0.0)),
    ]


def _counting(table: Any) -> Any:
    return select(func.count()).select_from(table)


async def _count(transaction: Transaction, statement: Any) -> int:
    return int(await transaction.value(statement))


def _age(transaction: Transaction, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (transaction.now - since).total_seconds())


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()
