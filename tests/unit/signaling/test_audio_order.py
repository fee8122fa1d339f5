"""The audio line: a table of who comes before whom, and that nothing moves without a reason."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.audio_order import AudioOrder
from signaling.identifiers import ParticipantId, Role, SlotKind, Source, TrackId
from signaling.lineup import Lineup


@dataclass
class Sound:
    """A track as the order sees it; it is called like its owner."""

    id: TrackId
    owner_order: int
    publication_order: int
    owner_role: Role = Role.STUDENT
    muted: bool = False
    source: Source = Source.MICROPHONE

    @property
    def owner(self) -> ParticipantId:
        return ParticipantId(self.id[0])


def room(names: str, *, teachers: str = "", muted: str = "") -> list[Sound]:
    """One track for each letter, published in this order; who joined is in the order of the alphabet."""
    return [
        Sound(
            TrackId(name),
            ord(name),
            order,
            Role.TEACHER if name in teachers else Role.STUDENT,
            name in muted,
        )
        for order, name in enumerate(names)
    ]


def line(order: AudioOrder, tracks: list[Sound]) -> str:
    order.pin(tracks)
    return "".join(track.id for track in sorted(tracks, key=order.key))


def speak(order: AudioOrder, names: str) -> None:
    """Let these speak, the first leads; "" is silence."""
    order.hear([TrackId(name) for name in names], TrackId(names[0]) if names else None)


def test_who_was_never_heard_comes_in_the_order_of_publication() -> None:
    assert line(AudioOrder(), room("badc")) == "badc"


def test_who_is_muted_comes_last() -> None:
    assert line(AudioOrder(), room("abcd", muted="ac")) == "bdac"


def test_the_teacher_comes_first_unless_muted() -> None:
    assert line(AudioOrder(), room("abcd", teachers="c")) == "cabd"
    assert line(AudioOrder(), room("abcd", teachers="c", muted="c")) == "abdc"


@pytest.mark.parametrize(
    ("teachers", "spotlight", "muted", "expected"),
    [
        ("dc", "", "", "cabd"),  # the teacher who joined first
        ("dc", "d", "", "dabc"),  # the teacher in the spotlight
        ("dc", "b", "", "cabd"),  # a student in the spotlight is no teacher
        ("dc", "b", "cd", "bacd"),  # no teacher can be heard: who is in the spotlight
        ("", "db", "", "bacd"),  # of several, who joined first
        ("", "x", "", "abcd"),  # who is not there pins nothing
    ],
)
def test_one_participant_is_pinned(teachers: str, spotlight: str, muted: str, expected: str) -> None:
    order = AudioOrder()
    order.spotlight = tuple(ParticipantId(name) for name in spotlight)
    assert line(order, room("abcd", teachers=teachers, muted=muted)) == expected


def test_the_sound_of_a_pinned_screen_comes_along() -> None:
    tracks = [*room("abc", teachers="c"), Sound(TrackId("c2"), ord("c"), 9, Role.TEACHER, source=Source.SCREEN_AUDIO)]
    assert line(AudioOrder(), tracks) == "cc2ab"


def test_who_speaks_comes_to_the_front_and_stays_there_until_others_spoke() -> None:
    order, tracks = AudioOrder(), room("abcdef")
    for speaking, expected in [
        ("e", "eabcdf"),
        ("", "eabcdf"),
        ("f", "feabcd"),
        ("", "feabcd"),
        ("c", "cfeabd"),
        ("cf", "cfeabd"),  # in the order in which they began
        ("fc", "fceabd"),  # but who leads is first
        ("f", "fceabd"),
        ("", "fceabd"),
    ]:
        speak(order, speaking)
        assert line(order, tracks) == expected, speaking


def test_a_newcomer_waits_behind_those_who_speak() -> None:
    order, tracks = AudioOrder(), room("abcdef")
    for names in ("a", "ab", "abc", "abcd"):
        speak(order, names)
    assert line(order, tracks) == "abcdef"
    speak(order, "dabc")
    assert line(order, tracks) == "dabcef", "unless it leads"


def test_who_unmutes_comes_before_the_silent() -> None:
    order, tracks = AudioOrder(), room("abcd", muted="d")
    speak(order, "b")
    assert line(order, tracks) == "bacd"
    tracks[3].muted = False
    order.take_turn(TrackId("d"))
    assert line(order, tracks) == "bdac"


def test_what_is_not_news_is_not_told() -> None:
    order = AudioOrder()
    assert order.hear([TrackId("a"), TrackId("b")], TrackId("a"))
    assert not order.hear([TrackId("a"), TrackId("b")], TrackId("a"))
    assert order.hear([TrackId("b"), TrackId("a")], TrackId("b"))
    assert order.hear([], None)
    assert not order.hear([], None)


scripts = st.lists(
    st.tuples(st.sampled_from(["speak", "silent", "mute", "unmute"]), st.sampled_from("abcdefg")), max_size=60
)


@given(scripts, st.integers(1, 8), st.sampled_from(["", "a", "cd"]))
def test_a_slot_changes_only_for_who_needs_it(script: list[tuple[str, str]], slots: int, teachers: str) -> None:
    """Those in front are exchanged one by one, for somebody who spoke or unmuted; and who speaks gives way to nobody
    but who leads, or is pinned."""
    lineup: Lineup[Sound] = Lineup()
    tracks = {track.id: track for track in room("abcdefg", teachers=teachers)}
    for track in tracks.values():
        lineup.add(track)
    lineup.arrange_audio()
    speaking: list[str] = []

    def front() -> list[str]:
        return [track.id for track in lineup.line(SlotKind.AUDIO)[:slots]]

    for act, name in script:
        before, spoke, pinned = front(), list(speaking), lineup.audio.pinned
        muted = {track.id for track in tracks.values() if track.muted}
        if act == "speak" and name not in speaking and name not in muted:
            speaking.append(name)
        elif act in ("silent", "mute") and name in speaking:
            speaking.remove(name)
        tracks[TrackId(name)].muted = act == "mute" if act in ("mute", "unmute") else name in muted
        if act == "unmute" and name in muted:
            lineup.audio.take_turn(TrackId(name))
        lineup.audio.hear([TrackId(each) for each in speaking], TrackId(speaking[0]) if speaking else None)
        old = list(lineup.line(SlotKind.AUDIO))
        moved = lineup.arrange_audio()
        new = list(lineup.line(SlotKind.AUDIO))
        changed = [place for place in range(len(new)) if old[place] is not new[place]]
        assert ([*moved[:1], *moved[-1:]] if moved else []) == [*changed[:1], *changed[-1:]]
        came, went = set(front()) - set(before), set(before) - set(front())
        assert len(came) <= 1
        if slots >= len(tracks):
            assert not came
        for each in came:
            assert each in speaking or (each == name and act == "unmute") or tracks[TrackId(name)].muted
        if lineup.audio.pinned == pinned:
            for each in went - {name}:
                assert each not in spoke or spoke[:1] != speaking[:1]
        front_now = front()
        live = [track for track in tracks.values() if not track.muted]
        assert not any(tracks[TrackId(each)].muted for each in front_now[: len(live)])
        if lineup.audio.pinned is not None:
            assert tracks[TrackId(front_now[0])].owner == lineup.audio.pinned
