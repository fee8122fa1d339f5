"""The class page from link to goodbye: lobby, tiles, toolbar, stage, and every error in words that help."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, expect

from tests.e2e.web.class_page import ClassPage, stub_capture
from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import FakeServer, make_participant, make_token, make_track

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def classroom(server: FakeServer, peer: MediaPeer, page: Page) -> ClassPage:
    return ClassPage(page, server)


async def test_the_lobby_shows_camera_and_level(classroom: ClassPage) -> None:
    await classroom.open()
    page = classroom.page
    await expect(page.get_by_role("heading", name="Join the class")).to_be_visible()
    await expect(page.get_by_label("Camera").locator("option").first).to_have_text(re.compile("fake_device"))
    await page.wait_for_function("() => document.querySelector('#lobby video').videoWidth === 1280")
    await page.wait_for_function("() => Number(document.querySelector('.meter').ariaValueNow) > 10")
    assert classroom.server.heard == []


async def test_devices_can_be_left_off(classroom: ClassPage) -> None:
    await classroom.open()
    page = classroom.page
    for name in ("Microphone", "Camera"):
        button = page.locator("#lobby").get_by_role("button", name=name)
        await expect(button).to_have_attribute("aria-pressed", "true")
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "false")
    await expect(page.get_by_text("The camera is off")).to_be_visible()
    await page.get_by_label("Your name").fill("Lina")
    await page.get_by_role("button", name="Join").click()
    await expect(classroom.control("microphone")).to_have_attribute("aria-pressed", "false")
    assert classroom.server.all_heard("publish") == []

    await classroom.control("microphone").click()  # asked for later, it is opened and published
    assert (await classroom.server.hears("publish"))["source"] == "microphone"
    await expect(classroom.control("microphone")).to_have_attribute("aria-pressed", "true")


async def test_a_name_is_asked_for_unless_the_token_has_one(classroom: ClassPage) -> None:
    await classroom.open()
    await classroom.page.get_by_role("button", name="Join").click()
    await expect(classroom.page.get_by_label("Your name")).to_be_focused()
    await classroom.page.goto("about:blank")
    await classroom.open(make_token(name="ليلى"))
    await expect(classroom.page.get_by_label("Your name")).to_be_hidden()
    await classroom.page.get_by_role("button", name="Join").click()
    assert (await classroom.server.hears("join"))["name"] == "ليلى"


async def test_the_token_leaves_the_address_bar_and_survives_a_reload(classroom: ClassPage) -> None:
    await classroom.open()
    await expect(classroom.page.get_by_role("heading", name="Join the class")).to_be_visible()
    assert classroom.page.url == f"{classroom.server.origin}/class"
    await classroom.page.reload()
    await expect(classroom.page.get_by_role("heading", name="Join the class")).to_be_visible()


async def test_an_incomplete_link_is_explained(classroom: ClassPage) -> None:
    await classroom.page.goto(f"{classroom.server.origin}/class#room=algebra")
    await expect(classroom.page.get_by_role("heading", name="This link is incomplete")).to_be_visible()
    await expect(classroom.page.get_by_role("button", name="Join again")).to_be_hidden()


async def test_only_what_the_token_allows_is_offered(classroom: ClassPage) -> None:
    classroom.server.permissions["publish"] = ["microphone"]
    await classroom.open(make_token(publish=["microphone"]))
    page = classroom.page
    await expect(page.get_by_role("combobox", name="Microphone")).to_be_visible()
    await expect(page.get_by_role("combobox", name="Camera")).to_be_hidden()
    await expect(page.get_by_role("button", name="Camera")).to_be_hidden()
    await page.get_by_label("Your name").fill("Lina")
    await page.get_by_role("button", name="Join").click()
    await expect(classroom.control("microphone")).to_be_visible()
    await expect(classroom.control("camera")).to_be_hidden()
    await expect(classroom.control("screen")).to_be_hidden()


async def test_people_get_tiles_with_names_marks_and_pictures(classroom: ClassPage, peer: MediaPeer) -> None:
    server, page = classroom.server, classroom.page
    omar = make_participant("p-omar", "Omar", make_track("t1", "camera"), make_track("t2", "microphone", "muted"))
    server.participants = [omar]
    await classroom.join()
    await expect(classroom.tile("Lina (you)").locator("video.flowing")).to_be_visible()
    await expect(classroom.tile("Omar")).to_contain_text("microphone off")
    await expect(page.locator("#count")).to_contain_text("2 people in the class")
    await expect(page.get_by_role("status")).to_have_text("Connected")

    await expect(classroom.tile("Omar").locator("video")).to_have_count(0)
    await classroom.fill_slot(peer, "video", "p-omar", "t1")
    await expect(classroom.tile("Omar").locator("video.flowing")).to_be_visible()
    await server.send("track", participant="p-omar", track=make_track("t2", "microphone"))
    await expect(classroom.tile("Omar")).not_to_contain_text("microphone off")
    await server.send("track", participant="p-omar", track=make_track("t1", "camera", "muted"))
    await expect(classroom.tile("Omar").locator("video")).to_have_count(0)

    await server.send("participant", participant=make_participant("p-salma", "Salma"))
    await expect(page.locator("#announcer")).to_have_text("Salma joined")
    await expect(classroom.tile("Salma")).to_be_visible()
    await server.send("left", participant="p-omar", reason="left")
    await expect(page.locator("#announcer")).to_have_text("Omar left")
    await expect(classroom.tile("Omar")).to_have_count(0)
    await expect(page.locator("#count")).to_contain_text("2 people in the class")


async def test_keys_turn_microphone_and_camera_off_and_on(classroom: ClassPage) -> None:
    await classroom.join()
    for key, name in (("m", "microphone"), ("v", "camera")):
        await classroom.page.keyboard.press(key)
        await expect(classroom.control(name)).to_have_attribute("aria-pressed", "false")
        assert (await classroom.server.hears("mute"))["muted"] is True
        await classroom.page.keyboard.press(key.upper())
        await expect(classroom.control(name)).to_have_attribute("aria-pressed", "true")
        await classroom.server.hears("mute", lambda message: not message["muted"])
    await expect(classroom.tile("Lina (you)").locator("video.flowing")).to_be_visible()


async def test_keys_work_on_an_arabic_keyboard(classroom: ClassPage) -> None:
    await classroom.join()
    event = "{ key: 'ة', code: 'KeyM', bubbles: true }"
    await classroom.page.evaluate(f"() => document.body.dispatchEvent(new KeyboardEvent('keydown', {event}))")
    assert (await classroom.server.hears("mute"))["track"] == "t-microphone"


async def test_a_shared_screen_takes_the_stage(classroom: ClassPage, peer: MediaPeer) -> None:
    server, page = classroom.server, classroom.page
    server.participants = [make_participant("p-omar", "Omar")]
    await classroom.join()
    await classroom.share_screen(peer, "p-omar")
    stage = page.get_by_role("list", name="Shared screen")
    await expect(stage.locator("video.flowing")).to_be_visible()
    await expect(stage).to_contain_text("Omar's screen")
    await expect(page.locator("#announcer")).to_have_text("Omar shares a screen")
    mid = server.slot_mids("screen")[0]
    await server.hears("view", lambda message: any(s["mid"] == mid and s["height"] == 630 for s in message["slots"]))

    await server.send("track", participant="p-omar", track=make_track("t-stage", "screen", "ended"))
    await server.send("slots", slots=[{"mid": mid, "track": None, "participant": None, "encoding": None}])
    await expect(stage).to_be_hidden()


async def test_sharing_the_own_screen(classroom: ClassPage) -> None:
    await classroom.page.add_init_script("""
        MediaDevices.prototype.getDisplayMedia = async () => {
          const canvas = document.createElement('canvas');
          canvas.getContext('2d');
          return window.shared = canvas.captureStream(5);
        };
    """)
    await classroom.join()
    await classroom.page.keyboard.press("s")
    await expect(classroom.control("screen")).to_have_attribute("aria-pressed", "true")
    assert (await classroom.server.hears("publish"))["source"] == "screen"
    await classroom.page.evaluate("() => shared.getTracks()[0].dispatchEvent(new Event('ended'))")
    await expect(classroom.control("screen")).to_have_attribute("aria-pressed", "false")
    await classroom.server.hears("unpublish")


async def test_layers_are_asked_for_by_the_size_of_tiles(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    omar = make_participant("p-omar", "Omar", make_track("t1", "camera"))
    server.participants = [omar]
    await classroom.join()
    first = await server.hears("view")
    video = server.slot_mids("video")
    heights = {slot["height"] for slot in first["slots"] if slot["mid"] in video}
    assert heights == {360}  # two tiles beside each other in 1280 x 720
    assert {slot["track"] for slot in first["slots"]} == {"auto"}

    await page.set_viewport_size({"width": 500, "height": 600})
    small = await server.hears("view", lambda message: message["slots"][0]["height"] == 270)
    assert len(small["slots"]) == len(video)  # the screen slot is as it was, and not named
    await page.set_viewport_size({"width": 501, "height": 601})
    await page.wait_for_timeout(600)
    assert server.all_heard("view")[-1] == small  # a pixel more is no reason to ask


@pytest.mark.parametrize(
    ("exception", "words"),
    [
        ("NotAllowedError", "does not allow camera and microphone"),
        ("NotReadableError", "Another program is using"),
    ],
)
async def test_device_errors_say_what_to_do_and_do_not_block(classroom: ClassPage, exception: str, words: str) -> None:
    page = classroom.page
    await stub_capture(page, exception)
    await classroom.open()
    await expect(classroom.notice).to_contain_text(words)
    await expect(classroom.notice.get_by_role("button", name="Try again")).to_be_visible()
    await classroom.notice.get_by_role("button", name="Close this message").click()
    await expect(classroom.notice).to_be_hidden()
    await page.get_by_label("Your name").fill("Lina")
    await page.get_by_role("button", name="Join").click()
    await expect(page.locator("#classroom")).to_be_visible()
    await page.keyboard.press("v")
    await expect(classroom.notice).to_be_visible()
    await expect(classroom.control("camera")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "token_expired", "Your link has expired"),
        (500, "no_such_code", "tell your teacher this word"),
    ],
)
async def test_a_shut_door_is_explained_and_can_be_tried_again(
    classroom: ClassPage, status: int, code: str, words: str
) -> None:
    server, page = classroom.server, classroom.page
    server.refusal = web.json_response({"error": {"code": code, "message": "no"}}, status=status)
    await classroom.open()
    await page.get_by_label("Your name").fill("Lina")
    await page.get_by_role("button", name="Join").click()
    await expect(classroom.notice).to_contain_text(words)
    server.refusal = None
    await classroom.notice.get_by_role("button", name="Try again").click()
    await expect(page.locator("#classroom")).to_be_visible()
    await expect(classroom.notice).to_be_hidden()


async def test_no_server_is_explained(classroom: ClassPage) -> None:
    await classroom.open()
    await classroom.page.get_by_label("Your name").fill("Lina")
    await classroom.server.stop()
    await classroom.page.get_by_role("button", name="Join").click()
    await expect(classroom.notice).to_contain_text("The server does not answer")


@pytest.mark.parametrize(
    ("close_code", "heading"),
    [
        (4004, "You joined from somewhere else"),
        (4011, "The class is over"),
    ],
)
async def test_the_end_has_its_reason_and_a_way_back(classroom: ClassPage, close_code: int, heading: str) -> None:
    page = classroom.page
    await classroom.join()
    await classroom.server.close(close_code)
    await expect(page.get_by_role("heading", name=heading)).to_be_focused()
    await expect(page.locator("#classroom")).to_be_hidden()
    await page.get_by_role("button", name="Join again").click()
    await expect(page.get_by_role("heading", name="Join the class")).to_be_visible()
    await page.get_by_role("button", name="Join").click()
    await expect(classroom.tile("Lina (you)")).to_have_count(1)


async def test_leaving(classroom: ClassPage) -> None:
    await classroom.join()
    await classroom.control("leave").click()
    await expect(classroom.page.get_by_role("heading", name="You have left the class")).to_be_visible()
    await classroom.server.hears("leave")


async def test_closing_the_tab_leaves(classroom: ClassPage) -> None:
    await classroom.join()
    await classroom.page.goto("about:blank")
    await classroom.server.hears("leave")


async def test_blocked_sound_gets_a_button(classroom: ClassPage) -> None:
    page = classroom.page
    await page.add_init_script("""
        const play = HTMLMediaElement.prototype.play;
        let pressed = false;
        window.addEventListener('click', ({ target }) => { pressed ||= target.closest('.unblock') !== null; }, true);
        HTMLAudioElement.prototype.play = function () {
          return pressed ? play.call(this) : Promise.reject(new DOMException('no', 'NotAllowedError'));
        };
    """)
    await classroom.join()
    button = page.get_by_role("button", name="Turn the sound on")
    await button.click()
    await expect(button).to_be_hidden()
