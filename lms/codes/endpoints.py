"""/api/v1/access-codes: make, list, look at, end and redeem codes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result, Use
from lms.api.paging import PageQuery, fetch_page
from lms.api.phrases import Phrase, same
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND, ProblemError, bad_field, not_found
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.codes.code import CodeState, UsesError, hash_code, last_signs, make_code, read_code, uses_of
from lms.codes.messages import (
    CodePath,
    CodeQuery,
    CodeView,
    GenerateCodes,
    Opens,
    Redeem,
    Redeemed,
    RedemptionView,
)
from lms.codes.problems import BAD_CODE, CODES_MAX, THE_ACCESS_CODE
from lms.codes.redeem import BadCodeError, note_attempt, redeem
from lms.codes.tables import access_code, code_redemption
from lms.codes.target import Target, check_maker, target_of
from lms.courses.access import check_moment
from lms.courses.problems import COURSE_FULL
from lms.database.transaction import Transaction
from lms.parts import Parts
from lms.people.tables import app_user

TAG = "Access codes"
PATH = "/api/v1/access-codes"
ONE = f"{PATH}/{{code_id}}"
OF_ONE_TARGET_MAX: Final = 20_000
"""A school year of a large course; a million would make guessing worth while."""

_KEY_CONTEXT: Final = b"halqa access codes 1"


class CodeEndpoints:
    """Access codes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        # The first of the service's secrets signs; codes outlive its rotation, so that all are tried.
        self._keys = tuple(hash_key(secret) for secret in parts.secrets)

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        write, refusals = Permission.ACCESS_CODES_WRITE, (NOT_FOUND, FORBIDDEN)
        return (
            Endpoint(
                operation="generate_access_codes", method="POST", path=f"{PATH}/generate", summary="Make access codes",
                # No Idempotency-Key: the answer to it would be kept, codes and all.
                description="They are told this once; what is kept of them opens nothing.", tag=TAG, access=write,
                body=GenerateCodes, answers={201: Reply("The codes.", list[CodeView])},
                problems=(*refusals, CODES_MAX), run=self._generate,
            ),
            Endpoint(
                operation="list_access_codes", method="GET", path=PATH, summary="List access codes", tag=TAG,
                access=write, query=CodeQuery,
                answers={200: Reply("A page of codes, the latest first.", list[CodeView])},
                problems=(*refusals, BAD_CURSOR), run=self._list,
            ),
            Endpoint(
                operation="get_access_code", method="GET", path=ONE, summary="Look at an access code", tag=TAG,
                access=write, parameters=CodePath, answers={200: Reply("The code.", CodeView)},
                problems=refusals, run=self._get,
            ),
            Endpoint(
                operation="end_access_code", method="DELETE", path=ONE, summary="End an access code",
                description="Nobody redeems it any more; who did keeps what it opened.", tag=TAG, access=write,
                parameters=CodePath, answers={204: Reply("Ended.")}, problems=refusals, run=self._end,
            ),
            Endpoint(
                operation="list_redemptions", method="GET", path=f"{ONE}/redemptions",
                summary="List who redeemed an access code", tag=TAG, access=write, parameters=CodePath,
                query=PageQuery, answers={200: Reply("A page of people.", list[RedemptionView])},
                problems=(*refusals, BAD_CURSOR), run=self._redemptions,
            ),
            Endpoint(
                operation="redeem_access_code", method="POST", path=f"{PATH}/redeem", summary="Redeem an access code",
                description="Five attempts a minute. A code that is wrong, used up, ended or too old looks the same.",
                tag=TAG, access=Permission.ACCESS_CODES_REDEEM, body=Redeem,
                answers={200: Reply("What it opened.", Redeemed)}, problems=(BAD_CODE, COURSE_FULL),
                limit=Limit.REDEEM, use=Use.OWN, run=self._redeem,
            ),
        )  # fmt: skip

    async def _generate(self, call: Call[Nothing, Nothing, GenerateCodes]) -> Result:
        transaction, body = call.transaction, call.body
        target = target_of(body)
        try:
            max_uses = uses_of(body.kind, body.max_uses)
        except UsesError as error:
            raise bad_field("max_uses", body.max_uses, error.phrase, "kind") from None
        check_moment("expires_at", body.expires_at)
        if body.expires_at is not None and body.expires_at <= transaction.now:
            raise bad_field(
                "expires_at", body.expires_at.isoformat(), Phrase("a time to come", "وقت لم يأتِ بعد"), "range"
            )
        await check_maker(transaction, call.caller, target, body.group_id)
        await _check_number(transaction, target, body.count)
        codes = {self._parts.ids.new(): make_code(secrets.choice) for _ in range(body.count)}
        rows = [
            {
                "org_id": transaction.org_id,
                "id": code_id,
                "code_hmac": hash_code(code.replace("-", ""), org_id=transaction.org_id, key=self._keys[0]),
                "last_signs": last_signs(code),
                "scope": target.scope,
                **{f"{name}_id": None for name in ("course", "class", "recording")},
                target.column: target.id,
                "group_id": body.group_id,
                "kind": body.kind,
                "max_uses": max_uses,
                "uses": 0,
                "expires_at": body.expires_at,
                "active": True,
                "note": body.note,
                "created_by": call.caller.user_id,
                "created_at": transaction.now,
            }
            for code_id, code in codes.items()
        ]
        await transaction.execute(insert(access_code), rows)
        told = {"count": body.count, "kind": body.kind.value, target.column: str(target.id)}
        await record(call, "access_code.generate", "access_code", None, new=told)
        statement = select(access_code).where(
            access_code.c.org_id == transaction.org_id, access_code.c.id.in_(list(codes))
        )
        made = await transaction.rows(statement.order_by(access_code.c.id))
        return Result([_view(row, transaction, codes) for row in made], status=201)

    async def _list(self, call: Call[Nothing, CodeQuery, Nothing]) -> Result:
        transaction, query = call.transaction, call.query
        opens = Opens(course_id=query.course_id, class_id=query.class_id, recording_id=query.recording_id)
        target = target_of(opens)
        await check_maker(transaction, call.caller, target)
        statement = select(access_code).where(
            access_code.c.org_id == transaction.org_id, access_code.c[target.column] == target.id
        )
        rows, following = await fetch_page(transaction, statement, (access_code.c.id,), query, descending=True)
        return Result([_view(row, transaction) for row in rows], next=following)

    async def _get(self, call: Call[CodePath, Nothing, Nothing]) -> Result:
        return Result(_view(await _find(call), call.transaction))

    async def _end(self, call: Call[CodePath, Nothing, Nothing]) -> Result:
        transaction, row = call.transaction, await _find(call)
        await transaction.execute(
            update(access_code)
            .where(access_code.c.org_id == transaction.org_id, access_code.c.id == row.id)
            .values(active=False, ended_at=row.ended_at or transaction.now)
        )
        await record(call, "access_code.end", "access_code", row.id)
        return Result(status=204)

    async def _redemptions(self, call: Call[CodePath, PageQuery, Nothing]) -> Result:
        transaction, row = call.transaction, await _find(call)
        same = (app_user.c.org_id == code_redemption.c.org_id) & (app_user.c.id == code_redemption.c.user_id)
        statement = (
            select(code_redemption.c.user_id, code_redemption.c.at, app_user.c.display_name)
            .join(app_user, same)
            .where(code_redemption.c.org_id == transaction.org_id, code_redemption.c.code_id == row.id)
        )
        order = (code_redemption.c.at, code_redemption.c.user_id)
        rows, following = await fetch_page(transaction, statement, order, call.query)
        views = [RedemptionView(user_id=each.user_id, name=each.display_name, at=each.at) for each in rows]
        return Result(views, next=following)

    async def _redeem(self, call: Call[Nothing, Nothing, Redeem]) -> Result:
        caller, parts = call.caller, self._parts
        address = call.address or call.http.remote
        signs = read_code(call.body.code)
        for key in self._keys if signs is not None else ():
            assert signs is not None, "there is something to try"
            try:
                async with parts.database.write(caller.org_id) as transaction:
                    done = await redeem(
                        transaction,
                        parts.ids,
                        hash_code(signs, org_id=caller.org_id, key=key),
                        caller.user_id,
                        address,
                    )
                    await note_attempt(
                        transaction, parts.ids, caller.user_id, address, code_id=done.code.id, succeeded=True
                    )
                    opened = {"scope": done.code.scope.value, "new": done.opened.new}
                    await record(
                        call, "access_code.redeem", "access_code", done.code.id, new=opened, transaction=transaction
                    )
                    if done.opened.new and done.code.course_id is not None:
                        payload = {"course_id": str(done.code.course_id), "user_ids": [str(caller.user_id)]}
                        key_of = str(done.code.course_id)
                        await parts.outbox.send(transaction, "course.enrolled", key=key_of, payload=payload)
            except BadCodeError:
                continue
            target = done.code.course_id or done.code.class_id or done.code.recording_id
            return Result(
                Redeemed(scope=done.code.scope, id=target, title=done.opened.title, already=not done.opened.new)
            )
        async with parts.database.write(caller.org_id) as transaction:
            await note_attempt(transaction, parts.ids, caller.user_id, address, succeeded=False)
        raise ProblemError(BAD_CODE, field="code", rule="known")


def hash_key(secret: str) -> bytes:
    """Return the key under which codes are kept: of the service's secret, and used for nothing else."""
    return hash_code(secret, org_id=UUID(int=0), key=_KEY_CONTEXT.ljust(32, b"\0"))


async def _find(call: Call[CodePath, Any, Any]) -> Row[Any]:
    """Return a code that the caller may see and end; raises ProblemError."""
    transaction = call.transaction
    row = await transaction.first(
        select(access_code).where(access_code.c.org_id == transaction.org_id, access_code.c.id == call.path.code_id)
    )
    if row is None:
        raise not_found(THE_ACCESS_CODE)
    target = target_of(Opens(course_id=row.course_id, class_id=row.class_id, recording_id=row.recording_id))
    try:
        await check_maker(transaction, call.caller, target)
    except ProblemError as error:
        if error.problem is NOT_FOUND:
            raise not_found(THE_ACCESS_CODE) from None
        raise
    return row


async def _check_number(transaction: Transaction, target: Target, more: int) -> None:
    there = await transaction.value(
        select(func.count())
        .select_from(access_code)
        .where(
            access_code.c.org_id == transaction.org_id,
            access_code.c[target.column] == target.id,
            access_code.c.active.is_(True),
        )
    )
    if there + more > OF_ONE_TARGET_MAX:
        raise ProblemError(CODES_MAX, field="count", value=there, expected=same(OF_ONE_TARGET_MAX), rule="count")


def _view(row: Row[Any], transaction: Transaction, codes: Mapping[UUID, str] | None = None) -> CodeView:
    state = CodeState(active=row.active, uses=row.uses, max_uses=row.max_uses, expires_at=row.expires_at)
    return CodeView(
        id=row.id,
        code=None if codes is None else codes.get(row.id),
        last_signs=row.last_signs,
        scope=row.scope,
        course_id=row.course_id,
        group_id=row.group_id,
        class_id=row.class_id,
        recording_id=row.recording_id,
        kind=row.kind,
        max_uses=row.max_uses,
        uses=row.uses,
        usable=state.is_usable(transaction.now),
        expires_at=row.expires_at,
        active=row.active,
        note=row.note,
        created_by=row.created_by,
        created_at=row.created_at,
    )
