"""Nothing that is held on people is forgotten: every column that names somebody is in a holding."""

from __future__ import annotations

from lms.database.draft import import_tables
from lms.database.tables import METADATA
from lms.personal.holding import Clear, Keep
from lms.personal.registry import HOLDINGS

IDENTITIES = {"identity", "user_id", "actor_id"}
"""Names of columns that name somebody without a foreign key."""
PROVENANCE = {("join_grant", "identity"), ("code_attempt", "code_id")}
"""The row has another column that names them."""

NOT_YET = ("chat_", "last_seen")


def names_people() -> set[tuple[str, str]]:
    found = set()
    for table in METADATA.tables.values():
        if table.name.startswith(NOT_YET):
            continue
        for key in table.foreign_key_constraints:
            if key.referred_table.name == "app_user":
                found |= {(table.name, name) for name in key.column_keys if name != "org_id"}
        found |= {(table.name, column.name) for column in table.columns if column.name in IDENTITIES}
    return found


def test_every_column_that_names_somebody_is_held() -> None:
    import_tables()
    held = {(holding.table.name, name) for holding in HOLDINGS for name in holding.by}
    histories = {("attendance_history", "actor_id"), ("grade_history", "actor_id"), ("attendance_guest", "identity")}
    assert names_people() - held - PROVENANCE - histories == set()


def test_sections_have_names_of_their_own() -> None:
    names = [holding.section for holding in HOLDINGS]
    assert len(names) == len(set(names))


def test_what_is_kept_has_a_reason_and_what_is_cleared_exists() -> None:
    for holding in HOLDINGS:
        match holding.erase:
            case Keep(because=because):
                assert because
            case Clear(values=values):
                assert set(values) <= set(holding.table.columns.keys()), holding.section
            case _:
                pass
