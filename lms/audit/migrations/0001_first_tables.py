"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import BYTES, INTEGER, TEXT, Id, Json, Time

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)
depends_on = (
    "database_0001",
    "organizations_0001",
)


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_audit_head_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_audit_head")),
        sqlite_strict=True,
    )
    op.create_table(
        "audit_log",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("entity_id", TEXT, nullable=True),
        sa.Column("old", Json(), nullable=True),
        sa.Column("new", Json(), nullable=True),
        sa.Column("address", TEXT, nullable=True),
        sa.Column("user_agent", TEXT, nullable=True),
        sa.Column("request_id", TEXT, nullable=True),
        sa.Column("at", Time(), nullable=False),
        sa.Column("previous_hash", BYTES, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.CheckConstraint("actor_kind IN ('user', 'service', 'nobody')", name=op.f("ck_audit_log_actor_kind")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_audit_log_org_id")),
        sa.PrimaryKeyConstraint("org_id", "seq", name=op.f("pk_audit_log")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index("ix_audit_log_actor", ["org_id", "actor_id", "seq"], unique=False)
        batch_op.create_index("ix_audit_log_entity", ["org_id", "entity", "entity_id", "seq"], unique=False)
    protect("audit_head")
    protect("audit_log", append_only=True)


def downgrade() -> None:
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_log_entity")
        batch_op.drop_index("ix_audit_log_actor")

    op.drop_table("audit_log")
    op.drop_table("audit_head")
