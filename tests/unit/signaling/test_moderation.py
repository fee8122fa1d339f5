"""What moderators decide, about whom, and what becomes of it; who does not moderate decides nothing."""

from __future__ import annotations

import pytest

from signaling.client_messages import (
    Admit,
    AskUnmute,
    End,
    Lock,
    ModerationMessage,
    Mute,
    MuteParticipant,
    Permit,
    Publish,
    Remove,
    SendBack,
    Spotlight,
    View,
    ViewRequest,
)
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.errors import RequestError
from signaling.grants import ALL_SOURCES
from signaling.identifiers import Door, Identity, Role, Source
from signaling.server_messages import (
    Asked,
    Done,
    Ended,
    Joined,
    Knock,
    KnockOver,
    ParticipantLeft,
    Permissions,
    Reaction,
    RoomChanged,
    SlotsChanged,
    TrackChanged,
    Waiting,
)
from tests.unit.signaling.stage import Person, Stage, join_request


def people(stage: Stage) -> tuple[Person, Person, Person]:
    return stage.joins("teacher", role=Role.TEACHER), stage.joins("amal"), stage.joins("badr")


@pytest.mark.parametrize(
    "message",
    [
        Admit(id=1, participant="all"),
        SendBack(id=1, participant="id2"),
        Permit(id=1, participant="id2", moderate=True),
        MuteParticipant(id=1, participant="all"),
        AskUnmute(id=1, participant="id2"),
        Remove(id=1, participant="id2"),
        Lock(id=1, door=Door.LOCKED),
        Spotlight(id=1, participants=[]),
        End(id=1),
    ],
    ids=lambda message: type(message).__name__,
)
def test_only_moderators_moderate(message: ModerationMessage) -> None:
    stage = Stage()
    teacher, amal, _ = people(stage)
    before = len(teacher.heard)
    amal.is_refused(message, ErrorCode.NOT_ALLOWED)
    assert len(teacher.heard) == before


@pytest.mark.parametrize("kind", [SendBack, Permit, MuteParticipant, Remove])
def test_about_a_teacher_only_a_teacher_decides(kind: type[ModerationMessage]) -> None:
    stage = Stage()
    teacher, _, _ = people(stage)
    assistant = stage.joins("assistant", role=Role.ASSISTANT)
    assistant.is_refused(kind(id=1, participant=teacher.id), ErrorCode.NOT_ALLOWED)  # type: ignore[call-arg]
    stage.joins("other", role=Role.TEACHER).says(kind(id=1, participant=teacher.id))  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [Admit, SendBack, Permit, MuteParticipant, AskUnmute, Remove])
def test_nobody_is_not_moderated(kind: type[ModerationMessage]) -> None:
    teacher = Stage().joins("teacher", role=Role.TEACHER)
    teacher.is_refused(kind(id=1, participant="nobody"), ErrorCode.UNKNOWN_PARTICIPANT)  # type: ignore[call-arg]


def test_who_is_removed_hears_why_and_may_come_back() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    amal.publishes(Source.CAMERA)
    teacher.says(Remove(id=1, participant=amal.id, reason="Please calm down."))
    assert amal.last(Ended) == Ended(reason="removed", message="Please calm down.")
    assert amal.closed is not None
    assert amal.closed.code is CloseCode.REMOVED
    assert amal.transport.closed
    assert badr.last(ParticipantLeft).reason is LeftReason.REMOVED
    assert badr.slots["20"] is None
    assert teacher.last(Done).re == 1
    stage.joins("amal")


def test_a_ban_holds_as_long_as_the_token_would_have() -> None:
    stage = Stage()
    teacher, _, _ = people(stage)
    bad = stage.joins("bad", expires_at=50.0)
    teacher.says(Remove(participant=bad.id, ban=True))
    assert bad.last(Ended).reason == "banned"
    stage.now = 49.0
    with pytest.raises(RequestError) as error:
        stage.joins("bad")
    assert error.value.code is ErrorCode.BANNED
    stage.now = 50.0
    stage.joins("bad")


def test_muting_others_leaves_the_unmuting_to_them() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    microphone, camera = amal.publishes(Source.MICROPHONE), amal.publishes(Source.CAMERA)
    badr.publishes(Source.MICROPHONE)
    teacher.publishes(Source.MICROPHONE)
    teacher.says(MuteParticipant(participant="all"))
    assert amal.producer(Source.MICROPHONE).paused
    assert badr.producer(Source.MICROPHONE).paused
    assert not amal.producer(Source.CAMERA).paused
    assert not teacher.producer(Source.MICROPHONE).paused
    amal.says(Mute(track=microphone, muted=False))
    assert not amal.producer(Source.MICROPHONE).paused
    teacher.says(MuteParticipant(participant=amal.id, source=Source.CAMERA))
    assert (badr.last(TrackChanged).track.id, badr.last(TrackChanged).track.state) == (camera, "muted")
    before = len(badr.heard)
    teacher.says(MuteParticipant(participant=amal.id, source=Source.CAMERA))  # it is muted already
    assert len(badr.heard) == before


def test_asking_to_unmute_reaches_the_one_who_is_asked() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    teacher.says(AskUnmute(participant=amal.id, source=Source.CAMERA))
    assert (amal.last(Asked).source, amal.last(Asked).participant) == (Source.CAMERA, teacher.id)
    assert not badr.all(Asked)


def test_permissions_change_in_mid_class() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    amal.publishes(Source.MICROPHONE)
    camera = amal.publishes(Source.CAMERA)
    teacher.says(Permit(participant=amal.id, publish=[Source.MICROPHONE], send=False))
    ended = badr.last(TrackChanged)
    assert (ended.track.id, ended.track.state) == (camera, "ended")
    assert not amal.producer(Source.MICROPHONE).paused
    amal.is_refused(Publish(id=1, mid="1", source=Source.CAMERA), ErrorCode.NOT_ALLOWED)
    news = amal.last(Permissions)
    assert teacher.last(Permissions) == news
    assert not badr.all(Permissions)
    assert (news.permissions.publish, news.permissions.send) == ((Source.MICROPHONE,), False)
    teacher.says(Permit(participant=amal.id, publish=list(ALL_SOURCES)))
    amal.publishes(Source.CAMERA)


def test_seeing_others_can_be_taken_and_given() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    camera = badr.publishes(Source.CAMERA)
    assert amal.slots["20"] == camera
    teacher.says(Permit(participant=amal.id, subscribe=False))
    assert amal.slots["20"] is None
    assert amal.consumer("20").producer is None
    amal.is_refused(View(id=1, slots=[ViewRequest(mid="20", track=camera)]), ErrorCode.NOT_ALLOWED)
    teacher.says(Permit(participant=amal.id, subscribe=True))
    assert amal.slots["20"] == camera


def test_a_teacher_appoints_moderators_and_nobody_else_does() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    assistant = stage.joins("assistant", role=Role.ASSISTANT)
    assistant.is_refused(Permit(id=1, participant=amal.id, moderate=True), ErrorCode.NOT_ALLOWED)
    teacher.says(Permit(participant=amal.id, moderate=True))
    amal.says(Remove(participant=badr.id))
    assert badr.closed is not None


def test_the_door_decides_who_comes_in() -> None:
    stage = Stage()
    teacher, amal, _ = people(stage)
    teacher.says(Lock(id=1, door=Door.LOCKED))
    assert amal.last(RoomChanged).door is Door.LOCKED
    with pytest.raises(RequestError) as error:
        stage.joins("dana")
    assert error.value.code is ErrorCode.ROOM_LOCKED
    stage.joins("amal")  # was in already
    assert stage.joins("assistant", role=Role.ASSISTANT).last(Joined).room.door is Door.LOCKED


def test_who_knocks_waits_without_any_media_and_is_admitted() -> None:
    stage = Stage()
    teacher, amal, _ = people(stage)
    teacher.says(Lock(door=Door.WAITING))
    transports = len(stage.router.transports)
    dana = stage.joins("dana")
    assert dana.heard == [Waiting(re=1, participant=dana.id)]
    assert len(stage.router.transports) == transports
    knock = teacher.last(Knock)
    assert (knock.participant.id, knock.participant.identity, knock.participant.role) == (
        dana.id,
        Identity("dana"),
        Role.STUDENT,
    )
    assert not amal.all(Knock)
    dana.is_refused(Publish(id=2, mid="1", source=Source.CAMERA), ErrorCode.NOT_ADMITTED)
    dana.is_refused(join_request(), ErrorCode.ALREADY_JOINED)
    late = stage.joins("assistant", role=Role.ASSISTANT)
    assert [each.id for each in late.last(Joined).room.waiting] == [dana.id]
    stage.now = 60.0
    teacher.says(Admit(id=3, participant=dana.id))
    assert teacher.last(KnockOver).outcome == "admitted"
    assert (dana.last(Joined).re, dana.last(Joined).participant) == (1, dana.id)
    assert dana.all(SlotsChanged)
    dana.publishes(Source.CAMERA)


def test_everybody_who_waits_is_admitted_at_once() -> None:
    stage = Stage()
    teacher, _, _ = people(stage)
    teacher.says(Lock(door=Door.WAITING))
    waiting = [stage.joins(name) for name in ("dana", "esra", "farid")]
    teacher.says(Admit(participant="all"))
    assert all(person.all(Joined) for person in waiting)
    assert stage.room.size == 6


def test_who_waits_can_be_refused_give_up_or_come_again() -> None:
    stage = Stage()
    teacher, _, _ = people(stage)
    teacher.says(Lock(door=Door.WAITING))
    dana, esra = stage.joins("dana"), stage.joins("esra")
    teacher.says(Remove(participant=dana.id, ban=True))
    assert (dana.last(Ended).reason, teacher.last(KnockOver).outcome) == ("banned", "refused")
    with pytest.raises(RequestError):
        stage.joins("dana")
    again = stage.joins("esra")
    assert esra.closed is not None
    assert esra.closed.code is CloseCode.REPLACED
    stage.room.suspend(again.id, LeftReason.DISCONNECTED, now=stage.now)
    stage.drain()
    assert teacher.last(KnockOver) == KnockOver(seq=teacher.last(KnockOver).seq, participant=again.id, outcome="gone")
    stage.joins("farid", expires_at=5.0)
    stage.room.handle_timeout(now=5.0)
    stage.drain()
    teacher.is_refused(Admit(id=1, participant=again.id), ErrorCode.UNKNOWN_PARTICIPANT)


def test_who_is_sent_back_waits_whatever_the_door_says() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    teacher.says(SendBack(id=1, participant=amal.id))
    assert amal.closed is not None
    assert amal.closed.code is CloseCode.SENT_BACK
    assert badr.last(ParticipantLeft).reason is LeftReason.SENT_BACK
    again = stage.joins("amal")
    assert again.all(Waiting)
    teacher.says(Admit(participant=again.id))
    again = stage.joins("amal")
    assert again.all(Joined)


def test_the_spotlight_is_told_and_ends_with_who_leaves() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    teacher.is_refused(Spotlight(id=1, participants=[amal.id, "nobody"]), ErrorCode.UNKNOWN_PARTICIPANT)
    teacher.says(Spotlight(participants=[badr.id, amal.id, badr.id]))
    assert amal.last(RoomChanged).spotlight == (badr.id, amal.id)
    stage.room.disconnect(badr.id, LeftReason.LEFT)
    assert stage.joins("late").last(Joined).room.spotlight == (amal.id,)


def test_the_end_is_for_everybody() -> None:
    stage = Stage()
    teacher, amal, _ = people(stage)
    teacher.says(Lock(door=Door.WAITING))
    dana = stage.joins("dana")
    teacher.says(End(id=1, reason="See you on Monday."))
    for person in (teacher, amal, dana):
        assert person.last(Ended) == Ended(reason="ended", message="See you on Monday.")
        assert person.closed is not None
        assert person.closed.code is CloseCode.ENDED
    assert stage.room.over
    assert stage.room.empty
    assert stage.router.closed


def test_the_server_decides_as_moderators_do() -> None:
    stage = Stage()
    teacher, amal, _ = people(stage)
    amal.publishes(Source.MICROPHONE)
    stage.room.act(MuteParticipant(participant=amal.id), now=0.0)
    stage.room.act(Remove(participant=teacher.id), now=0.0)
    stage.drain()
    assert amal.producer(Source.MICROPHONE).paused
    assert teacher.closed is not None
    assert not amal.all(Reaction)
    with pytest.raises(RequestError):
        stage.room.act(Remove(participant="nobody"), now=0.0)


def test_student_cameras_are_for_the_teacher_alone() -> None:
    stage = Stage()
    teacher, amal, badr = people(stage)
    amal.says(Publish(id=1, mid="1", source=Source.CAMERA, audience=[Role.TEACHER]))
    camera = amal.last(TrackChanged).track
    assert camera.audience == (Role.TEACHER,)
    assert teacher.slots["20"] == camera.id
    assert badr.slots["20"] is None
    badr.is_refused(View(id=1, slots=[ViewRequest(mid="20", track=camera.id)]), ErrorCode.NOT_ALLOWED)
    late = stage.joins("late")
    assert late.slots["20"] is None
    open_camera = teacher.publishes(Source.CAMERA)
    assert {badr.slots["20"], late.slots["20"]} == {open_camera}
