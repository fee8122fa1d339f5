"""Who counts what, asked at each scrape: one line for each part."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from control_api.health.readiness import Reason
from control_api.metrics.histogram import Histogram
from control_api.metrics.registry import Reading
from control_api.parts import Parts
from media.native.latency import bounds_us

_MICROSECONDS: Final = 1e6
_LATENCY_BOUNDS_S: Final = tuple(bound / _MICROSECONDS for bound in bounds_us())


def readings_of(parts: Parts) -> tuple[Reading, ...]:
    """Return the readings of all parts."""
    return (
        parts.funnel.reading,
        lambda: _read_signaling(parts),
        lambda: _read_health(parts),
        lambda: _read_engine(parts),
        parts.journal.reading,
        lambda: {"journal_commit_seconds": parts.journal.commit_times},
        parts.webhooks.reading,
        parts.connections.reading,
        parts.pace.reading,
        lambda: _read_certificate(parts),
        lambda: {("build_info", _version()): 1.0},
    )


def _read_signaling(parts: Parts) -> dict[str, float]:
    return {
        "rooms": parts.signaling.rooms,
        "participants": parts.signaling.participants,
        "websockets": parts.signaling.connections,
        "whip_streams": parts.whip.streams,
    }


def _read_health(parts: Parts) -> dict[Any, float | Histogram]:
    reasons = parts.health.reasons()
    return {
        "event_loop_lag_seconds": parts.health.loop_lag.histogram,
        "ready": float(not reasons),
        **{("not_ready", reason.value): float(reason in reasons) for reason in Reason},
        "draining": float(parts.drain.active),
        "workers_silent": parts.health.silent_workers,
    }


def _read_engine(parts: Parts) -> dict[str, float | Histogram]:
    counts, sum_us = parts.engine.forward_latency()
    latency = Histogram.of_counts(_LATENCY_BOUNDS_S, counts, sum_us / _MICROSECONDS)
    return {"forward_latency_seconds": latency, **parts.engine.metrics()}


def _read_certificate(parts: Parts) -> dict[str, float]:
    certificate = parts.certificate
    if certificate is None:
        return {}
    return {
        "tls_certificate_expiry_timestamp_seconds": certificate.expires_at.timestamp(),
        "tls_reloads_total": certificate.reloads,
        "tls_reload_failures_total": certificate.failures,
    }


def _version() -> str:
    try:
        return version("halqa")
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"
