"""What one viewer noticed between two moments: from the browser's statistics and the relay's log."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.fanout.report import percentile
from benchmarks.relay.direction import Change, Entry
from benchmarks.relay.packet import Kind

Reports = Mapping[str, Mapping[str, Any]]
"""The browser's `inbound-rtp` reports by kind of slot."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Shares are percent; None where nothing of that kind flowed."""

    freeze_percent: float | None
    concealed_percent: float | None
    video_fps: float | None
    screen_fps: float | None
    screen_freeze_percent: float | None
    sound_gap_ms: float | None
    """Longest time between two packets of sound that left the relay."""
    sound_delay_ms: float | None
    """Mean time of sound in the browser's jitter buffer."""
    queue_p95_ms: float | None
    """How long packets stood before the link, beyond its own delay."""
    lost_percent: float
    """Of the viewer's RTP packets, all kinds, as the relay dropped them."""
    key_frames: int
    nacks: int
    plis: int


def noticed(before: Reports, after: Reports, log: Iterable[Entry | Change], delay_s: float) -> Noticed:
    """Compare two moments; `log` is the relay's between them, `delay_s` what its link delays everything by."""
    video, sound, screen = (_Grown(before, after, kind) for kind in ("video", "audio", "screen"))
    packets = [
        entry for entry in log if isinstance(entry, Entry) and entry.direction == "down" and entry.kind is Kind.RTP
    ]
    passed = [entry for entry in packets if not entry.is_dropped]
    sound_at = [entry.verdict.leaves_s[0] for entry in passed if entry.ssrc == sound.ssrc]
    waits_ms = [(entry.verdict.leaves_s[0] - entry.at_s - delay_s) * 1000 for entry in passed]
    concealed = sound.by("concealedSamples") - sound.by("silentConcealedSamples")
    return Noticed(
        freeze_percent=video.per_second("totalFreezesDuration", 100),
        concealed_percent=round(100 * concealed / max(1, sound.by("totalSamplesReceived")), 3) if sound else None,
        video_fps=video.per_second("framesDecoded"),
        screen_fps=screen.per_second("framesDecoded"),
        screen_freeze_percent=screen.per_second("totalFreezesDuration", 100),
        sound_gap_ms=round(max(_gaps(sound_at)) * 1000, 1) if len(sound_at) > 1 else None,
        sound_delay_ms=(
            round(1000 * sound.by("jitterBufferDelay") / max(1, sound.by("jitterBufferEmittedCount")), 1)
            if sound
            else None
        ),
        queue_p95_ms=round(max(0.0, percentile(waits_ms, 0.95)), 1) if waits_ms else None,
        lost_percent=round(100 * (1 - len(passed) / max(1, len(packets))), 2),
        key_frames=int(video.by("keyFramesDecoded")),
        nacks=int(video.by("nackCount")),
        plis=int(video.by("pliCount")),
    )


class _Grown:
    """How the counters of one slot's report grew."""

    def __init__(self, before: Reports, after: Reports, kind: str) -> None:
        self._before, self._after = before.get(kind, {}), after.get(kind, {})
        self.ssrc: int | None = self._after.get("ssrc")

    def __bool__(self) -> bool:
        return bool(self._before and self._after)

    def by(self, name: str) -> float:
        return float(self._after.get(name, 0)) - float(self._before.get(name, 0))

    def per_second(self, name: str, factor: float = 1.0) -> float | None:
        return round(factor * 1000 * self.by(name) / max(1.0, self.by("at_ms")), 3) if self else None


def _gaps(times: list[float]) -> Iterable[float]:
    return (later - earlier for earlier, later in itertools.pairwise(sorted(times)))
