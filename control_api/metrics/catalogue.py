"""Every metric of a media server: its name, kind, label and meaning, once. The table of `metrics.md` is made of it.

Base units, `_total` for what only grows, no label that names a person, a room or an address: the number of time series
does not depend on who comes. A new count: a line here, and `python -m control_api.metrics` for the manual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from control_api.metrics.engine_families import ENGINE_FAMILIES
from control_api.metrics.family import Family, Kind
from control_api.rate_limits import Limit
from media.transport.counters import DropReason

PREFIX: Final = "halqa_"

SERVER_FAMILIES: Final = (
    # How joins go, stage by stage: where they stop, something is wrong.
    Family("joins_total", "Joins that got as far as this stage.", "stage"),
    Family("join_duration_seconds", "Time from a join's beginning to this stage.", "stage", Kind.HISTOGRAM),
    Family("joins_refused_total", "Joins that were refused, by the code that the client was told.", "code"),
    Family("transports_failed_total", "Transports that ended before DTLS was done, by reason.", "reason"),
    Family("transports_ended_total", "Transports that ended after DTLS was done, by reason.", "reason"),
    # Who is there.
    Family("rooms", "Rooms that exist now."),
    Family("participants", "Participants that are in rooms now, suspended ones too."),
    Family("websockets", "WebSockets that are open now, joined or not."),
    Family("whip_streams", "Streams that came or go by WHIP or WHEP and are open now."),
    Family("participants_left_total", "Participants that left, by reason.", "reason"),
    # The media's way through this server.
    Family(
        "forward_latency_seconds",
        "Time from a batch's arrival at the UDP socket until its copies were handed to the kernel.",
        None,
        Kind.HISTOGRAM,
    ),
    # The event loop, which everything but media waits for.
    Family("event_loop_lag_seconds", "How much later than asked the event loop woke.", None, Kind.HISTOGRAM),
    # Health.
    Family("ready", "Whether new rooms may come (1) or not (0), as /readyz says."),
    Family("not_ready", "Whether this is a reason (1) not to be ready.", "reason"),
    Family("draining", "Whether the server drains (1): it takes no new rooms and will end."),
    Family("workers_silent", "Workers that did not answer the last check by UDP."),
    # Events and webhooks.
    Family("journal_events_total", "Facts written to the journal since the start."),
    Family("journal_events_lost_total", "Facts that were lost because the disk failed for longer than memory lasts."),
    Family("journal_events_waiting", "Records that are not on the disk yet."),
    Family("journal_oldest_waiting_seconds", "Age of the oldest record that is not on the disk yet; 0 if none waits."),
    Family("journal_commits_total", "Batches of records that were written and synced."),
    Family("journal_commit_seconds", "Time that writing and syncing one batch took.", None, Kind.HISTOGRAM),
    Family("journal_slowest_commit_seconds", "Time of the slowest batch since the start."),
    Family("journal_failed", "Whether the disk takes nothing at present (1)."),
    Family("webhook_events_delivered_total", "Events that receivers of webhooks have taken."),
    Family("webhook_events_waiting", "Events that receivers have not got yet, over all receivers."),
    Family("webhook_oldest_waiting_seconds", "Age of the oldest event that some receiver has not got yet."),
    Family("webhooks_failing", "Receivers whose last delivery failed."),
    Family("webhook_dead_letters", "Events that were given up and wait for a replay."),
    # HTTP.
    Family("http_connections", "TCP connections that are open now."),
    Family("http_connections_unheard", "TCP connections that have not sent a whole request yet."),
    Family("http_connections_refused_total", "TCP connections that were refused: too many of one address."),
    Family("http_connections_displaced_total", "Silent TCP connections that had to make place for others."),
    Family("http_connections_timed_out_total", "TCP connections that were closed for saying nothing."),
    Family("requests_refused_total", "Requests that were refused by a rate limit.", "limit"),
    Family("addresses_remembered", "Addresses that rate limits count at present."),
    Family("tls_certificate_expiry_timestamp_seconds", "When the TLS certificate expires, in seconds since 1970."),
    Family("tls_reloads_total", "Times that a changed TLS certificate was taken up."),
    Family("tls_reload_failures_total", "Times that changed TLS files were unusable, and the old certificate stayed."),
    # The build.
    Family("build_info", "Always 1; the label says what runs.", "version"),
)


def _told_as() -> Iterator[tuple[str, tuple[str, str | None]]]:
    for reason in DropReason:
        yield f"control_dropped_{reason.value}_total", ("control_dropped_total", reason.value)
    for limit in Limit:
        yield f"requests_refused_by_{limit.value}_limit", ("requests_refused_total", limit.value)
    for name in ("refused", "displaced", "timed_out"):
        yield f"http_connections_{name}", (f"http_connections_{name}_total", None)


CATALOGUE: Final[Mapping[str, Family]] = MappingProxyType(
    {family.name: family for family in (*SERVER_FAMILIES, *ENGINE_FAMILIES)}
)
"""All families by name, without the prefix."""

TOLD_AS: Final[Mapping[str, tuple[str, str | None]]] = MappingProxyType(dict(_told_as()))
"""What parts count under names of their own: as which family and label it is told."""


def unknown_family(name: str) -> Family:
    """Return a family for a count that nobody has described: shown, so that it is not lost; a test complains."""
    return Family(name, f"{name.removesuffix('_total').replace('_', ' ').capitalize()}.")


def table() -> str:
    """Return the manual's table, in Markdown."""
    rows = [
        f"| `{PREFIX}{family.name}` | {family.kind.value} | {family.label or ''} | {family.meaning} |"
        for family in CATALOGUE.values()
    ]
    return "\n".join(["| name | kind | label | meaning |", "| --- | --- | --- | --- |", *rows])
