"""Status-aware counting: a scale about a relationship counts while the rated relationship lasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from mbc.instruments.applicability import CURRENT

if TYPE_CHECKING:
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


def about_current_relationships(
    scores: Lazy, statuses: Lazy, instruments: Sequence[str], keep: Callable[[Lazy], Lazy]
) -> Lazy:
    """Keep the scores about a relationship that was current on their day, and name it where they do not.

    Parameters
    ----------
    scores : LazyFrame
        client_id, instrument, taken, about.
    statuses : LazyFrame
        client_id, relationship_id (null: the person), status, since (day number).
    instruments : sequence of str
        Questionnaires that are about a relationship; scores of others stay as they are.
    keep : callable
        Computes a table once, where the engine can.

    Returns
    -------
    LazyFrame
        What is not on record does not forbid: a relationship without statuses, and days before the first status,
        count as applicable. Scores that name no relationship belong to the one that was current.
    """
    chosen = nw.col("instrument").is_in(list(instruments))
    others, rated = scores.filter(~chosen), scores.filter(chosen)
    days = rated.select("client_id", "about", "taken").unique()
    held = statuses.join(days, on="client_id", how="inner").filter(nw.col("since") <= nw.col("taken"))
    held = held.with_columns(whose=nw.col("relationship_id").fill_null(""))
    by = ("client_id", "about", "taken")
    latest = held.filter(nw.col("since") == nw.col("since").max().over(*by, "whose"))
    current, named = nw.col("status").is_in(sorted(CURRENT)), nw.col("whose") != ""
    began = held.filter(named & current).group_by(*by).agg(began=nw.col("since").max())
    latest = latest.join(began, on=list(by), how="left")
    over = ~named & (nw.col("began") > nw.col("since")).fill_null(value=False)
    own = nw.col("whose") == nw.col("about")
    marked = latest.with_columns(
        goes_on=(current & ~over).cast(nw.Int64),
        with_somebody=(current & named).cast(nw.Int64),
        partner=nw.when(current & named).then(nw.col("whose")),
        rated_is_over=(own & ~current).cast(nw.Int64),
        counts=(~over).cast(nw.Int64),
    )
    on_day = marked.group_by(*by).agg(
        *(nw.col(name).max() for name in ("goes_on", "partner", "rated_is_over", "counts")),
        nw.col("with_somebody").sum(),
    )
    joined = rated.join(on_day, on=list(by), how="left")
    unnamed = nw.col("about") == "self"
    alone = (nw.col("counts") == 1) & (nw.col("goes_on") == 0)
    drop = nw.when(unnamed).then(alone).otherwise(nw.col("rated_is_over") == 1)
    about = nw.when(unnamed & (nw.col("with_somebody") == 1)).then(nw.col("partner")).otherwise(nw.col("about"))
    kept = joined.filter(~drop.fill_null(value=False)).with_columns(about=about)
    columns = scores.collect_schema().names()
    return nw.concat([others.select(columns), keep(kept.select(columns))], how="vertical")


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
