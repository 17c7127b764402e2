"""What predicts rows of any table from any fitted growth model: its parts, and the columns it reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from mbc.errors import FrameError, ModelError, nearest
from mbc.frames import open_frame
from mbc.models.growth.comparison.compared_fit import ComparedFit, DataMark
from mbc.models.growth.data.client_sums import Basis, ClientSums
from mbc.models.growth.data.rows import Codes, Rows, Table
from mbc.models.growth.design.design import Design, Terms, ordered_levels
from mbc.models.growth.fit.fit_model import Fitted
from mbc.models.growth.matrices import Floats

Of = Literal["population", "client"]
NO_CLIENTS = (
    "this model was fitted to sums per design, which know no single client: it has the mean course, variances and "
    "tests of all. For clients' own effects and courses fit it with sums_per='client'; for the mean course of "
    "rows use of='population'; for a client known by some scores use predict_scores()."
)
_SAME = 1e-8  # relative: rows of a fit that were changed since


@dataclass(frozen=True, slots=True)
class Effects:
    """Random effects of one kind of unit: clients, or therapists."""

    column: str  # of the units' identifiers
    ids: Sequence[Any]
    means: Floats  # conditional, in the units of the data, (units, effects)
    covariance: Floats  # between units, (effects, effects)


@dataclass(frozen=True, slots=True)
class ModelParts:
    """A fitted growth model of one outcome, as far as predictions need it."""

    outcome: str
    time: str
    basis: Basis
    terms: Terms
    design: Design
    random: tuple[int, ...]  # columns of the time basis that vary between clients
    coefficients: Floats  # internal scale, (p,)
    covariates: Mapping[str, NDArray[Any]]  # one value per client
    declared: Mapping[str, tuple[str, ...]]
    effects: tuple[Effects, ...]  # of the clients first
    residual_variance: float
    mark: DataMark  # which scores were fitted
    rows: Any = field(default=None, repr=False)  # the table that was fitted, where it is in memory

    def without_rows(self) -> ModelParts:
        """Leave out the table: for copies and files."""
        return replace(self, rows=None)

    @property
    def client(self) -> str:
        """Column of the clients."""
        return self.effects[0].column

    @property
    def covariate_names(self) -> list[str]:
        """Columns of the covariates."""
        return sorted({column.source for column in self.terms.covariates})

    def fixed(self, time: Floats, values: Mapping[str, NDArray[Any]]) -> Floats:
        """Give fixed part of the course, in the units of the data; NaN where a value is missing."""
        u = self.basis.columns(time)
        scaled = [np.ones(time.size)]
        scaled += [_scaled(column, values[column.source]) for column in self.terms.covariates]
        kept = [
            pair
            for pair, name in zip(self.terms.pairs, self.terms.names, strict=True)
            if name in self.design.x_names
        ]
        x = np.array([u[a] * scaled[c] for a, c in kept])
        return self.design.outcome_spread * (self.coefficients @ x)

    def random_part(self, time: Floats, effects: Floats) -> Floats:
        """Random part for the effects of each row, (rows, effects): the first terms where they are fewer."""
        size = effects.shape[1]
        z = self.basis.columns(time).T @ self.basis.to_raw()[:, self.random[:size]]
        return np.asarray((z * effects).sum(axis=1), dtype=np.float64)


def parts_of(
    fitted: Fitted, outcome: str, time: str, clients: Effects, residual_variance: float, rows: Any
) -> ModelParts:
    """Take the parts of a plain growth curve."""
    design, at, sums = fitted.design, fitted.optimum, fitted.sums
    return ModelParts(
        outcome,
        time,
        sums.basis,
        fitted.terms,
        design,
        fitted.random,
        design.least_squares - at.gamma[:-1],
        sums.covariates,
        sums.declared,
        (clients,),
        residual_variance,
        DataMark.of_sums(sums),
        rows,
    )


def parts_of_rows(  # noqa: PLR0913 - options are keyword-only
    rows: Rows,
    sums: ClientSums,
    terms: Terms,
    design: Design,
    effects: tuple[Effects, ...],
    *,
    names: tuple[str, str],
    coefficients: Floats,
    residual_variance: float,
    table: object,
) -> ModelParts:
    """Take the parts of a model that was fitted to rows; ``names`` are the outcome's and the time's."""
    mark = DataMark.of(rows.outcome, rows.codes, rows.clients)
    random = tuple(terms.names.index(name) for name in design.z_names)
    in_memory = table is not None and not isinstance(open_frame(table), nw.LazyFrame)
    return ModelParts(
        *names,
        sums.basis,
        terms,
        design,
        random,
        coefficients,
        sums.covariates,
        sums.declared,
        effects,
        residual_variance,
        mark,
        table if in_memory else None,
    )


def compared(parts: ModelParts, label: str, *, log_likelihood: float, reml: bool, converged: bool) -> ComparedFit:
    """Describe a model of one outcome for `compare`."""
    shape = parts.basis.shape
    knots = f" of {shape!r}" if shape.name in {"piecewise", "spline"} else ""

    def named(name: str) -> str:
        return f"{name}{knots}" if name.startswith(parts.time) else name

    random = {
        "client" if place == 0 else effects.column: frozenset(
            named(parts.terms.names[column]) for column in parts.random[: effects.means.shape[1]]
        )
        for place, effects in enumerate(parts.effects)
    }
    return ComparedFit(
        f"{label} ({', '.join(parts.design.x_names)}; random {', '.join(parts.design.z_names)})",
        frozenset(named(name) for name in parts.design.x_names),
        random,
        log_likelihood,
        reml,
        converged,
        parts.mark,
    )


def _scaled(column: Any, values: NDArray[Any]) -> Floats:
    scaled = column.scaled(values)
    if column.level is None:
        return scaled
    return np.where([value is None for value in values], np.nan, scaled)


@dataclass(frozen=True, slots=True)
class GivenRows:
    """A table to predict, behind narwhals and as arrays."""

    native: Any
    table: Table
    size: int

    @staticmethod
    def of(frame: Any) -> GivenRows:
        """Open a table of any kind; one that is not in memory is collected."""
        opened: Any = open_frame(frame)
        eager = opened.collect() if isinstance(opened, nw.LazyFrame) else opened
        native = nw.to_native(cast("nw.DataFrame[Any]", eager))
        return GivenRows(native, Table(native), len(eager))

    @staticmethod
    def of_fit(models: Sequence[ModelParts], frame: Any) -> GivenRows:
        """Open the given table, or the table of a fit of one outcome or more; one that has changed is refused."""
        if frame is not None:
            return GivenRows.of(frame)
        if models[0].rows is None:
            raise ModelError(
                "this fit does not contain its rows (they are not in memory, or the fit was copied or read from a "
                "file): pass the table, as in residuals(frame)."
            )
        rows = GivenRows.of(models[0].rows)
        for parts in models:
            outcome, time = rows.outcome(parts.outcome), rows.times(parts)
            complete = np.isfinite(outcome) & np.isfinite(time)
            size, total = parts.mark.observations, parts.mark.total
            scale = max(float(np.abs(outcome[complete]).sum()), 1.0)
            seen = float(outcome[complete].sum())
            # Rows may be left out of a fit for a missing covariate: then only their number can be compared.
            if int(complete.sum()) < size or (complete.sum() == size and abs(seen - total) > _SAME * scale):
                raise ModelError(
                    "the table that was fitted has changed since: pass the rows, as in residuals(frame)."
                )
        return rows

    def outcome(self, name: str) -> Floats:
        """Scores of the rows; NaN where missing."""
        self.table.require([name])
        return self.table.floats(name)

    def times(self, parts: ModelParts) -> Floats:
        """Give times of the rows; NaN where missing, infinite ones refused."""
        self.table.require([parts.time])
        time = self.table.floats(parts.time).astype(np.float64)
        _require_finite(parts.time, time)
        return time

    def covariates(self, parts: ModelParts, codes: Codes | None) -> dict[str, NDArray[Any]]:
        """Values of the covariates: the table's own, or a known client's where it has no such column."""
        present = {str(name) for name in self.table.wrapped.columns}
        out: dict[str, NDArray[Any]] = {}
        for name in parts.covariate_names:
            if name in present:
                out[name] = _known_values(parts, name, self.table.values(name))
            elif codes is not None:
                out[name] = parts.covariates[name][codes]
            else:
                self.table.require([name])
        return out

    def codes(self, effects: Effects, what: str) -> Codes:
        """Place of each row's unit among those of the model.

        Raises
        ------
        ModelError
            If a unit is missing or not in the model.
        """
        self.table.require([effects.column])
        if not len(effects.ids):
            raise ModelError(NO_CLIENTS)
        ids: list[Any] = self.table.identifiers(effects.column).tolist()
        places = {unit: place for place, unit in enumerate(effects.ids)}
        unknown = list(dict.fromkeys(unit for unit in ids if unit not in places))
        if unknown:
            alike = [known for known in places if str(known) == str(unknown[0])]
            near = alike or nearest(str(unknown[0]), map(str, places), most=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            named = ", ".join(repr(unit) for unit in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
            raise ModelError(
                f"{what} {named} of column {effects.column!r} {'is' if len(unknown) == 1 else 'are'} not in the "
                f"model, which has {len(places)}.{hint} For clients not in the model, predict the mean "
                "course: of='population'."
            )
        return np.array([places[unit] for unit in ids], dtype=np.intp)

    def units(self, column: str) -> Codes:
        """Give number the units of a column in order of appearance; for draws, which need no known unit."""
        self.table.require([column])
        numbers: dict[Any, int] = {}
        ids: list[Any] = self.table.identifiers(column).tolist()
        return np.array([numbers.setdefault(unit, len(numbers)) for unit in ids], dtype=np.intp)

    def series(self, name: str, values: Floats) -> Any:
        """Make a column of the kind of this table; missing numbers are null, a pandas index is kept."""
        kind = type(self.native).__module__.partition(".")[0]
        if kind == "pandas":
            import pandas as pd  # noqa: PLC0415 - only where the table is one of pandas

            return pd.Series(values, index=self.native.index, name=name)
        cleaned = [None if math.isnan(value) else value for value in values.tolist()]
        wrapped = nw.new_series(name, cleaned, nw.Float64(), backend=self.table.wrapped.implementation)
        return wrapped.to_native()

    def with_columns(self, columns: Mapping[str, Floats], *, only: bool = False) -> Any:
        """Give the table with columns replaced or added; ``only`` them, in a table of the same rows."""
        wrapped = self.table.wrapped
        series = [
            nw.from_native(self.series(name, values), series_only=True).alias(name)
            for name, values in columns.items()
        ]
        table = wrapped.with_columns(*series)
        return nw.to_native(table.select(*columns) if only else table)


def predicted_rows(parts: ModelParts, rows: GivenRows, of: Of) -> Floats:
    """Predict rows: the mean course, or with the conditional means of every unit's effects."""
    time = rows.times(parts)
    codes = rows.codes(parts.effects[0], "client") if of == "client" else None
    mean = parts.fixed(time, rows.covariates(parts, codes))
    if codes is None:
        return mean
    mean = mean + parts.random_part(time, parts.effects[0].means[codes])
    for more in parts.effects[1:]:
        mean = mean + parts.random_part(time, more.means[rows.codes(more, more.column)])
    return mean


def fitted_columns(parts: ModelParts, rows: GivenRows) -> dict[str, Any]:
    """Give what was observed in each row and what the model expects there."""
    outcome, fitted = rows.outcome(parts.outcome), predicted_rows(parts, rows, "client")
    return {
        "client": rows.table.identifiers(parts.client),
        "time": rows.times(parts),
        "outcome": outcome,
        "mean": predicted_rows(parts, rows, "population"),
        "fitted": fitted,
        "residual": outcome - fitted,
    }


def complete_rows(columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Leave out the rows without a residual."""
    complete = np.isfinite(columns["residual"])
    return {name: column[complete].tolist() for name, column in columns.items()}


def _known_values(parts: ModelParts, name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Check a covariate's column: finite numbers, or levels that the model has seen."""
    seen = parts.covariates[name]
    if seen.dtype.kind == "f":
        if values.dtype.kind != "f":
            raise ModelError(f"covariate {name!r} is a number in this model; the table contains text.")
        _require_finite(name, values)
        return values
    if values.dtype.kind == "f":
        values = np.array([None if math.isnan(value) else f"{value:g}" for value in values.tolist()], dtype=object)
    levels = ordered_levels(seen, parts.declared.get(name))
    unknown = sorted({str(value) for value in values.tolist() if value is not None and value not in levels})
    if unknown:
        near = nearest(unknown[0], map(str, levels), most=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ModelError(
            f"covariate {name!r} has no level {unknown[0]!r} in this model; it has "
            f"{', '.join(repr(level) for level in levels)}.{hint}"
        )
    return values


def _require_finite(name: str, values: NDArray[Any]) -> None:
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise FrameError(
            f"column {name!r} contains {infinite} infinite number(s); times and covariates must be finite."
        )
