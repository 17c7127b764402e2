"""What shows what happened: the audit log, what is left of an erasure, and what was published."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, String, Table, Text

from mbc.store.schema.column_types import Id, Number, UtcDateTime, metadata
from mbc.store.schema.tables.common_columns import entry_column, number_column

audit = Table(
    "audit",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(64), nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),  # a client, an account, a file
    Column("detail", Text, nullable=False),  # JSON
    Column("origin", Text, nullable=False),  # where from: an address, or the command line
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),  # covers `mark`, not the two fields that may name somebody
    Column("salt", String(64)),  # NULL: an erasure took out what named somebody
    Column("mark", String(64), nullable=False, server_default=""),  # digest of salt, subject and detail as written
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("tombstone_id", Id, primary_key=True),  # random
    Column("erased_at", UtcDateTime, nullable=False),
    Column("erased_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("counts", Text, nullable=False),  # JSON: how many rows of what
    Column("salt", String(64), nullable=False),
    Column("client", String(64), nullable=False),  # keyed digest of the identifier, so that it is not taken again
)

erased = Table(
    "erased",
    metadata,
    number_column("erased_id", primary_key=True),
    Column("tombstone_id", Id, ForeignKey("tombstone.tombstone_id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("administration_id", Number),
    Column("leaf", String(64), nullable=False),  # the row's part of its entry's seal
    entry_column(),
    sqlite_autoincrement=True,
)

# A row here lifts the triggers for one client; nobody can commit one, since no entry has the number 0.
erasing = Table(
    "erasing",
    metadata,
    Column("client_id", Id, primary_key=True),
    Column(
        "until_commit",
        Number,
        ForeignKey("entry.entry_id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    CheckConstraint("until_commit = 0", name="until_commit"),
)

release = Table(  # what was published of a period; triggers keep it as it is
    "release",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("content", Text, nullable=False),  # JSON: the published figures and their rules
    Column("sha256", String(64), nullable=False),
    Column("counted", Text, nullable=False),  # JSON: keyed digests of the episodes that were counted
)
