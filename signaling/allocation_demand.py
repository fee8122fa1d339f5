"""Which encodings somebody needs: those that nobody did for a while are paused at the publisher, and come back at once.

Of a track that is shown anywhere the lowest encoding is always needed: it is what a viewer falls back to whose network
narrows, and what a newcomer sees first, and neither can wait for the publisher. A track that nobody is shown is paused
as a whole: whoever is shown it next asks for it while the media path is still being made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from signaling.identifiers import TrackId

PAUSE_AFTER_S: Final = 4.0
"""Without need, which is noticed within a second: who turns a page, or pins somebody else for a moment, must not wait
when coming back."""

LOWEST: Final = 0


class Asked(Protocol):
    """A track, as far as demand cares."""

    @property
    def id(self) -> TrackId: ...
    @property
    def asked(self) -> tuple[bool, ...]:
        """Of each encoding whether its publisher is asked to send it, lowest first."""


class Demand:
    """`need` is to be called when something is shown, and again, at least every few seconds, as long as it is."""

    def __init__(self, ask: Callable[[TrackId, int, bool], None]) -> None:
        """`ask` asks the publisher of a track to send an encoding, or not to."""
        self._ask = ask
        self._needed_at: dict[TrackId, list[float]] = {}
        self._kept: dict[TrackId, int] = {}

    def keep(self, track: TrackId, encoding: int | None) -> None:
        """Have an encoding sent whether anybody is shown it or not, as a recorder needs it; None: no more."""
        if encoding is None:
            self._kept.pop(track, None)
        else:
            self._kept[track] = encoding

    def need(self, track: Asked, encodings: Iterable[int], *, now: float) -> None:
        """Somebody is shown a track, or about to be, and needs these encodings of it."""
        asked = track.asked
        needed_at = self._needed_at.get(track.id)
        if needed_at is None or len(needed_at) != len(asked):
            needed_at = self._needed_at[track.id] = [now] * len(asked)
        for encoding in {LOWEST, *encodings}:
            if 0 <= encoding < len(asked):
                needed_at[encoding] = now
                if not asked[encoding]:
                    self._ask(track.id, encoding, True)

    def look(self, tracks: Iterable[Asked], *, now: float) -> None:
        """Pause what nobody needed for long enough; tracks that are gone are forgotten."""
        before, self._needed_at = self._needed_at, {}
        kept, self._kept = self._kept, {}
        for track in tracks:
            needed_at = before.get(track.id)
            if needed_at is None or len(needed_at) != len(track.asked):
                needed_at = [now] * len(track.asked)
            self._needed_at[track.id] = needed_at
            if (encoding := kept.get(track.id)) is not None:
                self._kept[track.id] = encoding
                self.need(track, (encoding,), now=now)
            for encoding, asked in enumerate(track.asked):
                if asked and now - needed_at[encoding] >= PAUSE_AFTER_S:
                    self._ask(track.id, encoding, False)
