"""Scores worked out from the answers, kept to be read quickly: a cache that can be dropped and rebuilt.

The store knows no questionnaire. Whoever works scores out says by a digest what they were worked out with, and
asks for them by that digest again; an administration never changes, so what was worked out once stays right for as
long as the digest does. Each row has a digest keyed with a secret outside the record: a score that was edited does
not count and is worked out again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from mbc.store.database.batches import batches
from mbc.store.schema import tables as t

_VALUES = ("score", "answered", "prorated", "band", "maximum", "recorded")
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


def keep(connection: Connection, worked: Iterable[ComputedScores], now: datetime, key: bytes | None) -> int:
    """Keep scores, in place of those that are there. Returns how many were handed in; none without a key."""
    count = 0
    for computed in worked if key is not None else ():
        sets = _sets(connection, computed, now)
        insertion = _insert(connection, t.score)
        values = {name: insertion.excluded[name] for name in (*_VALUES, "digest")}
        insertion = insertion.on_conflict_do_update(index_elements=["administration_id", "set_id"], set_=values)
        for batch in batches(_rows(computed, sets, key or b"")):
            connection.execute(insertion, batch)
            count += len(batch)
    return count


def require_digests(connection: Connection, kept: pl.DataFrame, key: bytes | None) -> pl.DataFrame:
    """Leave out kept scores that are not as they were kept; all of them without a key. Drops their digests.

    ``kept`` has administration_id, set_id, score, answered, prorated, band, maximum, recorded and digest.
    """
    if kept.is_empty() or key is None:
        return kept.clear().drop("digest")
    c = t.score_set.c
    query = select(c.set_id, c.instrument, c.scale, c.definition)
    sets = {row.set_id: _named(row.instrument, row.scale, row.definition) for row in connection.execute(query)}
    rows = kept.select("administration_id", "set_id", *_VALUES, "digest").iter_rows()
    sound = [digest == row_digest(key, sets.get(row[1], ""), row[0], row[2:]) for *row, digest in rows]
    return kept.filter(pl.Series(sound, dtype=pl.Boolean)).drop("digest")


def row_digest(key: bytes, set_name: str, administration_id: int, values: Sequence[object]) -> str:
    """Digest one kept score: whose, of which scale and definition, and all that is kept of it."""
    text = f"{set_name}\x1f{administration_id}\x1f{values!r}"
    return hashlib.blake2b(text.encode(errors="replace"), key=key, digest_size=16).hexdigest()


def _named(instrument: str, scale: str, definition: str) -> str:
    return f"{instrument}\x1f{scale}\x1f{definition}"


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


def _rows(computed: ComputedScores, sets: dict[str, int], key: bytes) -> Iterator[dict[str, Any]]:
    for row in computed.scores.select(COLUMNS).iter_rows(named=True):
        kept = {name: value for name, value in row.items() if name != "scale"}
        named = _named(computed.instrument, row["scale"], computed.definition)
        digest = row_digest(key, named, row["administration_id"], [kept[name] for name in _VALUES])
        yield {**kept, "set_id": sets[row["scale"]], "digest": digest}


def _insert(connection: Connection, table: t.Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
