"""/api/v1/recordings: what was recorded of classes, and who sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import Row, Select, or_, select, update

from lms.access.roles import Permission, permissions_of
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result, Use
from lms.api.paging import fetch_page
from lms.api.phrases import Phrase
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND, ProblemError, not_found
from lms.audit.record import record
from lms.classes.problems import NOT_NOW, THE_RECORDING
from lms.classes.recording_messages import ChangeRecording, FormatView, RecordingPath, RecordingQuery, RecordingView
from lms.classes.rules import ClassTies, may_change_recording, may_watch
from lms.classes.store import class_ties, find_class, seen_by
from lms.classes.tables import RecordingState, class_run, live_class, recording, recording_format, recording_grant
from lms.database.transaction import Transaction
from lms.parts import Parts

TAG = "Recordings"
PATH = "/api/v1/recordings"
ONE = f"{PATH}/{{recording_id}}"

_READY: Final = frozenset({RecordingState.PROCESSED, RecordingState.PUBLISHED, RecordingState.UNPUBLISHED})
_COLUMNS: Final = (recording, class_run.c.class_id, live_class.c.course_id)


class RecordingEndpoints:
    """Recordings."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        refusals = (NOT_FOUND, FORBIDDEN)
        return (
            Endpoint(
                operation="list_recordings", method="GET", path=PATH, summary="List recordings", tag=TAG,
                description="Of your classes, the latest first; those that are not published only where you teach.",
                access=Permission.RECORDINGS_READ, query=RecordingQuery,
                answers={200: Reply("A page of recordings.", list[RecordingView])}, problems=(BAD_CURSOR,),
                run=self._list,
            ),
            Endpoint(
                operation="get_recording", method="GET", path=ONE, summary="Look at a recording",
                description="It is noted in the audit log.", tag=TAG, access=Permission.RECORDINGS_READ,
                parameters=RecordingPath, answers={200: Reply("The recording.", RecordingView)},
                problems=(NOT_FOUND,), use=Use.WRITE, run=self._get,
            ),
            Endpoint(
                operation="change_recording", method="PATCH", path=ONE, summary="Rename or publish a recording",
                tag=TAG, access=Permission.RECORDINGS_WRITE, parameters=RecordingPath, body=ChangeRecording,
                answers={200: Reply("The recording.", RecordingView)}, problems=(*refusals, NOT_NOW), versioned=True,
                run=self._change,
            ),
            Endpoint(
                operation="delete_recording", method="DELETE", path=ONE, summary="Delete a recording", tag=TAG,
                access=Permission.RECORDINGS_WRITE, parameters=RecordingPath, answers={204: Reply("Deleted.")},
                problems=(*refusals, NOT_NOW), versioned=True, run=self._delete,
            ),
        )  # fmt: skip

    async def _list(self, call: Call[Nothing, RecordingQuery, Nothing]) -> Result:
        transaction, caller, query = call.transaction, call.caller, call.query
        permissions = permissions_of(caller.roles)
        granted = select(recording_grant.c.recording_id).where(
            recording_grant.c.org_id == transaction.org_id, recording_grant.c.user_id == caller.user_id
        )
        statement = _recordings(transaction).where(
            or_(seen_by(transaction, caller.user_id, permissions), recording.c.id.in_(granted))
        )
        if query.class_id is not None:
            statement = statement.where(class_run.c.class_id == query.class_id)
        if query.course_id is not None:
            statement = statement.where(live_class.c.course_id == query.course_id)
        if query.state is not None:
            statement = statement.where(recording.c.state == query.state)
        order = (recording.c.started_at, recording.c.id)
        rows, following = await fetch_page(transaction, statement, order, query, descending=True)
        seen = [row for row in rows if await self._sees(call, row)]
        formats = await _formats(transaction, [row.id for row in seen])
        return Result([_view(row, formats) for row in seen], next=following)

    async def _get(self, call: Call[RecordingPath, Nothing, Nothing]) -> Result:
        row = await self._find(call)
        await record(call, "recording.view", "recording", row.id)
        return await _result(call.transaction, row)

    async def _change(self, call: Call[RecordingPath, Nothing, ChangeRecording]) -> Result:
        transaction, body, row = call.transaction, call.body, await self._to_change(call)
        changed = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
        if "state" in changed:
            changed["state"] = RecordingState(changed["state"])
            if row.state not in _READY:
                raise ProblemError(
                    NOT_NOW, field="state", value=row.state.value, rule="publish",
                    reason=Phrase(
                        f"The recording is {row.state.value}, and can be published once it is processed",
                        f"حالة التسجيل {row.state.value}، ولا يُنشر إلا بعد معالجته",
                    ),
                )  # fmt: skip
        await _write(transaction, row, **changed)
        old = {name: row._mapping[name] for name in changed}
        await record(call, "recording.change", "recording", row.id, old=old, new=changed)
        return await _result(transaction, await self._find(call))

    async def _delete(self, call: Call[RecordingPath, Nothing, Nothing]) -> Result:
        transaction, row = call.transaction, await self._to_change(call)
        if row.protected:
            reason = Phrase("The recording is protected", "التسجيل محمي")
            raise ProblemError(NOT_NOW, field="protected", value=True, rule="delete", reason=reason)
        await _write(transaction, row, state=RecordingState.DELETED, deleted_at=transaction.now)
        await record(call, "recording.delete", "recording", row.id, old={"name": row.name})
        payload = {"recording_id": str(row.id), "record_id": row.record_id}
        await self._parts.outbox.send(transaction, "recording.deleted", key=str(row.id), payload=payload)
        return Result(status=204)

    async def _find(self, call: Call[RecordingPath, Any, Any]) -> Row[Any]:
        statement = _recordings(call.transaction).where(recording.c.id == call.path.recording_id)
        row = await call.transaction.first(statement)
        if row is None or not await self._sees(call, row):
            raise not_found(THE_RECORDING)
        return row

    async def _to_change(self, call: Call[RecordingPath, Any, Any]) -> Row[Any]:
        """Return a recording that the caller may change, locked; raises ProblemError."""
        own = (recording.c.org_id == call.transaction.org_id, recording.c.id == call.path.recording_id)
        await call.transaction.first(select(recording.c.id).where(*own).with_for_update())
        row = await self._find(call)
        if not may_change_recording(permissions_of(call.caller.roles), await _ties(call, row)):
            raise ProblemError(FORBIDDEN, rule="own_class")
        call.check_version(row.version)
        return row

    @staticmethod
    async def _sees(call: Call[Any, Any, Any], row: Row[Any]) -> bool:
        granted = await call.transaction.first(
            select(recording_grant.c.user_id).where(
                recording_grant.c.org_id == call.transaction.org_id,
                recording_grant.c.recording_id == row.id,
                recording_grant.c.user_id == call.caller.user_id,
            )
        )
        return may_watch(
            permissions_of(call.caller.roles),
            await _ties(call, row),
            published=row.state is RecordingState.PUBLISHED,
            granted=granted is not None,
        )


async def _ties(call: Call[Any, Any, Any], row: Row[Any]) -> ClassTies:
    held = await find_class(call.transaction, row.class_id)
    if held is None:
        return ClassTies()
    return (await class_ties(call.transaction, call.caller.user_id, [held]))[held.id]


def _recordings(transaction: Transaction) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(class_run, (class_run.c.org_id == recording.c.org_id) & (class_run.c.id == recording.c.run_id))
        .join(live_class, (live_class.c.org_id == class_run.c.org_id) & (live_class.c.id == class_run.c.class_id))
        .where(recording.c.org_id == transaction.org_id, recording.c.deleted_at.is_(None))
    )


async def _write(transaction: Transaction, row: Row[Any], **values: Any) -> None:
    own = (recording.c.org_id == transaction.org_id, recording.c.id == row.id)
    await transaction.execute(update(recording).where(*own).values(**values, version=row.version + 1))


async def _result(transaction: Transaction, row: Row[Any]) -> Result:
    return Result(_view(row, await _formats(transaction, [row.id])), version=row.version)


async def _formats(transaction: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, list[FormatView]]:
    found: dict[UUID, list[FormatView]] = {each: [] for each in ids}
    statement = select(recording_format).where(
        recording_format.c.org_id == transaction.org_id, recording_format.c.recording_id.in_(ids)
    )
    for row in await transaction.rows(statement.order_by(recording_format.c.format)):
        view = FormatView(format=row.format, url=row.url, length_s=row.length_s, bytes=row.bytes)
        found[row.recording_id].append(view)
    return found


def _view(row: Row[Any], formats: Mapping[UUID, list[FormatView]]) -> RecordingView:
    return RecordingView(
        id=row.id,
        class_id=row.class_id,
        run_id=row.run_id,
        course_id=row.course_id,
        name=row.name,
        state=row.state,
        failure=row.failure,
        protected=row.protected,
        started_at=row.started_at,
        ended_at=row.ended_at,
        participants=row.participants,
        formats=tuple(formats.get(row.id, ())),
        version=row.version,
    )
