"""How a record's rows go from one database to another exactly, and how two records are found to be equal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, String, Table, collate, func, select, text

from mbc.errors import StoreError
from mbc.store.backup.archive import Progress
from mbc.store.schema.administration_numbers import last_of
from mbc.store.schema.tables import administration, metadata

_AT_ONCE = 10_000  # rows held at a time: memory does not grow with the record


def tables() -> Sequence[Table]:
    """Give every table of the record, those first that others point to."""
    return metadata.sorted_tables


def copy_rows(source: Connection, target: Connection, progress: Progress) -> None:
    """Copy every row of every table into an empty record, and where its numbering stands."""
    for done, table in enumerate(tables()):
        progress("Copying", done / len(tables()))
        write = _copy_in if target.dialect.name == "postgresql" else _insert
        write(target, table, _parts(source, table))
        _continue_numbers(source, target, table)


def rows(connection: Connection) -> dict[str, int]:
    """Count every table's rows."""
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in tables()
    }


def require_equal(source: Connection, other: Connection, progress: Progress) -> None:
    """Compare two records, row by row, in both databases' own words turned into the same values.

    Raises
    ------
    StoreError
        If a table differs.
    """
    for done, table in enumerate(tables()):
        progress("Comparing", done / len(tables()))
        if digest(source, table) != digest(other, table):
            raise StoreError(
                f"The copy of '{table.name}' is not equal to the original, so it was dropped. Run this again; "
                "should it happen twice, check the disk and the memory of this machine."
            )


def digest(connection: Connection, table: Table) -> str:
    """Digest the rows of a table, the same on every database."""
    digest = hashlib.sha256()
    for part in _parts(connection, table):
        digest.update("".join([repr(tuple(row)) for row in part]).encode())
    return digest.hexdigest()


def _parts(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    query = select(table).order_by(*_order(connection, table))
    options: dict[str, Any] = {"yield_per": _AT_ONCE}
    return connection.execute(query.execution_options(**options)).partitions()


def _order(connection: Connection, table: Table) -> list[Any]:
    # texts sort by the rules of a language on PostgreSQL: "C" is byte by byte, as on SQLite
    postgres = connection.dialect.name == "postgresql"
    columns = list(table.primary_key.columns) or list(table.columns)
    return [collate(c, "C") if postgres and isinstance(c.type, String) else c for c in columns]


def _insert(target: Connection, table: Table, parts: Iterator[Sequence[Any]]) -> None:
    # straight to the driver: a dictionary for each row would cost more than everything else
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    writers = [column.type.dialect_impl(target.dialect).bind_processor(target.dialect) for column in table.columns]
    for part in parts:
        columns = zip(*part, strict=True)
        written = [
            values if write is None else map(write, values) for values, write in zip(columns, writers, strict=True)
        ]
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own tables
        target.exec_driver_sql(statement, list(zip(*written, strict=True)))


def _copy_in(target: Connection, table: Table, parts: Iterator[Sequence[Any]]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    cursor = target.connection.cursor()
    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for part in parts:
            for row in part:
                copy.write_row(row)
    cursor.close()


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
