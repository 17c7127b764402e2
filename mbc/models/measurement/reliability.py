"""How far a score can be trusted to distinguish people: alpha, omega, and single items."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize

from mbc.arguments import checked
from mbc.errors import DoubtfulAnswers, ModelError
from mbc.frames import open_frame
from mbc.item_signs import alpha_of, item_rest_of, run_against
from mbc.models.change.inputs.distributions import f_quantile
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.results.result import Result

_NONE: FloatArray = np.zeros(0)
_WRONG_KEY = "Items {names} correlate negatively with the rest: is the scoring key or the item order wrong?"


@dataclass(frozen=True, slots=True)
class Alpha(Result):
    """Cronbach's alpha with Feldt's interval; ``None`` and a reason where it cannot be had."""

    value: float | None  # at most 1; negative values are real, and say that a key is wrong
    lower: float | None
    upper: float | None
    sem: float | None  # standard error of measurement of the sum, scale points
    sd: float | None  # of the sum
    confidence: float
    n: int  # complete rows
    n_missing: int
    items: tuple[str, ...]
    dropped: tuple[str, ...]  # items on which everybody gave the same answer
    suspects: tuple[str, ...]  # items that correlate negatively with the rest
    warning: str
    reason: Reason | None = None


@checked
def alpha(items: object, *, confidence: float = 0.95) -> Alpha:
    """Compute Cronbach's alpha of keyed items.

    Parameters
    ----------
    items : frame or array, shape (n, k)
        One column per item, reverse items already turned; rows with a blank are left out and counted.
    confidence : float
        Two-sided coverage of Feldt's interval, 0 to 1.

    Raises
    ------
    ModelError
        If it is not a table of numbers.

    Warns
    -----
    DoubtfulAnswers
        Where items of at least 200 people run against the rest: a wrong key, item order or coding. What another
        item order would give, `mbc.instruments.keyed_items` says, which knows the questionnaire.

    Notes
    -----
    ``alpha = k / (k - 1) (1 - sum s_i^2 / S^2)``; limits ``1 - (1 - alpha) F`` with ``F(n - 1, (n - 1)(k - 1))``.
    Alpha says nothing about day-to-day error, so it makes too many changes "reliable"; and a high alpha does not
    show that the items belong to one scale: look at `item_rest_correlations`.

    References
    ----------
    .. [1] Feldt, Woodruff & Salih (1987), doi:10.1177/014662168701100107.

    Examples
    --------
    >>> made = alpha([[3, 3, 2], [1, 0, 1], [2, 2, 2], [0, 1, 0], [3, 2, 3]])
    >>> round(made.value, 3), made.n
    (0.914, 5)
    """
    table, names, lost = _complete(items)
    _doubt_key(table, names)
    spread = table.std(axis=0, ddof=1) if table.shape[0] > 1 else np.zeros(table.shape[1])
    kept, dropped = _split(names, spread > 0)
    table = table[:, spread > 0]
    n, k = table.shape
    if n < 2 or k < 2:
        reason: Reason = "too_few_scores" if n < 2 or len(names) < 2 else "zero_variance"
        return Alpha(None, None, None, None, None, confidence, n, lost, kept, dropped, (), "", reason)
    total = float(table.sum(axis=1).var(ddof=1))
    if total == 0:
        return Alpha(None, None, None, None, 0.0, confidence, n, lost, kept, dropped, (), "", "zero_variance")
    value = k / (k - 1.0) * (1.0 - float(table.var(axis=0, ddof=1).sum()) / total)
    tail = (1.0 - confidence) / 2.0
    df1, df2 = n - 1.0, (n - 1.0) * (k - 1.0)
    suspects = _suspects(table, kept)
    return Alpha(
        value=value,
        lower=1.0 - (1.0 - value) * f_quantile(df1, df2, 1.0 - tail),
        upper=1.0 - (1.0 - value) * f_quantile(df1, df2, tail),
        sem=math.sqrt(max(total * (1.0 - value), 0.0)),
        sd=math.sqrt(total),
        confidence=confidence,
        n=n,
        n_missing=lost,
        items=kept,
        dropped=dropped,
        suspects=suspects,
        warning=_WRONG_KEY.format(names=", ".join(suspects)) if suspects else "",
    )


@dataclass(frozen=True, slots=True)
class ItemRest(Result):
    """One item against the sum of the others."""

    item: str
    correlation: float | None
    alpha_without: float | None


@checked
def item_rest_correlations(items: object) -> tuple[ItemRest, ...]:
    """Correlate each keyed item with the sum of the others.

    A negative correlation means a wrong key. In two scales that share items (anxiety and avoidance) alpha can stay
    high under the wrong order of items; the signs here do not.

    Parameters
    ----------
    items : frame or array, shape (n, k)
        As for `alpha`.

    Examples
    --------
    >>> rows = item_rest_correlations([[3, 3, 0, 3], [1, 0, 2, 1], [2, 2, 1, 3], [0, 1, 3, 0], [3, 2, 1, 2]])
    >>> [round(row.correlation, 2) for row in rows]
    [0.71, 0.78, -0.97, 0.71]
    """
    table, names, _ = _complete(items)
    _doubt_key(table, names)
    if table.shape[0] < 2:
        return tuple(ItemRest(name, None, None) for name in names)
    total = table.sum(axis=1)
    made: list[ItemRest] = []
    for j, name in enumerate(names):
        rest = np.delete(table, j, axis=1)
        varying = rest[:, rest.std(axis=0) > 0]
        ones: FloatArray = np.full(int(varying.shape[1]), 1.0)
        without = alpha_of(np.cov(varying, rowvar=False), ones) if len(ones) > 1 else None
        made.append(ItemRest(name, _correlation(table[:, j], total - table[:, j]), without))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Omega(Result):
    """McDonald's total omega from one factor; ``None`` and a reason where it cannot be had."""

    value: float | None  # of the sum of standardised items, as psych prints it
    raw: float | None  # of the plain sum, the score as it is used
    loadings: tuple[float, ...]  # in the items' own units
    uniquenesses: tuple[float, ...]  # squared units
    sem: float | None  # of the plain sum, scale points
    n: int
    n_missing: int
    items: tuple[str, ...]
    dropped: tuple[str, ...]  # items on which everybody gave the same answer
    suspects: tuple[str, ...]  # items that correlate negatively with the rest
    warning: str
    reason: Reason | None = None


@checked
def omega(items: object) -> Omega:
    """Compute McDonald's omega from a one-factor model fitted by maximum likelihood.

    Parameters
    ----------
    items : frame or array, shape (n, k)
        As for `alpha`; at least three items.

    Notes
    -----
    ``omega = (sum loading)^2 / ((sum loading)^2 + sum uniqueness)``, for standardised items and for items as they
    are summed. A uniqueness that reaches zero (a Heywood case) leaves omega undetermined. Items on which everybody
    gave the same answer are left out and named, as in `alpha`.

    References
    ----------
    .. [1] McDonald (1999), Test Theory: A Unified Treatment, ch. 6.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.standard_normal((500, 1))
    >>> round(omega(trait + rng.standard_normal((500, 4))).value, 1)
    0.8
    """
    table, names, lost = _complete(items)
    _doubt_key(table, names)
    varies = table.std(axis=0, ddof=1) > 0 if table.shape[0] > 1 else np.zeros(table.shape[1], dtype=bool)
    kept, dropped = _split(names, varies)
    table = table[:, varies]
    n, k = table.shape

    def none(reason: Reason, loadings: FloatArray = _NONE, unique: FloatArray = _NONE) -> Omega:
        suspects = _suspects(table, kept) if n > 1 and k > 1 else ()
        warning = _WRONG_KEY.format(names=", ".join(suspects)) if suspects else ""
        estimates = tuple(loadings.tolist()), tuple(unique.tolist())
        return Omega(None, None, *estimates, None, n, lost, kept, dropped, suspects, warning, reason)

    if n < 3 or k < 3:
        return none("too_few_scores" if n < 3 or len(names) < 3 else "zero_variance")
    covariance = np.cov(table, rowvar=False)
    spread = np.sqrt(np.diag(covariance))
    if np.linalg.eigvalsh(covariance / np.outer(spread, spread))[0] < 1e-10:  # one item says what others say
        return none("not_estimable")
    loadings, unique = _one_factor(covariance)
    if np.any(unique < 0.005 * spread**2):
        return none("not_estimable", loadings, unique)
    suspects = _suspects(table, kept)
    return Omega(
        value=_share(loadings / spread, unique / spread**2),
        raw=_share(loadings, unique),
        loadings=tuple(loadings.tolist()),
        uniquenesses=tuple(unique.tolist()),
        sem=math.sqrt(float(unique.sum())),
        n=n,
        n_missing=lost,
        items=kept,
        dropped=dropped,
        suspects=suspects,
        warning=_WRONG_KEY.format(names=", ".join(suspects)) if suspects else "",
    )


def _share(loadings: FloatArray, unique: FloatArray) -> float:
    common = float(loadings.sum()) ** 2
    return common / (common + float(unique.sum()))


def _one_factor(covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Maximum likelihood by Joreskog's profile: loadings from the first eigenvector, given the uniquenesses."""
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)

    def first(log_unique: FloatArray) -> tuple[FloatArray, NDArray[Any]]:
        scale = np.exp(-0.5 * log_unique)
        return cast("tuple[FloatArray, NDArray[Any]]", np.linalg.eigh(scale[:, None] * correlation * scale))

    def objective(log_unique: FloatArray) -> tuple[float, FloatArray]:
        values, vectors = first(log_unique)
        rest = np.maximum(values[:-1], 1e-12)
        value = float((rest - np.log(rest) - 1.0).sum())
        # d f / d log psi_i = sum over the small eigenvalues of (1 - value) * vector_i^2
        gradient = ((1.0 - rest) * vectors[:, :-1] ** 2).sum(axis=1)
        return value, gradient

    start = np.log(np.clip(1.0 / np.diag(np.linalg.pinv(correlation)), 0.05, 0.95))
    minimum: Any = optimize.minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=[(math.log(0.001), 0.0)] * len(spread),
        options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    log_unique = np.asarray(minimum.x, dtype=float)
    values, vectors = first(log_unique)
    loading = np.exp(0.5 * log_unique) * vectors[:, -1] * math.sqrt(max(float(values[-1]) - 1.0, 0.0))
    loading = loading if loading.sum() >= 0 else -loading
    return loading * spread, np.exp(log_unique) * spread**2


def _complete(items: object) -> tuple[FloatArray, tuple[str, ...], int]:
    if hasattr(items, "columns") or isinstance(items, nw.DataFrame | nw.LazyFrame):
        native = open_frame(items)
        eager = native.collect() if isinstance(native, nw.LazyFrame) else native
        frame = eager.to_polars()
        names = tuple(frame.columns)
        wrong = [name for name in names if not frame[name].dtype.is_numeric() and frame[name].dtype != pl.Null]
        if wrong:
            raise ModelError(
                f"Item columns must contain numbers; {', '.join(wrong[:5])} do not. Select the items first."
            )
        table = frame.with_columns(pl.all().cast(pl.Float64)).fill_null(math.nan).to_numpy()
    else:
        try:
            table = np.asarray(items, dtype=float)
        except (TypeError, ValueError) as error:
            raise ModelError(f"items must be a table of numbers, got {items!r:.80}.") from error
        if table.ndim != 2:
            raise ModelError(f"items must be a table with one column per item, got shape {table.shape}.")
        if not np.issubdtype(np.asarray(items).dtype, np.number) and np.asarray(items).dtype != object:
            raise ModelError(f"items must be a table of numbers, got {np.asarray(items).dtype}.")
        names = tuple(f"item {j + 1}" for j in range(table.shape[1]))
    endless = [name for name, column in zip(names, np.isinf(table).T, strict=True) if column.any()]
    if endless:
        raise ModelError(f"Items {', '.join(endless[:5])} contain infinite numbers; answers must be finite.")
    complete = np.isfinite(table).all(axis=1)
    return np.asarray(table[complete], dtype=float), names, int(np.count_nonzero(~complete))


def _doubt_key(table: FloatArray, names: tuple[str, ...]) -> None:
    """Warn where items of many people run against the rest beyond chance."""
    if table.shape[0] < 2 or table.shape[1] < 2:
        return
    ones: FloatArray = np.full(int(table.shape[1]), 1.0)
    correlations = item_rest_of(np.cov(table, rowvar=False), ones)
    against = run_against(correlations, table.shape[0])
    if against:
        text = _WRONG_KEY.format(names=", ".join(names[n] for n in against))
        warnings.warn(
            text, DoubtfulAnswers, stacklevel=4
        )  # this, the statistic, its check of arguments, the caller


def _suspects(table: FloatArray, names: tuple[str, ...]) -> tuple[str, ...]:
    total = table.sum(axis=1)
    against = [_correlation(table[:, j], total - table[:, j]) for j in range(table.shape[1])]
    return tuple(name for name, r in zip(names, against, strict=True) if r is not None and r < 0)


def _split(names: tuple[str, ...], keep: NDArray[np.bool_]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    kept = tuple(name for name, flag in zip(names, keep, strict=True) if flag)
    return kept, tuple(name for name, flag in zip(names, keep, strict=True) if not flag)


def _correlation(first: FloatArray, second: FloatArray) -> float | None:
    a, b = first - first.mean(), second - second.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale > 0 else None
