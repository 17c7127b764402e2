"""How many rows go straight to the driver, and many keys are looked up, by each database's fastest way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, closing
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from mbc.store.writing.administration_batch import Answers

_MOST_PARAMETERS = 900  # of one statement, on any build of SQLite
_MOST_CELLS = _MOST_PARAMETERS // 2
_MOST_REMEMBERED = 10_000


def is_postgres(connection: Connection) -> bool:
    """Say which of the two databases this is."""
    return connection.dialect.name == "postgresql"


def matching(
    connection: Connection, table: str, columns: str, key: str, wanted: Sequence[str], *, order: str
) -> Iterable[Sequence[Any]]:
    """Fetch the rows whose key is one of many; names of tables and columns are the caller's own."""
    if not wanted:
        return []
    query = f"SELECT {columns} FROM {table} WHERE {key}"  # noqa: S608
    if is_postgres(connection):
        return connection.exec_driver_sql(f"{query} = ANY(%s) ORDER BY {order}", (list(wanted),)).all()
    rows: list[Sequence[Any]] = []
    for start in range(0, len(wanted), _MOST_PARAMETERS):
        part = tuple(wanted[start : start + _MOST_PARAMETERS])
        marks = ", ".join(["?"] * len(part))
        rows += connection.exec_driver_sql(f"{query} IN ({marks}) ORDER BY {order}", part).all()
    return rows


def add_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Add rows as they are, without holding them all."""
    names = ", ".join(columns)
    with _cursor(connection) as cursor:
        if is_postgres(connection):
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" for _ in columns)
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608


def add_answers(connection: Connection, numbers: Sequence[int], answers: Sequence[Answers]) -> None:
    """Add a row for each answer of some administrations, counted from 1."""
    with _cursor(connection) as cursor:
        if is_postgres(connection):
            with cursor.copy("COPY answer (administration_id, item, value) FROM STDIN") as copy:
                copy.write("".join(map(_copied, numbers, answers)))
            return
        for items, group in groupby(zip(numbers, answers, strict=True), key=lambda each: len(each[1])):
            if items > _MOST_CELLS:
                rows = ((number, item, value) for number, listed in group for item, value in enumerate(listed, 1))
                add_rows(connection, "answer", ("administration_id", "item", "value"), rows)
            elif items:
                # one statement with a row for each item: bound are a few numbers more, instead of a tuple per cell
                marks = ", ".join(f"(?, {item}, ?)" for item in range(1, items + 1))
                statement = f"INSERT INTO answer (administration_id, item, value) VALUES {marks}"  # noqa: S608
                cursor.executemany(statement, (_interleaved(number, listed) for number, listed in group))


def _cursor(connection: Connection) -> AbstractContextManager[Any]:
    # the driver's own: SQLAlchemy would hold all rows, and knows no COPY
    return closing(connection.connection.cursor())


def _interleaved(number: int, answers: Answers) -> list[float | None]:
    row: list[float | None] = [number] * (2 * len(answers))
    row[1::2] = answers
    return row


class _Texts(dict["float | None", str]):
    """Numbers as COPY reads them, each written once; they come back as the same double."""

    def __missing__(self, value: float | None) -> str:
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        self[value] = text = r"\N" if value is None else repr(value)
        return text


_texts = _Texts()


def _copied(number: int, answers: Answers) -> str:
    return "".join([f"{number}\t{item}\t{_texts[value]}\n" for item, value in enumerate(answers, 1)])
