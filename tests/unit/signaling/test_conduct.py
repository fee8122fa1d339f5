"""Hands in order, reactions, messages to whom they are meant for, and kept state: with the limits of each."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.client_messages import Hand, Leave, React, Recipients, Send, SetState
from signaling.codes import ErrorCode
from signaling.grants import Grants
from signaling.identifiers import Identity, Role
from signaling.limits import JSON_DEPTH_MAX, MESSAGE_BYTES_MAX, OWN_STATE_LIMITS, STATE_VALUE_BYTES_MAX
from signaling.server_messages import (
    Done,
    HandsChanged,
    Joined,
    MessageSent,
    ParticipantLeft,
    Reaction,
    StateChanged,
    StateEntry,
)
from tests.unit.signaling.stage import Stage, join_request


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_hands_are_in_the_order_in_which_they_went_up() -> None:
    stage = Stage()
    amal, badr, teacher = stage.joins("amal"), stage.joins("badr"), stage.joins("t", role=Role.TEACHER)
    badr.says(Hand(id=1, raised=True))
    amal.says(Hand(id=2, raised=True))
    badr.says(Hand(id=3, raised=True))  # it is up already: nothing happens
    assert [each.raised for each in teacher.all(HandsChanged)] == [(badr.id,), (amal.id,)]
    assert badr.last(Done) == Done(re=3, seq=teacher.last(HandsChanged).seq)
    assert stage.joins("late").last(Joined).room.hands == (badr.id, amal.id)
    badr.says(Hand(raised=False))
    assert amal.last(HandsChanged).lowered == (badr.id,)


def test_moderators_lower_the_hands_of_others() -> None:
    stage = Stage()
    amal, badr, teacher = stage.joins("amal"), stage.joins("badr"), stage.joins("t", role=Role.TEACHER)
    for person in (amal, badr):
        person.says(Hand(raised=True))
    amal.is_refused(Hand(id=1, raised=False, participant=badr.id), ErrorCode.NOT_ALLOWED)
    teacher.is_refused(Hand(id=1, raised=True, participant=badr.id), ErrorCode.NOT_ALLOWED)
    teacher.is_refused(Hand(id=1, raised=False, participant="nobody"), ErrorCode.UNKNOWN_PARTICIPANT)
    teacher.says(Hand(raised=False, participant=badr.id))
    assert amal.last(HandsChanged).lowered == (badr.id,)
    teacher.says(Hand(raised=False, participant="all"))
    assert amal.last(HandsChanged).lowered == (amal.id,)
    before = len(amal.heard)
    teacher.says(Hand(raised=False, participant="all"))
    assert len(amal.heard) == before


def test_who_leaves_has_no_hand_up() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.says(Hand(raised=True))
    amal.says(Leave())
    assert isinstance(badr.heard[-1], ParticipantLeft)
    assert stage.joins("chen").last(Joined).room.hands == ()


def test_reactions_are_for_everybody_and_bounded() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    for _ in range(10):
        amal.says(React(reaction="👏"))
    assert badr.all(Reaction) == [Reaction(participant=amal.id, reaction="👏")] * 10
    amal.is_refused(React(id=1, reaction="👏"), ErrorCode.RATE_LIMITED)
    stage.now = 0.5
    amal.says(React(reaction="👏"))
    amal.is_refused(React(id=1, reaction="👏"), ErrorCode.RATE_LIMITED)


def test_a_room_full_of_reactions_is_bounded_too() -> None:
    stage = Stage()
    people = [stage.joins(f"p{number}") for number in range(15)]
    for person in people:
        for _ in range(8):
            person.says(React(reaction="!"))
    assert len(people[0].all(Reaction)) == 100


def test_messages_go_to_whom_they_are_meant_for() -> None:
    stage = Stage()
    amal, badr, chen = (stage.joins(name) for name in ("amal", "badr", "chen"))
    teacher = stage.joins("t", role=Role.TEACHER)
    amal.says(Send(id=1, body={"text": "hello"}))
    assert [len(each.all(MessageSent)) for each in (amal, badr, chen, teacher)] == [1, 1, 1, 1]
    amal.says(Send(id=2, body="a secret", to=Recipients(roles=[Role.TEACHER], participants=[chen.id])))
    assert [len(each.all(MessageSent)) for each in (amal, badr, chen, teacher)] == [2, 1, 2, 2]
    message = teacher.last(MessageSent)
    assert (message.participant, message.body, message.topic) == (amal.id, "a secret", "chat")
    assert amal.last(Done) == Done(re=2, seq=message.seq)
    amal.says(Send(body="to nobody but me", to=Recipients(roles=[Role.ASSISTANT])))
    assert [len(each.all(MessageSent)) for each in (amal, badr, chen, teacher)] == [3, 1, 2, 2]


def test_messages_have_limits() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.is_refused(Send(id=1, body="x" * MESSAGE_BYTES_MAX), ErrorCode.TOO_LARGE)
    amal.is_refused(Send(id=2, body="ش" * (MESSAGE_BYTES_MAX // 2)), ErrorCode.TOO_LARGE)
    amal.is_refused(Send(id=3, body=nested(JSON_DEPTH_MAX + 1)), ErrorCode.TOO_LARGE)
    amal.is_refused(Send(id=4, body=1, to=Recipients(participants=["nobody"])), ErrorCode.UNKNOWN_PARTICIPANT)
    amal.says(Send(body=nested(JSON_DEPTH_MAX)))
    while len(badr.all(MessageSent)) < 56:
        amal.says(Send(body="x"))
    amal.is_refused(Send(id=5, body="x"), ErrorCode.RATE_LIMITED)
    stage.now = 1.0
    amal.says(Send(body="x"))
    assert len(badr.all(MessageSent)) == 57


def test_the_server_itself_sends() -> None:
    stage = Stage()
    amal, teacher = stage.joins("amal"), stage.joins("t", role=Role.TEACHER)
    stage.room.send("Five minutes left.", topic="notice")
    stage.room.send("Only you.", topic="notice", to=Recipients(roles=[Role.TEACHER]))
    stage.drain()
    assert [each.body for each in amal.all(MessageSent)] == ["Five minutes left."]
    assert (teacher.last(MessageSent).body, teacher.last(MessageSent).participant) == ("Only you.", None)


@pytest.mark.parametrize(
    "message",
    [
        Send(id=1, body=1),
        React(id=1, reaction="!"),
        Hand(id=1, raised=True),
        SetState(id=1, scope="own", key="k", value=1),
    ],
)
@pytest.mark.parametrize(("send", "hidden"), [(False, False), (True, True)])
def test_who_may_not_send_does_none_of_this(message: Any, send: bool, hidden: bool) -> None:
    stage = Stage()
    badr = stage.joins("badr")
    grants = Grants(stage.room.name, Identity("amal"), expires_at=0.0, send=send, hidden=hidden)
    amal = stage.enters(join_request(), grants)
    before = len(badr.heard)
    amal.is_refused(message, ErrorCode.NOT_ALLOWED)
    assert len(badr.heard) == before


def test_state_is_kept_for_newcomers() -> None:
    stage = Stage()
    amal, teacher = stage.joins("amal"), stage.joins("t", role=Role.TEACHER)
    amal.says(SetState(scope="own", key="away", value=True))
    own = teacher.last(StateChanged)
    assert (own.participant, own.key, own.value) == (amal.id, "away", True)
    teacher.says(SetState(scope="room", key="slide", value={"page": 1}))
    room = amal.last(StateChanged)
    assert (room.participant, room.seq) == (None, own.seq + 1)
    snapshot = stage.joins("late").last(Joined).room
    assert snapshot.state == {"slide": StateEntry(value={"page": 1}, version=room.seq)}
    assert snapshot.participants[0].state == {"away": StateEntry(value=True, version=own.seq)}
    teacher.says(SetState(scope="room", key="slide", value=None))
    assert stage.joins("later").last(Joined).room.state == {}
    amal.is_refused(SetState(id=1, scope="room", key="slide", value=1), ErrorCode.NOT_ALLOWED)


def test_a_version_guards_against_two_at_once() -> None:
    stage = Stage()
    teacher, assistant = stage.joins("t", role=Role.TEACHER), stage.joins("a", role=Role.ASSISTANT)
    teacher.says(SetState(scope="room", key="k", value=1, if_version=0))
    version = teacher.last(StateChanged).seq
    assistant.says(SetState(scope="room", key="k", value=2, if_version=version))
    teacher.is_refused(SetState(id=1, scope="room", key="k", value=3, if_version=version), ErrorCode.CONFLICT)
    teacher.is_refused(SetState(id=2, scope="room", key="k", value=3, if_version=0), ErrorCode.CONFLICT)


def test_state_has_limits() -> None:
    amal = Stage().joins("amal")
    for value in ("x" * STATE_VALUE_BYTES_MAX, nested(JSON_DEPTH_MAX + 1)):
        amal.is_refused(SetState(id=1, scope="own", key="k", value=value), ErrorCode.TOO_LARGE)
    for number in range(OWN_STATE_LIMITS.keys_max):
        amal.says(SetState(scope="own", key=f"k{number}", value=number))
    amal.is_refused(SetState(id=2, scope="own", key="more", value=1), ErrorCode.TOO_LARGE)
    amal.says(SetState(scope="own", key="k0", value="x" * 4000))
    amal.is_refused(SetState(id=3, scope="own", key="k1", value="x" * 4090), ErrorCode.TOO_LARGE)
    amal.says(SetState(scope="own", key="k0", value=None))
    amal.says(SetState(id=4, scope="own", key="k1", value="x" * 4090))
    assert amal.last(Done).re == 4
