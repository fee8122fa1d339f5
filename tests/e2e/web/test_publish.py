"""Publishing, muting and unpublishing: what the server hears, what the media end gets, and when devices are let go."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import LOCAL_ID, FakeServer, make_track
from tests.e2e.web.sdk_page import SdkError, SdkPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAMERA_MID = "1"
SCREEN_MID = "2"


@pytest_asyncio.fixture(loop_scope="session")
async def sdk(server: FakeServer, peer: MediaPeer, page: Page) -> SdkPage:
    sdk = SdkPage(page, server)
    await sdk.open()
    await sdk.connect(name="Lina", slots={"audio": 1, "video": 1, "screen": 1})
    await sdk.event("state", "event.state === 'connected'")
    return sdk


async def more_frames(peer: MediaPeer, mid: str) -> None:
    """Return once further frames have come from the page."""
    before = await peer.frames_from(mid)
    async with asyncio.timeout(10):
        while await peer.frames_from(mid) <= before:
            await asyncio.sleep(0.1)


async def test_a_published_camera_is_announced_and_flows(sdk: SdkPage, peer: MediaPeer) -> None:
    track = await sdk.run("const { id, source, muted } = await room.publishCamera(); return { id, source, muted }")
    assert track == {"id": "t-camera", "source": "camera", "muted": False}
    publish = sdk.server.all_heard("publish")[0]
    assert (publish["mid"], publish["source"], publish["width"], publish["height"]) == ("1", "camera", 1280, 720)
    assert await sdk.run("return [...room.local.tracks.keys()]") == ["t-camera"]
    await more_frames(peer, CAMERA_MID)


async def test_a_muted_camera_is_off_and_keeps_its_track(sdk: SdkPage, peer: MediaPeer) -> None:
    await sdk.run("window.first = (await room.publishCamera()).mediaTrack")
    await more_frames(peer, CAMERA_MID)
    await sdk.run("await room.mute('camera', true)")
    assert await sdk.run("return [first.readyState, room.localTrack('camera').mediaTrack]") == ["ended", None]
    assert sdk.server.all_heard("mute")[-1]["muted"] is True
    still = await peer.frames_from(CAMERA_MID)
    await asyncio.sleep(0.5)
    assert await peer.frames_from(CAMERA_MID) <= still + 2  # what was under way

    await sdk.run("await room.mute('camera', false)")
    assert sdk.server.all_heard("mute")[-1] | {"id": 0} == {
        "type": "mute",
        "id": 0,
        "track": "t-camera",
        "muted": False,
    }
    assert await sdk.run("return room.localTrack('camera').mediaTrack.readyState") == "live"
    await more_frames(peer, CAMERA_MID)
    assert len(sdk.server.all_heard("publish")) == 1


async def test_a_muted_microphone_stays_open(sdk: SdkPage) -> None:
    await sdk.run("window.first = (await room.publishMicrophone()).mediaTrack; await room.mute('microphone', true)")
    assert await sdk.run("return [first.readyState, first.enabled]") == ["live", False]
    await sdk.run("await room.mute('microphone', false)")
    assert await sdk.run("return [room.localTrack('microphone').mediaTrack === first, first.enabled]") == [True, True]


async def test_unpublishing_lets_go_and_tells(sdk: SdkPage) -> None:
    await sdk.run("window.first = (await room.publishCamera()).mediaTrack; await room.unpublish('camera')")
    assert sdk.server.all_heard("unpublish")[0]["track"] == "t-camera"
    assert await sdk.run("return [first.readyState, room.localTrack('camera')]") == ["ended", None]
    assert await sdk.run("return room.local.tracks.size") == 0
    await sdk.run("await room.unpublish('camera')")  # nothing is there: nothing is said
    assert len(sdk.server.all_heard("unpublish")) == 1
    await sdk.run("await room.publishCamera()")
    assert len(sdk.server.all_heard("publish")) == 2


async def test_another_device_takes_the_same_track(sdk: SdkPage, peer: MediaPeer) -> None:
    await sdk.run("window.first = (await room.publishCamera()).mediaTrack")
    await sdk.run("const track = await sdk.openCamera(); await room.publishCamera({ track }); window.second = track")
    assert await sdk.run("return [first.readyState, second.readyState]") == ["ended", "live"]
    assert len(sdk.server.all_heard("publish")) == 1
    await more_frames(peer, CAMERA_MID)


async def test_a_refused_publication_lets_the_camera_go(sdk: SdkPage) -> None:
    sdk.server.replies["publish"] = lambda _: {"type": "error", "code": "not_allowed", "message": "no"}
    with pytest.raises(SdkError) as caught:
        await sdk.run("window.track = await sdk.openCamera(); await room.publishCamera({ track })")
    assert caught.value.code == "not_allowed"
    assert await sdk.run("return [track.readyState, room.localTrack('camera')]") == ["ended", None]


async def test_a_refused_unmute_sends_nothing(sdk: SdkPage) -> None:
    await sdk.run("await room.publishMicrophone(); await room.mute('microphone', true)")
    sdk.server.replies["mute"] = lambda _: {"type": "error", "code": "not_allowed", "message": "no"}
    with pytest.raises(SdkError, match="not_allowed"):
        await sdk.run("await room.mute('microphone', false)")
    assert await sdk.run("return room.localTrack('microphone').muted") is True


async def test_quick_presses_happen_in_turn(sdk: SdkPage) -> None:
    await sdk.run("""
        const published = room.publishCamera();
        const presses = [true, false, true, false, true].map((muted) => room.mute('camera', muted));
        await Promise.all([published, ...presses]);
    """)
    assert [message["muted"] for message in sdk.server.all_heard("mute")] == [True, False, True, False, True]
    assert await sdk.run("return room.localTrack('camera').muted") is True


async def test_muting_what_is_not_published(sdk: SdkPage) -> None:
    with pytest.raises(SdkError, match="wrong_state"):
        await sdk.run("await room.mute('camera', true)")


async def test_device_failures_have_codes(sdk: SdkPage) -> None:
    failures = {
        "NotAllowedError": "device_refused",
        "NotFoundError": "device_missing",
        "NotReadableError": "device_busy",
        "TypeError": "device_unsupported",
    }
    for exception, code in failures.items():
        await sdk.run(
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', values.exception) }",
            exception=exception,
        )
        with pytest.raises(SdkError) as caught:
            await sdk.run("await room.publishCamera()")
        assert (caught.value.code, caught.value.source) == (code, "camera")


async def test_a_camera_pulled_out_falls_back_to_another(sdk: SdkPage, peer: MediaPeer) -> None:
    await sdk.run("window.first = (await room.publishCamera()).mediaTrack; first.dispatchEvent(new Event('ended'))")
    assert (await sdk.event("device-changed"))["source"] == "camera"
    assert await sdk.run("return room.localTrack('camera').mediaTrack !== first")
    assert sdk.server.all_heard("mute") == []
    await more_frames(peer, CAMERA_MID)


async def test_the_last_camera_pulled_out_is_muted_and_reported(sdk: SdkPage) -> None:
    await sdk.run("""
        const { mediaTrack } = await room.publishCamera();
        navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotFoundError') };
        mediaTrack.dispatchEvent(new Event('ended'));
    """)
    assert await sdk.event("error") == {"name": "error", "code": "device_lost", "source": "camera"}
    assert (await sdk.server.hears("mute"))["muted"] is True


async def test_devices_are_switched_while_muted_and_while_not(sdk: SdkPage, peer: MediaPeer) -> None:
    await sdk.run("""
        window.first = (await room.publishCamera()).mediaTrack;
        await room.switchDevice('camera', first.getSettings().deviceId);
        window.second = room.localTrack('camera').mediaTrack;
    """)
    assert await sdk.run("return [first.readyState, second.readyState, first !== second]") == ["ended", "live", True]
    await more_frames(peer, CAMERA_MID)
    await sdk.run("await room.publishMicrophone(); await room.mute('microphone', true)")
    await sdk.run("await room.switchDevice('microphone')")
    assert await sdk.run("return room.localTrack('microphone').mediaTrack.enabled") is False
    assert len(sdk.server.all_heard("publish")) == 2
    with pytest.raises(SdkError, match="device_missing"):
        await sdk.run("await room.switchDevice('camera', 'no such device')")
    assert await sdk.run("return second.readyState") == "live"  # as it was


async def test_encodings_are_those_that_the_server_asks_for(sdk: SdkPage) -> None:
    await sdk.run("await room.publishCamera()")
    told = "({ rid, active, maxBitrate }) => [rid, active, maxBitrate]"
    read = f"peers[0].getTransceivers()[1].sender.getParameters().encodings.map({told})"
    # Never more than we would send by ourselves. The media peer of this test takes no simulcast: one encoding is left.
    for wanted, expected in ((90_000, 90_000), (240_000, 150_000)):
        limits = [("q", True, wanted), ("h", True, 400_000), ("f", False, 0)]
        encodings = [{"rid": rid, "active": active, "max_bitrate_bps": limit} for rid, active, limit in limits]
        await sdk.server.send("layers", track="t-camera", encodings=encodings)
        await sdk.server.send("layers", track="t-nobody", encodings=encodings)
        now = f"() => JSON.stringify({read}) === JSON.stringify([['q', true, {expected}]])"
        await sdk.page.wait_for_function(now)


async def test_a_screen_comes_with_its_sound_and_ends_with_it(sdk: SdkPage, peer: MediaPeer) -> None:
    await sdk.run("""
        const canvas = document.createElement('canvas');
        canvas.getContext('2d').fillRect(0, 0, 9, 9);
        const draw = () => canvas.getContext('2d').fillRect(0, 0, Math.random() * 300, 150);
        setInterval(draw, 50);
        const sound = await sdk.openMicrophone();
        navigator.mediaDevices.getDisplayMedia = async () => (
          new MediaStream([canvas.captureStream(15).getVideoTracks()[0], sound]));
        window.screenTrack = (await room.publishScreen({ contentHint: 'text' })).mediaTrack;
    """)
    assert [message["source"] for message in sdk.server.all_heard("publish")] == ["screen", "screen_audio"]
    assert await sdk.run("return screenTrack.contentHint") == "text"
    await more_frames(peer, SCREEN_MID)

    await sdk.run("screenTrack.dispatchEvent(new Event('ended'))")  # "Stop sharing" in the browser's own bar
    await sdk.server.hears("unpublish", lambda message: message["track"] == "t-screen")
    await sdk.server.hears("unpublish", lambda message: message["track"] == "t-screen_audio")
    assert await sdk.events("error") == []


async def test_a_closed_chooser_is_no_failure_of_the_room(sdk: SdkPage) -> None:
    await sdk.run("""
        navigator.mediaDevices.getDisplayMedia = async () => { throw new DOMException('no', 'NotAllowedError') }
    """)
    with pytest.raises(SdkError) as caught:
        await sdk.run("await room.publishScreen()")
    assert caught.value.code == "screen_cancelled"
    assert sdk.server.all_heard("publish") == []


async def test_a_track_ended_by_the_server_is_let_go(sdk: SdkPage) -> None:
    await sdk.run("window.first = (await room.publishCamera()).mediaTrack")
    await sdk.server.send("track", participant=LOCAL_ID, track=make_track("t-camera", "camera", "ended"))
    await sdk.event("local", "event.muted === null")
    assert await sdk.run("return [first.readyState, room.localTrack('camera')]") == ["ended", None]
    assert sdk.server.all_heard("unpublish") == []


async def test_slots_tell_which_media_track_carries_whom(sdk: SdkPage, peer: MediaPeer) -> None:
    mid = sdk.server.slot_mids("video")[0]
    await peer.carry(mid, 3)
    await sdk.server.send("slots", slots=[{"mid": mid, "track": "t1", "participant": "p-omar", "encoding": "h"}])
    changed = await sdk.event("slots", "event.slots.length === 1")
    assert changed["slots"] == [{"mid": mid, "track": "t1", "participant": "p-omar", "encoding": "h", "paused": False}]
    size = await sdk.run("""
        const { mediaTrack } = room.slots.find(({ track }) => track === 't1');
        const video = Object.assign(document.createElement('video'), { muted: true });
        video.srcObject = new MediaStream([mediaTrack]);
        await video.play();
        return [video.videoWidth, video.videoHeight];
    """)
    assert size == [320, 180]


async def test_view_names_slots_by_mid(sdk: SdkPage) -> None:
    await sdk.run("""
        const [video] = room.slots.filter(({ kind }) => kind === 'video');
        await room.view([{ slot: video, track: 't1', height: 360, frameRate: 15 }, { mid: '6', track: null }]);
    """)
    assert sdk.server.all_heard("view")[0]["slots"] == [
        {"mid": "5", "track": "t1", "height": 360, "frame_rate": 15},
        {"mid": "6", "track": None},
    ]


async def test_a_picture_that_rests_is_told_and_goes_on(sdk: SdkPage) -> None:
    mid = sdk.server.slot_mids("video")[0]
    slot = {"mid": mid, "track": "t1", "participant": "p-omar", "encoding": None}
    await sdk.server.send("slots", slots=[{**slot, "paused": True}])
    await sdk.event("slots", "event.slots.length === 1 && event.slots[0].paused")
    await sdk.server.send("slots", slots=[slot])
    await sdk.event("slots", "event.slots.length === 1 && event.slots[0].track && !event.slots[0].paused")


async def test_a_limit_is_asked_for_and_told_and_asked_for_again_by_a_new_participant(sdk: SdkPage) -> None:
    await sdk.run("await room.setLimit('poor')")
    assert sdk.server.all_heard("limit")[0]["level"] == "poor"
    await sdk.event("limit", "event.now === 'poor'")
    await sdk.run("""
        const back = room.next('reconnected');
        room.simulate('server-moved');
        await back;
    """)
    await sdk.server.hears("limit", lambda message: message is not sdk.server.all_heard("limit")[0])
    assert [message["level"] for message in sdk.server.all_heard("limit")] == ["poor", "poor"]
    await sdk.run("await room.setLimit(null)")
    assert await sdk.run("return room.limit") is None
    sdk.server.replies["limit"] = lambda _: {"type": "error", "code": "rate_limited", "message": "no"}
    with pytest.raises(SdkError):
        await sdk.run("await room.setLimit('audio')")
    assert await sdk.run("return room.limit") is None
