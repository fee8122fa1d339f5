"""First tables."""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import INTEGER, TEXT, Id, Json, Time

revision = "organizations_0001"
down_revision = None
branch_labels = ("organizations",)
depends_on = ("database_0001",)


def upgrade() -> None:
    op.create_table(
        "organization",
        sa.Column("id", Id(), nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("quota", Json(), nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("deleted_at", Time(), nullable=True),
        sa.CheckConstraint("plan IN ('free', 'basic', 'premium', 'enterprise')", name=op.f("ck_organization_plan")),
        sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f("ck_organization_status")),
        sa.CheckConstraint("length(slug) BETWEEN 3 AND 100", name=op.f("ck_organization_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("slug", name=op.f("uq_organization_slug")),
        sqlite_strict=True,
    )
    op.create_table(
        "branch",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_branch_org_id")),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_branch")),
        sa.UniqueConstraint("org_id", "slug", name=op.f("uq_branch_org_id_slug")),
        sqlite_strict=True,
    )
    op.create_table(
        "org_host",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("org_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_org_host_org_id")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_org_host")),
        sqlite_strict=True,
    )
    protect("organization", org_column="id")
    protect("branch")
    protect("org_host")


def downgrade() -> None:
    op.drop_table("org_host")
    op.drop_table("branch")
    op.drop_table("organization")
