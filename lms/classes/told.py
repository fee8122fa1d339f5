"""What the media server's feed tells of rooms and recordings, kept; and what the outbox has the media server do.

An event may come twice, late, or after a crash: each of these functions may be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from control_api.contract import FeedEvent, RecordingStarted, RecordingStopped, RoomEnded
from lms.audit.record import record_by_service
from lms.classes.media import MediaServer
from lms.classes.room import RUN_MAX, RoomSettings, room_definition
from lms.classes.runs import end_run
from lms.classes.store import find_class, live_run
from lms.classes.tables import RecordingState, RunEnd, class_run, live_class, recording
from lms.database.transaction import Transaction
from lms.organizations.quotas import seats_within
from lms.outbox.relay import Message
from lms.parts import Parts

_ENDS_MAX: Final = 200
"""Runs ended by one pass of the job."""


class ClassJobs:
    """What live classes do by themselves."""

    def __init__(self, parts: Parts, media: MediaServer) -> None:
        self._parts = parts
        self._media = media
        parts.relay.on("class.room.end", self._end_room)
        parts.relay.on("class.room.check", self._check_room)
        parts.relay.on("class.room.settings", self._set_room)

    async def take_events(self, transaction: Transaction, events: Sequence[FeedEvent]) -> None:
        """Keep what a page of the feed tells, in the transaction that keeps how far it was read.

        The transaction is one for all organizations (`write_all`).
        """
        for told in events:
            match told.event:
                case RecordingStarted() | RecordingStopped() | RoomEnded():
                    run = await transaction.first(select(class_run).where(class_run.c.room == told.event.room))
                    if run is not None:
                        await self._take(transaction, run, told.event, told.at)
                case _:
                    pass

    async def end_overdue(self) -> int:
        """End runs that nobody ended within the longest time, and return how many; to be called every few minutes."""
        database = self._parts.database
        async with database.read_all() as transaction:
            overdue = await transaction.rows(
                select(class_run.c.org_id, class_run.c.id)
                .where(class_run.c.ended_at.is_(None), class_run.c.started_at < transaction.now - RUN_MAX)
                .order_by(class_run.c.started_at)
                .limit(_ENDS_MAX)
            )
        ended = 0
        for row in overdue:
            ended += await self._end(row.org_id, row.id, RunEnd.TIMEOUT)
        return ended

    async def _take(self, transaction: Transaction, run: Row[Any], event: Any, at: datetime) -> None:
        match event:
            case RecordingStarted(recording=record_id):
                await _begin_recording(transaction, self._parts.ids.new(), run, record_id, at)
            case RecordingStopped(recording=record_id, failure=failure):
                # Its start may have been lost with a disk; then its end is where we learn of it.
                await _begin_recording(transaction, self._parts.ids.new(), run, record_id, at)
                await _stop_recording(transaction, run, record_id, at, failure)
            case RoomEnded(inferred=None) if run.ended_at is None:
                # A server that is stopped ends its rooms, and its successor opens them again: so it is asked later.
                await self._parts.outbox.send(
                    transaction, "class.room.check", key=run.room, payload={"room": run.room}, org_id=run.org_id
                )
            case _:
                pass

    async def _end_room(self, message: Message) -> None:
        await self._media.end_room(message.payload["room"])

    async def _set_room(self, message: Message) -> None:
        """Have the room of a class that is held be as its settings are now; those who are in it stay."""
        async with self._parts.database.read(message.org_id) as transaction:
            held = await find_class(transaction, UUID(message.payload["class_id"]))
            run = None if held is None else await live_run(transaction, held.id)
            if held is None or run is None:
                return
            settings = msgspec.convert(held.settings, RoomSettings)
            seats = await seats_within(transaction, settings.participants_max)
        definition = room_definition(settings, locked=held.locked, class_id=held.id, run_id=run.id, seats=seats)
        await self._media.open_room(run.room, definition)

    async def _check_room(self, message: Message) -> None:
        room = message.payload["room"]
        async with self._parts.database.read(message.org_id) as transaction:
            run = await _by_room(transaction, room)
        if run is None or run.ended_at is not None or await self._media.has_room(room):
            return
        await self._end(message.org_id, run.id, RunEnd.ROOM_ENDED)

    async def _end(self, org_id: UUID, run_id: UUID, reason: RunEnd) -> bool:
        async with self._parts.database.write(org_id) as transaction:
            own = (class_run.c.org_id == org_id, class_run.c.id == run_id)
            run = await transaction.one(select(class_run).where(*own))
            # Locked in the same order as by endpoints: the class first.
            await transaction.first(
                select(live_class.c.id)
                .where(live_class.c.org_id == org_id, live_class.c.id == run.class_id)
                .with_for_update()
            )
            ended = await end_run(transaction, self._parts.outbox, run, reason)
            if ended:
                new = {"run_id": str(run.id), "reason": reason.value}
                await record_by_service(transaction, "class.end", "live_class", run.class_id, new=new)
        return ended


async def _by_room(transaction: Transaction, room: str) -> Row[Any] | None:
    return await transaction.first(
        select(class_run).where(class_run.c.org_id == transaction.org_id, class_run.c.room == room)
    )


async def _begin_recording(
    transaction: Transaction, recording_id: UUID, run: Row[Any], record_id: str, at: datetime
) -> None:
    title = await transaction.value(
        select(live_class.c.title).where(live_class.c.org_id == run.org_id, live_class.c.id == run.class_id)
    )
    upsert: Any = postgresql.insert if transaction.is_postgresql else sqlite.insert
    await transaction.execute(
        upsert(recording)
        .values(
            org_id=run.org_id,
            id=recording_id,
            run_id=run.id,
            record_id=record_id,
            name=title,
            state=RecordingState.RECORDING,
            protected=False,
            started_at=at,
            metadata={},
            version=1,
            created_at=transaction.now,
        )
        .on_conflict_do_nothing()
    )


async def _stop_recording(
    transaction: Transaction, run: Row[Any], record_id: str, at: datetime, failure: str | None
) -> None:
    """What was begun is processed next; a recording that is further already stays where it is."""
    one = (recording.c.org_id == run.org_id, recording.c.record_id == record_id)
    row = await transaction.one(select(recording).where(*one))
    if row.state is not RecordingState.RECORDING:
        return
    await transaction.execute(
        update(recording)
        .where(*one)
        .values(
            state=RecordingState.PROCESSING if failure is None else RecordingState.FAILED,
            failure=failure,
            ended_at=max(at, row.started_at),
            version=row.version + 1,
        )
    )
