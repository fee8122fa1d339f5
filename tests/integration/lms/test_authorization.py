"""The authorization matrix: every endpoint of the OpenAPI document, by nobody and by every role, with ids of one's own
school and of another.

Requests are right in everything else: two schools have one of each thing, and bodies are made from the document. So who
may is let through somewhere, and what is refused is refused for whose it is. On SQLite nothing but the service's own
conditions keeps schools apart, and there every role asks; PostgreSQL has row-level security besides.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from lms.access.roles import PERMISSIONS, Permission, Role
from lms.api.endpoint import AnyEndpoint, Open
from lms.application import endpoints_of
from lms.database.draft import import_tables
from lms.database.settings import DatabaseSettings
from lms.database.tables import METADATA, TENANT
from tests.support.lms import Answer, Person, School
from tests.support.lms_grounds import SOME, THEIRS, UNREACHED, Grounds, forgetting, grounds
from tests.support.lms_requests import Operation

NOTHING: Final = UUID(int=7)
"""No school has anything of this id."""
ONLY_SQLITE: Final = pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)
GONE_ANYWAY: Final = frozenset({"remove_group_member", "withdraw_invite"})
"""What is not there need not be taken away: they answer 204 to every id."""
SETTLED: Final = frozenset({"attendance_run", "attendance_roster", "attendance_result"})
"""The service writes them by itself, every five seconds, for every class that is on."""
NOTED: Final = SETTLED | {"audit_log", "audit_head"}
"""What is written when somebody takes away what is not there."""
EVERYBODY: Final = "HALQA_TEST_EVERYBODY" in os.environ
"""Whether all roles are let do what they may, or only some of them: it takes twice as long."""
PATIENT: Final = pytest.mark.timeout(300)

import_tables()


async def rows(school: School) -> dict[str, list[str]]:
    """Return everything that a school has."""
    found = {}
    async with school.database.read_all() as transaction:
        for table in METADATA.tables.values():
            if (column := table.info[TENANT]) is not None:
                own = select(table).where(table.c[column] == school.org_id)
                found[table.name] = sorted(map(repr, await transaction.rows(own)))
    return found


def may(endpoint: AnyEndpoint, role: Role) -> bool:
    return not isinstance(endpoint.access, Permission) or endpoint.access in PERMISSIONS[role]


async def ask(world: Grounds, operation: Operation, endpoint: AnyEndpoint, person: Person | None) -> Answer:
    """Ask for our own things; for who may, and is not among some, it is enough that they are let in to read."""
    if person is None or person.roles[0] in SOME or EVERYBODY or endpoint.access is Open.ANYBODY:
        return await world.ask(operation, person)
    if may(endpoint, person.roles[0]):
        return await world.ask(operation, person, unreadable="1")
    return await world.ask(operation, person)


@PATIENT
@ONLY_SQLITE
async def test_every_endpoint_by_every_role(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    """Who may not is refused; who may is answered as the document says; somebody may use everything that is there."""
    wrong: list[str] = []
    async with grounds(tmp_path, database_settings) as world:
        school = world.school
        before = await rows(school)
        with forgetting(school.database):
            for operation, endpoint in world.known:
                people = [None, *(school.people[role] for role in Role)]
                nobody, *answers = await asyncio.gather(*(ask(world, operation, endpoint, each) for each in people))
                if endpoint.access is not Open.ANYBODY and nobody.status != 401:
                    wrong.append(f"{operation.name} answers nobody with {nobody.status}")
                statuses = {role.value: answer.status for role, answer in zip(Role, answers, strict=True)}
                for role, status in zip(Role, statuses.values(), strict=True):
                    if str(status) not in operation.answers or (not may(endpoint, role) and status != 403):
                        wrong.append(f"{operation.name} answers {role.value} with {status}")
                if operation.id_places and all(status in {400, 403, 404} for status in statuses.values()):
                    wrong.append(f"{operation.name} is for nobody: {statuses}")
        changed = [name for name, there in (await rows(school)).items() if there != before[name]]
    assert not wrong, "\n".join(wrong)
    assert not [name for name in changed if name not in SETTLED]


@PATIENT
async def test_14_ids_of_another_school_open_nothing(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    """Invariant 14: what is another school's looks like what is not there: in addresses, bodies, queries and queues."""
    async with grounds(tmp_path, database_settings) as world:
        school, before = world.school, [await rows(each) for each in (world.school, world.school.other)]
        wrong = [each async for each in by_address(world)]
        changed = [name for name, there in (await rows(school)).items() if there != before[0][name]]
        wrong += [f"it changed {name}" for name in changed if name not in NOTED]
        for look in (by_body, by_query, by_queue):
            wrong += [each async for each in look(world)]
        changed = [name for name, there in (await rows(school.other)).items() if there != before[1][name]]
    assert not wrong, "\n".join(wrong)
    assert not [name for name in changed if name not in SETTLED]


def leaks(answer: Answer) -> bool:
    return THEIRS.encode() in answer.content or THEIRS.lower().encode() in answer.content


async def by_address(world: Grounds) -> AsyncIterator[str]:
    """Every operation with every choice of ids that are theirs, by everybody who may use it."""
    for operation, endpoint in world.known:
        places = operation.id_places
        choices = [each for size in range(1, len(places) + 1) for each in itertools.combinations(places, size)]
        asked = list(itertools.product(world.roles(endpoint), choices))
        people = world.school.people
        answers = [world.ask(operation, people[role], foreign=foreign) for role, foreign in asked]
        for (role, foreign), answer in zip(asked, await asyncio.gather(*answers), strict=True):
            wanted = 404 if operation.name not in GONE_ANYWAY or foreign[0] != places[-1] else 204
            if answer.status != wanted or leaks(answer):
                yield f"{operation.name} answers {role.value} with {answer.status} to {foreign} of another school"


async def by_body(world: Grounds) -> AsyncIterator[str]:
    """Every id in a body: with our own somebody is let through, with theirs the same person is not."""
    for operation, endpoint in world.known:
        for field in operation.texts:
            if not field.is_id:
                continue
            ours, theirs = world.ours.ids[_known(field.name)], world.theirs.ids[_known(field.name)]
            through = None
            with forgetting(world.school.database):
                for role in world.roles(endpoint):
                    answer = await world.ask(operation, world.school.people[role], place=field.place, value=ours)
                    if answer.status < 300 or answer.code in UNREACHED:
                        through = world.school.people[role]
                        break
            if through is None:
                yield f"{operation.name} lets nobody through with {field.place}: {answer.status} {answer.body}"
                continue
            answer = await world.ask(operation, through, place=field.place, value=theirs)
            nothing = await world.ask(operation, through, place=field.place, value=str(NOTHING))
            if (answer.status, answer.code) != (nothing.status, nothing.code) or leaks(answer):
                yield f"{operation.name}: {answer.status} to {field.place} of theirs, {nothing.status} to none"
            elif answer.status not in {400, 404, 409}:
                yield f"{operation.name} answers with {answer.status} to {field.place} of another school"


async def by_query(world: Grounds) -> AsyncIterator[str]:
    """Every list, and every id that narrows one: nothing of theirs is in it."""
    for operation, endpoint in world.known:
        if operation.method != "GET" or endpoint.access is Open.ANYBODY:
            continue
        roles = [each for each in SOME if each in world.roles(endpoint)]
        fields = [each.name for each in operation.query if each.is_id]
        asked = list(itertools.product(roles, [None, *fields]))
        people, theirs = world.school.people, world.theirs.ids
        queries: list[dict[str, Any]] = [{} if name is None else {name: theirs[name]} for _, name in asked]
        answers = [world.ask(operation, people[role], **query) for (role, _), query in zip(asked, queries, strict=True)]
        for (role, name), answer in zip(asked, await asyncio.gather(*answers), strict=True):
            if answer.status >= 500 or leaks(answer):
                yield f"{operation.name} answers {role.value} with {answer.status} to {name} of another school"


QUEUED: Final = {
    "body": "x", "client_id": "phone-1/0002", "emoji": "👍", "seq": 1, "state": "graded", "points": "5", "version": 1,
}  # fmt: skip


async def by_queue(world: Grounds) -> AsyncIterator[str]:
    """Every operation of a queue with every id that is theirs."""
    teacher = world.school.teacher
    for kind, operation in world.school.parts.operations.known.items():
        fields = msgspec.structs.fields(operation.shape)
        known = world.ours.ids | QUEUED
        own = {each.encode_name: known[each.encode_name] for each in fields if each.required or each.name in QUEUED}
        for name in [None, *(each for each in own if each not in QUEUED)]:
            body = own if name is None else own | {name: world.theirs.ids[name]}
            queue = {"device_id": f"{kind}/{name}", "operations": [{"id": "1", "kind": kind, "body": body}]}
            person = world.school.student if kind in {"chat.edit", "chat.delete"} else teacher
            with forgetting(world.school.database):
                answer = await world.school.post("/sync", queue, as_=person)
            [result] = answer.data["results"]
            wanted = "applied" if name is None else "rejected"
            if result["outcome"] != wanted or leaks(answer):
                yield f"{kind} with {name} of another school is {result}"


def _known(name: str) -> str:
    """Return under which name the world knows an id of a list."""
    return name.removesuffix("s")


async def test_every_operation_has_a_name_of_its_own(school: School) -> None:
    operations = [endpoint.operation for endpoint in endpoints_of(school.parts)]
    assert len(operations) == len(set(operations))
