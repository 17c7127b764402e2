"""What a fit reports, in the units of the data: coefficients with intervals, variances and correlations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mbc.models.change.inputs.distributions import normal_below
from mbc.models.growth.fit.estimates import Estimates
from mbc.models.growth.matrices import Floats

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


def coefficient_columns(names: Sequence[str], coefficients: Floats, errors: Floats) -> dict[str, Any]:
    """Columns term, estimate, standard_error, statistic, p_value, lower, upper; normal, 95 %."""
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = coefficients / errors
    return {
        "term": list(names),
        "estimate": coefficients,
        "standard_error": errors,
        "statistic": statistic,
        "p_value": 2 * normal_below(-np.abs(statistic)),
        "lower": coefficients - NORMAL_95 * errors,
        "upper": coefficients + NORMAL_95 * errors,
    }


def variance_notes(rows: Sequence[Variance]) -> str:
    """Write variances and correlations as a table in words: one line each."""
    lines: list[str] = []
    for row in rows:
        if row.variance is not None and row.standard_deviation is not None:
            lines.append(
                f"  {row.name}: variance {row.variance:.4g}, standard deviation {row.standard_deviation:.4g}"
            )
        elif row.correlation is not None:
            lines.append(f"  correlation of {row.name}: {row.correlation:.3f}")
    return "Random effects and residual:\n" + "\n".join(lines)


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
    return variance_rows(names, estimates.random_covariance, estimates.residual_variance)


def variance_rows(names: Sequence[str], covariance: Floats, residual: float) -> tuple[Variance, ...]:
    """List variances and correlations of a covariance matrix, then the residual variance."""
    g: list[list[float]] = covariance.tolist()
    out = [Variance(name, g[i][i], math.sqrt(g[i][i]), None) for i, name in enumerate(names)]
    for i, name in enumerate(names):
        for j in range(i):
            both = math.sqrt(g[i][i] * g[j][j])
            out.append(Variance(f"{names[j]}, {name}", None, None, g[i][j] / both if both else None))
    out.append(Variance("residual", residual, math.sqrt(residual), None))
    return tuple(out)
