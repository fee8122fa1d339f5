"""The Python client against the real server: talk, rules, media, files, and every way in which a stay ends."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import pytest_asyncio

from signaling.client import KeyHolder, ReconnectPolicy, Room
from signaling.client.errors import (
    ClassOverError,
    HalqaError,
    NotAllowedInError,
    RemovedError,
    ReplacedError,
    RequestRefusedError,
    SentBackError,
    TokenExpiredError,
    UnreachableError,
    WrongStateError,
)
from signaling.client.events import (
    HandRaised,
    Joined,
    Knocked,
    MessageReceived,
    Moved,
    ParticipantJoined,
    ParticipantLeft,
    RoomState,
    ValueChanged,
)
from signaling.client.files import play_file
from signaling.client.media import AudioFrame, VideoFrame
from signaling.client.webrtc import WebRtc
from signaling.identifiers import Door, Role, RoomName, Source
from tests.support.client_media import Show, hears_tone, sees_picture
from tests.support.peer_foreign import running_libwebrtc
from tests.support.peer_school import School, open_school, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]
FEW_SLOTS = WebRtc(audio_slots=1, video_slots=1, screen_slots=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def libwebrtc() -> AsyncIterator[None]:
    """Begin before a test's leftovers are counted, and end behind them."""
    async with running_libwebrtc():
        yield


def member(school: School, identity: str, *, role: Role = Role.TEACHER, **options: Any) -> Room:
    key = KeyHolder(school.key.key_id, school.key.secret, "algebra", identity, role=role)
    return Room(school.server.url, "algebra", options.pop("token", key), **options)


@contextlib.contextmanager
def heard(room: Room, kind: type) -> Iterator[list[Any]]:
    found: list[Any] = []
    off = room.on(kind, found.append)
    try:
        yield found
    finally:
        off()


async def test_talk_hands_values_and_moderation(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school, member(school, "amal") as amal:
        with heard(amal, ParticipantJoined) as came, heard(amal, MessageReceived) as said:
            async with member(school, "badr", role=Role.STUDENT) as badr:
                assert badr.state is RoomState.CONNECTED
                await until(lambda: came, "amal hears of badr")
                assert came[0].participant.role is Role.STUDENT
                await badr.send({"text": "سلام"})
                await badr.send("psst", roles=[Role.TEACHER], topic="private")
                await until(lambda: len(said) == 2, "amal hears badr")
                assert [(each.sender.identity, each.topic, each.body) for each in said] == [
                    ("badr", "chat", {"text": "سلام"}),
                    ("badr", "private", "psst"),
                ]
                raised = asyncio.create_task(amal.next(HandRaised))
                await asyncio.sleep(0)
                await badr.raise_hand()
                assert (await raised).participant.identity == "badr"
                assert [each.identity for each in amal.hands] == ["badr"]
                await amal.lower_hand("all")
                await until(lambda: not badr.hands, "the hand is down")
                changed = asyncio.create_task(badr.next(ValueChanged))
                await asyncio.sleep(0)
                await amal.set_value("slide", {"page": 3}, scope="room")
                assert (await changed).value == {"page": 3}
                assert badr.values == {"slide": {"page": 3}}
                with pytest.raises(RequestRefusedError, match="not_allowed"):
                    await badr.lock(Door.LOCKED)
                with pytest.raises(WrongStateError, match="without media"):
                    await badr.publish_camera(640, 360)
        left = amal.next(ParticipantLeft)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await left
        assert not amal.participants


async def test_the_door_and_every_final_end(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school, member(school, "amal") as amal:
        await amal.lock(Door.WAITING)
        knocked = asyncio.create_task(amal.next(Knocked))
        badr = member(school, "badr", role=Role.STUDENT, policy=ReconnectPolicy(wait_again=False))
        coming = asyncio.create_task(badr.connect())
        await amal.admit((await knocked).visitor)
        await coming
        await amal.lock(Door.OPEN)
        await amal.send_back(next(iter(amal.participants)))
        with pytest.raises(SentBackError):
            await badr.wait_closed()
        await amal.lock(Door.LOCKED)
        with pytest.raises(NotAllowedInError, match="room_locked"):
            await member(school, "clara", role=Role.STUDENT).connect()
        await amal.lock(Door.OPEN)

        first = member(school, "dana", role=Role.STUDENT)
        await first.connect()
        second = member(school, "dana", role=Role.STUDENT)
        await second.connect()
        with pytest.raises(ReplacedError):
            await first.wait_closed()
        await amal.remove(next(iter(amal.participants)), reason="enough", ban=True)
        with pytest.raises(RemovedError, match="enough"):
            await second.wait_closed()
        with pytest.raises(NotAllowedInError, match="banned"):
            await member(school, "dana", role=Role.STUDENT).connect()

        other = member(school, "eman", role=Role.STUDENT)
        await other.connect()
        await amal.end_class("see you")
        await other.wait_closed()
        assert isinstance(other.closed, ClassOverError)
        with pytest.raises(WrongStateError, match="closed"):
            await other.send("anybody?")
        await amal.wait_closed()


async def test_tokens_and_addresses_that_lead_nowhere(tmp_path: Path) -> None:
    async with open_school(tmp_path) as school:
        with pytest.raises(NotAllowedInError, match="bad_token"):
            await member(school, "amal", token="nonsense").connect()
        with pytest.raises(NotAllowedInError, match="wrong_room"):
            await member(school, "amal", token=school.token("amal", "physics")).connect()
        old = KeyHolder(school.key.key_id, school.key.secret, "algebra", "amal", lifetime_s=-60)
        with pytest.raises(TokenExpiredError):
            await member(school, "amal", token=await old()).connect()
        url = school.server.url
    with pytest.raises(UnreachableError):
        await Room(url, "algebra", "any").connect()
    started = time.monotonic()
    with pytest.raises(UnreachableError):
        await Room(url, "algebra", "any", policy=ReconnectPolicy(wait_for_server_s=0.5)).connect()
    assert time.monotonic() - started > 0.4
    with pytest.raises(ValueError, match="expected a URL"):
        Room("media.example.org", "algebra", "any")


async def test_pictures_and_sound_arrive_and_a_mute_stops_them(tmp_path: Path) -> None:
    async with (
        open_school(tmp_path) as school,
        member(school, "amal", media=FEW_SLOTS) as amal,
        member(school, "badr", media=FEW_SLOTS) as badr,
        Show(amal, red=200, tone_hz=400) as show,
    ):
        video, audio = (next(each for each in badr.sections if each.kind.value == kind) for kind in ("video", "audio"))
        await until(lambda: all(slot.track for slot in badr.slots), "slots are filled")
        assert await sees_picture(badr.frames(video), red=200)
        assert await hears_tone(badr.frames(audio), tone_hz=400)
        await amal.mute(Source.MICROPHONE)
        await until(
            lambda: any(t.state == "muted" for p in badr.participants.values() for t in p.tracks), "it is muted"
        )
        await amal.mute(Source.MICROPHONE, False)
        await amal.mute_participant(amal.local or "", Source.MICROPHONE)
        microphone = amal.local_track(Source.MICROPHONE)
        assert microphone is not None
        await until(lambda: microphone.muted, "a moderator's mute is noticed")
        await amal.permit(amal.local or "", publish=[Source.MICROPHONE])
        await until(lambda: amal.local_track(Source.CAMERA) is None, "the end of our track is noticed")
        await until(show.done.done, "who shows is told")
        with pytest.raises(HalqaError, match="no slot"):
            await anext(badr.frames("99"))


async def test_a_move_to_another_server_takes_everything_along(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with (
        open_school(tmp_path / "a") as here,
        open_school(tmp_path / "b") as there,
        member(here, "amal", media=FEW_SLOTS) as amal,
        member(there, "badr", media=FEW_SLOTS) as badr,
        Show(amal, red=120, tone_hz=500),
    ):
        await amal.set_value("away", True)
        first = amal.local_track(Source.CAMERA)
        assert first is not None
        assert amal.local is not None
        first_id = first.id
        room = here.server.parts.signaling.find_room(RoomName("algebra"))
        assert room is not None
        with heard(amal, Joined) as joined, heard(amal, Moved) as moved:
            url = there.server.url.replace("http", "ws") + "/v1/rooms/algebra/ws"
            room.move(amal.local.id, url=url, token=there.token("amal", "algebra"))
            await until(lambda: joined == [Joined(again=True)], "amal is in the other room")
        assert moved == [Moved(url)]
        assert await sees_picture(badr.frames(badr.sections[1]), red=120)
        (seen,) = badr.participants.values()
        await until(lambda: next(iter(badr.participants.values())).state, "her own values are back")
        assert (seen.identity, first.id != first_id) == ("amal", True)


async def test_a_file_is_played(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip)
    (tmp_path / "no.mp4").write_text("nothing")
    async with (
        open_school(tmp_path) as school,
        member(school, "amal", media=FEW_SLOTS) as amal,
        member(school, "badr", media=FEW_SLOTS) as badr,
    ):
        with pytest.raises(ValueError, match=r"no.mp4 is no media file"):
            await play_file(amal, tmp_path / "no.mp4")
        frames: list[VideoFrame | AudioFrame] = []

        async def watch() -> None:
            async for frame in badr.frames(badr.sections[1]):
                frames.append(frame)

        watching = asyncio.create_task(watch())
        await play_file(amal, clip)
        await until(lambda: not badr.slots[1].track, "the tracks have ended")
        watching.cancel()
        assert len(frames) >= 8
        last = frames[-1]
        assert isinstance(last, VideoFrame)
        assert abs(float(last.picture[:, :, 0].mean()) - 180) < 15


def write_clip(path: Path) -> None:
    """Write a second of a reddish picture and a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=20)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        audio = container.add_stream("aac", rate=44_100, layout="mono")
        for number in range(20):
            picture = np.full((240, 320, 3), [180, number * 5, 40], np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        tone = np.sin(2 * np.pi * 600 * np.arange(44_100) / 44_100, dtype=np.float32).reshape(1, -1)
        sound = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        sound.sample_rate = 44_100
        container.mux(audio.encode(sound))
        for stream in (video, audio):
            container.mux(stream.encode())
