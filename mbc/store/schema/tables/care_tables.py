"""People and their care: clients, sessions, relationships, goals, events, and what a changed row said before."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
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
    func,
)

from mbc.store.schema.column_types import Id, Number, UtcDateTime, metadata
from mbc.store.schema.tables.common_columns import client_column, entry_column, number_column, of_this_client

entry = Table(
    "entry",
    metadata,
    number_column("entry_id", primary_key=True),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(64), nullable=False),
    Column("source_kind", Text),
    Column("source_name", Text),
    Column("source_sha256", String(64)),
    sqlite_autoincrement=True,
)

clinician = Table(
    "clinician",
    metadata,
    Column("clinician_id", Id, primary_key=True),
    Column("display_name", Text, nullable=False),
    entry_column(),
)

client = Table(
    "client",
    metadata,
    Column("client_id", Id, primary_key=True),
    Column("alias", Text),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id"), index=True),
    Column("registered_on", Date),
    Column("status", Text, nullable=False),
    Column(
        "secret", String(64), nullable=False, server_default=""
    ),  # hexadecimal; keys the digests of this client
    entry_column(),
)

episode = Table(
    "episode",
    metadata,
    Column("episode_id", Id, primary_key=True),
    client_column(),
    Column("clinician_id", Id, ForeignKey("clinician.clinician_id")),
    Column("referred_on", Date),
    Column("started_on", Date),
    Column("ended_on", Date),
    Column("ending", Text),
    entry_column(),
    UniqueConstraint("client_id", "episode_id"),
)

relationship = Table(
    "relationship",
    metadata,
    Column("relationship_id", Id, primary_key=True),
    client_column(),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    entry_column(),
    UniqueConstraint("client_id", "relationship_id"),
    UniqueConstraint("client_id", "label"),
)

relationship_status = Table(
    "relationship_status",
    metadata,
    number_column("status_id", primary_key=True),
    client_column(),
    Column("relationship_id", Id),
    Column("status", String(16), nullable=False),
    Column("since", Date, nullable=False),
    entry_column(),
    Column("step_forward", Boolean),  # of a relationship that ends; NULL: nobody said
    of_this_client("relationship", "relationship_id"),
    sqlite_autoincrement=True,
)
# one status a day for each relationship, and one for the person (no relationship): NULLs compare as equal here
Index(
    "uq_relationship_status_day",
    relationship_status.c.client_id,
    func.coalesce(relationship_status.c.relationship_id, ""),
    relationship_status.c.since,
    unique=True,
)

therapy_session = Table(
    "therapy_session",
    metadata,
    Column("episode_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("client_id", Id, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("attended", Boolean, nullable=False),
    Column("modality", Text),
    entry_column(),
    of_this_client("episode", "episode_id"),
    Index("ix_therapy_session_client_id", "client_id"),
)

goal = Table(
    "goal",
    metadata,
    Column("goal_id", Id, primary_key=True),
    client_column(),
    Column("label", Text, nullable=False),
    Column("baseline", Double),
    Column("target", Double),
    Column("higher_is_better", Boolean, nullable=False),
    Column("set_on", Date, nullable=False),
    Column("retired_on", Date),
    Column("retired_reason", Text),
    Column("scale", Id),  # whose points the target is in; NULL: the goal has ratings of its own
    entry_column(),
    Column("pattern", String(32)),  # that it is to change, across relationships
    Index("ix_goal_client_id", "client_id"),
)

goal_rating = Table(
    "goal_rating",
    metadata,
    Column("goal_id", Id, ForeignKey("goal.goal_id"), primary_key=True),
    Column("rated_on", Date, primary_key=True),
    Column("rating", Double, nullable=False),
    entry_column(),
)

event = Table(
    "event",
    metadata,
    Column("event_id", Id, primary_key=True),
    client_column(),
    Column("occurred_on", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("valence", String(8), nullable=False),
    entry_column(),
    Index("ix_event_client_id", "client_id"),
)

earlier = Table(
    "earlier",
    metadata,
    number_column("earlier_id", primary_key=True),
    Column("kind", String(32), nullable=False),  # the table
    Column("key", Text, nullable=False),
    Column("content", Text, nullable=False),  # the row before the change, as JSON
    Column("reason", Text, nullable=False),
    Column("client_id", Id),  # whose; NULL: a clinician's
    Column("replaced_entry_id", Number),  # which entry had written `content`; NULL: before anybody kept that
    entry_column(),  # who replaced it, and when
    Column("withdrawn", Boolean),  # TRUE: entered in error, and nothing came in its place
    Index("ix_earlier_kind_key", "kind", "key"),
    Index("ix_earlier_client_id", "client_id"),
    sqlite_autoincrement=True,
)
