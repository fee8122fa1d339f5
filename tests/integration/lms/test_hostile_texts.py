"""SQL, script, formulas and what no database keeps, in every text of every body, query and address of the document.

A text is refused by the name of its field, or it is a text: it comes back as it was and is no formula in any file.
Everything that is written meanwhile is forgotten, so each request meets the same school.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from lms.api.endpoint import JSON, AnyEndpoint
from lms.database.settings import DatabaseSettings
from tests.support.lms import Answer, Person
from tests.support.lms_grounds import SOME, UNREACHED, Grounds, forgetting, grounds
from tests.support.lms_requests import Operation

HOSTILE: Final = (
    "'; DROP TABLE app_user;-- <script>alert(1)</script> %s %(x)s {0} {{7*7}} ${jndi:x}",
    "=HYPERLINK(1)\u202eمرحبا\u200f \U0001f600",
)
UNKEPT: Final = "a\0b"
HARMLESS: Final = "nothing to see"
FORMULA: Final = re.compile(r"^[=+\-@\t\r]")
NUMBER: Final = re.compile(r"^-?[0-9.]+$")
TEXT: Final = re.compile(r"<t[^>]*>([^<]*)</t>")
CALCULATED: Final = re.compile(r"<f[^>]*>([^<]*)</f>")
TABLES: Final = {"text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
OF_A_COURSE: Final = frozenset({"list_access_codes"})
"""Lists that must be narrowed."""
NOT_YET: Final = frozenset({"download_course_attendance_csv", "download_course_attendance_xlsx"})
"""They tell of classes that are over; the one here is on. `attendance/test_sheets.py` has them."""
PATIENT: Final = pytest.mark.timeout(300)


@PATIENT
async def test_every_text_is_a_text_or_refused(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    wrong: list[str] = []
    asked = 0
    async with grounds(tmp_path, database_settings) as world:
        with forgetting(world.school.database):
            for operation, endpoint in world.known:
                for field in operation.texts:
                    if field.is_id:
                        continue
                    person = await _who_may(world, operation, endpoint, field.place)
                    for text in (*HOSTILE, UNKEPT):
                        answer = await world.ask(operation, person, place=field.place, value=text)
                        asked += 1
                        wrong += _faults(operation, field.name, text, answer)
                for query in operation.query:
                    if query.is_id:
                        continue
                    for text in HOSTILE:
                        asking: dict[str, Any] = {query.name: text}
                        if operation.name in OF_A_COURSE:
                            asking["course_id"] = world.ours.ids["course_id"]
                        answer = await world.ask(operation, world.school.owner, **asking)
                        wrong += _faults(operation, query.name, text, answer)
                for name in set(operation.places) - set(operation.id_places):
                    for text in HOSTILE:
                        ids = world.ours.ids | {name: quote(text, safe="")}
                        answer = await world.school.request(
                            operation.method, operation.address(ids), as_=world.school.owner
                        )
                        if answer.status >= 500:
                            wrong.append(f"{operation.name}: {answer.status} to {text!r} as {name}")
    assert not wrong, "\n".join(wrong)
    assert asked > 200


async def _who_may(world: Grounds, operation: Operation, endpoint: AnyEndpoint, place: Any) -> Person:
    """Return somebody who gets as far as the text, the owner where nobody does: it has a form of its own."""
    for role in SOME:
        if role not in world.roles(endpoint):
            continue
        answer = await world.ask(operation, world.school.people[role], place=place, value=HARMLESS)
        if answer.status < 300 or (answer.body is not None and answer.code in UNREACHED):
            return world.school.people[role]
    return world.school.owner


def _faults(operation: Operation, name: str, text: str, answer: Answer) -> list[str]:
    """Return what is wrong with an answer to a text."""
    told = f"{operation.name}.{name}: {answer.status} to {text!r}"
    if answer.status >= 500 and (answer.body is None or answer.code not in UNREACHED):
        return [told]
    if answer.status == 400 and answer.code == "bad_field" and name not in answer.error["details"].get("field", ""):
        return [f"{told}, which names {answer.error['details'].get('field')}"]
    if text == UNKEPT and answer.status < 300:
        return [f"{told}: no database keeps it"]
    if answer.status >= 300 or not answer.content:
        return []
    if answer.headers["X-Content-Type-Options"] != "nosniff":
        return [f"{told}, and browsers may guess what it is"]
    if answer.body is not None:
        if not answer.headers["Content-Type"].startswith(JSON):
            return [f"{told}, as {answer.headers['Content-Type']}"]
        there = list(_named(answer.body["data"], name))
        if operation.method != "GET" and there and text not in there:
            return [f"{told}, which came back as {there}"]
    return []


def _named(value: Any, name: str) -> list[str]:
    """Return the texts of this name in an answer."""
    if isinstance(value, list):
        return [text for each in value for text in _named(each, name)]
    if not isinstance(value, dict):
        return []
    own = [value[name]] if isinstance(value.get(name), str) else []
    return own + [text for each in value.values() for text in _named(each, name)]


@PATIENT
async def test_no_text_is_a_formula_in_a_file(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    """Every text of a school begins with =, and every table that the document offers is read by whoever may."""
    async with grounds(tmp_path, database_settings, word=HOSTILE[1]) as world:
        school, read = world.school, set()
        for person in (school.student, school.teacher):
            renamed = {"name": f"{HOSTILE[1]} {person.code}"}
            answer = await school.patch(f"/users/{person.id}", renamed, as_=school.owner, version=1)
            assert answer.status == 200, answer.body
        for operation, _ in world.known:
            told = operation.answers.get("200", {}).get("content", {})
            if operation.method != "GET" or not TABLES & {each.partition(";")[0] for each in told}:
                continue
            for role in SOME:
                answer = await world.ask(operation, school.people[role])
                if answer.status != 200:
                    continue
                cells = _cells(answer)
                formulas = [cell for cell in cells if FORMULA.match(cell) and not NUMBER.match(cell)]
                assert not formulas, f"{operation.name}: {formulas}"
                if any("HYPERLINK" in cell for cell in cells):
                    read.add(operation.name)
            assert operation.name in read or operation.name in NOT_YET, f"{operation.name} has nothing of the school"
    assert len(read) >= 5


def _cells(answer: Answer) -> list[str]:
    """Return the texts of a table, and what is calculated in it as a text that begins with =."""
    if answer.headers["Content-Type"].startswith("text/csv"):
        return [cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) for cell in row]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.endswith(".xml")]
    texts = [
        f"text: {text}" for sheet in sheets for text in TEXT.findall(sheet)
    ]  # in a workbook it is text for certain
    return texts + [f"={formula}" for sheet in sheets for formula in CALCULATED.findall(sheet)]
