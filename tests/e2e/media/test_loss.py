"""Five percent of the packets are lost, on the viewer's side and on the publisher's: nobody should see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from control_api.invitations import Role
from tests.e2e.media.test_first_class import playing
from tests.support.classroom import Classroom
from tests.support.relay import Relay

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]

LOSS = 0.05
MEASURED_S = 10.0
SERVED_MIN = 0.95
FRAMES_PER_SECOND_MIN = 15


@pytest_asyncio.fixture(loop_scope="session")
async def relay(classroom: Classroom) -> AsyncIterator[Relay]:
    relay = Relay(("127.0.0.1", classroom.udp_port), seed=7)
    yield relay
    await relay.close()


async def test_viewer_behind_loss_is_served_from_history(classroom: Classroom, relay: Relay) -> None:
    port = await relay.start()
    teacher = await classroom.join("teacher")
    student = await classroom.join("student", role=Role.STUDENT, relay_port=port)
    await teacher.publish("Camera")
    mid = await playing(student, "video")
    relay.down.loss = LOSS
    before = (await student.decoded(mid))["framesDecoded"]
    await asyncio.sleep(MEASURED_S)
    report = await student.decoded(mid)
    metrics = classroom.metrics()
    served = metrics["nack_served_total"] + metrics["nack_suppressed_total"]
    assert relay.down.lost > 20, "the relay must have lost something"
    assert metrics["nack_requested_total"] > 0
    assert served >= SERVED_MIN * metrics["nack_requested_total"]
    assert (report["framesDecoded"] - before) / MEASURED_S >= FRAMES_PER_SECOND_MIN
    assert report["totalFreezesDuration"] < MEASURED_S * 0.05


async def test_publisher_behind_loss_is_asked_again(classroom: Classroom, relay: Relay) -> None:
    port = await relay.start()
    teacher = await classroom.join("teacher", relay_port=port)
    student = await classroom.join("student", role=Role.STUDENT)
    await teacher.publish("Camera")
    mid = await playing(student, "video")
    relay.up.loss = LOSS
    before = (await student.decoded(mid))["framesDecoded"]
    await asyncio.sleep(MEASURED_S)
    report = await student.decoded(mid)
    metrics = classroom.metrics()
    assert relay.up.lost > 20, "the relay must have lost something"
    assert metrics["nack_recovered_total"] > 0
    assert metrics["nack_abandoned_total"] <= 0.05 * metrics["nack_recovered_total"]
    assert (report["framesDecoded"] - before) / MEASURED_S >= FRAMES_PER_SECOND_MIN
