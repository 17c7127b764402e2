"""The record as first released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
# added to, never changed: the database itself refuses, whichever program asks
KEPT = ("entry", "administration", "answer", "total", "earlier", "audit")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", Number, autoincrement=False, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
    )
    op.create_table(
        "entry",
        sa.Column("entry_id", Number, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("recorded_by", sa.String(64), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=True),
        sa.Column("source_sha256", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name="pk_entry"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "clinician",
        sa.Column("clinician_id", sa.String(64), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_clinician_entry_id"),
        sa.PrimaryKeyConstraint("clinician_id", name="pk_clinician"),
    )
    op.create_table(
        "earlier",
        sa.Column("earlier_id", Number, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_earlier_entry_id"),
        sa.PrimaryKeyConstraint("earlier_id", name="pk_earlier"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_earlier_kind_key", "earlier", ["kind", "key"], unique=False)
    op.create_table(
        "account",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("clinician_id", sa.String(64), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Moment, nullable=True),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.clinician_id"], name="fk_account_clinician_id"),
        sa.PrimaryKeyConstraint("username", name="pk_account"),
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("clinician_id", sa.String(64), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.clinician_id"], name="fk_client_clinician_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_client_entry_id"),
        sa.PrimaryKeyConstraint("client_id", name="pk_client"),
    )
    op.create_index("ix_client_clinician_id", "client", ["clinician_id"], unique=False)
    op.create_table(
        "account_permission",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("permission", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["account.username"], name="fk_account_permission_username"),
        sa.PrimaryKeyConstraint("username", "permission", name="pk_account_permission"),
    )
    op.create_table(
        "episode",
        sa.Column("episode_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("clinician_id", sa.String(64), nullable=True),
        sa.Column("referred_on", sa.Date(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_episode_client_id"),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.clinician_id"], name="fk_episode_clinician_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_episode_entry_id"),
        sa.PrimaryKeyConstraint("episode_id", name="pk_episode"),
        sa.UniqueConstraint("client_id", "episode_id", name="uq_episode_client_id_episode_id"),
    )
    op.create_table(
        "event",
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("valence", sa.String(8), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_event_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_event_entry_id"),
        sa.PrimaryKeyConstraint("event_id", name="pk_event"),
    )
    op.create_index("ix_event_client_id", "event", ["client_id"], unique=False)
    op.create_table(
        "goal",
        sa.Column("goal_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("baseline", sa.Double(), nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column("higher_is_better", sa.Boolean(), nullable=False),
        sa.Column("set_on", sa.Date(), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("retired_reason", sa.Text(), nullable=True),
        sa.Column("scale", sa.String(64), nullable=True),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_goal_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_goal_entry_id"),
        sa.PrimaryKeyConstraint("goal_id", name="pk_goal"),
    )
    op.create_index("ix_goal_client_id", "goal", ["client_id"], unique=False)
    op.create_table(
        "relationship",
        sa.Column("relationship_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_relationship_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_relationship_entry_id"),
        sa.PrimaryKeyConstraint("relationship_id", name="pk_relationship"),
        sa.UniqueConstraint("client_id", "label", name="uq_relationship_client_id_label"),
        sa.UniqueConstraint("client_id", "relationship_id", name="uq_relationship_client_id_relationship_id"),
    )
    op.create_table(
        "supervision",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("clinician_id", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.clinician_id"], name="fk_supervision_clinician_id"),
        sa.ForeignKeyConstraint(["username"], ["account.username"], name="fk_supervision_username"),
        sa.PrimaryKeyConstraint("username", "clinician_id", name="pk_supervision"),
    )
    op.create_table(
        "administration",
        sa.Column("administration_id", Number, nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("episode_id", sa.String(64), nullable=True),
        sa.Column("relationship_id", sa.String(64), nullable=True),
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("form", sa.String(64), nullable=True),
        sa.Column("coding", sa.String(64), nullable=True),
        sa.Column("informant", sa.String(64), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("taken_at", Moment, nullable=True),
        sa.Column("session_number", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("occasion", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("supersedes", Number, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source_line", sa.Integer(), nullable=True),
        sa.Column("entry_id", Number, nullable=False),
        sa.CheckConstraint("channel IN ('care', 'safety')", name="ck_administration_channel"),
        sa.CheckConstraint("(supersedes IS NULL) = (revision = 0)", name="ck_administration_revision"),
        sa.ForeignKeyConstraint(
            ["client_id", "episode_id"],
            ["episode.client_id", "episode.episode_id"],
            name="fk_administration_client_id_episode_id",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "relationship_id"],
            ["relationship.client_id", "relationship.relationship_id"],
            name="fk_administration_client_id_relationship_id",
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_administration_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_administration_entry_id"),
        sa.ForeignKeyConstraint(
            ["supersedes"], ["administration.administration_id"], name="fk_administration_supersedes"
        ),
        sa.PrimaryKeyConstraint("administration_id", name="pk_administration"),
        sa.UniqueConstraint("occasion", "revision", name="uq_administration_occasion_revision"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_administration_client_id_instrument", "administration", ["client_id", "instrument"], unique=False
    )
    op.create_index("ix_administration_instrument", "administration", ["instrument"], unique=False)
    op.create_index(
        "uq_administration_supersedes",
        "administration",
        ["supersedes"],
        unique=True,
        sqlite_where=sa.text("supersedes IS NOT NULL"),
        postgresql_where=sa.text("supersedes IS NOT NULL"),
    )
    op.create_table(
        "goal_rating",
        sa.Column("goal_id", sa.String(64), nullable=False),
        sa.Column("rated_on", sa.Date(), nullable=False),
        sa.Column("rating", sa.Double(), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_goal_rating_entry_id"),
        sa.ForeignKeyConstraint(["goal_id"], ["goal.goal_id"], name="fk_goal_rating_goal_id"),
        sa.PrimaryKeyConstraint("goal_id", "rated_on", name="pk_goal_rating"),
    )
    op.create_table(
        "relationship_status",
        sa.Column("status_id", Number, nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("relationship_id", sa.String(64), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "relationship_id"],
            ["relationship.client_id", "relationship.relationship_id"],
            name="fk_relationship_status_client_id_relationship_id",
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_relationship_status_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_relationship_status_entry_id"),
        sa.PrimaryKeyConstraint("status_id", name="pk_relationship_status"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "therapy_session",
        sa.Column("episode_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "episode_id"],
            ["episode.client_id", "episode.episode_id"],
            name="fk_therapy_session_client_id_episode_id",
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_therapy_session_entry_id"),
        sa.PrimaryKeyConstraint("episode_id", "number", name="pk_therapy_session"),
    )
    op.create_index("ix_therapy_session_client_id", "therapy_session", ["client_id"], unique=False)
    op.create_table(
        "answer",
        sa.Column("administration_id", Number, autoincrement=False, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["administration_id"], ["administration.administration_id"], name="fk_answer_administration_id"
        ),
        sa.PrimaryKeyConstraint("administration_id", "item", name="pk_answer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "safety_flag",
        sa.Column("administration_id", Number, autoincrement=False, nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("acknowledged_by", sa.String(64), nullable=True),
        sa.Column("acknowledged_at", Moment, nullable=True),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(
            ["administration_id"], ["administration.administration_id"], name="fk_safety_flag_administration_id"
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name="fk_safety_flag_client_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_safety_flag_entry_id"),
        sa.PrimaryKeyConstraint("administration_id", "item", name="pk_safety_flag"),
    )
    op.create_index("ix_safety_flag_client_id", "safety_flag", ["client_id"], unique=False)
    op.create_table(
        "total",
        sa.Column("administration_id", Number, autoincrement=False, nullable=False),
        sa.Column("scale", sa.String(64), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["administration_id"], ["administration.administration_id"], name="fk_total_administration_id"
        ),
        sa.PrimaryKeyConstraint("administration_id", "scale", name="pk_total"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_relationship_status_day",
        "relationship_status",
        ["client_id", sa.text("coalesce(relationship_id, '')"), "since"],
        unique=True,
    )
    for table in KEPT:
        for statement in _keep_sqlite(table) if op.get_bind().dialect.name == "sqlite" else _keep_postgres(table):
            op.execute(statement)


def _keep_sqlite(table: str) -> list[str]:
    return [
        (
            f"CREATE TRIGGER {table}_kept_from_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'what is on record in {table} is never changed'); END"
        )
        for act in ("UPDATE", "DELETE")
    ]


def _keep_postgres(table: str) -> list[str]:
    return [
        (
            f"CREATE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'what is on record in {table} is never changed'; END $$"
        ),
        (
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_kept()"
        ),
    ]
