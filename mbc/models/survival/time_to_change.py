"""How long until people change reliably, when some leave before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.arguments import checks
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import FloatArray, as_array
from mbc.models.results.result import Result

CENSORED, CHANGED, DROPPED_OUT = 0, 1, 2
_CONVERGED = 1e-12
_ROUNDS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class TimeToChange(Result):
    """Shares who have changed by each time; the cumulative incidence first, where people drop out."""

    incidence: pl.DataFrame  # time, at_risk, changed, dropped_out, incidence, standard_error, lower, upper
    kaplan_meier: pl.DataFrame  # time, at_risk, changed, survival, standard_error, lower, upper
    hazard: pl.DataFrame  # time, at_risk, changed, hazard, standard_error
    changed_by_end: float | None  # cumulative incidence at the last time
    one_minus_kaplan_meier: float | None  # what that would be if nobody had left: larger, and not what happened
    median: float | None  # time by which half have changed, leaving counted; None if never half
    median_without_dropout: float | None  # Kaplan-Meier's: the first time with survival at or below one half
    median_lower: float | None  # of ``median``: where the incidence's upper limit reaches one half
    median_upper: float | None  # where its lower limit does; None if it never does
    at_least: float | None  # if the median is not reached: it is beyond this time
    confidence: float
    n: int
    n_changed: int
    n_dropped_out: int
    n_censored: int
    n_missing: int
    method: str = "Aalen-Johansen; Kaplan-Meier and discrete hazard as a check"
    reason: Reason | None = None

    def _columns(self) -> dict[str, Any]:
        """Make the table of the cumulative incidence."""
        return dict(self.incidence.to_dict())


@checks(aligned=("times", "changed", "dropped_out"))
def time_to_change(
    times: object, *, changed: object, dropped_out: object = None, confidence: float = 0.95
) -> TimeToChange:
    """Estimate how long change takes from each person's time of change or of last being seen.

    Parameters
    ----------
    times : column of floats, shape (n,)
        Sessions (or days) until the change, or until last seen; > 0.
    changed : column of bool, or of 0 and 1, shape (n,)
        Whether the change happened then; no other code is read: for a status of 0, 1, 2 pass ``status == 1`` here
        and ``status == 2`` as ``dropped_out``. Best: the first of two sessions in a row beyond the reliable
        change.
    dropped_out : column of bool, optional
        Whether the person left treatment then, unchanged. Leaving is a competing end: someone who left cannot
        change in treatment any more. Those neither changed nor gone are still under observation (censored).
    confidence : float
        Of the pointwise intervals (log-log), 0 to 1.

    Raises
    ------
    ModelError
        If somebody both changed and left, or a time is not positive.

    Notes
    -----
    The interval of the median is that of the cumulative incidence, inverted: the times at which its upper and its
    lower limit first reach one half. ``incidence`` answers "what share has changed by session k"; one minus
    Kaplan-Meier answers "what proportion would have, if dropout were uninformative and nobody dropped out", and is
    always larger.

    References
    ----------
    .. [1] Aalen & Johansen (1978), Scand J Statist 5:141-150. Kaplan & Meier (1958),
       doi:10.1080/01621459.1958.10501452.

    Examples
    --------
    >>> made = time_to_change([2, 3, 3, 5, 6], changed=[1, 1, 0, 1, 0], dropped_out=[0, 0, 1, 0, 0])
    >>> round(made.changed_by_end, 2), round(made.one_minus_kaplan_meier, 2), made.median
    (0.6, 0.7, 5.0)
    """
    time, event, lost = _events(times, changed, dropped_out)
    z = two_sided(confidence)
    counts = np.bincount(event, minlength=3)
    tables = _tables(time, event)
    km, incidence, hazard = (
        _kaplan_meier(tables, z),
        _incidence(tables, z),
        _hazard(tables),
    )
    reason: Reason | None = "too_few_scores" if not time.size else None if counts[CHANGED] else "all_censored"
    estimable = bool(time.size) and bool(counts[CHANGED])
    median = _first_time(km, pl.col("survival") <= 0.5 + 1e-12)
    half = _first_time(incidence, pl.col("incidence") >= 0.5 - 1e-12)
    return TimeToChange(
        incidence=incidence,
        kaplan_meier=km,
        hazard=hazard,
        changed_by_end=_last(incidence, "incidence") if estimable else None,
        one_minus_kaplan_meier=1.0 - cast("float", _last(km, "survival")) if estimable else None,
        median=half,
        median_without_dropout=median,
        median_lower=_first_time(incidence, pl.col("upper") >= 0.5 - 1e-12) if estimable else None,
        median_upper=_first_time(incidence, pl.col("lower") >= 0.5 - 1e-12) if estimable else None,
        at_least=float(time.max()) if time.size and half is None else None,
        confidence=confidence,
        n=int(time.size),
        n_changed=int(counts[CHANGED]),
        n_dropped_out=int(counts[DROPPED_OUT]),
        n_censored=int(counts[CENSORED]),
        n_missing=lost,
        reason=reason,
    )


@dataclass(frozen=True, slots=True)
class _Tables:
    """Counts at every distinct time of an event."""

    time: FloatArray
    at_risk: FloatArray
    changed: FloatArray
    dropped_out: FloatArray


def _tables(time: FloatArray, event: NDArray[np.intp]) -> _Tables:
    distinct, where = np.unique(time, return_inverse=True)
    ended = np.bincount(where, minlength=distinct.size).astype(float)
    at_risk = time.size - np.concatenate([[0.0], np.cumsum(ended)[:-1]]) if distinct.size else ended
    changed = np.bincount(where, event == CHANGED, distinct.size).astype(float)
    dropped = np.bincount(where, event == DROPPED_OUT, distinct.size).astype(float)
    return _Tables(distinct, at_risk, changed, dropped)


def _kaplan_meier(t: _Tables, z: float) -> pl.DataFrame:
    """Take the product limit with Greenwood's variance."""
    at = t.changed > 0
    n, d = t.at_risk[at], t.changed[at]
    survival = _product(1.0 - d / n)
    # Once everybody has changed survival is 0, and so is its variance.
    terms = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
    error = survival * np.sqrt(_running(terms))
    lower, upper = _log_log(survival, error, z)
    names = ("time", "at_risk", "changed", "survival", "standard_error", "lower", "upper")
    return pl.DataFrame(dict(zip(names, (t.time[at], n, d, survival, error, lower, upper), strict=True)))


def _log_log(survival: FloatArray, error: FloatArray, z: float) -> tuple[FloatArray, FloatArray]:
    """Give the interval that is symmetric for ``log(-log S)``; where S is 0 or 1 it is that value."""
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    spread = np.exp(z * np.where(inside, error, 0.0) / np.abs(s * np.log(s)))
    return np.where(inside, s**spread, survival), np.where(inside, s ** (1.0 / spread), survival)


def _incidence(t: _Tables, z: float) -> pl.DataFrame:
    """Sum S(t-) d / n over the times of change, with the delta-method variance (Gaynor et al., 1993)."""
    at = t.changed + t.dropped_out > 0
    n, d, ended = t.at_risk[at], t.changed[at], (t.changed + t.dropped_out)[at]
    before = np.concatenate([[1.0], _product(1.0 - ended / n)])[: n.size]
    share = _running(before * d / n)
    # Var F(t) = sum (F(t) - F_j)^2 a_j + sum S^2 d (n - d) / n^3 - 2 sum (F(t) - F_j) S d / n^2, over t_j <= t.
    a = np.divide(ended, n * (n - ended), out=np.zeros_like(n), where=n > ended)
    b, c = before**2 * d * (n - d) / n**3, before * d / n**2
    spread = share**2 * _running(a) - 2.0 * share * _running(share * a) + _running(share**2 * a)
    shared = share * _running(c) - _running(share * c)
    error = _root(spread + _running(b) - 2.0 * shared)
    below, above = _log_log(1.0 - share, error, z)
    names = ("time", "at_risk", "changed", "dropped_out", "incidence", "standard_error", "lower", "upper")
    columns = (t.time[at], n, d, t.dropped_out[at], share, error, 1.0 - above, 1.0 - below)
    return pl.DataFrame(dict(zip(names, columns, strict=True)))


def _running(values: FloatArray) -> FloatArray:
    return np.asarray(np.cumsum(values), dtype=float)


def _product(values: FloatArray) -> FloatArray:
    return np.asarray(np.cumprod(values), dtype=float)


def _root(values: FloatArray) -> FloatArray:
    """Take the square root of what is zero or more, rounding aside."""
    return np.asarray(np.sqrt(np.maximum(values, 0.0)), dtype=float)


def _hazard(t: _Tables) -> pl.DataFrame:
    share = t.changed / np.maximum(t.at_risk, 1.0)
    return pl.DataFrame(
        {
            "time": t.time,
            "at_risk": t.at_risk,
            "changed": t.changed,
            "hazard": share,
            "standard_error": np.sqrt(share * (1.0 - share) / np.maximum(t.at_risk, 1.0)),
            "survival": np.cumprod(1.0 - share),
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class IntervalChange(Result):
    """Turnbull's estimate: where between occasions the changes lie."""

    table: pl.DataFrame  # lower, upper, mass, survival (after the interval)
    median: tuple[float, float] | None  # the interval in which half have changed
    converged: bool
    rounds: int
    n: int
    n_missing: int
    method: str = "Turnbull (1976) by EM"
    reason: Reason | None = None

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per innermost interval."""
        return dict(self.table.to_dict())


@checks(aligned=("lower", "upper"))
def interval_time_to_change(lower: object, upper: object) -> IntervalChange:
    """Estimate times of change that are only known to lie between two occasions.

    Parameters
    ----------
    lower, upper : column of floats, shape (n,)
        Last occasion without the change (0 if there was none) and first occasion with it; an upper end that is
        blank or infinite says that the change was not seen. Equal ends are an exact time.

    Raises
    ------
    ModelError
        If an upper end is before its lower end.

    References
    ----------
    .. [1] Turnbull (1976), doi:10.1111/j.2517-6161.1976.tb01597.x.

    Examples
    --------
    >>> made = interval_time_to_change([0, 2, 3, 3, 5], [2, 4, 4, None, 6])
    >>> made.table.select("lower", "upper", "mass").rows()
    [(0.0, 2.0, 0.2), (3.0, 4.0, 0.53...), (5.0, 6.0, 0.26...)]
    """
    left, right = (
        np.atleast_1d(as_array(lower, "lower")),
        np.atleast_1d(as_array(upper, "upper", finite_only=False)),
    )
    if left.shape != right.shape:
        raise ModelError(f"lower has {left.size} values and upper {right.size}.")
    observed = np.isfinite(left)
    lost = int((~observed).sum())
    left, right = left[observed], np.where(np.isnan(right[observed]), np.inf, right[observed])
    if np.any(right < left):
        first = int(np.argmax(right < left))
        raise ModelError(f"upper must not be before lower; got ({left[first]:g}, {right[first]:g}).")
    if not left.size or not np.isfinite(right).any():
        empty = pl.DataFrame(schema=dict.fromkeys(("lower", "upper", "mass", "survival"), pl.Float64))
        reason: Reason = "all_censored" if left.size else "too_few_scores"
        return IntervalChange(
            empty, None, converged=True, rounds=0, n=int(left.size), n_missing=lost, reason=reason
        )
    starts, ends = _innermost(left, right)
    mass, converged, rounds = _masses(left, right, starts, ends)
    keep = mass > 1e-9
    starts, ends, mass = starts[keep], ends[keep], mass[keep] / mass[keep].sum()
    survival = np.clip(1.0 - np.cumsum(mass), 0.0, 1.0)
    table = pl.DataFrame({"lower": starts, "upper": ends, "mass": mass, "survival": survival})
    half = np.flatnonzero((survival <= 0.5 + 1e-9) & np.isfinite(ends))
    median = (float(starts[half[0]]), float(ends[half[0]])) if half.size else None
    return IntervalChange(table, median, converged, rounds, int(left.size), lost)


def _innermost(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the intervals that can hold mass: a lower end followed at once by an upper end.

    People are known to have changed in (lower, upper]; an exact time is the point itself. At equal values an upper
    end comes before a lower end, unless the time is exact.
    """
    exact = left == right
    ends = [(x, 1, 0) for x in np.unique(right).tolist()] + [(x, 2, 1) for x in np.unique(left[~exact]).tolist()]
    ends += [(x, 0, 1) for x in np.unique(left[exact]).tolist()]
    ends.sort()
    pairs = [(a[0], b[0]) for a, b in itertools.pairwise(ends) if a[2] == 1 and b[2] == 0]
    table = np.array(pairs, dtype=float)
    return table[:, 0], table[:, 1]


def _masses(
    left: FloatArray, right: FloatArray, starts: FloatArray, ends: FloatArray
) -> tuple[FloatArray, bool, int]:
    """Share each person's unit of mass over the intervals inside theirs, until nothing moves."""
    kinds, weights = np.unique(np.stack([left, right], 1), axis=0, return_counts=True)
    low, high = kinds[:, :1], kinds[:, 1:]
    # A point of mass at the lower end lies outside (lower, upper], unless that is a point itself.
    outside = (starts == ends) & (starts == low) & (high > low)
    inside = ((starts >= low) & (ends <= high) & ~outside).astype(float)
    mass = np.full(starts.size, 1.0 / starts.size)
    share = weights / weights.sum()
    for rounds in range(1, _ROUNDS + 1):
        new = mass * (inside.T @ (share / (inside @ mass)))
        moved = float(np.abs(new - mass).max())
        mass = new
        if moved < _CONVERGED:
            return mass, True, rounds
    return mass, False, _ROUNDS


def _events(times: object, changed: object, dropped_out: object) -> tuple[FloatArray, NDArray[np.intp], int]:
    time, yes = np.atleast_1d(as_array(times, "times")), np.atleast_1d(as_array(changed, "changed"))
    gone = np.zeros_like(time) if dropped_out is None else np.atleast_1d(as_array(dropped_out, "dropped_out"))
    if not time.shape == yes.shape == gone.shape:
        raise ModelError(f"times, changed and dropped_out have {time.size}, {yes.size} and {gone.size} values.")
    for name, column in (("changed", yes), ("dropped_out", gone)):
        other = np.unique(column[np.isfinite(column) & (column != 0) & (column != 1)])
        if other.size:
            raise ModelError(
                f"{name} must contain True and False, or 1 and 0; it also contains "
                f"{', '.join(f'{x:g}' for x in other[:5])}. "
                "For a status of several codes pass changed=(status == 1), dropped_out=(status == 2)."
            )
    complete = np.isfinite(time) & np.isfinite(yes) & np.isfinite(gone)
    lost = int((~complete).sum())
    time, yes, gone = time[complete], yes[complete] != 0, gone[complete] != 0
    if np.any(yes & gone):
        raise ModelError(
            f"{int((yes & gone).sum())} people both changed and dropped out: keep the one that came first."
        )
    if np.any(time <= 0):
        raise ModelError(f"times must be > 0 (the baseline is time 0), got {float(time.min()):g}.")
    return time, np.where(yes, CHANGED, np.where(gone, DROPPED_OUT, CENSORED)), lost


def _first_time(table: pl.DataFrame, condition: pl.Expr) -> float | None:
    matching = table.filter(condition)
    return float(matching["time"][0]) if matching.height else None


def _last(table: pl.DataFrame, column: Literal["incidence", "survival"]) -> float | None:
    return float(table[column][-1]) if table.height else None
