"""Erasure on request, seals over everything, and a cache of scores.

The audit trail gets marks in place of plain names in its digests, so that a name can be taken out later; what was
on record is sealed as it is found. What does not hold under the rules of 0001 is written into the trail and stays
there: an upgrade launders nothing.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import warnings
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op

from mbc.store.audit import hash_chain as chain
from mbc.store.maintenance import verification
from mbc.store.schema import digests
from mbc.store.writing import seals as sealing

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)
OLD_KEPT = ("entry", "administration", "answer", "total", "earlier", "audit")
KEPT = (*OLD_KEPT, "tombstone", "erased")
MY_CLIENT = "EXISTS (SELECT 1 FROM {erasing} WHERE client_id = OLD.client_id)"
MY_ADMINISTRATION = (
    "EXISTS (SELECT 1 FROM {erasing} JOIN {administration} USING (client_id) "
    "WHERE administration_id = OLD.administration_id)"
)
# what an erasure may do, and only while it is under way
MAY_DELETE = {
    "administration": MY_CLIENT,
    "earlier": MY_CLIENT,
    "answer": MY_ADMINISTRATION,
    "total": MY_ADMINISTRATION,
}
MAY_UPDATE = {
    "entry": (
        "EXISTS (SELECT 1 FROM {erasing}) AND NEW.source_name IS NULL AND NEW.source_sha256 IS NULL "
        "AND NEW.entry_id = OLD.entry_id AND NEW.recorded_at = OLD.recorded_at "
        "AND NEW.recorded_by = OLD.recorded_by"
    ),
    "audit": (
        "EXISTS (SELECT 1 FROM {erasing}) AND NEW.salt IS NULL "
        "AND NEW.sequence = OLD.sequence AND NEW.at = OLD.at "
        "AND NEW.who = OLD.who AND NEW.action = OLD.action AND NEW.origin = OLD.origin "
        "AND NEW.previous = OLD.previous AND NEW.digest = OLD.digest AND NEW.mark = OLD.mark"
    ),
}
SEALS_A_LINE = 500
LINES_AT_ONCE = 5000


def upgrade() -> None:
    connection = op.get_bind()
    _let_go(connection)
    _make_tables()
    held = sa.text("SELECT EXISTS (SELECT 1 FROM audit) OR EXISTS (SELECT 1 FROM entry)")
    if connection.execute(held).scalar():  # else the record is being made: there is nothing to carry over
        tables = _read_tables(connection)
        faults = list(_faults(connection, tables))
        _give_secrets(connection, tables)
        _name_owners(connection, tables)
        _enter_acknowledgements(connection, tables)
        _chain_anew(connection, tables, faults)
    _keep(connection)


def _read_tables(connection: sa.Connection) -> Any:
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?i).*skipp")  # SQLite cannot describe an index on an expression
        metadata.reflect(connection)
    return metadata.tables


def _let_go(connection: sa.Connection) -> None:
    for table in OLD_KEPT:
        if connection.dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_kept_from_update")
            op.execute(f"DROP TRIGGER {table}_kept_from_delete")
        else:
            op.execute(f"DROP TRIGGER {table}_kept ON {table}")
            op.execute(f"DROP FUNCTION {table}_kept()")


def _make_tables() -> None:
    op.add_column("client", sa.Column("secret", sa.String(64), nullable=False, server_default=""))
    op.add_column("safety_flag", sa.Column("acknowledged_entry_id", Number, nullable=True))
    op.add_column("earlier", sa.Column("client_id", sa.String(64), nullable=True))
    op.add_column("earlier", sa.Column("replaced_entry_id", Number, nullable=True))
    op.create_index("ix_earlier_client_id", "earlier", ["client_id"], unique=False)
    op.add_column("audit", sa.Column("salt", sa.String(64), nullable=True))
    op.add_column("audit", sa.Column("mark", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "tombstone",
        sa.Column("tombstone_id", sa.String(64), nullable=False),
        sa.Column("erased_at", Moment, nullable=False),
        sa.Column("erased_by", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("tombstone_id", name="pk_tombstone"),
    )
    op.create_table(
        "erased",
        sa.Column("erased_id", Number, nullable=False),
        sa.Column("tombstone_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("administration_id", Number, nullable=True),
        sa.Column("leaf", sa.String(64), nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.entry_id"], name="fk_erased_entry_id"),
        sa.ForeignKeyConstraint(["tombstone_id"], ["tombstone.tombstone_id"], name="fk_erased_tombstone_id"),
        sa.PrimaryKeyConstraint("erased_id", name="pk_erased"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "erasing",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("until_commit", Number, nullable=False),
        sa.CheckConstraint("until_commit = 0", name="ck_erasing_until_commit"),
        sa.ForeignKeyConstraint(
            ["until_commit"],
            ["entry.entry_id"],
            name="fk_erasing_until_commit",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("client_id", name="pk_erasing"),
    )
    op.create_table(
        "score_set",
        sa.Column("set_id", Number, nullable=False),
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("scale", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("definition", sa.String(64), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("set_id", name="pk_score_set"),
        sa.UniqueConstraint("instrument", "scale", "definition", name="uq_score_set_instrument_scale_definition"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "score",
        sa.Column("administration_id", Number, autoincrement=False, nullable=False),
        sa.Column("set_id", Number, autoincrement=False, nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("answered", sa.Integer(), nullable=True),
        sa.Column("prorated", sa.Boolean(), nullable=True),
        sa.Column("band", sa.Text(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["administration_id"], ["administration.administration_id"], name="fk_score_administration_id"
        ),
        sa.ForeignKeyConstraint(["set_id"], ["score_set.set_id"], name="fk_score_set_id"),
        sa.PrimaryKeyConstraint("administration_id", "set_id", name="pk_score"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_score_set_id", "score", ["set_id"], unique=False)


def _faults(connection: sa.Connection, tables: Any) -> Iterator[str]:
    """Check the record by the rules of 0001: the chain, the contents, the seals over administrations."""
    expected, previous = 0, chain.GENESIS
    written: dict[int, str] = {}
    for sequence, line, stored, digest in _lines(connection, tables):
        expected += 1
        if sequence != expected or stored != previous:
            yield f"Line {sequence} of the audit trail did not follow the one before."
            expected = sequence
        if chain.first_digest(stored, sequence, line) != digest:
            yield f"Line {sequence} of the audit trail was changed after it was written."
        previous = digest
        if line.action == "write" and "seal" in (detail := json.loads(line.detail)):
            written[detail["entry"]] = detail["seal"]
    made: dict[int, Any] = defaultdict(hashlib.sha256)
    for taken in sealing.administrations(connection, tables, {}):
        yield from verification.faults_of(taken.head, taken.answers, taken.totals)
        names = ("administration_id", "content", "version", "channel", "episode_id", "supersedes", "reason")
        line = json.dumps([taken.head[name] for name in names], separators=(",", ":"))
        made[taken.head["entry_id"]].update(line.encode() + b"\n")
    empty = hashlib.sha256().hexdigest()
    for entry_id in sorted(made.keys() | written.keys()):
        seal = made[entry_id].hexdigest() if entry_id in made else empty
        if seal != written.get(entry_id):
            yield f"Entry {entry_id}: its administrations were not those that were written."


def _lines(
    connection: sa.Connection, tables: Any, *, after: int = 0
) -> Iterator[tuple[int, chain.Line, str, str]]:
    audit = tables["audit"]
    query = sa.select(audit).where(audit.c.sequence > after).order_by(audit.c.sequence)
    for row in connection.execute(query.execution_options(yield_per=LINES_AT_ONCE)).mappings():
        at = digests.utc(row["at"])
        line = chain.Line(at, row["who"], row["action"], row["subject"], row["detail"], row["origin"])
        yield row["sequence"], line, row["previous"], row["digest"]


def _give_secrets(connection: sa.Connection, tables: Any) -> None:
    client = tables["client"]
    clients = connection.execute(sa.select(client.c.client_id)).scalars().all()
    if clients:
        change = sa.update(client).where(client.c.client_id == sa.bindparam("whose"))
        values = [{"whose": client_id, "secret": digests.new_secret()} for client_id in clients]
        connection.execute(change.values(secret=sa.bindparam("secret")), values)


def _name_owners(connection: sa.Connection, tables: Any) -> None:
    earlier, goal = tables["earlier"], tables["goal"]
    rows = connection.execute(sa.select(earlier.c.earlier_id, earlier.c.content)).all()
    goals = dict(connection.execute(sa.select(goal.c.goal_id, goal.c.client_id)).all())
    values: list[dict[str, Any]] = []
    for earlier_id, content in rows:
        content_fields = json.loads(content)
        owner = content_fields.get("client_id") or goals.get(content_fields.get("goal_id"))
        if owner is not None:
            values.append({"which": earlier_id, "client_id": owner})
    if values:
        change = sa.update(earlier).where(earlier.c.earlier_id == sa.bindparam("which"))
        connection.execute(change.values(client_id=sa.bindparam("client_id")), values)


def _enter_acknowledgements(connection: sa.Connection, tables: Any) -> None:
    # 0001 did not keep which entry they belong to: those there are get one of their own
    flag, entry = tables["safety_flag"], tables["entry"]
    seen = flag.c.acknowledged_at.is_not(None)
    if connection.execute(sa.select(sa.func.count()).select_from(flag).where(seen)).scalar_one():
        values = {"recorded_at": _now(connection), "recorded_by": "mbc 0002"}
        entry_id = connection.execute(sa.insert(entry).values(values).returning(entry.c.entry_id)).scalar_one()
        connection.execute(sa.update(flag).where(seen).values(acknowledged_entry_id=entry_id))


def _chain_anew(connection: sa.Connection, tables: Any, faults: list[str]) -> None:
    """Give every line its mark and a digest over it, and add lines that say so and hold the seals."""
    audit = tables["audit"]
    names = ("previous", "digest", "salt", "mark")
    change = sa.update(audit).where(audit.c.sequence == sa.bindparam("number"))
    change = change.values({name: sa.bindparam(name) for name in names})
    count, previous = 0, chain.GENESIS
    while some := list(islice(_lines(connection, tables, after=count), LINES_AT_ONCE)):
        values: list[dict[str, Any]] = []
        for number, line, _, _ in some:  # a gap stays a gap
            row = next(chain.chain_lines([line], number - 1, previous))
            previous, count = row["digest"], number
            values.append({"number": number, **{name: row[name] for name in names}})
        connection.execute(change, values)
    upgrade_lines = list(_upgrade_lines(connection, tables, faults, count))
    rows = list(chain.chain_lines(upgrade_lines, count, previous))
    for row in rows:
        row["at"] = row["at"].replace(tzinfo=None) if connection.dialect.name == "sqlite" else row["at"]
    if rows:
        connection.execute(sa.insert(audit), rows)


def _upgrade_lines(connection: sa.Connection, tables: Any, faults: list[str], count: int) -> Iterator[chain.Line]:
    keyed = sealing.keys(connection, tables)
    heads = sealing.entry_heads(connection, tables)
    taken = sealing.administrations(connection, tables, keyed)
    seals = sealing.seals(taken, sealing.other_rows(connection, tables, keyed), heads)
    in_order = iter(sorted(seals.items()))
    detail: dict[str, Any] = {"from": "0001", "to": "0002", "lines": count, "faults": faults}
    while (some := dict(islice(in_order, SEALS_A_LINE))) or "faults" in detail:
        yield _line({**detail, "seals": some})
        detail = {"from": "0001", "to": "0002"}


def _line(detail: dict[str, Any]) -> chain.Line:
    try:
        who = f"operator {getpass.getuser()}"[:64]
    except (KeyError, OSError):
        who = "operator"
    text = json.dumps(detail, sort_keys=True)
    return chain.Line(datetime.now(UTC), who, chain.UPGRADE, None, text, "command line")


def _now(connection: sa.Connection) -> datetime:
    now = datetime.now(UTC)
    return now.replace(tzinfo=None) if connection.dialect.name == "sqlite" else now


def _keep(connection: sa.Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    schema = "" if sqlite else f"{connection.exec_driver_sql('SELECT current_schema()').scalar()}."
    names = {name: f"{schema}{name}" for name in ("erasing", "administration")}
    for table in KEPT:
        may = {
            act: known[table].format(**names) if table in known else "FALSE"
            for act, known in (("UPDATE", MAY_UPDATE), ("DELETE", MAY_DELETE))
        }
        for statement in _sqlite_triggers(table, may) if sqlite else _postgres_triggers(table, may):
            connection.exec_driver_sql(statement)


def _sqlite_triggers(table: str, may: dict[str, str]) -> list[str]:
    return [
        (
            f"CREATE TRIGGER {table}_kept_from_{act.lower()} BEFORE {act} ON {table} WHEN NOT ({allowed}) "
            f"BEGIN SELECT RAISE(ABORT, 'what is on record in {table} is never changed'); END"
        )
        for act, allowed in may.items()
    ]


def _postgres_triggers(table: str, may: dict[str, str]) -> list[str]:
    kept = (
        f"CREATE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' THEN IF {may['UPDATE']} THEN RETURN NEW; END IF; "
        f"ELSIF TG_OP = 'DELETE' THEN IF {may['DELETE']} THEN RETURN OLD; END IF; END IF; "
        f"RAISE EXCEPTION 'what is on record in {table} is never changed'; END $$"
    )
    row_by_row = (
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_kept()"
    )
    trigger = (
        f"CREATE TRIGGER {table}_kept_whole BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_kept()"
    )
    return [kept, row_by_row, trigger]
