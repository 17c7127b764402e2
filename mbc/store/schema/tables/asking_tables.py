"""Askings: what a client is asked on their own device, in which words, and the keys that open what was sealed."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from mbc.store.schema.column_types import Id, UtcDateTime, metadata
from mbc.store.schema.tables.common_columns import client_column

asking = Table(  # what a client is asked on their own device, and how far it has come
    "asking",
    metadata,
    Column("asking_id", Id, primary_key=True),  # random
    client_column(),
    Column("language", String(35), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("begun_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("stopped_at", UtcDateTime),  # the client asked for no more of them
    Column("withdrawn_at", UtcDateTime),  # by the clinic
    Column("collected_at", UtcDateTime),
    Column("reminders", Integer, nullable=False),
    Column("reminded_at", UtcDateTime),  # when the last message was given to the mail server
    Index("ix_asking_client_id", "client_id"),
)

asked_wording = Table(  # nobody's: the same for everybody who is asked in the same words
    "asked_wording",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", Text, nullable=False),  # JSON
)

asked_sheet = Table(
    "asked_sheet",
    metadata,
    Column("asking_id", Id, ForeignKey("asking.asking_id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("instrument", Id, nullable=False),
    Column("version", Id, nullable=False),
    Column("form", Id, nullable=False),
    Column("coding", Id, nullable=False),
    Column("target", Id, nullable=False),  # "self", or the relationship
    Column("channel", String(8), nullable=False),
    Column("wording", String(64), ForeignKey("asked_wording.digest"), nullable=False),
    CheckConstraint("channel IN ('care', 'safety')", name="channel"),
)

asking_key = Table(
    "asking_key",
    metadata,
    Column("public", String(64), primary_key=True),  # hexadecimal
    Column("private", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)
