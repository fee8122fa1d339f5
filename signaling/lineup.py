"""All tracks of a room, and for each kind of slot the order in which tracks come into it by themselves."""

from __future__ import annotations

import sys
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from signaling.audio_order import AudioOrder, AudioTrack
from signaling.identifiers import SlotKind, Source, TrackId


class Candidate(AudioTrack, Protocol):
    """A live or muted track, as far as the choice of slots cares."""

    @property
    def source(self) -> Source: ...


Line = TypeVar("Line", bound=Candidate)

SLOT_KIND_OF: Final = {
    Source.CAMERA: SlotKind.VIDEO,
    Source.MICROPHONE: SlotKind.AUDIO,
    Source.SCREEN: SlotKind.SCREEN,
    Source.SCREEN_AUDIO: SlotKind.AUDIO,
}
"""The kind of slot that a track comes into without being pinned."""

_ORDER: Final[dict[SlotKind, Callable[[Candidate], Any]]] = {
    SlotKind.VIDEO: lambda track: track.publication_order,
    SlotKind.SCREEN: lambda track: -track.publication_order,
}


class Lineup(Generic[Line]):
    """Kept sorted, so that filling a slot looks at the few tracks in front and not at all of a large room."""

    def __init__(self) -> None:
        self.audio = AudioOrder()
        """After a change of it, or of who is muted, `arrange_audio`."""
        self._new_audio: set[TrackId] = set()
        """Came since the last `arrange_audio`."""
        self._tracks: dict[TrackId, Line] = {}
        self._lines: dict[SlotKind, list[Line]] = {kind: [] for kind in (SlotKind.AUDIO, *_ORDER)}

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
        """Take a new track; an audio track is last until `arrange_audio`."""
        kind = SLOT_KIND_OF[track.source]
        self._tracks[track.id] = track
        if kind is SlotKind.AUDIO:
            self._lines[kind].append(track)
            self._new_audio.add(track.id)
        else:
            insort(self._lines[kind], track, key=_ORDER[kind])

    def remove(self, track: Line) -> None:
        """Forget a track; of an audio track, `arrange_audio` is to follow."""
        del self._tracks[track.id]
        self._lines[SLOT_KIND_OF[track.source]].remove(track)
        self._new_audio.discard(track.id)
        self.audio.forget(track.id)

    def arrange_audio(self) -> range:
        """Bring the audio line into its order; return the positions, from the first to the last, that changed.

        If tracks came, that is up to the end and beyond: there may be slots that nothing was in.
        """
        before = self._lines[SlotKind.AUDIO]
        self.audio.pin(before)
        after = self._lines[SlotKind.AUDIO] = sorted(before, key=self.audio.key)
        new, self._new_audio = self._new_audio, set()
        changed = [
            place for place, (old, now) in enumerate(zip(before, after, strict=True)) if old is not now or now.id in new
        ]
        if not changed:
            return range(0)
        return range(changed[0], sys.maxsize if new else changed[-1] + 1)

    def line(self, kind: SlotKind) -> Sequence[Line]:
        """Return the tracks for slots of this kind, who is first in front."""
        if kind is SlotKind.STAGE:
            return [*self._lines[SlotKind.SCREEN], *self._lines[SlotKind.VIDEO]]
        return self._lines[kind]
