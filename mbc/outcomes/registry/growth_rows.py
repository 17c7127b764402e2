"""Scores of one scale over time, as growth models read them, on the engine that the tables are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw

from mbc.instruments import instrument as load
from mbc.outcomes.pairs import scores_of, within_episodes
from mbc.outcomes.source import open_source

_WEEK = 7.0


def growth_rows(
    frames: Mapping[str, Any], instrument: str, scale: str | None = None, *, whole_weeks: bool = False
) -> Any:
    """Give the scores of one scale in episodes of care, with weeks since the first of each episode.

    Parameters
    ----------
    frames : mapping of str to table
        As for `mbc.outcomes.report`.
    instrument : str
        Key of the questionnaire.
    scale : str, optional
        Key of the scale; the main one by default.
    whole_weeks : bool
        Round days to the nearest week (half a week up), so that more episodes have the same times. Times are then
        wrong by up to half a week.

    Returns
    -------
    table
        clinic, client_id, episode_id, clinician_id, week, occasion (0 for the first score of the episode, then 1,
        2, ...), score, and ``first``, the first score of the episode; a lazy table of the engine that came in.
        `mbc.models.growth_curve` takes it as it is: one grouped aggregation runs where the rows are, and one row
        per episode comes back, or with ``sums_per="design"`` one per set of times.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> episodes = pl.DataFrame({"episode_id": ["E1"], "client_id": ["C1"], "referred_on": ["2026-01-05"],
    ...                          "ended_on": ["2026-05-04"]})
    >>> sessions = pl.DataFrame({"episode_id": ["E1"], "held_on": ["2026-02-02"], "attended": [True]})
    >>> scores = pl.DataFrame({"client_id": ["C1"] * 2, "instrument": ["phq9"] * 2, "scale": ["total"] * 2,
    ...                        "taken_on": ["2026-02-02", "2026-02-16"], "score": [18, 9]})
    >>> rows = growth_rows({"episodes": episodes, "sessions": sessions, "scores": scores}, "phq9")
    >>> rows.collect().select("week", "score").rows()
    [(0.0, 18.0), (2.0, 9.0)]
    """
    known = load(instrument)
    source = open_source(frames)
    rows = scores_of(source.scores, known.key, known.scale(scale).key)
    placed = within_episodes(rows, source.episodes, until=None, of_episode=("clinic", "clinician_id"))
    dated = placed.with_columns(
        since_first=nw.col("taken") - nw.col("taken").min().over("episode_id"),
        position=nw.col("taken").cum_count().over("episode_id", order_by=["taken", "place", "score"]),
    )
    opening = dated.with_columns(opening=nw.when(nw.col("position") == 1).then(nw.col("score")))
    # not by a join: an engine leaves out a window that nobody asks for
    first = opening.with_columns(first=nw.col("opening").max().over("episode_id"))
    week = nw.col("since_first").cast(nw.Float64) / _WEEK
    if whole_weeks:
        week = (week + 0.5).floor()
    people_columns = ("clinic", "client_id", "episode_id", "clinician_id")
    occasion = (nw.col("position") - 1).alias("occasion")
    return first.select(*people_columns, week.alias("week"), occasion, "score", "first").to_native()
