"""What is held on a person, asked for: one's own, or somebody's by those who may; and erasure."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select

from lms.access.logins import end_logins
from lms.access.roles import Permission, Role
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, File, Nothing, Open, Reply, Result, Use
from lms.api.paging import PageQuery, fetch_page
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND, ProblemError, not_found
from lms.api.rate_limits import Limit
from lms.audit.record import record
from lms.database.transaction import Transaction
from lms.parts import Parts
from lms.people.rules import LAST_OWNER, check_rank
from lms.people.store import count_owners, update_user, views_of
from lms.people.tables import app_user
from lms.personal.archive import MEDIA_TYPE
from lms.personal.messages import DataRequest, Erasure, PersonPath, RequestPath
from lms.personal.problems import NO_ARCHIVE, THE_PERSON, THE_REQUEST, WRONG_CODE
from lms.personal.tables import RequestKind, RequestState, data_request
from lms.personal.work import ERASE, EXPORT

TAG: Final = "Personal data"
PATH: Final = "/api/v1/data-requests"
ONE: Final = f"{PATH}/{{request_id}}"
_ABOUT_EXPORT: Final = "The archive is made in the background: look at the request until it is `done`, then fetch it."
_ABOUT_ERASURE: Final = (
    "At once nobody can log in to the account any more. Then what is held on the person is deleted; attendance, grades "
    "and the audit log stay, with an id that leads to nobody."
)


class PersonalEndpoints:
    """Requests for somebody's data."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        request = Reply("The request.", DataRequest)
        return (
            Endpoint(
                operation="export_own_data", method="POST", path="/api/v1/auth/me/data-export",
                summary="Ask for all that is held on you", description=_ABOUT_EXPORT, tag=TAG, access=Open.SIGNED_IN,
                answers={202: request}, limit=Limit.UPLOAD, run=self._export_own,
            ),
            Endpoint(
                operation="export_person", method="POST", path="/api/v1/users/{user_id}/data-export",
                summary="Ask for all that is held on somebody", description=_ABOUT_EXPORT, tag=TAG,
                access=Permission.ERASE, parameters=PersonPath, answers={202: request},
                problems=(NOT_FOUND, FORBIDDEN), limit=Limit.UPLOAD, run=self._export,
            ),
            Endpoint(
                operation="erase_person", method="POST", path="/api/v1/users/{user_id}/erasure",
                summary="Erase somebody", description=_ABOUT_ERASURE, tag=TAG, access=Permission.ERASE,
                parameters=PersonPath, body=Erasure, answers={202: request},
                problems=(NOT_FOUND, FORBIDDEN, LAST_OWNER, WRONG_CODE), run=self._erase,
            ),
            Endpoint(
                operation="list_data_requests", method="GET", path=PATH, summary="List requests for people's data",
                tag=TAG, access=Permission.ERASE, query=PageQuery,
                answers={200: Reply("A page of requests, the latest first.", list[DataRequest])},
                problems=(BAD_CURSOR,), run=self._list,
            ),
            Endpoint(
                operation="get_data_request", method="GET", path=ONE, summary="Look at a request for data", tag=TAG,
                access=Open.SIGNED_IN, parameters=RequestPath, answers={200: request}, problems=(NOT_FOUND, FORBIDDEN),
                run=self._get,
            ),
            Endpoint(
                operation="fetch_data_archive", method="GET", path=f"{ONE}/archive", summary="Fetch an archive",
                tag=TAG, access=Open.SIGNED_IN, parameters=RequestPath,
                answers={200: Reply("The archive.", media_type=MEDIA_TYPE)},
                problems=(NOT_FOUND, FORBIDDEN, NO_ARCHIVE),
                use=Use.WRITE, run=self._fetch,
            ),
        )  # fmt: skip

    async def _export_own(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        return await self._begin(call, call.caller.user_id, RequestKind.EXPORT, EXPORT)

    async def _export(self, call: Call[PersonPath, Nothing, Nothing]) -> Result:
        person, _ = await self._person(call)
        return await self._begin(call, person.id, RequestKind.EXPORT, EXPORT)

    async def _erase(self, call: Call[PersonPath, Nothing, Erasure]) -> Result:
        transaction = call.transaction
        person, roles = await self._person(call)
        if call.body.code.upper() != person.code:
            raise ProblemError(WRONG_CODE, field="code", value=call.body.code, rule="same")
        if Role.OWNER in roles and person.deleted_at is None and await count_owners(transaction) == 1:
            raise ProblemError(LAST_OWNER)
        await end_logins(transaction, person.id, "erased")
        await update_user(transaction, person.id, {"deleted_at": person.deleted_at or transaction.now})
        await self._parts.end_access(transaction, person.id)
        return await self._begin(call, person.id, RequestKind.ERASURE, ERASE)

    async def _list(self, call: Call[Nothing, PageQuery, Nothing]) -> Result:
        statement = _requests(call.transaction)
        rows, following = await fetch_page(
            call.transaction, statement, (data_request.c.id,), call.query, descending=True
        )
        return Result([_view(row) for row in rows], next=following)

    async def _get(self, call: Call[RequestPath, Nothing, Nothing]) -> Result:
        return Result(_view(await self._find(call)))

    async def _fetch(self, call: Call[RequestPath, Nothing, Nothing]) -> Result:
        row = await self._find(call)
        content = await call.transaction.value(
            select(data_request.c.archive).where(
                data_request.c.org_id == call.caller.org_id, data_request.c.id == row.id
            )
        )
        if content is None:
            raise ProblemError(NO_ARCHIVE, value=row.state.value, rule="state")
        await record(call, "person.export_download", "app_user", row.user_id)
        return Result(file=File(content, MEDIA_TYPE, f"data-{row.created_at:%Y-%m-%d}.zip"))

    async def _person(self, call: Call[PersonPath, Any, Any]) -> tuple[Row[Any], frozenset[Role]]:
        """Return an account, deleted ones too, with its roles; raises ProblemError if it is not for the caller."""
        transaction = call.transaction
        row = await transaction.first(
            select(app_user)
            .where(app_user.c.org_id == transaction.org_id, app_user.c.id == call.path.user_id)
            .with_for_update()
        )
        if row is None:
            raise not_found(THE_PERSON)
        (view,) = await views_of(transaction, [row])
        check_rank(call.caller.roles, view.roles)
        return row, frozenset(view.roles)

    async def _begin(self, call: Call[Any, Any, Any], user_id: UUID, kind: RequestKind, topic: str) -> Result:
        """Make a request, unless one of the kind waits already."""
        transaction = call.transaction
        waits = _requests(transaction).where(
            data_request.c.user_id == user_id,
            data_request.c.kind == kind,
            data_request.c.state == RequestState.WAITING,
            data_request.c.requested_by == call.caller.user_id,
        )
        row = await transaction.first(waits.limit(1))
        if row is None:
            request_id = self._parts.ids.new()
            await transaction.execute(
                insert(data_request).values(
                    org_id=transaction.org_id,
                    id=request_id,
                    user_id=user_id,
                    kind=kind,
                    state=RequestState.WAITING,
                    requested_by=call.caller.user_id,
                    counts={},
                    created_at=transaction.now,
                )
            )
            await record(call, f"person.{kind.value}_request", "app_user", user_id)
            payload = {"request_id": str(request_id)}
            await self._parts.outbox.send(transaction, topic, key=str(user_id), payload=payload)
            row = await transaction.one(_requests(transaction).where(data_request.c.id == request_id))
        return Result(_view(row), status=202, headers={"Location": f"{PATH}/{row.id}"})

    async def _find(self, call: Call[RequestPath, Nothing, Nothing]) -> Row[Any]:
        """Return a request that is the caller's to see: on themself, or all for those who may erase."""
        row = await call.transaction.first(_requests(call.transaction).where(data_request.c.id == call.path.request_id))
        if row is None or not (call.caller.may(Permission.ERASE) or row.user_id == call.caller.user_id):
            raise not_found(THE_REQUEST)
        if row.user_id != call.caller.user_id:
            of = select(app_user).where(app_user.c.org_id == call.caller.org_id, app_user.c.id == row.user_id)
            (view,) = await views_of(call.transaction, [await call.transaction.one(of)])
            check_rank(call.caller.roles, view.roles)
        return row


def _requests(transaction: Transaction) -> Any:
    """Select requests without their archives."""
    columns = [column for column in data_request.columns if column.name != "archive"]
    return select(*columns).where(data_request.c.org_id == transaction.org_id)


def _view(row: Row[Any]) -> DataRequest:
    return DataRequest(**{name: getattr(row, name) for name in DataRequest.__struct_fields__})
