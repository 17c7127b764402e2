"""Change on the latent trait, with the precision that each person's own answers give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.inputs.score_arrays import FloatArray, as_array, as_numbers, pair
from mbc.models.change.person.judgement import Options, ReliableChange, judged
from mbc.models.change.person.predictions import Prediction
from mbc.models.results.result import Result

Estimator = Literal["eap", "ml", "wle"]
_LIMIT = 10.0  # standard deviations of the trait: nobody is estimated beyond
_NODES = np.linspace(-6.0, 6.0, 121)
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class GradedItem:
    """One item of Samejima's graded response model, logistic metric.

    ``P(answer >= k) = 1 / (1 + exp(-discrimination (theta - thresholds[k - 1])))``, answers counted from 0.
    """

    discrimination: float
    thresholds: tuple[float, ...]  # rising

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.thresholds, self.thresholds[1:], strict=False))
        if not self.thresholds or not rising:
            raise ModelError(f"thresholds must be increasing, got {self.thresholds}.")


@dataclass(frozen=True, slots=True, eq=False)
class LatentScores(Result):
    """Trait estimates with their own standard errors; NaN where the answers do not determine one."""

    theta: FloatArray  # standard deviations of the calibration sample
    standard_error: FloatArray
    estimator: Estimator


@checked
def latent_scores(
    answers: ArrayLike, items: Sequence[GradedItem], *, estimator: Estimator = "eap"
) -> LatentScores:
    """Estimate the trait of each person from graded answers.

    Parameters
    ----------
    answers : array_like, shape (n, items) or (items,)
        Answers counted from 0; NaN is "not answered" and is left out.
    items : sequence of GradedItem
        Published parameters, in the order of the columns.
    estimator : {"eap", "ml", "wle"}
        Posterior mean under a standard normal prior (shrinks both scores, so it is cautious about change); maximum
        likelihood (does not exist when every answer is the lowest or the highest); Warm's weighted likelihood.

    Raises
    ------
    ModelError
        If columns and items differ in number, or an answer is not one of the item's categories.

    Examples
    --------
    >>> items = [GradedItem(1.5, (-1.0, 0.0, 1.0)), GradedItem(2.0, (-0.5, 0.5, 1.5))]
    >>> scores = latent_scores([[0, 0], [3, 2]], items)
    >>> scores.theta.round(2)
    array([-1.19,  0.91])
    """
    table = _checked(answers, items)
    if estimator == "eap":
        return _posterior_mean(table, items)
    if estimator not in {"ml", "wle"}:
        raise ModelError(f"estimator must be 'eap', 'ml' or 'wle', got {estimator!r}.")
    return _maximum(table, items, estimator)


@checked
def irt_change(
    pre_answers: ArrayLike,
    post_answers: ArrayLike,
    items: Sequence[GradedItem],
    *,
    estimator: Estimator = "eap",
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
) -> ReliableChange[Any, Any]:
    """Compare the change of the latent trait with the standard errors of these very answers.

    Parameters
    ----------
    pre_answers, post_answers : array_like, shape (n, items) or (items,)
    items : sequence of GradedItem
    estimator : {"eap", "ml", "wle"}
    higher_is_better : bool, optional
        Whether a higher trait is better.
    confidence : float

    Notes
    -----
    ``index = (theta_2 - theta_1) / sqrt(SE_1^2 + SE_2^2)`` (Jabrayilov, Emons & Sijtsma, 2016,
    doi:10.1177/0146621616664046). The parameters must come from a calibration in the same metric.
    """
    before, after = (latent_scores(answers, items, estimator=estimator) for answers in (pre_answers, post_answers))
    made = conditional_change(
        before.theta, after.theta, before.standard_error, after.standard_error,
        higher_is_better=higher_is_better, confidence=confidence,
    )  # fmt: skip
    answered = [
        np.isfinite(np.atleast_2d(np.asarray(a, dtype=float))).any(axis=1) for a in (pre_answers, post_answers)
    ]
    endless = (np.isnan(before.theta) & answered[0]) | (np.isnan(after.theta) & answered[1])
    why = np.where(endless, np.int8(reasons.CODE["not_estimable"]), made.reason_codes).astype(np.int8)
    return replace(made, reason_codes=why)


@checked
def conditional_change(
    pre: ArrayLike,
    post: ArrayLike,
    pre_error: ArrayLike,
    post_error: ArrayLike,
    *,
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
) -> ReliableChange[Any, Any]:
    """Judge scores that each come with their own standard error.

    Parameters
    ----------
    pre, post, pre_error, post_error : array_like, shape () or (n,)
        Scores and their standard errors, on one scale.

    Examples
    --------
    >>> round(conditional_change(0.5, -0.9, 0.4, 0.3, higher_is_better=False).index, 2)
    -2.8
    """
    before, after = pair(pre, post)
    errors = as_array(pre_error, "pre_error"), as_array(post_error, "post_error")
    for name, column in zip(("pre_error", "post_error"), errors, strict=True):
        if column.ndim and before.ndim and column.shape != before.shape:
            raise ModelError(f"{name} has {column.size} values for {before.size} scores.")
        if np.any(column < 0):
            raise ModelError(f"{name} must be at least 0, got {float(np.nanmin(column)):g}: a standard error.")
    error = np.sqrt(errors[0] ** 2 + errors[1] ** 2)
    size: FloatArray | float = float(error) if error.ndim == 0 else error
    options = Options("conditional", confidence, higher_is_better)
    norms = Norms(sample="standard error of each estimate")
    return judged(before, after, Prediction(before, size), options, norms=norms)


def _checked(answers: ArrayLike, items: Sequence[GradedItem]) -> FloatArray:
    table = np.atleast_2d(as_numbers(answers, "answers", dimensions=(1, 2)))
    if table.shape[1] != len(items):
        raise ModelError(f"answers have {table.shape[1]} columns and there are {len(items)} items.")
    for j, item in enumerate(items):
        column = table[:, j][np.isfinite(table[:, j])]
        if not np.isin(column, np.arange(len(item.thresholds) + 1)).all():
            raise ModelError(
                f"Item {j + 1} has answers {sorted(set(column.tolist()))[:6]}; accepted are 0 to "
                f"{len(item.thresholds)}. Is the lowest answer coded 1?"
            )
    return table


def _curves(item: GradedItem, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Probability of each answer and its first two derivatives, categories last."""
    a = item.discrimination
    star = 1.0 / (1.0 + np.exp(-a * (theta[..., None] - np.asarray(item.thresholds))))
    ones, zeros = np.ones((*theta.shape, 1)), np.zeros((*theta.shape, 1))
    cumulative = np.concatenate([ones, star, zeros], -1)
    slope = np.concatenate([zeros, a * star * (1.0 - star), zeros], -1)
    bend = np.concatenate([zeros, a**2 * star * (1.0 - star) * (1.0 - 2.0 * star), zeros], -1)
    return tuple(-np.diff(values, axis=-1) for values in (cumulative, slope, bend))  # type: ignore[return-value] - three of them


def _posterior_mean(table: FloatArray, items: Sequence[GradedItem]) -> LatentScores:
    log_likelihood = np.zeros((table.shape[0], _NODES.size))
    for j, item in enumerate(items):
        log_p = np.log(np.maximum(_curves(item, _NODES)[0], _TINY)).T
        answered = np.isfinite(table[:, j])
        log_likelihood[answered] += log_p[table[answered, j].astype(int)]
    weights = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True) - _NODES**2 / 2.0)
    weights /= weights.sum(axis=1, keepdims=True)
    theta = weights @ _NODES
    error = np.sqrt(np.maximum(weights @ _NODES**2 - theta**2, 0.0))
    nothing = ~np.isfinite(table).any(axis=1)
    return LatentScores(np.where(nothing, np.nan, theta), np.where(nothing, np.nan, error), "eap")


def _maximum(table: FloatArray, items: Sequence[GradedItem], estimator: Estimator) -> LatentScores:
    """Solve the (weighted) score equation by bisection for everybody at once."""
    low, high = np.full(table.shape[0], -_LIMIT), np.full(table.shape[0], _LIMIT)
    for _ in range(60):
        middle = (low + high) / 2.0
        score, _ = _score(table, items, middle, weighted=estimator == "wle")
        low, high = np.where(score > 0, middle, low), np.where(score > 0, high, middle)
    theta = (low + high) / 2.0
    _, information = _score(table, items, theta, weighted=False)
    with np.errstate(divide="ignore"):
        error = 1.0 / np.sqrt(information)
    answered = np.isfinite(table)
    top = np.array([len(item.thresholds) for item in items])
    if estimator == "ml":
        extreme = ((table == 0) | ~answered).all(axis=1) | ((table == top) | ~answered).all(axis=1)
    else:
        extreme = ~answered.any(axis=1)
    return LatentScores(np.where(extreme, np.nan, theta), np.where(extreme, np.nan, error), estimator)


def _score(
    table: FloatArray, items: Sequence[GradedItem], theta: FloatArray, *, weighted: bool
) -> tuple[FloatArray, FloatArray]:
    score, information, warm = (np.zeros(theta.shape) for _ in range(3))
    rows: NDArray[np.intp] = np.arange(theta.size)
    for j, item in enumerate(items):
        p, slope, bend = _curves(item, theta)
        p = np.maximum(p, _TINY)
        answered = np.isfinite(table[:, j])
        answer = np.where(answered, table[:, j], 0).astype(int)
        score += np.where(answered, (slope / p)[rows, answer], 0.0)
        information += np.where(answered, (slope**2 / p).sum(axis=-1), 0.0)
        warm += np.where(answered, (slope * bend / p).sum(axis=-1), 0.0)
    if weighted:
        score = score + warm / (2.0 * np.maximum(information, _TINY))
    return score, information
