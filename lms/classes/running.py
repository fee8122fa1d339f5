"""/api/v1/live-classes/{class_id}: start, join, lock and end.

The media server is asked outside of any transaction. A run exists once its row does: a room made for a run that
lost against another is ended again, and rooms to be ended are in the outbox until the media server has done it.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result, Use
from lms.api.paging import PageQuery, fetch_page
from lms.api.phrases import Phrase
from lms.api.problems import BAD_CURSOR, FORBIDDEN, NOT_FOUND, QUOTA_EXCEEDED, ProblemError
from lms.audit.record import record
from lms.classes.access import ClassFor, class_to_join, class_to_read, class_to_run, class_view, run_view
from lms.classes.media import MediaServer
from lms.classes.messages import ClassPath, ClassView, Join, LockClass, RunView, Ticket
from lms.classes.planning import ONE, TAG, write_class
from lms.classes.problems import MEDIA_UNAVAILABLE, NOT_NOW
from lms.classes.room import door_of, identity_of, room_definition, room_name, token_request
from lms.classes.rules import seat_of
from lms.classes.runs import end_run, start_run
from lms.classes.status import ClassStatus, Deed
from lms.classes.store import ask_runs_ahead, live_run
from lms.classes.tables import RunEnd, class_run, join_grant
from lms.database.prepared import Prepared
from lms.database.transaction import Transaction
from lms.organizations.quotas import ask_quota_ahead, check_rooms, recording_refused, seats_within
from lms.organizations.tables import organization
from lms.parts import Parts

_GRANT: Final = insert(join_grant)
_JUST_ENDED: Final = Phrase("The class has just ended", "انتهت الحصة للتو")


class RunningEndpoints:
    """What happens to a class while it is held."""

    def __init__(self, parts: Parts, media: MediaServer) -> None:
        self._parts = parts
        self._media = media

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        refusals = (NOT_FOUND, FORBIDDEN, NOT_NOW)
        media: Final = (*refusals, MEDIA_UNAVAILABLE)
        return (
            Endpoint(
                operation="start_live_class", method="POST", path=f"{ONE}/start", summary="Start a live class",
                description="Pressed twice, or by two, it is started once. A class that was ended is held again.",
                tag=TAG, access=Permission.CLASSES_WRITE, parameters=ClassPath,
                answers={200: Reply("The class, with its run.", ClassView)}, problems=(*media, QUOTA_EXCEEDED),
                use=Use.OWN, run=self._start,
            ),
            Endpoint(
                operation="join_live_class", method="POST", path=f"{ONE}/join", summary="Join a live class", tag=TAG,
                description="Teachers of the class, students of its course or group, and who is invited.",
                access=Permission.CLASSES_JOIN, parameters=ClassPath, body=Join,
                answers={200: Reply("What opens the room.", Ticket)}, problems=media, use=Use.OWN, run=self._join,
            ),
            Endpoint(
                operation="lock_live_class", method="POST", path=f"{ONE}/lock", summary="Lock or open the door",
                tag=TAG, access=Permission.CLASSES_WRITE, parameters=ClassPath, body=LockClass,
                answers={200: Reply("The class.", ClassView)}, problems=media, use=Use.OWN, run=self._lock,
            ),
            Endpoint(
                operation="end_live_class", method="POST", path=f"{ONE}/end", summary="End a live class",
                description="Everybody is put out, of its breakouts too.", tag=TAG, access=Permission.CLASSES_WRITE,
                parameters=ClassPath, answers={200: Reply("The class.", ClassView)}, problems=refusals, run=self._end,
            ),
            Endpoint(
                operation="list_runs", method="GET", path=f"{ONE}/runs", summary="List when a class was held", tag=TAG,
                access=Permission.CLASSES_READ, parameters=ClassPath, query=PageQuery,
                answers={200: Reply("A page of runs, the latest first.", list[RunView])},
                problems=(NOT_FOUND, BAD_CURSOR), run=self._runs,
            ),
        )  # fmt: skip

    async def _start(self, call: Call[ClassPath, Nothing, Nothing]) -> Result:
        caller, database = call.caller, self._parts.database
        async with database.read(caller.org_id) as transaction:
            found, _ = await class_to_run(transaction, caller, call.path.class_id, Deed.START, lock=False)
            run = await live_run(transaction, found.row.id)
            slug = await transaction.value(select(organization.c.slug).where(organization.c.id == caller.org_id))
            seats = await seats_within(transaction, found.settings.participants_max)
            if run is None:
                await check_rooms(transaction)
        run_id = self._parts.ids.new() if run is None else run.id
        room = room_name(slug, run_id) if run is None else run.room
        definition = room_definition(
            found.settings, locked=found.row.locked, class_id=found.row.id, run_id=run_id, seats=seats
        )
        if run is not None:  # pressed twice; and a room that got lost is made again
            await self._media.open_room(room, definition)
            return Result(class_view(found, run), version=found.row.version)
        async with self._media.dropping([room]):
            await self._media.open_room(room, definition)
            async with database.write(caller.org_id) as transaction:
                found, run = await self._begin(call, transaction, run_id, room)
        return Result(class_view(found, run), version=found.row.version)

    async def _begin(
        self, call: Call[ClassPath, Nothing, Nothing], transaction: Transaction, run_id: UUID, room: str
    ) -> tuple[ClassFor, Row[Any] | None]:
        """Have the run exist, unless somebody else pressed at the same moment and was first."""
        caller, outbox = call.caller, self._parts.outbox
        found, status = await class_to_run(transaction, caller, call.path.class_id, Deed.START)
        if await live_run(transaction, found.row.id) is None:
            await check_rooms(transaction)
            await start_run(transaction, outbox, found.row, run_id=run_id, room=room, started_by=caller.user_id)
            await write_class(transaction, found.row.id, found.row.version, status=status)
            new = {"run_id": run_id}
            await record(call, "class.start", "live_class", found.row.id, new=new, transaction=transaction)
        else:
            await outbox.send(transaction, "class.room.end", key=room, payload={"room": room})
        found = await class_to_read(transaction, caller, found.row.id)
        return found, await live_run(transaction, found.row.id)

    async def _join(self, call: Call[ClassPath, Nothing, Join]) -> Result:
        caller, parts = call.caller, self._parts
        async with parts.database.read(caller.org_id) as transaction:
            ask_runs_ahead(transaction, [call.path.class_id])
            ask_quota_ahead(transaction)
            found = await class_to_join(transaction, caller, call.path.class_id)
            run = await live_run(transaction, found.row.id)
            refused = await recording_refused(transaction)
        seat = seat_of(found.permissions, found.ties)
        assert seat is not None, "whoever may join has a seat"
        if run is None:
            raise ProblemError(NOT_NOW, field="status", rule="join", reason=_JUST_ENDED)
        identity = identity_of(caller.user_id, call.body.device)
        issued = await self._media.issue(
            token_request(
                run.room, seat, found.settings,
                identity=identity, name=caller.name, ends_at=found.row.ends_at, now=parts.clock.now(),
                may_record=refused is None,
            )
        )  # fmt: skip
        async with parts.database.write(caller.org_id) as transaction:
            values = {
                "org_id": caller.org_id, "id": parts.ids.new(), "run_id": run.id, "user_id": caller.user_id,
                "seat": seat, "identity": identity, "created_at": transaction.now, "expires_at": issued.expires_at,
            }  # fmt: skip
            await transaction.later(Prepared(_GRANT, values))
        return Result(
            Ticket(
                url=issued.url, room=issued.room, token=issued.token, identity=identity, seat=seat,
                expires_at=issued.expires_at, link=issued.link(found.row.title), run_id=run.id,
                recording_refused=refused,
            )
        )  # fmt: skip

    async def _lock(self, call: Call[ClassPath, Nothing, LockClass]) -> Result:
        caller, locked = call.caller, call.body.locked
        async with self._parts.database.read(caller.org_id) as transaction:
            found, _ = await class_to_run(transaction, caller, call.path.class_id, Deed.LOCK, lock=False)
            run = await live_run(transaction, found.row.id)
        if run is None:
            raise ProblemError(NOT_NOW, field="status", rule="lock", reason=_JUST_ENDED)
        await self._media.set_door(run.room, door_of(found.settings, locked=locked))
        async with self._parts.database.write(caller.org_id) as transaction:
            found, _ = await class_to_run(transaction, caller, call.path.class_id, Deed.LOCK)
            if found.row.locked is not locked:
                await write_class(transaction, found.row.id, found.row.version, locked=locked)
                await record(
                    call, "class.lock" if locked else "class.unlock", "live_class", found.row.id,
                    transaction=transaction,
                )  # fmt: skip
            found = await class_to_read(transaction, caller, found.row.id)
            run = await live_run(transaction, found.row.id)
        return Result(class_view(found, run), version=found.row.version)

    async def _end(self, call: Call[ClassPath, Nothing, Nothing]) -> Result:
        transaction, caller = call.transaction, call.caller
        found, status = await class_to_run(transaction, caller, call.path.class_id, Deed.END)
        if found.row.status is ClassStatus.LIVE:
            run = await live_run(transaction, found.row.id)
            if run is not None:
                await end_run(transaction, self._parts.outbox, run, RunEnd.ENDED, ended_by=caller.user_id)
            await record(call, "class.end", "live_class", found.row.id, new={"run_id": run and run.id})
        found = await class_to_read(transaction, caller, found.row.id)
        assert found.row.status is status, "a run that ends ends its class"
        return Result(class_view(found, None), version=found.row.version)

    async def _runs(self, call: Call[ClassPath, PageQuery, Nothing]) -> Result:
        found: ClassFor = await class_to_read(call.transaction, call.caller, call.path.class_id)
        statement = select(class_run).where(
            class_run.c.org_id == call.transaction.org_id, class_run.c.class_id == found.row.id
        )
        order: Any = (class_run.c.started_at, class_run.c.id)
        rows, following = await fetch_page(call.transaction, statement, order, call.query, descending=True)
        return Result([run_view(row) for row in rows], next=following)
