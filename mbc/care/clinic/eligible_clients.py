"""Whom an outcome rate counts: each client's first score of their care, and the last one in the period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from mbc.care.course.charted_scales import construct_rank, scales_to_chart
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.scoring.scores import scores
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, instrument
from mbc.store import Store


@dataclass(frozen=True, slots=True)
class Period:
    """The days a report is about, both included."""

    start: dt.date
    end: dt.date


@dataclass(frozen=True, slots=True)
class Counted:
    """The clients whom one scale could have judged in the period."""

    instrument: str
    scale: str
    in_care: int  # clients in care in the period to whom the scale applies
    measured: int  # of these, with a first score
    not_applicable: int  # in care, measured before, but the rated relationship is over, or they are single
    pairs: pl.DataFrame  # client_id, first_on, pre, last_on, post, occasions: those with a first and a later score


@with_definitions_of_record
def count_clients(store: Store, period: Period) -> list[Counted]:
    """Count, for every scale on record, who could be judged in a period and who could not.

    A client counts when an episode of care touches the period; where no episodes are on record, when a score or a
    session does. ``pre`` is the first score since that episode began (before the period too), ``post`` the last
    one inside the period, on a later day. A scale about a relationship counts while that relationship lasts; after
    it ends, and for single clients, it does not apply: they are in neither numerator nor denominator.
    """
    people = _in_care(store, period)
    table = _within(scores(store, invalid="null").drop_nulls("score"), people, period)
    courses = timelines(store.statuses(), store.relationships())
    counted: list[Counted] = []
    for (key, scale), rows in table.group_by("instrument", "scale", maintain_order=True):
        chosen = instrument(str(key))
        if chosen.scale(str(scale)) not in scales_to_chart(chosen):
            continue  # a mean and a sum of the same answers are one outcome
        full_form = pl.col("maximum").is_null() | (pl.col("maximum") >= chosen.scale(str(scale)).range[1])
        rows = rows.filter(full_form)  # noqa: PLW2901 - a score without items that do not apply is on another metric
        if rows.is_empty():
            continue
        away = _not_applicable(chosen, people, courses, period)
        kept = _comparable(rows, chosen, courses, away)
        measured = kept["client_id"].n_unique()
        counted.append(
            Counted(
                instrument=chosen.key,
                scale=str(scale),
                in_care=len(people) - len(away),
                measured=measured,
                not_applicable=rows.filter(pl.col("client_id").is_in(list(away)))["client_id"].n_unique(),
                pairs=_pre_post_pairs(kept, period),
            )
        )
    return sorted(counted, key=_reading_order)


def _reading_order(counted: Counted) -> tuple[int, str, str]:
    return construct_rank(instrument(counted.instrument).construct), counted.instrument, counted.scale


def _in_care(store: Store, period: Period) -> pl.DataFrame:
    """client_id, since, until: the care that touches the period; dates are null where none is on record."""
    episodes = store.episodes().select(
        "client_id", since=pl.coalesce("referred_on", "started_on"), until=pl.col("ended_on")
    )
    touching = episodes.filter(
        (pl.col("since").is_null() | (pl.col("since") <= period.end))
        & (pl.col("until").is_null() | (pl.col("until") >= period.start))
    )
    latest = touching.sort("since", nulls_last=False).group_by("client_id", maintain_order=True).last()
    seen = pl.concat(
        [
            store.administrations().select("client_id", day="taken_on"),
            store.sessions().filter("attended").select("client_id", day="held_on"),
        ]
    ).filter(pl.col("day").is_between(period.start, period.end))
    without = (
        seen.select("client_id")
        .unique()
        .join(episodes, on="client_id", how="anti")
        .with_columns(since=pl.lit(None, pl.Date), until=pl.lit(None, pl.Date))
    )
    return pl.concat([latest, without]).sort("client_id")


def _within(scores: pl.DataFrame, people: pl.DataFrame, period: Period) -> pl.DataFrame:
    joined = scores.join(people, on="client_id", how="inner")
    return joined.filter(
        (pl.col("since").is_null() | (pl.col("taken_on") >= pl.col("since")))
        & (pl.col("until").is_null() | (pl.col("taken_on") <= pl.col("until")))
        & (pl.col("taken_on") <= period.end)
    )


def _not_applicable(
    chosen: Instrument, people: pl.DataFrame, courses: Mapping[str, Timeline], period: Period
) -> frozenset[str]:
    """Clients to whom the scale does not apply when the period ends."""
    if not chosen.applicability.needs_relationship:
        return frozenset()
    last_days = {
        client_id: min(until or period.end, period.end)
        for client_id, until in people.select("client_id", "until").iter_rows()
    }
    return frozenset(
        client_id
        for client_id, day in last_days.items()
        if client_id in courses and courses[client_id].target_on(chosen, "self", day) is None
    )


def _comparable(
    rows: pl.DataFrame, chosen: Instrument, courses: Mapping[str, Timeline], away: frozenset[str]
) -> pl.DataFrame:
    """Rows that may be compared with each other: for a scale about a relationship, those about the current one."""
    if not chosen.applicability.needs_relationship:
        return rows
    none = Timeline()
    about = [
        courses.get(client_id, none).target_on(chosen, target, day)
        for client_id, target, day in rows.select("client_id", "target", "taken_on").iter_rows()
    ]
    named = rows.with_columns(pl.Series("about", about, pl.String)).filter(
        pl.col("about").is_not_null() & ~pl.col("client_id").is_in(list(away))
    )
    return named.filter(pl.col("about") == pl.col("about").sort_by("taken_on").last().over("client_id"))


def _pre_post_pairs(rows: pl.DataFrame, period: Period) -> pl.DataFrame:
    ordered = rows.sort("taken_on", "administration_id")
    by_client = ordered.group_by("client_id", maintain_order=True).agg(
        pl.col("taken_on").first().alias("first_on"),
        pl.col("score").first().alias("pre"),
        pl.col("taken_on").last().alias("last_on"),
        pl.col("score").last().alias("post"),
        pl.len().alias("occasions"),
    )
    return by_client.filter((pl.col("last_on") > pl.col("first_on")) & (pl.col("last_on") >= period.start)).sort(
        "client_id"
    )
