"""Five percent of the packets are lost, on the viewer's side and on the publisher's: nobody should see it."""

from __future__ import annotations

import asyncio
import time

import pytest

from benchmarks.relay.shell import Relay
from control_api.invitations import Role
from tests.e2e.media.test_first_class import playing
from tests.support.classroom import Classroom, until
from tests.support.relay import open_relay, open_watched_relay

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]

LOSS = "loss=5% only=media"
SEED = 7
SETTLED_S = 1.0  # the last ones are asked for and come
LOST_MIN = 30  # datagrams: enough that each of the figures below means something
MEASURED_S_MAX = 40.0
SERVED_MIN = 0.95
RECOVERED_MIN = 0.9  # of what was lost
FRAMES_PER_SECOND_MIN = 12  # of 30: the encoder and the decoder share two cores with whatever else runs here
FREEZE_SHARE_MAX = 0.2  # a busy machine alone can make a tenth of it


async def let_lose(relay: Relay, direction: str) -> float:
    """Lose five percent up or down until enough is lost; return how long that took, in seconds."""
    way = {"up": relay.up, "down": relay.down}[direction]
    lost_before, started = way.lost, time.monotonic()
    relay.change(**{direction: LOSS})

    async def enough() -> bool:
        return way.lost - lost_before >= LOST_MIN

    await until(enough, f"{LOST_MIN} datagrams are lost", within_s=MEASURED_S_MAX)
    relay.change(**{direction: ""})
    await asyncio.sleep(SETTLED_S)
    return time.monotonic() - started


async def test_viewer_behind_loss_is_served_from_history(classroom: Classroom) -> None:
    async with open_watched_relay(classroom.udp_port, seed=SEED) as watched:
        relay = watched.relay
        teacher = await classroom.join("teacher")
        student = await classroom.join("student", role=Role.STUDENT, relay_port=relay.port)
        await teacher.publish("Camera")
        mid = await playing(student, "video")
        before = await student.decoded(mid)
        elapsed_s = await let_lose(relay, "down")
        report = await student.decoded(mid)
    metrics = classroom.metrics()
    served = metrics["nack_served_total"] + metrics["nack_suppressed_total"]
    assert metrics["nack_requested_total"] > 0
    assert served >= SERVED_MIN * metrics["nack_requested_total"]
    assert report["nackCount"] > before["nackCount"], "the browser asks"
    lost = report["packetsLost"] - before["packetsLost"]
    assert lost == sum(entry.ssrc == report["ssrc"] for entry in watched.dropped("down")), "it misses what we dropped"
    repeated = report["retransmittedPacketsReceived"] - before.get("retransmittedPacketsReceived", 0)
    assert repeated >= RECOVERED_MIN * lost, "and gets it"
    assert (report["framesDecoded"] - before["framesDecoded"]) / elapsed_s >= FRAMES_PER_SECOND_MIN
    frozen_s = report["totalFreezesDuration"] - before["totalFreezesDuration"]
    assert frozen_s <= elapsed_s * FREEZE_SHARE_MAX


async def test_publisher_behind_loss_is_asked_again(classroom: Classroom) -> None:
    async with open_relay(classroom.udp_port, seed=SEED) as relay:
        teacher = await classroom.join("teacher", relay_port=relay.port)
        student = await classroom.join("student", role=Role.STUDENT)
        await teacher.publish("Camera")
        mid = await playing(student, "video")
        before = await student.decoded(mid)
        elapsed_s = await let_lose(relay, "up")
        report = await student.decoded(mid)
    metrics = classroom.metrics()
    assert metrics["nack_recovered_total"] > 0
    assert metrics["nack_abandoned_total"] <= 0.05 * metrics["nack_recovered_total"]
    assert (report["framesDecoded"] - before["framesDecoded"]) / elapsed_s >= FRAMES_PER_SECOND_MIN
