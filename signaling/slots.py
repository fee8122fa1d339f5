"""Which track each slot of one viewer shows: a pure function of the room's tracks and the viewer's wishes.

The rules, in the order in which they apply:

1. A slot with a pinned track shows it, a slot that is to stay empty shows nothing, all others are automatic.
2. Automatic audio slots: microphones and screen audio of the others, in the order in which their owners joined.
3. Automatic video slots: cameras of the others, the earliest published first.
4. In both, a track keeps its slot as long as it lives (muted or not); a newcomer takes the first free slot or waits.
5. Automatic screen slots: the newest screen shares; a share that is still among them keeps its slot.
6. A pinned track is not shown automatically as well. A screen share never takes a video slot by itself.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Container, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from media.rtp.parameters import Mid
from signaling.identifiers import SlotKind, Source, TrackId


class Choice(enum.Enum):
    """What a viewer wants of a slot, if it is no particular track."""

    AUTOMATIC = enum.auto()
    EMPTY = enum.auto()


Wish: TypeAlias = TrackId | Choice


class Candidate(Protocol):
    """A live or muted track of the room, as far as the choice of slots cares."""

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


class SlotWish(Protocol):
    """One slot, what its viewer wants there, and what it shows now."""

    @property
    def mid(self) -> Mid: ...
    @property
    def kind(self) -> SlotKind: ...
    @property
    def wish(self) -> Wish: ...
    @property
    def shown(self) -> TrackId | None: ...


Assignment: TypeAlias = dict[Mid, TrackId | None]

_SOURCES: Final = {
    SlotKind.AUDIO: frozenset({Source.MICROPHONE, Source.SCREEN_AUDIO}),
    SlotKind.VIDEO: frozenset({Source.CAMERA}),
    SlotKind.SCREEN: frozenset({Source.SCREEN}),
}


def assign(
    slots: Sequence[SlotWish], tracks: Mapping[TrackId, Candidate], *, hidden: Container[TrackId] = ()
) -> Assignment:
    """Return the track of every slot. `hidden` tracks (the viewer's own, or not playable) are never shown."""
    assignment: Assignment = {slot.mid: None for slot in slots}
    taken: set[TrackId] = set()
    for slot in slots:
        if not isinstance(slot.wish, Choice) and slot.wish in tracks and slot.wish not in hidden:
            assignment[slot.mid] = slot.wish
            taken.add(slot.wish)
    for kind in SlotKind:
        automatic = [slot for slot in slots if slot.kind is kind and slot.wish is Choice.AUTOMATIC]
        if automatic:
            choose = _newest_screens if kind is SlotKind.SCREEN else _lasting
            _place(automatic, choose(automatic, tracks, hidden, taken), assignment)
    return assignment


def _newest_screens(
    slots: Sequence[SlotWish],
    tracks: Mapping[TrackId, Candidate],
    hidden: Container[TrackId],
    taken: Collection[TrackId],
) -> list[TrackId]:
    waiting = _waiting(SlotKind.SCREEN, tracks, hidden, taken)
    waiting.sort(key=lambda candidate: candidate.publication_order, reverse=True)
    return [candidate.id for candidate in waiting[: len(slots)]]


def _lasting(
    slots: Sequence[SlotWish],
    tracks: Mapping[TrackId, Candidate],
    hidden: Container[TrackId],
    taken: Collection[TrackId],
) -> list[TrackId]:
    """Return what is shown and stays, then who waits. Full slots cost nothing per track of the room."""
    kind = slots[0].kind
    staying: list[TrackId] = []
    for slot in slots:
        track = slot.shown
        if track is None or track in staying or track in taken or track in hidden or track not in tracks:
            continue
        if tracks[track].source in _SOURCES[kind]:
            staying.append(track)
    free = len(slots) - len(staying)
    if not free:
        return staying
    waiting = _waiting(kind, tracks, hidden, {*taken, *staying})
    if kind is SlotKind.AUDIO:
        waiting.sort(key=lambda candidate: (candidate.owner_order, candidate.publication_order))
    else:
        waiting.sort(key=lambda candidate: candidate.publication_order)
    return staying + [candidate.id for candidate in waiting[:free]]


def _waiting(
    kind: SlotKind,
    tracks: Mapping[TrackId, Candidate],
    hidden: Container[TrackId],
    taken: Collection[TrackId],
) -> list[Candidate]:
    return [
        candidate
        for candidate in tracks.values()
        if candidate.source in _SOURCES[kind] and candidate.id not in taken and candidate.id not in hidden
    ]


def _place(slots: Sequence[SlotWish], chosen: Sequence[TrackId], assignment: Assignment) -> None:
    """Give each track its old slot, and those that are new the free slots in order."""
    newcomers = list(chosen)
    free: list[Mid] = []
    for slot in slots:
        if slot.shown is not None and slot.shown in newcomers:
            assignment[slot.mid] = slot.shown
            newcomers.remove(slot.shown)
        else:
            free.append(slot.mid)
    for mid, track in zip(free, newcomers, strict=False):
        assignment[mid] = track
