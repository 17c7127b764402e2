"""Accounts and settings: who may sign in, by which ways, and what the clinic decided."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from mbc.store.schema.column_types import Id, UtcDateTime, metadata
from mbc.store.schema.tables.common_columns import number_column

account = Table(
    "account",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id")),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),  # password, role or state: older sign-ins end
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
)

account_permission = Table(
    "account_permission",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("permission", String(32), primary_key=True),
)

supervision = Table(
    "supervision",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id"), primary_key=True),
)

second_factor = Table(
    "second_factor",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("secret", String(64), nullable=False),  # base32, as the user's app has it
    Column("added_at", UtcDateTime, nullable=False),
    number_column("last_step", nullable=False),  # of the code that was used last: no code is taken twice
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("username", String(64), ForeignKey("account.username"), primary_key=True),
    Column("code", String(64), primary_key=True),  # a digest; the row goes when the code is used
)

provider_account = Table(  # who signs in through the clinic's own directory, as an administrator has said
    "provider_account",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("username", String(64), ForeignKey("account.username"), nullable=False),
    UniqueConstraint("username", "issuer"),
)

passkey = Table(
    "passkey",
    metadata,
    Column("passkey_id", String(64), primary_key=True),  # digest of the credential's own id
    Column("username", String(64), ForeignKey("account.username"), nullable=False),
    Column("credential", Text, nullable=False),  # base64url
    Column("public_key", Text, nullable=False),  # COSE, base64url
    number_column("uses", nullable=False),  # as the authenticator counts them: a copy would count anew
    Column("label", String(64), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Index("ix_passkey_username", "username"),
)

sign_in_attempt = Table(  # failed sign-ins of late, by account and address
    "sign_in_attempt",
    metadata,
    Column("username", String(64), primary_key=True),  # empty: an account that does not exist
    Column("address", String(64), primary_key=True),  # empty: from anywhere
    Column("since", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("paused_until", UtcDateTime),
    Column("notified_at", UtcDateTime),  # when the clinic was written to about this pause
)

setting = Table(  # what a clinic decided; each change is a line of the audit log
    "setting",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),  # JSON
)
