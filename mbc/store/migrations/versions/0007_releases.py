"""Releases: published figures of a period, frozen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEPT = "what is on record in release is never changed"


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("counted", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_release"),
    )
    for statement in _triggers(sqlite=op.get_bind().dialect.name == "sqlite"):
        op.execute(statement)


def _triggers(*, sqlite: bool) -> list[str]:
    if sqlite:
        return [
            f"CREATE TRIGGER release_kept_from_{act.lower()} BEFORE {act} ON release "
            f"BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
            for act in ("UPDATE", "DELETE")
        ]
    return [
        (
            "CREATE FUNCTION release_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{KEPT}'; END $$"
        ),
        (
            "CREATE TRIGGER release_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON release "
            "FOR EACH STATEMENT EXECUTE FUNCTION release_kept()"
        ),
    ]
