"""Mails about live classes: to whom they matter, in their language and on their clock, with a calendar."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from lms.access.roles import Role
from lms.courses.rules import CourseRole
from tests.integration.lms.grading import Course, enrol, make_course
from tests.support.lms import School


@pytest.fixture
async def course(school: School) -> Course:
    """A course with two students of different languages; what follows is done when the test says so."""
    await school.parts.relay.close()
    made = await make_course(school, students=0)
    for name, language, zone in (("منى", "ar", "Africa/Cairo"), ("Sami", "en", None)):
        address = {"email": f"{language}@example.org", "email_norm": f"{language}@example.org"}
        person = await school.person(Role.STUDENT, name=name, language=language, time_zone=zone, **address)
        await enrol(school, made.id, person, CourseRole.STUDENT)
        made.students.append(person)
    nobody = await school.person(Role.STUDENT, name="without an address")
    await enrol(school, made.id, nobody, CourseRole.STUDENT)
    return made


async def mails(school: School, folder: Path) -> dict[str, EmailMessage]:
    """Have what is due mailed, and return the new mails by address."""
    await school.parts.relay.run_once()
    found = {}
    for path in (folder / "mails").glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        found[str(message["To"])] = message
        path.unlink()
    return found


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def calendar_of(message: EmailMessage) -> str:
    (attached,) = message.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert attached.get_filename() == "class.ics"
    return str(attached.get_content())


async def plan(school: School, course: Course, **more: Any) -> dict[str, Any]:
    start = school.clock.now() + timedelta(days=1)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    body = {"title": "Algebra, part 1", "course_id": str(course.id), "time_zone": "Asia/Riyadh", **times, **more}
    answer = await school.post("/live-classes", body, as_=course.teacher)
    assert answer.status == 201, answer.body
    planned: dict[str, Any] = answer.data
    return planned


async def test_invited_changed_and_cancelled(school: School, course: Course, tmp_path: Path) -> None:
    planned = await plan(school, course)
    path = f"/live-classes/{planned['id']}"
    invited = {"user_ids": [str(course.students[0].id)]}
    assert (await school.post(f"{path}/invite", invited, as_=course.teacher)).status == 200
    (message,) = (await mails(school, tmp_path)).values()
    assert (message["To"], message["Content-Language"]) == ("ar@example.org", "ar")
    assert message["Subject"] == "Al Noor School: دعوة إلى Algebra, part 1"
    assert "2026-11-24 10:00 - 11:00 (Africa/Cairo)" in text_of(message)
    assert "SUMMARY:Algebra\\, part 1" in calendar_of(message)
    assert "DTSTART;TZID=Asia/Riyadh:20261124T110000" in calendar_of(message)

    later = (
        (school.clock.now() + timedelta(days=2)).isoformat(),
        (school.clock.now() + timedelta(days=2, hours=1)).isoformat(),
    )
    moved = await school.patch(
        path, {"starts_at": later[0], "ends_at": later[1]}, as_=course.teacher, version=planned["version"]
    )
    assert moved.status == 200, moved.body
    sent = await mails(school, tmp_path)
    assert set(sent) == {"ar@example.org", "en@example.org"}  # all who expect it, but not who moved it
    assert sent["en@example.org"]["Subject"] == "Al Noor School: Algebra, part 1 was changed"
    assert "2026-11-25 11:00 - 12:00 (Asia/Riyadh)" in text_of(sent["en@example.org"])
    assert f"UID:{planned['id']}" in calendar_of(sent["en@example.org"])

    quiet = await school.patch(path, {"description": "new"}, as_=course.teacher, version=moved.data["version"])
    assert quiet.status == 200
    assert await mails(school, tmp_path) == {}

    cancelled = await school.post(
        f"{path}/cancel", {"reason": "The teacher\r\nBcc: x@example.org is ill"}, as_=course.teacher,
        version=quiet.data["version"],
    )  # fmt: skip
    assert cancelled.status == 200, cancelled.body
    sent = await mails(school, tmp_path)
    assert "STATUS:CANCELLED" in calendar_of(sent["ar@example.org"])
    assert "The teacher Bcc: x@example.org is ill" in text_of(sent["en@example.org"])
    assert sent["en@example.org"]["Bcc"] is None


async def test_a_cancelled_series_is_one_mail(school: School, course: Course, tmp_path: Path) -> None:
    body = {
        "title": "Algebra", "course_id": str(course.id), "rule": "FREQ=DAILY;COUNT=3", "time_zone": "Asia/Riyadh",
        "starts_local": "2026-11-25T09:00", "duration_minutes": 60,
    }  # fmt: skip
    made = await school.post("/class-series", body, as_=course.teacher)
    assert made.status == 201, made.body
    assert await mails(school, tmp_path) == {}
    cancelled = await school.post(f"/class-series/{made.data['id']}/cancel", {"reason": "snow"}, as_=course.teacher)
    assert cancelled.status == 200, cancelled.body
    sent = await mails(school, tmp_path)
    assert set(sent) == {"ar@example.org", "en@example.org"}
    assert calendar_of(sent["en@example.org"]).count("STATUS:CANCELLED") == 3


async def test_a_school_may_want_none(school: School, course: Course, tmp_path: Path) -> None:
    version = (await school.get("/organization", as_=school.admin)).data["version"]
    wish = {"settings": {"mail_classes": False}}
    assert (await school.patch("/organization", wish, as_=school.admin, version=version)).status == 200
    planned = await plan(school, course)
    invited = {"user_ids": [str(each.id) for each in course.students]}
    await school.post(f"/live-classes/{planned['id']}/invite", invited, as_=course.teacher)
    assert await mails(school, tmp_path) == {}
