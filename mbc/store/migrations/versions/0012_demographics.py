"""Demographics in the clinic's own codes, apart from clinical data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIELDS = ("age_band", "gender", "ethnicity", "payer", "modality", "approach", "relationship_structure")


def upgrade() -> None:
    op.create_table(
        "demographics",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        *(sa.Column(name, sa.String(64), nullable=True) for name in FIELDS),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_demographics_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_demographics_entry_id"),
        sa.PrimaryKeyConstraint("client_id", name="pk_demographics"),
    )
