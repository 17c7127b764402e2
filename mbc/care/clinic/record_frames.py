"""The tables of a record that outcome metrics are computed from."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from mbc.care.course.relationships import Timeline, timelines
from mbc.care.scoring.scores import scores
from mbc.instruments import Instrument, instrument
from mbc.outcomes import Period
from mbc.store import Store


def record_frames(store: Store, period: Period) -> dict[str, pl.DataFrame]:
    """Give episodes, sessions, scores and statuses, as `mbc.outcomes.report` reads them.

    Scores carry the episode that the record names for their administration; those without one are placed by day.
    Answers about a relationship are named after the one that was current; where none was, they do not apply and
    are left out, as are scores of a form without all items. Questionnaires of the safety channel are no outcomes.

    Clients seen in the period of whom no episode is on record get one that began with what is first on record and
    has not ended.
    """
    heads = store.administrations().select("administration_id", "episode_id")
    table = scores(store, invalid="null").drop_nulls("score").join(heads, on="administration_id", how="left")
    courses = timelines(store.statuses(), store.relationships())
    parts = [
        _applicable(rows, instrument(str(key)), str(scale), courses)
        for (key, scale), rows in table.group_by("instrument", "scale", maintain_order=True)
    ]
    chosen = pl.concat([table.clear(), *parts])
    sessions, episodes = store.sessions(), store.episodes()
    return {
        "episodes": pl.concat([episodes, _seen_without_episode(episodes, chosen, sessions, period)]),
        "sessions": sessions,
        "scores": chosen.select(
            "client_id", "administration_id", "episode_id", "instrument", "scale", "target", "taken_on", "score"
        ),
        "statuses": store.statuses(),
    }


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
