"""Deadlines of many owners: set, moved, removed, and given out in order."""

from __future__ import annotations

import weakref

from hypothesis import given
from hypothesis import strategies as st

from media.net.deadlines import Deadlines


def test_owners_come_up_in_order() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set(1, "late", 5.0)
    deadlines.set(2, "early", 2.0)
    assert deadlines.next() == 2.0
    assert deadlines.pop_due(1.9) == []
    assert deadlines.pop_due(5.0) == ["early", "late"]
    assert deadlines.next() is None


def test_moved_and_removed_deadlines_do_not_come_up() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set(1, "moved", 1.0)
    deadlines.set(1, "moved", 9.0)
    deadlines.set(2, "removed", 1.0)
    deadlines.set(2, "removed", None)
    assert deadlines.pop_due(5.0) == []
    assert deadlines.next() == 9.0
    assert len(deadlines) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.floats(0, 100))), st.floats(0, 100))
def test_due_owners_are_those_whose_last_deadline_has_come(steps: list[tuple[int, float | None]], now: float) -> None:
    deadlines: Deadlines[int] = Deadlines()
    last: dict[int, float] = {}
    for key, deadline in steps:
        deadlines.set(key, key, deadline)
        last.pop(key, None)
        if deadline is not None:
            last[key] = deadline
    due = deadlines.pop_due(now)
    assert sorted(due) == sorted(key for key, deadline in last.items() if deadline <= now)
    assert [last[key] for key in due] == sorted(last[key] for key in due)
    assert deadlines.next() == min((deadline for deadline in last.values() if deadline > now), default=None)


def test_who_has_no_deadline_any_more_is_let_go_at_once() -> None:
    class Transport:
        """Something that a weak reference can watch."""

    deadlines: Deadlines[Transport] = Deadlines()
    transport = Transport()
    watched = weakref.ref(transport)
    deadlines.set(1, transport, 30.0)
    deadlines.set(1, transport, None)
    del transport
    assert watched() is None


def test_a_deadline_that_is_always_moved_later_takes_no_room() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for step in range(1000):
        deadlines.set(1, "consent", 30.0 + step)
    assert deadlines.queued == 1
    assert deadlines.next() == 1029.0
