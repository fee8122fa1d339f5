"""Erasure and retention."""

import sqlalchemy as sa
from alembic import op

from lms.database.database import ROLE_OF_SERVICE
from lms.database.protect import protect
from lms.database.types import BYTES, INTEGER, Id, Time

revision = "audit_0002"
down_revision = "audit_0001"
branch_labels = None
depends_on = None

_COLUMNS = ("origin_hash", "origin_salt", "content_hash", "content_salt")
_PERSONAL = ("old", "new", "address", "user_agent", "origin_salt", "content_salt")
_KEPT = (
    "org_id", "seq", "actor_id", "actor_kind", "action", "entity", "entity_id", "request_id", "at", "previous_hash",
    "hash", "origin_hash", "content_hash",
)  # fmt: skip
_ANCHORED = "SELECT 1 FROM audit_anchor WHERE audit_anchor.org_id = OLD.org_id AND audit_anchor.seq >= OLD.seq"


def upgrade() -> None:
    op.create_table(
        "audit_anchor",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.Column("at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_audit_anchor_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_audit_anchor")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin_hash", BYTES, nullable=True))
        batch_op.add_column(sa.Column("origin_salt", BYTES, nullable=True))
        batch_op.add_column(sa.Column("content_hash", BYTES, nullable=True))
        batch_op.add_column(sa.Column("content_salt", BYTES, nullable=True))
    protect("audit_anchor")
    _allow()


def downgrade() -> None:
    _forbid()
    for name in reversed(_COLUMNS):
        op.execute(f"ALTER TABLE audit_log DROP COLUMN {name}")
    op.drop_table("audit_anchor")


def _allow() -> None:
    """Let personal content be taken out, and entries up to the anchor be deleted; nothing else, by nobody."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"GRANT UPDATE ({', '.join(_PERSONAL)}), DELETE ON audit_log TO {ROLE_OF_SERVICE}")
        op.execute(
            "CREATE FUNCTION audit_log_no_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NOT EXISTS ({_ANCHORED}) THEN RAISE EXCEPTION 'audit_log is append only'; END IF; "
            "RETURN OLD; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
            "FOR EACH ROW EXECUTE FUNCTION audit_log_no_delete()"
        )
        return
    _drop_triggers()
    kept = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _KEPT)
    emptied = " AND ".join(f"(NEW.{name} IS OLD.{name} OR NEW.{name} IS NULL)" for name in _PERSONAL)
    op.execute(
        f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log WHEN NOT ({kept} AND {emptied}) "
        "BEGIN SELECT RAISE(ABORT, 'audit_log is append only'); END"
    )
    op.execute(
        f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log WHEN NOT EXISTS ({_ANCHORED}) "
        "BEGIN SELECT RAISE(ABORT, 'audit_log is append only'); END"
    )


def _forbid() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_log_no_delete ON audit_log")
        op.execute("DROP FUNCTION audit_log_no_delete()")
        op.execute(f"REVOKE UPDATE ({', '.join(_PERSONAL)}), DELETE ON audit_log FROM {ROLE_OF_SERVICE}")
        return
    _drop_triggers()
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_no_{change.lower()} BEFORE {change} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'audit_log is append only'); END"
        )


def _drop_triggers() -> None:
    for change in ("update", "delete"):
        op.execute(f"DROP TRIGGER audit_log_no_{change}")
