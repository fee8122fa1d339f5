"""The rules by which slots get tracks: one table of cases, and stability as a property."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from media.rtp.parameters import Mid
from signaling.identifiers import ParticipantId, Role, SlotKind, Source, TrackId
from signaling.lineup import Lineup
from signaling.slots import Choice, Wish, assign, may_come_in

CAMERA, MICROPHONE, SCREEN, SOUND = Source.CAMERA, Source.MICROPHONE, Source.SCREEN, Source.SCREEN_AUDIO


SOMEBODY = ParticipantId("p")


@dataclass
class Shared:
    """A track as the rules see it."""

    id: TrackId
    source: Source
    owner_order: int
    publication_order: int
    muted: bool = False
    owner: ParticipantId = SOMEBODY
    owner_role: Role = Role.STUDENT


@dataclass
class Place:
    """A slot as the rules see it."""

    mid: Mid
    kind: SlotKind
    wish: Wish = Choice.AUTOMATIC
    shown: TrackId | None = None


def lineup(room: Mapping[TrackId, Shared]) -> Lineup[Shared]:
    tracks: Lineup[Shared] = Lineup()
    for track in room.values():
        tracks.add(track)
    return tracks


def tracks(*sources: Source, owners: tuple[int, ...] = ()) -> dict[TrackId, Shared]:
    """Tracks t0, t1 ... in order of publication, each of an owner of its own unless owners are given."""
    return {
        TrackId(f"t{order}"): Shared(TrackId(f"t{order}"), source, owners[order] if owners else order, order)
        for order, source in enumerate(sources)
    }


def places(kinds: str, *, shown: str = "", wishes: dict[int, str] | None = None) -> list[Place]:
    """Slots by the letters a, v, s, g (stage); `shown` has the digit of a track or "-" for each; wish "-" is empty."""
    names = {"a": SlotKind.AUDIO, "v": SlotKind.VIDEO, "s": SlotKind.SCREEN, "g": SlotKind.STAGE}
    slots = [Place(Mid(str(index)), names[letter]) for index, letter in enumerate(kinds)]
    for slot, digit in zip(slots, shown, strict=False):
        slot.shown = None if digit == "-" else TrackId(f"t{digit}")
    for index, wish in (wishes or {}).items():
        slots[index].wish = Choice.EMPTY if wish == "-" else TrackId(f"t{wish}")
    return slots


def shown(slots: list[Place], room: dict[TrackId, Shared], hidden: str = "") -> str:
    assignment = assign(slots, lineup(room), hidden={TrackId(f"t{digit}") for digit in hidden})
    assert list(assignment) == [slot.mid for slot in slots]
    return "".join((assignment[slot.mid] or "-")[-1] for slot in slots)


@dataclass
class Case:
    slots: list[Place]
    room: dict[TrackId, Shared]
    expected: str
    hidden: str = field(default="")


CASES = {
    "nothing is published": Case(places("avs"), tracks(), "---"),
    "each kind finds its slot": Case(places("avs"), tracks(CAMERA, SCREEN, MICROPHONE), "201"),
    "nobody gets the own track": Case(places("avs"), tracks(CAMERA, SCREEN, MICROPHONE), "---", hidden="012"),
    "who was never heard comes in the order of publication": Case(
        places("aa"), tracks(MICROPHONE, MICROPHONE, MICROPHONE, owners=(3, 1, 2)), "01"
    ),
    "screen sound is audio": Case(places("aaa"), tracks(MICROPHONE, SOUND, MICROPHONE, owners=(1, 2, 1)), "012"),
    "cameras come in the order of publication": Case(
        places("vv"), tracks(CAMERA, CAMERA, CAMERA, owners=(3, 1, 2)), "01"
    ),
    "a newcomer takes the first free slot": Case(places("vvv", shown="1-0"), tracks(CAMERA, CAMERA, CAMERA), "120"),
    "a newcomer waits while slots are full": Case(places("vv", shown="10"), tracks(CAMERA, CAMERA, CAMERA), "10"),
    "the earliest waiting gets the slot that is free": Case(
        places("vv", shown="50"), tracks(CAMERA, SOUND, CAMERA, CAMERA), "20"
    ),
    "an earlier joiner does not push out a later one": Case(
        places("aa", shown="01"), tracks(MICROPHONE, MICROPHONE, MICROPHONE, owners=(5, 6, 1)), "01"
    ),
    "a screen does not take a picture slot": Case(places("vv"), tracks(SCREEN), "--"),
    "a camera does not take the screen slot": Case(places("s"), tracks(CAMERA), "-"),
    "the newest screen wins": Case(places("s", shown="0"), tracks(SCREEN, SCREEN), "1"),
    "the screen before comes back": Case(places("s", shown="7"), tracks(SCREEN, SCREEN, CAMERA), "1"),
    "two screen slots: the oldest gives way, the other stays": Case(
        places("ss", shown="01"), tracks(SCREEN, SCREEN, SCREEN), "21"
    ),
    "two screen slots fill with the newest first": Case(places("ss"), tracks(SCREEN, SCREEN, SCREEN), "21"),
    "a pinned track is shown": Case(places("vv", wishes={1: "2"}), tracks(CAMERA, CAMERA, CAMERA), "02"),
    "a pinned track leaves its automatic slot": Case(
        places("vv", shown="01", wishes={1: "0"}), tracks(CAMERA, CAMERA, CAMERA), "10"
    ),
    "a pinned track may be shown twice": Case(places("vv", wishes={0: "1", 1: "1"}), tracks(CAMERA, CAMERA), "11"),
    "a track shown twice by pins keeps one automatic slot": Case(
        places("vv", shown="11"), tracks(CAMERA, CAMERA), "10"
    ),
    "a pinned screen fits a picture slot, and no screen slot repeats it": Case(
        places("vs", wishes={0: "0"}), tracks(SCREEN), "0-"
    ),
    "a pinned track that is gone leaves the slot empty": Case(places("v", wishes={0: "9"}), tracks(CAMERA), "-"),
    "a pinned track that cannot be played leaves the slot empty": Case(
        places("vv", wishes={0: "0"}), tracks(CAMERA, CAMERA), "-1", hidden="0"
    ),
    "the stage is the newest screen": Case(places("g", shown="0"), tracks(SCREEN, CAMERA, SCREEN), "2"),
    "the stage is the first camera while nobody shares": Case(places("g", shown="9"), tracks(CAMERA, CAMERA), "0"),
    "who is on the stage is not shown again": Case(places("vg"), tracks(CAMERA, CAMERA, MICROPHONE), "10"),
    "an empty slot stays empty": Case(places("vv", shown="0-", wishes={0: "-"}), tracks(CAMERA), "-0"),
    "a pinned screen that becomes automatic leaves the picture slot": Case(
        places("vs", shown="0-"), tracks(SCREEN), "-0"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_rules(case: Case) -> None:
    assert shown(case.slots, case.room, case.hidden) == case.expected


@st.composite
def rooms(draw: st.DrawFn) -> dict[TrackId, Shared]:
    sources = draw(st.lists(st.sampled_from(Source), max_size=12))
    owners = draw(st.lists(st.integers(0, 6), min_size=len(sources), max_size=len(sources)))
    return tracks(*sources, owners=tuple(owners))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Place], dict[TrackId, Shared], set[TrackId]]:
    """Slots with any wishes, already filled by the rules, over a room with some hidden tracks."""
    room = draw(rooms())
    hidden = draw(st.sets(st.sampled_from(sorted(room)))) if room else set()
    slots = places(draw(st.text("avs", max_size=8)))
    for slot in slots:
        fitting = [track.id for track in room.values() if track.source.kind is slot.kind.kind]
        wishes: list[Wish] = [Choice.AUTOMATIC, Choice.AUTOMATIC, Choice.EMPTY, *fitting]
        slot.wish = draw(st.sampled_from(wishes))
    settle(slots, room, hidden)
    return slots, room, hidden


def settle(slots: list[Place], room: dict[TrackId, Shared], hidden: set[TrackId]) -> dict[Mid, TrackId | None]:
    assignment = assign(slots, lineup(room), hidden=hidden)
    for slot in slots:
        slot.shown = assignment[slot.mid]
    return assignment


@given(scenes())
def test_nothing_moves_when_nothing_changes(scene: tuple[list[Place], dict[TrackId, Shared], set[TrackId]]) -> None:
    slots, room, hidden = scene
    before = {slot.mid: slot.shown for slot in slots}
    assert settle(slots, room, hidden) == before


@given(scenes())
def test_every_track_fits_and_is_shown_once_by_itself(
    scene: tuple[list[Place], dict[TrackId, Shared], set[TrackId]],
) -> None:
    slots, room, hidden = scene
    automatic = [slot for slot in slots if slot.wish is Choice.AUTOMATIC and slot.shown is not None]
    assert len({slot.shown for slot in automatic}) == len(automatic)
    pinned = {slot.wish for slot in slots if not isinstance(slot.wish, Choice)} & (room.keys() - hidden)
    assert not pinned & {slot.shown for slot in automatic}
    for slot in slots:
        if slot.shown is not None:
            assert slot.shown not in hidden
            assert room[slot.shown].source.kind is slot.kind.kind


@given(scenes())
def test_no_slot_is_empty_while_a_track_waits_for_it(
    scene: tuple[list[Place], dict[TrackId, Shared], set[TrackId]],
) -> None:
    slots, room, hidden = scene
    seen = {slot.shown for slot in slots}
    waiting = {track.source for track in room.values() if track.id not in seen and track.id not in hidden}
    for slot in slots:
        if slot.wish is Choice.AUTOMATIC and slot.shown is None:
            wanted = {
                SlotKind.AUDIO: {MICROPHONE, SOUND},
                SlotKind.VIDEO: {CAMERA},
                SlotKind.SCREEN: {SCREEN},
            }[slot.kind]
            assert not wanted & waiting


@given(scenes(), st.sampled_from(Source), st.integers(0, 6))
def test_a_new_track_moves_no_other(
    scene: tuple[list[Place], dict[TrackId, Shared], set[TrackId]], source: Source, owner: int
) -> None:
    slots, room, hidden = scene
    before = {slot.mid: slot.shown for slot in slots}
    new = Shared(TrackId("new"), source, owner, 99)
    may_change = may_come_in(new, slots)
    after = settle(slots, room | {new.id: new}, hidden)
    changed = {mid for mid in after if after[mid] != before[mid]}
    assert all(after[mid] == new.id for mid in changed)
    assert len(changed) <= 1
    assert may_change or not changed
    if source is not SCREEN:
        assert all(before[mid] is None for mid in changed)


@given(scenes(), st.data())
def test_the_end_of_a_track_moves_no_other(
    scene: tuple[list[Place], dict[TrackId, Shared], set[TrackId]], data: st.DataObject
) -> None:
    slots, room, hidden = scene
    assume(room)
    gone = data.draw(st.sampled_from(sorted(room)))
    before = {slot.mid: slot.shown for slot in slots}
    after = settle(slots, {track: room[track] for track in room if track != gone}, hidden)
    assert all(before[mid] == gone for mid in after if after[mid] != before[mid])
