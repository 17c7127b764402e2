"""Questionnaires: answers and flags, definitions of the clinic's own, and what is worked out from answers."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from mbc.store.schema.column_types import Id, Number, UtcDateTime, metadata
from mbc.store.schema.tables.common_columns import (
    administration_column,
    client_column,
    entry_column,
    number_column,
    of_this_client,
)

administration = Table(
    "administration",
    metadata,
    number_column("administration_id", primary_key=True),
    client_column(),
    Column("episode_id", Id),
    Column("relationship_id", Id),  # NULL: the answers are about the client ("self")
    Column("instrument", Id, nullable=False),
    Column("version", Id, nullable=False),
    Column("form", Id),
    Column("coding", Id),
    Column("informant", Id, nullable=False),
    Column("taken_on", Date, nullable=False),
    Column("taken_at", UtcDateTime),
    Column("session_number", Integer),
    Column("channel", String(8), nullable=False),
    Column("occasion", String(64), nullable=False),  # digest of the natural key
    Column("revision", Integer, nullable=False),  # 0, then 1 for the first correction, ...
    Column("content", String(64), nullable=False),  # digest of everything the client or clinic handed in
    Column("supersedes", Number, ForeignKey("administration.administration_id")),
    Column("reason", Text),
    Column("source_line", Integer),
    entry_column(),
    of_this_client("episode", "episode_id"),
    of_this_client("relationship", "relationship_id"),
    UniqueConstraint("occasion", "revision"),  # two writers cannot both be first, or both correct the same
    CheckConstraint("channel IN ('care', 'safety')", name="channel"),
    CheckConstraint("(supersedes IS NULL) = (revision = 0)", name="revision"),
    Index("ix_administration_client_id_instrument", "client_id", "instrument"),
    Index("ix_administration_instrument", "instrument"),
    sqlite_autoincrement=True,
)
# corrections are few: a partial index keeps "is there a later version?" out of every other row's way
Index(
    "uq_administration_supersedes",
    administration.c.supersedes,
    unique=True,
    sqlite_where=administration.c.supersedes.is_not(None),
    postgresql_where=administration.c.supersedes.is_not(None),
)

answer = Table(
    "answer",
    metadata,
    administration_column(),
    Column("item", Integer, primary_key=True, autoincrement=False),  # position in the form, from 1
    Column("value", Double),  # NULL is a blank
    sqlite_with_rowid=False,
)

total = Table(
    "total",
    metadata,
    administration_column(),
    Column("scale", Id, primary_key=True),
    Column("score", Double, nullable=False),
    sqlite_with_rowid=False,
)

safety_flag = Table(
    "safety_flag",
    metadata,
    administration_column(),
    Column("item", Id, primary_key=True),
    client_column(),
    Column("instrument", Id, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("raised_on", Date, nullable=False),
    Column("acknowledged_by", String(64)),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_entry_id", Number),
    entry_column(),
    Index("ix_safety_flag_client_id", "client_id"),
)

definition = Table(
    "definition",
    metadata,
    Column("instrument", Id, primary_key=True),
    number_column("entry_id", ForeignKey("entry.entry_id"), primary_key=True, autoincrement=False),
    Column("version", Id, nullable=False),
    Column("text", Text, nullable=False),  # the definition file, as it was when answers were recorded
    Column("channel", String(8), nullable=False),
    Column("rule", Text, nullable=False),  # JSON: what decides channel and flags
    Column("raises_flags", Boolean, nullable=False),
    CheckConstraint("channel IN ('care', 'safety')", name="channel"),
)

score_set = Table(
    "score_set",
    metadata,
    number_column("set_id", primary_key=True),
    Column("instrument", Id, nullable=False),
    Column("scale", Id, nullable=False),
    Column("version", Id, nullable=False),
    Column("definition", String(64), nullable=False),  # digest of what the scores were worked out with
    Column("made_at", UtcDateTime, nullable=False),
    UniqueConstraint("instrument", "scale", "definition"),
    sqlite_autoincrement=True,
)

score = Table(
    "score",
    metadata,
    administration_column(),
    Column("set_id", Number, ForeignKey("score_set.set_id"), primary_key=True, autoincrement=False),
    Column("score", Double),
    Column("answered", Integer),
    Column("prorated", Boolean),
    Column("band", Text),
    Column("maximum", Double),
    Column("recorded", Boolean, nullable=False),
    Column("digest", String(64)),  # keyed with a secret outside the record: a score that was edited does not count
    Index("ix_score_set_id", "set_id"),
    sqlite_with_rowid=False,
)

clinic_model = Table(  # fitted to everybody's scores, holding nobody's: see mbc.store.reading.model_cache
    "clinic_model",
    metadata,
    Column("instrument", Id, primary_key=True),
    Column("scale", Id, primary_key=True),
    Column("made_at", UtcDateTime),
    Column("made_on", Date),
    Column("revision", String(64)),  # state of the care channel that it was fitted to
    Column("definition", String(64)),  # digest of the questionnaire's definition
    Column("content", Text),  # JSON; NULL: it is being made for the first time
    Column("digest", String(64)),  # keyed with a secret outside the record: a model that was edited does not count
    Column("claimed_until", UtcDateTime),  # a process is fitting it
)
