"""Coming back after the connection broke: the same participant, nothing missed, and only with the right token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.client_messages import Hand, Leave, Ping, Publish, Recipients, Resume, Send, Unpublish
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.errors import RequestError
from signaling.grants import Grants
from signaling.identifiers import Identity, Role, Source
from signaling.limits import RoomSettings
from signaling.record import NoteKind, Who
from signaling.server_messages import (
    Ended,
    HandsChanged,
    Joined,
    MediaPath,
    MessageSent,
    ParticipantLeft,
    Presence,
    Reaction,
    Resumed,
    ServerMessage,
    SlotsChanged,
    TrackChanged,
)
from tests.unit.signaling.offers import sdk_offer
from tests.unit.signaling.stage import Person, Stage, join_request


def breaks_off(person: Person) -> None:
    person.connected = False
    person.stage.room.suspend(person.id, LeftReason.DISCONNECTED, now=person.stage.now)
    person.stage.drain()


def comes_back(person: Person, *, seq: int, token: str | None = None, offer: str | None = None) -> list[ServerMessage]:
    """Resume and return what is heard then."""
    tickets = [each.resume for each in person.heard if isinstance(each, Joined | Resumed)]
    request = Resume(id=5, token=token or tickets[-1], seq=seq, offer=offer)
    person.stage.room.resume(request, person.grants, expires_at=2000.0)
    person.connected = True
    before = len(person.heard)
    person.stage.drain()
    return person.heard[before:]


def last_seq(person: Person) -> int:
    numbers: list[int] = [each.seq for each in person.heard if hasattr(each, "seq")]
    return max(numbers)


def test_a_break_is_told_and_ends_nothing() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    camera = amal.publishes(Source.CAMERA)
    breaks_off(amal)
    assert badr.last(Presence).suspended
    assert badr.slots["20"] == camera
    assert not amal.producer(Source.CAMERA).paused
    assert not amal.transport.closed
    assert stage.room.size == 2
    (view, _, _) = stage.joins("chen").last(Joined).room.participants
    assert (view.id, view.suspended) == (amal.id, True)


def test_who_comes_back_hears_what_was_missed_and_no_more() -> None:
    stage = Stage()
    amal, badr, teacher = stage.joins("amal"), stage.joins("badr"), stage.joins("t", role=Role.TEACHER)
    amal.publishes(Source.CAMERA)
    seq = last_seq(amal)
    breaks_off(amal)
    badr.says(Hand(raised=True))
    badr.says(Send(body="for the teacher", to=Recipients(roles=[Role.TEACHER])))
    badr.says(Send(body="for amal", to=Recipients(participants=[amal.id])))
    screen = badr.publishes(Source.SCREEN)
    heard = comes_back(amal, seq=seq)
    assert [type(each).__name__ for each in heard] == [
        "Resumed",
        "Presence",
        "HandsChanged",
        "MessageSent",
        "TrackChanged",
        "Presence",
        "Layers",
        "SlotsChanged",
    ]
    resumed = heard[0]
    assert isinstance(resumed, Resumed)
    assert (resumed.re, resumed.participant, resumed.seq, resumed.room) == (5, amal.id, seq, None)
    assert isinstance(heard[3], MessageSent)
    assert heard[3].body == "for amal"
    assert len(heard[-1].slots) == 6  # type: ignore[attr-defined]
    assert amal.slots["30"] == screen
    assert not teacher.last(Presence).suspended
    assert [note.kind for note in stage.notes[-2:]] == [NoteKind.TRACK_PUBLISHED, NoteKind.RESUMED]
    amal.says(Ping(id=9, t=1))


def test_what_the_client_never_got_is_told_again() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    badr.says(Hand(raised=True))  # written to a connection that is dead already
    breaks_off(amal)
    heard = comes_back(amal, seq=2)
    assert isinstance(heard[1], HandsChanged)


def test_too_much_was_missed_for_telling_it_one_by_one() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    breaks_off(amal)
    for number in range(600):
        badr.says(Hand(raised=number % 2 == 0))
        stage.now += 1 / 60
        badr.says(Send(body=number))
        stage.now += 1
    heard = comes_back(amal, seq=last_seq(amal))
    resumed = heard[0]
    assert isinstance(resumed, Resumed)
    assert resumed.room is not None
    assert resumed.seq == resumed.room.seq == last_seq(badr)
    assert not any(each.suspended for each in resumed.room.participants)
    assert [type(each).__name__ for each in heard] == ["Resumed", "SlotsChanged"]


@pytest.mark.parametrize("seq", [10**9, 2**53 - 1])
def test_a_number_that_never_was_brings_the_whole_room(seq: int) -> None:
    stage = Stage()
    amal = stage.joins("amal")
    breaks_off(amal)
    resumed = comes_back(amal, seq=seq)[0]
    assert isinstance(resumed, Resumed)
    assert resumed.room is not None


def test_a_number_from_before_ones_time_brings_no_secrets() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    amal.says(Send(body="before badr came"))
    badr = stage.joins("badr")
    breaks_off(badr)
    assert not [each for each in comes_back(badr, seq=0) if isinstance(each, MessageSent)]


def test_a_token_is_good_for_one_time_and_one_person() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    ticket = amal.last(Joined).resume
    breaks_off(amal)

    def is_refused(token: str, grants: Grants) -> None:
        with pytest.raises(RequestError) as error:
            stage.room.resume(Resume(token=token, seq=1), grants, expires_at=1.0)
        assert error.value.code is ErrorCode.CANNOT_RESUME

    for wrong in ("", ".", amal.id, f"{amal.id}.", ticket[:-1], f"{ticket}x", "ش.ش", f"{badr.id}.{ticket}"):
        is_refused(wrong, amal.grants)
    is_refused(ticket, badr.grants)
    is_refused(ticket, Grants(stage.room.name, Identity("chen"), expires_at=0.0))
    comes_back(amal, seq=1)
    is_refused(ticket, amal.grants)
    breaks_off(amal)
    comes_back(amal, seq=1)
    stage.room.disconnect(amal.id, LeftReason.LEFT)
    is_refused(amal.last(Resumed).resume, amal.grants)


def test_ice_is_restarted_on_the_way() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    breaks_off(amal)
    resumed = comes_back(amal, seq=1, offer=sdk_offer(ufrag="wxyz"))[0]
    assert isinstance(resumed, Resumed)
    assert resumed.answer is not None
    assert "a=ice-ufrag:ufrag1" in resumed.answer
    assert amal.transport.restarts == 1


def test_an_offer_that_is_no_use_uses_up_nothing() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    breaks_off(amal)
    with pytest.raises(RequestError) as error:
        comes_back(amal, seq=1, offer="v=0\r\n")
    assert error.value.code is ErrorCode.BAD_OFFER
    assert isinstance(comes_back(amal, seq=1)[0], Resumed)


def test_who_does_not_come_back_is_gone_after_a_while() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    stage.now = 100.0
    breaks_off(amal)
    stage.room.handle_timeout(now=159.9)
    stage.drain()
    assert stage.room.size == 2
    stage.room.handle_timeout(now=160.0)
    stage.drain()
    assert badr.last(ParticipantLeft).reason is LeftReason.DISCONNECTED
    assert amal.transport.closed


def given_up(person: Person, *, silent_s: float | None) -> float | None:
    """Let the connection be given up after so long a silence; return what is on record of it."""
    person.connected = False
    person.stage.room.suspend(person.id, LeftReason.TIMEOUT, now=person.stage.now, silent_s=silent_s)
    person.stage.drain()
    note = person.stage.notes[-1]
    assert (note.kind, note.who) == (NoteKind.SUSPENDED, stage_who(person))
    return note.silent_s


def stage_who(person: Person) -> Who:
    return Who(person.id, person.grants.identity, person.grants.identity, person.grants.role, person.grants.hidden)


def test_the_last_sign_of_life_of_either_way_is_on_record() -> None:
    stage = Stage()
    amal, badr, chen, dana, eman = (stage.joins(name) for name in ("amal", "badr", "chen", "dana", "eman"))
    for each in (badr, chen, dana):
        each.transport.listener.on_connected()
    stage.now = 80.0
    goes_silent(badr)
    stage.now = 95.0
    goes_silent(chen)
    stage.now = 100.0
    assert given_up(amal, silent_s=18.25) == 18.25  # media never came
    assert given_up(badr, silent_s=18.25) == 18.25
    assert given_up(chen, silent_s=18.25) == 5.0
    assert given_up(dana, silent_s=18.25) is None  # media flows
    assert given_up(eman, silent_s=None) is None  # the connection was reset


def test_where_nobody_is_waited_for_the_leave_has_the_silence() -> None:
    stage = Stage(RoomSettings(resume_window_s=0.0))
    amal = stage.joins("amal")
    stage.now = 100.0
    stage.room.suspend(amal.id, LeftReason.TIMEOUT, now=stage.now, silent_s=20.5)
    stage.drain()
    left = next(note for note in stage.notes if note.kind is NoteKind.LEFT)
    assert (left.reason, left.silent_s) == (LeftReason.TIMEOUT, 20.5)


def test_an_encoder_was_there_until_its_media_fell_silent() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    grants = replace(amal.grants, identity=Identity("encoder"))
    encoder = stage.enters(join_request(), grants, connected=False)
    amal.transport.listener.on_connected()
    encoder.transport.listener.on_connected()
    stage.now = 100.0
    goes_silent(amal)
    goes_silent(encoder)
    passes(stage, until=100.0 + stage.room.settings.media_timeout_s)
    left = {note.who.identity: note for note in stage.notes if note.kind is NoteKind.LEFT and note.who is not None}
    assert {note.reason for note in left.values()} == {LeftReason.TIMEOUT}
    assert left[encoder.grants.identity].silent_s == stage.room.settings.media_timeout_s
    assert left[amal.grants.identity].silent_s is None  # her connection lives


def goes_silent(person: Person) -> None:
    person.transport.listener.on_silent(now=person.stage.now)
    person.stage.drain()


def passes(stage: Stage, *, until: float) -> None:
    stage.now = until
    stage.room.handle_timeout(now=until)
    stage.drain()


def test_who_is_silent_on_the_media_path_is_told_and_put_out_in_the_end() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    goes_silent(amal)
    assert amal.last(MediaPath) == MediaPath(state="silent", timeout_s=60.0)
    assert not badr.all(MediaPath)
    passes(stage, until=59.9)
    assert stage.room.size == 2
    passes(stage, until=60.0)
    assert badr.last(ParticipantLeft).reason is LeftReason.TIMEOUT
    assert amal.closed is not None
    assert amal.closed.code is CloseCode.MEDIA_FAILED


def test_media_that_comes_back_is_told_and_ends_the_waiting() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    goes_silent(amal)
    amal.transport.listener.on_alive()
    stage.drain()
    assert amal.last(MediaPath) == MediaPath(state="alive")
    passes(stage, until=600.0)
    assert stage.room.size == 1


def test_a_silent_media_path_puts_nobody_out_who_may_still_come_back() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    goes_silent(amal)
    stage.now = 50.0
    breaks_off(amal)
    passes(stage, until=109.9)
    assert stage.room.size == 1
    assert not amal.transport.closed
    heard = comes_back(amal, seq=1, offer=sdk_offer(ufrag="wxyz"))
    assert any(isinstance(each, MediaPath) for each in heard)
    passes(stage, until=169.9)
    assert stage.room.size == 1
    passes(stage, until=170.0)
    assert stage.room.size == 0


def test_media_that_goes_silent_while_nobody_listens_is_told_on_return() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    breaks_off(amal)
    goes_silent(amal)
    assert not amal.all(MediaPath)
    assert MediaPath(state="silent", timeout_s=60.0) in comes_back(amal, seq=1)


def test_media_that_fails_meanwhile_ends_the_waiting() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    breaks_off(amal)
    amal.transport.listener.on_closed("consent expired")
    stage.drain()
    assert badr.last(ParticipantLeft).reason is LeftReason.TIMEOUT


def test_who_joins_anew_instead_takes_the_place() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    breaks_off(amal)
    again = stage.joins("amal")
    assert badr.last(ParticipantLeft).reason is LeftReason.REPLACED
    assert [each.id for each in again.last(Joined).room.participants] == [badr.id, again.id]


def test_a_later_token_lets_one_stay_longer() -> None:
    stage = Stage()
    amal = stage.joins("amal", expires_at=100.0)
    breaks_off(amal)
    comes_back(amal, seq=1)
    stage.room.handle_timeout(now=1999.0)
    assert stage.room.size == 1


def test_tokens_run_out_one_after_the_other_whoever_leaves_or_comes_back_meanwhile() -> None:
    stage = Stage()
    people = {name: stage.joins(name, expires_at=at) for name, at in (("a", 300.0), ("b", 100.0), ("c", 200.0))}
    breaks_off(people["b"])
    comes_back(people["b"], seq=3)  # until 2000
    stage.room.handle_timeout(now=150.0)
    assert stage.room.size == 3
    stage.room.handle_timeout(now=200.0)
    stage.drain()
    closed = people["c"].closed
    assert closed is not None
    assert closed.code is CloseCode.TOKEN_EXPIRED
    people["a"].says(Leave())
    stage.room.handle_timeout(now=1999.0)
    assert stage.room.size == 1
    stage.room.handle_timeout(now=2000.0)
    assert stage.room.size == 0


def test_newcomers_see_who_listens_as_it_is_now() -> None:
    stage = Stage()
    amal = stage.joins("amal")

    def shown(newcomer: str) -> tuple[bool, int]:
        view = stage.joins(newcomer).last(Joined).room.participants[0]
        assert view.identity == "amal"
        return view.suspended, len(view.tracks)

    assert shown("b1") == (False, 0)
    amal.publishes(Source.MICROPHONE)
    assert shown("b2") == (False, 1)
    breaks_off(amal)
    assert shown("b3") == (True, 1)
    comes_back(amal, seq=1)
    amal.says(Unpublish(id=6, track=amal.last(TrackChanged).track.id))
    assert shown("b4") == (False, 0)


def test_without_a_window_a_break_is_the_end() -> None:
    stage = Stage(RoomSettings(resume_window_s=0))
    amal, badr = stage.joins("amal"), stage.joins("badr")
    breaks_off(amal)
    assert badr.last(ParticipantLeft).reason is LeftReason.DISCONNECTED


def test_a_room_is_full_at_its_limit_but_not_for_who_is_in_it() -> None:
    stage = Stage(RoomSettings(participants_max=2))
    stage.joins("amal"), stage.joins("badr")
    with pytest.raises(RequestError) as error:
        stage.joins("chen")
    assert error.value.code is ErrorCode.ROOM_FULL
    stage.joins("badr")


def test_publishers_are_limited() -> None:
    stage = Stage(RoomSettings(publishers_max=1))
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.publishes(Source.CAMERA)
    amal.publishes(Source.MICROPHONE)
    badr.is_refused(Publish(id=1, mid="1", source=Source.CAMERA), ErrorCode.ROOM_FULL)


def test_a_room_ends_when_it_is_too_old() -> None:
    stage = Stage(RoomSettings(duration_max_s=100.0))
    stage.now = 50.0
    amal = stage.joins("amal")
    stage.room.handle_timeout(now=150.0)
    stage.drain()
    assert amal.last(Ended).reason == "duration"
    assert amal.closed is not None
    assert amal.closed.code is CloseCode.ENDED
    assert stage.room.next_timeout() is None


def test_the_record_has_everything_in_order() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    stage.joins("spy", hidden=True)
    amal.publishes(Source.CAMERA)
    breaks_off(amal)
    comes_back(amal, seq=1)
    stage.room.end(CloseCode.SHUTTING_DOWN, "")
    stage.drain()
    assert [note.kind.name for note in stage.notes] == [
        "ROOM_STARTED",
        "JOINED",
        "JOINED",
        "TRACK_PUBLISHED",
        "SUSPENDED",
        "RESUMED",
        "LEFT",
        "LEFT",
        "ROOM_ENDED",
    ]
    assert [note.who.hidden for note in stage.notes if note.who is not None] == [False, True, *[False] * 4, True]
    assert not amal.all(Reaction)
    assert amal.all(SlotsChanged)
