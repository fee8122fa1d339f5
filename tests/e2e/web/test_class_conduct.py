"""The class page beyond pictures: waiting room, hands, chat, moderation, questions, and a network that fails."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.web.class_page import ClassPage
from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import LOCAL_ID, FakeServer, make_participant, make_track

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def classroom(server: FakeServer, peer: MediaPeer, page: Page) -> ClassPage:
    server.participants = [make_participant("p-omar", "Omar", make_track("t2", "microphone"))]
    return ClassPage(page, server)


async def test_the_waiting_room_and_what_was_said_at_its_door(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    server.replies["join"] = lambda _: {"type": "waiting", "participant": LOCAL_ID}
    await classroom.open()
    await page.get_by_label("Your name").fill("Lina")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("heading", name="The teacher will let you in soon")).to_be_focused()
    await server.send("ended", reason="removed", message="الحصة ممتلئة")
    await server.close(4006)
    await expect(page.get_by_role("heading", name="You were put out of the class")).to_be_focused()
    await expect(page.locator("#ended .said")).to_have_text("الحصة ممتلئة")
    await expect(page.locator("#ended .said")).to_have_attribute("dir", "auto")


async def test_hands_have_an_order(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    server.room = {"hands": ["p-omar"]}
    await classroom.join()
    await expect(classroom.tile("Omar")).to_contain_text("hand raised, number 1")
    await page.keyboard.press("h")
    assert (await server.hears("hand"))["raised"] is True
    await server.send("hands", raised=[LOCAL_ID])
    await expect(classroom.control("hand")).to_have_text("Hand up: 2")
    await server.send("hands", lowered=["p-omar"])
    await expect(classroom.control("hand")).to_have_text("Hand up: 1")
    await expect(classroom.tile("Omar")).not_to_contain_text("hand raised")
    await classroom.control("hand").click()
    await server.hears("hand", lambda message: not message["raised"])


async def test_chat_by_keyboard(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    await classroom.join()
    await server.send("message", topic="chat", body="هل هذا واجب؟ Task 3", participant="p-omar")
    await expect(page.locator("#announcer")).to_contain_text("Omar writes: ")
    await expect(classroom.control("chat")).to_have_attribute("title", "Chat: 1 new message (C)")
    await page.keyboard.press("c")
    log = page.get_by_role("log", name="Messages")
    await expect(log.get_by_text("Task 3")).to_have_attribute("dir", "auto")
    await expect(page.get_by_label("Your message")).to_be_focused()
    await page.keyboard.type("No, c m v are letters here")
    await page.locator("#chat select").select_option("Teachers only")
    await page.get_by_label("Your message").press("Enter")
    sent = await server.hears("send")
    assert (sent["topic"], sent["to"]) == ("chat", {"roles": ["teacher", "assistant"]})
    await server.send("message", topic="chat", body=sent["body"], participant=LOCAL_ID, to=sent["to"])
    await expect(log.locator(".own")).to_contain_text("(not to everybody)")

    server.replies["send"] = lambda _: {"type": "error", "code": "rate_limited", "message": "no"}
    await page.keyboard.type("again")
    await page.keyboard.press("Enter")
    await expect(page.locator("#chat [role=alert]")).to_contain_text("too fast")
    await expect(page.get_by_label("Your message")).to_have_value("again")
    await page.keyboard.press("Escape")
    await expect(classroom.control("chat")).to_be_focused()
    await expect(log).to_be_hidden()


async def test_script_in_the_chat_is_text(classroom: ClassPage) -> None:
    await classroom.join()
    await classroom.page.keyboard.press("c")
    body = "<img src=x onerror=alert(1)><b>bold</b>"
    await classroom.server.send("message", topic="chat", body=body, participant="p-omar")
    await expect(classroom.page.get_by_role("log")).to_contain_text(body)
    assert await classroom.page.locator("#chat img, #chat b").count() == 0


async def test_a_moderator_has_a_menu_for_each_and_for_all(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    await classroom.join()
    person = page.get_by_role("button", name="Manage Omar")
    await person.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Mute", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    assert await server.hears("mute_participant", lambda message: message["participant"] == "p-omar")
    await expect(person).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("button", name="Show large for all")).to_be_focused()
    await page.keyboard.press("Enter")
    assert (await server.hears("spotlight"))["participants"] == ["p-omar"]
    await server.send("room", door="open", spotlight=["p-omar"])
    stage = page.get_by_role("list", name="Shared screen")
    await expect(stage).to_contain_text("in the spotlight")

    manage = page.get_by_role("button", name="Manage the class")
    await manage.click()
    await page.get_by_role("button", name="Waiting room").click()
    assert (await server.hears("lock"))["door"] == "waiting"
    await manage.click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Mute all")).to_be_hidden()


async def test_students_have_no_menus(classroom: ClassPage) -> None:
    classroom.server.permissions["moderate"] = False
    await classroom.join()
    await expect(classroom.page.get_by_role("button", name="Manage")).to_have_count(0)
    await classroom.server.send(
        "permissions", participant=LOCAL_ID, permissions={**classroom.server.permissions, "moderate": True}
    )
    await expect(classroom.page.get_by_role("button", name="Manage Omar")).to_be_visible()


async def test_visitors_are_let_in_or_refused(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    server.room = {"waiting": [{"id": "v1", "identity": "v1", "name": "Dana", "role": "student"}]}
    await classroom.join()
    await server.send("knock", participant={"id": "v2", "identity": "v2", "name": "Badr", "role": "student"})
    await expect(page.locator("#announcer")).to_have_text("Badr waits to come in")
    await page.get_by_role("button", name="Let Dana in").click()
    assert (await server.hears("admit"))["participant"] == "v1"
    await page.get_by_role("button", name="Refuse Badr").click()
    assert (await server.hears("remove"))["participant"] == "v2"
    for visitor, outcome in (("v1", "admitted"), ("v2", "refused")):
        await server.send("knock_over", participant=visitor, outcome=outcome)
    await expect(page.get_by_role("region", name="Waiting to come in")).to_be_hidden()


async def test_asked_to_unmute(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    await classroom.join()
    await expect(classroom.control("microphone")).to_have_attribute("aria-pressed", "true")  # else "m" switches it on
    await page.keyboard.press("m")
    await server.hears("mute", lambda message: message["muted"])
    await server.send("asked", source="microphone", participant="p-omar")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Omar asks you to turn your microphone on.")
    await expect(dialog.get_by_role("button", name="Not now")).to_be_focused()
    await dialog.get_by_role("button", name="Turn it on").click()
    await server.hears("mute", lambda message: not message["muted"])
    await expect(dialog).to_be_hidden()


async def test_muted_by_the_teacher(classroom: ClassPage) -> None:
    await classroom.join()
    await classroom.server.hears("publish", lambda message: message["source"] == "microphone")
    await classroom.server.send("track", participant=LOCAL_ID, track=make_track("t-microphone", "microphone", "muted"))
    await expect(classroom.notice).to_contain_text("The teacher turned your microphone off")
    await expect(classroom.control("microphone")).to_have_attribute("aria-pressed", "false")


async def test_marks_for_weak_connections_recording_and_speech(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    await classroom.join()
    await server.send("quality", participants=[{"participant": "p-omar", "level": "poor"}])
    await expect(classroom.tile("Omar")).to_contain_text("weak connection")
    await server.send("presence", participant="p-omar", suspended=True)
    await expect(classroom.tile("Omar")).to_contain_text("connection interrupted")
    await server.send("speakers", speakers=[{"participant": "p-omar", "track": "t2", "level": 0.4}])
    await expect(page.locator(".tile.speaking")).to_contain_text("Omar")
    await server.send("recording", state="active")
    await expect(page.locator("#recording")).to_have_text("Recording")
    await server.send("recording", state="off")
    await expect(page.locator("#recording")).to_be_hidden()


async def test_a_lost_connection_is_said_and_over_again(classroom: ClassPage) -> None:
    await classroom.join()
    await classroom.page.evaluate("() => halqaRoom.simulate('signal-lost', { seconds: 2 })")
    strip = classroom.page.locator("#reconnecting")
    await expect(strip).to_have_text("The connection was lost. It is being brought back…")
    await expect(strip).to_be_hidden()
    await expect(classroom.page.locator("#announcer")).to_have_text("The connection is back")
    await expect(classroom.tile("Lina (you)").locator("video.flowing")).to_be_visible()


async def test_a_reload_goes_straight_back_in(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    await classroom.join()
    await expect(classroom.control("microphone")).to_have_attribute("aria-pressed", "true")  # else "m" switches it on
    await page.keyboard.press("m")
    await server.hears("mute", lambda message: message["muted"])
    server.heard.clear()
    await page.reload()
    await expect(page.locator("#classroom")).to_be_visible()
    assert (await server.hears("join"))["name"] == "Lina"
    assert (await server.hears("publish"))["source"] == "camera"
    await expect(classroom.control("camera")).to_have_attribute("aria-pressed", "true")
    await expect(classroom.control("microphone")).to_have_attribute("aria-pressed", "false")
    await classroom.control("leave").click()
    await page.reload()
    await expect(page.get_by_role("heading", name="Join the class")).to_be_visible()


async def test_less_of_the_pictures_by_keyboard_and_in_the_next_class_too(classroom: ClassPage) -> None:
    server, page = classroom.server, classroom.page
    await classroom.join()
    button = page.get_by_role("button", name="Picture quality", exact=True)
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="As good as the network allows")).to_be_focused()
    for _ in range(2):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert (await server.hears("limit"))["level"] == "poor"
    await expect(button).to_be_focused()
    await expect(button).to_have_attribute("title", "Data saver")
    await button.click()
    await expect(page.get_by_role("button", name="Data saver", pressed=True)).to_be_focused()
    await page.keyboard.press("Escape")
    await page.reload()
    await server.hears("limit", lambda message: message is not server.all_heard("limit")[0])
    await expect(button).to_have_attribute("title", "Data saver")


async def test_a_picture_that_rests_says_why(classroom: ClassPage, peer: MediaPeer) -> None:
    server, page = classroom.server, classroom.page
    server.participants = [make_participant("p-omar", "Omar", make_track("t1", "camera"))]
    await classroom.join()
    await classroom.fill_slot(peer, "video", "p-omar", "t1")
    video = classroom.tile("Omar").locator("video")
    await expect(video).to_be_visible()
    resting = {"mid": server.slot_mids("video")[0], "track": "t1", "participant": "p-omar", "encoding": None}
    await server.send("slots", slots=[{**resting, "paused": True}])
    await expect(classroom.tile("Omar").locator(".rest")).to_have_text("picture paused: the network is too slow")
    await expect(classroom.tile("Omar").locator(".label")).to_contain_text("picture paused")
    await expect(video).to_be_hidden()
    await page.evaluate("() => halqaRoom.setLimit('audio')")
    await expect(classroom.tile("Omar").locator(".rest")).to_have_text("picture off to save data")
    await page.locator("#language").click()
    await expect(classroom.tile("Omar").locator(".rest")).to_have_text("الصورة متوقفة لتوفير البيانات")
    await server.send("slots", slots=[resting])
    await expect(classroom.tile("Omar").locator(".rest")).to_be_hidden()
    await expect(video).to_be_visible()
