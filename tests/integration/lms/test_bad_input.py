"""What nobody should send: 10 MB, deep JSON, broken UTF-8, SQL and script in every text. It is refused, or harmless."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import re
from typing import Any, Final, get_args, get_origin

import msgspec
from sqlalchemy import func, select

from lms.api.endpoint import JSON, AnyEndpoint
from lms.application import endpoints_of
from lms.database.draft import import_tables
from lms.database.tables import METADATA
from tests.integration.lms.grading import Course, make_course
from tests.integration.lms.test_authorization import path_of
from tests.support.lms import Answer, School

HUGE: Final = 10_000_000
PIECE: Final = 1 << 16
DEEP: Final = b'{"a":' * 5000 + b"1" + b"}" * 5000
NOT_UTF8: Final = b'{"name": "\xff\xfe\xc3\x28"}'
HOSTILE: Final = (
    "'; DROP TABLE app_user; --",
    "<script>alert(1)</script>",
    "%s %(x)s {0} {{7*7}} ${jndi:x}",
    "\u202eمرحبا\u200f \U0001f600",
    "=HYPERLINK(1)",
)
FORMULA: Final = re.compile(r"^[=+\-@\t\r]")

import_tables()


def with_json(school: School) -> list[AnyEndpoint]:
    return [each for each in endpoints_of(school.parts) if each.body is not None and each.body_media_type == JSON]


async def send(school: School, endpoint: AnyEndpoint, content: bytes, kind: str = JSON) -> Answer:
    return await school.request(
        endpoint.method, path_of(endpoint), content=content, content_type=kind, as_=school.owner, version=1
    )


async def count_rows(school: School) -> dict[str, int]:
    """Return how many rows there are, but for what is noted of everybody who asks."""
    counts = {}
    async with school.database.read_all() as transaction:
        for table in METADATA.tables.values():
            if table.name not in {"audit_log", "audit_head"}:
                counts[table.name] = await transaction.value(select(func.count()).select_from(table))
    return counts


async def test_no_body_that_is_none_does_anything(school: School) -> None:
    """Each endpoint that takes JSON refuses what is none, in the one shape of refusals."""
    before, wrong = await count_rows(school), []
    for endpoint in with_json(school):
        for content, code in ((DEEP, "bad_json"), (NOT_UTF8, "bad_json"), (b"", "bad_json"), (b"[1,", "bad_json")):
            answer = await send(school, endpoint, content)
            if (answer.status, answer.code) != (400, code):
                wrong.append(f"{endpoint.operation}: {answer.status} {answer.code} to {content[:20]!r}")
        answer = await send(school, endpoint, b"{}", "application/xml")
        if (answer.status, answer.code) != (415, "wrong_content_type"):
            wrong.append(f"{endpoint.operation}: {answer.status} {answer.code} to XML")
    assert not wrong
    assert await count_rows(school) == before


async def test_ten_megabytes_are_refused_before_they_are_read(school: School) -> None:
    before = await count_rows(school)
    for path, kind in (("/users", JSON), ("/auth/login", JSON), ("/users/import", "text/csv")):
        answer = await send_ten_megabytes(school, f"/api/v1{path}", kind)
        assert answer.startswith(b"HTTP/1.1 413 ")
        error = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])["error"]
        assert (error["code"], error["details"]["rule"]) == ("too_large", "length")
    assert await count_rows(school) == before


async def send_ten_megabytes(school: School, path: str, kind: str) -> bytes:
    """Send as much as is taken, and return the answer; the connection is closed behind it."""
    host, _, port = school.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {school.owner.token}\r\n"
        writer.write(f"{head}Content-Type: {kind}\r\nContent-Length: {HUGE}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(HUGE // PIECE):
                writer.write(b"x" * PIECE)
                await writer.drain()
        return await asyncio.wait_for(reader.read(PIECE), 20)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_every_refusal_names_field_value_and_rule(school: School) -> None:
    """For every field of every body: another type than it should have is refused by name."""
    wrong = []
    for endpoint in with_json(school):
        unknown = await send(school, endpoint, b'{"no such field": 1}')
        details = unknown.error["details"]
        if (unknown.code, details.get("field"), details.get("rule")) != ("bad_field", "no such field", "unknown"):
            wrong.append(f"{endpoint.operation}: {unknown.error}")
        assert endpoint.body is not None
        for field in msgspec.structs.fields(endpoint.body):
            value = {"": [{"surely": "wrong"}]}
            answer = await send(school, endpoint, msgspec.json.encode({field.encode_name: value}))
            if answer.status == 400 and answer.code == "bad_field":
                details = answer.error["details"]
                if not (details.get("field") and details.get("rule")):
                    wrong.append(f"{endpoint.operation}.{field.name}: {answer.error}")
            elif answer.status != 404 and not _takes_anything(field.type):
                wrong.append(f"{endpoint.operation}.{field.name}: {answer.status} {answer.code}")
    assert not wrong


def _takes_anything(kind: Any) -> bool:
    """Return whether a field is free JSON: there is no wrong value."""
    return kind is Any or get_origin(kind) is dict or any(_takes_anything(each) for each in get_args(kind))


async def test_hostile_texts_are_texts(school: School) -> None:
    """They come back as they were, break nothing, and are no formula in a file."""
    course = await make_course(school, students=1)
    for text in HOSTILE:
        await write_everywhere(school, course, text)
    for path in ("/users/export", f"{course.path}/gradebook.csv"):
        answer = await school.get(path, as_=school.owner)
        assert answer.status == 200
        cells = [cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) for cell in row]
        assert not [cell for cell in cells if FORMULA.match(cell)]
        assert any(HOSTILE[0] in cell for cell in cells)


async def write_everywhere(school: School, course: Course, text: str) -> None:
    """Have a text be name, title, description, feedback, message ..."""
    student = course.students[0]
    made = await school.post("/users", {"name": text, "roles": ["student"]}, as_=school.owner)
    assert made.data["name"] == text
    enrolled = {"user_ids": [made.data["id"]], "role": "student"}
    assert (await school.post(f"{course.path}/enrolments", enrolled, as_=school.admin)).status == 200
    found = await school.get("/users", as_=school.owner, search=text)
    assert [each["id"] for each in found.data] == [made.data["id"]]
    item = await course.item(text)
    assert item["title"] == text
    graded = await course.grade(item, student, "7", feedback=text, reason=text)
    assert graded.data["feedback"] == text
    for path, body in (
        ("/courses", {"title": text, "description": text}),
        (f"{course.path}/groups", {"name": text}),
        (f"{course.path}/grade-categories", {"name": text, "weight": "1"}),
    ):
        answer = await school.post(path, body, as_=course.teacher)
        assert answer.status == 201, answer.body
        assert text in answer.data.values()
        assert answer.headers["Content-Type"].startswith(JSON)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    room = (await school.post("/rooms", {"kind": "course", "of": str(course.id)}, as_=course.teacher)).data["id"]
    message = {"body": text, "client_id": text[:4].encode().hex().zfill(8)}
    said = await school.post(f"/rooms/{room}/messages", message, as_=student)
    assert said.data["message"]["body"] == text


async def test_a_file_that_is_half_wrong_writes_nothing(school: School) -> None:
    before = await count_rows(school)
    lines = "name,roles\nMuna,student\n,student\nZaid,emperor\n"
    answer = await school.post("/users/import", content=lines.encode(), content_type="text/csv", as_=school.owner)
    assert answer.status in {200, 400, 422}, answer.body
    assert await count_rows(school) == before
    broken = await school.post(
        "/users/import", content=b"name\n\xff\xfe\xfa", content_type="text/csv", as_=school.owner
    )
    assert broken.status in {400, 422}, broken.body
    assert await count_rows(school) == before
