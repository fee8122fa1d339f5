"""Courses over HTTP: whose they are, groups, enrolment and places."""

from __future__ import annotations

import asyncio

from lms.access.roles import Role
from tests.support.lms import Person, School


async def make_course(school: School, as_: Person | None = None, **fields: object) -> str:
    answer = await school.post("/courses", {"title": "Algebra", **fields}, as_=as_ or school.teacher)
    assert answer.status == 201, answer.body
    return str(answer.data["id"])


async def enrol(school: School, course_id: str, *people: Person, role: str = "student") -> None:
    body = {"user_ids": [str(each.id) for each in people], "role": role}
    answer = await school.post(f"/courses/{course_id}/enrolments", body, as_=school.admin)
    assert answer.status == 200, answer.body


async def test_a_course_from_draft_to_deletion(school: School) -> None:
    made = await school.post(
        "/courses", {"title": "الجبر ٧ب", "code": "MATH-7B", "status": "draft", "max_students": 2}, as_=school.teacher
    )
    assert made.status == 201
    course = made.data
    assert course["roles"] == ["teacher"]
    assert course["time_zone"] == "Asia/Riyadh"
    path = f"/courses/{course['id']}"
    await enrol(school, course["id"], school.student)
    assert (await school.get(path, as_=school.student)).status == 404  # a draft
    taken = await school.post("/courses", {"title": "x", "code": "math-7b"}, as_=school.teacher)
    assert (taken.status, taken.error["details"]["field"]) == (409, "code")

    assert (await school.patch(path, {"status": "published"}, as_=school.teacher)).status == 428
    changed = await school.patch(path, {"status": "published", "code": None}, as_=school.teacher, version=1)
    assert (changed.data["status"], changed.data["code"], changed.meta["version"]) == ("published", None, 2)
    assert (await school.patch(path, {"title": "y"}, as_=school.teacher, version=1)).code == "version_conflict"
    seen = await school.get("/courses", as_=school.student, q="الجبر")
    assert [each["title"] for each in seen.data] == ["الجبر ٧ب"]

    archived = await school.patch(path, {"status": "archived"}, as_=school.teacher, version=2)
    assert archived.status == 200
    refused = await school.post(f"{path}/enrolments", {"user_ids": [str(school.student.id)]}, as_=school.teacher)
    assert refused.code == "course_archived"
    assert (await school.delete(path, as_=school.teacher, version=3)).status == 403
    assert (await school.delete(path, as_=school.admin, version=3)).status == 204
    assert (await school.get(path, as_=school.teacher)).status == 404


async def test_a_course_is_nobody_elses(school: School) -> None:
    course_id = await make_course(school)
    path = f"/courses/{course_id}"
    other_teacher = await school.person(Role.TEACHER)
    strangers = (other_teacher, school.student, school.other.owner, school.other.teacher)
    for stranger in strangers:
        assert (await school.get(path, as_=stranger)).status == 404
        assert (await school.get(f"{path}/groups", as_=stranger)).status == 404
        assert (await school.get(f"{path}/enrolments", as_=stranger)).status == 404
        listed = await school.get("/courses", as_=stranger)
        assert listed.data == []
    for stranger in (other_teacher, school.other.owner):
        assert (await school.patch(path, {"title": "x"}, as_=stranger, version=1)).status == 404
        body = {"user_ids": [str(stranger.id)]}
        assert (await school.post(f"{path}/enrolments", body, as_=stranger)).status == 404
    foreign = {"user_ids": [str(school.other.student.id)]}
    assert (await school.post(f"{path}/enrolments", foreign, as_=school.teacher)).code == "bad_field"
    assert (await school.post("/courses", {"title": "x"}, as_=school.student)).status == 403


async def test_enrolment_and_its_end(school: School) -> None:
    course_id = await make_course(school)
    path = f"/courses/{course_id}/enrolments"
    body = {"user_ids": [str(school.student.id)], "valid_to": "2026-12-01T00:00:00Z"}
    first = await school.post(path, body, as_=school.teacher)
    assert [each["status"] for each in first.data] == ["active"]
    again = await school.post(path, {"user_ids": [str(school.student.id)]}, as_=school.teacher)
    assert again.data == []
    assert (await school.get(f"/courses/{course_id}", as_=school.student)).status == 200
    school.clock.turn(9 * 86_400)
    assert (await school.get(f"/courses/{course_id}", as_=school.student)).status == 404
    renewed = await school.patch(f"{path}/{first.data[0]['id']}", {"valid_to": None}, as_=school.teacher)
    assert renewed.data["valid_to"] is None
    dropped = await school.patch(f"{path}/{first.data[0]['id']}", {"status": "dropped"}, as_=school.teacher)
    assert dropped.data["status"] == "dropped"
    assert (await school.get(f"/courses/{course_id}", as_=school.student)).status == 404
    body = {"user_ids": [str(school.student.id)], "role": "teacher"}
    assert (await school.post(path, body, as_=school.teacher)).status == 403  # who teaches is for those above
    students = await school.get(path, as_=school.teacher, role="student")
    assert [each["user_id"] for each in students.data] == [str(school.student.id)]
    assert (await school.get(path, as_=school.student)).status == 404


async def test_the_last_place_is_taken_once(school: School) -> None:
    course_id = await make_course(school, max_students=3)
    people = [await school.person(Role.STUDENT) for _ in range(6)]
    answers = await asyncio.gather(
        *(
            school.post(f"/courses/{course_id}/enrolments", {"user_ids": [str(each.id)]}, as_=school.teacher)
            for each in people
        )
    )
    assert sorted(each.status for each in answers) == [200, 200, 200, 409, 409, 409]
    assert {each.code for each in answers if each.status == 409} == {"course_full"}
    listed = await school.get(f"/courses/{course_id}/enrolments", as_=school.teacher, role="student")
    assert len(listed.data) == 3


async def test_groups_sort_as_people_read_them(school: School) -> None:
    course_id = (await school.post("/courses", {"title": "Algebra"}, as_=school.teacher)).data["id"]
    path, names = (
        f"/courses/{course_id}/groups",
        ["Group 2", "Group 10", "Group 11", "أحمد", "إيمان", "مجموعة ٢", "مجموعة 10"],
    )
    made = {name: (await school.post(path, {"name": name}, as_=school.teacher)).data["id"] for name in reversed(names)}
    assert [each["name"] for each in (await school.get(path, as_=school.teacher)).data] == names
    await school.patch(f"{path}/{made['Group 2']}", {"name": "Group ١٢"}, as_=school.teacher)
    assert [each["name"] for each in (await school.get(path, as_=school.teacher)).data][:3] == [
        "Group 10", "Group 11", "Group ١٢",
    ]  # fmt: skip


async def test_groups(school: School) -> None:
    course_id = await make_course(school)
    await enrol(school, course_id, school.student)
    path = f"/courses/{course_id}/groups"
    group = (await school.post(path, {"name": "Group A"}, as_=school.teacher)).data
    assert (await school.post(path, {"name": "GROUP a"}, as_=school.teacher)).code == "already_taken"
    member = f"{path}/{group['id']}/members"
    outsider = await school.person(Role.STUDENT)
    assert (await school.put(f"{member}/{school.student.id}", as_=school.teacher)).status == 204
    assert (await school.put(f"{member}/{school.student.id}", as_=school.teacher)).status == 204
    assert (await school.put(f"{member}/{outsider.id}", as_=school.teacher)).status == 404
    assert [each["name"] for each in (await school.get(member, as_=school.teacher)).data] == [school.student.name]
    assert (await school.get(member, as_=school.student)).status == 403
    assert [(each["name"], each["members"]) for each in (await school.get(path, as_=school.student)).data] == [
        ("Group A", 1)
    ]
    renamed = await school.patch(f"{path}/{group['id']}", {"name": "Group B"}, as_=school.teacher)
    assert renamed.data["name"] == "Group B"
    assert (await school.delete(f"{member}/{school.student.id}", as_=school.teacher)).status == 204
    assert (await school.delete(f"{path}/{group['id']}", as_=school.teacher)).status == 204
    assert (await school.get(path, as_=school.student)).data == []


async def test_a_guardian_sees_the_courses_of_the_child(school: School) -> None:
    from sqlalchemy import insert

    from lms.people.tables import guardian

    course_id = await make_course(school)
    await enrol(school, course_id, school.student)
    parent = school.people[Role.OBSERVER]
    assert (await school.get(f"/courses/{course_id}", as_=parent)).status == 404
    async with school.database.write(school.org_id) as transaction:
        values = {"observer_id": parent.id, "student_id": school.student.id, "created_at": transaction.now}
        await transaction.execute(insert(guardian).values(org_id=school.org_id, **values))
    seen = await school.get(f"/courses/{course_id}", as_=parent)
    assert seen.data["roles"] == ["observer"]
