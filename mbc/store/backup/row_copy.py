"""How a record's rows go from one database to another exactly, and how two records are found to be equal."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

from sqlalchemy import Connection, String, Table, collate, func, select, text

from mbc.errors import StoreError
from mbc.store.backup.archive import Progress
from mbc.store.schema.administration_numbers import last_of
from mbc.store.schema.tables import administration, metadata

_AT_ONCE = 500  # rows held at a time: many more, and Python searches all of them for cycles again and again
Columns = list[list[Any]]


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def tables() -> Sequence[Table]:
    """Give every table of the record, those first that others point to."""
    return metadata.sorted_tables


def copy_rows(source: Connection, target: Connection, progress: Progress) -> dict[str, str]:
    """Copy every row of every table into an empty record, and where its numbering stands.

    Returns
    -------
    dict
        A digest of what was read, by table: `require_equal` compares it with what stands in the copy.
    """
    digests: dict[str, str] = {}
    postgres = target.dialect.name == "postgresql"
    write, ready = (_copy_in, _references_checked_at_once(target)) if postgres else (_insert, nullcontext())
    with ready:
        for done, table in enumerate(tables()):
            progress("Copying", done / len(tables()))
            digest = hashlib.sha256()
            write(target, table, _digested(_parts(source, table), digest))
            digests[table.name] = digest.hexdigest()
            _continue_numbers(source, target, table)
    return digests


def rows(connection: Connection) -> dict[str, int]:
    """Count every table's rows."""
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in tables()
    }


def require_equal(digests: Mapping[str, str], other: Connection, progress: Progress) -> None:
    """Read a copy back and compare it with what was read of the original, in values that no database words.

    Raises
    ------
    StoreError
        If a table differs.
    """
    for done, table in enumerate(tables()):
        progress("Comparing", done / len(tables()))
        digest = hashlib.sha256()
        for _ in _digested(_parts(other, table), digest):
            pass
        if digests[table.name] != digest.hexdigest():
            raise StoreError(
                f"The copy of '{table.name}' differs from the original, so it was discarded. Run this again; "
                "if it happens twice, check the disk and the memory of this machine."
            )


def _digested(parts: Iterator[Columns], digest: _Digest) -> Iterator[Columns]:
    """Digest rows as they pass: the same values give the same digest on every database."""
    for part in parts:
        digest.update("".join([repr(column) for column in part]).encode())
        yield part


def _parts(connection: Connection, table: Table) -> Iterator[Columns]:
    """Read a table straight from the driver, as columns: an object for each row would cost more than all else."""
    dialect = connection.dialect
    query = select(table).order_by(*_order(connection, table))
    named: dict[str, Any] = (
        {"name": "mbc_rows", "binary": True} if dialect.name == "postgresql" else {}
    )  # else all rows would come at once
    cursor: Any = connection.connection.cursor(**named)
    try:
        cursor.execute(str(query.compile(dialect=dialect)))
        readers = [
            column.type.dialect_impl(dialect).result_processor(dialect, described[1])
            for column, described in zip(table.columns, cursor.description, strict=True)
        ]
        while part := cursor.fetchmany(_AT_ONCE):
            columns = zip(*part, strict=True)
            yield [
                list(values) if read is None else list(map(read, values))
                for values, read in zip(columns, readers, strict=True)
            ]
    finally:
        cursor.close()


def _order(connection: Connection, table: Table) -> list[Any]:
    # texts sort by the rules of a language on PostgreSQL: "C" is byte by byte, as on SQLite
    postgres = connection.dialect.name == "postgresql"
    columns = list(table.primary_key.columns) or list(table.columns)
    return [collate(c, "C") if postgres and isinstance(c.type, String) else c for c in columns]


def _insert(target: Connection, table: Table, parts: Iterator[Columns]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    writers = [column.type.dialect_impl(target.dialect).bind_processor(target.dialect) for column in table.columns]
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own tables
    for columns in parts:
        written = [
            values if write is None else map(write, values) for values, write in zip(columns, writers, strict=True)
        ]
        target.exec_driver_sql(statement, list(zip(*written, strict=True)))


def _copy_in(target: Connection, table: Table, parts: Iterator[Columns]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    cursor = target.connection.cursor()
    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for columns in parts:
            for row in zip(*columns, strict=True):
                copy.write_row(row)
    cursor.close()


@contextmanager
def _references_checked_at_once(target: Connection) -> Generator[None]:
    """Take the foreign keys off while rows come in, and put the same ones on again, which checks all rows at once.

    In the transaction of the copy, and of tables that it made itself: nobody else ever sees them without.
    """
    named = {"named": [table.name for table in tables()]}
    query = text(
        "SELECT k.conrelid::regclass::text, quote_ident(k.conname), pg_get_constraintdef(k.oid) "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "WHERE k.contype = 'f' AND c.relname = ANY(:named) AND c.relnamespace = current_schema()::regnamespace "
        "ORDER BY k.oid"
    )
    references = target.execute(query, named).all()
    for table, name, _ in references:
        target.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, definition in references:
        target.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _continue_numbers(source: Connection, target: Connection, table: Table) -> None:
    """Go on numbering where the other record stands: a number is never given out twice, though its row be gone."""
    column = table.autoincrement_column
    if column is None:
        return
    last = _last_number(source, table, column.name)
    if not last:
        return
    if target.dialect.name == "postgresql":
        sequence = "SELECT setval(pg_get_serial_sequence(:name, :column), :last)"
        target.execute(text(sequence), {"name": table.name, "column": column.name, "last": last})
    else:
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        insertion = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
        target.execute(insertion, {"name": table.name, "last": last})


def _last_number(source: Connection, table: Table, column: str) -> int:
    """Find the last number that anything on record has, or had before it was erased.

    PostgreSQL also gives out numbers to what is never kept; those may be given out again.
    """
    if table is administration:  # those of the safety channel follow from the rows
        return last_of(source, "care")
    last = source.execute(select(func.max(table.c[column]))).scalar() or 0
    if source.dialect.name == "sqlite":
        counted = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        last = max(last, source.execute(counted, {"name": table.name}).scalar() or 0)
    return last
