"""How are scores read and results returned: one person's numbers, or arrays for many people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from narwhals.stable.v2.typing import IntoSeries
from numpy.typing import NDArray

from mbc.errors import ModelError

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int8]
LabelArray = NDArray[np.object_]
Column = Sequence[float | None] | NDArray[Any] | IntoSeries  # one score per client, any kind of table


def as_array(values: object, name: str, *, finite_only: bool = True) -> FloatArray:
    """Read scores as floats; whatever says "missing" becomes NaN.

    Parameters
    ----------
    values : number, sequence, array or series
        Scores; ``None``, null, NaN, masked and ``pandas.NA`` are missing.
    name : str
        What the caller calls them, for the message.
    finite_only : bool
        Refuse infinite numbers.

    Returns
    -------
    ndarray, shape () or (n,)

    Raises
    ------
    ModelError
        If they are not numbers, have more than one dimension, or are infinite.

    Examples
    --------
    >>> as_array([12, None, 7], "pre")
    array([12., nan,  7.])
    """
    try:
        array = _to_floats(values)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{name} must be a number, or a list, array or column of numbers; got {values!r:.80} ({error})."
        ) from error
    if array.ndim > 1:
        raise ModelError(f"{name} must have one dimension, got shape {array.shape}. Give one column of scores.")
    if not finite_only or not np.isinf(array).any():
        return array
    place = int(np.flatnonzero(np.isinf(np.atleast_1d(array)))[0])
    where = f" (the first at position {place})" if array.ndim else ""
    raise ModelError(f"{name} contains an infinite number{where}; scores must be finite, and missing ones blank.")


def as_numbers(values: object, name: str, *, dimensions: tuple[int, ...] = (0, 1, 2)) -> FloatArray:
    """Read an array of numbers of any allowed number of dimensions; NaN is missing.

    Raises
    ------
    ModelError
        If it holds something else, is infinite somewhere, is ragged, or has another number of dimensions.
    """
    given: object = values
    if not isinstance(given, np.ndarray) and not _is_nested(given) and 1 in dimensions:
        return as_array(given, name)
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{name} must be an array of numbers, got {values!r:.80} ({error}).") from None
    if array.ndim not in dimensions:
        raise ModelError(f"{name} must have {' or '.join(map(str, dimensions))} dimension(s), got {array.ndim}.")
    if np.isinf(array).any():
        raise ModelError(f"{name} contains an infinite number; values must be finite, and missing ones NaN.")
    return array


def _is_nested(values: object) -> bool:
    return isinstance(values, Sequence) and any(
        isinstance(row, Sequence | np.ndarray) for row in cast("Any", values)
    )


def _to_floats(values: object) -> FloatArray:
    if _is_missing(values):
        return np.array(math.nan)
    if isinstance(values, Mapping | set | frozenset):
        raise TypeError("it has no order that matches clients")
    if isinstance(values, np.ndarray) and cast("Any", values).dtype.kind in "mMc":
        raise TypeError(f"{cast('Any', values).dtype} is not a score")
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(cast("Any", values).astype(float).filled(math.nan))
    if isinstance(values, Real) or (isinstance(values, np.ndarray) and cast("Any", values).dtype.kind in "biuf"):
        return np.asarray(values, dtype=float)
    if isinstance(values, str):
        raise TypeError("text is not a score")
    if isinstance(values, nw.LazyFrame) or type(cast("Any", values)).__module__.startswith(("duckdb", "pyspark")):
        raise TypeError(
            "a column of a table that is not in memory; collect it first, or take pre and post from the table "
            "with models.pre_post_pairs(frame, ...), which reads every kind of table"
        )
    series = nw.from_native(cast("Any", values), series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        return _from_series(cast("nw.Series[Any]", series))
    items = list(cast("Iterable[Any]", values))
    if any(isinstance(item, str) for item in items):
        raise TypeError("text is not a score")
    return np.array([math.nan if _is_missing(item) else item for item in items], dtype=float)


def _from_series(series: nw.Series[Any]) -> FloatArray:
    if not (series.dtype.is_numeric() or series.dtype in {nw.Boolean(), nw.Object(), nw.Unknown()}):
        raise TypeError(f"a column of {series.dtype}")
    if series.dtype in {nw.Object(), nw.Unknown()}:
        return _to_floats(series.to_list())
    return np.asarray(series.cast(nw.Float64()).fill_null(math.nan).to_numpy(), dtype=float)


def _is_missing(value: object) -> bool:
    return value is None or type(value).__name__ == "NAType"


def pair(pre: object, post: object) -> tuple[FloatArray, FloatArray]:
    """Read both occasions.

    Raises
    ------
    ModelError
        If both are columns and their lengths differ.
    """
    for name, values in (("pre", pre), ("post", post)):
        _refuse_yes_or_no(values, name)
    before, after = as_array(pre, "pre"), as_array(post, "post")
    if before.ndim and after.ndim and before.shape != after.shape:
        raise ModelError(
            f"pre has {before.size} scores and post has {after.size}: they must belong to the same clients, "
            "in the same order. Join them by client first."
        )
    return before, after


def _refuse_yes_or_no(values: object, name: str) -> None:
    """Refuse booleans where scores are required."""
    dtype = getattr(values, "dtype", None)
    first = values
    if isinstance(values, list | tuple):
        first = next(iter(cast("list[object] | tuple[object, ...]", values)), None)
    if isinstance(first, bool | np.bool_) or str(dtype).casefold() in {"bool", "boolean"}:
        raise ModelError(f"{name} contains booleans, not scores. Convert it if 0 and 1 are meant.")


def like_input(values: FloatArray | float, shape: tuple[int, ...]) -> Any:
    """Give a float (None where missing) for one person, a read-only array for many."""
    if shape:
        view = np.broadcast_to(np.asarray(values), shape).view()
        view.flags.writeable = False
        return view
    value = float(values)
    return value if math.isfinite(value) else None


def words_of(codes: CodeArray, words: Sequence[str | None]) -> Any:
    """Turn codes into words: one word for one person, an object array for many.

    ``words[code]``; a negative code counts from the end, as in Python.
    """
    if codes.ndim == 0:
        return words[int(codes)]
    return cast("LabelArray", np.array(words, dtype=object)[codes])


def word_column(codes: CodeArray, words: Sequence[str | None]) -> pl.Series:
    """One frame column of words."""
    return pl.Series(words, dtype=pl.String).gather(np.atleast_1d(codes) % len(words))


def number_column(values: FloatArray | float | None) -> pl.Series:
    """One frame column of numbers; NaN becomes null."""
    array = np.atleast_1d(np.asarray(math.nan if values is None else values, dtype=float))
    return pl.Series(np.ascontiguousarray(array), nan_to_null=True)
