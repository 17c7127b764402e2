"""Passkeys, accounts of the clinic's own directory, and whether somebody was written to about a paused sign-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "provider_account",
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["account.username"], name="fk_provider_account_username"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_provider_account"),
        sa.UniqueConstraint("username", "issuer", name="uq_provider_account_username_issuer"),
    )
    op.create_table(
        "passkey",
        sa.Column("passkey_id", sa.String(64), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("uses", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("added_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["username"], ["account.username"], name="fk_passkey_username"),
        sa.PrimaryKeyConstraint("passkey_id", name="pk_passkey"),
    )
    op.create_index("ix_passkey_username", "passkey", ["username"])
    op.add_column("sign_in_attempt", sa.Column("notified_at", Moment, nullable=True))
