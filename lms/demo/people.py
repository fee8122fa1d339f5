"""The organization, its branches and everybody in it: taken in from a CSV file, as a real school would."""

from __future__ import annotations

import csv
import io
from typing import Final
from uuid import UUID

from lms.access.accounts import set_password
from lms.access.roles import Role
from lms.demo.errors import DemoError
from lms.demo.plan import PersonPlan
from lms.demo.school import School

BRANCHES: Final = (("boys-and-girls", "Main building"), ("north", "الفرع الشمالي"))
_COLUMNS: Final = ("name", "email", "external_id", "language", "roles")


async def make_branches(school: School) -> list[UUID]:
    """Make the branches and return their ids."""
    made = [
        await school.api.ask(school.owner, "POST", "/branches", {"slug": slug, "name": name}) for slug, name in BRANCHES
    ]
    return [UUID(each["id"]) for each in made]


async def take_in_people(school: School, password: str) -> None:
    """Take in everybody of the plan, give each a password, and say who looks after whom."""
    content = _file(school.plan.people)
    report = await school.api.ask(school.owner, "POST", "/users/import", csv=content)
    if not report["written"]:
        raise DemoError(f"the people were not taken in: {[each for each in report['lines'] if each['message']][:3]}")
    for person, line in zip(school.plan.people, report["lines"], strict=True):
        school.ids[person.key] = UUID(line["user_id"])
        school.codes[person.key] = line["code"]
        school.count(person.role.value)
    await _give_passwords(school, password)
    for student, guardian in school.plan.guardians:
        path = f"/users/{school.ids[student]}/guardians/{school.ids[guardian]}"
        await school.api.ask(school.ids["admin-1"], "PUT", path)


async def _give_passwords(school: School, password: str) -> None:
    """One hash does for all: it is one password, and everybody may know it."""
    parts = school.parts
    hashed = await parts.passwords.hash(password)
    async with parts.database.write(school.org_id) as transaction:
        for person in school.plan.people:
            user_id = school.ids[person.key]
            await set_password(transaction, parts.ids.new(), user_id, hashed, email=person.email)
            parts.forget_standing(transaction, user_id)


def _file(people: tuple[PersonPlan, ...]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    for person in people:
        writer.writerow((person.name, person.email, person.key, person.language, person.role.value))
    return written.getvalue().encode()


def shown_first(school: School) -> list[PersonPlan]:
    """Return those whose logins a newcomer wants to try: everybody with a task, and some of the course that is on."""
    students, guardians = school.plan.courses[0].students[:2], school.plan.of(Role.OBSERVER)
    staff = [person for person in school.plan.people if person.role not in {Role.STUDENT, Role.OBSERVER}]
    return [*staff, *(each for each in school.plan.people if each.key in students), *guardians[:1]]
