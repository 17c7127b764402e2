"""How administrations are numbered: care and safety apart, so that no gap in one tells of the other.

Numbers of the care channel are shown to everybody who may read a client. Had both channels one counter, a number
missing between two questionnaires would tell that a safety screen lies between them, and whose it is.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, select, text

from mbc.store.schema import tables as t
from mbc.store.schema.records import Channel

FIRST_OF_SAFETY = 2**40  # care has a million million numbers below it
_LOCK = 7_265_623_003  # PostgreSQL: writers of safety screens take their numbers one after the other


def reserve(connection: Connection, channels: list[Channel]) -> list[int]:
    """Take a number for each new administration, by its channel; a number is never used twice.

    Must be called inside a transaction that writes.
    """
    safety = channels.count("safety")
    numbers = {
        "care": iter(_care_numbers(connection, len(channels) - safety)),
        "safety": iter(_safety_numbers(connection, safety)),
    }
    return [next(numbers[channel]) for channel in channels]


def last_of(connection: Connection, channel: Channel) -> int:
    """Find the highest number that a channel's administrations have, or had before they were erased; 0: none."""
    return max(_highest(connection, t.administration.c.administration_id, channel),
               _highest(connection, t.erased.c.administration_id, channel))  # fmt: skip


def _care_numbers(connection: Connection, count: int) -> list[int]:
    if not count:
        return []
    if connection.dialect.name == "postgresql":
        series = text(
            "SELECT nextval(pg_get_serial_sequence('administration', 'administration_id')) "
            "FROM generate_series(1, :count)"
        )
        return list(connection.execute(series, {"count": count}).scalars())
    start = last_of(connection, "care") + 1  # the write lock is held: nobody else can take a number meanwhile
    return list(range(start, start + count))


def _safety_numbers(connection: Connection, count: int) -> list[int]:
    if not count:
        return []
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    start = max(last_of(connection, "safety") + 1, FIRST_OF_SAFETY)
    return list(range(start, start + count))


def _highest(connection: Connection, column: ColumnElement[int], channel: Channel) -> int:
    within = column < FIRST_OF_SAFETY if channel == "care" else column >= FIRST_OF_SAFETY
    return connection.execute(select(column).where(within).order_by(column.desc()).limit(1)).scalar() or 0
