"""A browser behind a link of known width: the estimate comes near it, and follows when it narrows and widens."""

from __future__ import annotations

import asyncio
import time

import pytest

from control_api.invitations import Role
from tests.e2e.media.test_first_class import playing
from tests.support.classroom import Classroom, until
from tests.support.relay import open_relay

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]

WIDE_BPS, NARROW_BPS = 800_000, 250_000
NEAR = (0.3, 1.25)
"""Of the link: the machine's own jitter looks like a queue, and the first overshoot is part of the search."""
FOLLOWS_S_MAX = 15.0


async def test_a_browsers_reports_tell_how_wide_its_link_is(classroom: Classroom) -> None:
    def estimate_bps() -> float:
        return classroom.metrics()["estimated_paths_bps"]

    async def comes_near(link_bps: int) -> bool:
        """Look for two seconds."""
        seen = []
        for _ in range(8):
            seen.append(estimate_bps())
            await asyncio.sleep(0.25)
        print(f"{time.monotonic():.1f} s, link of {link_bps}: {[round(bps / 1000) for bps in seen]} kbit/s")
        return all(NEAR[0] * link_bps <= bps <= NEAR[1] * link_bps for bps in seen)

    async with open_relay(classroom.udp_port, down=f"rate={WIDE_BPS // 1000}kbit delay=20ms") as relay:
        teacher = await classroom.join("teacher")
        student = await classroom.join("student", role=Role.STUDENT, relay_port=relay.port)
        await teacher.publish("Camera")
        await playing(student, "video")
        await until(lambda: comes_near(WIDE_BPS), "the estimate comes near the link", within_s=FOLLOWS_S_MAX)
        relay.change(down=f"rate={NARROW_BPS // 1000}kbit delay=20ms")
        await until(lambda: comes_near(NARROW_BPS), "it falls with the link", within_s=FOLLOWS_S_MAX)
        relay.change(down=f"rate={WIDE_BPS // 1000}kbit delay=20ms")
        await until(lambda: comes_near(WIDE_BPS), "and rises again", within_s=FOLLOWS_S_MAX)
    metrics = classroom.metrics()
    assert metrics["estimated_paths"] == 1, "nothing is sent to the teacher"
    assert metrics["feedback_malformed_total"] == metrics["feedback_flooded_total"] == 0
    assert metrics["path_probes_used_total"] <= metrics["path_probes_total"]
