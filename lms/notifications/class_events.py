"""What is told of classes by WebSocket: `class:...`, to those whose classes they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from lms.live.events import Event


class ClassEvent(Event, frozen=True, kw_only=True):
    """Of one class."""

    class_id: UUID
    title: str


class ClassStarting(ClassEvent, frozen=True, kw_only=True, tag="class:starting"):
    """It is planned to start within ten minutes."""

    starts_at: datetime


class ClassStarted(ClassEvent, frozen=True, kw_only=True, tag="class:started"):
    """It can be joined."""

    run_id: UUID
    room_id: UUID
    """Of its chat."""


class ClassEnded(ClassEvent, frozen=True, kw_only=True, tag="class:ended"):
    """Everybody was put out."""

    run_id: UUID
    reason: str


class ClassInvited(ClassEvent, frozen=True, kw_only=True, tag="class:invited"):
    """You may join it."""

    starts_at: datetime


class ClassChanged(ClassEvent, frozen=True, kw_only=True, tag="class:changed"):
    """Look at it again."""

    starts_at: datetime


class ClassCancelled(ClassEvent, frozen=True, kw_only=True, tag="class:cancelled"):
    """It will not be held."""


class ClassAttendanceUpdated(ClassEvent, frozen=True, kw_only=True, tag="class:attendance.updated"):
    """Attendance of a run is another; told to those who teach the class."""

    run_id: UUID


class ClassGradeUpdated(Event, frozen=True, kw_only=True, tag="class:grade.updated"):
    """A grade of yours can be seen, or is another."""

    course_id: UUID
    item_id: UUID
