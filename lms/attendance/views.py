"""From a computed sheet and what is stored beside it to what the API says; the same order in both databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from lms.attendance.computing import Computed
from lms.attendance.facts import moment_of
from lms.attendance.messages import AttendanceRow, AttendanceSheet, OtherRow, Override, PolicyView
from lms.attendance.outcome import Outcome, Status
from lms.attendance.runs import HeldRun
from lms.attendance.store import ChosenPolicy
from lms.classes.room import user_of
from lms.text import sort_key

People = Mapping[UUID, Row[Any]]
"""Accounts by id: code, display_name, sort_key."""


def sheet_view(run: HeldRun, computed: Computed, results: Iterable[Row[Any]], people: People) -> AttendanceSheet:
    """Return the sheet as the API tells it."""
    state = computed.state
    sheet = computed.sheet
    stored = {row.user_id: row for row in results}
    members = [
        row_view(outcome, stored.get(UUID(outcome.identity)), people, computed.roster.get(UUID(outcome.identity)))
        for outcome in sheet.members
    ]
    counts = {status.value: sum(row.status is status for row in members) for status in Status}
    return AttendanceSheet(
        run_id=run.run_id,
        class_id=run.class_id,
        course_id=run.course_id,
        title=run.title,
        state=state_of(run, state),
        window_start=moment_of(sheet.window.start_us),
        window_end=moment_of(sheet.window.end_us),
        incomplete=state is not None and state.losses > 0,
        policy=policy_view(computed.chosen, run.course_id),
        counts=counts,
        members=tuple(sorted(members, key=lambda row: (_sort_key(people, row.user_id), str(row.user_id)))),
        others=tuple(_others(sheet.others, computed.guests, people)),
    )


def state_of(run: HeldRun, state: Row[Any] | None) -> Literal["live", "provisional", "final"]:
    """Return how settled the attendance of a run is."""
    if run.ended_at is None:
        return "live"
    return "final" if state is not None and state.computed_at is not None and state.due_at is None else "provisional"


def row_view(outcome: Outcome, stored: Row[Any] | None, people: People, excused_reason: str | None) -> AttendanceRow:
    """Return one person as the API tells them; the override of what is stored counts."""
    user_id = UUID(outcome.identity)
    person = people.get(user_id)
    override = None
    if stored is not None and stored.override_status is not None:
        override = Override(
            status=stored.override_status,
            by=stored.override_by,
            at=stored.override_at,
            reason=stored.override_note,
        )
    return AttendanceRow(
        user_id=user_id,
        code="" if person is None else person.code,
        name="" if person is None else person.display_name,
        status=outcome.status if override is None else override.status,
        computed=outcome.status,
        override=override,
        excused_reason=excused_reason,
        present_s=outcome.present_s,
        percent=outcome.percent,
        first_join=_moment(outcome.first_join_us),
        last_leave=_moment(outcome.last_leave_us),
        joins=outcome.joins,
        late_s=outcome.late_s,
        early_s=outcome.early_s,
        standing=outcome.standing,
    )


def policy_view(chosen: ChosenPolicy, course_id: UUID | None) -> PolicyView:
    """Return rules as the API tells them."""
    policy = chosen.policy
    scope: Literal["default", "organization", "course"] = "default"
    if chosen.policy_id is not None:
        scope = "course" if chosen.is_of_course and course_id is not None else "organization"
    return PolicyView(
        scope=scope,
        version=chosen.version,
        min_seconds=policy.min_seconds,
        min_percent=policy.min_percent,
        late_after_s=policy.late_after_s,
        early_leave_s=policy.early_leave_s,
        gap_merge_s=policy.gap_merge_s,
        min_interval_s=policy.min_interval_s,
        count_lobby=policy.count_lobby,
        count_breakout=policy.count_breakout,
        time_window=policy.time_window,
    )


def _others(outcomes: Sequence[Outcome], guests: Mapping[str, Row[Any]], people: People) -> list[OtherRow]:
    rows = []
    for outcome in outcomes:
        user_id = user_of(outcome.identity)
        person = None if user_id is None else people.get(user_id)
        guest = guests.get(outcome.identity)
        rows.append(
            OtherRow(
                identity=outcome.identity,
                user_id=user_id,
                name=person.display_name if person is not None else "" if guest is None else guest.name,
                present_s=outcome.present_s,
                first_join=_moment(outcome.first_join_us),
                last_leave=_moment(outcome.last_leave_us),
                joins=outcome.joins,
                standing=outcome.standing,
            )
        )
    return sorted(rows, key=lambda row: (row.user_id is None, sort_key(row.name), row.identity))


def _sort_key(people: People, user_id: UUID) -> str:
    person = people.get(user_id)
    return "" if person is None else person.sort_key


def _moment(at_us: int | None) -> datetime | None:
    return None if at_us is None else moment_of(at_us)
