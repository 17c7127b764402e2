"""Models of the clinic's own scores, fitted and kept, so that nobody waits for a fit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "clinic_model",
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("scale", sa.String(64), nullable=False),
        sa.Column("made_at", Moment, nullable=True),
        sa.Column("made_on", sa.Date(), nullable=True),
        sa.Column("revision", sa.String(64), nullable=True),
        sa.Column("definition", sa.String(64), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("claimed_until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("instrument", "scale", name="pk_clinic_model"),
    )
