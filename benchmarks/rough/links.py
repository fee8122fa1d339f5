"""The bad networks of the benchmark, and what a viewer behind each may notice at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FAR: Final = "delay=50ms"  # each way: 100 ms round trip
CLEAR: Final = "clear"
"""The row that loses nothing: the floor of all others."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Bounds; None means that nothing is asked."""

    freeze_percent_max: float | None = None
    """Of the time, as the browser counts freezes."""
    concealed_percent_max: float | None = None
    """Of the samples of sound that were played: what the browser had to invent."""
    sound_gap_ms_max: float | None = None
    """Between two packets of sound that reach the viewer."""
    screen_fps_min: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the table. Schedules are those of `benchmarks.relay.schedule`."""

    name: str
    viewer_down: str
    asked: Asked
    teacher_up: str = FAR
    screen: bool = False
    """Whether the teacher shares a screen of changing text beside camera and microphone."""


LINKS: Final = (
    Link(CLEAR, FAR, Asked()),
    Link("loss1", f"loss=1% {FAR} only=media", Asked(0.1, 0.2)),
    Link("loss5", f"loss=5% {FAR} only=media", Asked(0.5, 1.0)),
    Link("loss10", f"loss=10% {FAR} only=media", Asked(1.5, 2.0)),
    Link("loss20", f"loss=20% {FAR} only=media", Asked(5.0, 5.0)),
    Link("bursts", f"loss=5% burst=5 {FAR} only=media", Asked(concealed_percent_max=3.0)),
    Link(
        "narrow",
        f"rate=300kbit {FAR}",
        Asked(sound_gap_ms_max=200.0, screen_fps_min=1.0),
        screen=True,
    ),
    Link("teacher", FAR, Asked(freeze_percent_max=1.0), teacher_up=f"loss=10% {FAR} only=media"),
)
