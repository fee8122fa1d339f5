"""/api/v1/users: people, their roles, and who looks after whom."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
from msgspec import UNSET
from sqlalchemy import delete, insert

from lms.access.links import send_link
from lms.access.logins import end_logins
from lms.access.roles import Permission, Role
from lms.access.tables import LinkKind
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Open, Reply, Result
from lms.api.phrases import same
from lms.api.problems import ALREADY_TAKEN, CONFLICT, NOT_FOUND, QUOTA_EXCEEDED, ProblemError, bad_field, not_found
from lms.audit.record import record
from lms.organizations.quotas import check_people
from lms.parts import Parts
from lms.people.codes import next_code
from lms.people.messages import ChangeUser, CreateUser, Guardian, GuardianPath, SetRoles, User, UserPath, UserQuery
from lms.people.problems import IANA_NAME, THE_GUARDIAN, THE_USER
from lms.people.rules import LAST_OWNER, check_rank, check_roles
from lms.people.store import (
    check_unique,
    children_of,
    count_owners,
    derived,
    insert_user,
    looks_after,
    read_guardians,
    read_user,
    read_users,
    set_roles,
    update_user,
)
from lms.people.tables import UserStatus, guardian

TAG: Final = "People"
USERS: Final = "/api/v1/users"
USER: Final = f"{USERS}/{{user_id}}"


class PeopleEndpoints:
    """People of an organization."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_users",
                method="GET",
                path=USERS,
                summary="List people",
                tag=TAG,
                access=Permission.PEOPLE_READ,
                query=UserQuery,
                answers={200: Reply("A page of people, in the order of their names.", list[User])},
                run=self._list,
            ),
            Endpoint(
                operation="create_user",
                method="POST",
                path=USERS,
                summary="Make an account",
                tag=TAG,
                access=Permission.PEOPLE_WRITE,
                body=CreateUser,
                answers={201: Reply("The account.", User)},
                problems=(ALREADY_TAKEN, QUOTA_EXCEEDED),
                idempotency_key=True,
                run=self._create,
            ),
            Endpoint(
                operation="get_user",
                method="GET",
                path=USER,
                summary="Look at somebody",
                tag=TAG,
                access=Permission.PEOPLE_READ,
                parameters=UserPath,
                answers={200: Reply("The person.", User)},
                problems=(NOT_FOUND,),
                run=self._get,
            ),
            Endpoint(
                operation="change_user",
                method="PATCH",
                path=USER,
                summary="Change an account",
                tag=TAG,
                access=Permission.PEOPLE_WRITE,
                parameters=UserPath,
                body=ChangeUser,
                answers={200: Reply("The account as it is now.", User)},
                problems=(NOT_FOUND, ALREADY_TAKEN, LAST_OWNER),
                versioned=True,
                run=self._change,
            ),
            Endpoint(
                operation="delete_user",
                method="DELETE",
                path=USER,
                summary="Close an account",
                description="What the person did stays: attendance, grades, messages. Erasure is another thing.",
                tag=TAG,
                access=Permission.PEOPLE_WRITE,
                parameters=UserPath,
                answers={204: Reply("Closed.")},
                problems=(NOT_FOUND, LAST_OWNER),
                run=self._delete,
            ),
            Endpoint(
                operation="set_roles",
                method="PUT",
                path=f"{USER}/roles",
                summary="Say which roles somebody has",
                tag=TAG,
                access=Permission.ROLES_WRITE,
                parameters=UserPath,
                body=SetRoles,
                answers={200: Reply("The person.", User)},
                problems=(NOT_FOUND, LAST_OWNER),
                run=self._set_roles,
            ),
            Endpoint(
                operation="invite_user",
                method="POST",
                path=f"{USER}/invite",
                summary="Mail a link with which somebody chooses a password",
                tag=TAG,
                access=Permission.PEOPLE_WRITE,
                parameters=UserPath,
                answers={202: Reply("A mail is on its way.")},
                problems=(NOT_FOUND, CONFLICT),
                run=self._invite,
            ),
            Endpoint(
                operation="list_guardians",
                method="GET",
                path=f"{USER}/guardians",
                summary="See who looks after a student",
                tag=TAG,
                access=Permission.PEOPLE_READ,
                parameters=UserPath,
                answers={200: Reply("Them, at most all.", list[Guardian])},
                problems=(NOT_FOUND,),
                run=self._guardians,
            ),
            Endpoint(
                operation="add_guardian",
                method="PUT",
                path=f"{USER}/guardians/{{observer_id}}",
                summary="Have somebody look after a student",
                description="They need the role `observer`.",
                tag=TAG,
                access=Permission.PEOPLE_WRITE,
                parameters=GuardianPath,
                answers={204: Reply("They do.")},
                problems=(NOT_FOUND, CONFLICT),
                run=self._add_guardian,
            ),
            Endpoint(
                operation="remove_guardian",
                method="DELETE",
                path=f"{USER}/guardians/{{observer_id}}",
                summary="Have somebody look after a student no longer",
                tag=TAG,
                access=Permission.PEOPLE_WRITE,
                parameters=GuardianPath,
                answers={204: Reply("They do not.")},
                problems=(NOT_FOUND,),
                run=self._remove_guardian,
            ),
            Endpoint(
                operation="list_children",
                method="GET",
                path="/api/v1/auth/me/children",
                summary="See whom you look after",
                tag=TAG,
                access=Open.SIGNED_IN,
                answers={200: Reply("The students.", list[Guardian])},
                run=self._children,
            ),
        )

    async def _list(self, call: Call[Nothing, UserQuery, Nothing]) -> Result:
        users, following = await read_users(call.transaction, call.query)
        return Result(users, next=following)

    async def _create(self, call: Call[Nothing, Nothing, CreateUser]) -> Result:
        body, transaction = call.body, call.transaction
        check_roles(call.caller.roles, (), body.roles)
        await check_people(transaction)
        code = body.code or await next_code(transaction, body.roles)
        values = derived(
            {
                "code": code,
                "display_name": body.name.strip(),
                "email": body.email,
                "external_id": body.external_id,
                "phone": body.phone,
                "given_name": body.given_name,
                "family_name": body.family_name,
                "language": body.language,
                "time_zone": _zone(body.time_zone),
                "status": UserStatus.INACTIVE,
            }
        )
        await check_unique(transaction, values)
        user_id = self._parts.ids.new()
        await insert_user(transaction, user_id, values)
        await set_roles(transaction, user_id, body.roles)
        await record(call, "user.create", "app_user", user_id, new=_told(body))
        if body.invite and body.email is not None:
            await self._send(call, user_id, body.email)
        user = await self._user(call, user_id)
        location = {"Location": f"{USERS}/{user_id}"}
        return Result(user, status=201, version=user.version, headers=location)

    async def _get(self, call: Call[UserPath, Nothing, Nothing]) -> Result:
        user = await self._user(call, call.path.user_id)
        return Result(user, version=user.version)

    async def _change(self, call: Call[UserPath, Nothing, ChangeUser]) -> Result:
        user = await self._user(call, call.path.user_id)
        check_rank(call.caller.roles, user.roles)
        call.check_version(user.version)
        told = _told(call.body)
        changes = {name: getattr(call.body, name) for name in told}
        if "name" in changes:
            changes["display_name"] = changes.pop("name").strip()
        if "time_zone" in changes:
            changes["time_zone"] = _zone(changes["time_zone"])
        if changes.get("status") not in {None, UserStatus.ACTIVE}:
            await self._check_owner_left(call, user)
        values = derived(changes)
        await check_unique(call.transaction, values, but=user.id)
        if values:
            await update_user(call.transaction, user.id, values)
            self._parts.forget_standing(call.transaction, user.id)
            old = {name: _plain(getattr(user, name)) for name in told}
            await record(call, "user.update", "app_user", user.id, old=old, new=told)
        changed = await self._user(call, user.id)
        return Result(changed, version=changed.version)

    async def _delete(self, call: Call[UserPath, Nothing, Nothing]) -> Result:
        user = await self._user(call, call.path.user_id)
        check_rank(call.caller.roles, user.roles)
        await self._check_owner_left(call, user)
        await end_logins(call.transaction, user.id, "deleted")
        await update_user(call.transaction, user.id, {"deleted_at": call.transaction.now})
        self._parts.forget_standing(call.transaction, user.id)
        await record(call, "user.delete", "app_user", user.id, old={"code": user.code, "name": user.name})
        return Result(status=204)

    async def _set_roles(self, call: Call[UserPath, Nothing, SetRoles]) -> Result:
        user = await self._user(call, call.path.user_id)
        check_roles(call.caller.roles, user.roles, call.body.roles)
        if Role.OWNER not in call.body.roles:
            await self._check_owner_left(call, user)
        await set_roles(call.transaction, user.id, call.body.roles)
        await update_user(call.transaction, user.id, {})
        self._parts.forget_standing(call.transaction, user.id)
        old, new = ([role.value for role in roles] for roles in (user.roles, call.body.roles))
        await record(call, "user.roles", "app_user", user.id, old=old, new=new)
        changed = await self._user(call, user.id)
        return Result(changed, version=changed.version)

    async def _invite(self, call: Call[UserPath, Nothing, Nothing]) -> Result:
        user = await self._user(call, call.path.user_id)
        if user.email is None or user.status is not UserStatus.INACTIVE:
            raise ProblemError(CONFLICT, field="email" if user.email is None else "status", rule="state")
        await self._send(call, user.id, user.email)
        await record(call, "user.invite", "app_user", user.id)
        return Result(status=202)

    async def _guardians(self, call: Call[UserPath, Nothing, Nothing]) -> Result:
        user = await self._user(call, call.path.user_id)
        rows = await read_guardians(call.transaction, user.id)
        return Result([Guardian(id=row.id, code=row.code, name=row.display_name) for row in rows])

    async def _add_guardian(self, call: Call[GuardianPath, Nothing, Nothing]) -> Result:
        student = await self._user(call, call.path.user_id)
        observer = await self._user(call, call.path.observer_id)
        if Role.OBSERVER not in observer.roles or student.id == observer.id:
            raise ProblemError(
                CONFLICT, field="observer_id", value=str(observer.id), rule="role", expected=same("observer")
            )
        if not await looks_after(call.transaction, observer.id, student.id):
            await call.transaction.execute(
                insert(guardian).values(
                    org_id=call.caller.org_id,
                    observer_id=observer.id,
                    student_id=student.id,
                    created_at=call.transaction.now,
                )
            )
            await record(call, "guardian.add", "app_user", student.id, new={"observer": str(observer.id)})
        return Result(status=204)

    async def _remove_guardian(self, call: Call[GuardianPath, Nothing, Nothing]) -> Result:
        gone = await call.transaction.execute(
            delete(guardian).where(
                guardian.c.org_id == call.caller.org_id,
                guardian.c.observer_id == call.path.observer_id,
                guardian.c.student_id == call.path.user_id,
            )
        )
        if not gone.rowcount:
            raise not_found(THE_GUARDIAN)
        old = {"observer": str(call.path.observer_id)}
        await record(call, "guardian.remove", "app_user", call.path.user_id, old=old)
        return Result(status=204)

    async def _children(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        rows = await children_of(call.transaction, call.caller.user_id)
        return Result([Guardian(id=row.id, code=row.code, name=row.display_name) for row in rows])

    async def _user(self, call: Call[Any, Any, Any], user_id: Any) -> User:
        user = await read_user(call.transaction, user_id)
        if user is None:
            raise not_found(THE_USER)
        return user

    async def _send(self, call: Call[Any, Any, Any], user_id: Any, email: str) -> None:
        parts = self._parts
        await send_link(
            call.transaction,
            parts.outbox,
            parts.ids.new(),
            user_id,
            LinkKind.INVITATION,
            email,
            parts.settings.passwords,
            by=call.caller.user_id,
        )

    async def _check_owner_left(self, call: Call[Any, Any, Any], user: User) -> None:
        if Role.OWNER in user.roles and await count_owners(call.transaction) == 1:
            raise ProblemError(LAST_OWNER)


def _told(body: msgspec.Struct) -> dict[str, Any]:
    """Return the fields that were said, as plain values for the audit log."""
    said = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: _plain(value) for name, value in said.items() if value is not UNSET}


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _zone(name: str | None) -> str | None:
    if name is not None and name not in available_timezones():
        raise bad_field("time_zone", name, IANA_NAME, "choice")
    return name
