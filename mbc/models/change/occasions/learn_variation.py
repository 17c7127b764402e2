"""Learn from a clinic's clients how scores vary about a level that may change: the variogram of their scores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.norms import NormLike, stated_norms
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.occasions.level_filter import ExpectedChange, Sequences
from mbc.models.change.occasions.sequences import limits_of, padded, read_long
from mbc.models.change.occasions.variation import UNKNOWN_FLUCTUATION, ScoreVariation

LEAST_CLIENTS = 40  # with at least four scores
_LEAST_SCORES = 4
_LAGS = 16  # usual gaps; pairs of scores farther apart say little of what fades
_FADING = (2.0, 3.0, 4.5, 6.0)  # usual gaps; what lasts longer is a change of level to those who live it
_CHANGE_TIMES = (1.0, 2.0, 4.0, 8.0, 16.0)  # usual gaps
_GROUPS = 10  # of clients, left out in turn for the standard error
_LEAST_PAIRS = 30  # at a lag
_COLUMNS = 4  # error, fluctuation, wandering, trend
_DEVIATIONS = (0.0, 1.0, 2.0)  # none below: to take fluctuation for change is the worse mistake


@checked
def score_variation(  # noqa: PLR0913 - options are keyword-only
    data: object,
    *,
    client: str = "client",
    time: str = "time",
    score: str = "score",
    sd: float | None = None,
    reliability: float | None = None,
    norms: NormLike | Mapping[str, object] | None = None,
    score_range: tuple[float, float] | None = None,
    baselines: int | str = 1,
    gap: float | None = None,
) -> ScoreVariation:
    """Learn from clients how much their scores vary without a change of level.

    Parameters
    ----------
    data : frame
        One row per client and occasion.
    client, time, score, score_range, baselines, gap
        As in `true_change_course`.
    sd, reliability, norms : optional
        The measurement error, if it is to be taken from a reference sample; otherwise it is learned as well.

    Returns
    -------
    ScoreVariation
        For ``true_change_course(variation=...)``. It contains no client's own numbers.

    Raises
    ------
    ModelError
        If fewer than 40 clients have four scores or more.

    Notes
    -----
    Half the mean squared difference of scores h apart (the variogram [1]_) is fitted by least squares with
    coefficients of at least 0:

        error^2 + v (1 - exp(-h / tau)) + a h + b h^2.

    What fades bends it at short lags; levels that wander or jump add a part in h, steady trends one in h^2, so
    that neither is taken for fluctuation. The fading time is the best of two to six usual gaps (a shorter one is
    taken for more of a longer one). The variance v is known only so well: leaving out a tenth of the clients in
    turn gives its standard error. With few clients it is drawn towards what is usual; that value, and those one
    and two standard errors above, are kept, to be averaged over. None is below, since to take fluctuation for
    change is the worse mistake. Wander is not learned: if it were, how surely one client is called changed would
    depend on how many others changed. Near an end of the scale scores vary less; a clinic where many clients are
    there gets variances of such clients.

    References
    ----------
    .. [1] Diggle, Heagerty, Liang & Zeger (2002), Analysis of Longitudinal Data, 2nd ed., section 3.4.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> rng = np.random.default_rng(1)
    >>> level = rng.normal(16, 5, 80)
    >>> table = pl.DataFrame({"client": np.repeat(np.arange(80), 10), "time": np.tile(np.arange(10), 80),
    ...     "score": np.repeat(level, 10) + rng.normal(0, 2, 800)})
    >>> learned = score_variation(table)
    >>> 1.7 < learned.error[0] < 2.3, learned.clients
    (True, 80)
    """
    long = read_long(data, client=client, time=time, score=score, baselines=baselines)
    reference = stated_norms(norms, sd, reliability)
    given = any(value is not None for value in (norms, sd, reliability))
    if given and not (reference.sem or 0) > 0:
        raise ModelError("The reference sample gives no measurement error: give sd and reliability (below 1).")
    limits_of(long, score_range, None)  # refuses scores of another coding
    sequences, _ = padded(long)
    enough = int(np.count_nonzero(sequences.count >= _LEAST_SCORES))
    if enough < LEAST_CLIENTS:
        raise ModelError(
            f"Variation can be estimated from {LEAST_CLIENTS} clients with {_LEAST_SCORES} scores or more; "
            f"there are {enough}. Until then, use sd= and reliability= of a reference sample."
        )
    usual = long.usual_gap if gap is None else float(gap)
    some = sequences.rows(0, enough)
    fitted = _Variogram.of(some, usual).fit(reference.sem if given else None)
    first = long.score[long.first]
    level = max(_shared(some), 0.25 * float(first.var()))
    variances = _variances(fitted)
    change = _expected_change(some, usual)
    return ScoreVariation(
        error=(_rounded(fitted.error),) * len(variances),
        fluctuation=tuple(_rounded(float(np.sqrt(v))) for v in variances),
        fading_time=(_rounded(fitted.fading_time * usual),) * len(variances),
        gap=_rounded(usual),
        start_mean=_rounded(float(first.mean())),
        start_sd=_rounded(float(np.sqrt(level))) or None,
        expected_change=_rounded(change.amount),
        expected_time=_rounded(change.time),
        clients=enough,
        learned_on=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        source=f"learned from {enough} clients",
    )


def _shared(sequences: Sequences) -> float:
    """Covariance of the first and the second score: what they share is the level."""
    return float(np.cov(sequences.score[:, 0], sequences.score[:, 1])[0, 1])


def _expected_change(sequences: Sequences, gap: float) -> ExpectedChange:
    """Mean change since the first score, by least squares; the time is the best of one to sixteen usual gaps."""
    own = np.arange(int(sequences.score.shape[1]))[None, :] < sequences.count[:, None]
    elapsed, change = sequences.open_time[own], (sequences.score - sequences.score[:, :1])[own]
    best: tuple[float, ExpectedChange] | None = None
    for gaps in _CHANGE_TIMES:
        shape = ExpectedChange(1.0, gaps * gap).since_start(elapsed)
        amount = float(shape @ change / max(float(shape @ shape), 1e-12))
        left = float(((change - amount * shape) ** 2).sum())
        if best is None or left < best[0]:
            best = left, ExpectedChange(amount, gaps * gap)
    assert best is not None  # noqa: S101  there are times
    return best[1]


@dataclass(frozen=True, slots=True)
class _Fitted:
    error: float  # standard deviation
    variance: float  # v
    fading_time: float  # usual gaps
    standard_error: float  # of v


@dataclass(frozen=True, slots=True)
class _Variogram:
    """Sums over pairs of scores of one client, by lag in usual gaps, for each group of clients."""

    squares: FloatArray  # (groups, lags), of halved squared differences
    pairs: FloatArray  # (groups, lags)

    @classmethod
    def of(cls, sequences: Sequences, gap: float) -> _Variogram:
        time = np.cumsum(sequences.gap, axis=1)
        n, longest = sequences.score.shape
        group: NDArray[np.intp] = np.arange(int(n)) % _GROUPS
        squares, pairs = np.zeros((_GROUPS, _LAGS)), np.zeros((_GROUPS, _LAGS))
        for shift in range(1, min(longest - 1, 2 * _LAGS) + 1):
            known: NDArray[np.bool_] = np.arange(shift, int(longest))[None, :] < sequences.count[:, None]
            lag = np.round((time[:, shift:] - time[:, :-shift]) / gap).astype(np.intp)
            chosen: NDArray[np.bool_] = known & (lag >= 1) & (lag <= _LAGS)
            half = 0.5 * (sequences.score[:, shift:] - sequences.score[:, :-shift]) ** 2
            cell: NDArray[np.intp] = (group[:, None] * _LAGS + lag - 1)[chosen]
            size = _GROUPS * _LAGS
            squares += np.bincount(cell, half[chosen], size).reshape(squares.shape)
            pairs += np.bincount(cell, minlength=size).reshape(pairs.shape)
        return cls(squares, pairs)

    def fit(self, error: float | None) -> _Fitted:
        """Fit error, fluctuation and change, with coefficients of at least 0; times are in usual gaps."""
        target, columns_of, weight = self.problem(error)
        best: tuple[float, float, FloatArray] | None = None
        for fading in _FADING:
            coefficients, rest = cast(
                "tuple[FloatArray, float]", nnls(columns_of(fading) * weight[:, None], target * weight)
            )
            if best is None or rest < best[0]:
                best = rest, fading, coefficients
        assert best is not None  # noqa: S101  there are fading times
        _, fading, coefficients = best
        square, variance = (coefficients[0], coefficients[1]) if error is None else (error**2, coefficients[0])
        if square <= 0:  # all that is seen fades: a tenth of it is taken for error
            square, variance = 0.1 * variance, 0.9 * variance
        if square <= 0:
            raise ModelError("No client's scores vary: there is no variation to estimate.")
        return _Fitted(float(np.sqrt(square)), float(variance), fading, self._standard_error(error, fading))

    def _standard_error(self, error: float | None, fading: float) -> float:
        """Leave out each group of clients for the standard error of v; coefficients are free to be negative."""
        place = 1 if error is None else 0
        without: list[float] = []
        for group in range(_GROUPS):
            kept = np.arange(_GROUPS) != group
            target, columns_of, weight = _Variogram(self.squares[kept], self.pairs[kept]).problem(error)
            coefficients = np.linalg.lstsq(columns_of(fading) * weight[:, None], target * weight, rcond=None)[0]
            without.append(float(coefficients[place]))
        return float(np.sqrt((_GROUPS - 1) * np.var(without)))

    def problem(self, error: float | None) -> tuple[FloatArray, Callable[[float], FloatArray], FloatArray]:
        """Give targets, columns for a fading time, and weights of the least squares."""
        pairs = self.pairs.sum(axis=0)
        lags = np.flatnonzero(pairs >= _LEAST_PAIRS)
        if lags.size <= _COLUMNS:
            raise ModelError(
                "There are too few pairs of scores up to 16 usual gaps apart to separate fluctuation from change. "
                "Give gap=, or use sd= and reliability= in true_change_course()."
            )
        mean, h = self.squares.sum(axis=0)[lags] / pairs[lags], lags + 1.0
        weight: FloatArray = np.sqrt(pairs[lags] / h) / np.maximum(mean, 1e-12)

        def columns_of(fading: float) -> FloatArray:
            parts = [np.ones_like(h), 1.0 - np.exp(-h / fading), h, h**2]
            columns: FloatArray = np.column_stack(parts).astype(np.float64)
            return columns if error is None else columns[:, 1:]

        target: FloatArray = mean - (0.0 if error is None else error**2)
        return target, columns_of, np.asarray(weight, dtype=np.float64)


def _variances(fitted: _Fitted) -> tuple[float, ...]:
    """Variances to average over: what was learned, drawn towards what is usual, and up to two deviations more."""
    usual = np.array(UNKNOWN_FLUCTUATION) * fitted.error**2
    known, before = fitted.standard_error**2, float(usual.var())
    share = before / (before + known)
    mean = share * fitted.variance + (1.0 - share) * float(usual.mean())
    deviation = float(np.sqrt(share * known))
    return tuple(mean + steps * deviation for steps in _DEVIATIONS)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
