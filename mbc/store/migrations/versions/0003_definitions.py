"""Definitions of the clinic's own questionnaires, as they were when answers to them were recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEPT = "what is on record in definition is never changed"


def upgrade() -> None:
    op.create_table(
        "definition",
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("entry_id", Number, autoincrement=False, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("raises_flags", sa.Boolean(), nullable=False),
        sa.CheckConstraint("channel IN ('care', 'safety')", name="ck_definition_channel"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_definition_entry_id"),
        sa.PrimaryKeyConstraint("instrument", "entry_id", name="pk_definition"),
    )
    for statement in _triggers(sqlite=op.get_bind().dialect.name == "sqlite"):
        op.execute(statement)


def _triggers(*, sqlite: bool) -> list[str]:
    if sqlite:
        return [
            f"CREATE TRIGGER definition_kept_from_{act.lower()} BEFORE {act} ON definition "
            f"BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
            for act in ("UPDATE", "DELETE")
        ]
    return [
        (
            "CREATE FUNCTION definition_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{KEPT}'; END $$"
        ),
        (
            "CREATE TRIGGER definition_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON definition "
            "FOR EACH STATEMENT EXECUTE FUNCTION definition_kept()"
        ),
    ]
