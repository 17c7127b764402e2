"""Who represents those who dropped out: weights from each client's probability of staying."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray, number_column
from mbc.models.courses.sessions import IntArray, Rows, Sessions, Spacing, lay_out, read_rows
from mbc.models.results.result import Result

Reason = Literal["nobody_left", "nobody_stayed", "separated"]
_TERMS = ("occasion", "last score", "last slope")
_STEPS = 50  # Newton steps; the likelihood is concave, so that more only means no maximum


@dataclass(frozen=True, slots=True, eq=False)
class AttendanceWeights(Result):
    """Inverse probability of still attending, per score."""

    table: pl.DataFrame = field(repr=False)  # client, time, probability of attending so far, weight
    coefficients: pl.DataFrame = field(
        repr=False
    )  # term, estimate, standard_error: logit of attending the next time
    stabilised: bool
    truncated: int  # weights cut to the outer percentiles
    n: int  # clients
    n_left: int  # clients who stopped before the last occasion
    occasions: int  # chances to leave
    method: str = "pooled logistic regression of attending on occasion, last score and last slope"
    source: str = "Robins, Rotnitzky & Zhao (1995), doi:10.1080/01621459.1995.10476493"
    reason: Reason | None = None

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per score."""
        return dict(self.table.to_dict())


@checked
def attendance_weights(
    data: object,
    *,
    client: str,
    time: str,
    score: str,
    sessions: Spacing | Literal["columns"] = "columns",
    last: int | None = None,
    stabilised: bool = True,
    truncate: tuple[float, float] = (0.01, 0.99),
) -> AttendanceWeights:
    """Weigh scores by the inverse of the probability that their client was still there.

    Parameters
    ----------
    data : frame
        One row per client and planned occasion; a row without a score is a missed one.
    client, time, score : str
        Its columns.
    sessions : {"columns", "numbers", "rows"}
        How occasions are distinguished; ``columns`` takes the distinct times of all clients. See ``sudden_gains``.
    last : int, optional
        The planned number of occasions; the largest number any client has unless given.
    stabilised : bool
        Multiply with the probability given the occasion alone: weights then average near 1.
    truncate : (float, float)
        Quantiles to which the weights are cut; ``(0, 1)`` for none.

    Returns
    -------
    AttendanceWeights
        For a weighted regression of the scores that are there (statsmodels' ``GEE`` or ``WLS``). A client attends
        until the last score; occasions missed in between do not count as leaving.

    Raises
    ------
    ModelError
        If a column is missing or ``truncate`` is no pair of quantiles.

    Notes
    -----
    ``logit P(still there at k) = b0 + b1 k + b2 last score + b3 last slope``, over everybody there at k - 1; at
    occasions at which nobody left, staying was certain. The weight of a score at k is the product of
    ``P(there | occasion) / P(there | occasion, scores)`` up to k. It repairs what the scores so far predict of
    leaving, and nothing else.
    """
    if not 0.0 <= truncate[0] < truncate[1] <= 1.0:
        raise ModelError(f"truncate must be two increasing quantiles in [0, 1], got {truncate}.")
    rows = read_rows(data, client=client, time=time, score=score)
    laid = lay_out(rows, spacing=sessions)
    scored = np.flatnonzero(np.isfinite(laid.scores))
    planned = int(laid.place.max(initial=-1)) + 1 if last is None else last
    ends = np.full(rows.clients.len(), -1, dtype=np.int64)
    np.maximum.at(ends, laid.client[scored], laid.place[scored])
    who, place, predictors = _chances(laid, scored, ends, planned)
    stays = (ends[who] >= place).astype(float)
    full, reason = _model(np.column_stack([place.astype(float), predictors]), place, stays)
    if reason is not None:
        so_far = weight = np.full(scored.size, 1.0 if reason == "nobody_left" else np.nan)
        cut = 0
    else:
        so_far = _products(who, place, full.chance, scored, laid)
        top = np.ones(scored.size)
        if stabilised:
            plain, _ = _model(place[:, None].astype(float), place, stays)
            top = _products(who, place, plain.chance, scored, laid)
        weight, cut = _truncated(top / so_far, truncate)
    return AttendanceWeights(
        table=_table(rows, laid, scored, (so_far, weight), client, time),
        coefficients=full.table(),
        stabilised=stabilised,
        truncated=cut,
        n=rows.clients.len(),
        n_left=int(((ends >= 0) & (ends < planned - 1)).sum()),
        occasions=who.size,
        reason=reason,
    )


def _chances(
    laid: Sessions, scored: IntArray, ends: IntArray, planned: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Everybody still there before each occasion: the client, the occasion, the last score and slope before it."""
    person = np.repeat(np.arange(ends.size), np.clip(np.minimum(ends + 1, planned - 1), 0, None))
    firsts = np.cumsum(np.bincount(person, minlength=ends.size)) - np.bincount(person, minlength=ends.size)
    place = np.arange(person.size) - firsts[person] + 1
    # Position in ``known`` of the last score before each chance.
    key = laid.client[scored] * (planned + 1) + laid.place[scored]
    before = np.searchsorted(key, person * (planned + 1) + place) - 1
    own = (before >= 0) & (laid.client[scored[np.maximum(before, 0)]] == person)
    person, place, before = person[own], place[own], before[own]
    earlier = np.maximum(before - 1, 0)
    two = (before > 0) & (laid.client[scored[earlier]] == person)
    score, other = laid.scores[scored[before]], laid.scores[scored[earlier]]
    spent = laid.elapsed[scored[before]] - laid.elapsed[scored[earlier]]
    slope = np.where(two, (score - other) / np.where(two, spent, 1.0), 0.0)
    return person, place, np.column_stack([score, slope])


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Probability of attending at every chance, and the coefficients it is from."""

    chance: FloatArray
    terms: tuple[str, ...]
    estimates: FloatArray
    errors: FloatArray

    def table(self) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "term": pl.Series(self.terms, dtype=pl.String),
                "estimate": number_column(self.estimates),
                "standard_error": number_column(self.errors),
            }
        )


def _model(predictors: FloatArray, place: IntArray, stays: FloatArray) -> tuple[_Fit, Reason | None]:
    """Fit who stays, over the occasions at which anybody left: at the others everybody was sure to."""
    none = np.array([])
    nothing = _Fit(np.ones(stays.size), (), none, none)
    if stays.all():
        return nothing, "nobody_left"
    if not stays.any():
        return nothing, "nobody_stayed"
    risky = np.bincount(place, 1.0 - stays)[place] > 0
    moving = np.flatnonzero(predictors[risky].std(axis=0) > 0)
    design = np.column_stack([np.ones(stays.size), predictors[:, moving]])
    estimates, errors, converged = _logit(design[risky], stays[risky])
    if not converged:
        return nothing, "separated"
    chance = np.where(risky, 1.0 / (1.0 + np.exp(-(design @ estimates))), 1.0)
    terms = ("(Intercept)", *(_TERMS[k] for k in moving.tolist()))
    return _Fit(chance, terms, estimates, errors), None


def _logit(design: FloatArray, outcome: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
    """Maximum-likelihood logistic regression by Newton steps; whether it was found."""
    p = int(design.shape[1])
    none = np.full(p, np.nan)
    centre, spread = np.zeros(p), np.ones(p)
    if outcome.size:
        centre[1:], spread[1:] = design[:, 1:].mean(axis=0), design[:, 1:].std(axis=0)
    if not outcome.size or not (spread > 0).all():
        return none, none, False
    x, slopes = (design - centre) / spread, np.zeros(p)
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(x @ slopes, -35, 35)))
        information = x.T @ (x * (chance * (1.0 - chance))[:, None])
        if not np.linalg.cond(information) < 1e14 or np.abs(slopes).max() > 30:
            break  # probabilities of zero and one: the scores tell perfectly who leaves
        step = np.linalg.solve(information, x.T @ (outcome - chance))
        slopes = slopes + step
        if np.abs(step).max() < 1e-11:
            turn = np.diag(1.0 / spread)
            turn[0] -= centre / spread
            errors = np.sqrt(np.diag(turn @ np.linalg.inv(information) @ turn.T))
            return np.asarray(turn @ slopes), np.asarray(errors), True
    return none, none, False


def _products(who: IntArray, place: IntArray, chance: FloatArray, scored: IntArray, laid: Sessions) -> FloatArray:
    """Multiply each client's probabilities up to every score; 1 at the client's first occasion."""
    sums = np.zeros(laid.scores.size)
    cells = laid.starts[who] + place
    inside = place < laid.lengths[who]
    sums[cells[inside]] = np.log(chance[inside])
    total = np.cumsum(sums)
    base = total[laid.starts - 1] if laid.starts.size else np.zeros(0)
    return np.exp(total[scored] - base[laid.client[scored]])


def _truncated(weight: FloatArray, truncate: tuple[float, float]) -> tuple[FloatArray, int]:
    low, high = np.quantile(weight, truncate[0]), np.quantile(weight, truncate[1])
    return np.clip(weight, low, high), int(np.count_nonzero((weight < low) | (weight > high)))


def _table(
    rows: Rows, laid: Sessions, scored: IntArray, values: tuple[FloatArray, FloatArray], client: str, time: str
) -> pl.DataFrame:
    at = pl.Series(laid.row[scored])
    return pl.DataFrame(
        {
            client: rows.table["client"].gather(at),
            time: rows.table["time"].gather(at),
            "probability": number_column(values[0]),
            "weight": number_column(values[1]),
        }
    )
