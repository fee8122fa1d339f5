"""Coming and going: join, the snapshot, the numbers of events, replacement, leaving, the end."""

from __future__ import annotations

import pytest

from signaling.client_messages import Candidate, Leave, Offer, Ping, Publish
from signaling.codes import CloseCode, ErrorCode, LeftReason
from signaling.errors import RequestError
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Door, Identity, Role, Source
from signaling.limits import RoomSettings
from signaling.outbox import Close
from signaling.server_messages import (
    Answer,
    Draining,
    Joined,
    ParticipantJoined,
    ParticipantLeft,
    Pong,
    SlotsChanged,
    TrackChanged,
)
from signaling.watch import LOOK_S
from tests.unit.signaling.offers import CAMERA, SLOTS, sdk_offer
from tests.unit.signaling.stage import WALLCLOCK, Stage, join_request


def test_the_first_gets_an_answer_the_room_and_its_empty_slots() -> None:
    amal = Stage().joins("amal", name="Amal")
    joined, slots = amal.heard
    assert isinstance(joined, Joined)
    assert (joined.re, joined.seq, joined.room.seq, joined.participant) == (1, 1, 1, amal.id)
    (me,) = joined.room.participants
    assert (me.id, me.identity, me.name, me.joined_at, me.tracks) == (amal.id, "amal", "Amal", WALLCLOCK, ())
    assert isinstance(slots, SlotsChanged)
    assert [(slot.mid, slot.track, slot.encoding) for slot in slots.slots] == [(mid, None, None) for mid, _ in SLOTS]


def test_the_answer_holds_the_fixed_ssrc_of_each_slot() -> None:
    amal = Stage().joins("amal")
    answer = amal.last(Joined).answer or ""
    for mid, _ in SLOTS:
        assert f"a=ssrc:{amal.consumer(mid).ssrc} " in answer
        assert f"a=msid:slot-{mid} slot-{mid}" in answer


def test_the_next_hears_who_is_there_and_is_heard_of() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    microphone = amal.publishes(Source.MICROPHONE)
    badr = stage.joins("badr")
    joined = badr.last(Joined)
    assert joined.seq == joined.room.seq == 3
    assert [(each.identity, [track.id for track in each.tracks]) for each in joined.room.participants] == [
        ("amal", [microphone]),
        ("badr", []),
    ]
    news = amal.last(ParticipantJoined)
    assert (news.seq, news.participant.id, news.participant.name) == (3, badr.id, "badr")
    assert not badr.all(ParticipantJoined)


def test_everybody_hears_the_same_events_in_the_same_order() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.publishes(Source.CAMERA)
    badr.publishes(Source.MICROPHONE)
    stage.joins("chen").says(Leave())

    def heard(person: object) -> list[int]:
        return [message.seq for message in person.heard if hasattr(message, "seq")]  # type: ignore[attr-defined]

    assert heard(amal) == [1, 2, 3, 4, 5, 6]
    assert heard(badr) == [2, 3, 4, 5, 6]


def test_the_token_decides_about_the_name() -> None:
    stage = Stage()
    grants = Grants(stage.room.name, Identity("amal"), expires_at=0.0, name="Dr. Amal")
    assert stage.enters(join_request(name="The Minister"), grants).last(Joined).room.participants[0].name == "Dr. Amal"


@pytest.mark.parametrize("name", ["\n", " ", "a\x00b", "evil\u202etxt", "a\u2028b"])
def test_a_name_that_would_break_a_display_is_refused(name: str) -> None:
    stage = Stage()
    with pytest.raises(RequestError) as error:
        stage.joins("amal", name=name)
    assert error.value.code is ErrorCode.BAD_MESSAGE
    assert stage.room.empty
    assert all(transport.closed for transport in stage.router.transports)


def test_a_join_that_fails_leaves_nothing_behind() -> None:
    stage = Stage()
    stage.router.refused_mids.add(CAMERA)
    for request, code in [
        (join_request(offer="v=0\r\n"), ErrorCode.BAD_OFFER),
        (join_request(), ErrorCode.BAD_OFFER),
        (join_request(slots=[("99", "video")], offer=sdk_offer()), ErrorCode.UNKNOWN_SLOT),
        (join_request(slots=[("10", "video")], offer=sdk_offer()), ErrorCode.WRONG_KIND),
        (join_request(slots=[("20", "audio")], offer=sdk_offer()), ErrorCode.WRONG_KIND),
        (join_request(slots=[("20", "video"), (CAMERA, "video")], offer=sdk_offer()), ErrorCode.UNKNOWN_SLOT),
    ]:
        with pytest.raises(RequestError) as error:
            stage.enters(request, Grants(stage.room.name, Identity("amal"), expires_at=0.0))
        assert error.value.code is code, error.value
    assert stage.room.empty
    assert all(transport.closed for transport in stage.router.transports)


def test_a_failed_join_does_not_push_out_the_one_who_is_in() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    with pytest.raises(RequestError):
        stage.enters(join_request(offer="v=0\r\n"), Grants(stage.room.name, Identity("amal"), expires_at=0.0))
    stage.drain()
    assert amal.closed is None
    assert stage.room.size == 1


def test_sections_without_a_purpose_get_one_by_their_kind() -> None:
    stage = Stage()
    amal = stage.enters(
        join_request(slots=(), offer=sdk_offer(slots=SLOTS)),
        Grants(stage.room.name, Identity("amal"), expires_at=0.0, publish=frozenset(Source)),
    )
    badr = stage.joins("badr")
    microphone, camera = badr.publishes(Source.MICROPHONE), badr.publishes(Source.CAMERA)
    screen = badr.publishes(Source.SCREEN)
    assert (amal.slots["10"], amal.slots["20"]) == (microphone, camera)
    assert screen not in amal.slots.values()  # no section is said to be for screens


def test_the_same_identity_replaces_the_earlier_one() -> None:
    stage = Stage()
    first, badr = stage.joins("amal"), stage.joins("badr")
    camera = first.publishes(Source.CAMERA)
    assert camera in badr.slots.values()
    second = stage.joins("amal")
    assert first.closed == Close(first.id, CloseCode.REPLACED, "the same identity joined again")
    assert first.transport.closed
    left = badr.last(ParticipantLeft)
    assert (left.participant, left.reason) == (first.id, LeftReason.REPLACED)
    assert badr.last(ParticipantJoined).participant.id == second.id
    assert badr.last(ParticipantJoined).seq == left.seq + 1
    assert [each.id for each in second.last(Joined).room.participants] == [badr.id, second.id]
    assert camera not in badr.slots.values()
    assert stage.room.size == 2


def test_leaving_ends_everything_of_the_participant() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    camera = amal.publishes(Source.CAMERA)
    assert badr.slots["20"] == camera
    amal.says(Leave())
    assert amal.closed == Close(amal.id, CloseCode.NORMAL, "goodbye")
    assert amal.transport.closed
    assert badr.last(ParticipantLeft).reason is LeftReason.LEFT
    assert badr.slots["20"] is None
    assert badr.consumer("20").producer is None
    assert not amal.all(ParticipantLeft)
    heard = len(badr.heard)
    amal.says(Ping(t=1))  # too late: nobody is there
    stage.room.disconnect(amal.id, LeftReason.DISCONNECTED)
    stage.drain()
    assert len(badr.heard) == heard


def test_a_lost_connection_is_told_with_its_reason() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    stage.room.disconnect(amal.id, LeftReason.DISCONNECTED)
    stage.drain()
    assert badr.last(ParticipantLeft).reason is LeftReason.DISCONNECTED
    assert amal.closed is None  # there is no connection left to close


def test_media_that_fails_ends_the_participant() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.transport.listener.on_connected()
    amal.transport.listener.on_closed("consent expired")
    stage.drain()
    assert amal.closed == Close(amal.id, CloseCode.MEDIA_FAILED, "consent expired")
    assert badr.last(ParticipantLeft).reason is LeftReason.TIMEOUT
    amal.transport.listener.on_closed("twice")
    stage.drain()
    assert stage.room.size == 1


def test_a_token_that_runs_out_ends_the_participant_in_mid_class() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal", expires_at=100.0), stage.joins("badr", expires_at=200.0)
    assert stage.room.next_timeout() == LOOK_S
    stage.room.handle_timeout(now=99.9)
    stage.drain()
    assert amal.closed is None
    stage.room.handle_timeout(now=100.0)
    stage.drain()
    assert amal.closed == Close(amal.id, CloseCode.TOKEN_EXPIRED, "the token has expired")
    assert badr.last(ParticipantLeft).participant == amal.id
    assert stage.room.next_timeout() == 99.9 + LOOK_S


def test_the_end_closes_everything_once() -> None:
    stage = Stage()
    people = [stage.joins("amal"), stage.joins("badr")]
    stage.room.end(CloseCode.SHUTTING_DOWN, "the server is shutting down")
    stage.drain()
    assert [person.closed and person.closed.code for person in people] == [CloseCode.SHUTTING_DOWN] * 2
    assert all(transport.closed for transport in stage.router.transports)
    assert stage.router.closed
    assert stage.room.empty
    assert stage.room.next_timeout() is None


def test_a_second_join_is_refused() -> None:
    Stage().joins("amal").is_refused(join_request(), ErrorCode.ALREADY_JOINED)


def test_ping_comes_back_to_nobody_else() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    amal.says(Ping(id=9, t=12.5))
    assert amal.last(Pong) == Pong(re=9, t=12.5)
    assert not badr.all(Pong)


def test_candidates_are_checked_and_dropped() -> None:
    amal = Stage().joins("amal")
    before = len(amal.heard)
    amal.says(Candidate(mid="0", candidate="candidate:1 1 udp 2113937151 192.0.2.7 54321 typ host generation 0"))
    amal.says(Candidate(mid="0", candidate=""))
    assert len(amal.heard) == before
    amal.is_refused(Candidate(id=3, mid="0", candidate="nonsense"), ErrorCode.BAD_MESSAGE)
    amal.is_refused(Candidate(id=4, mid="99", candidate=""), ErrorCode.UNKNOWN_SECTION)


def test_a_later_offer_adds_slots() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal", slots=SLOTS[:1]), stage.joins("badr")
    camera = badr.publishes(Source.CAMERA)
    assert set(amal.slots) == {"10"}
    amal.says(Offer(id=5, sdp=sdk_offer(slots=SLOTS), slots=join_request().slots))
    answer = amal.last(Answer)
    assert answer.re == 5
    assert f"a=ssrc:{amal.consumer('20').ssrc} " in answer.sdp
    assert amal.slots == {"10": None, "11": None, "20": camera, "21": None, "22": None, "30": None}
    assert amal.transport.restarts == 0


def test_a_later_offer_restarts_ice() -> None:
    amal = Stage().joins("amal")
    amal.says(Offer(id=5, sdp=sdk_offer(ufrag="wxyz")))
    assert amal.transport.restarts == 1
    assert "a=ice-ufrag:ufrag1" in amal.last(Answer).sdp


def test_a_later_offer_takes_sections_away() -> None:
    stage = Stage()
    amal, badr = stage.joins("amal"), stage.joins("badr")
    camera = amal.publishes(Source.CAMERA)
    amal.says(Offer(id=5, sdp=sdk_offer(removed=[CAMERA, "22"])))
    assert amal.last(Answer).re == 5
    assert amal.producer(Source.CAMERA).closed
    assert amal.consumer("22").closed
    ended = badr.last(TrackChanged)
    assert (ended.track.id, ended.track.state, ended.re) == (camera, "ended", None)
    assert badr.slots["20"] is None


def test_a_later_offer_that_cannot_be_used_changes_nothing() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    for sdp in ("v=0\r\n", sdk_offer(slots=SLOTS[:2])):  # no SDP at all; sections that were there are missing
        amal.is_refused(Offer(id=6, sdp=sdp), ErrorCode.BAD_OFFER)
    amal.is_refused(
        Offer(id=7, sdp=sdk_offer(), slots=join_request(slots=[("77", "video")]).slots), ErrorCode.UNKNOWN_SLOT
    )
    amal.is_refused(
        Offer(id=8, sdp=sdk_offer(), slots=join_request(slots=[("20", "screen")]).slots), ErrorCode.WRONG_KIND
    )
    assert not amal.transport.closed


def test_an_engine_that_refuses_in_the_middle_ends_the_participant() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    amal.says(Offer(id=5, sdp=sdk_offer(removed=[CAMERA])))
    stage.router.refused_mids.add(CAMERA)
    amal.says(Offer(id=6, sdp=sdk_offer()))
    assert amal.closed is not None
    assert amal.closed.code is CloseCode.MEDIA_FAILED
    assert stage.room.empty


def test_the_shell_is_woken_once_for_many_outputs() -> None:
    stage = Stage()
    stage.joins("amal")
    stage.wakes = 0
    stage.room.receive(next(iter(stage.people)), Ping(t=1), now=0.0)
    stage.room.receive(next(iter(stage.people)), Ping(t=2), now=0.0)
    assert stage.wakes == 1
    stage.drain()
    stage.people[next(iter(stage.people))].transport.listener.on_closed("gone")
    assert stage.wakes == 2


def test_a_later_offer_may_bring_header_extensions() -> None:
    amal = Stage().joins("amal")
    new = "a=extmap:12 urn:3gpp:video-orientation\r\na=recvonly"
    amal.says(Offer(id=5, sdp=sdk_offer().replace("a=recvonly", new)))
    assert amal.last(Answer).re == 5
    assert amal.transport.extensions[12] == "urn:3gpp:video-orientation"


def test_the_hidden_see_and_are_not_seen() -> None:
    stage = Stage()
    amal = stage.joins("amal")
    camera = amal.publishes(Source.CAMERA)
    grants = Grants(stage.room.name, Identity("viewer"), expires_at=0.0, publish=ALL_SOURCES, hidden=True)
    viewer = stage.enters(join_request(), grants)
    assert camera in viewer.slots.values()
    assert [each.identity for each in viewer.last(Joined).room.participants] == ["amal", "viewer"]
    assert [each.identity for each in stage.joins("badr").last(Joined).room.participants] == ["amal", "badr"]
    assert stage.room.size == 3
    viewer.is_refused(Publish(id=5, mid=CAMERA, source=Source.CAMERA), ErrorCode.NOT_ALLOWED)
    viewer.says(Leave())
    assert not amal.all(ParticipantLeft)
    assert [event.seq for event in amal.all(ParticipantJoined)] == [3]


def test_the_server_tells_everybody_who_waits_too_what_is_no_event() -> None:
    stage = Stage(RoomSettings(door=Door.WAITING))
    teacher, dana = stage.joins("t", role=Role.TEACHER), stage.joins("dana")
    seq = teacher.last(Joined).seq
    stage.room.tell_everybody(Draining(ends_at=None))
    stage.drain()
    assert teacher.last(Draining) == dana.last(Draining) == Draining(ends_at=None)
    assert stage.joins("amal2", role=Role.TEACHER).last(Joined).seq == seq + 2  # a knock and a newcomer
