"""Whether a record has the tables, triggers and indexes that the migrations make: no more and no fewer.

What the migrations make is not written down a second time: they are run, on a database in memory or, on
PostgreSQL, in a schema of its own inside a transaction that is taken back.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from functools import cache

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from mbc.store import migrations

Schema = dict[tuple[str, str], str]  # (kind, name) -> what it is
_SPACE = re.compile(r"\s+")
_POSTGRES = {  # each gives a name and what it is; our own schema is left out of the words
    "table": (
        "SELECT c.relname || '.' || a.attname, "
        "format_type(a.atttypid, a.atttypmod) || ' ' || CAST(a.attnotnull AS text) "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = CAST(:schema AS regnamespace) "
        "AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
    ),
    "index": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = :schema",
    "constraint": (
        "SELECT c.relname || '.' || k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k "
        "JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = CAST(:schema AS regnamespace)"
    ),
    "trigger": (
        "SELECT c.relname || '.' || g.tgname, "
        "CAST(g.tgenabled AS text) || ' ' || pg_get_triggerdef(g.oid) || ' ' || p.prosrc "
        "FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid "
        "WHERE c.relnamespace = CAST(:schema AS regnamespace) AND NOT g.tgisinternal"
    ),
    "rule": "SELECT tablename || '.' || rulename, definition FROM pg_rules WHERE schemaname = :schema",
    "view": "SELECT viewname, definition FROM pg_views WHERE schemaname = :schema",
}


def schema_faults(connection: Connection) -> Iterator[str]:
    """Name each table, trigger and index that is missing, is another than it was, or was added."""
    have, want = _schema_of(connection), _expected(connection)
    if want is None:
        return
    for kind, name in sorted(want.keys() - have.keys()):
        yield f"The {kind} '{name}' is missing."
    for kind, name in sorted(have.keys() - want.keys()):
        yield f"The {kind} '{name}' was not created by mbc."
    for kind, name in sorted(key for key in want.keys() & have.keys() if want[key] != have[key]):
        yield f"The {kind} '{name}' was changed after mbc created it."


def _expected(connection: Connection) -> Schema | None:
    """Give what the migrations make; None where this user of the database may not try them."""
    if connection.dialect.name == "sqlite":
        return _on_sqlite()
    try:
        return _on_postgres(connection)
    except DBAPIError:
        return None


@cache
def _on_sqlite() -> Schema:
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            migrations.upgrade(connection)
            return _schema_of(connection)
    finally:
        engine.dispose()


def _on_postgres(reading: Connection) -> Schema:
    schema = f"mbc_check_{secrets.token_hex(6)}"
    with reading.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        connection.execute(text(f"SET LOCAL search_path TO {schema}"))
        migrations.upgrade(connection)
        expected = _schema_of(connection)
        transaction.rollback()
    return expected


def _schema_of(connection: Connection) -> Schema:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
        return {(row.type, row.name): _plain(row.sql or "") for row in rows}
    schema = str(connection.execute(text("SELECT current_schema()")).scalar())
    schema_parts: Schema = {}
    for kind, query in _POSTGRES.items():
        for name, words in connection.execute(text(query), {"schema": schema}):
            schema_parts[kind, name] = _plain(words).replace(f"{schema}.", "")
    return schema_parts


def _plain(sql: str) -> str:
    return _SPACE.sub(" ", sql.replace('"', "")).strip()


__all__ = ["schema_faults"]
