"""Where will this client's scores lie: courses with bands that count every source of variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import norm

from mbc.errors import ModelError
from mbc.models.growth.fit.fit_model import Fitted
from mbc.models.growth.matrices import Floats

Kind = Literal["prediction", "mean"]


@dataclass(frozen=True, slots=True)
class ClientCurve:
    """A course over time with a band."""

    client: object  # None for the mean course
    time: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    level: float
    kind: Kind
    observations: int  # scores of this client that the curve rests on; 0 for one the model has not seen

    def to_frame(self) -> pl.DataFrame:
        """Columns time, mean, lower, upper."""
        return pl.DataFrame({"time": self.time, "mean": self.mean, "lower": self.lower, "upper": self.upper})


@dataclass(frozen=True, slots=True)
class Course:
    """Mean and variance over time, internal scale."""

    mean: Floats
    variance: Floats


def curve(
    fitted: Fitted, course: Course, client: object, times: Floats, *, observations: int, level: float, kind: Kind
) -> ClientCurve:
    """Put a band around a course, in the units of the data."""
    if not 0 < level < 1:
        raise ModelError(f"level must be between 0 and 1, got {level}. Is it a percentage?")
    if kind not in {"prediction", "mean"}:
        raise ModelError(f"kind must be 'prediction' or 'mean', got {kind!r}.")
    scale = fitted.design.outcome_spread
    variance = course.variance + (fitted.optimum.sigma2 if kind == "prediction" else 0.0)
    half = float(norm.ppf(0.5 + level / 2)) * scale * np.sqrt(variance)
    mean = scale * course.mean
    return ClientCurve(client, times, mean, mean - half, mean + half, level, kind, observations)


def population_course(fitted: Fitted, times: Floats, row: Floats, *, between: bool) -> Course:
    """Follow the mean course at these covariates; with ``between``, the spread of clients around it."""
    at = fitted.optimum
    x, z = _rows(fitted, times, row)
    variance = np.einsum("ti,ij,tj->t", x, at.inverse, x)
    if between:
        variance = variance + ((z @ at.factor) ** 2).sum(axis=1)
    return Course(x @ _coefficients(fitted), at.sigma2 * variance)


def client_course(fitted: Fitted, index: int, times: Floats) -> Course:
    """Follow the course of a client whose scores were fitted."""
    s, b = _of_client(fitted, index)
    return _conditional(fitted, times, client_row(fitted, index), s, b)


def scores_course(fitted: Fitted, observed_times: Floats, scores: Floats, times: Floats, row: Floats) -> Course:
    """Follow the course of a client known by these scores alone, at the model's parameters."""
    design = fitted.design
    x, z = _rows(fitted, observed_times, row)
    y = scores / design.outcome_spread - x @ design.least_squares
    b = np.column_stack([z.T @ x, z.T @ y])
    return _conditional(fitted, times, row, z.T @ z, b)


def _conditional(fitted: Fitted, times: Floats, row: Floats, s: Floats, b: Floats) -> Course:
    """Mean and variance given a client's cross-products.

    With b^ = K B gamma, the error of x'beta^ + z'b^ has variance d' Var(beta^) d + sigma^2 z'K z,
    d = x - (K Z'X)' z: the uncertainty of the coefficients moves the client's effects as well.
    """
    at = fitted.optimum
    x, z = _rows(fitted, times, row)
    inner = np.eye(len(s)) + at.factor.T @ s @ at.factor
    k = at.factor @ np.linalg.solve(inner, at.factor.T)
    d = x - z @ (k @ b[:, :-1])
    variance = np.einsum("ti,ij,tj->t", d, at.inverse, d) + np.einsum("ti,ij,tj->t", z, k, z)
    return Course(x @ _coefficients(fitted) + z @ (k @ (b @ at.gamma)), at.sigma2 * variance)


def covariate_row(fitted: Fitted, given: Mapping[str, object]) -> Floats:
    """Scaled covariate columns of a client with these values; averages over clients where none are given."""
    columns = fitted.terms.covariates
    names = sorted({column.source for column in columns})
    for name in given:
        if name not in names:
            raise ModelError(f"the model has no covariate {name!r}; it has {', '.join(names) or 'none'}.")
    row = np.ones(len(columns) + 1)
    for i, column in enumerate(columns, start=1):
        values = fitted.sums.covariates[column.source]
        if column.source in given:
            values = np.array([given[column.source]], dtype=values.dtype)
        row[i] = float(column.scaled(values).mean())
    return row


def client_row(fitted: Fitted, index: int) -> Floats:
    """Scaled covariate columns of a client that was fitted."""
    values = fitted.sums.covariates
    scaled = [float(c.scaled(values[c.source][index : index + 1])[0]) for c in fitted.terms.covariates]
    return np.array([1.0, *scaled])


def as_times(times: ArrayLike) -> Floats:
    """Check times and make them a flat array."""
    array = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ModelError("times must be a list of finite numbers, in the unit of the time column.")
    return array


def _coefficients(fitted: Fitted) -> Floats:
    return fitted.design.least_squares - fitted.optimum.gamma[:-1]


def _rows(fitted: Fitted, times: Floats, row: Floats) -> tuple[Floats, Floats]:
    """Build internal X and Z at these times."""
    u = fitted.sums.basis.columns(times)
    names = fitted.design.x_names
    kept = [pair for pair, name in zip(fitted.terms.pairs, fitted.terms.names, strict=True) if name in names]
    x = np.array([u[a] * row[c] for a, c in kept]).T
    z = u.T @ fitted.sums.basis.to_raw()[:, fitted.random] @ fitted.design.z_back
    return x, z


def _of_client(fitted: Fitted, index: int) -> tuple[Floats, Floats]:
    """S and B of one client."""
    for block in fitted.design.statistics.blocks:
        if index < block.clients:
            return block.s[:, :, index], block.b[:, :, index]
        index -= block.clients
    raise IndexError(index)
