"""A room whose people speak: who is told of it, who is heard in which slot, and who is not."""

from __future__ import annotations

import itertools

import pytest

from signaling.client_messages import (
    Leave,
    Mute,
    MuteParticipant,
    Permit,
    Resume,
    Spotlight,
    Unpublish,
    View,
    ViewRequest,
)
from signaling.codes import LeftReason
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, Role, Source
from signaling.server_messages import Joined, Resumed, SlotsChanged, Speakers, TrackChanged
from tests.unit.signaling.stage import Person, Stage, join_request

TALK = bytes([25] * 5)
LOUD = bytes([12] * 5)
AUDIO = ("10", "11")
"""The two audio slots of everybody on this stage."""
STEPS_A_SECOND = 10


class Talk:
    """Lets people speak on a stage: each makes noise for a while, all at the same time."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def goes_on(
        self, seconds: float, *people: Person, levels: bytes = TALK, source: Source = Source.MICROPHONE
    ) -> None:
        assert self.stage.router.on_levels is not None
        for _ in range(round(seconds * STEPS_A_SECOND)):
            self.stage.now += 1 / STEPS_A_SECOND
            heard = [(person.producer(source), levels) for person in people if not person.producer(source).paused]
            self.stage.router.on_levels(heard, self.stage.now)
            self.stage.drain()


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def talk(stage: Stage) -> Talk:
    return Talk(stage)


@pytest.fixture
def people(stage: Stage) -> dict[str, Person]:
    """A viewer, and five with a microphone: more than there are slots."""
    found = {name: stage.joins(name) for name in ("viewer", "amal", "badr", "chen", "dana", "emad")}
    for name in list(found)[1:]:
        found[name].publishes(Source.MICROPHONE)
    return found


def track(person: Person) -> str:
    """Return the first track that somebody published."""
    return next(news.track.id for news in person.all(TrackChanged) if news.participant == person.id)


def owners(message: Speakers) -> list[str]:
    return [speaker.participant for speaker in message.speakers]


def told(person: Person) -> list[list[str]]:
    return [owners(message) for message in person.all(Speakers)]


def heard_in_slots(person: Person) -> set[str | None]:
    """Return the tracks that a client has in its audio slots, held against what the engine forwards."""
    tracks = {person.slots[mid] for mid in AUDIO}
    attached = {mid: person.consumer(mid).producer for mid in AUDIO}
    assert [mid for mid in AUDIO if (person.slots[mid] is None) != (attached[mid] is None)] == []
    return tracks


# -- who is told -------------------------------------------------------------------------------------------------------


def test_those_who_speak_are_told_of_when_that_changes(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    amal, badr = people["amal"], people["badr"]
    talk.goes_on(3, amal)
    talk.goes_on(3, badr)
    talk.goes_on(3)
    for person in people.values():
        assert told(person) in (
            [[amal.id], [amal.id, badr.id], [badr.id, amal.id], [badr.id], []],
            [[amal.id], [badr.id, amal.id], [badr.id], []],
        )
    (speaker,) = people["viewer"].all(Speakers)[0].speakers
    assert (speaker.track, speaker.participant) == (track(amal), amal.id)
    assert 0 < speaker.level < 1


def test_messages_keep_their_distance(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    at: list[float] = []
    names = ["amal", "badr", "chen", "dana", "emad"]
    for step in range(300):
        before = len(people["viewer"].all(Speakers))
        talk.goes_on(0.1, *(people[name] for place, name in enumerate(names) if (step // 7 + place) % 3 == 0))
        if len(people["viewer"].all(Speakers)) > before:
            at.append(stage.now)
    assert len(at) > 10
    assert all(later - earlier >= 0.3 - 1e-6 for earlier, later in itertools.pairwise(at))


def test_screens_have_sound_but_do_not_speak(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    people["amal"].publishes(Source.SCREEN_AUDIO)
    talk.goes_on(3, people["amal"], source=Source.SCREEN_AUDIO)
    assert told(people["viewer"]) == []
    slots = {people["viewer"].consumer(mid).producer for mid in AUDIO}
    assert slots == {people["amal"].producer(source) for source in (Source.MICROPHONE, Source.SCREEN_AUDIO)}


@pytest.mark.parametrize("by", ["mute", "teacher", "unpublish", "leave"])
def test_who_is_muted_or_gone_does_not_speak(stage: Stage, talk: Talk, people: dict[str, Person], by: str) -> None:
    amal, viewer = people["amal"], people["viewer"]
    teacher = stage.joins("teacher", role=Role.TEACHER)
    talk.goes_on(2, amal)
    assert told(viewer)[-1] == [amal.id]
    match by:
        case "mute":
            amal.says(Mute(track=track(amal), muted=True))
        case "teacher":
            teacher.says(MuteParticipant(participant=amal.id))
        case "unpublish":
            amal.says(Unpublish(track=track(amal)))
        case _:
            amal.says(Leave())
    assert viewer.consumer("10").producer is not amal.producer(Source.MICROPHONE)
    talk.goes_on(0.3)
    assert told(viewer)[-1] == []
    talk.goes_on(2, amal)
    assert told(viewer)[-1] == []


def test_levels_of_a_paused_track_are_not_believed(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    amal = people["amal"]
    amal.says(Mute(track=track(amal), muted=True))
    assert stage.router.on_levels is not None
    for _ in range(20):
        stage.now += 0.1
        stage.router.on_levels([(amal.producer(Source.MICROPHONE), LOUD)], stage.now)
        stage.drain()
    assert told(people["viewer"]) == []


def test_who_may_not_hear_somebody_is_not_told_that_they_speak(stage: Stage, talk: Talk) -> None:
    def enters(name: str, **fields: object) -> Person:
        grants = Grants(stage.room.name, Identity(name), 0.0, publish=ALL_SOURCES, **fields)  # type: ignore[arg-type]
        return stage.enters(join_request(), grants)

    teacher = enters("teacher", role=Role.TEACHER)
    whisperer = enters("whisperer", audience={Source.MICROPHONE: frozenset({Role.TEACHER})})
    student = enters("student")
    reserved = enters("reserved", sees=frozenset({(Role.TEACHER, Source.MICROPHONE)}))
    deaf = enters("deaf", subscribe=False)
    shadow = enters("shadow", role=Role.TEACHER, hidden=True)
    for person in (teacher, whisperer, student):
        person.publishes(Source.MICROPHONE)
    talk.goes_on(3, teacher, whisperer, student)
    assert told(teacher)[-1] == told(shadow)[-1] == [teacher.id, whisperer.id, student.id]
    assert told(whisperer)[-1] == [teacher.id, whisperer.id, student.id], "one's own voice is no secret"
    assert told(student)[-1] == [teacher.id, student.id]
    assert told(reserved)[-1] == [teacher.id]
    assert told(deaf) == []
    before = len(told(student))
    talk.goes_on(3, teacher, student)
    assert told(teacher)[-1] == [teacher.id, student.id]
    assert len(told(student)) == before, "nothing changed for them"


def test_who_comes_in_later_is_told_who_speaks(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    talk.goes_on(2, people["amal"])
    late = stage.joins("late")
    before = len(told(people["viewer"]))
    talk.goes_on(0.4, people["amal"])
    assert told(late) == [[people["amal"].id]]
    assert len(told(people["viewer"])) == before


def test_who_comes_back_is_told_who_speaks_now(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    viewer, amal = people["viewer"], people["amal"]
    talk.goes_on(2, amal)
    resume = viewer.last(Joined).resume
    viewer.connected = False
    stage.room.suspend(viewer.id, LeftReason.DISCONNECTED, now=stage.now)
    talk.goes_on(3)
    assert told(viewer)[-1] == [amal.id], "it does not hear that amal has ended"
    viewer.connected = True
    stage.room.resume(Resume(id=5, token=resume, seq=1), viewer.grants, expires_at=1000.0)
    stage.drain()
    assert viewer.all(Resumed)
    talk.goes_on(0.1)
    assert told(viewer)[-1] == []
    before = len(told(viewer))
    talk.goes_on(3)
    assert len(told(viewer)) == before


def test_of_a_babble_eight_are_told(stage: Stage, talk: Talk) -> None:
    everybody = [stage.joins(f"p{number}") for number in range(12)]
    for person in everybody:
        person.publishes(Source.MICROPHONE)
    talk.goes_on(3, *everybody)
    assert len(told(everybody[0])[-1]) == 8


# -- who is heard ------------------------------------------------------------------------------------------------------


def test_as_long_as_there_are_slots_for_all_nothing_moves(stage: Stage, talk: Talk) -> None:
    viewer, amal, badr = (stage.joins(name) for name in ("viewer", "amal", "badr"))
    tracks = [person.publishes(Source.MICROPHONE) for person in (amal, badr)]
    before = {person: len(person.all(SlotsChanged)) for person in (viewer, amal, badr)}
    attached = [viewer.consumer(mid).attached for mid in AUDIO]
    for speakers in ([amal], [badr], [amal, badr], [], [badr]):
        talk.goes_on(2.5, *speakers)
    badr.says(Mute(track=tracks[1], muted=True))
    badr.says(Mute(track=tracks[1], muted=False))
    talk.goes_on(2, badr)
    assert {person: len(person.all(SlotsChanged)) for person in before} == before
    assert [viewer.consumer(mid).attached for mid in AUDIO] == attached
    assert heard_in_slots(viewer) == set(tracks)


def test_slots_go_to_those_who_speak(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    viewer = people["viewer"]
    tracks = {name: track(person) for name, person in people.items() if name != "viewer"}
    assert heard_in_slots(viewer) == {tracks["amal"], tracks["badr"]}, "nobody spoke: in the order of publication"
    talk.goes_on(0.2, people["chen"])
    assert heard_in_slots(viewer) == {tracks["chen"], tracks["amal"]}
    talk.goes_on(3, people["dana"])
    assert heard_in_slots(viewer) == {tracks["chen"], tracks["dana"]}
    talk.goes_on(3, people["chen"])
    talk.goes_on(3)
    assert heard_in_slots(viewer) == {tracks["chen"], tracks["dana"]}
    for name in ("chen", "dana"):
        assert tracks[name] not in heard_in_slots(people[name]), "nobody hears themselves"
    assert heard_in_slots(people["chen"]) == {tracks["dana"], tracks["amal"]}


def test_a_dialogue_does_not_move_the_slots(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    viewer = people["viewer"]
    talk.goes_on(1, people["dana"], people["emad"])
    before = len(viewer.all(SlotsChanged))
    for _ in range(10):
        talk.goes_on(1.3, people["dana"])
        talk.goes_on(0.7)
        talk.goes_on(1.3, people["emad"])
    assert len(viewer.all(SlotsChanged)) == before


def test_who_speaks_is_not_cut_off_by_a_newcomer_unless_it_leads(
    stage: Stage, talk: Talk, people: dict[str, Person]
) -> None:
    viewer, amal, badr, chen = (people[name] for name in ("viewer", "amal", "badr", "chen"))
    talk.goes_on(2, amal, badr)
    talk.goes_on(2, amal, badr, chen)
    assert heard_in_slots(viewer) == {track(amal), track(badr)}
    for _ in range(20):
        assert stage.router.on_levels is not None
        stage.now += 0.1
        loud = (chen.producer(Source.MICROPHONE), LOUD)
        stage.router.on_levels([loud, *((each.producer(Source.MICROPHONE), TALK) for each in (amal, badr))], stage.now)
        stage.drain()
    assert heard_in_slots(viewer) == {track(chen), track(amal)}


def test_the_teacher_is_always_heard(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    viewer = people["viewer"]
    teacher = stage.joins("teacher", role=Role.TEACHER)
    voice = teacher.publishes(Source.MICROPHONE)
    for name in ("amal", "badr", "chen", "dana"):
        talk.goes_on(2, people[name])
        assert heard_in_slots(viewer) == {voice, track(people[name])}
    teacher.says(Mute(track=voice, muted=True))
    assert voice not in heard_in_slots(viewer), "who is muted needs no slot"
    teacher.says(Mute(track=voice, muted=False))
    assert voice in heard_in_slots(viewer), "at once, not at the first word"


def test_the_spotlight_pins_where_there_is_no_teacher(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    assistant = stage.joins("assistant", role=Role.ASSISTANT)
    assistant.says(Spotlight(participants=[people["emad"].id]))
    talk.goes_on(0.1)
    viewer = people["viewer"]
    assert track(people["emad"]) in heard_in_slots(viewer)
    talk.goes_on(2, people["amal"], people["badr"])
    assert track(people["emad"]) in heard_in_slots(viewer)
    assistant.says(Spotlight(participants=[]))
    talk.goes_on(0.1)
    assert heard_in_slots(viewer) == {track(people["amal"]), track(people["badr"])}


def test_who_unmutes_has_a_slot_before_the_first_word(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    viewer, emad = people["viewer"], people["emad"]
    emad.says(Mute(track=track(emad), muted=True))
    talk.goes_on(3, people["amal"])
    emad.says(Mute(track=track(emad), muted=False))
    assert heard_in_slots(viewer) == {track(people["amal"]), track(emad)}


def test_what_a_viewer_asked_for_stays_where_it_is(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    viewer, emad = people["viewer"], people["emad"]
    viewer.says(View(slots=[ViewRequest(mid="11", track=track(emad))]))
    for name in ("amal", "badr", "chen"):
        talk.goes_on(2, people[name])
        assert (viewer.slots["10"], viewer.slots["11"]) == (track(people[name]), track(emad))
    talk.goes_on(2, emad)
    assert viewer.slots["10"] == track(people["chen"]), "and is not heard twice"
    viewer.says(View(slots=[ViewRequest(mid="10", track=None)]))
    talk.goes_on(2, people["amal"])
    assert [viewer.slots[mid] for mid in AUDIO] == [None, track(emad)]
    viewer.says(View(slots=[ViewRequest(mid="10", track="auto"), ViewRequest(mid="11", track="auto")]))
    assert heard_in_slots(viewer) == {track(people["amal"]), track(emad)}


def test_whom_one_may_not_hear_is_passed_over(stage: Stage, talk: Talk) -> None:
    teacher = stage.joins("teacher", role=Role.TEACHER)
    students = [stage.joins(f"s{number}") for number in range(4)]
    voices = [person.publishes(Source.MICROPHONE) for person in students]
    sees = frozenset({(Role.TEACHER, source) for source in Source})
    grants = Grants(stage.room.name, Identity("reserved"), 0.0, sees=sees)
    reserved = stage.enters(join_request(), grants)
    voice = teacher.publishes(Source.MICROPHONE)
    talk.goes_on(2, students[3])
    assert heard_in_slots(reserved) == {voice, None}
    teacher.says(Permit(participant=reserved.id, subscribe=False))
    assert heard_in_slots(reserved) == {None}
    assert heard_in_slots(students[0]) == {voice, voices[3]}


def test_a_leaving_teacher_makes_room(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    teachers = [stage.joins(name, role=Role.TEACHER) for name in ("t1", "t2")]
    voices = [teacher.publishes(Source.MICROPHONE) for teacher in teachers]
    talk.goes_on(2, people["amal"])
    assert heard_in_slots(people["viewer"]) == {voices[0], track(people["amal"])}
    teachers[0].says(Leave())
    assert heard_in_slots(people["viewer"]) == {voices[1], track(people["amal"])}


def test_all_hear_the_same_whatever_is_hidden_from_them(stage: Stage, talk: Talk, people: dict[str, Person]) -> None:
    """The short cut that leaves viewers alone must give what filling all slots anew gives."""
    assistant = stage.joins("assistant", role=Role.ASSISTANT)
    publishers = [people[name] for name in ("amal", "badr", "chen", "dana", "emad")]
    script = [(0,), (1,), (), (2, 3), (4,), (4, 0), (3,), (), (1, 2), (0, 1, 2, 3, 4), (2,)]
    for turn, speakers in enumerate(script):
        talk.goes_on(1.7, *(publishers[each] for each in speakers))
        muted = publishers[turn % 5]
        muted.says(Mute(track=track(muted), muted=turn % 2 == 0))
        for person in people.values():
            now = heard_in_slots(person)
            assistant.says(Permit(participant=person.id, subscribe=True))  # fills all slots anew
            assert heard_in_slots(person) == now
