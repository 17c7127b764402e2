"""Status-aware counting: a scale about a relationship counts while the rated relationship lasts."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from mbc.instruments.applicability import CURRENT
from mbc.outcomes.source import Lazy


def of_the_last_relationship(scores: Lazy) -> Lazy:
    """Keep, of each episode, the scores about the relationship that the last of them is about.

    Satisfaction with one relationship is not compared with satisfaction with the next.
    """
    placed = scores.with_columns(
        position=nw.col("taken").cum_count().over("episode_id", order_by=["taken", "place", "score"]),
        size=nw.len().over("episode_id"),
    )
    last = placed.filter(nw.col("position") == nw.col("size")).select(
        "episode_id", nw.col("about").alias("last_about")
    )
    joined = scores.join(last, on="episode_id", how="inner")
    return joined.filter(nw.col("about") == nw.col("last_about")).drop("last_about")


def not_applicable(statuses: Lazy, episodes: Lazy, end: int) -> Lazy:
    """Find the episodes at whose last day the client is in no relationship, as far as is on record.

    Parameters
    ----------
    statuses : LazyFrame
        client_id, relationship_id (null: the person), status, since (day number).
    episodes : LazyFrame
        episode_id, client_id, ended.
    end : int
        Last day of the period: the last day of an episode that has not ended by then.

    Returns
    -------
    LazyFrame
        episode_id. A client without any status on record is not in it: what is not on record does not forbid.
    """
    day = nw.when(nw.col("ended") < end).then(nw.col("ended")).otherwise(nw.lit(end))
    spans = episodes.with_columns(day=day).select("episode_id", "client_id", "day")
    return in_a_relationship(statuses, spans).filter(nw.col("together") == 0).select("episode_id")


def in_a_relationship(statuses: Lazy, spans: Lazy) -> Lazy:
    """Say of each episode whether the client is in a relationship on a day.

    Parameters
    ----------
    statuses : LazyFrame
        client_id, relationship_id (null: the person), status, since (day number).
    spans : LazyFrame
        episode_id, client_id, day.

    Returns
    -------
    LazyFrame
        episode_id, together (1 or 0). An episode is not in it where no status is on record by that day.
    """
    days = spans.select("episode_id", "client_id", "day")
    held = statuses.join(days, on="client_id", how="inner").filter(nw.col("since") <= nw.col("day"))
    held = held.with_columns(whose=nw.col("relationship_id").fill_null(""))
    latest = held.filter(nw.col("since") == nw.col("since").max().over("episode_id", "whose"))
    current = nw.col("status").is_in(sorted(CURRENT))
    named = held.filter((nw.col("whose") != "") & current).group_by("episode_id").agg(began=nw.col("since").max())
    latest = latest.join(named, on="episode_id", how="left")
    # a status of the person ends when a relationship begins: nobody is single and partnered
    over = (nw.col("whose") == "") & (nw.col("began") > nw.col("since")).fill_null(value=False)
    together = (current & ~over).cast(nw.Int64)
    return latest.with_columns(together=together).group_by("episode_id").agg(nw.col("together").max())
