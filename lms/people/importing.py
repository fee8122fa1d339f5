"""Taking in a file of people: each line becomes somebody new or changes somebody, all of them or none.

A line is about who has its code, else its external id, else its address; empty cells leave what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import select

from lms.access.accounts import normal_email
from lms.access.roles import Role, may_give
from lms.api.languages import Language
from lms.api.phrases import expectation
from lms.api.problems import ALREADY_TAKEN, BAD_FIELD, FORBIDDEN, MISSING_FIELD, ProblemError, bad_field
from lms.database.transaction import Transaction
from lms.ids import Ids
from lms.organizations.quotas import check_people
from lms.people.codes import next_code
from lms.people.csv_file import Line
from lms.people.messages import CreateUser, ImportLine, ImportReport, User
from lms.people.problems import IANA_NAME
from lms.people.rules import check_rank
from lms.people.store import derived, insert_user, read_all_users, set_roles, update_user
from lms.people.tables import UserStatus, app_user

_COLUMN_OF = {"name": "display_name"}


@dataclass(slots=True)
class Known:
    """Who there is, by what must be unique."""

    codes: dict[str, User] = field(default_factory=dict)
    emails: dict[str, User] = field(default_factory=dict)
    external_ids: dict[str, User] = field(default_factory=dict)
    gone_codes: set[str] = field(default_factory=set)
    """Of accounts that were closed: codes are not given again."""

    @classmethod
    async def read(cls, transaction: Transaction) -> Known:
        known = cls()
        for user in await read_all_users(transaction):
            known.codes[user.code] = user
            if user.email is not None:
                known.emails[normal_email(user.email)] = user
            if user.external_id is not None:
                known.external_ids[user.external_id] = user
        gone = await transaction.rows(
            select(app_user.c.code).where(app_user.c.org_id == transaction.org_id, app_user.c.deleted_at.is_not(None))
        )
        known.gone_codes = {row.code for row in gone}
        return known

    def find(self, wanted: CreateUser) -> User | None:
        """Return who a line is about."""
        if wanted.code is not None:
            return self.codes.get(wanted.code.upper())
        if wanted.external_id is not None and wanted.external_id in self.external_ids:
            return self.external_ids[wanted.external_id]
        return None if wanted.email is None else self.emails.get(normal_email(wanted.email))


class Importer:
    """Takes lines within one transaction; the caller undoes it if a line was refused, or if it was a rehearsal."""

    def __init__(self, transaction: Transaction, ids: Ids, roles: frozenset[Role], language: Language) -> None:
        self._transaction = transaction
        self._ids = ids
        self._roles = roles
        self._language = language
        self._known = Known()
        self._seen: dict[tuple[str, str], int] = {}
        self.invited: list[tuple[UUID, str]] = []
        """Those new who have an address."""
        self.changed: list[UUID] = []

    async def take(self, lines: Sequence[Line], *, dry_run: bool) -> ImportReport:
        """Return what became of each line."""
        self._known = await Known.read(self._transaction)
        new = sum(line.user is not None and self._known.find(line.user) is None for line in lines)
        if new:
            await check_people(self._transaction, new)
        told = [await self._line(line) for line in lines]
        counts = {action: sum(each.action == action for each in told) for action in ("created", "updated", "unchanged")}
        refused = sum(each.action == "refused" for each in told)
        return ImportReport(
            dry_run=dry_run, written=not dry_run and not refused, refused=refused, lines=tuple(told), **counts
        )

    async def _line(self, line: Line) -> ImportLine:
        try:
            if line.user is None:
                assert line.fault is not None
                fault = line.fault
                problem = MISSING_FIELD if fault.rule == "required" else BAD_FIELD
                expected = None if fault.expected is None else expectation(fault.expected)
                raise ProblemError(
                    problem,
                    field=fault.field,
                    value=fault.value,
                    expected=expected,
                    rule=fault.rule,
                )
            self._check(line.number, line.user)
            return await self._apply(line.number, line.user, line.given)
        except ProblemError as error:
            return self._refused(line.number, error)

    def _check(self, number: int, wanted: CreateUser) -> None:
        if wanted.time_zone is not None and wanted.time_zone not in available_timezones():
            raise bad_field("time_zone", wanted.time_zone, IANA_NAME, "choice")
        unique = {
            "code": wanted.code and wanted.code.upper(),
            "email": wanted.email and normal_email(wanted.email),
            "external_id": wanted.external_id,
        }
        for name, value in unique.items():
            if not value:
                continue
            if (name, value) in self._seen:
                raise ProblemError(ALREADY_TAKEN, field=name, value=value, rule="unique")
            self._seen[name, value] = number
        if unique["code"] in self._known.gone_codes:
            raise ProblemError(ALREADY_TAKEN, field="code", value=wanted.code, rule="unique")

    async def _apply(self, number: int, wanted: CreateUser, given: frozenset[str]) -> ImportLine:
        present = self._known.find(wanted)
        self._check_others(wanted, present)
        if present is None:
            return await self._create(number, wanted)
        changes = {
            _COLUMN_OF.get(name, name): getattr(wanted, name)
            for name in given - {"roles", "code"}
            if getattr(wanted, name) != getattr(present, name)
        }
        roles_change = "roles" in given and set(wanted.roles) != set(present.roles)
        if not changes and not roles_change:
            return ImportLine(line=number, action="unchanged", code=present.code, user_id=present.id)
        check_rank(self._roles, present.roles)
        if roles_change:
            self._check_roles(present.roles, wanted.roles)
            await set_roles(self._transaction, present.id, wanted.roles)
        await update_user(self._transaction, present.id, derived(changes))
        self.changed.append(present.id)
        return ImportLine(line=number, action="updated", code=present.code, user_id=present.id)

    async def _create(self, number: int, wanted: CreateUser) -> ImportLine:
        self._check_roles((), wanted.roles)
        code = wanted.code or await next_code(self._transaction, wanted.roles)
        user_id = self._ids.new()
        names = ("email", "external_id", "phone", "given_name", "family_name", "language", "time_zone")
        values = {name: getattr(wanted, name) for name in names}
        values |= {"code": code, "display_name": wanted.name.strip(), "status": UserStatus.INACTIVE}
        await insert_user(self._transaction, user_id, derived(values))
        await set_roles(self._transaction, user_id, wanted.roles)
        if wanted.email is not None:
            self.invited.append((user_id, wanted.email))
        return ImportLine(line=number, action="created", code=code.upper(), user_id=user_id)

    def _check_others(self, wanted: CreateUser, present: User | None) -> None:
        """Raise ProblemError if somebody else than the line is about has its address or external id."""
        holders: dict[str, tuple[Any, User | None]] = {}
        if wanted.email is not None:
            holders["email"] = (wanted.email, self._known.emails.get(normal_email(wanted.email)))
        if wanted.external_id is not None:
            holders["external_id"] = (wanted.external_id, self._known.external_ids.get(wanted.external_id))
        for name, (value, holder) in holders.items():
            if holder is not None and (present is None or holder.id != present.id):
                raise ProblemError(ALREADY_TAKEN, field=name, value=value, rule="unique")

    def _check_roles(self, before: Sequence[Role], after: Sequence[Role]) -> None:
        for role in set(before) ^ set(after):
            if not may_give(self._roles, role):
                raise ProblemError(FORBIDDEN, field="roles", value=role.value, rule="rank")

    def _refused(self, number: int, error: ProblemError) -> ImportLine:
        expected = error.expected or ""
        words = {**error.words, "field": error.field or "", "value": error.value, "expected": expected}
        return ImportLine(
            line=number,
            action="refused",
            field=error.field,
            value=None if error.value is None else str(error.value)[:100],
            message=error.problem.text(self._language, words),
        )
