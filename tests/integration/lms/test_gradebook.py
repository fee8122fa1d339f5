"""Gradebooks: structure, totals, what students and guardians see, and files there and back."""

from __future__ import annotations

import csv
import io
from typing import Any

from sqlalchemy import insert, select

from lms.access.roles import Role
from lms.audit.tables import audit_log
from lms.people.tables import guardian
from tests.integration.lms.grading import Course, make_course
from tests.support.lms import Answer, Person, School


async def test_categories(school: School) -> None:
    made = await make_course(school)
    path = f"{made.path}/grade-categories"
    exams = await school.post(path, {"name": " Final   exams ", "weight": "60.5"}, as_=made.teacher, key="once")
    assert (exams.status, exams.data["name"], exams.data["position"]) == (201, "Final exams", 2)
    assert (await school.post(path, {"name": " Final   exams ", "weight": "60.5"}, as_=made.teacher, key="once")).data
    assert len((await school.get(path, as_=made.teacher)).data) == 2
    address = f"/grade-categories/{exams.data['id']}"
    changed = await school.patch(address, {"drop_lowest": 1, "position": 1}, as_=made.teacher, version=1)
    assert (changed.data["drop_lowest"], changed.data["version"], changed.data["weight"]) == (1, 2, "60.5")
    assert (await school.patch(address, {"name": "x"}, as_=made.teacher, version=1)).code == "version_conflict"
    assert (await school.patch(address, {"name": "x"}, as_=made.teacher)).code == "version_required"
    for bad in ({"name": " "}, {"weight": "-1"}, {"weight": "1000"}, {"drop_lowest": -1}, {"color": "red"}):
        refused = await school.patch(address, bad, as_=made.teacher, version=2)
        assert (refused.status, refused.error["details"]["field"]) == (400, next(iter(bad)))
    await made.item()
    in_use = await school.delete(f"/grade-categories/{made.category['id']}", as_=made.teacher, version=1)
    assert (in_use.status, in_use.code) == (409, "grade_category_in_use")
    assert (await school.delete(address, as_=made.teacher, version=2)).status == 204
    assert (await school.patch(address, {}, as_=made.teacher, version=3)).status == 404


async def test_items(school: School) -> None:
    made = await make_course(school)
    item = await made.item("واجب ١", due_at="2026-12-01T09:00:00+03:00")
    assert (item["max_points"], item["due_at"], item["kind"]) == ("10", "2026-12-01T06:00:00Z", "manual")
    base = {"category_id": made.category["id"], "title": "Essay", "max_points": "20"}
    for change, status, field in (
        ({"title": "واجب  ١"}, 409, "title"),
        ({"title": "Total"}, 400, "title"),
        ({"title": " "}, 400, "title"),
        ({"max_points": "0"}, 400, "max_points"),
        ({"max_points": "100000"}, 400, "max_points"),
        ({"due_at": "2026-12-01T09:00:00"}, 400, "due_at"),
        ({"due_at": "0001-01-01T00:00:00+14:00"}, 400, "due_at"),
        ({"due_at": "9999-12-31T23:59:59-14:00"}, 400, "due_at"),
        ({"kind": "poll"}, 400, "kind"),
        ({"class_id": str(made.id)}, 400, "class_id"),
        ({"scale": {}}, 400, "scale"),
    ):
        refused = await school.post(f"{made.path}/grade-items", base | change, as_=made.teacher)
        assert (refused.status, refused.error["details"]["field"]) == (status, field), change
    await made.grade(item, made.students[0], "8")
    address = f"/grade-items/{item['id']}"
    too_low = await school.patch(address, {"max_points": "7.5"}, as_=made.teacher, version=1)
    assert (too_low.status, too_low.error["details"]["field"]) == (400, "max_points")
    changed = await school.patch(address, {"max_points": "8", "due_at": None}, as_=made.teacher, version=1)
    assert (changed.data["max_points"], changed.data["due_at"], changed.data["version"]) == ("8", None, 2)
    assert (await school.delete(address, as_=made.teacher, version=2)).status == 204
    assert (await school.get(address, as_=made.teacher)).status == 404
    assert (await made.item("واجب ١"))["position"] == 1


async def test_totals_and_what_each_sees(school: School) -> None:
    made = await make_course(school)
    muna, other = made.students
    exams = (
        await school.post(f"{made.path}/grade-categories", {"name": "Exams", "weight": "60"}, as_=made.teacher)
    ).data
    quiz, essay = await made.item("Quiz"), await made.item("Essay", due_at="2026-12-01T00:00:00Z")
    exam = await made.item("Exam", category_id=exams["id"], max_points="100", hidden=True)
    await made.grade(quiz, muna, "10", feedback="good")
    await made.grade(essay, muna, None, state="missing")
    await made.grade(exam, muna, "70")
    (row, _) = (await school.get(f"{made.path}/gradebook", as_=made.teacher)).data
    assert (row["total"]["percent"], row["published_total"]["percent"]) == ("82.00", "100.00")
    assert row == (await school.get(f"{made.path}/gradebook/{muna.id}", as_=made.teacher)).data

    async def seen(as_: Person, student: Person | None = None) -> Answer:
        student_id = None if student is None else student.id
        return await school.get(f"{made.path}/grades", as_=as_, student_id=student_id)

    own = (await seen(muna)).data
    assert [(each["title"], each["state"], each["points"], each["feedback"]) for each in own["items"]] == [
        ("Quiz", "graded", "10", "good"),
        ("Essay", "missing", None, None),
    ]
    assert own["total"]["percent"] == "100.00"  # what is missing is not due yet
    school.clock.turn(86_400 * 10)
    assert (await seen(muna)).data["total"]["percent"] == "50.00"
    published = await school.post(f"/grade-items/{exam['id']}/publish", as_=made.teacher)
    assert not published.data["hidden"]
    assert (await seen(muna)).data["total"]["percent"] == "62.00"
    assert (await school.get("/grades", as_=muna)).data == [
        {"course_id": str(made.id), "title": "Algebra", "percent": "62.00"}
    ]
    await school.post(f"/grade-items/{exam['id']}/hide", as_=made.teacher)
    assert len((await seen(muna)).data["items"]) == 2

    mother = await school.person(Role.OBSERVER, name="Mother")
    assert (await seen(mother, muna)).status == 404
    async with school.database.write(school.org_id) as transaction:
        row = {"org_id": school.org_id, "observer_id": mother.id, "student_id": muna.id, "created_at": transaction.now}
        await transaction.execute(insert(guardian).values(row))
    assert (await seen(mother, muna)).data == (await seen(muna)).data
    assert (await school.get("/grades", as_=mother, student_id=muna.id)).data[0]["percent"] == "50.00"
    for who, student in ((mother, other), (mother, None), (other, muna), (school.student, None)):
        assert (await seen(who, student)).status == 404
    assert (await school.get(f"{made.path}/gradebook", as_=muna)).status == 403


async def upload(made: Course, content: str, confirm: str | None = None, **options: Any) -> Answer:
    return await made.school.post(
        f"{made.path}/gradebook/import",
        as_=made.teacher,
        content=content.encode(),
        content_type="text/csv",
        confirm=confirm,
        **options,
    )


async def test_files_there_and_back(school: School) -> None:
    made = await make_course(school)
    muna, other = made.students
    quiz, essay = await made.item("=Quiz(1)"), await made.item("Essay, long")
    await made.grade(quiz, muna, "7.25")
    await made.grade(essay, other, None, state="excused")
    file = await school.get(f"{made.path}/gradebook.csv", as_=made.teacher)
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = file.content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["student_code", "student_name", "'=Quiz(1)", "Essay, long", "total"],
        [muna.code, muna.name, "7.25", "", "72.50"],
        [other.code, other.name, "", "excused", ""],
    ]
    preview = (await upload(made, text)).data
    assert (preview["changes"], preview["unchanged"], preview["rejected"], preview["cells"]) == (0, 2, 0, [])

    changed = text.replace("7.25,,", "8.5,missing,").replace(",,excused,", ",-,excused,")
    preview = (await upload(made, changed)).data
    assert not preview["written"]
    told = [(each["line"], each["column"], each["outcome"], each["old"], each["new"]) for each in preview["cells"]]
    assert told == [(2, "=Quiz(1)", "changed", "7.25", "8.5"), (2, "Essay, long", "new", None, "missing")]
    done = (await upload(made, changed, confirm=preview["fingerprint"])).data
    assert (done["written"], done["changes"]) == (True, 2)
    grade = (await school.get(f"/grade-items/{quiz['id']}/grades/{muna.id}", as_=made.teacher)).data
    assert (grade["points"], grade["version"], grade["source"]) == ("8.5", 2, "import")
    assert (await upload(made, changed, confirm=preview["fingerprint"])).code == "preview_outdated"
    async with school.database.read(school.org_id) as transaction:
        noted = await transaction.rows(
            select(audit_log.c.action).where(audit_log.c.action.in_(["grade.export", "grade.import"]))
        )
    assert sorted(row.action for row in noted) == ["grade.export", "grade.import"]


async def test_what_changed_since_the_preview_is_not_written_over(school: School) -> None:
    made = await make_course(school)
    muna = made.students[0]
    quiz = await made.item("Quiz")
    text = f"student_code;Quiz\n{muna.code.lower()};7,5\n"
    preview = (await upload(made, text)).data
    assert preview["cells"][0]["new"] == "7.5"
    await made.grade(quiz, muna, "9")
    refused = await upload(made, text, confirm=preview["fingerprint"])
    assert (refused.status, refused.code) == (409, "preview_outdated")
    assert (await upload(made, text)).data["cells"][0]["old"] == "9"


async def test_files_with_faults_write_nothing(school: School) -> None:
    made = await make_course(school)
    muna, other = made.students
    await made.item("Quiz")
    text = f"student_code,Quiz\n{muna.code},5\n{other.code},=1+1\nNOBODY,5\n{muna.code},6\n"
    report = (await upload(made, text)).data
    assert [(each["line"], each["outcome"]) for each in report["cells"]] == [
        (2, "new"),
        (3, "rejected"),
        (4, "rejected"),
        (5, "rejected"),
    ]
    assert "excused" in report["cells"][1]["problem"]
    arabic = (await upload(made, text, language="ar")).data
    assert arabic["cells"][2]["problem"] == "لا يوجد في المقرر طالب بهذا الرمز"
    refused = await upload(made, text, confirm=report["fingerprint"])
    assert (refused.status, refused.code, refused.error["details"]["more"]) == (422, "file_rejected", {"count": 3})
    unknown = await upload(made, f"student_code,Quiz 2\n{muna.code},5\n")
    assert (unknown.status, unknown.code) == (422, "file_unreadable")
    assert "Quiz 2" in unknown.error["message"]
    rows = (await school.get(f"{made.path}/gradebook", as_=made.teacher)).data
    assert all(row["grades"] == [] for row in rows)
