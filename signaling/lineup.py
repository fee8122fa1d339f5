"""All tracks of a room, and for each kind of slot the order in which tracks come into it by themselves."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from signaling.identifiers import SlotKind, Source, TrackId


class Candidate(Protocol):
    """A live or muted track, as far as the choice of slots cares."""

    @property
    def id(self) -> TrackId: ...
    @property
    def source(self) -> Source: ...
    @property
    def owner_order(self) -> int:
        """Grows with each participant that joins."""

    @property
    def publication_order(self) -> int:
        """Grows with each track that is published."""


Line = TypeVar("Line", bound=Candidate)

SLOT_KIND_OF: Final = {
    Source.CAMERA: SlotKind.VIDEO,
    Source.MICROPHONE: SlotKind.AUDIO,
    Source.SCREEN: SlotKind.SCREEN,
    Source.SCREEN_AUDIO: SlotKind.AUDIO,
}
"""The kind of slot that a track comes into without being pinned."""

_ORDER: Final[dict[SlotKind, Callable[[Candidate], Any]]] = {
    SlotKind.AUDIO: lambda track: (track.owner_order, track.publication_order),
    SlotKind.VIDEO: lambda track: track.publication_order,
    SlotKind.SCREEN: lambda track: -track.publication_order,
}


class Lineup(Generic[Line]):
    """Kept sorted, so that filling a slot looks at the few tracks in front and not at all of a large room."""

    def __init__(self) -> None:
        self._tracks: dict[TrackId, Line] = {}
        self._lines: dict[SlotKind, list[Line]] = {kind: [] for kind in _ORDER}

    def __contains__(self, track_id: object) -> bool:
        return track_id in self._tracks

    def __getitem__(self, track_id: TrackId) -> Line:
        return self._tracks[track_id]

    def __iter__(self) -> Iterator[Line]:
        return iter(self._tracks.values())

    def get(self, track_id: TrackId) -> Line | None:
        """Return the track, None if there is none (any more)."""
        return self._tracks.get(track_id)

    def add(self, track: Line) -> None:
        """Take a new track."""
        kind = SLOT_KIND_OF[track.source]
        self._tracks[track.id] = track
        insort(self._lines[kind], track, key=_ORDER[kind])

    def remove(self, track: Line) -> None:
        """Forget a track."""
        del self._tracks[track.id]
        self._lines[SLOT_KIND_OF[track.source]].remove(track)

    def line(self, kind: SlotKind) -> Sequence[Line]:
        """Return the tracks for slots of this kind, who is first in front."""
        if kind is SlotKind.STAGE:
            return [*self._lines[SlotKind.SCREEN], *self._lines[SlotKind.VIDEO]]
        return self._lines[kind]
