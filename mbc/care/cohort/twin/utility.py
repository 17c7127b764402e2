"""How far a twin is from its cohort: means, spreads, correlations, growth, missing scores, sessions, endings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from mbc.care.cohort.deidentified import SELF, Cohort
from mbc.care.cohort.twin.fit_cohort import visits_of
from mbc.care.cohort.twin.fit_scores import latest_episode
from mbc.care.cohort.twin.growth_summary import summarise_growth, time_of

Floats = npt.NDArray[np.float64]
_BY = ("instrument", "scale", "informant", "rated")
ENOUGH = 20  # people for a correlation, and for the first page
_DIGITS = 3


def measure_utility(cohort: Cohort, twin: Cohort, k: int) -> dict[str, object]:
    """Compare a twin with its cohort; scales that fewer than k people have are left out.

    Parameters
    ----------
    cohort, twin : Cohort
    k : int

    Returns
    -------
    dict
        ``scales``: a row each; ``correlations`` between scales; ``sessions``; ``endings``.
    """
    before, after = _by_scale(cohort), _by_scale(twin)
    shared = [key for key, rows in before.items() if rows["study_id"].n_unique() >= k]
    rows = [_scale_row(key, before[key], after.get(key), cohort, twin) for key in shared]
    return {
        "scales": rows,
        "correlations": _correlations(before, after, shared),
        "sessions": _sessions(cohort, twin),
        "endings": {"distance": _frequency_distance(cohort.people["ending"], twin.people["ending"])},
    }


def _by_scale(cohort: Cohort) -> dict[tuple[object, ...], pl.DataFrame]:
    scores = latest_episode(cohort.scores).with_columns(rated=pl.col("target") != SELF).sort(*_BY)
    return dict(scores.group_by(_BY, maintain_order=True))


def _scale_row(
    key: tuple[object, ...], before: pl.DataFrame, after: pl.DataFrame | None, cohort: Cohort, twin: Cohort
) -> dict[str, object]:
    row: dict[str, object] = {"instrument": key[0], "scale": key[1], "informant": key[2], "relationship": key[3]}
    if after is None or after["score"].drop_nulls().len() < 2:
        return row | {"in_twin": False}
    scores, drawn = _values(before), _values(after)
    spread = float(scores.std()) or 1.0
    line, drawn_line = _growth(before), _growth(after)
    return row | {
        "in_twin": True,
        "people": before["study_id"].n_unique(),
        "mean_moved_sd": _rounded((float(drawn.mean()) - float(scores.mean())) / spread),
        "sd_ratio": _rounded(float(drawn.std()) / spread),
        "intercept_moved_sd": _rounded((drawn_line[0] - line[0]) / spread),
        "slope_moved_sd": _rounded((drawn_line[1] - line[1]) / spread),
        "missing_moved": _rounded(_share_missing(after) - _share_missing(before)),
        "people_moved": _rounded(_share_of(after, twin) - _share_of(before, cohort)),
        "scores_each_ratio": _rounded(
            (after.height / after["study_id"].n_unique()) / (before.height / before["study_id"].n_unique())
        ),
    }  # fmt: skip


def _share_missing(frame: pl.DataFrame) -> float:
    return frame["score"].null_count() / frame.height


def _share_of(frame: pl.DataFrame, cohort: Cohort) -> float:
    return frame["study_id"].n_unique() / cohort.people.height


def _values(frame: pl.DataFrame) -> Floats:
    return frame["score"].drop_nulls().to_numpy()


def _growth(frame: pl.DataFrame) -> Floats:
    """Mean intercept and slope over log(1 + weeks)."""
    scored = frame.drop_nulls("score")
    person = scored["study_id"].rank("dense").to_numpy().astype(np.int64) - 1
    time = time_of(scored["at"].cast(pl.Float64).to_numpy())
    return summarise_growth(person, time, scored["score"].to_numpy())[0].mean


def _correlations(
    before: Mapping[tuple[object, ...], pl.DataFrame],
    after: Mapping[tuple[object, ...], pl.DataFrame],
    keys: list[tuple[object, ...]],
) -> dict[str, object]:
    """Compare correlations of people's mean scores between scales that enough people have both of."""
    differences: list[float] = []
    for i, left in enumerate(keys):
        for right in keys[:i]:
            if left in after and right in after and left[:1] != right[:1]:
                real, drawn = _correlation(before[left], before[right]), _correlation(after[left], after[right])
                if real is not None and drawn is not None:
                    differences.append(abs(real - drawn))
    if not differences:
        return {"compared": 0}
    return {
        "compared": len(differences),
        "mean_absolute_difference": _rounded(float(np.mean(differences))),
        "largest": _rounded(max(differences)),
    }


def _correlation(left: pl.DataFrame, right: pl.DataFrame) -> float | None:
    means = [frame.drop_nulls("score").group_by("study_id").agg(pl.col("score").mean()) for frame in (left, right)]
    both = means[0].join(means[1], on="study_id", suffix="_other")
    if both.height < ENOUGH or both["score"].n_unique() < 2 or both["score_other"].n_unique() < 2:
        return None
    return float(np.corrcoef(both["score"].to_numpy(), both["score_other"].to_numpy())[0, 1])


def _sessions(cohort: Cohort, twin: Cohort) -> dict[str, object]:
    if cohort.sessions.is_empty():
        return {"in_cohort": False}
    real, drawn = _counts(cohort), _counts(twin)
    gaps, drawn_gaps = _gaps(cohort), _gaps(twin)
    return {
        "in_cohort": True,
        "mean_ratio": _rounded(float(drawn.mean() / real.mean())),
        "sd_ratio": _rounded(float(drawn.std() / (real.std() or 1.0))),
        "gap_mean_ratio": _rounded(float(drawn_gaps.mean() / gaps.mean())),
        "missed_moved": _rounded(_missed(twin) - _missed(cohort)),
    }


def _counts(cohort: Cohort) -> Floats:
    counts = visits_of(cohort).group_by("study_id").len()
    joined = cohort.people.select("study_id").join(counts, on="study_id", how="left")
    return joined["len"].fill_null(0).cast(pl.Float64).to_numpy()


def _gaps(cohort: Cohort) -> Floats:
    visits = visits_of(cohort)
    gaps = visits.select(pl.col("at").diff().over("study_id").alias("gap"))["gap"].drop_nulls()
    return gaps.cast(pl.Float64).to_numpy()


def _missed(cohort: Cohort) -> float:
    visits = visits_of(cohort)
    return 1 - int(visits["attended"].sum()) / visits.height


def _frequency_distance(real: pl.Series, drawn: pl.Series) -> float:
    """Share of people who would have to change category."""
    first, second = Counter(real.to_list()), Counter(drawn.to_list())
    return _rounded(
        sum(abs(first[value] / len(real) - second[value] / len(drawn)) for value in first | second) / 2
    )


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)
