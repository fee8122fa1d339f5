"""Hosts are claimed by whoever says so, and verified by proof: those that are there stay as they are, verified."""

import secrets
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.rewrite import all_rows
from lms.database.types import TEXT, Id, Time

revision = "organizations_0002"
down_revision = "organizations_0001"
branch_labels = None
depends_on = None

_VERIFIED = sa.text("verified_at IS NOT NULL")


def upgrade() -> None:
    kept = _rows(_old())
    op.drop_table("org_host")
    op.create_table(
        "org_host",
        sa.Column("org_id", Id(), nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("token", TEXT, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("verified_at", Time(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_org_host_org_id")),
        sa.PrimaryKeyConstraint("org_id", "host", name=op.f("pk_org_host")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_org_host_verified",
        "org_host",
        ["host"],
        unique=True,
        postgresql_where=_VERIFIED,
        sqlite_where=_VERIFIED,
    )
    protect("org_host")
    now = datetime.now(UTC)
    _write(
        _new(),
        [
            {
                "org_id": row.org_id, "host": row.host, "token": secrets.token_urlsafe(32), "created_at": now,
                "verified_at": now,
            }
            for row in kept
        ],
    )  # fmt: skip


def downgrade() -> None:
    """What was only claimed is lost: it would be the claimant's."""
    kept = [row for row in _rows(_new()) if row.verified_at is not None]
    op.drop_table("org_host")
    op.create_table(
        "org_host",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("org_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_org_host_org_id")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_org_host")),
        sqlite_strict=True,
    )
    protect("org_host")
    _write(_old(), [{"host": row.host, "org_id": row.org_id} for row in kept])


def _old() -> sa.TableClause:
    return sa.table("org_host", sa.column("host", TEXT), sa.column("org_id", Id()))


def _new() -> sa.TableClause:
    times = (sa.column("created_at", Time()), sa.column("verified_at", Time()))
    return sa.table("org_host", sa.column("org_id", Id()), sa.column("host", TEXT), sa.column("token", TEXT), *times)


def _rows(table: sa.TableClause) -> list[sa.Row[Any]]:
    with all_rows() as connection:
        return list(connection.execute(sa.select(table)).all())


def _write(table: sa.TableClause, values: list[dict[str, Any]]) -> None:
    if values:
        with all_rows() as connection:
            connection.execute(sa.insert(table).values(values))
