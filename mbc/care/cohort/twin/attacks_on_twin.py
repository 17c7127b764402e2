"""What a twin gives away: rows that equal a cohort's, distances to the nearest record, a membership test."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.spatial.distance import cdist

from mbc.care.cohort.deidentified import SELF, Cohort
from mbc.care.cohort.twin.fit_cohort import CohortFit, fit_people, visits_of
from mbc.care.cohort.twin.fit_scores import latest_episode
from mbc.care.cohort.twin.synthetic_twin import Twin, draw_cohort
from mbc.simulate.streams import Stream

Floats = npt.NDArray[np.float64]
_SCALES = 6  # that most people have: first and last score of each
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Membership:
    """How well somebody with a person's record says whether it was in the fit; 0.5 is guessing."""

    area: float  # under the curve
    lower: float
    upper: float


def measure_disclosure(cohort: Cohort, twin: Twin) -> dict[str, object]:
    """Attack a twin with the cohort in hand.

    Parameters
    ----------
    cohort : Cohort
        That the twin was fitted to.
    twin : Twin

    Returns
    -------
    dict
        ``equal_rows``, ``nearest_record`` and ``membership``.

    References
    ----------
    .. [1] Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747: standard error of the area.
    """
    other = draw_cohort(twin.fit, twin.seed + 1)
    return {
        "equal_rows": _equal_rows(cohort, twin.cohort, other),
        "nearest_record": _nearest(cohort, twin.cohort, other),
        "membership": _membership_words(membership_test(cohort, twin.fit, twin.seed)),
    }


def _equal_rows(cohort: Cohort, twin: Cohort, other: Cohort) -> dict[str, object]:
    """Count rows of people.csv, without the ids, that occur in the cohort, and in a second, independent twin."""
    columns = [name for name in cohort.people.columns if name not in ("study_id", "therapist")]
    real, second = (set(frame.people.select(columns).iter_rows()) for frame in (cohort, other))
    rows = list(twin.people.select(columns).iter_rows())
    return {
        "columns": columns,
        "share_in_cohort": round(sum(row in real for row in rows) / len(rows), 3),
        "share_in_independent_twin": round(sum(row in second for row in rows) / len(rows), 3),
    }


def _nearest(cohort: Cohort, twin: Cohort, other: Cohort) -> dict[str, object]:
    real, drawn, second = _records(cohort, (cohort, twin, other))
    within = cdist(real, real)
    np.fill_diagonal(within, np.inf)
    own, to_cohort = within.min(axis=1), cdist(drawn, real).min(axis=1)
    close = float(np.quantile(own, 0.05))
    return {
        "within_cohort": _quantiles(own),
        "twin_to_cohort": _quantiles(to_cohort),
        "twin_to_independent_twin": _quantiles(cdist(drawn, second).min(axis=1)),
        "share_closer_than_closest_twentieth": round(float((to_cohort < close).mean()), 3),
        "copies": int((to_cohort == 0).sum()),
    }


def _quantiles(distances: Floats) -> dict[str, float]:
    fifth, median = (round(float(np.quantile(distances, share)), 3) for share in (0.05, 0.5))
    return {"fifth_percentile": fifth, "median": median}


def membership_test(cohort: Cohort, fit: CohortFit, seed: int) -> Membership:
    """Fit each half of the people and ask whether its twin lies nearer to them than to the other half.

    Each person is scored by the distance to the nearest row of the twin; the area under the curve compares those
    who were in the fit with those who were not. The two areas are averaged, and so are their standard errors,
    because the halves are not independent.
    """
    ids = cohort.people["study_id"].sort().to_list()
    order = np.argsort(Stream(seed, "twin", "halves").uniform(len(ids)))
    first = [ids[position] for position in order[: len(ids) // 2]]
    second = [ids[position] for position in order[len(ids) // 2 :]]
    areas: list[float] = []
    errors: list[float] = []
    for members, others in ((first, second), (second, first)):
        half = _part(cohort, members)
        twin = draw_cohort(fit_people(half, fit.k), seed)
        inside, outside, drawn = _records(cohort, (half, _part(cohort, others), twin))
        near, far = cdist(inside, drawn).min(axis=1), cdist(outside, drawn).min(axis=1)
        area, error = area_under_curve(-near, -far)
        areas.append(area)
        errors.append(error)
    area, error = float(np.mean(areas)), float(np.mean(errors))
    return Membership(area, max(0.0, area - _Z * error), min(1.0, area + _Z * error))


def area_under_curve(members: Floats, others: Floats) -> tuple[float, float]:
    """Give the area under the curve and its standard error.

    Examples
    --------
    >>> area, error = area_under_curve(np.array([3.0, 4.0]), np.array([1.0, 3.0]))
    >>> area
    0.875
    """
    m, n = members.size, others.size
    ranks = pl.Series(np.concatenate([members, others])).rank("average").to_numpy()
    area = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (m - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (m * n)
    return area, math.sqrt(max(variance, 0.0))


def _membership_words(test: Membership) -> dict[str, object]:
    return {
        "area_under_curve": round(test.area, 3),
        "interval_95": [round(test.lower, 3), round(test.upper, 3)],
        "guessing": 0.5,
    }


def _part(cohort: Cohort, ids: list[str]) -> Cohort:
    """Keep some of the people."""

    def kept(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(pl.col("study_id").is_in(ids))

    return replace(
        cohort,
        people=kept(cohort.people),
        scores=kept(cohort.scores),
        items={key: kept(frame) for key, frame in cohort.items.items()},
        sessions=kept(cohort.sessions),
        relationships=kept(cohort.relationships),
        goals=kept(cohort.goals),
        events=kept(cohort.events),
    )


def _records(reference: Cohort, cohorts: tuple[Cohort, ...]) -> list[Floats]:
    """Give each person as numbers in the reference's units: visits, time in care, first and last scores."""
    counts = (
        latest_episode(reference.scores)
        .drop_nulls("score")
        .group_by("instrument", "scale", "informant")
        .agg(pl.col("study_id").n_unique().alias("n"))
        .sort("n", "instrument", "scale", "informant", descending=[True, False, False, False])
        .head(_SCALES)
    )
    scales = list(counts.select("instrument", "scale", "informant").iter_rows())
    tables = [_numbers(cohort, scales) for cohort in cohorts]
    base = _numbers(reference, scales)
    mean, spread = np.nan_to_num(np.nanmean(base, axis=0)), np.nan_to_num(np.nanstd(base, axis=0))
    spread[spread == 0] = 1.0
    records: list[Floats] = []
    for table in tables:
        absent = np.isnan(table)
        standard = np.where(absent, 0.0, (table - mean) / spread)
        records.append(np.column_stack([standard, absent.astype(np.float64)]))
    return records


def _numbers(cohort: Cohort, scales: list[tuple[str, str, str]]) -> Floats:
    visits = visits_of(cohort).group_by("study_id").agg(pl.len().alias("visits"), pl.col("at").max().alias("last"))
    joined = cohort.people.select("study_id").join(visits, on="study_id", how="left", maintain_order="left")
    scores = latest_episode(cohort.scores).drop_nulls("score").sort("at", pl.col("target") == SELF)
    for number, (instrument, scale, informant) in enumerate(scales):
        own = scores.filter(
            pl.col("instrument") == instrument, pl.col("scale") == scale, pl.col("informant") == informant
        )
        ends = own.group_by("study_id").agg(
            pl.col("score").first().alias(f"first_{number}"), pl.col("score").last().alias(f"last_{number}")
        )
        joined = joined.join(ends, on="study_id", how="left", maintain_order="left")
    return joined.drop("study_id").cast(pl.Float64).fill_null(float("nan")).to_numpy()
