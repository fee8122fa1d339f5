"""Who may do what with whose account. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lms.access.roles import Role, may_give, outranks
from lms.api.problems import FORBIDDEN, Problem, ProblemError

LAST_OWNER = Problem(
    "last_owner", 409, "The organization needs an owner: this is the last one.", "تحتاج المؤسسة إلى مالك: هذا آخر مالك."
)


def check_roles(giver: Iterable[Role], before: Iterable[Role], after: Iterable[Role]) -> None:
    """Raise ProblemError unless somebody may make these roles out of those."""
    giver = frozenset(giver)
    for role in frozenset(before) ^ frozenset(after):
        if not may_give(giver, role):
            raise ProblemError(FORBIDDEN, field="roles", value=role.value, rule="rank")


def check_rank(caller: Iterable[Role], other: Iterable[Role]) -> None:
    """Raise ProblemError unless somebody may change the account of another."""
    if not outranks(caller, other):
        raise ProblemError(FORBIDDEN, rule="rank")
