"""Live classes before they are held: planned, moved, invited to, cancelled, in series and in calendars."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lms.access.roles import Role
from tests.integration.lms.classes.test_courses import enrol, make_course
from tests.support.lms import School

TIMES = {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T10:00:00Z"}
ONLY_SQLITE = pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)


async def plan(school: School, **more: Any) -> dict[str, Any]:
    answer = await school.post("/live-classes", {"title": "Algebra", **TIMES, **more}, as_=school.teacher)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.data
    return made


async def titles(school: School, as_: Any, **query: Any) -> list[str]:
    return [each["title"] for each in (await school.get("/live-classes", as_=as_, **query)).data]


async def test_who_sees_which_class(school: School) -> None:
    course_id = await make_course(school)
    group = (await school.post(f"/courses/{course_id}/groups", {"name": "A"}, as_=school.teacher)).data["id"]
    in_group, outside, guest = [await school.person(Role.STUDENT) for _ in range(3)]
    await enrol(school, course_id, in_group, outside)
    await school.put(f"/courses/{course_id}/groups/{group}/members/{in_group.id}", as_=school.teacher)
    await plan(school, title="all", course_id=course_id)
    await plan(school, title="group", course_id=course_id, group_id=group)
    exam = await plan(school, title="exam", course_id=course_id, invited_only=True)
    lone = await plan(school, title="lone")
    for held, person in ((exam, outside), (lone, guest)):
        body = {"user_ids": [str(person.id)]}
        invited = await school.post(f"/live-classes/{held['id']}/invite", body, as_=school.teacher)
        assert [each["status"] for each in invited.data] == ["invited"]
        assert (await school.post(f"/live-classes/{held['id']}/invite", body, as_=school.teacher)).data == []

    assert sorted(await titles(school, school.teacher)) == ["all", "exam", "group", "lone"]
    assert sorted(await titles(school, school.admin)) == ["all", "exam", "group", "lone"]
    assert sorted(await titles(school, in_group)) == ["all", "group"]
    assert sorted(await titles(school, outside)) == ["all", "exam"]
    assert await titles(school, guest) == ["lone"]
    for stranger in (school.student, await school.person(Role.TEACHER), school.other.owner):
        assert await titles(school, stranger) == []
        assert (await school.get(f"/live-classes/{lone['id']}", as_=stranger)).status == 404
    # What lists show is what may be looked at, and nothing else.
    everything = (await school.get("/live-classes", as_=school.admin)).data
    for person in (in_group, outside, guest, school.student):
        listed = {each["id"] for each in (await school.get("/live-classes", as_=person)).data}
        alone = {
            e["id"] for e in everything if (await school.get(f"/live-classes/{e['id']}", as_=person)).status == 200
        }
        assert listed == alone

    reply = await school.post(f"/live-classes/{lone['id']}/reply", {"status": "declined"}, as_=guest)
    assert reply.data["status"] == "declined"
    assert (await school.delete(f"/live-classes/{lone['id']}/invites/{guest.id}", as_=school.teacher)).status == 204
    assert (await school.get(f"/live-classes/{lone['id']}", as_=guest)).status == 404


async def test_a_class_is_changed_by_version(school: School) -> None:
    held = await plan(school)
    path = f"/live-classes/{held['id']}"
    assert held["allowed"] == ["cancel", "change", "invite", "move", "start"]
    assert (await school.patch(path, {"title": "x"}, as_=school.teacher)).status == 428
    both = await asyncio.gather(
        *(school.patch(path, {"title": f"by {n}"}, as_=school.teacher, version=1) for n in range(4))
    )
    assert sorted(each.status for each in both) == [200, 409, 409, 409]
    moved = {"starts_at": "2026-11-25T09:00:00Z", "ends_at": "2026-11-25T10:30:00Z", "time_zone": "Africa/Cairo"}
    answer = await school.patch(path, moved, as_=school.teacher, version=2)
    assert (answer.data["starts_at"], answer.data["version"]) == ("2026-11-25T09:00:00Z", 3)
    cancelled = await school.post(f"{path}/cancel", {"reason": "Holiday"}, as_=school.teacher)
    assert (cancelled.data["status"], cancelled.data["cancel_reason"]) == ("cancelled", "Holiday")
    again = await school.post(f"{path}/cancel", {"reason": "Snow"}, as_=school.teacher)
    assert (again.status, again.data["cancel_reason"]) == (200, "Holiday")
    refused = await school.patch(path, {"title": "x"}, as_=school.teacher, version=4)
    assert (refused.status, refused.code) == (409, "not_now")
    assert refused.error["message"] == "The class is cancelled; to change it must be scheduled or live or ended."
    assert (await school.post(f"{path}/start", as_=school.teacher)).code == "not_now"


CLASSES_THAT_ARE_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": "   "}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"starts_at": "2026-11-24T10:00:00Z"}, "ends_at"),
    ({"ends_at": "2026-11-25T09:00:01Z"}, "ends_at"),
    ({"starts_at": "2026-11-24T09:00:00"}, "starts_at"),
    ({"starts_at": "0001-01-01T00:00:00+23:00"}, "starts_at"),
    ({"ends_at": "9999-12-31T23:59:59-23:00"}, "ends_at"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"group_id": "0198c0de-0000-7000-8000-000000000001"}, "group_id"),
    ({"settings": {"participants_max": 0}}, "settings.participants_max"),
    ({"settings": {"students_publish": ["hologram"]}}, "settings.students_publish[0]"),
    ({"platform": "zoom"}, "platform"),
]


@ONLY_SQLITE
async def test_classes_that_are_refused(school: School) -> None:
    for fields, field in CLASSES_THAT_ARE_REFUSED:
        answer = await school.post("/live-classes", {"title": "Algebra", **TIMES, **fields}, as_=school.teacher)
        assert (answer.status, answer.error["details"]["field"]) == (400, field), fields


async def test_a_series_keeps_its_hour_through_summer_time(school: School) -> None:
    course_id = await make_course(school, time_zone="Africa/Cairo")
    await enrol(school, course_id, school.student)
    body = {
        "title": "Weekly",
        "rule": "RRULE:FREQ=WEEKLY;BYDAY=SU;COUNT=40",
        "starts_local": "2026-11-22T09:00",
        "duration_minutes": 45,
        "without": ["2026-12-27"],
        "course_id": course_id,
    }
    made = await school.post("/class-series", body, as_=school.teacher)
    assert made.status == 201, made.body
    assert (made.data["rule"], made.data["classes"]) == ("FREQ=WEEKLY;COUNT=40;BYDAY=SU", 39)
    path = f"/class-series/{made.data['id']}"
    listed = await school.get("/live-classes", as_=school.student, series_id=made.data["id"], limit=100)
    starts = [datetime.fromisoformat(each["starts_at"]) for each in listed.data]
    assert {each.astimezone(ZoneInfo("Africa/Cairo")).strftime("%a %H:%M") for each in starts} == {"Sun 09:00"}
    assert {each.astimezone(UTC).hour for each in starts} == {6, 7}
    assert len(starts) == 39
    assert (await school.get(path, as_=school.student)).data["duration_minutes"] == 45
    assert (await school.get(path, as_=school.other.owner)).status == 404
    assert (await school.post(f"{path}/cancel", {}, as_=school.student)).status == 403
    school.clock.turn(8 * 86_400)  # two are over: 22 and 29 November
    cancelled = await school.post(f"{path}/cancel", {"reason": "Moved"}, as_=school.teacher)
    assert cancelled.data == {"classes": 37}


SERIES_THAT_ARE_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"rule": "FREQ=WEEKLY"}, "rule"),
    ({"rule": "FREQ=DAILY;UNTIL=20200101"}, "rule"),
    ({"rule": "FREQ=DAILY;UNTIL=20290101"}, "rule"),
    ({"starts_local": "2026-02-30T09:00"}, "starts_local"),
    ({"starts_local": "2026-11-22T09:00Z"}, "starts_local"),
    ({"starts_local": "9999-11-22T09:00"}, "starts_local"),
    ({"without": ["2026-13-01"]}, "without"),
    ({"duration_minutes": 0}, "duration_minutes"),
    ({"duration_minutes": 721}, "duration_minutes"),
    ({"time_zone": "Nowhere"}, "time_zone"),
]


@ONLY_SQLITE
async def test_series_that_are_refused(school: School) -> None:
    for fields, field in SERIES_THAT_ARE_REFUSED:
        body = {"title": "x", "rule": "FREQ=DAILY;COUNT=2", "starts_local": "2026-11-22T09:00", **fields}
        answer = await school.post("/class-series", body, as_=school.teacher)
        assert (answer.status, answer.error["details"]["field"]) == (400, field), fields
    assert (await school.get("/live-classes", as_=school.teacher)).data == []


async def test_a_calendar_by_its_address(school: School) -> None:
    course_id = await make_course(school)
    await enrol(school, course_id, school.student)
    await plan(school, title="Not mine")
    held = await plan(school, title="الجبر", course_id=course_id, description="Room; 7", time_zone="Africa/Cairo")
    made = await school.post("/calendars", {"name": "Phone"}, as_=school.student)
    address = made.data["url"].removeprefix(school.url)
    read = await school.get(address)
    assert read.status == 200
    assert read.headers["Content-Type"] == "text/calendar; charset=utf-8"
    lines = read.content.replace(b"\r\n ", b"").decode().split("\r\n")
    assert [line for line in lines if line.startswith("SUMMARY")] == ["SUMMARY:الجبر"]
    assert f"UID:{held['id']}" in lines
    assert "SEQUENCE:1" in lines
    assert "DTSTART;TZID=Africa/Cairo:20261124T110000" in lines

    await school.post(f"/live-classes/{held['id']}/cancel", {}, as_=school.teacher)
    lines = (await school.get(address)).content.decode().split("\r\n")
    assert "STATUS:CANCELLED" in lines
    assert "SEQUENCE:2" in lines

    [listed] = (await school.get("/calendars", as_=school.student)).data
    assert (listed["name"], listed["url"]) == ("Phone", None)
    assert listed["read_at"] is not None
    path = f"/calendars/{listed['id']}"
    assert (await school.delete(path, as_=school.teacher)).status == 404
    assert (await school.delete(path, as_=school.student)).status == 204
    assert (await school.get(address)).status == 404
    assert (await school.get(f"/calendars/{'a' * 43}.ics")).status == 404
