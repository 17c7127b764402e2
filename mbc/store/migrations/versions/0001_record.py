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
        f"CREATE TRIGGER {table}_kept_from_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'what is on record in {table} is never changed'); END"
        for act in ("UPDATE", "DELETE")
    ]


def _keep_postgres(table: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'what is on record in {table} is never changed'; END $$",
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_kept()",
    ]
