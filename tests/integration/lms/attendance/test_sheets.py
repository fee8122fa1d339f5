"""Attendance over HTTP, on both databases: from events as the feed tells them to sheets, files, changes and rates."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import insert

from lms.access.roles import Role
from lms.attendance.keeping import begin_anew, read_cursor
from lms.attendance.settling import Settler
from lms.courses.rules import CourseRole
from lms.courses.tables import EnrolmentSource, EnrolmentStatus, enrolment
from tests.support.lms import Person, School
from tests.support.lms_attendance import HeldClass, hold_class
from tests.unit.lms.attendance.lesson import BEGIN, MediaServer


class Lesson:
    """A class of 20 minutes, held before the present of the tests."""

    def __init__(self, school: School, held: HeldClass, students: list[Person]) -> None:
        self.school = school
        self.held = held
        self.students = students
        self.path = f"/live-classes/{held.class_id}/attendance"
        self.settler = Settler(school.database, school.parts.ids, school.parts.outbox, school.clock)


@pytest.fixture
async def lesson(school: School) -> Lesson:
    names = ("Amal", "=cmd|' /C calc'!A0", "Dana", "منى")
    students = [await school.person(Role.STUDENT, name=name) for name in names]
    parts = school.parts
    held = await hold_class(
        school.database,
        parts.ids,
        parts.outbox,
        school.org_id,
        "al-noor",
        [each.id for each in students],
        school.teacher.id,
    )
    return Lesson(school, held, students)


def twenty_minutes() -> MediaServer:
    """Amal stays, Badr comes after 15 minutes, Dana has two devices and a crash, Eman never comes, a guest does."""
    server = MediaServer()
    amal = server.join("amal")
    phone, laptop = server.join("dana"), server.join("dana")
    guest = server.join("guest-1")
    server.wait(300)
    server.leave(phone)
    server.crash(down_s=3)
    amal, laptop = server.join("amal"), server.join("dana")
    guest = server.join("guest-1")
    server.wait(600)
    badr = server.join("badr")
    server.leave(guest)
    server.wait(297)
    for each in (amal, laptop, badr):
        server.leave(each)
    return server


async def test_a_class_is_kept_shown_and_settled(lesson: Lesson) -> None:
    school, held, teacher = lesson.school, lesson.held, lesson.school.teacher
    assert (await school.get(lesson.path, as_=teacher)).data["state"] == "live"
    server = twenty_minutes()
    events = held.told(server)
    assert await held.keep(events) == len(events)
    assert await held.keep(events) == 0
    await lesson.settler.run_once()
    await held.end(1200)
    sheet = (await school.get(lesson.path, as_=teacher)).data
    assert sheet["state"] == "provisional"
    assert await lesson.settler.run_once() >= 1
    sheet = (await school.get(lesson.path, as_=teacher)).data
    assert sheet["state"] == "final"
    assert not sheet["incomplete"]
    rows = {row["user_id"]: row for row in sheet["members"]}
    amal, badr, dana, eman = (rows[str(each.id)] for each in lesson.students)
    # The crash was 300 s after the last heartbeat's begin and cost nothing; the three seconds until they came back
    # are a gap that the rules overlook.
    assert [row["status"] for row in (amal, badr, dana, eman)] == ["present", "partial", "present", "absent"]
    assert (amal["present_s"], amal["joins"], amal["percent"]) == (1200, 1, "100.00")
    assert badr["present_s"] == 297
    assert badr["late_s"] == 903
    assert dana["present_s"] == 1200
    assert eman["present_s"] == 0
    assert sheet["counts"] == {"absent": 1, "partial": 1, "late": 0, "left_early": 0, "present": 2, "excused": 0}
    assert [other["identity"] for other in sheet["others"]] == ["guest-1"]
    assert await lesson.settler.run_once() == 0


async def test_who_sees_what(lesson: Lesson) -> None:
    school, held = lesson.school, lesson.held
    await held.keep(held.told(twenty_minutes()))
    await held.end(1200)
    await lesson.settler.run_once()
    amal, badr = lesson.students[:2]
    mine = (await school.get(f"{lesson.path}/{amal.id}", as_=amal)).data
    assert mine["row"]["status"] == "present"
    assert [each["close"] for each in mine["intervals"]] == ["node_lost", "leave"]
    assert (await school.get(f"{lesson.path}/{badr.id}", as_=amal)).status == 404
    assert (await school.get(lesson.path, as_=amal)).status == 403
    assert (await school.get(lesson.path, as_=school.other.teacher)).status == 404
    assert (await school.get(lesson.path, as_=school.other.owner)).status == 404
    stranger = await school.person(Role.TEACHER)
    assert (await school.get(lesson.path, as_=stranger)).status == 404
    assert (await school.get(lesson.path, as_=school.manager)).status == 200
    assert (await school.get(f"/users/{amal.id}/attendance", as_=amal)).data["rate"] == "100.00"
    assert (await school.get(f"/users/{amal.id}/attendance", as_=badr)).status == 404


async def test_files_calculate_nothing(lesson: Lesson) -> None:
    school, held = lesson.school, lesson.held
    await held.keep(held.told(twenty_minutes()))
    await held.end(1200)
    answer = await school.get(f"{lesson.path}.csv", as_=school.teacher, language="ar")
    text = answer.content.decode("utf-8-sig")
    assert text.splitlines()[0].startswith("الرمز,الاسم,الحالة")
    assert "'=cmd|' /C calc'!A0" in text
    assert ",=" not in text
    assert "منى" in text
    assert "2026-09-01 11:00:00" in text  # Riyadh
    answer = await school.get(f"{lesson.path}.xlsx", as_=school.teacher, language="en")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        strings = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "=cmd|' /C calc'!A0" in strings
    assert "منى" in strings
    course = await school.get(f"/courses/{held.course_id}/attendance.xlsx", as_=school.teacher)
    assert course.status == 200


async def test_teachers_decide_with_a_reason(lesson: Lesson) -> None:
    school, held, teacher = lesson.school, lesson.held, lesson.school.teacher
    amal, badr, _, eman = lesson.students
    early = {"user_id": str(eman.id), "status": "present", "reason": "was in the room with Amal"}
    assert (await school.post(f"{lesson.path}/override", early, as_=teacher)).status == 200  # while it lasts
    await held.keep(held.told(twenty_minutes()))
    await held.end(1200)
    await lesson.settler.run_once()
    rows = {row["user_id"]: row for row in (await school.get(lesson.path, as_=teacher)).data["members"]}
    assert (rows[str(eman.id)]["status"], rows[str(eman.id)]["computed"]) == ("present", "absent")
    excused = {"user_id": str(badr.id), "excused": True, "reason": "doctor"}
    sheet = (await school.post(f"{lesson.path}/excuse", excused, as_=teacher)).data
    assert sheet["counts"] == {"absent": 0, "partial": 0, "late": 0, "left_early": 0, "present": 3, "excused": 1}
    back = {"user_id": str(eman.id), "status": None, "reason": "was not, after all"}
    assert (await school.post(f"{lesson.path}/override", back, as_=teacher)).data["counts"]["absent"] == 1
    guest = {"identity": "guest-1", "user_id": str(eman.id), "reason": "shared a laptop"}
    sheet = (await school.post(f"{lesson.path}/recognise", guest, as_=teacher)).data
    assert sheet["others"] == []
    assert {row["user_id"]: row["present_s"] for row in sheet["members"]}[str(eman.id)] == 903
    detail = (await school.get(f"{lesson.path}/{eman.id}", as_=teacher)).data
    reasons = [each["reason"] for each in detail["history"]]
    assert reasons == ["was in the room with Amal", "was not, after all", "shared a laptop"]
    assert [each["actor_id"] for each in detail["history"]][:2] == [str(teacher.id)] * 2
    stranger = {"user_id": str(school.student.id), "status": "present", "reason": "x"}
    assert (await school.post(f"{lesson.path}/override", stranger, as_=teacher)).code == "not_on_roster"
    assert (await school.post(f"{lesson.path}/override", early, as_=amal)).status == 403
    assert (await school.post(f"{lesson.path}/override", early | {"reason": ""}, as_=teacher)).status == 400


async def test_12_new_rules_touch_only_rows_whose_outcome_changes(lesson: Lesson) -> None:
    school, held, teacher = lesson.school, lesson.held, lesson.school.teacher
    amal, badr = lesson.students[:2]
    await held.keep(held.told(twenty_minutes()))
    await held.end(1200)
    await lesson.settler.run_once()
    keep = {"user_id": str(amal.id), "status": "late", "reason": "came late to the room"}
    await school.post(f"{lesson.path}/override", keep, as_=teacher)
    path = f"/courses/{held.course_id}/attendance-policy"
    bad = await school.put(path, {"min_percent": "100.01"}, as_=teacher, version=0)
    assert (bad.status, bad.code, bad.error["details"]["field"]) == (400, "bad_policy", "min_percent")
    assert (await school.put(path, {"min_percent": "20"}, as_=teacher)).status == 428
    assert (await school.put(path, {"min_percent": "20"}, as_=teacher, version=0)).data["scope"] == "course"
    assert (await school.put(path, {"min_percent": "30"}, as_=teacher, version=0)).status == 409
    changed = await held.settle()
    assert changed == [badr.id]
    rows = {row["user_id"]: row for row in (await school.get(lesson.path, as_=teacher)).data["members"]}
    assert rows[str(badr.id)]["status"] == "late"
    assert rows[str(amal.id)]["status"] == "late"
    assert rows[str(amal.id)]["computed"] == "present"
    history = (await school.get(f"{lesson.path}/{badr.id}", as_=teacher)).data["history"]
    assert [(each["old"]["status"], each["new"]["status"]) for each in history] == [("partial", "late")]
    rates = (await school.get(f"/courses/{held.course_id}/attendance", as_=teacher)).data
    assert (rates["runs"], rates["rate"]) == (1, "75.00")
    assert (await school.request("DELETE", path, as_=teacher)).status == 204
    assert await held.settle() == [badr.id]
    assert (await school.put("/attendance-policy", {}, as_=teacher, version=0)).status == 403


async def test_11_who_enrols_afterwards_was_not_absent(lesson: Lesson) -> None:
    school, held = lesson.school, lesson.held
    late = await school.person(Role.STUDENT)
    async with school.database.write(school.org_id) as transaction:
        await transaction.execute(
            insert(enrolment).values(
                org_id=school.org_id,
                id=school.parts.ids.new(),
                course_id=held.course_id,
                user_id=late.id,
                role=CourseRole.STUDENT,
                status=EnrolmentStatus.ACTIVE,
                source=EnrolmentSource.MANUAL,
                created_at=BEGIN + timedelta(hours=1),
                updated_at=BEGIN,
            )
        )
    await held.end(1200)
    await lesson.settler.run_once()  # nobody came, and that is known too
    sheet = (await school.get(lesson.path, as_=school.teacher)).data
    assert sheet["counts"]["absent"] == len(lesson.students)
    assert str(late.id) not in {row["user_id"] for row in sheet["members"]}


async def test_losses_are_said(lesson: Lesson) -> None:
    school, held = lesson.school, lesson.held
    await held.keep([])
    async with school.database.write_all() as transaction:
        await begin_anew(transaction, "media")
        assert await read_cursor(transaction, "media") is None
    assert (await school.get(lesson.path, as_=school.teacher)).data["incomplete"]


async def test_9_a_silent_media_server_is_believed_until_it_was_last_heard(school: School) -> None:
    students = [(await school.person(Role.STUDENT)).id for _ in range(4)]
    parts, begin = school.parts, school.clock.now()
    held = await hold_class(
        school.database, parts.ids, parts.outbox, school.org_id, "al-noor", students, school.teacher.id, begin=begin
    )
    path = f"/live-classes/{held.class_id}/attendance/{students[0]}"

    async def row() -> dict[str, object]:
        return dict((await school.get(path, as_=school.teacher)).data["row"])

    server = MediaServer(skew_s=(begin - BEGIN).total_seconds())
    amal = server.join("amal")
    await held.keep(held.told(server))
    school.clock.turn(30)
    await held.keep([])
    assert ((await row())["present_s"], (await row())["standing"]) == (30, "here")
    school.clock.turn(600)  # the network is away: no longer than we heard of it
    assert ((await row())["present_s"], (await row())["standing"]) == (30, "reconnecting")
    await held.keep([])  # it was alive all the time
    assert ((await row())["present_s"], (await row())["standing"]) == (630, "here")
    server.wait(640)
    server.leave(amal)
    assert await held.keep(held.told(server)) == 2
    school.clock.turn(60)
    assert ((await row())["present_s"], (await row())["standing"]) == (640, "gone")


async def test_who_was_given_up_for_silence_was_there_until_the_last_sign_of_life(lesson: Lesson) -> None:
    school, held = lesson.school, lesson.held
    server = MediaServer()
    amal, badr, dana = (server.join(each) for each in ("amal", "badr", "dana"))
    server.wait(600)
    server.fall_silent(amal, idle_s=10, noticed_s=12.5)
    server.wait(60)
    server.leave(amal, "disconnected")  # nobody came back: the suspension ended it
    server.fall_silent(badr, idle_s=0.25, noticed_s=20, waits=False)
    server.wait(507.5)
    server.fall_silent(dana, idle_s=5000, noticed_s=0, waits=False)  # never before the join
    events = held.told(server)
    assert await held.keep(events) == len(events)
    assert await held.keep(events) == 0
    await held.end(1200)
    sheet = (await school.get(lesson.path, as_=school.teacher)).data
    rows = {row["user_id"]: row for row in sheet["members"]}
    present = [rows[str(each.id)]["present_s"] for each in lesson.students]
    assert present == [590, 672, 0, 0]


async def test_what_cannot_be_is_refused(lesson: Lesson) -> None:
    school, teacher, amal = lesson.school, lesson.school.teacher, lesson.students[0]
    override = {"user_id": str(amal.id), "status": "late", "reason": "ok"}
    for wrong in (
        override | {"reason": "a\0b"},
        override | {"reason": "   "},
        override | {"reason": "x" * 501},
        override | {"status": "asleep"},
        override | {"user_id": "1"},
        override | {"more": 1},
    ):
        answer = await school.post(f"{lesson.path}/override", wrong, as_=teacher)
        assert (answer.status, answer.code) == (400, "bad_field"), wrong
    path = f"/courses/{lesson.held.course_id}/attendance"
    assert (await school.get(path, as_=teacher, since="2026-09-01T08:00:00")).status == 400  # of which zone?
    assert (await school.get(path, as_=teacher, since="2026-09-01T08:00:00Z")).status == 200
    for percent in ("NaN", "-1", "1e400", "33.333", "Infinity"):
        answer = await school.put(f"{path}-policy", {"min_percent": percent}, as_=teacher, version=0)
        assert answer.status == 400, percent
    nowhere = f"/live-classes/{lesson.held.course_id}/attendance"
    assert (await school.get(nowhere, as_=teacher)).status == 404
    assert (await school.get(lesson.path, as_=teacher, run_id=str(lesson.held.course_id))).status == 404
