"""Which rows of a table go into a growth model: the entry point for tables in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from mbc.errors import FrameError, ModelError, nearest
from mbc.frames import open_frame
from mbc.models.growth.data.shapes import BINS, binned_quantiles
from mbc.models.growth.matrices import Floats

Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of labels: their distinct values, and which one each row has."""

    levels: tuple[Any, ...]
    codes: Codes


@dataclass(frozen=True)
class Rows:
    """Complete rows as arrays; clients are numbered 0, 1, ... in order of first appearance."""

    ids: NDArray[Any]  # (clients,)
    first: Codes | None  # each client's first row, where its rows stand together, in the order of the clients
    coded: Codes | None  # the client of each row, where that is known already
    time: Floats  # (rows,)
    outcome: Floats  # (rows,)
    covariates: dict[str, NDArray[Any]]  # one value per client
    labels: dict[str, Labels]  # one label per row
    extras: dict[str, Floats]  # other numbers per row; may be NaN
    dropped: int  # rows left out because a value was missing
    declared: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # order of levels

    @cached_property
    def codes(self) -> Codes:
        """The client of each row."""
        if self.coded is not None:
            return self.coded
        assert self.first is not None  # noqa: S101  one of the two is given
        return np.repeat(np.arange(self.clients), self.lengths)

    @property
    def lengths(self) -> Codes:
        """Rows of each client."""
        if self.first is None:
            return np.bincount(self.codes, minlength=self.clients)
        lengths = np.empty_like(self.first)
        np.subtract(self.first[1:], self.first[:-1], out=lengths[:-1])
        lengths[-1] = self.time.size - self.first[-1]
        return lengths

    @property
    def clients(self) -> int:
        """Clients with at least one complete row."""
        return len(self.ids)

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """Pick some of the rows, with all clients kept."""
        return self._select(np.flatnonzero(chosen), first=None)

    def sorted_by_time(self) -> Rows:
        """Order the rows: each client's together, by time."""
        lengths = np.bincount(self.codes, minlength=self.clients)
        return self._select(np.lexsort((self.time, self.codes)), first=np.cumsum(lengths) - lengths)

    def by_cells(self, cells: Codes, client: Codes) -> Rows:
        """Let cells (parts of clients) stand for the clients; ``client`` is the client of each cell."""
        return replace(self, ids=self.ids[client], first=None, coded=cells)

    def with_outcome(self, outcome: Floats) -> Rows:
        """Replace the outcome."""
        return replace(self, outcome=outcome)

    def _select(self, rows: Codes, *, first: Codes | None) -> Rows:
        return replace(
            self,
            first=first,
            coded=self.codes[rows],
            time=self.time[rows],
            outcome=self.outcome[rows],
            labels={name: Labels(label.levels, label.codes[rows]) for name, label in self.labels.items()},
            extras={name: value[rows] for name, value in self.extras.items()},
        )

    def quantiles(self, shares: list[float]) -> Floats:
        """Quantiles of the times, to a thousandth of their range."""
        low, high = float(self.time.min()), float(self.time.max())
        part = ((self.time - low) / ((high - low) or 1.0) * BINS).astype(np.int64)
        counts = np.bincount(np.minimum(part, BINS - 1), minlength=BINS)
        return binned_quantiles(counts.astype(np.float64), low, high)(shares)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a table in memory; plain numeric columns of pandas and polars skip every detour."""

    native: Any

    def require(self, wanted: Sequence[str]) -> None:
        """Refuse a table that lacks a column."""
        plain = type(self.native).__module__.startswith(("pandas", "polars"))
        present = [*self.native.columns] if plain else self.wrapped.columns
        if not all(name in present for name in wanted):
            require_columns([str(name) for name in present], wanted)
        if len(set(present)) < len(present):
            refuse_duplicates(present)

    @property
    def wrapped(self) -> nw.DataFrame[Any]:
        """Behind narwhals."""
        frame = open_frame(self.native)
        return frame.collect() if isinstance(frame, nw.LazyFrame) else frame

    def plain(self, name: str) -> NDArray[Any] | None:
        """Take the numbers of a column of integers or floats without nulls; None for any other."""
        kind = type(self.native).__module__
        if kind.startswith("pandas"):
            column = self.native[name]
            dtype = getattr(column, "dtype", None)
            return column.to_numpy() if isinstance(dtype, np.dtype) and dtype.kind in "iuf" else None
        if kind.startswith("polars"):
            column = self.native.get_column(name)
            return column.to_numpy() if column.dtype.is_numeric() and not column.null_count() else None
        return None

    def floats(self, name: str) -> Floats:
        """Turn a column into floats, missing as NaN."""
        plain = self.plain(name)
        if plain is None or plain.dtype.kind not in "iuf":
            if self.wrapped.schema[name] == nw.Boolean:
                raise FrameError(
                    f"column {name!r} contains booleans; scores and times must be numbers. Convert it if 0 and 1 "
                    "are "
                    "meant."
                )
            return numeric(self.wrapped[name])
        return plain.astype(np.float64, copy=False)

    def identifiers(self, name: str) -> NDArray[Any]:
        """Client identifiers: the numbers themselves, or an object array."""
        plain = self.plain(name)
        return plain if plain is not None and plain.dtype.kind in "iu" else _identifiers(self.wrapped[name])

    def values(self, name: str) -> NDArray[Any]:
        """Turn a covariate into floats, or an object array of text with None for missing."""
        plain = self.plain(name)
        return _values(self.wrapped[name]) if plain is None else plain.astype(np.float64, copy=False)

    def declared(self, name: str) -> tuple[str, ...] | None:
        """Levels of a categorical column in their declared order; None where no order was declared."""
        kind = type(self.native).__module__
        if kind.startswith("pandas"):
            categories = getattr(self.native[name].dtype, "categories", None)
            return None if categories is None else tuple(map(str, categories))
        return declared_levels(self.wrapped.schema[name]) if self.plain(name) is None else None


def read_rows(
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    covariates: Sequence[str] = (),
    labels: Sequence[str] = (),
    extras: Sequence[str] = (),
) -> Rows:
    """Take the complete rows of a table in memory, native or behind narwhals."""
    table = Table(nw.to_native(frame, pass_through=True))
    refuse_shared(outcome=outcome, time=time, client=client)
    if client in covariates:
        raise ModelError(f"covariates names {client!r}, the column of the clients: it cannot also be a covariate.")
    table.require([outcome, time, client, *covariates, *labels])
    y, t, ids = table.floats(outcome), table.floats(time), table.identifiers(client)
    values = {name: table.values(name) for name in covariates}
    more = {name: table.floats(name) for name in extras}
    marks = {name: np.array(table.wrapped[name].to_list(), dtype=object) for name in labels}
    keep, all_finite = _complete([t, y, ids, *values.values(), *marks.values()])
    all_finite = all_finite and not more
    dropped = 0
    if keep is not None:
        dropped = int(keep.size - np.count_nonzero(keep))
        y, t, ids = y[keep], t[keep], ids[keep]
        values, marks, more = (
            {name: column[keep] for name, column in group.items()} for group in (values, marks, more)
        )
    if not y.size:
        raise ModelError(
            f"no row has all of {', '.join([outcome, time, client, *covariates])}. "
            f"The table has {dropped} rows; are the columns the right ones?"
        )
    if not all_finite:
        numbers = {name: column for name, column in (values | more).items() if column.dtype.kind == "f"}
        _require_finite({outcome: y, time: t} | numbers)
    if (t[:_FEW] == t[0]).all() and np.minimum.reduce(t) == np.maximum.reduce(t):
        raise ModelError(f"every row has time {t[0]:g}. Growth needs scores at two times or more.")
    unique, first, codes = encode(ids)
    at_client = {name: client_values(name, value, first, codes) for name, value in values.items()}
    marked = {name: labelled(mark) for name, mark in marks.items()}
    texts = [name for name in covariates if values[name].dtype.kind != "f"]
    declared = {name: order for name in texts if (order := table.declared(name)) is not None}
    return Rows(unique, first, codes, t, y, at_client, marked, more, dropped, declared)


_FEW = 64  # rows, of which two hardly ever have one time


def _complete(columns: list[NDArray[Any]]) -> tuple[NDArray[np.bool_] | None, bool]:
    """Rows with every value, None where that is all of them; and whether no number is missing or infinite."""
    keep: NDArray[np.bool_] | None = None
    all_finite = True
    for column in columns:
        if column.dtype.kind == "f":
            total = float(np.add.reduce(column))
            if math.isfinite(total):
                continue
            all_finite = False
            here = ~np.isnan(column)
        elif column.dtype.kind == "O":
            here = np.array([value is not None and value == value for value in column])  # noqa: PLR0124  NaN
        else:
            continue
        if not here.all():
            keep = here if keep is None else keep & here
    return keep, all_finite


def _require_finite(columns: Mapping[str, NDArray[Any]]) -> None:
    """Refuse infinite numbers, naming the column."""
    for name, column in columns.items():
        infinite = int(np.isinf(column).sum())
        if infinite:
            raise FrameError(
                f"column {name!r} contains {infinite} infinite number(s); scores, times and covariates must be "
                "finite."
            )


def require_columns(present: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse a table that lacks a column, naming the nearest."""
    for name in wanted:
        if name not in present:
            near = nearest(name, present)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FrameError(f"the table has no column {name!r}; it has {', '.join(map(str, present))}.{hint}")


def refuse_shared(**roles: str) -> None:
    """Refuse one column for two of outcome, time and client."""
    names = list(roles.values())
    for role, name in roles.items():
        if names.count(name) > 1:
            both = [other for other, used in roles.items() if used == name and other != role]
            raise FrameError(f"{role} and {both[0]} are both column {name!r}; each needs its own column.")


def refuse_duplicates(present: Sequence[object]) -> None:
    """Refuse a table two columns of which have one name."""
    twice = sorted({str(name) for name in present if list(present).count(name) > 1})
    raise FrameError(
        f"the table has more than one column named {', '.join(map(repr, twice))}. Rename or drop all but one."
    )


def declared_levels(dtype: object) -> tuple[str, ...] | None:
    """Levels of an Enum in their declared order; None for other types."""
    categories = getattr(dtype, "categories", None) if isinstance(dtype, nw.Enum) else None
    return None if categories is None else tuple(map(str, categories))


def numeric(column: nw.Series[Any]) -> Floats:
    """Turn a column into floats, missing as NaN."""
    if not column.dtype.is_numeric() and column.dtype != nw.Boolean:
        raise FrameError(
            f"column {column.name!r} must contain numbers, it contains {column.dtype}. "
            "Convert it first: scores to numbers, dates to time since intake."
        )
    array = column.to_numpy()
    if array.dtype == np.float64:
        return array
    if array.dtype.kind in "iufb":
        return array.astype(np.float64)
    return column.cast(nw.Float64()).to_numpy().astype(np.float64)


def _values(column: nw.Series[Any]) -> NDArray[Any]:
    """Turn a covariate into floats, or an object array of text with None for missing."""
    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        return numeric(column)
    texts = [None if value is None or value != value else str(value) for value in column.to_list()]  # noqa: PLR0124
    return np.array(texts, dtype=object)


def _identifiers(column: nw.Series[Any]) -> NDArray[Any]:
    """Client identifiers: the numbers themselves, or an object array."""
    if column.dtype.is_nested() or column.dtype == nw.Unknown:
        raise FrameError(
            f"column {column.name!r} must contain one identifier per row, it contains {column.dtype}."
        )
    if column.dtype.is_integer() and not column.null_count():
        return column.to_numpy()
    if column.null_count():
        raise FrameError(
            f"{column.null_count()} rows have no {column.name!r}. "
            "A growth model follows clients over time: fill the identifier, or drop those rows."
        )
    return np.array(column.to_list(), dtype=object) if not column.dtype.is_float() else column.to_numpy()


def encode(ids: NDArray[Any]) -> tuple[NDArray[Any], Codes | None, Codes | None]:
    """Find distinct identifiers as they appear, and first rows (clients stand together) or a code per row."""
    if ids.dtype.kind in "iuf":
        starts = np.empty(ids.size, dtype=np.bool_)
        starts[0] = True
        np.not_equal(ids[1:], ids[:-1], out=starts[1:])
        (first,) = starts.nonzero()
        heads = ids[first]
        if np.logical_and.reduce(heads[1:] > heads[:-1]):
            return heads, first, None
    import pandas as pd  # noqa: PLC0415  hashing; a sort would be several times slower

    raw_codes, unique = cast("tuple[Codes, NDArray[Any]]", pd.factorize(ids))
    codes = raw_codes.astype(np.intp, copy=False)
    together = bool((codes[1:] >= codes[:-1]).all())
    return np.asarray(unique), np.searchsorted(codes, np.arange(len(unique))) if together else None, codes


def labelled(column: NDArray[Any]) -> Labels:
    """Sort the distinct labels of a column and code its rows."""
    values: set[Any] = set(column.tolist())
    levels = sorted(values, key=lambda value: (type(value).__name__, value))
    place = {level: i for i, level in enumerate(levels)}
    return Labels(tuple(levels), np.array([place[value] for value in column.tolist()], dtype=np.intp))


def client_values(name: str, column: NDArray[Any], first: Codes | None, codes: Codes | None) -> NDArray[Any]:
    """One value per client of a covariate that must not change within a client."""
    if first is not None:
        values = column[first]
        changed = np.zeros(column.size, dtype=np.bool_)
        np.not_equal(column[1:], column[:-1], out=changed[1:])
        changed[first] = False
    else:
        assert codes is not None  # noqa: S101  one of the two is given
        place = np.empty(int(codes.max()) + 1, dtype=np.intp)
        place[codes[::-1]] = np.arange(codes.size)[::-1]
        values = column[place]
        changed = values[codes] != column
    if changed.any():
        raise ModelError(
            f"covariate {name!r} changes within a client (row {int(changed.argmax())}); growth_curve takes "
            "covariates that belong to the client, such as severity at intake. For one that changes from session "
            "to session use mixedlm with a formula."
        )
    return values
