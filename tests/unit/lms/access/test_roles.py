"""The table of permissions, and who may give which role."""

from __future__ import annotations

from itertools import combinations

import pytest

from lms.access.roles import PERMISSIONS, Permission, Role, may_give, outranks, permissions_of

READ_OF_STUDENTS = {"courses:read", "classes:read", "classes:join", "recordings:read", "chat"}


def test_every_role_is_in_the_table_and_every_permission_is_somebodys() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert permissions_of(Role) == frozenset(Permission)
    assert permissions_of(()) == frozenset()


def test_students_see_and_write_nothing_of_others() -> None:
    shown = {each.value for each in PERMISSIONS[Role.STUDENT]}
    assert shown == READ_OF_STUDENTS | {"access_codes:redeem", "attendance:read_own", "grades:read_own"}
    assert {each for each in PERMISSIONS[Role.OBSERVER] if "write" in each.value} == set()


@pytest.mark.parametrize(("less", "more"), [("ta", "teacher"), ("teacher", "manager"), ("manager", "owner")])
def test_who_is_above_may_all_that_who_is_below_may(less: str, more: str) -> None:
    assert PERMISSIONS[Role(less)] <= PERMISSIONS[Role(more)]


def test_more_roles_never_allow_less() -> None:
    for one, other in combinations(Role, 2):
        assert permissions_of((one,)) <= permissions_of((one, other))


def test_nobody_gives_more_than_they_are() -> None:
    allowed = {(giver.value, role.value) for giver in Role for role in Role if may_give((giver,), role)}
    assert ("owner", "owner") in allowed
    assert ("admin", "admin") in allowed
    assert not {("admin", "owner"), ("manager", "manager"), ("manager", "service"), ("teacher", "student")} & (
        allowed - {("teacher", "student")}
    )
    assert outranks((Role.ADMIN,), (Role.ADMIN,))
    assert not outranks((Role.MANAGER,), (Role.ADMIN,))
    assert not outranks((), (Role.STUDENT,))
