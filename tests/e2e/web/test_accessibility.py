"""Names, roles, order of focus, direction of writing: what people without a mouse, a screen or English rely on."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from signaling.web.pages import FOLDER
from tests.e2e.web.class_page import ClassPage
from tests.e2e.web.conftest import MediaPeer
from tests.e2e.web.fake_server import FakeServer, make_participant, make_track

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOOLBAR = ("microphone", "camera", "screen", "hand", "chat", "leave")
# Keys that the page makes of a word of the SDK: how they begin, and the type of the word.
BUILT_KEYS = (
    *(("state", "RoomState"), ("quality", "Quality"), ("recording", "Recording")),
    *(("manage.door", "Door"), ("class.muted", "Source")),
)
NEVER_SAID = {"state.new", "quality.excellent", "quality.good", "recording.off"}
ARABIC = re.compile("[\u0600-\u06ff]")


@pytest_asyncio.fixture(loop_scope="session")
async def classroom(server: FakeServer, peer: MediaPeer, page: Page) -> ClassPage:
    return ClassPage(page, server)


async def controls(page: Page) -> list[dict[str, str]]:
    """Return role and accessible name of every control in sight, as assistive technology gets them."""
    snapshot = await page.locator("body").aria_snapshot()
    found = re.findall(r'- (button|textbox|combobox|meter)(?: "([^"]*)")?', snapshot)
    return [{"role": role, "name": name} for role, name in found]


async def tab_through(page: Page, steps: int) -> list[str]:
    """Return the names of what Tab reaches, from where the focus is."""
    names = []
    for _ in range(steps):
        await page.keyboard.press("Tab")
        names.append(await page.evaluate("() => document.activeElement.name || document.activeElement.id"))
    return names


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_every_control_has_a_name_in_the_language_of_the_page(classroom: ClassPage, language: str) -> None:
    await classroom.open(lang=language)
    await expect(classroom.page.locator("#lobby .switches [name=camera]")).to_have_attribute("aria-pressed", "true")
    lobby = await controls(classroom.page)
    assert len(lobby) == 8  # language, two switches, name, two lists, meter, join
    await classroom.join(lang=language)
    room = await controls(classroom.page)
    assert (
        len(room) == 10
    )  # manage, picture, language, menu of the own tile, microphone, camera, screen, hand, chat, leave
    switch_name = {"en": "العربية", "ar": "English"}[language]
    for control in lobby + room:
        assert control["name"], f"nameless: {control}"
        is_arabic = ARABIC.search(control["name"]) is not None
        assert is_arabic == (language == "ar") or control["name"] == switch_name


async def test_tab_goes_from_top_to_bottom(classroom: ClassPage) -> None:
    page = classroom.page
    await classroom.join()  # which puts the focus on the class
    assert await tab_through(page, 7) == ["", "microphone", "camera", "screen", "hand", "chat", "leave"]
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You have left the class")).to_be_focused()
    await tab_through(page, 1)
    await page.keyboard.press("Enter")
    await page.locator("#language").focus()
    assert await tab_through(page, 5) == ["microphone", "camera", "name", "camera", "microphone"]


async def test_focus_can_be_seen(classroom: ClassPage) -> None:
    await classroom.join()
    await tab_through(classroom.page, 2)
    outline = await classroom.page.evaluate("() => getComputedStyle(document.activeElement).outline")
    assert "solid 3px" in outline


async def test_switches_say_their_state_and_key(classroom: ClassPage) -> None:
    await classroom.join()
    for name, key in (("microphone", "M"), ("camera", "V"), ("screen", "S")):
        control = classroom.control(name)
        await expect(control).to_have_attribute("aria-keyshortcuts", key)
        await expect(control).to_have_attribute("title", re.compile(rf"\({key}\)$"))
        await expect(control).to_have_attribute("aria-pressed", str(name != "screen").lower())


async def test_landmarks_and_live_regions(classroom: ClassPage) -> None:
    classroom.server.participants = [make_participant("p-omar", "Omar", make_track("t1", "microphone", "muted"))]
    await classroom.join()
    page = classroom.page
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("banner")).to_have_count(1)
    await expect(page.get_by_role("status")).to_have_text("Connected")
    people = page.get_by_role("list", name="People").get_by_role("listitem")
    assert await people.all_inner_texts() == ["L\n\nLina (you)", "O\n\nOmar\n, microphone off"]
    await expect(page.locator("#announcer")).to_have_attribute("aria-live", "polite")


async def test_arabic_runs_from_right_to_left(classroom: ClassPage) -> None:
    page = classroom.page
    await classroom.join(name="لينا", lang="ar")
    assert await page.evaluate("() => [document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    order = [await classroom.control(name).bounding_box() for name in TOOLBAR]
    assert all(left["x"] > right["x"] for left, right in pairwise(box for box in order if box))
    await expect(page.get_by_role("status")).to_have_text("متصل")
    await expect(classroom.tile("لينا")).to_contain_text("(أنت)")


async def test_the_language_can_be_changed_and_is_remembered(classroom: ClassPage) -> None:
    page = classroom.page
    await classroom.open()
    switch = page.locator("#language")
    await expect(switch).to_have_attribute("lang", "ar")
    await switch.click()
    await expect(page.get_by_role("heading", name="الانضمام إلى الحصة")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="الانضمام إلى الحصة")).to_be_visible()
    await page.locator("#language").click()
    await expect(page.locator("html")).to_have_attribute("dir", "ltr")


@pytest.mark.parametrize(("language", "width"), [("ar", 320), ("en", 390)])
async def test_phones_need_no_sideways_scrolling(
    classroom: ClassPage, peer: MediaPeer, language: str, width: int
) -> None:
    page = classroom.page
    classroom.server.participants = [make_participant(f"p{i}", f"A rather long name {i}") for i in range(7)]
    await page.set_viewport_size({"width": width, "height": 640})
    await classroom.join(name="Lina", lang=language)
    await classroom.share_screen(peer, "p1")
    await expect(page.locator(".stage video.flowing")).to_be_visible()
    assert await page.evaluate("() => document.documentElement.scrollWidth") == width
    for name in TOOLBAR:
        box = await classroom.control(name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 640
        assert min(box["width"], box["height"]) >= 44  # for fingers (WCAG 2.5.5)


async def test_nothing_breaks_the_content_policy(classroom: ClassPage, peer: MediaPeer) -> None:
    page = classroom.page
    await page.add_init_script(
        "window.violations = [];"
        "addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));"
    )
    requested: set[str] = set()
    page.on("request", lambda request: requested.add(request.url.split("/")[2]))
    classroom.server.participants = [make_participant("p-omar", "Omar", make_track("t1", "camera"))]
    await classroom.join()
    await classroom.fill_slot(peer, "video", "p-omar", "t1")
    await expect(classroom.tile("Omar").locator("video.flowing")).to_be_visible()
    assert await page.evaluate("() => violations") == []
    assert requested == {classroom.server.origin.removeprefix("http://")}


async def test_both_languages_say_the_same_things() -> None:
    english, arabic = (json.loads((FOLDER / "page" / f"strings.{name}.json").read_text()) for name in ("en", "ar"))
    assert english.keys() == arabic.keys()
    for key, text in english.items():
        places = set(re.findall(r"\{\w+\}", json.dumps(text)))
        assert places == set(re.findall(r"\{\w+\}", json.dumps(arabic[key]))), key
    assert arabic["class.count"].keys() == {"zero", "one", "two", "few", "many", "other"}


async def test_every_text_that_the_page_uses_is_there() -> None:
    strings = json.loads((FOLDER / "page" / "strings.en.json").read_text())
    used = set(re.findall(r'data-(?:text|label)="([^"]+)"', (FOLDER / "class.html").read_text()))
    for script in (FOLDER / "page").glob("*.js"):
        used |= set(re.findall(r"(?:text|announce|tell|#say|#choice)\('([\w.]+)'", script.read_text()))
    types = (FOLDER / "halqa" / "types.js").read_text()
    for begin, name in BUILT_KEYS:
        choices = re.search(rf"@typedef \{{('[^}}]*)\}} {name}\b", types)
        assert choices is not None, name
        used |= {f"{begin}.{choice}" for choice in re.findall(r"'([\w]+)'", choices.group(1))}
    assert used - strings.keys() - NEVER_SAID == set()
