"""How much of the time was a client on the better side of a cutoff, and from when reliably better."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.models.change.inputs.score_arrays import FloatArray, number_column
from mbc.models.courses.observed import Observed, first_where


def time_beyond(observed: Observed, cutoff: float, *, tie_counts: bool, longest_gap: float | None) -> pl.DataFrame:
    """Give each client's time on the better side, with straight lines between consecutive scores.

    Parameters
    ----------
    observed : Observed
    cutoff : float
        Scale points, turned so that higher is better.
    tie_counts : bool
        Whether a stretch on the cutoff itself counts as beyond.
    longest_gap : float, optional
        Time between two scores over which no line is drawn; such time is not counted at all.
    """
    here = np.flatnonzero(np.arange(observed.scores.size) < observed.last)
    spent = observed.elapsed[here + 1] - observed.elapsed[here]
    drawn = np.ones(here.size, dtype=bool) if longest_gap is None else spent <= longest_gap
    here, spent = here[drawn], spent[drawn]
    start, end = observed.better[here] - cutoff, observed.better[here + 1] - cutoff
    reach = np.abs(start) + np.abs(end)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(reach > 0, (np.maximum(start, 0) + np.maximum(end, 0)) / reach, float(tie_counts))
        share = np.where(np.isnan(reach), np.nan, share)  # no cutoff: there is no better side
    duration, beyond = np.zeros(observed.people), np.zeros(observed.people)
    np.add.at(duration, observed.codes[here], spent)
    np.add.at(beyond, observed.codes[here], spent * share)
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond_time: FloatArray = np.where(duration > 0, beyond, np.nan)
        return pl.DataFrame(
            {
                "time_covered": number_column(duration),
                "time_beyond_cutoff": number_column(beyond_time),
                "share_beyond_cutoff": number_column(beyond_time / duration),
            }
        )


def first_reliable(observed: Observed, threshold: float, *, consecutive: int) -> pl.DataFrame:
    """Find the first of several scores in a row that are all better (or all worse) than the first by more."""
    change = observed.better - observed.better[observed.first]
    made: dict[str, pl.Series] = {}
    for name, sign in (("improved_at", 1.0), ("deteriorated_at", -1.0)):
        beyond = sign * change > threshold
        run = beyond & (np.arange(beyond.size) + consecutive - 1 <= observed.last)
        for ahead in range(1, consecutive):
            run[:-ahead] &= beyond[ahead:]
        made[name] = observed.client_time(first_where(run, observed.codes))
    return pl.DataFrame(made)
