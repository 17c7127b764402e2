"""Where the present care of a client begins: charts and change start there, not in an earlier episode."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

import polars as pl


def starts_of_care(episodes: pl.DataFrame) -> Mapping[str, Sequence[dt.date]]:
    """First day of each episode by client, rising; its referral where that is on record."""
    first = pl.min_horizontal("referred_on", "started_on")
    starts = episodes.select("client_id", first.alias("first")).drop_nulls("first")
    return dict(starts.group_by("client_id").agg(pl.col("first").unique().sort()).iter_rows())


def present_since(starts: Sequence[dt.date], days: Iterable[dt.date]) -> dt.date | None:
    """First day of the last episode of care in which anything happened; None where there was none before it.

    Parameters
    ----------
    starts : sequence of date
        First days of the client's episodes, rising.
    days : iterable of date
        Days with a session or a questionnaire.

    Examples
    --------
    >>> first, second = dt.date(2024, 3, 1), dt.date(2026, 2, 2)
    >>> present_since([first, second], [dt.date(2024, 4, 1), dt.date(2026, 3, 1)])
    datetime.date(2026, 2, 2)
    >>> present_since([first, second], [dt.date(2024, 4, 1)]) is None
    True
    """
    last = max(days, default=None)
    if last is None:
        return None
    position = bisect_right(starts, last) - 1
    return starts[position] if position >= 1 else None


def closed_care(episodes: pl.DataFrame) -> Mapping[str, tuple[dt.date, str]]:
    """Day on which the last episode of care ended, and how ("" where that is not on record), by client.

    Clients with an open episode, or with none, are in care and have no entry.
    """
    over = (
        episodes.sort("ended_on")
        .group_by("client_id")
        .agg(
            pl.col("ended_on").is_not_null().all().alias("over"),
            pl.col("ended_on").last(),
            pl.col("ending").last(),
        )
    )
    rows = over.filter("over").select("client_id", "ended_on", "ending").iter_rows()
    return {client: (ended_on, ending or "") for client, ended_on, ending in rows}
