"""How much of the time was a client on the better side of a cutoff, and from when reliably better."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.models.change.inputs.score_arrays import FloatArray, number_column
from mbc.models.courses.observed import Observed, first_where


def time_beyond(seen: Observed, cutoff: float, *, tie_counts: bool, longest_gap: float | None) -> pl.DataFrame:
    """Give each client's time on the better side, with straight lines between consecutive scores.

    Parameters
    ----------
    seen : Observed
    cutoff : float
        Scale points, turned so that higher is better.
    tie_counts : bool
        Whether a stretch on the cutoff itself counts as beyond.
    longest_gap : float, optional
        Time between two scores over which no line is drawn; such time is not counted at all.
    """
    here = np.flatnonzero(np.arange(seen.scores.size) < seen.last)
    spent = seen.elapsed[here + 1] - seen.elapsed[here]
    drawn = np.ones(here.size, dtype=bool) if longest_gap is None else spent <= longest_gap
    here, spent = here[drawn], spent[drawn]
    one, two = seen.better[here] - cutoff, seen.better[here + 1] - cutoff
    reach = np.abs(one) + np.abs(two)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(reach > 0, (np.maximum(one, 0) + np.maximum(two, 0)) / reach, float(tie_counts))
    whole, beyond = np.zeros(seen.people), np.zeros(seen.people)
    np.add.at(whole, seen.codes[here], spent)
    np.add.at(beyond, seen.codes[here], spent * share)
    with np.errstate(invalid="ignore", divide="ignore"):
        known: FloatArray = np.where(whole > 0, beyond, np.nan)
        return pl.DataFrame(
            {
                "time_covered": number_column(whole),
                "time_beyond_cutoff": number_column(known),
                "share_beyond_cutoff": number_column(known / whole),
            }
        )


def first_reliable(seen: Observed, threshold: float, *, consecutive: int) -> pl.DataFrame:
    """Find the first of several scores in a row that are all better (or all worse) than the first by more."""
    change = seen.better - seen.better[seen.first]
    made: dict[str, pl.Series] = {}
    for name, sign in (("improved_at", 1.0), ("deteriorated_at", -1.0)):
        beyond = sign * change > threshold
        run = beyond & (np.arange(beyond.size) + consecutive - 1 <= seen.last)
        for ahead in range(1, consecutive):
            run[:-ahead] &= beyond[ahead:]
        made[name] = seen.client_time(first_where(run, seen.codes))
    return pl.DataFrame(made)
