"""Answers to signals that concern safety, second reviews of flags, patterns across relationships, support.

A change that concerns safety is no word of the answer any more, but a row of the safety channel beside it. Goals
may name the pattern that they are to change.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.String(64)
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("goal", sa.Column("pattern", sa.String(32), nullable=True))
    _table(
        "pattern_tag",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("relationship_id", Id, nullable=False),
        sa.Column("pattern", sa.String(32), nullable=False),
        sa.Column("noted_on", sa.Date(), nullable=False),
        _pair("pattern_tag", "relationship"),
        key=("client_id", "relationship_id", "pattern"),
    )
    _table(
        "support_network",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("rated_on", sa.Date(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        key=("client_id", "rated_on"),
    )
    _table(
        "safety_change",
        sa.Column("signal_id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        key=("signal_id", "answered_on"),
    )
    _table(
        "second_review",
        sa.Column("administration_id", Number, autoincrement=False, nullable=False),
        sa.Column("item", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["administration_id", "item"],
            ["safety_flag.administration_id", "safety_flag.item"],
            name="fk_second_review_administration_id_item",
        ),
        key=("administration_id", "item"),
    )


def _pair(name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["client_id", f"{other}_id"],
        [f"{other}.client_id", f"{other}.{other}_id"],
        name=f"fk_{name}_client_id_{other}_id",
    )


def _table(name: str, *parts: sa.Column | sa.ForeignKeyConstraint, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        *parts,
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name=f"fk_{name}_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name=f"fk_{name}_entry_id"),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
    )
    if key[0] != "client_id":
        op.create_index(f"ix_{name}_client_id", name, ["client_id"], unique=False)
