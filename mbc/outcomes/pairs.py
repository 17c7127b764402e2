"""First and last score of an episode of care, and its attended contacts, as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from mbc.outcomes.source import Lazy

FIRST_RULE = "the first score from the day of referral on"


def contacts(sessions: Lazy, *, until: int | None) -> Lazy:
    """Count the attended contacts of each episode.

    Parameters
    ----------
    sessions : LazyFrame
        episode_id, held, number, attended. A missed appointment is not a contact.
    until : int or None
        Last day that counts, as a day number.

    Returns
    -------
    LazyFrame
        episode_id, contacts, first_contact, second_contact, last_contact (day numbers), appointments.
    """
    held = sessions.filter(~nw.col("held").is_null())
    if until is not None:
        held = held.filter(nw.col("held") <= until)
    attended = held.filter(nw.col("attended").fill_null(value=False))
    placed = attended.with_columns(
        place=nw.col("held").cum_count().over("episode_id", order_by=["held", "number"])
    )
    counted = (
        placed.with_columns(second=nw.when(nw.col("place") == 2).then(nw.col("held")))
        .group_by("episode_id")
        .agg(
            nw.len().alias("contacts"),
            nw.col("held").min().alias("first_contact"),
            nw.col("second").max().alias("second_contact"),
            nw.col("held").max().alias("last_contact"),
        )
    )
    offered = held.group_by("episode_id").agg(nw.len().alias("appointments"))
    return offered.join(counted, on="episode_id", how="left").with_columns(nw.col("contacts").fill_null(0))


def within_episodes(scores: Lazy, episodes: Lazy, *, until: int | None, of_episode: Sequence[str] = ()) -> Lazy:
    """Give each score the episode of care that it was taken in.

    A score that names its episode belongs to that one; another belongs to the client's episodes that its day lies
    in, from the day of referral (or the first day, where none is on record) to the day care ended. Scores taken
    outside every episode are left out. ``of_episode`` names further columns of the episode that a score is given.
    """
    spans = episodes.select("client_id", nw.col("episode_id").alias("of_episode"), "since", "ended", *of_episode)
    joined = scores.join(spans, on="client_id", how="inner")
    named, taken = nw.col("episode_id"), nw.col("taken")
    belongs = (
        (named.is_null() | (named == nw.col("of_episode")))
        & (nw.col("since").is_null() | (taken >= nw.col("since")))
        & (nw.col("ended").is_null() | (taken <= nw.col("ended")))
    )
    kept = joined.filter(belongs.fill_null(value=False))
    if until is not None:
        kept = kept.filter(nw.col("taken") <= until)
    return kept.drop("episode_id").rename({"of_episode": "episode_id"})


def first_and_last(scores: Lazy, by: list[str]) -> Lazy:
    """Pair the first and the last score of each group.

    Parameters
    ----------
    scores : LazyFrame
        The columns of ``by``, taken, place, score.
    by : list of str
        What a pair is of: usually ``["episode_id"]``.

    Returns
    -------
    LazyFrame
        The columns of ``by``, first, first_day, last, last_day, occasions. ``last`` is null where all scores are
        of one day: they are not a pair. Of several scores on one day, the first recorded is the first and the
        last recorded is the last.
    """
    taken = nw.col("taken")
    days = scores.group_by(*by).agg(
        taken.min().alias("first_day"), taken.max().alias("last_day"), nw.len().alias("occasions")
    )
    # Only scores of the first and the last day are put in order: sorting all costs most of a report.
    edges = scores.select(*by, "taken", "place", "score").join(days, on=by, how="inner")
    edges = edges.filter((taken == nw.col("first_day")) | (taken == nw.col("last_day")))
    placed = edges.with_columns(
        position=taken.cum_count().over(*by, order_by=["taken", "place", "score"]), size=nw.len().over(*by)
    )
    position = nw.col("position")
    marked = placed.with_columns(
        opening=nw.when(position == 1).then(nw.col("score")),
        closing=nw.when(position == nw.col("size")).then(nw.col("score")),
    )
    grouped = marked.group_by(*by).agg(
        nw.col("opening").max().alias("first"),
        nw.col("closing").max().alias("closing"),
        *(nw.col(name).max() for name in ("first_day", "last_day", "occasions")),
    )
    later = nw.col("last_day") > nw.col("first_day")
    return grouped.with_columns(last=nw.when(later).then(nw.col("closing"))).drop("closing")


def scores_of(scores: Lazy, instrument: str, scale: str) -> Lazy:
    """Keep the scores of one scale."""
    return scores.filter((nw.col("instrument") == instrument) & (nw.col("scale") == scale))


def improvement(higher_is_better: bool, first: str = "first", last: str = "last") -> Any:  # noqa: FBT001
    """Change from first to last, positive where it is for the better."""
    change = nw.col(last) - nw.col(first)
    return change if higher_is_better else -change
