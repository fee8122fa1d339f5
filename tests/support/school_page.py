"""The school's page with everything real behind it: media server, LMS, browser; and people who log in by the page."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from control_api.app import MediaServer
from control_api.keys import open_keys
from control_api.settings import HttpSettings, MediaSettings, ServerSettings
from lms.access.roles import Role
from lms.clock import TurnedClock
from lms.database.settings import DatabaseSettings
from lms.settings import MediaServerSettings
from tests.support.lms import Person, School, running_school

PASSWORD = "a horse of another colour"
ENGLISH = {"locale": "en-GB", "timezone_id": "Asia/Riyadh", "viewport": {"width": 1280, "height": 720}}


class RunningClock(TurnedClock):
    """The true time, until it is turned: from then on it runs ahead."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self._started = time.monotonic()

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=time.monotonic() - self._started)

    def monotonic(self) -> float:
        return super().monotonic() + time.monotonic() - self._started


@dataclass
class SchoolPage:
    """A school, and browsers that look at it."""

    browser: Browser
    school: School
    contexts: list[BrowserContext] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Uncaught in any page."""

    async def person(self, role: Role, name: str, **columns: Any) -> Person:
        """Make somebody who has the password."""
        hashed = await self.school.parts.passwords.hash(PASSWORD)
        return await self.school.person(role, name=name, password_hash=hashed, **columns)

    async def open(self, **options: Any) -> Page:
        """Open the page in a browser profile of its own."""
        context = await self.browser.new_context(**{**ENGLISH, **options})
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        return await self.tab(context)

    async def tab(self, context: BrowserContext) -> Page:
        """Open the page in a further tab of a profile."""
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(f"{self.school.url}/")
        return page

    async def log_in(self, page: Page, person: Person, password: str = PASSWORD) -> None:
        """Fill in the form and send it; both schools are at one address, so it asks for ours the first time."""
        await page.locator("#login [name=login]").fill(person.code)
        await page.locator("#login [name=password]").fill(password)
        await page.evaluate("() => document.querySelector('.organization').hidden = false")
        await page.locator("#login [name=organization]").fill("al-noor")
        await page.locator("#login [type=submit]").click()

    async def enter(self, person: Person, **options: Any) -> Page:
        """Open the page and log in."""
        page = await self.open(**options)
        await self.log_in(page, person)
        await expect(page.locator("#classes-title")).to_be_visible(timeout=30_000)
        return page

    async def plan(self, title: str, *people: Person, starts_in_m: float = 5.0, lasts_m: float = 60.0) -> str:
        """Plan a class of a course of our teacher, with these students, and return its id."""
        school, now = self.school, self.school.parts.clock.now()
        made = await school.post("/courses", {"title": f"Course of {title}"}, as_=school.teacher)
        body = {"user_ids": [str(person.id) for person in people]}
        await school.post(f"/courses/{made.data['id']}/enrolments", body, as_=school.admin)
        starts = now + timedelta(minutes=starts_in_m)
        plan = {
            "title": title,
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(minutes=lasts_m)).isoformat(),
            "course_id": made.data["id"],
        }
        return str((await school.post("/live-classes", plan, as_=school.teacher)).data["id"])


@asynccontextmanager
async def running_school_page(browser: Browser, folder: Path, **settings: Any) -> AsyncIterator[SchoolPage]:
    """Run a media server and an LMS on SQLite, by the true clock; `settings` are fields of LmsSettings."""
    media = await MediaServer.start(
        ServerSettings(
            data=folder / "media",
            http=HttpSettings(host="127.0.0.1", port=0),
            media=MediaSettings(bind_address="127.0.0.1", udp_port=0, workers=1),
        )
    )
    key = open_keys(folder / "media").first
    server = MediaServerSettings(url=media.url, key=f"{key.key_id}:{key.secret.decode()}")
    known = list(browser.contexts)
    try:
        async with running_school(
            folder / "lms", DatabaseSettings(), clock=RunningClock(), **{"media_server": server, **settings}
        ) as school:
            pages = SchoolPage(browser, school)
            try:
                yield pages
            finally:
                for context in browser.contexts:
                    if context not in known:
                        await context.close()
            assert not pages.errors, f"uncaught in the page: {pages.errors}"
    finally:
        await media.close()
