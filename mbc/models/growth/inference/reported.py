"""What a fit reports, in the units of the data: coefficients with intervals, variances and correlations."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mbc.models.growth.fit.estimates import Estimates

NORMAL_95 = 1.959963984540054  # two-sided 95 % normal quantile


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One fixed effect."""

    name: str
    estimate: float  # outcome points per unit of the term
    standard_error: float
    lower: float  # 95 %
    upper: float


@dataclass(frozen=True, slots=True)
class Variance:
    """One variance, or the correlation of two effects."""

    name: str
    variance: float | None
    standard_deviation: float | None
    correlation: float | None


def coefficients_of(estimates: Estimates, names: tuple[str, ...]) -> tuple[Coefficient, ...]:
    """List fixed effects with 95 % normal intervals."""
    return tuple(
        Coefficient(name, b, se, b - NORMAL_95 * se, b + NORMAL_95 * se)
        for name, b, se in zip(
            names, estimates.coefficients.tolist(), estimates.standard_errors.tolist(), strict=True
        )
    )


def variances_of(estimates: Estimates, names: tuple[str, ...]) -> tuple[Variance, ...]:
    """List random effects' variances and correlations, then the residual variance."""
    g: list[list[float]] = estimates.random_covariance.tolist()
    out = [Variance(name, g[i][i], math.sqrt(g[i][i]), None) for i, name in enumerate(names)]
    for i, name in enumerate(names):
        for j in range(i):
            both = math.sqrt(g[i][i] * g[j][j])
            out.append(Variance(f"{names[j]}, {name}", None, None, g[i][j] / both if both else None))
    out.append(Variance("residual", estimates.residual_variance, math.sqrt(estimates.residual_variance), None))
    return tuple(out)
