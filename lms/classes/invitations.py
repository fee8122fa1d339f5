"""/api/v1/live-classes/{class_id}/invites: who is invited to a class in person, and what they say to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import PageQuery, fetch_page
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND, not_found
from lms.audit.record import record
from lms.classes.access import class_to_read, class_to_run
from lms.classes.messages import ClassPath, Invite, InvitePath, InviteView, ReplyToInvite
from lms.classes.planning import ONE, TAG
from lms.classes.problems import NOT_NOW, THE_INVITATION
from lms.classes.status import Deed
from lms.classes.tables import InviteStatus, class_invite
from lms.courses.enrolments import check_people
from lms.database.transaction import Transaction
from lms.parts import Parts
from lms.people.tables import app_user

PATH = f"{ONE}/invites"


class InvitationEndpoints:
    """Invitations."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        refusals = (NOT_FOUND, FORBIDDEN, NOT_NOW)
        return (
            Endpoint(
                operation="invite", method="POST", path=f"{ONE}/invite", summary="Invite people to a class", tag=TAG,
                access=Permission.CLASSES_WRITE, parameters=ClassPath, body=Invite,
                answers={200: Reply("Those who were not invited before.", list[InviteView])}, problems=refusals,
                idempotency_key=True, run=self._invite,
            ),
            Endpoint(
                operation="list_invites", method="GET", path=PATH, summary="List who is invited", tag=TAG,
                access=Permission.CLASSES_WRITE, parameters=ClassPath, query=PageQuery,
                answers={200: Reply("A page of people, by name.", list[InviteView])},
                problems=(*refusals, BAD_CURSOR), run=self._list,
            ),
            Endpoint(
                operation="withdraw_invite", method="DELETE", path=f"{PATH}/{{user_id}}",
                summary="Withdraw an invitation", tag=TAG, access=Permission.CLASSES_WRITE, parameters=InvitePath,
                answers={204: Reply("Not invited.")}, problems=refusals, run=self._withdraw,
            ),
            Endpoint(
                operation="reply_to_invite", method="POST", path=f"{ONE}/reply", summary="Reply to your invitation",
                tag=TAG, access=Permission.CLASSES_READ, parameters=ClassPath, body=ReplyToInvite,
                answers={200: Reply("As it is now.", InviteView)}, problems=(NOT_FOUND,), run=self._reply,
            ),
        )  # fmt: skip

    async def _invite(self, call: Call[ClassPath, Nothing, Invite]) -> Result:
        transaction = call.transaction
        found, _ = await class_to_run(transaction, call.caller, call.path.class_id, Deed.INVITE)
        await check_people(transaction, "user_ids", call.body.user_ids)
        new = await invite(transaction, found.row.id, call.body.user_ids)
        if not new:
            return Result([])
        told = {"user_ids": [str(each) for each in new]}
        await record(call, "class.invite", "live_class", found.row.id, new=told)
        payload = {"class_id": str(found.row.id), **told}
        await self._parts.outbox.send(transaction, "class.invited", key=str(found.row.id), payload=payload)
        statement = _invites(transaction, found.row.id).where(class_invite.c.user_id.in_(new))
        rows = await transaction.rows(statement.order_by(app_user.c.sort_key, app_user.c.id))
        return Result([_view(row) for row in rows])

    async def _list(self, call: Call[ClassPath, PageQuery, Nothing]) -> Result:
        found, _ = await class_to_run(call.transaction, call.caller, call.path.class_id, None, lock=False)
        statement = _invites(call.transaction, found.row.id)
        rows, following = await fetch_page(
            call.transaction, statement, (app_user.c.sort_key, app_user.c.id), call.query
        )
        return Result([_view(row) for row in rows], next=following)

    async def _withdraw(self, call: Call[InvitePath, Nothing, Nothing]) -> Result:
        transaction = call.transaction
        found, _ = await class_to_run(transaction, call.caller, call.path.class_id, Deed.INVITE)
        await transaction.execute(
            delete(class_invite).where(
                class_invite.c.org_id == transaction.org_id,
                class_invite.c.class_id == found.row.id,
                class_invite.c.user_id == call.path.user_id,
            )
        )
        await record(call, "class.uninvite", "live_class", found.row.id, old={"user_id": str(call.path.user_id)})
        return Result(status=204)

    async def _reply(self, call: Call[ClassPath, Nothing, ReplyToInvite]) -> Result:
        transaction = call.transaction
        found = await class_to_read(transaction, call.caller, call.path.class_id)
        own = _invites(transaction, found.row.id).where(class_invite.c.user_id == call.caller.user_id)
        done = await transaction.execute(
            update(class_invite)
            .where(
                class_invite.c.org_id == transaction.org_id,
                class_invite.c.class_id == found.row.id,
                class_invite.c.user_id == call.caller.user_id,
            )
            .values(status=call.body.status, updated_at=transaction.now)
        )
        if done.rowcount == 0:
            raise not_found(THE_INVITATION)
        return Result(_view(await transaction.one(own)))


async def invite(
    transaction: Transaction, class_id: UUID, user_ids: Sequence[UUID], *, access_code_id: UUID | None = None
) -> list[UUID]:
    """Invite people, and return those who were not invited before."""
    new = []
    for user_id in dict.fromkeys(user_ids):
        values = _row(transaction, class_id, user_id) | {"access_code_id": access_code_id}
        upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
        statement = upsert(class_invite).values(values).on_conflict_do_nothing().returning(class_invite.c.user_id)
        if await transaction.first(statement) is not None:
            new.append(user_id)
    return new


async def invite_alike(transaction: Transaction, class_id: UUID, like_id: UUID) -> None:
    """Invite to one class whoever is invited to another."""
    rows = await transaction.rows(
        select(class_invite.c.user_id).where(
            class_invite.c.org_id == transaction.org_id, class_invite.c.class_id == like_id
        )
    )
    if rows:
        await transaction.execute(insert(class_invite), [_row(transaction, class_id, row.user_id) for row in rows])


def _row(transaction: Transaction, class_id: UUID, user_id: UUID) -> dict[str, Any]:
    return {
        "org_id": transaction.org_id,
        "class_id": class_id,
        "user_id": user_id,
        "status": InviteStatus.INVITED,
        "created_at": transaction.now,
        "updated_at": transaction.now,
    }


def _invites(transaction: Transaction, class_id: UUID) -> Select[Any]:
    return (
        select(class_invite, app_user.c.id, app_user.c.code, app_user.c.display_name, app_user.c.sort_key)
        .join(app_user, (app_user.c.org_id == class_invite.c.org_id) & (app_user.c.id == class_invite.c.user_id))
        .where(class_invite.c.org_id == transaction.org_id, class_invite.c.class_id == class_id)
    )


def _view(row: Row[Any]) -> InviteView:
    return InviteView(
        user_id=row.user_id, code=row.code, name=row.display_name, status=row.status, created_at=row.created_at
    )
