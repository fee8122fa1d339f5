"""The school's page as teachers, students and guardians use it: real browser, real LMS, real media server."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from lms.access.roles import Role
from lms.web.pages import FOLDER
from tests.support.school_page import SchoolPage, running_school_page

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(150)]

LONG_MS = 30_000.0  # on a machine that is busy with other things
TABS = 10
ARABIC = re.compile("[\u0600-\u06ff]")


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Wait for longer than Playwright does by itself."""
    expect.set_options(timeout=LONG_MS)
    yield
    expect.set_options(timeout=5_000.0)


@pytest_asyncio.fixture(loop_scope="session")
async def pages(browser: Browser, tmp_path: Path) -> AsyncIterator[SchoolPage]:
    async with running_school_page(browser, tmp_path) as running:
        yield running


async def lobby_of(page: Page, press: str) -> Page:
    """Press a button that opens a class, and return the tab that comes."""
    async with page.expect_popup() as opened:
        await page.get_by_role("button", name=press).click()
    tab = await opened.value
    await expect(tab.locator("#lobby .switches [name=camera]")).to_have_attribute(
        "aria-pressed", "true", timeout=LONG_MS
    )
    return tab


async def test_a_class_from_log_in_to_its_end(pages: SchoolPage) -> None:
    teacher = await pages.person(Role.TEACHER, "Sarah")
    student = await pages.person(Role.STUDENT, "Lina")
    pages.school.people[Role.TEACHER] = teacher
    await pages.plan("Algebra", student)

    at_teacher = await pages.enter(teacher)
    at_student = await pages.enter(student)
    await expect(at_student.get_by_role("article", name="Algebra")).to_contain_text("Begins soon")
    await expect(at_student.get_by_role("button", name="Join")).to_have_count(0)

    class_of_teacher = await lobby_of(at_teacher, "Start class: Algebra")
    assert "token" not in class_of_teacher.url
    await expect(class_of_teacher.locator("#room-name")).to_have_text("Algebra")
    await class_of_teacher.get_by_role("button", name="Join").click()
    await expect(class_of_teacher.get_by_role("status")).to_have_text("Connected")

    await expect(at_teacher.get_by_role("article", name="Algebra")).to_contain_text("On now")
    await at_student.bring_to_front()
    class_of_student = await lobby_of(at_student, "Join: Algebra")
    await class_of_student.get_by_role("button", name="Join").click()
    picture = class_of_student.locator(".grid .tile", has_text="Sarah").locator("video.flowing")
    await expect(picture).to_be_visible(timeout=LONG_MS)
    await class_of_student.wait_for_function(
        "(video) => video.getVideoPlaybackQuality().totalVideoFrames > 3", arg=await picture.element_handle()
    )

    await at_teacher.bring_to_front()
    await at_teacher.get_by_role("button", name="Attendance: Algebra").click()
    row = at_teacher.get_by_role("dialog").get_by_role("row", name="Lina")
    await expect(row).to_contain_text("In class now")
    await at_teacher.keyboard.press("Escape")

    await at_teacher.get_by_role("button", name="End class: Algebra").click()
    await at_teacher.get_by_role("dialog").get_by_role("button", name="End class").click()
    await expect(class_of_student.locator("#ended")).to_be_visible(timeout=LONG_MS)
    await expect(at_teacher.get_by_role("article", name="Algebra")).not_to_contain_text("On now")


async def test_a_wrong_password_and_a_slow_down_are_explained(pages: SchoolPage) -> None:
    student = await pages.person(Role.STUDENT, "Lina")
    page = await pages.open()
    await page.locator("#login [type=submit]").click()
    await expect(page.get_by_role("alert")).to_contain_text("Fill in your code")
    await pages.log_in(page, student, "not this one")
    await expect(page.get_by_role("alert")).to_contain_text("Code or password is wrong")
    await expect(page.locator("#login [name=password]")).to_be_focused()

    async def slow_down(route: object) -> None:
        refusal = {
            "success": False,
            "data": None,
            "meta": {},
            "error": {"code": "rate_limited", "message": "", "details": {}},
        }
        await route.fulfill(status=429, headers={"Retry-After": "2"}, json=refusal)  # type: ignore[attr-defined]

    await page.route("**/auth/login", slow_down)
    await page.locator("#login [type=submit]").click()
    await expect(page.get_by_role("alert")).to_contain_text("Too many tries")
    await expect(page.locator("#login [type=submit]")).to_be_disabled()
    await expect(page.locator("#login [type=submit]")).to_be_enabled(timeout=LONG_MS)
    await page.unroute("**/auth/login")
    await pages.log_in(page, student)
    await expect(page.get_by_role("heading", name="Today")).to_be_focused()
    await expect(page.get_by_text("No classes today.")).to_be_visible()


async def test_the_school_is_asked_for_where_there_are_several(pages: SchoolPage) -> None:
    student = await pages.person(Role.STUDENT, "Lina")
    page = await pages.open()
    await page.get_by_label("Code or e-mail address").fill(student.code)
    await page.get_by_role("textbox", name="Password").fill("a horse of another colour")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("School")).to_be_focused()
    await page.keyboard.type("al-noor")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Today")).to_be_visible()


async def test_a_forgotten_password_is_set_anew_by_the_link_of_a_mail(pages: SchoolPage) -> None:
    student = await pages.person(Role.STUDENT, "Lina", email="lina@example.org")
    page = await pages.open()
    await page.evaluate("() => document.querySelector('.organization').hidden = false")
    await page.get_by_role("button", name="Forgot your password?").click()
    await expect(page.get_by_role("alert")).to_contain_text("Fill in your code")
    await page.get_by_label("Code or e-mail address").fill(student.code)
    await page.get_by_label("School").fill("al-noor")
    await page.get_by_role("button", name="Forgot your password?").click()
    await expect(page.get_by_role("status").filter(has_text="a link is on its way")).to_be_visible()
    link = await mailed_link(pages)
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
    assert "token" not in page.url
    await page.get_by_label("New password").fill("password1234")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("guessed first")
    await page.get_by_label("New password").fill("three ponies in a boat")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Your password is set")).to_be_visible()
    await pages.log_in(page, student, "three ponies in a boat")
    await expect(page.get_by_role("heading", name="Today")).to_be_visible()


async def mailed_link(pages: SchoolPage) -> str:
    """Return the link of the first mail that is written."""
    folder = pages.school.parts.settings.data / "mails"
    async with asyncio.timeout(LONG_MS / 1000):
        while True:
            for mail in await asyncio.to_thread(lambda: list(folder.glob("*.eml")) if folder.exists() else []):
                message = message_from_bytes(await asyncio.to_thread(mail.read_bytes), policy=default)
                text = message.get_body(("plain",))
                assert text is not None
                found = re.search(r"http://\S+#token=\S+", text.get_content())
                assert found is not None
                return found[0]
            await asyncio.sleep(0.1)


async def test_ten_tabs_wake_up_at_once_and_all_stay_logged_in(pages: SchoolPage) -> None:
    student = await pages.person(Role.STUDENT, "Lina")
    first = await pages.enter(student)
    tabs = [first, *[await pages.tab(first.context) for _ in range(TABS - 1)]]
    for tab in tabs:
        await expect(tab.get_by_role("heading", name="Today")).to_be_visible()
    renewals: list[str] = []
    first.context.on("request", lambda request: renewals.append(request.url) if "refresh" in request.url else None)
    pages.school.clock.turn(timedelta(minutes=20))
    wake = "async () => (await import('/school/api.js')) && document.dispatchEvent(new Event('visibilitychange'))"
    await asyncio.gather(*(tab.evaluate(wake) for tab in tabs))
    for tab in tabs:
        await expect(tab.get_by_role("heading", name="Today")).to_be_visible()
        await expect(tab.locator("#login")).to_be_hidden()
    for _ in range(2):  # and once more, with what they got
        statuses = [await tab.evaluate("async () => (await fetch('/api/v1/auth/me')).status") for tab in tabs]
        if statuses == [200] * TABS:
            break
        await asyncio.sleep(1.0)
    assert statuses == [200] * TABS
    assert 1 <= len(renewals) <= TABS

    await tabs[3].get_by_role("button", name="Log out").click()
    for tab in tabs:  # somebody who goes is gone everywhere
        await expect(tab.get_by_role("heading", name="Log in")).to_be_visible()
    assert await first.evaluate("async () => (await fetch('/api/v1/auth/me')).status") == 401


async def test_a_server_that_is_away_is_said_and_waited_for(pages: SchoolPage) -> None:
    student = await pages.person(Role.STUDENT, "Lina")
    page = await pages.enter(student)
    await expect(page.get_by_text("No classes today.")).to_be_visible()
    await page.context.set_offline(True)
    await page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.get_by_text("The school cannot be reached just now")).to_be_visible()
    await expect(page.get_by_role("heading", name="Today")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_text("The school cannot be reached just now")).to_be_hidden(timeout=LONG_MS)


async def test_a_guardian_sees_how_a_child_does(pages: SchoolPage) -> None:
    school = pages.school
    student = await pages.person(Role.STUDENT, "ليلى")
    guardian = await pages.person(Role.OBSERVER, "Omar")
    await school.put(f"/users/{student.id}/guardians/{guardian.id}", as_=school.admin)
    course = (await school.post("/courses", {"title": "History"}, as_=school.teacher)).data["id"]
    await school.post(f"/courses/{course}/enrolments", {"user_ids": [str(student.id)]}, as_=school.admin)
    body = {"name": "Tests", "weight": "1"}
    category = (await school.post(f"/courses/{course}/grade-categories", body, as_=school.teacher)).data["id"]
    item = {"category_id": category, "title": "Essay", "max_points": "20", "hidden": False}
    made = (await school.post(f"/courses/{course}/grade-items", item, as_=school.teacher)).data["id"]
    grade = {"user_id": str(student.id), "version": 0, "state": "graded", "points": "17.5", "feedback": "أحسنت"}
    await school.put(f"/grade-items/{made}/grades", {"grades": [grade]}, as_=school.teacher)

    page = await pages.enter(guardian)
    await page.get_by_role("link", name="My progress").click()
    await expect(page.get_by_role("combobox", name="Student")).to_have_text("ليلى")
    card = page.get_by_role("article").filter(has_text="History")
    await expect(card).to_contain_text("88%")
    await card.get_by_text("All grades").click()
    await expect(card.get_by_role("row", name="Essay")).to_contain_text("17.5 of 20")


async def test_a_code_is_redeemed_by_keyboard_and_told_in_the_language_that_was_chosen(pages: SchoolPage) -> None:
    school = pages.school
    student = await pages.person(Role.STUDENT, "ليلى", language="ar")
    course = (await school.post("/courses", {"title": "Biology"}, as_=school.teacher)).data["id"]
    await school.patch(f"/courses/{course}", {"status": "published"}, as_=school.teacher, version=1)
    made = await school.post("/access-codes/generate", {"course_id": course}, as_=school.teacher)
    page = await pages.enter(student, viewport={"width": 360, "height": 900})
    assert await page.evaluate("() => document.documentElement.dir") == "rtl"  # of the account; the browser is English
    field, answer = page.get_by_role("textbox", name="رمز الوصول"), page.locator("#code .problem")
    await field.focus()
    await page.keyboard.type("ABCD-EFGH-2345")
    await page.keyboard.press("Enter")
    await expect(answer).to_contain_text("هذا الرمز غير صالح")
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    assert await page.evaluate("() => document.documentElement.scrollWidth") == 360
    await shoot(page, "code-refused-ar")
    await page.locator("#language").click()
    await expect(page.locator("#code-title")).to_have_text("Were you given a code?")
    field = page.get_by_role("textbox", name="Access code")
    await field.press("Enter")
    await expect(answer).to_contain_text("opens nothing")
    await field.fill(made.data[0]["code"].lower().replace("-", " "))
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Redeem")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#code .told")).to_have_text("Biology is open to you now.")
    await shoot(page, "code-opened-en")
    enrolled = (await school.get(f"/courses/{course}/enrolments", as_=school.teacher, role="student")).data
    assert [each["user_id"] for each in enrolled] == [str(student.id)]
    assert (await school.get("/auth/me", as_=student)).data["language"] == "en"  # chosen on the page, for everything


@pytest.mark.parametrize(("language", "width"), [("ar", 320), ("en", 390)])
async def test_phones_hands_and_readers_get_along(pages: SchoolPage, language: str, width: int) -> None:
    teacher = await pages.person(Role.TEACHER, "A teacher with a rather long name that does not end", language=language)
    pages.school.people[Role.TEACHER] = teacher
    await pages.plan("A class with a long title, about equations and everything that comes after them")
    page = await pages.open(viewport={"width": width, "height": 700}, locale=language)
    blocked = "addEventListener('securitypolicyviolation', (event) => { throw new Error(event.violatedDirective); });"
    await page.evaluate(blocked)
    await every_control_speaks(page, language)
    await pages.log_in(page, teacher)
    await expect(page.locator(".card")).to_have_count(1)
    await every_control_speaks(page, language)
    direction = await page.evaluate("() => [document.documentElement.lang, document.documentElement.dir]")
    assert direction == [language, "rtl" if language == "ar" else "ltr"]
    assert await page.evaluate("() => document.documentElement.scrollWidth") == width
    for control in await page.locator("button:visible, nav a:visible").all():
        box = await control.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        assert min(box["width"], box["height"]) >= 43  # for fingers (WCAG 2.5.5)
    await page.keyboard.press("Tab")
    assert await page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"


async def shoot(page: Page, name: str) -> None:
    """Take a picture, for who says where to."""
    folder = os.environ.get("HALQA_TEST_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def every_control_speaks(page: Page, language: str) -> None:
    """Every control has a name, in the language of the page but for the switch of languages."""
    snapshot = await page.locator("body").aria_snapshot()
    found = re.findall(r'- (button|textbox|combobox|link)(?: "([^"]*)")?', snapshot)
    assert len(found) >= 4
    for role, name in found:
        assert name, f"a nameless {role}"
        if name not in {"العربية", "English"} and "class with a long title" not in name:
            assert (ARABIC.search(name) is not None) == (language == "ar"), name


async def test_both_languages_say_the_same_things_and_all_that_is_asked_for() -> None:
    english, arabic = (json.loads((FOLDER / "school" / f"strings.{name}.json").read_text()) for name in ("en", "ar"))
    assert english.keys() == arabic.keys()
    for key, text in english.items():
        places = set(re.findall(r"\{\w+\}", json.dumps(text)))
        assert places == set(re.findall(r"\{\w+\}", json.dumps(arabic[key]))), key
    used = set(re.findall(r'data-(?:text|label)="([^"]+)"', (FOLDER / "index.html").read_text()))
    for script in (FOLDER / "school").glob("*.js"):
        used |= set(re.findall(r"(?:text|bar|number)\('([\w.]+)'", script.read_text()))
    assert used <= english.keys()


async def test_the_page_is_served_under_a_strict_policy_and_nothing_else_is(pages: SchoolPage) -> None:
    page = await pages.school.get("/health")
    assert page.status == 200
    async with pages.school.http.get(pages.school.url) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        html = await response.text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", html) == []
    for path in ("pages.py", "..%2fpages.py", "school.js%00", "%2e%2e/index.html", "", "none.js"):
        async with pages.school.http.get(f"{pages.school.url}/school/{path}") as response:
            assert response.status == 404, path
