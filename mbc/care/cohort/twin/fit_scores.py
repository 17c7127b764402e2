"""How the scores of all scales run together: growth summaries, correlations between scales, items, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mbc.care.cohort.deidentified import SELF, Cohort
from mbc.care.cohort.twin.growth_summary import GrowthSummary, nearest_correlation, summarise_growth, time_of
from mbc.care.cohort.twin.item_structure import ItemStructure, fit_items, partition_scales, read_answers
from mbc.care.cohort.twin.pooled import Categories, pool_categories
from mbc.instruments import Instrument, instrument
from mbc.instruments.library import keys

Floats = npt.NDArray[np.float64]
Questionnaire = tuple[str, str, bool]  # key, informant, about a relationship
_ENOUGH = 20  # people for a correlation


@dataclass(frozen=True, slots=True)
class ScaleFit:
    """Of one scale, answered by one informant about the person or a relationship."""

    questionnaire: Questionnaire
    scale: str
    growth: GrowthSummary
    items: ItemStructure | None  # None: only scores are in the cohort
    answered: Categories  # (answered, prorated, score is there), where only scores are


@dataclass(frozen=True, slots=True)
class ScalesFit:
    """All scales and how they hang together."""

    scales: tuple[ScaleFit, ...]
    lines: Floats  # correlations of intercept and slope, scale after scale
    residuals: Floats  # correlations at one occasion


def latest_episode(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep what belongs to a person's latest episode, with the days since it began as ``at``; none before it."""
    episode = pl.col("episode").fill_null(1)
    kept = frame.filter(episode == episode.max().over("study_id"))
    return kept.with_columns(at=pl.coalesce("since_intake", "day")).filter(pl.col("at") >= 0)


def known_instrument(key: str) -> Instrument | None:
    """Load a questionnaire, or give None where this installation does not have it."""
    return instrument(key) if key in keys() else None


def fit_scales(cohort: Cohort, questionnaires: Sequence[Questionnaire], k: int) -> ScalesFit:
    """Fit every scale of these questionnaires that at least k people have a score of."""
    scores = latest_episode(cohort.scores).with_columns(rated=pl.col("target") != SELF)
    fits: list[ScaleFit] = []
    lines: list[dict[str, Floats]] = []
    residuals: list[pl.DataFrame] = []
    for questionnaire in questionnaires:
        key, informant, rated = questionnaire
        rows = scores.filter(
            pl.col("instrument") == key, pl.col("informant") == informant, pl.col("rated") == rated
        )
        structures = _structures(cohort, questionnaire, k)
        for scale in list(structures) or rows["scale"].unique().sort().to_list():
            every = rows.filter(pl.col("scale") == scale)
            scored = every.drop_nulls("score")
            if scored["study_id"].n_unique() < k:
                continue
            names = scored["study_id"].unique().sort().to_list()
            numbers = {name: number for number, name in enumerate(names)}
            person = np.array([numbers[name] for name in scored["study_id"]], dtype=np.int64)
            time = time_of(scored["at"].cast(pl.Float64).to_numpy())
            score = scored["score"].to_numpy()
            growth, expected = summarise_growth(person, time, score)
            fits.append(ScaleFit(questionnaire, scale, growth, structures.get(scale), _answered(every, k)))
            lines.append({name: expected[number] for name, number in numbers.items()})
            rest = score - expected[person, 0] - expected[person, 1] * time
            residuals.append(scored.select("study_id", "at").with_columns(pl.Series("rest", rest)))
    return ScalesFit(tuple(fits), _line_correlations(fits, lines, k), _residual_correlations(residuals, k))


def _structures(cohort: Cohort, questionnaire: Questionnaire, k: int) -> dict[str, ItemStructure]:
    key, informant, rated = questionnaire
    definition = known_instrument(key)
    if key not in cohort.items or definition is None:
        return {}
    about = (pl.col("target") != SELF) == rated
    frame = latest_episode(cohort.items[key]).filter(pl.col("informant") == informant, about)
    if frame["study_id"].n_unique() < k:
        return {}
    answers, people = read_answers(frame, definition), frame["study_id"].to_list()
    return {
        scale.key: fit_items(answers, people, definition, scale, items, k)
        for scale, items in partition_scales(definition)
    }


def _answered(rows: pl.DataFrame, k: int) -> Categories:
    """How complete scores are: answered and prorated with whether there is a score."""
    kinds = [
        (answered, prorated, score is not None)
        for answered, prorated, score in rows.select("answered", "prorated", "score").iter_rows()
    ]
    return pool_categories(kinds, rows["study_id"].to_list(), k)


def _line_correlations(fits: Sequence[ScaleFit], lines: Sequence[Mapping[str, Floats]], k: int) -> Floats:
    """Correlate people's expected intercepts and slopes between scales; within a scale as the model has it."""
    size = 2 * len(fits)
    matrix = np.eye(size)
    for i, fit in enumerate(fits):
        covariance = fit.growth.covariance
        within = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        matrix[2 * i, 2 * i + 1] = matrix[2 * i + 1, 2 * i] = within
        for j in range(i):
            shared = sorted(set(lines[i]) & set(lines[j]))
            if len(shared) >= max(2 * k, _ENOUGH):
                left = np.array([lines[i][name] for name in shared])
                right = np.array([lines[j][name] for name in shared])
                block = _correlations(left, right)
                matrix[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = block
                matrix[2 * j : 2 * j + 2, 2 * i : 2 * i + 2] = block.T
    return nearest_correlation(matrix) if size else matrix


def _residual_correlations(residuals: Sequence[pl.DataFrame], k: int) -> Floats:
    matrix = np.eye(len(residuals))
    for i, left in enumerate(residuals):
        for j in range(i):
            both = left.join(residuals[j], on=["study_id", "at"], suffix="_other")
            if both["study_id"].n_unique() >= max(2 * k, _ENOUGH):
                left_rest, right_rest = both["rest"].to_numpy(), both["rest_other"].to_numpy()
                matrix[i, j] = matrix[j, i] = _correlations(left_rest[:, None], right_rest[:, None])[0, 0]
    return nearest_correlation(matrix) if len(residuals) else matrix


def _correlations(left: Floats, right: Floats) -> Floats:
    left, right = left - left.mean(axis=0), right - right.mean(axis=0)
    scale = np.outer(np.sqrt((left**2).sum(axis=0)), np.sqrt((right**2).sum(axis=0)))
    return (left.T @ right) / np.maximum(scale, 1e-9)
