"""The tables of a record that outcome metrics are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from mbc.care.client.goals import is_reached, known_scale
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.scoring.scores import scores
from mbc.instruments import Instrument, instrument
from mbc.outcomes import Period
from mbc.store import Store


def record_frames(store: Store, period: Period, only: str | None = None) -> dict[str, pl.DataFrame]:
    """Give episodes, sessions, scores and statuses, as `mbc.outcomes.report` reads them.

    Scores carry the episode that the record names for their administration; those without one are placed by day.
    Answers about a relationship are named after the one that was current; where none was, they do not apply and
    are left out, as are scores of a form without all items. Questionnaires of the safety channel are no outcomes.

    Clients seen in the period of whom no episode is on record get one that began with what is first on record and
    has not ended.

    ``only`` names a questionnaire: then the scores are of that one, and goals are left out.
    """
    heads = store.administrations().select("administration_id", "episode_id")
    table = (
        scores(store, instrument=only, invalid="null")
        .drop_nulls("score")
        .join(heads, on="administration_id", how="left")
    )
    courses = timelines(store.statuses(), store.relationships())
    parts = [
        _applicable(rows, instrument(str(key)), str(scale), courses)
        for (key, scale), rows in table.group_by("instrument", "scale", maintain_order=True)
    ]
    chosen = pl.concat([table.clear(), *parts])
    sessions, episodes = store.sessions(), store.episodes()
    goals = {} if only else {"goals": _goals(store, table, period)}
    return goals | {
        "episodes": pl.concat([episodes, _seen_without_episode(episodes, chosen, sessions, period)]),
        "sessions": sessions,
        "scores": chosen.select(
            "client_id",
            "administration_id",
            "episode_id",
            "instrument",
            "scale",
            "target",
            "informant",
            "taken_on",
            "score",
        ),
        "statuses": store.statuses(),
    }


def _goals(store: Store, table: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Say of each goal whether it was reached by the last day of the period, as the client's page does."""
    goals = store.goals()
    ratings = store.goal_ratings().filter(pl.col("rated_on") <= period.end).sort("rated_on")
    latest = dict(ratings.group_by("goal_id", maintain_order=True).last().select("goal_id", "rating").iter_rows())
    reached: list[bool] = []
    for row in goals.iter_rows(named=True):
        name = known_scale(row["scale"])
        rating = latest.get(row["goal_id"]) if name is None else _latest_score(table, row, name, period)
        reached.append(is_reached(row, rating))
    return goals.select("client_id", "goal_id", "set_on", pl.Series("reached", reached, pl.Boolean))


def _latest_score(table: pl.DataFrame, row: Mapping[str, Any], name: str, period: Period) -> float | None:
    key, _, part = name.partition(".")
    until = min(row["retired_on"] or period.end, period.end)
    latest_scores = table.filter(
        pl.col("client_id") == row["client_id"],
        pl.col("instrument") == key,
        pl.col("scale") == instrument(key).scale(part or None).key,
        pl.col("taken_on").is_between(row["set_on"], until),
    ).sort("taken_on")
    return None if latest_scores.is_empty() else float(latest_scores["score"][-1])


def _applicable(
    rows: pl.DataFrame, known: Instrument, scale: str, courses: Mapping[str, Timeline]
) -> pl.DataFrame:
    full_form = pl.col("maximum").is_null() | (pl.col("maximum") >= known.scale(scale).range[1])
    kept = rows.filter(full_form)  # a score without items that do not apply is on another metric
    if not known.applicability.needs_relationship:
        return kept
    nobody = Timeline()
    about = [
        courses.get(client_id, nobody).target_on(known, target, day)
        for client_id, target, day in kept.select("client_id", "target", "taken_on").iter_rows()
    ]
    return kept.with_columns(pl.Series("target", about, pl.String)).drop_nulls("target")


def _seen_without_episode(
    episodes: pl.DataFrame, table: pl.DataFrame, sessions: pl.DataFrame, period: Period
) -> pl.DataFrame:
    seen = pl.concat(
        [
            table.select("client_id", day="taken_on"),
            sessions.filter("attended").select("client_id", day="held_on"),
        ]
    ).join(episodes, on="client_id", how="anti")
    first = seen.group_by("client_id").agg(
        started_on=pl.col("day").min(), within=pl.col("day").is_between(period.start, period.end).any()
    )
    made = first.filter("within").select(
        pl.concat_str(pl.lit("since "), "client_id").alias("episode_id"), "client_id", "started_on"
    )
    absent = [name for name in episodes.columns if name not in made.columns]
    return made.with_columns(pl.lit(None, episodes.schema[name]).alias(name) for name in absent).select(
        episodes.columns
    )
