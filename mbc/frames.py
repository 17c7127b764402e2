"""How a table of any kind comes in: its engine kept, its answers as numbers, NaN and blanks as null."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import polars as pl

from mbc.errors import FrameError, MissingItems, nearest

Frame: TypeAlias = "nw.DataFrame[Any] | nw.LazyFrame[Any]"

# What a form or an export writes for a whole number or a decimal fraction; anything else is not an answer.
_NUMBER = r"^[+-]?\d+(?:\.\d*)?$"
_MOST_NAMES, _LONGEST_NAME = 12, 60
_UNREADABLE = "__unreadable"
_BLANK = {"None", "nan", "<NA>", "NaT"}  # how Python writes the blanks of every library


@dataclass(frozen=True, slots=True)
class Numbers:
    """Answer columns as numbers, null where blank or unreadable."""

    frame: Frame  # eager: these columns alone, as polars; lazy: the whole table with them added
    unreadable: Mapping[str, str]  # number column -> column that is True where something else stands
    fractional: frozenset[str]  # number columns whose type can hold 2.5
    read: tuple[str, ...] = ()  # columns of the caller's table that they were read from


def open_frame(table: Any) -> Frame:
    """Take a table of any engine that narwhals knows; nothing is copied.

    Parameters
    ----------
    table : pandas, polars (eager or lazy), pyarrow, duckdb or pyspark table
        A narwhals frame is taken as it is.

    Raises
    ------
    FrameError
        If it is not a table, or its columns have no distinct names.

    Examples
    --------
    >>> import polars as pl
    >>> open_frame(pl.DataFrame({"q1": [1]})).columns
    ['q1']
    """
    try:
        frame = nw.from_native(table)
        frame.collect_schema()
    except nw.exceptions.DuplicateError as fault:
        raise FrameError(f"Column names must be unique. {fault}. Rename them.") from None
    except (TypeError, ValueError, AttributeError, nw.exceptions.NarwhalsError) as fault:
        raise FrameError(
            f"Expected a table (pandas, polars, pyarrow, duckdb or pyspark), got {type(table).__name__}: {fault}"
        ) from None
    return frame


def close_frame(frame: Frame, table: Any) -> Any:
    """Hand a frame back as the kind of ``table`` that came in."""
    return frame if isinstance(table, nw.DataFrame | nw.LazyFrame) else frame.to_native()


def to_polars(table: Any) -> pl.DataFrame:
    """Bring a table of any engine into memory as polars, NaN as null.

    Examples
    --------
    >>> import pandas as pd
    >>> to_polars(pd.DataFrame({"score": [1.0, float("nan")]}))["score"].to_list()
    [1.0, None]
    """
    frame = open_frame(table)
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    out = eager.to_polars()
    floats = [name for name, kind in out.schema.items() if kind.is_float()]
    return out.with_columns(pl.col(floats).fill_nan(None)) if floats else out


def _printable(name: str) -> str:
    """Write a name of a column so that a terminal can show it, whatever file it is from."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]} ..."


def require(frame: Frame, columns: Iterable[str], what: str, *, hint: str = "") -> None:
    """Refuse a table that lacks columns; the nearest names found are offered.

    Parameters
    ----------
    frame : narwhals frame
    columns : iterable of str
        The names needed.
    what : str
        Who needs them, as the message should begin: ``"phq9"``.
    hint : str
        A further sentence.

    Raises
    ------
    MissingItems
        Naming what is missing, what was found and which renaming may help.
    """
    needed = list(columns)
    present_names = [str(name) for name in frame.collect_schema().names()]
    missing = [name for name in needed if name not in present_names]
    if not missing:
        return
    spare = [name for name in present_names if name not in needed]
    renames: dict[str, str] = {}
    for name in missing:
        near = [candidate for candidate in nearest(name, spare) if candidate not in renames]
        if near:
            renames[near[0]] = name
    advice = " Rename " + ", ".join(f"'{old}' -> '{new}'" for old, new in renames.items()) + "?" if renames else ""
    present = _some([_printable(name) for name in present_names]) or "no columns"
    ending = f" {hint}" if hint else ""
    raise MissingItems(f"{what} needs {_some(missing)}; the frame has {present}.{advice}{ending}")


def number(
    name: str, kind: Any, *, yes_no: bool = False, keep_whole: bool = False
) -> tuple[nw.Expr, nw.Expr | None]:
    """Read one column as numbers, whatever its type.

    Parameters
    ----------
    name : str
        The column.
    kind : narwhals dtype
        Its type: whole, fractional, text of digits, yes/no, categories or all blank.
    yes_no : bool
        True and False count as 1 and 0; otherwise they are no answers.
    keep_whole : bool
        Whether 32 and 64 bit whole numbers may stay what they are.

    Returns
    -------
    number : Expr
        Null where blank, NaN or unreadable. Wide enough to be summed: whole columns that are stay as they are on
        polars, which spares a copy; all else is read as float.
    unreadable : Expr or None
        True where something stands that is no number; None where the type rules that out.

    Raises
    ------
    FrameError
        If the type cannot hold answers, such as a date.
    """
    column = nw.col(name)
    if keep_whole and kind in {nw.Int32, nw.Int64}:
        return column, None
    if kind.is_float() or kind.is_integer() or kind.is_decimal():
        wide = column if kind == nw.Float64 else column.cast(nw.Float64)
        return (wide.fill_nan(None) if kind.is_float() else wide), None
    if kind == nw.Boolean:
        as_number = column.cast(nw.Int8).cast(nw.Float64)
        return (as_number, None) if yes_no else (nw.lit(None, nw.Float64), ~column.is_null())
    if kind in {nw.String, nw.Categorical, nw.Enum}:
        text = (column if kind == nw.String else column.cast(nw.String)).str.strip_chars()
        if yes_no:
            lower = text.str.to_lowercase()
            text = nw.when(lower == "true").then(nw.lit("1")).otherwise(text)
            text = nw.when(lower == "false").then(nw.lit("0")).otherwise(text)
        fits = text.str.contains(_NUMBER).fill_null(value=False)
        return nw.when(fits).then(text).cast(nw.Float64), ~fits & (text.str.len_chars().fill_null(0) > 0)
    if kind == nw.Unknown:  # a column of nothing but nulls
        return column.cast(nw.Float64), None
    raise _no_answers(name, kind)


def _no_answers(name: str, kind: object) -> FrameError:
    return FrameError(f"Column '{name}' contains {kind}; answers must be numbers, or numbers as text.")


def read_numbers(frame: Frame, columns: Mapping[str, str], *, yes_no: Container[str] = ()) -> Numbers:
    """Read answer columns as numbers under names of their own.

    Parameters
    ----------
    frame : narwhals frame
    columns : mapping
        Name to give -> column to read.
    yes_no : container of str
        Given names for which True and False are answers.

    Raises
    ------
    FrameError
        If a column's type cannot hold answers.
    """
    read = tuple(dict.fromkeys(columns.values()))
    source = _answers(frame, read)
    schema = source.collect_schema()
    keep_whole = source.implementation.is_polars()
    no_nan = _numpy_floats(frame, read)
    made: list[nw.Expr] = []
    unreadable: dict[str, str] = {}
    for name, column in columns.items():
        if column in no_nan:
            numbers, faulty = nw.col(column).cast(nw.Float64), None
        else:
            numbers, faulty = number(column, schema[column], yes_no=name in yes_no, keep_whole=keep_whole)
        made.append(numbers.alias(name))
        if faulty is not None:
            unreadable[name] = f"{name}{_UNREADABLE}"
            made.append(faulty.alias(unreadable[name]))
    fractional = frozenset(
        name
        for name, column in columns.items()
        if not (schema[column].is_integer() or schema[column] == nw.Boolean)
    )
    if isinstance(source, nw.LazyFrame):
        return Numbers(source.with_columns(*made), unreadable, fractional, read)
    return Numbers(source.select(*made), unreadable, fractional, read)


def add_columns(frame: Frame, numbers: Numbers, steps: Sequence[Sequence[nw.Expr]], names: Sequence[str]) -> Frame:
    """Add columns computed from ``numbers`` to the table they were read from; order and index are kept.

    Parameters
    ----------
    frame : narwhals frame
        The table that ``numbers`` were read from.
    numbers : Numbers
    steps : sequence of sequences of Expr
        The first step sees the number columns, each later one the columns of the step before too.
    names : sequence of str
        The columns to keep.
    """
    if isinstance(frame, nw.DataFrame):
        made = _made(numbers.frame, steps)
        return frame.with_columns(*_as_in(frame, made, names, numbers.read))
    frame_with_scores = numbers.frame
    for step in steps:
        frame_with_scores = frame_with_scores.with_columns(*step)
    return frame_with_scores.select(*frame.collect_schema().names(), *names)


def _answers(frame: Frame, columns: Sequence[str]) -> Frame:
    """Take the columns to read; of a pandas or pyarrow table as polars, which sums them several times faster."""
    if not isinstance(frame, nw.DataFrame):
        return frame
    chosen = _without_objects(frame.select(*columns), columns)
    kind = chosen.implementation
    for name, dtype in chosen.schema.items() if kind.is_pandas() else ():
        native = chosen[name].to_native().dtype
        if dtype == nw.Unknown and str(native) != "null[pyarrow]":  # complex numbers, periods, intervals
            raise _no_answers(name, native)
    return nw.from_native(chosen.to_polars()) if kind.is_pandas() or kind.is_pyarrow() else chosen


def _numpy_floats(frame: Frame, columns: Iterable[str]) -> frozenset[str]:
    """Columns of pandas whose NaN, the only blank they have, became null on the way to polars."""
    if not isinstance(frame, nw.DataFrame) or not frame.implementation.is_pandas():
        return frozenset()
    return frozenset(name for name in columns if str(frame[name].to_native().dtype) in {"float64", "float32"})


def _without_objects(frame: nw.DataFrame[Any], columns: Sequence[str]) -> nw.DataFrame[Any]:
    """Columns of mixed Python objects (pandas alone has them) as text, so that one expression reads all."""
    schema = frame.collect_schema()
    texts = [
        nw.new_series(
            name, [_text(cell) for cell in frame[name].to_list()], nw.String, backend=frame.implementation
        )
        for name in columns
        if schema[name] == nw.Object
    ]
    return frame.with_columns(*texts) if texts else frame


def _made(numbers: Frame, steps: Sequence[Sequence[nw.Expr]]) -> nw.DataFrame[Any]:
    """Compute the steps; on polars in one plan, which works on many columns at once and copies fewer."""
    planned = numbers.lazy() if numbers.implementation.is_polars() else numbers
    made = planned.select(*steps[0])
    for step in steps[1:]:
        made = made.with_columns(*step)
    return made.collect() if isinstance(made, nw.LazyFrame) else made


def _as_in(
    frame: nw.DataFrame[Any], made: nw.DataFrame[Any], names: Sequence[str], read: Iterable[str]
) -> list[nw.Series[Any]]:
    """Columns as the kind of table that they are added to."""
    if made.implementation is frame.implementation:
        return [made[name] for name in names]
    # pyarrow, which the signature names, has no types of its own
    same = nw.from_arrow(made.select(*names), backend=frame.implementation)  # pyright: ignore[reportUnknownMemberType]
    if frame.implementation.is_pyarrow():
        return [_as_string(same[name]) for name in names]
    floats = _float_type(frame, read)
    return [
        _as_float(same[name], floats) if floats and same[name].dtype.is_float() else same[name] for name in names
    ]


def _as_string(column: nw.Series[Any]) -> nw.Series[Any]:
    return column.cast(nw.String) if column.dtype == nw.String else column


def _as_float(column: nw.Series[Any], kind: str) -> nw.Series[Any]:
    native: Any = column.to_native()
    return nw.from_native(native.astype(kind), series_only=True)


def _float_type(frame: nw.DataFrame[Any], read: Iterable[str]) -> str | None:
    """Type of a pandas table's own floats: numpy's (None), nullable or pyarrow's, as of the columns read."""
    types = {str(frame[name].to_native().dtype) for name in read}
    if any(kind.endswith("[pyarrow]") for kind in types):
        return "double[pyarrow]"
    return "Float64" if any(kind[:1].isupper() or kind == "boolean" for kind in types) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    written = str(value)
    return None if written in _BLANK else written


def _some(names: Sequence[str]) -> str:
    shown = list(names)
    if len(shown) > _MOST_NAMES:
        shown = [*shown[:3], "...", *shown[-3:]]
    return ", ".join(shown)
