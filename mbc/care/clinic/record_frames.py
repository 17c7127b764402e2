"""The tables of a record that outcome metrics are computed from."""

from __future__ import annotations

import polars as pl

from mbc.care.scoring.scores import scores
from mbc.store import Store


def record_frames(store: Store) -> dict[str, pl.DataFrame]:
    """Give episodes, sessions, scores and statuses, as `mbc.outcomes.report` reads them.

    Scores carry the episode that the record names for their administration; those without one are placed by day.
    Questionnaires of the safety channel are left out.
    """
    heads = store.administrations().select("administration_id", "episode_id")
    scored = scores(store, invalid="null").drop_nulls("score").join(heads, on="administration_id", how="left")
    return {
        "episodes": store.episodes(),
        "sessions": store.sessions(),
        "scores": scored.select(
            "client_id", "administration_id", "episode_id", "instrument", "scale", "target", "taken_on", "score"
        ),
        "statuses": store.statuses(),
    }
