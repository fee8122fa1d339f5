"""Who asks: a person or program of one organization, with roles."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from lms.access.roles import Permission, Role, permissions_of
from lms.api.languages import Language, choose_language
from lms.api.problems import FORBIDDEN, ProblemError


@dataclass(frozen=True, slots=True)
class Caller:
    """Known from the access token; who is not logged in has none."""

    org_id: UUID
    user_id: UUID
    roles: frozenset[Role]
    name: str = ""
    by_cookie: bool = False
    """Whether a browser showed the token by itself: then the page that asks must be ours."""
    language: Language | None = None
    """The one that they chose, if they did."""
    language_of_organization: Language = Language.ENGLISH

    def may(self, permission: Permission) -> bool:
        """Return whether one of the roles has it."""
        return permission in permissions_of(self.roles)

    def speaks(self, accepted: str | None) -> Language:
        """Return in which language to answer: their own, else what the request accepts, else the organization's."""
        return self.language or choose_language(accepted, self.language_of_organization)

    def check(self, permission: Permission) -> None:
        """Raise ProblemError unless one of the roles has it."""
        if not self.may(permission):
            raise ProblemError(FORBIDDEN, rule=permission.value)
