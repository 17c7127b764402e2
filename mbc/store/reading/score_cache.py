"""Scores worked out from the answers, kept to be read quickly: a cache that can be dropped and rebuilt.

The store knows no questionnaire. Whoever works scores out says by a digest what they were worked out with, and
asks for them by that digest again; an administration never changes, so what was worked out once stays right for as
long as the digest does. Nothing here is sealed: it can always be compared with the answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from mbc.store.database.batches import batches
from mbc.store.schema import tables as t

COLUMNS = ("administration_id", "scale", "score", "answered", "prorated", "band", "maximum", "recorded")


@dataclass(frozen=True, slots=True)
class ToScore:
    """What is needed to give everybody's scores: those that are kept, and the answers of the rest."""

    kept: (
        pl.DataFrame
    )  # one row per administration and set: set_id, score, answered, prorated, band, maximum, recorded
    answers: pl.DataFrame  # as of `Store.answers`, of administrations without a kept score
    totals: pl.DataFrame  # as of `Store.totals`, likewise


@dataclass(frozen=True, slots=True)
class ComputedScores:
    """Scores of one questionnaire, worked out with one definition."""

    instrument: str
    version: str
    definition: str  # digest of whatever decides the scores
    scores: pl.DataFrame  # COLUMNS


def keep(connection: Connection, worked: Iterable[ComputedScores], now: datetime) -> int:
    """Keep scores; those that are there already stay. Returns how many were handed in."""
    count = 0
    for computed in worked:
        sets = _sets(connection, computed, now)
        for batch in batches(_rows(computed.scores, sets)):
            connection.execute(_insert(connection, t.score).on_conflict_do_nothing(), batch)
            count += len(batch)
    return count


def drop(connection: Connection, set_ids: Collection[int]) -> None:
    """Forget the scores of some sets."""
    for batch in batches(sorted(set_ids)):
        connection.execute(delete(t.score).where(t.score.c.set_id.in_(batch)))
        connection.execute(delete(t.score_set).where(t.score_set.c.set_id.in_(batch)))


def _sets(connection: Connection, computed: ComputedScores, now: datetime) -> dict[str, int]:
    scales = computed.scores["scale"].unique().sort().to_list()
    named = {
        "instrument": computed.instrument,
        "version": computed.version,
        "definition": computed.definition,
        "made_at": now,
    }
    for scale in scales:
        row = {**named, "scale": scale}
        connection.execute(_insert(connection, t.score_set).values(row).on_conflict_do_nothing())
    c = t.score_set.c
    query = select(c.scale, c.set_id).where(
        c.instrument == computed.instrument, c.definition == computed.definition
    )
    return {row.scale: row.set_id for row in connection.execute(query)}


def _rows(scores: pl.DataFrame, sets: dict[str, int]) -> Iterator[dict[str, Any]]:
    for row in scores.select(COLUMNS).iter_rows(named=True):
        yield {**{name: value for name, value in row.items() if name != "scale"}, "set_id": sets[row["scale"]]}


def _insert(connection: Connection, table: t.Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
