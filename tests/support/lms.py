"""The whole LMS in this process, reached by HTTP, with an organization and people of every role, on both engines."""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import insert

from lms.access.access_tokens import Claims, sign
from lms.access.passwords_settings import PasswordSettings
from lms.access.roles import Role
from lms.api.rate_limits import RateLimitSettings
from lms.clock import TurnedClock
from lms.database.database import Database
from lms.database.settings import DatabaseSettings
from lms.database.transaction import Transaction
from lms.organizations.settings import HostSettings
from lms.organizations.tables import OrganizationStatus, Plan, organization
from lms.people.tables import UserStatus, app_user, membership
from lms.service import LmsService
from lms.settings import HttpSettings, LmsSettings

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""When tests begin."""

GENEROUS = RateLimitSettings(**{each.name: 1_000_000 for each in fields(RateLimitSettings)})
"""Tests ask faster than people do."""

CHEAP_PASSWORDS = PasswordSettings(memory_kib=64, passes=1)
"""Tests check many."""

TOKEN_S = 86_400.0 * 3650
"""How long tokens hold: ten years, because tests turn the clock."""

NO_DNS = HostSettings(nameservers=("127.0.0.1:1",), timeout_s=0.3)
"""Nobody is asked outside of this computer."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    id: UUID
    org_id: UUID
    code: str
    name: str
    roles: tuple[Role, ...]
    token: str


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content: bytes
    headers: Any
    body: Any

    @property
    def data(self) -> Any:
        assert self.body["success"], f"{self.status}: {self.body['error']}"
        return self.body["data"]

    @property
    def meta(self) -> Any:
        return self.body["meta"]

    @property
    def error(self) -> Any:
        assert not self.body["success"], f"{self.status}: {self.body['data']}"
        return self.body["error"]

    @property
    def code(self) -> str:
        """The error's."""
        return str(self.error["code"])


class School:
    """One organization in a running LMS."""

    def __init__(self, service: LmsService, http: aiohttp.ClientSession, clock: TurnedClock, org_id: UUID) -> None:
        self.service = service
        self.parts = service.parts
        self.database: Database = service.parts.database
        self.url = service.url
        self.clock = clock
        self.org_id = org_id
        self._http = http
        self._numbers = itertools.count(1001)
        self.people: dict[Role, Person] = {}
        self.other: School = self
        """A second organization of the same service."""

    @property
    def owner(self) -> Person:
        return self.people[Role.OWNER]

    @property
    def admin(self) -> Person:
        return self.people[Role.ADMIN]

    @property
    def manager(self) -> Person:
        return self.people[Role.MANAGER]

    @property
    def teacher(self) -> Person:
        return self.people[Role.TEACHER]

    @property
    def student(self) -> Person:
        return self.people[Role.STUDENT]

    async def person(self, *roles: Role, name: str = "", language: str | None = None, **columns: Any) -> Person:
        """Make somebody with an account in this organization."""
        async with self.database.write(self.org_id) as transaction:
            return await self.add(transaction, *roles, name=name, language=language, **columns)

    async def add(
        self, transaction: Transaction, *roles: Role, name: str = "", language: str | None = None, **columns: Any
    ) -> Person:
        """Make somebody within a transaction."""
        number = next(self._numbers)
        shown = name or f"{roles[0].value if roles else 'nobody'} {number}"
        person_id = self.parts.ids.new()
        code = f"P{number}"
        values = {
            "code": code,
            "display_name": shown,
            "sort_key": shown.casefold(),
            "language": language,
            "status": UserStatus.ACTIVE,
            "token_version": 1,
            "version": 1,
            "created_at": transaction.now,
        }
        await transaction.execute(insert(app_user).values(org_id=self.org_id, id=person_id, **(values | columns)))
        for role in roles:
            await transaction.execute(
                insert(membership).values(
                    org_id=self.org_id, user_id=person_id, role=role, branch_key="", created_at=transaction.now
                )
            )
        return Person(person_id, self.org_id, code, shown, roles, self.token(person_id))

    def token(self, person_id: UUID, version: int = 1) -> str:
        """Sign an access token."""
        claims = Claims(self.org_id, person_id, version)
        return sign(claims, self.parts.secrets[0], now=self.clock.now(), lifetime_s=TOKEN_S)

    async def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        as_: Person | None = None,
        version: int | None = None,
        key: str | None = None,
        content: bytes | None = None,
        content_type: str | None = None,
        language: str | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        """Ask; `path` may leave out /api/v1."""
        sent = dict(headers or {})
        if as_ is not None:
            sent["Authorization"] = f"Bearer {as_.token}"
        if version is not None:
            sent["If-Match"] = f'"{version}"'
        if key is not None:
            sent["Idempotency-Key"] = key
        if language is not None:
            sent["Accept-Language"] = language
        if content_type is not None:
            sent["Content-Type"] = content_type
        address = self.url + (
            path if path.startswith(("/api/", "/docs", "/health", "/ready", "/metrics")) else f"/api/v1{path}"
        )
        parameters = {name: str(value) for name, value in query.items() if value is not None}
        async with self._http.request(
            method,
            address,
            json=json,
            data=None if content is None else io.BytesIO(content),
            params=parameters,
            headers=sent,
            allow_redirects=False,
        ) as response:
            content = await response.read()
            is_json = response.content_type == "application/json"
            return Answer(response.status, content, response.headers, await response.json() if is_json else None)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        return await self.request("POST", path, json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> Answer:
        return await self.request("PUT", path, json, **options)

    async def patch(self, path: str, json: Any = None, **options: Any) -> Answer:
        return await self.request("PATCH", path, json, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.request("DELETE", path, **options)

    @property
    def http(self) -> aiohttp.ClientSession:
        """For WebSockets and cookies."""
        return self._http


async def make_school(
    service: LmsService, http: aiohttp.ClientSession, clock: TurnedClock, slug: str, name: str
) -> School:
    """Make an organization with somebody of every role."""
    org_id = service.parts.ids.new()
    async with service.parts.database.write_all() as transaction:
        await transaction.execute(
            insert(organization).values(
                id=org_id,
                slug=slug,
                name=name,
                plan=Plan.FREE,
                status=OrganizationStatus.ACTIVE,
                time_zone="Asia/Riyadh",
                language="en",
                settings={},
                quota={},
                version=1,
                created_at=transaction.now,
            )
        )
    school = School(service, http, clock, org_id)
    async with service.parts.database.write(org_id) as transaction:
        for role in Role:
            school.people[role] = await school.add(transaction, role)
    return school


@asynccontextmanager
async def running_school(
    folder: Path, database_settings: DatabaseSettings, *, clock: TurnedClock | None = None, **settings: Any
) -> AsyncIterator[School]:
    """Run an LMS with two organizations; `settings` are fields of LmsSettings."""
    turned = clock or TurnedClock(MONDAY)
    chosen: dict[str, Any] = {
        "http": HttpSettings(port=0),
        "rate_limits": GENEROUS,
        "passwords": CHEAP_PASSWORDS,
        "hosts": NO_DNS,
        **settings,
    }
    service = await LmsService.start(LmsSettings(data=folder, database=database_settings, **chosen), clock=turned)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            school = await make_school(service, http, turned, "al-noor", "Al Noor School")
            school.other = await make_school(service, http, turned, "other-school", "Other School")
            school.other.other = school
            yield school
    finally:
        await service.close()


@pytest.fixture
async def school(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[School]:
    """A school on each engine."""
    async with running_school(tmp_path, database_settings) as running:
        yield running
