"""How far a transport got, and when: for those who count joins. It decides nothing."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping


class Step(enum.Enum):
    """What a transport reaches one after the other; the value is the metric's label."""

    ICE = "ice"
    """A valid check chose the address that media goes to."""
    DTLS = "dtls"
    """The handshake is done, and the peer is who signalling named."""
    MEDIA = "media"
    """A first packet of a track came, or a first track went out in a slot."""


class Progress:
    """One transport's; steps are told once, the end too."""

    def __init__(self, started: float) -> None:
        """`started` is monotonic seconds: when the transport was made."""
        self.started = started
        self.on_step: Callable[[Step, float], None] | None = None
        """Called with a step and how many seconds after the start it was reached."""
        self.on_end: Callable[[str], None] | None = None
        """Called with the reason when the transport has ended, also by our own close ("local")."""
        self._reached: dict[Step, float] = {}

    @property
    def reached(self) -> Mapping[Step, float]:
        """Seconds after the start, of the steps so far."""
        return self._reached

    def reach(self, step: Step, *, now: float) -> None:
        """Take note of a step; only its first time counts."""
        if step not in self._reached:
            self._reached[step] = now - self.started
            if self.on_step is not None:
                self.on_step(step, now - self.started)

    def end(self, reason: str) -> None:
        """Take note of the end."""
        if self.on_end is not None:
            self.on_end(reason)
