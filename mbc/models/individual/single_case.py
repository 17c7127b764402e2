"""What one person's series can and cannot show: a process chart, and phases that do or do not overlap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import FloatArray, as_array
from mbc.models.results.result import Result

Rule = Literal[
    "beyond limits", "beyond 3 sigma", "run of 8", "run of 9", "trend of 6", "alternating 14",
    "2 of 3 beyond 2 sigma", "4 of 5 beyond 1 sigma", "15 within 1 sigma", "8 outside 1 sigma",
]  # fmt: skip
# Mean of |difference of two standard normals|, and the limit of moving ranges (Montgomery, table VI, n = 2).
_D2, _D4 = 1.128, 3.267
LEAST_FOR_LIMITS, _FULL = 6, 12


@dataclass(frozen=True, slots=True)
class Signal:
    """Where a rule was met: the position of the last score that completes it, counted from 0."""

    rule: Rule
    position: int


@dataclass(frozen=True, slots=True)
class ProcessChart(Result):
    """An individuals and moving-range (XmR) chart of one series."""

    mean: float | None
    mean_range: float | None  # average moving range, scale points
    lower: float | None
    upper: float | None
    range_upper: float | None
    signals: tuple[Signal, ...]
    rules: tuple[Rule, ...]  # which were looked for
    provisional: bool
    lag_one: float | None  # autocorrelation; for reporting, never tested in a short series
    n: int
    n_missing: int
    note: str
    reason: Reason | None = None


@checked
def process_chart(
    scores: object,
    *,
    sem: float | None = None,
    baseline: int | None = None,
    rules: Sequence[Rule] | None = None,
    confidence: float = 0.95,
) -> ProcessChart:
    """Draw the limits within which a stable process would stay, and say where the series leaves them.

    Parameters
    ----------
    scores : column of floats, shape (k,)
        In order of time; blanks are left out.
    sem : float, optional
        Known standard error of measurement, in scale points. With ``baseline`` it gives the limits instead of
        moving ranges: limits frozen on 3 to 10 baseline scores raise 16 to 23 false alarms in 100 series.
    baseline : int, optional
        How many first scores are the baseline; needs ``sem``.
    rules : sequence of str, optional
        By default none below 6 scores, "beyond 3 sigma" from 6 (provisional), and "run of 8" too from 12.
    confidence : float
        Of the limits by ``sem``.

    Notes
    -----
    ``mean +- 3 / 1.128 * mean moving range``. A signal says "this was not a stable process", not "therapy worked":
    therapy scores trend and depend on the score before, which alone raises false alarms three to five times. Power
    is poor: a step of two SD in the middle of 12 scores is seen in 16 of 100 series.

    References
    ----------
    .. [1] NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2.

    Examples
    --------
    >>> chart = process_chart([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
    >>> round(chart.mean, 2), round(chart.lower, 2), round(chart.upper, 2), chart.provisional
    (50.81, 45.82, 55.8, True)
    """
    values = np.atleast_1d(as_array(scores, "scores"))
    x = values[np.isfinite(values)]
    n, lost = int(x.size), int(values.size - x.size)
    if baseline is not None:
        return _known_error_chart(x, lost, sem, baseline, confidence)
    if n < LEAST_FOR_LIMITS:
        return _no_limits(None, n, lost, f"{n} scores: limits need at least {LEAST_FOR_LIMITS}.", "too_few_scores")
    mean, mean_range = float(x.mean()), float(np.abs(np.diff(x)).mean())
    if mean_range == 0:
        return _no_limits(mean, n, lost, "The series is flat.", "zero_variance")
    sigma = mean_range / _D2
    chosen = tuple(rules) if rules is not None else _default_rules(n)
    return ProcessChart(
        mean=mean,
        mean_range=mean_range,
        lower=mean - 3.0 * sigma,
        upper=mean + 3.0 * sigma,
        range_upper=_D4 * mean_range,
        signals=_signals((x - mean) / sigma, chosen),
        rules=chosen,
        provisional=n < _FULL,
        lag_one=_lag_one(x),
        n=n,
        n_missing=lost,
        note="A signal means that the process was not stable, not that treatment worked.",
    )


def _no_limits(mean: float | None, n: int, lost: int, note: str, reason: Reason) -> ProcessChart:
    return ProcessChart(
        mean=mean, mean_range=None if mean is None else 0.0, lower=None, upper=None, range_upper=None, signals=(),
        rules=(), provisional=n < _FULL, lag_one=None, n=n, n_missing=lost, note=note, reason=reason,
    )  # fmt: skip


def _known_error_chart(
    x: FloatArray, lost: int, sem: float | None, baseline: int, confidence: float
) -> ProcessChart:
    if sem is None or not sem > 0:
        raise ModelError("A chart frozen on a baseline needs sem > 0, the known standard error of measurement.")
    if not 1 <= baseline < x.size:
        raise ModelError(f"baseline must leave scores to assess: 1 to {x.size - 1}, got {baseline}.")
    mean = float(x[:baseline].mean())
    half = two_sided(confidence) * sem * math.sqrt(1.0 + 1.0 / baseline)
    outside = np.flatnonzero(np.abs(x[baseline:] - mean) > half) + baseline
    return ProcessChart(
        mean=mean, mean_range=None, lower=mean - half, upper=mean + half, range_upper=None,
        signals=tuple(Signal("beyond limits", int(i)) for i in outside), rules=("beyond limits",),
        provisional=baseline < LEAST_FOR_LIMITS, lag_one=None, n=int(x.size), n_missing=lost,
        note=f"Limits from the known error of measurement about {baseline} baseline scores.",
    )  # fmt: skip


def _default_rules(n: int) -> tuple[Rule, ...]:
    return ("beyond 3 sigma",) if n < _FULL else ("beyond 3 sigma", "run of 8")


def _signals(z: FloatArray, rules: Sequence[Rule]) -> tuple[Signal, ...]:
    signals: list[Signal] = []
    for rule in rules:
        if rule not in _RULES:
            raise ModelError(f"rule {rule!r} is not known; choose {', '.join(_RULES)}.")
        signals.extend(Signal(rule, int(i)) for i in np.flatnonzero(_RULES[rule](z)))
    return tuple(signals)


def _run(flags: NDArray[np.bool_], length: int, need: int | None = None) -> NDArray[np.bool_]:
    """Whether at least ``need`` of the last ``length`` are true, at every position."""
    counts = np.convolve(flags.astype(int), np.ones(length, dtype=int))[: flags.size]
    counts[: length - 1] = counts[: length - 1] if need is not None and need < length else 0
    return counts >= (length if need is None else need)


def _steady(z: FloatArray, length: int) -> NDArray[np.bool_]:
    steps = np.concatenate([[0.0], np.diff(z)])
    return _run(steps > 0, length - 1) | _run(steps < 0, length - 1)


def _alternating(z: FloatArray, length: int) -> NDArray[np.bool_]:
    steps = np.diff(z)
    turns = np.concatenate([[False, False], steps[1:] * steps[:-1] < 0])
    return _run(turns, length - 2)


_RULES: dict[str, Callable[[FloatArray], NDArray[np.bool_]]] = {
    "beyond 3 sigma": lambda z: np.abs(z) > 3,
    "run of 8": lambda z: _run(z > 0, 8) | _run(z < 0, 8),
    "run of 9": lambda z: _run(z > 0, 9) | _run(z < 0, 9),
    "trend of 6": lambda z: _steady(z, 6),
    "alternating 14": lambda z: _alternating(z, 14),
    "2 of 3 beyond 2 sigma": lambda z: _run(z > 2, 3, 2) | _run(z < -2, 3, 2),
    "4 of 5 beyond 1 sigma": lambda z: _run(z > 1, 5, 4) | _run(z < -1, 5, 4),
    "15 within 1 sigma": lambda z: _run(np.abs(z) < 1, 15),
    "8 outside 1 sigma": lambda z: _run(np.abs(z) > 1, 8),
}


@dataclass(frozen=True, slots=True)
class Nonoverlap(Result):
    """How far two phases lie apart, by each of the statistics that go by similar names."""

    nap: float | None  # share of pairs that improved, ties half
    nap_error: float | None  # unbiased
    nap_lower: float | None  # Newcombe's method 5
    nap_upper: float | None
    tau: float | None  # A against B, no trend taken out: 2 NAP - 1
    tau_u: float | None  # Parker et al. (2011): (S_AB - S_A) / (n_A n_B); can leave [-1, 1]
    tau_bc: float | None  # Tarlow (2017): tau after taking out the baseline's Theil-Sen line
    baseline_trend: int | None  # S of phase A
    pnd: float | None  # share of B beyond the best of A
    pem: float | None  # share of B beyond the median of A
    pand: float | None  # share left when the fewest are removed to end overlap
    ird: float | None  # robust improvement rate difference
    confidence: float
    n_baseline: int
    n_treatment: int
    n_missing: int
    note: str
    reason: Reason | None = None


@checked
def nonoverlap(
    baseline: object, treatment: object, *, higher_is_better: bool, confidence: float = 0.95
) -> Nonoverlap:
    """Compare a treatment phase with the baseline phase before it.

    Parameters
    ----------
    baseline, treatment : column of floats
        One person's scores, in order of time; blanks are left out.
    higher_is_better : bool
    confidence : float

    Notes
    -----
    The Tau family does not agree with itself: on a steady rise through both phases Tau is 1, Tau-U 0.6, Tau-BC 0.
    Most measurement-based care has no baseline phase, and then none of them applies.

    References
    ----------
    .. [1] Parker & Vannest (2009), doi:10.1016/j.beth.2008.10.006. Parker, Vannest, Davis & Sauber (2011),
       doi:10.1016/j.beth.2010.08.006. Tarlow (2017), doi:10.1177/0145445516676750.
    .. [2] Newcombe (2006), doi:10.1002/sim.2324, method 5.

    Examples
    --------
    >>> made = nonoverlap([3, 3, 4, 5], [4, 5, 6, 7, 7], higher_is_better=True)
    >>> made.tau, made.tau_u
    (0.8, 0.55)
    """
    before, after = (np.atleast_1d(as_array(v, n)) for v, n in ((baseline, "baseline"), (treatment, "treatment")))
    lost = int((~np.isfinite(before)).sum() + (~np.isfinite(after)).sum())
    sign = 1.0 if higher_is_better else -1.0
    a, b = sign * before[np.isfinite(before)], sign * after[np.isfinite(after)]
    m, n = int(a.size), int(b.size)
    if m < 3 or n < 3:
        return Nonoverlap(
            nap=None, nap_error=None, nap_lower=None, nap_upper=None, tau=None, tau_u=None, tau_bc=None,
            baseline_trend=None, pnd=None, pem=None, pand=None, ird=None, confidence=confidence, n_baseline=m,
            n_treatment=n, n_missing=lost, note="Each phase needs at least three scores.", reason="too_few_scores",
        )  # fmt: skip
    q = (b > a[:, None]) + 0.5 * (b == a[:, None])
    nap = float(q.mean())
    lower, upper = _newcombe(nap, m, n, confidence)
    s_ab, s_a = float(np.sign(b - a[:, None]).sum()), _kendall_s(a)
    pand, ird = _fewest_removed(a, b)
    note = "" if min(m, n) >= 5 else "Fewer than five scores in a phase: interpret with great caution."
    return Nonoverlap(
        nap=nap, nap_error=_nap_error(q, nap), nap_lower=lower, nap_upper=upper, tau=s_ab / (m * n),
        tau_u=(s_ab - s_a) / (m * n), tau_bc=_tau_baseline_corrected(a, b), baseline_trend=s_a,
        pnd=float((b > a.max()).mean()), pem=float(((b > np.median(a)) + 0.5 * (b == np.median(a))).mean()),
        pand=pand, ird=ird, confidence=confidence, n_baseline=m, n_treatment=n, n_missing=lost, note=note,
    )  # fmt: skip


def _nap_error(q: FloatArray, nap: float) -> float:
    """Take the square root of the unbiased variance of the U statistic; NAP of 0 or 1 is moved inwards first."""
    m, n = q.shape
    inwards = 0.5 / (m * n)
    theta = min(max(nap, inwards), 1.0 - inwards)
    rows, columns = float((q.mean(1) ** 2).mean()), float((q.mean(0) ** 2).mean())
    variance = theta - (m + n - 1.0) * theta**2 + n * rows + m * columns - 2.0 * float((q**2).mean())
    return math.sqrt(max(variance, 0.0) / ((m - 1.0) * (n - 1.0)))


def _newcombe(nap: float, m: int, n: int, confidence: float) -> tuple[float, float]:
    z, h = two_sided(confidence), (m + n) / 2.0 - 1.0

    def miss(theta: float) -> float:
        shape = 1.0 + h * (1.0 - theta) / (2.0 - theta) + h * theta / (1.0 + theta)
        return (nap - theta) ** 2 * m * n - z**2 * theta * (1.0 - theta) * shape

    # With complete (or no) overlap the observed value is itself a root; the other one is wanted.
    edge = 1e-12
    lower = 0.0 if nap == 0 else float(optimize.brentq(miss, 0.0, min(nap, 1.0 - edge), xtol=1e-14))
    upper = 1.0 if nap == 1 else float(optimize.brentq(miss, max(nap, edge), 1.0, xtol=1e-14))
    return lower, upper


def _kendall_s(x: FloatArray) -> int:
    return int(np.triu(np.sign(x[None, :] - x[:, None]), 1).sum())


def _tau_baseline_corrected(a: FloatArray, b: FloatArray) -> float:
    """Take out the Theil-Sen line of phase A, then correlate phase and score by Kendall's tau-b."""
    m = a.size
    i, j = np.triu_indices(m, 1)
    slope = float(np.median((a[j] - a[i]) / (j - i)))
    rest = np.concatenate([a, b]) - slope * np.arange(m + b.size)
    # Rounding must not part scores that are equal on the line.
    rest = np.round(rest, 10)
    phase = np.repeat([0, 1], [m, b.size])
    i, j = np.triu_indices(rest.size, 1)
    concordant = np.sign(rest[j] - rest[i]) * (phase[j] - phase[i])
    distinct, differ = int((rest[i] != rest[j]).sum()), int((phase[i] != phase[j]).sum())
    return float(concordant.sum()) / math.sqrt(distinct * differ) if distinct else 0.0


def _fewest_removed(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """PAND and IRD: keep the most scores of A below and of B above one cut."""
    m, n = a.size, b.size
    low, high = np.sort(a), np.sort(b)
    best, pairs = -1, (0, 0)
    for kept_a in range(m + 1):
        top = -math.inf if kept_a == 0 else low[kept_a - 1]
        kept_b = int((high > top).sum())
        if kept_a + kept_b > best or (kept_a + kept_b == best and kept_a >= pairs[0]):
            best, pairs = kept_a + kept_b, (kept_a, kept_b)
    removed = m + n - best
    return best / (m + n), 1.0 - (removed / 2.0) / m - (removed / 2.0) / n


def _lag_one(x: FloatArray) -> float | None:
    centred = x - x.mean()
    spread = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / spread if spread > 0 else None
