"""Askings: what clients are asked on their own device, in which words, and the key that opens their answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "asking",
        sa.Column("asking_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("opened_at", Moment, nullable=True),
        sa.Column("begun_at", Moment, nullable=True),
        sa.Column("answered_at", Moment, nullable=True),
        sa.Column("stopped_at", Moment, nullable=True),
        sa.Column("withdrawn_at", Moment, nullable=True),
        sa.Column("collected_at", Moment, nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_asking_client_id"),
        sa.PrimaryKeyConstraint("asking_id", name="pk_asking"),
    )
    op.create_index("ix_asking_client_id", "asking", ["client_id"])
    op.create_table(
        "asked_wording",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_asked_wording"),
    )
    op.create_table(
        "asked_sheet",
        sa.Column("asking_id", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("coding", sa.String(64), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("wording", sa.String(64), nullable=False),
        sa.CheckConstraint("channel IN ('care', 'safety')", name="ck_asked_sheet_channel"),
        sa.ForeignKeyConstraint(["asking_id"], ["asking.asking_id"], name="fk_asked_sheet_asking_id"),
        sa.ForeignKeyConstraint(["wording"], ["asked_wording.digest"], name="fk_asked_sheet_wording"),
        sa.PrimaryKeyConstraint("asking_id", "place", name="pk_asked_sheet"),
    )
    op.create_table(
        "asking_key",
        sa.Column("public", sa.String(64), nullable=False),
        sa.Column("private", sa.String(64), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("public", name="pk_asking_key"),
    )
