"""The scores that a clinic's models are learned from: everybody's, in their present care."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from mbc.care.course.client_record import INFORMANT
from mbc.care.course.current_episode import present_since, starts_of_care
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.course.segments import read_occasions, split
from mbc.care.scoring.scores import scores
from mbc.care.values.course import SELF, Segment
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.store import Store

_COLUMNS = {"client_id": pl.String, "unit": pl.String, "weeks": pl.Float64, "score": pl.Float64}


@dataclass(frozen=True, slots=True)
class Lives:
    """What divides everybody's scores into courses, read once for all scales."""

    timelines: Mapping[str, Timeline]  # by client
    starts: Mapping[str, Sequence[dt.date]]  # of their episodes of care


def read_lives(store: Store) -> Lives:
    """Read everybody's relationships and episodes of care."""
    return Lives(timelines(store.statuses(), store.relationships()), starts_of_care(store.episodes()))


def unit_of(client_id: str, target: str) -> str:
    """Name what has a course of its own: a client, or a client within one relationship."""
    return client_id if target == SELF else f"{client_id} {target}"


@with_definitions_of_record
def followed_scores(store: Store, instrument: str, scale: str | None = None) -> pl.DataFrame:
    """List the scores that an expected course is learned from.

    Parameters
    ----------
    store : Store
    instrument : str
    scale : str, optional
        The main scale when not given.

    Returns
    -------
    DataFrame
        Columns client (a client, or a client within one relationship), time (weeks since the first score of the
        present episode of care, within the relationship) and score.
    """
    definition = load(instrument)
    chosen = definition.scale(scale)
    courses = courses_of(scores_of(store, instrument), definition, chosen, read_lives(store))
    return courses.select(pl.col("unit").alias("client"), pl.col("weeks").alias("time"), "score")


def scores_of(store: Store, instrument: str) -> pl.DataFrame:
    """Read everybody's scores of a questionnaire, as clients gave them themselves."""
    return scores(store, instrument=instrument, invalid="null").filter(pl.col("informant") == INFORMANT)


def courses_of(
    rows: pl.DataFrame, instrument: Instrument, scale: Scale, lives: Lives, *, most: int | None = None
) -> pl.DataFrame:
    """Divide the scores of one scale into courses.

    Parameters
    ----------
    rows : DataFrame
        As `scores_of` gives them.
    instrument, scale : Instrument, Scale
    lives : Lives
    most : int, optional
        Keep the scores of so many clients, drawn at random but always the same.

    Returns
    -------
    DataFrame
        client_id, unit (a client, or a client within one relationship), weeks since the course began, score.
    """
    rows = rows.filter(pl.col("scale") == scale.key, pl.col("score").is_not_null())
    clients = rows["client_id"].unique(maintain_order=True)
    if most is not None and clients.len() > most:
        rows = rows.filter(pl.col("client_id").is_in(clients.sample(most, seed=1).implode()))
    observed: list[tuple[str, str, float, float]] = []
    for (client_id,), group in rows.group_by("client_id", maintain_order=True):
        line = lives.timelines.get(str(client_id), Timeline())
        occasions = read_occasions(group.iter_rows(named=True))
        since = present_since(lives.starts.get(str(client_id), ()), group["taken_on"])
        present = [occasion for occasion in occasions if since is None or occasion.taken_on >= since]
        for segment in split(present, instrument, scale, line, None)[0]:
            observed += [
                (str(client_id), unit, weeks, score) for unit, weeks, score in _course(str(client_id), segment)
            ]
    return pl.DataFrame(observed, schema=_COLUMNS, orient="row")


def _course(client_id: str, segment: Segment) -> list[tuple[str, float, float]]:
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    unit = unit_of(client_id, segment.target)
    return [
        (unit, _weeks(known[0].taken_on, occasion.taken_on), float(occasion.score or 0.0)) for occasion in known
    ]


def _weeks(start: dt.date, day: dt.date) -> float:
    return (day - start).days / 7.0
