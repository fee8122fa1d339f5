"""Who joins without an offer: takes part in everything but media, and may bring media later."""

from __future__ import annotations

import pytest

from signaling.client_messages import Candidate, Join, Offer, Publish, Resume, Send, SlotRequest
from signaling.codes import ErrorCode, LeftReason
from signaling.errors import RequestError
from signaling.grants import ALL_SOURCES, Grants
from signaling.identifiers import Identity, Role, SlotKind, Source
from signaling.server_messages import Answer, Joined, MessageSent, Resumed, TrackChanged
from tests.unit.signaling.offers import sdk_offer
from tests.unit.signaling.stage import SECTION_OF, Person, Stage, join_request


def joins_silently(stage: Stage, request: Join) -> Person:
    grants = Grants(stage.room.name, Identity("bot"), 0.0, publish=ALL_SOURCES, role=Role.STUDENT, moderate=False)
    return stage.enters(request, grants)


def test_talks_and_is_heard() -> None:
    stage = Stage()
    amal, bot = stage.joins("amal"), joins_silently(stage, Join(id=1, name="Bot"))
    assert bot.last(Joined).answer is None
    bot.says(Send(id=2, body="salaam"))
    assert amal.last(MessageSent).body == "salaam"
    bot.is_refused(Publish(id=3, mid="0", source=Source.CAMERA), ErrorCode.UNKNOWN_SECTION)
    bot.is_refused(Candidate(id=4, mid="0", candidate=""), ErrorCode.UNKNOWN_SECTION)


def test_slots_need_an_offer() -> None:
    with pytest.raises(RequestError, match="slot '8' is in no offer"):
        joins_silently(Stage(), Join(id=1, slots=[SlotRequest(mid="8", kind=SlotKind.VIDEO)]))


def test_media_may_come_later_and_a_bad_offer_changes_nothing() -> None:
    stage = Stage()
    amal, bot = stage.joins("amal"), joins_silently(stage, Join(id=1))
    camera = amal.publishes(Source.CAMERA)
    bot.is_refused(Offer(id=2, sdp="v=0\r\n"), ErrorCode.BAD_OFFER)
    bot.says(Offer(id=3, sdp=sdk_offer(), slots=join_request().slots))
    assert bot.last(Answer).sdp.startswith("v=0")
    assert camera in bot.slots.values()
    bot.says(Publish(id=4, mid=SECTION_OF[Source.MICROPHONE], source=Source.MICROPHONE))
    assert amal.last(TrackChanged).participant == bot.id


def test_comes_back_after_the_connection_broke() -> None:
    stage = Stage()
    bot = joins_silently(stage, Join(id=1))
    bot.connected = False
    stage.room.suspend(bot.id, LeftReason.DISCONNECTED, now=stage.now)
    stage.drain()
    bot.connected = True
    joined = bot.last(Joined)
    stage.room.resume(Resume(id=5, token=joined.resume, seq=joined.seq), bot.grants, expires_at=2000.0)
    stage.drain()
    assert bot.last(Resumed).answer is None
