"""What the audit log has of somebody: what they did, and what was done with their account.

Entries stay, as the chain of hashes needs them; `lms.audit.retention.erase_from_log` takes out what is personal.
"""

from __future__ import annotations

from typing import Final

from lms.audit.tables import audit_log
from lms.personal.holding import Holding, Keep

_CHAIN: Final = Keep("the log must be whole; what is personal is taken out")

HOLDINGS: Final = (
    Holding(
        "activity", audit_log, by=("actor_id",), erase=_CHAIN,
        leave_out=frozenset({"old", "new"}),  # of others, mostly
    ),
    Holding(
        "activity_about", audit_log, by=("entity_id",), erase=_CHAIN,
        leave_out=frozenset({"actor_id", "address", "user_agent", "request_id"}),  # of others
        where=lambda user_id: (audit_log.c.entity == "app_user") & (audit_log.c.entity_id == str(user_id)),
    ),
)  # fmt: skip
