"""Where will this client's scores lie: courses with bands that count every source of variance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike

from mbc.errors import ModelError, nearest
from mbc.models.change.inputs.distributions import normal_quantile
from mbc.models.change.inputs.score_arrays import as_array
from mbc.models.growth.design.design import ordered_levels
from mbc.models.growth.fit.fit_model import Fitted
from mbc.models.growth.matrices import Floats
from mbc.models.results.result import Result

Kind = Literal["prediction", "mean"]


@dataclass(frozen=True, slots=True)
class ClientCurve(Result):
    """A course over time with a band."""

    client: object  # None for the mean course
    time: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    level: float
    kind: Kind
    observations: int  # scores of this client that the curve rests on; 0 for one the model has not seen

    def _columns(self) -> dict[str, Any]:
        """Columns client (of a client's course), time, mean, lower, upper."""
        client = {} if self.client is None else {"client": [self.client] * len(self.time)}
        return {**client, "time": self.time, "mean": self.mean, "lower": self.lower, "upper": self.upper}


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
    half = normal_quantile(0.5 + level / 2) * scale * np.sqrt(variance)
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
    checked = {name: _known_value(fitted, name, value) for name, value in given.items()}
    row = np.ones(len(columns) + 1)
    for i, column in enumerate(columns, start=1):
        values = fitted.sums.covariates[column.source]
        if column.source in checked:
            values = np.array([checked[column.source]], dtype=values.dtype)
            row[i] = float(column.scaled(values)[0])
        else:
            row[i] = float(np.average(column.scaled(values), weights=fitted.sums.stands_for))
    return row


def _known_value(fitted: Fitted, name: str, value: object) -> object:
    """Check a covariate's value: a finite number, or a level that the model has seen."""
    values = fitted.sums.covariates[name]
    if values.dtype.kind == "f":
        try:
            number = float(cast("Any", value))
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise ModelError(f"covariate {name!r} is a number in this model, got {value!r}.")
        return number
    levels = ordered_levels(values, fitted.sums.declared.get(name))
    if value is None or str(value) not in levels:
        near = nearest(str(value), map(str, levels), most=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ModelError(
            f"covariate {name!r} has no level {value!r} in this model; it has "
            f"{', '.join(repr(level) for level in levels)}.{hint}"
        )
    return str(value)


def client_row(fitted: Fitted, index: int) -> Floats:
    """Scaled covariate columns of a client that was fitted."""
    values = fitted.sums.covariates
    scaled = [float(c.scaled(values[c.source][index : index + 1])[0]) for c in fitted.terms.covariates]
    return np.array([1.0, *scaled])


def index_of(client: object, places: Mapping[Any, int], *, new: bool) -> int | None:
    """Find a client among those of the model; None for one that is said to be new."""
    try:
        index = places.get(client)
    except TypeError:
        raise ModelError(f"client must be one identifier, got {client!r:.60}.") from None
    if index is None and not new:
        alike = [known for known in places if str(known) == str(client)]
        near = alike or nearest(str(client), map(str, places), most=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ModelError(
            f"client {client!r} is not in the model, which has {len(places)} clients.{hint} "
            "For a client not in the model, use new=True."
        )
    if index is not None and new:
        raise ModelError(f"client {client!r} is in the model: leave out new=True.")
    return index


def as_times(times: ArrayLike) -> Floats:
    """Check times and make them a flat array."""
    array = np.atleast_1d(as_array(times, "times"))
    if not array.size or not np.isfinite(array).all():
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
