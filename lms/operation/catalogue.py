"""Every metric of an LMS: its name, kind, labels and meaning, once. The table of `lms/metrics.md` is made of it.

Base units, `_total` for what only grows, no label that names a person or an organization: the number of time series
does not depend on who comes. `python -m lms.operation.catalogue` prints the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

PREFIX: Final = "halqa_lms_"


@dataclass(frozen=True, slots=True)
class Family:
    """What is said of a metric before it is counted."""

    name: str
    """Without the prefix; `_total` at its end makes it a counter."""
    meaning: str
    labels: tuple[str, ...] = ()
    is_histogram: bool = False

    @property
    def kind(self) -> Literal["counter", "gauge", "histogram"]:
        if self.is_histogram:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


FAMILIES: Final = (
    # Requests.
    Family("request_seconds", "How long requests took.", ("route", "method"), is_histogram=True),
    Family("requests_total", "Requests, by status.", ("route", "method", "status")),
    Family("rate_limited_total", "Requests refused because there were too many, by limit.", ("limit",)),
    Family("shared_limits_failures_total", "Times that the Redis of `limits.redis` did not answer."),
    # Who is there.
    Family("active_users", "People whose login was used within the last 20 minutes."),
    Family("live_classes", "Live classes that are being held, breakouts too."),
    # What runs beside requests.
    Family("feed_failures", "How often in a row the media server's feed could not be read; 0 while it is read."),
    Family("feed_pages_total", "Pages of the media server's feed that were read and kept."),
    Family("feed_begun_anew_total", "Times that events after our place in the feed were gone: presence is missing."),
    Family("feed_lost_events", "Events that the media server said will never come, since the beginning."),
    Family("feed_heard_timestamp_seconds", "When the feed told something last, in seconds since 1970; 0: never."),
    Family("attendance_due", "Runs whose attendance is due to be computed."),
    Family("outbox_waiting", "Messages of the outbox that are to be acted on: mails, and what follows from changes."),
    Family("outbox_oldest_waiting_seconds", "Age of the oldest of them; 0 if none waits."),
    Family("outbox_given_up", "Messages that were tried for the last time, and stay."),
    Family("webhook_events_delivered_total", "Events that receivers of webhooks have taken."),
    Family("webhook_attempts_failed_total", "Deliveries that receivers of webhooks did not take."),
    Family("webhook_events_waiting", "Events that receivers have not taken yet, over all receivers."),
    Family("webhook_oldest_waiting_seconds", "Age of the oldest of them; 0 if none waits."),
    Family("webhook_dead_letters", "Events that were given up and wait for a replay."),
    Family("webhooks_failing", "Receivers whose last delivery failed."),
    Family("job_runs_total", "Runs of scheduled jobs in this process, by how they ended.", ("job", "outcome")),
    Family("job_failures", "How often in a row a scheduled job failed.", ("job",)),
    Family("job_succeeded_timestamp_seconds", "When a job last succeeded, in seconds since 1970; 0: never.", ("job",)),
    # What it stands on.
    Family("database_connections", "Connections to the database that are in use now."),
    Family("database_connections_max", "Connections that there may be; who finds none free waits, and then gets 503."),
    Family("disk_used_ratio", "How full the disk of the data folder is, 0 to 1."),
)

CATALOGUE: Final[Mapping[str, Family]] = MappingProxyType({family.name: family for family in FAMILIES})
"""All families by name, without the prefix."""


def table() -> str:
    """Return the manual's table, in Markdown."""
    rows = [
        f"| `{PREFIX}{family.name}` | {family.kind} | {', '.join(family.labels)} | {family.meaning} |"
        for family in FAMILIES
    ]
    return "\n".join(["| name | kind | labels | meaning |", "| --- | --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(table())
