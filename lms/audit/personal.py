"""What the audit log has of somebody: what they did, and what was done with their account.

Entries stay, as the chain of hashes needs them; `lms.audit.retention.erase_from_log` takes out what is personal.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast

from lms.audit.tables import audit_log
from lms.personal.holding import Holding, Keep

TOLD_OF_ONE: Final = (
    "attendance.override", "attendance.excuse", "attendance.recognise", "chat.mute", "chat.ban", "chat.report_close",
)  # fmt: skip
"""What is done to one person, with a reason in free words: `old` and `new` name them beside it."""

_CHAIN: Final = Keep("the log must be whole; what is personal is taken out")


def about(user_id: UUID) -> ColumnElement[bool]:
    """Return the condition for entries that tell of one person: their account, and what was done to them and why."""
    of_account = (audit_log.c.entity == "app_user") & (audit_log.c.entity_id == str(user_id))
    named = [cast(audit_log.c[each], Text).like(f"%{user_id}%") for each in ("old", "new")]
    return of_account | (audit_log.c.action.in_(TOLD_OF_ONE) & (named[0] | named[1]))


HOLDINGS: Final = (
    Holding(
        "activity", audit_log, by=("actor_id",), erase=_CHAIN,
        leave_out=frozenset({"old", "new"}),  # of others, mostly
    ),
    Holding(
        "activity_about", audit_log, by=("entity_id",), erase=_CHAIN,
        leave_out=frozenset({"actor_id", "address", "user_agent", "request_id"}),  # of others
        where=about,
    ),
)  # fmt: skip
