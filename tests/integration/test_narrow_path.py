"""A real viewer on a path that is narrow, then wide: what it is sent, and what a real publisher is asked to send."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from signaling.client import Room
from signaling.client.webrtc import WebRtc
from signaling.identifiers import RoomName, Source
from signaling.levels import Level
from signaling.track import Track
from tests.support.peer_foreign import running_libwebrtc
from tests.support.peer_school import School, open_school, until
from tests.support.relay import open_relay

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

WIDTH, HEIGHT = 960, 540
FRAME_RATE = 12
NARROW, WIDE = "rate=450kbit delay=20ms", "rate=6Mbit delay=20ms"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def libwebrtc() -> AsyncIterator[None]:
    """Begin before a test's leftovers are counted, and end behind them."""
    async with running_libwebrtc():
        yield


async def film(room: Room) -> None:
    """Publish what moves, and is not too hard to encode: large tiles of changing colours."""
    camera = await room.publish_camera(WIDTH, HEIGHT)
    tiles = np.random.default_rng(1).integers(0, 255, (12, HEIGHT // 60, WIDTH // 60, 3), np.uint8)
    pictures = tiles.repeat(60, axis=1).repeat(60, axis=2)
    number = 0
    while True:
        await camera.send(pictures[number % len(pictures)])
        number += 1
        await asyncio.sleep(1 / FRAME_RATE)


def camera_of(school: School, identity: str) -> Track | None:
    room = school.server.parts.signaling.find_room(RoomName("algebra"))
    people = () if room is None else room.survey().participants
    tracks = [track for each in people if each.grants.identity == identity for track in each.tracks.values()]
    return next((track for track in tracks if track.source is Source.CAMERA), None)


async def test_a_viewer_is_sent_what_its_path_carries_and_the_publisher_asked_for_that(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school, open_relay(school.server.engine.udp_ports[0], down=NARROW) as relay:

        def edit(answer: str) -> str:
            return re.sub(r"(candidate:.* 127\.0\.0\.1) \d+ ", rf"\1 {relay.port} ", answer)

        sending = WebRtc(audio_slots=1, video_slots=1, screen_slots=0)
        watching = WebRtc(audio_slots=1, video_slots=1, screen_slots=0, edit_answer=edit)
        async with (
            Room(school.server.url, "algebra", school.token("amal", "algebra"), media=sending) as amal,
            Room(school.server.url, "algebra", school.token("badr", "algebra"), media=watching) as badr,
        ):
            filming = asyncio.create_task(film(amal))
            try:
                await until(lambda: camera_of(school, "amal"), "the camera is published")
                camera = camera_of(school, "amal")
                assert camera is not None
                slot = badr.sections[1]
                await badr.view(slot, height=HEIGHT)

                def flowing() -> str | None:
                    return next(each.encoding for each in badr.slots if each.mid == slot.mid)

                await until(lambda: flowing() == "q", "the least comes", within_s=15)
                await until(lambda: not camera.asked[-1], "what does not fit rests", within_s=20)
                came = [camera.received_bytes[-1]]

                def rests() -> bool:
                    came.append(camera.received_bytes[-1])
                    return came[-1] == came[-2]

                await until(rests, "the publisher has stopped to send it", every_s=0.5)
                assert flowing() != "f"
                relay.change(down=WIDE)
                await until(lambda: flowing() == "f", "all comes on a wide path", within_s=30)
                assert camera.asked[-1]
                await badr.limit(Level.AUDIO)
                await until(lambda: badr.slots[1].paused, "who wants sound alone gets that", within_s=2)
            finally:
                filming.cancel()
                await asyncio.wait({filming})
