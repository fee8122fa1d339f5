"""Access codes over HTTP: counted without a race, and silent about why one opens nothing (invariant 16)."""

from __future__ import annotations

import asyncio
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from lms.access.roles import Role
from lms.api.rate_limits import RateLimitSettings
from lms.codes.tables import access_code, code_attempt, code_redemption
from lms.database.settings import DatabaseSettings
from tests.integration.lms.classes.test_courses import make_course
from tests.support.lms import Person, School, running_school

REDEEMERS = max(30, int(os.environ.get("HALQA_TEST_REDEEMERS", "30")))
"""100 is the invariant's number; fewer are enough to see that it holds."""


async def make_code(school: School, as_: Person | None = None, **fields: object) -> str:
    answer = await school.post("/access-codes/generate", fields, as_=as_ or school.teacher)
    assert answer.status == 201, answer.body
    return str(answer.data[0]["code"])


async def redeem(school: School, person: Person, code: str) -> tuple[int, str]:
    answer = await school.post("/access-codes/redeem", {"code": code}, as_=person)
    return answer.status, answer.code if answer.status != 200 else ""


async def test_16_many_at_once_and_exactly_so_many_get_in(school: School) -> None:
    course_id = await make_course(school)
    code = await make_code(school, course_id=course_id, kind="multi_use", max_uses=10)
    people = [await school.person(Role.STUDENT) for _ in range(REDEEMERS)]
    answers = await asyncio.gather(*(redeem(school, each, code) for each in people))
    assert sorted(answers) == [(200, "")] * 10 + [(404, "bad_code")] * (REDEEMERS - 10)
    enrolled = await school.get(f"/courses/{course_id}/enrolments", as_=school.teacher, role="student", limit=100)
    lucky = {str(person.id) for person, (status, _) in zip(people, answers, strict=True) if status == 200}
    assert {each["user_id"] for each in enrolled.data} == lucky
    assert {each["source"] for each in enrolled.data} == {"code"}
    async with school.database.read(school.org_id) as transaction:
        assert await transaction.value(select(access_code.c.uses)) == 10
        assert await transaction.value(select(func.count()).select_from(code_redemption)) == 10
        assert await transaction.value(select(func.count()).select_from(code_attempt)) == REDEEMERS


async def test_one_person_at_once_in_ten_tabs_uses_one(school: School) -> None:
    course_id = await make_course(school)
    code = await make_code(school, course_id=course_id, kind="multi_use", max_uses=3)
    answers = await asyncio.gather(
        *(school.post("/access-codes/redeem", {"code": code}, as_=school.student) for _ in range(10))
    )
    assert [each.status for each in answers] == [200] * 10
    assert sorted(each.data["already"] for each in answers) == [False] + [True] * 9
    listed = await school.get("/access-codes", as_=school.teacher, course_id=course_id)
    assert [(each["uses"], each["usable"], each["code"]) for each in listed.data] == [(1, True, None)]


async def test_who_is_in_already_uses_nothing(school: School) -> None:
    course_id = await make_course(school)
    first, second = [await make_code(school, course_id=course_id) for _ in range(2)]
    assert (await redeem(school, school.student, first))[0] == 200
    again = await school.post("/access-codes/redeem", {"code": second}, as_=school.student)
    assert again.data["already"]
    assert (await redeem(school, await school.person(Role.STUDENT), second))[0] == 200


async def test_a_full_course_keeps_the_code(school: School) -> None:
    course_id = await make_course(school, max_students=1)
    code = await make_code(school, course_id=course_id, kind="multi_use", max_uses=5)
    late = await school.person(Role.STUDENT)
    assert (await redeem(school, school.student, code))[0] == 200
    assert await redeem(school, late, code) == (409, "course_full")
    listed = await school.get("/access-codes", as_=school.teacher, course_id=course_id)
    assert listed.data[0]["uses"] == 1


async def test_all_that_is_wrong_looks_the_same(school: School) -> None:
    course_id = await make_course(school)
    used, ended, old, foreign = [
        await make_code(school, course_id=course_id),
        await make_code(school, course_id=course_id),
        await make_code(school, course_id=course_id, expires_at="2026-11-23T09:00:00Z"),
        await make_code(school.other, course_id=await make_course(school.other), kind="unlimited"),
    ]
    assert (await redeem(school, await school.person(Role.STUDENT), used))[0] == 200
    listed = await school.get("/access-codes", as_=school.teacher, course_id=course_id)
    [ended_id] = [each["id"] for each in listed.data if each["last_signs"] == ended[-4:]]
    assert (await school.delete(f"/access-codes/{ended_id}", as_=school.teacher)).status == 204
    school.clock.turn(3600)
    bodies = set()
    for typed in (used, ended, old, foreign, "ABCD-EFGH-2345", "no code at all", "☃"):
        answer = await school.post("/access-codes/redeem", {"code": typed}, as_=school.student)
        assert answer.status == 404
        bodies.add((answer.code, answer.error["message"]))
    assert len(bodies) == 1
    assert (await redeem(school.other, school.other.student, foreign))[0] == 200


async def test_a_code_as_people_type_it(school: School) -> None:
    course_id = await make_course(school)
    code = await make_code(school, course_id=course_id)
    assert len(code) == 14
    typed = f" {code.lower().replace('-', ' ')} "
    assert (await redeem(school, school.student, typed))[0] == 200
    async with school.database.read(school.org_id) as transaction:
        kept = await transaction.one(select(access_code))
    assert code.replace("-", "").encode() not in kept.code_hmac
    assert kept.last_signs == code[-4:]


async def test_codes_of_classes_and_groups(school: School) -> None:
    course_id = await make_course(school)
    group = (await school.post(f"/courses/{course_id}/groups", {"name": "A"}, as_=school.teacher)).data["id"]
    code = await make_code(school, course_id=course_id, group_id=group)
    assert (await redeem(school, school.student, code))[0] == 200
    members = await school.get(f"/courses/{course_id}/groups/{group}/members", as_=school.teacher)
    assert [each["user_id"] for each in members.data] == [str(school.student.id)]

    times = {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T10:00:00Z"}
    held = (await school.post("/live-classes", {"title": "Open day", **times}, as_=school.teacher)).data
    guest = await school.person(Role.STUDENT)
    assert (await school.get(f"/live-classes/{held['id']}", as_=guest)).status == 404
    code = await make_code(school, class_id=held["id"], kind="unlimited")
    opened = await school.post("/access-codes/redeem", {"code": code}, as_=guest)
    assert opened.data == {"scope": "class", "id": held["id"], "title": "Open day", "already": False}
    assert (await school.get(f"/live-classes/{held['id']}", as_=guest)).data["seat"] == "student"
    assert (await school.post(f"/live-classes/{held['id']}/cancel", {}, as_=school.teacher)).status == 200
    assert await redeem(school, await school.person(Role.STUDENT), code) == (404, "bad_code")


CODES_THAT_ARE_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "course_id"),
    ({"course_id": "COURSE", "class_id": "COURSE"}, "course_id"),
    ({"course_id": "COURSE", "kind": "multi_use"}, "max_uses"),
    ({"course_id": "COURSE", "kind": "unlimited", "max_uses": 3}, "max_uses"),
    ({"course_id": "COURSE", "kind": "single_use", "max_uses": 3}, "max_uses"),
    ({"course_id": "COURSE", "count": 501}, "count"),
    ({"course_id": "COURSE", "count": 0}, "count"),
    ({"course_id": "COURSE", "expires_at": "2026-11-22T00:00:00Z"}, "expires_at"),
    ({"course_id": "COURSE", "expires_at": "9999-12-31T23:59:59-23:00"}, "expires_at"),
    ({"course_id": "COURSE", "expires_at": "2026-12-22T00:00:00"}, "expires_at"),
    ({"course_id": "COURSE", "group_id": "0198c0de-0000-7000-8000-000000000001"}, "group_id"),
    ({"class_id": None, "group_id": "0198c0de-0000-7000-8000-000000000001"}, "course_id"),
]


@pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)
async def test_codes_that_are_refused(school: School) -> None:
    course_id = await make_course(school)
    for body, field in CODES_THAT_ARE_REFUSED:
        filled = {name: course_id if value == "COURSE" else value for name, value in body.items()}
        answer = await school.post("/access-codes/generate", filled, as_=school.teacher)
        assert (answer.status, answer.error["details"]["field"]) == (400, field), filled


async def test_codes_are_for_those_who_teach_the_course(school: School) -> None:
    course_id = await make_course(school)
    await make_code(school, course_id=course_id)
    [code] = (await school.get("/access-codes", as_=school.teacher, course_id=course_id)).data
    other_teacher = await school.person(Role.TEACHER)
    for stranger in (other_teacher, school.other.owner):
        assert (await school.get("/access-codes", as_=stranger, course_id=course_id)).status == 404
        assert (await school.get(f"/access-codes/{code['id']}", as_=stranger)).status == 404
        assert (await school.delete(f"/access-codes/{code['id']}", as_=stranger)).status == 404
        made = await school.post("/access-codes/generate", {"course_id": course_id}, as_=stranger)
        assert made.status == 404
    assert (await school.post("/access-codes/generate", {"course_id": course_id}, as_=school.student)).status == 403
    assert (await school.get(f"/access-codes/{code['id']}/redemptions", as_=school.admin)).data == []


@pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)
async def test_five_attempts_a_minute(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    limits = {each.name: 1_000_000 for each in fields(RateLimitSettings)} | {"redeem_per_minute": 5}
    async with running_school(tmp_path, database_settings, rate_limits=RateLimitSettings(**limits)) as school:
        tried = [await redeem(school, school.student, "ABCD-EFGH-2345") for _ in range(6)]
        assert [status for status, _ in tried] == [404] * 5 + [429]
        # The classroom behind the same address goes on.
        assert (await redeem(school, await school.person(Role.STUDENT), "ABCD-EFGH-2345"))[0] == 404
        school.clock.turn(60.0)
        assert (await redeem(school, school.student, "ABCD-EFGH-2345"))[0] == 404
