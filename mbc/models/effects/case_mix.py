"""What is expected given a client's case mix, and how far a clinician's clients differ from it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import t_quantile
from mbc.models.change.inputs.score_arrays import FloatArray

LEAST_CLIENTS = 50
LEAST_PER_COEFFICIENT = 5
LEAST_CLINICIANS = 3
"""A variance between clinicians cannot be estimated with fewer; and of two, each would learn the other's mean."""
LEAST_CLIENTS_OF_A_CLINICIAN = 5
"""Clinicians with fewer clients are not counted among the three."""
CONFIDENCE = 0.95
_RATIOS = np.concatenate([[0.0], np.geomspace(1e-3, 30.0, 40)])  # SD between clinicians / SD within them


@dataclass(frozen=True, slots=True, eq=False)
class CaseMixModel:
    """A linear regression on case mix with a random intercept for each clinician; it holds nobody's score."""

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray  # of the coefficients, with the variances taken as known
    between: float  # variance between clinicians, in squared points
    within: float  # variance of clients of one clinician
    clients: int
    clinicians: int
    r_squared: float

    @property
    def standard_errors(self) -> FloatArray:
        """Of the coefficients."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def intraclass_correlation(self) -> float:
        """The share of the variance left by case mix that lies between clinicians."""
        return self.between / (self.between + self.within)

    def expected(self, design: FloatArray) -> FloatArray:
        """Give what is expected of each row of case mix with a clinician of the average."""
        return design @ self.coefficients

    def difference(self, outcome: FloatArray, design: FloatArray) -> Difference:
        """Compare the clients of one clinician, who were part of the regression, with what is expected of them.

        Notes
        -----
        With n clients, their mean residual d estimates the clinician's effect; its error has the variance
        ``sigma^2 / n + (2 w - 1) x' V x``, x being the mean case mix, V the covariance of the coefficients and
        ``w = tau^2 / (tau^2 + sigma^2 / n)``. The shrunken difference is w d; its error has the variance
        ``tau^2 (1 - w) + w^2 x' V x``. Both variances take tau and sigma as known.
        """
        n, mix = outcome.size, design.mean(axis=0)
        observed, expected = float(outcome.mean()), float(mix @ self.coefficients)
        chance = self.within / n
        weight = self.between / (self.between + chance)
        of_coefficients = float(mix @ self.covariance @ mix)
        t = t_quantile(self.clients - len(self.names), 0.5 + CONFIDENCE / 2)
        half = t * math.sqrt(max(chance + (2 * weight - 1) * of_coefficients, 0.0))
        difference = observed - expected
        shrunken = weight * difference
        spread = math.sqrt(self.between * (1 - weight) + weight**2 * of_coefficients)
        limits = (shrunken - t * spread, shrunken + t * spread) if self.between > 0 else (None, None)
        return Difference(
            n, observed, expected, difference, difference - half, difference + half, weight, shrunken, *limits
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """The clients of one clinician: observed and expected, as means of the outcome."""

    clients: int
    observed: float
    expected: float
    difference: float
    lower: float  # 95 % limits of the difference
    upper: float
    weight: float  # how much of the difference is left by shrinkage, 0 to 1
    shrunken: float
    shrunken_lower: float | None  # None where clinicians do not differ by more than chance: there is no spread
    shrunken_upper: float | None


def fit_case_mix(
    outcome: FloatArray, design: FloatArray, clinicians: Sequence[Hashable], names: Sequence[str]
) -> CaseMixModel:
    """Regress an outcome on case mix, with a random intercept for each clinician, by REML.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
        Such as the improvement of each client, in points.
    design : ndarray, shape (n, p)
        Case mix at intake; its first column is 1.
    clinicians : sequence
        Whose client each row is.
    names : sequence of str
        Of the columns of ``design``.

    Returns
    -------
    CaseMixModel

    Raises
    ------
    ModelError
        With fewer than 50 clients, five for each coefficient, or three clinicians with five clients; or if columns
        of case mix cannot be distinguished.

    Notes
    -----
    ``outcome = design b + u + e``, u normal with variance tau^2 for each clinician, e sigma^2 for each client.
    The random intercept keeps differences between clinicians out of b, so that they are not explained away as case
    mix, as far as clients of each kind are seen by several clinicians. ``r_squared`` is 1 less the sum of squares
    about ``design b``, divided by that about the mean.

    Examples
    --------
    >>> first = np.tile([10.0, 15.0, 20.0], 20)
    >>> better = 0.5 * first + np.tile([1.0, -1.0], 30)
    >>> model = fit_case_mix(better, np.column_stack([np.ones(60), first]), list("ABCD") * 15, ["mean", "first"])
    >>> round(float(model.coefficients[1]), 2), round(model.r_squared, 2)
    (0.5, 0.81)
    """
    _, codes = np.unique([str(name) for name in clinicians], return_inverse=True)
    sizes = np.bincount(codes).astype(float)
    _require_enough(outcome.size, len(names), sizes)
    if np.linalg.matrix_rank(design) < len(names):
        raise ModelError(f"The case mix ({', '.join(names)}) holds a column that follows from the others.")
    sums = _Sums.of(outcome, design, np.asarray(codes, dtype=np.intp), sizes)
    deviances = [sums.deviance(float(ratio)) for ratio in _RATIOS]
    best = int(np.argmin(deviances))
    low, high = _RATIOS[max(best - 1, 0)], _RATIOS[min(best + 1, _RATIOS.size - 1)]
    search = minimize_scalar(sums.deviance, bounds=(low, high), method="bounded", options={"xatol": 1e-10})
    ratio = float(search.x) if search.fun < deviances[0] - 1e-9 else 0.0
    coefficients, inverse, squares = sums.solved(ratio)
    within = squares / (outcome.size - len(names))
    residual = outcome - design @ coefficients
    total = float(np.sum((outcome - outcome.mean()) ** 2))
    return CaseMixModel(
        names=tuple(names),
        coefficients=coefficients,
        covariance=within * inverse,
        between=ratio**2 * within,
        within=within,
        clients=outcome.size,
        clinicians=sizes.size,
        r_squared=1 - float(residual @ residual) / total if total > 0 else 0.0,
    )


def _require_enough(clients: int, coefficients: int, sizes: FloatArray) -> None:
    needed = max(LEAST_CLIENTS, LEAST_PER_COEFFICIENT * coefficients)
    if clients < needed:
        raise ModelError(
            f"What is expected given case mix needs {needed} clients with a first and a last score "
            f"({LEAST_PER_COEFFICIENT} for each of {coefficients} coefficients, {LEAST_CLIENTS} at least); "
            f"there are {clients}."
        )
    counted = int(np.sum(sizes >= LEAST_CLIENTS_OF_A_CLINICIAN))
    if counted < LEAST_CLINICIANS:
        raise ModelError(
            f"It needs {LEAST_CLINICIANS} clinicians with {LEAST_CLIENTS_OF_A_CLINICIAN} such clients each; there "
            f"are {counted}: with fewer, differences between clinicians cannot be estimated."
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Cross products of all rows, and the sums of each clinician's: all that the likelihood needs."""

    rows: int
    sizes: FloatArray
    xx: FloatArray
    xy: FloatArray
    yy: float
    x: FloatArray  # (clinicians, p)
    y: FloatArray

    @classmethod
    def of(cls, outcome: FloatArray, design: FloatArray, codes: np.ndarray, sizes: FloatArray) -> _Sums:
        x = np.zeros((sizes.size, design.shape[1]))
        np.add.at(x, codes, design)
        y = np.zeros(sizes.size)
        np.add.at(y, codes, outcome)
        return cls(outcome.size, sizes, design.T @ design, design.T @ outcome, float(outcome @ outcome), x, y)

    def solved(self, ratio: float) -> tuple[FloatArray, FloatArray, float]:
        """Give the coefficients, the inverse of their cross products, and the weighted residual sum of squares."""
        weights = ratio**2 / (1 + self.sizes * ratio**2)
        inverse = np.asarray(np.linalg.inv(self.xx - (self.x * weights[:, None]).T @ self.x), dtype=float)
        moments = self.xy - self.x.T @ (weights * self.y)
        coefficients = inverse @ moments
        squares = self.yy - float(weights @ self.y**2) - float(moments @ coefficients)
        return coefficients, inverse, squares

    def deviance(self, ratio: float) -> float:
        """Give minus twice the restricted log likelihood, up to a constant."""
        _, inverse, squares = self.solved(ratio)
        free = self.rows - self.xy.size
        _, log_inverse = np.linalg.slogdet(inverse)
        return float(free * math.log(max(squares, 1e-300)) + np.sum(np.log1p(self.sizes * ratio**2)) - log_inverse)
