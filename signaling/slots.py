"""Which track each slot of one viewer shows: a pure function of the room's tracks and the viewer's wishes.

The rules, in the order in which they apply:

1. A slot with a pinned track shows it, a slot that is to stay empty shows nothing, all others are automatic.
2. Automatic audio slots: microphones and screen audio of the others, those in front of the room's audio line (see
   `audio_order`). One that is still among them keeps its slot.
3. Automatic video slots: cameras of the others, the earliest published first.
4. There a track keeps its slot as long as it lives (muted or not); a newcomer takes the first free slot or waits.
5. Automatic screen slots: the newest screen shares; a share that is still among them keeps its slot.
6. Automatic stage slots, before the video and screen slots: the newest screen shares, then the first cameras.
7. A pinned track is not shown automatically as well. A screen share never takes a video slot by itself.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Sequence
from itertools import islice
from typing import Final, Protocol, TypeAlias

from media.rtp.parameters import MediaKind, Mid
from signaling.identifiers import SlotKind, TrackId
from signaling.lineup import SLOT_KIND_OF, Candidate, Line, Lineup


class Choice(enum.Enum):
    """What a viewer wants of a slot, if it is no particular track."""

    AUTOMATIC = enum.auto()
    EMPTY = enum.auto()


_FRONT_OF_LINE: Final = frozenset({SlotKind.STAGE, SlotKind.SCREEN, SlotKind.AUDIO})
"""Kinds whose slots show whatever is in front now: another can take a slot from what is shown."""

Wish: TypeAlias = TrackId | Choice


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


def assign(slots: Sequence[SlotWish], tracks: Lineup[Line], *, hidden: Container[TrackId] = ()) -> Assignment:
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
            staying = [] if kind in _FRONT_OF_LINE else _staying(automatic, tracks, hidden, taken)
            taken.update(staying)
            waiting = (track.id for track in tracks.line(kind) if track.id not in taken and track.id not in hidden)
            chosen = [*staying, *islice(waiting, len(automatic) - len(staying))]
            taken.update(chosen)
            _place(automatic, chosen, assignment)
    return assignment


def may_come_in(track: Candidate, slots: Sequence[SlotWish]) -> bool:
    """Return whether a new track can change what these slots show; cheaper than finding out by `assign`."""
    kind = SLOT_KIND_OF[track.source]
    kinds = {kind, SlotKind.STAGE} if kind.kind is MediaKind.VIDEO else {kind}
    return any(
        slot.kind in kinds and slot.wish is Choice.AUTOMATIC and (slot.shown is None or slot.kind in _FRONT_OF_LINE)
        for slot in slots
    )


def _staying(
    slots: Sequence[SlotWish], tracks: Lineup[Line], hidden: Container[TrackId], taken: Container[TrackId]
) -> list[TrackId]:
    """Return the tracks that are shown and keep their slots."""
    staying: list[TrackId] = []
    for slot in slots:
        track = slot.shown
        if track is None or track in staying or track in taken or track in hidden or track not in tracks:
            continue
        if SLOT_KIND_OF[tracks[track].source] is slot.kind:
            staying.append(track)
    return staying


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
