"""Who may do what: one table from roles to permissions, and nothing else decides by role.

A permission says what somebody may do at all. Whether a row is among those that are theirs (a teacher's own course,
a guardian's own child) is a rule of the module that has the row: `..._ALL` permissions need no such rule.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final


class Role(enum.Enum):
    """What somebody is in an organization; a person may have several."""

    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    """Runs courses and people of an organization or branch, without its settings."""
    TEACHER = "teacher"
    TA = "ta"
    """Assists in courses that they are enrolled in."""
    STUDENT = "student"
    OBSERVER = "observer"
    """A guardian: sees what the students see whom they look after."""
    SERVICE = "service"
    """Another program."""


class Permission(enum.Enum):
    """What an endpoint may ask for."""

    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_WRITE = "organization:write"
    PEOPLE_READ = "people:read"
    """People with contact data; everybody sees names of those in their own courses."""
    PEOPLE_WRITE = "people:write"
    ROLES_WRITE = "roles:write"
    """Give and take roles, none above one's own."""
    AUDIT_READ_ALL = "audit:read_all"
    COURSES_READ = "courses:read"
    """Courses that one is enrolled in or teaches."""
    COURSES_READ_ALL = "courses:read_all"
    COURSES_CREATE = "courses:create"
    COURSES_WRITE = "courses:write"
    """Courses that one teaches."""
    COURSES_WRITE_ALL = "courses:write_all"
    ENROL = "enrol"
    """People in courses that one teaches."""
    ACCESS_CODES_WRITE = "access_codes:write"
    ACCESS_CODES_REDEEM = "access_codes:redeem"
    CLASSES_READ = "classes:read"
    CLASSES_JOIN = "classes:join"
    """Classes that one is invited to."""
    CLASSES_WRITE = "classes:write"
    """Schedule, start, lock and end classes of one's own courses."""
    RECORDINGS_READ = "recordings:read"
    RECORDINGS_WRITE = "recordings:write"
    ATTENDANCE_READ_OWN = "attendance:read_own"
    """Of oneself, or of the students that one looks after."""
    ATTENDANCE_READ = "attendance:read"
    ATTENDANCE_WRITE = "attendance:write"
    GRADES_READ_OWN = "grades:read_own"
    GRADES_READ = "grades:read"
    GRADES_WRITE = "grades:write"
    CHAT = "chat"
    """Read and write in rooms that one is a member of."""
    CHAT_MODERATE = "chat:moderate"
    CHAT_STAFF = "chat:staff"
    REPORTS_READ = "reports:read"
    WEBHOOKS_WRITE = "webhooks:write"
    SETTINGS_WRITE = "settings:write"
    ERASE = "erase"
    """Export and erase a person."""


_P: Final = Permission

_STUDENT: Final = frozenset(
    {
        _P.COURSES_READ,
        _P.ACCESS_CODES_REDEEM,
        _P.CLASSES_READ,
        _P.CLASSES_JOIN,
        _P.RECORDINGS_READ,
        _P.ATTENDANCE_READ_OWN,
        _P.GRADES_READ_OWN,
        _P.CHAT,
    }
)
_TA: Final = frozenset(
    {
        _P.COURSES_READ,
        _P.CLASSES_READ,
        _P.CLASSES_JOIN,
        _P.RECORDINGS_READ,
        _P.ATTENDANCE_READ_OWN,
        _P.ATTENDANCE_READ,
        _P.GRADES_READ,
        _P.CHAT,
        _P.CHAT_MODERATE,
        _P.CHAT_STAFF,
    }
)
_TEACHER: Final = _TA | {
    _P.COURSES_CREATE,
    _P.COURSES_WRITE,
    _P.ENROL,
    _P.ACCESS_CODES_WRITE,
    _P.CLASSES_WRITE,
    _P.RECORDINGS_WRITE,
    _P.ATTENDANCE_WRITE,
    _P.GRADES_WRITE,
    _P.REPORTS_READ,
}
_MANAGER: Final = _TEACHER | {
    _P.ORGANIZATION_READ,
    _P.PEOPLE_READ,
    _P.PEOPLE_WRITE,
    _P.ROLES_WRITE,
    _P.COURSES_READ_ALL,
    _P.COURSES_WRITE_ALL,
}

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: _MANAGER,
    Role.TEACHER: _TEACHER,
    Role.TA: _TA,
    Role.STUDENT: _STUDENT,
    Role.OBSERVER: frozenset({_P.COURSES_READ, _P.CLASSES_READ, _P.ATTENDANCE_READ_OWN, _P.GRADES_READ_OWN, _P.CHAT}),
    Role.SERVICE: frozenset(Permission) - {_P.ROLES_WRITE, _P.ERASE, _P.SETTINGS_WRITE, _P.CHAT},
}
"""The table. Owners and admins differ in one thing: only owners make owners (`may_give`)."""

_RANK: Final = {
    Role.OWNER: 4,
    Role.ADMIN: 3,
    Role.MANAGER: 2,
    Role.SERVICE: 2,
    Role.TEACHER: 1,
    Role.TA: 1,
    Role.STUDENT: 0,
    Role.OBSERVER: 0,
}


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """Return what somebody with these roles may do."""
    return frozenset().union(*(PERMISSIONS[role] for role in roles))


def may_give(giver: Iterable[Role], role: Role) -> bool:
    """Return whether somebody may give or take a role: none above their own, and owners and admins their own, too."""
    rank = max((_RANK[each] for each in giver), default=-1)
    return rank > _RANK[role] or (rank == _RANK[role] and rank >= _RANK[Role.ADMIN])


def outranks(one: Iterable[Role], other: Iterable[Role]) -> bool:
    """Return whether somebody may change the account of another: it is not above their own."""
    least = -1
    return max((_RANK[each] for each in one), default=least) >= max((_RANK[each] for each in other), default=least)
