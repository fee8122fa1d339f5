"""People as CSV files: all lines or none, faults by line, formulas neutralized, what was exported comes in again."""

from __future__ import annotations

import csv
import io

from lms.access.roles import Role
from tests.support.lms import Answer, School

HEAD = "code,name,email,external_id,roles,language\r\n"


async def send(school: School, text: str | bytes, **options: object) -> Answer:
    content = text if isinstance(text, bytes) else text.encode()
    return await school.post("/users/import", content=content, content_type="text/csv", as_=school.admin, **options)


async def test_a_rehearsal_writes_nothing(school: School) -> None:
    text = HEAD + "T1,Teacher One,t1@example.org,,teacher,en\r\n,منى,,x-7,student,ar\r\n"
    rehearsed = (await send(school, text, dry_run="true")).data
    assert (rehearsed["created"], rehearsed["written"]) == (2, False)
    assert (await school.get("/users", as_=school.admin, search="T1")).data == []
    done = (await send(school, text)).data
    assert (done["created"], done["written"]) == (2, True)
    again = (await send(school, text)).data
    assert (again["created"], again["unchanged"]) == (0, 2)
    changed = (await send(school, "external_id;name;language\nx-7;Muna;\n")).data
    assert changed["updated"] == 1
    found = (await school.get("/users", as_=school.admin, search="x-7")).data[0]
    assert (found["name"], found["language"], found["roles"]) == ("Muna", "ar", ["student"])


async def test_one_bad_line_refuses_all_and_every_fault_is_told(school: School) -> None:
    text = HEAD + "".join(
        (
            "A1,Good,a1@example.org,,student,en\r\n",
            ",,,,,\r\n",
            "A1,Twice,,,student,\r\n",
            "A3,Bad address,not-an-address,,student,\r\n",
            "A4,,,,student,\r\n",
            "A5,King,,,king,\r\n",
            f"A6,Taken,{school.admin.code}@x.example,,owner,\r\n",
            "A7,Long,,,student,en,more,cells\r\n",
        )
    )
    report = (await send(school, text, language="ar")).data
    refused = {each["line"]: each["field"] for each in report["lines"] if each["action"] == "refused"}
    assert refused == {4: "code", 5: "email", 6: "name", 7: "roles[0]", 8: "roles", 9: "line"}
    assert not report["written"]
    assert "مستخدمة" in next(each["message"] for each in report["lines"] if each["line"] == 4)
    assert (await school.get("/users", as_=school.admin, search="A1")).data == []


async def test_files_that_are_none(school: School) -> None:
    for content in (b"", b"\xff\xfe\x00", b'name\n"open', b"name,king\n1,2", b"code\nA", b"name\na\0b"):
        answer = await send(school, content)
        assert (answer.status, answer.code, answer.error["details"]["field"]) == (400, "bad_field", "body")
    large = await send(school, b"name\n" + b"x" * (3 << 20))
    assert (large.status, large.code) == (413, "too_large")
    long = await send(school, "name\n" + "x\n" * 5001)
    assert "5000" in long.error["details"]["expected"]


async def test_what_is_exported_comes_in_again_and_is_no_formula(school: School) -> None:
    names = ['=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(A1)", "'=1", "منى، الحربي", 'say "hi"']
    for name in names:
        await school.person(Role.STUDENT, name=name, external_id=f"id {name}")
    export = await school.get("/users/export", as_=school.admin)
    assert export.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(export.content.decode("utf-8-sig"))))
    assert not [cell for row in rows for cell in row.values() if cell and cell[0] in "=+-@"]
    report = (await send(school, export.content)).data
    assert (report["refused"], report["unchanged"]) == (0, len(rows))


async def test_an_export_is_in_the_audit_log_and_the_chain_is_whole(school: School) -> None:
    await school.get("/users/export", as_=school.admin)
    await school.post("/users", {"name": "A"}, as_=school.owner)
    entries = (await school.get("/audit", as_=school.owner)).data
    assert [each["action"] for each in entries] == ["user.create", "user.export"]
    assert entries[1]["actor_id"] == str(school.admin.id)
    assert (await school.get("/audit/check", as_=school.owner)).data["whole"]
    mine = (await school.get("/audit/mine", as_=school.admin)).data
    assert [each["action"] for each in mine] == ["user.export"]
