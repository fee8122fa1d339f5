"""Two schools of one service with one of each thing, and every request of the OpenAPI document to try on them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from lms.access.roles import PERMISSIONS, Permission, Role
from lms.api.endpoint import JSON, AnyEndpoint
from lms.application import endpoints_of
from lms.database.database import Database
from lms.database.settings import DatabaseSettings
from lms.database.transaction import Transaction
from lms.webhooks.settings import WebhookSettings
from tests.support.lms import Answer, Person, School, running_school
from tests.support.lms_requests import Operation, Place, operations_of
from tests.support.lms_world import World, still

OURS, THEIRS = "Nightingale", "Zebra"
ANYWHERE: Final = WebhookSettings(allow_private_addresses=True, allow_plain_http=True)
SOME: Final = (Role.OWNER, Role.TEACHER, Role.STUDENT)
"""Between them they may do everything, and have what is personal."""

BESIDE: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("create_live_class", "group_id"): {"course_id": "course_id"},
    ("create_class_series", "group_id"): {"course_id": "course_id"},
    ("generate_access_codes", "group_id"): {"course_id": "course_id"},
    ("generate_access_codes", "note"): {"course_id": "course_id"},
    ("create_grade_item", "class_id"): {"kind": "attendance"},
}
"""What a field cannot be without; ids are those of the world."""
ELSEWHERE: Final = {"change_live_class": {"class_id": "later_class_id"}}
"""Operations that need another thing than the others: a class that is on cannot be moved."""
FILES: Final = {"import_users": b"name,roles\nMuna,student\n", "import_gradebook": b"code,name\n"}
UNREACHED: Final = frozenset({"media_unavailable"})
"""As good as done: only a media server is missing."""


class ForgottenError(Exception):
    """Undoes what was written."""


class Grounds:
    """Two schools with one of each thing, and the requests that there are."""

    def __init__(self, school: School, ours: World, theirs: World, document: dict[str, Any]) -> None:
        self.school = school
        self.ours = ours
        self.theirs = theirs
        endpoints = {each.operation: each for each in endpoints_of(school.parts)}
        self.known: list[tuple[Operation, AnyEndpoint]] = [
            (each, endpoints[each.name]) for each in operations_of(document) if each.name in endpoints
        ]

    def roles(self, endpoint: AnyEndpoint) -> Sequence[Role]:
        """Return who may ask at all; on PostgreSQL some that between them may do everything, not all again."""
        asking = Role if not self.school.database.is_postgresql else SOME
        access = endpoint.access
        return [each for each in asking if not isinstance(access, Permission) or access in PERMISSIONS[each]]

    async def ask(
        self,
        operation: Operation,
        as_: Person | None,
        *,
        foreign: Sequence[str] = (),
        place: Place = (),
        value: Any = None,
        **query: Any,
    ) -> Answer:
        """Ask for our own things, but for these ids of theirs, and for a field that is another."""
        own = self.ours.ids
        ids = own | {name: own[of] for name, of in ELSEWHERE.get(operation.name, {}).items()}
        ids |= {each: self.theirs.ids[each] for each in foreign}
        media_type = operation.media_type
        sent: dict[str, Any] = {}
        if media_type == JSON:
            body = operation.body(self.ours.ids, place, value)
            beside = BESIDE.get((operation.name, str(place[0]) if place else ""), {})
            sent = {"json": body | {name: self.ours.ids.get(of, of) for name, of in beside.items()}}
        elif media_type is not None:
            sent = {"content": FILES[operation.name], "content_type": media_type}
        asked: dict[str, Any] = operation.needed_query | query
        return await self.school.request(operation.method, operation.address(ids), as_=as_, version=1, **sent, **asked)


@asynccontextmanager
async def grounds(folder: Path, settings: DatabaseSettings, word: str = OURS) -> AsyncIterator[Grounds]:
    """Run them; `word` is in all texts of the first."""
    async with running_school(folder, settings, webhooks=ANYWHERE) as school:
        await still(school)
        ours, theirs = World(school, word), World(school.other, THEIRS)
        await ours.furnish()
        await theirs.furnish()
        yield Grounds(school, ours, theirs, json.loads((await school.get("/openapi.json")).content))


@contextmanager
def forgetting(database: Database) -> Iterator[None]:
    """Undo every write once it is done, so that each request finds everything as it was."""
    write, write_all = database.write, database.write_all

    @asynccontextmanager
    async def undone(opened: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        try:
            async with opened as transaction:
                yield transaction
                for prepare in transaction.before_commit:
                    await prepare(transaction)
                raise ForgottenError
        except ForgottenError:
            pass

    def write_and_forget(org_id: UUID) -> AbstractAsyncContextManager[Transaction]:
        return undone(write(org_id))

    database.write = write_and_forget  # type: ignore[method-assign]
    database.write_all = lambda: undone(write_all())  # type: ignore[method-assign]
    try:
        yield
    finally:
        database.write = write  # type: ignore[method-assign]
        database.write_all = write_all  # type: ignore[method-assign]
