"""Which rows and columns a formula takes from a table."""

# statsmodels has no types.
# pyright: basic, reportAttributeAccessIssue=false
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from statsmodels.regression import mixed_linear_model as stock

from mbc.errors import FrameError, ModelError, nearest
from mbc.frames import open_frame
from mbc.models.growth.data.rows import refuse_duplicates


def component_columns(vc_formula: Mapping[str, str], data: pd.DataFrame, environment: Any) -> pd.DataFrame:
    """One column per variance component; several are a random factor within groups, which is refused by name."""
    columns: dict[str, Any] = {}
    for name in sorted(vc_formula):
        matrix = stock.FormulaManager().get_matrices(vc_formula[name], data, eval_env=environment, pandas=True)
        if matrix.shape[1] != 1:
            raise ModelError(
                f"vc_formula {name!r} ({vc_formula[name]!r}) has {matrix.shape[1]} columns "
                f"({', '.join(list(map(str, matrix.columns))[:4])}, ...): a factor within groups. mixedlm takes "
                "components of one column, such as '0 + weeks'. For clients within therapists use "
                "models.therapist_growth(..., therapist='...')."
            )
        columns[name] = np.asarray(matrix)[:, 0]
    return pd.DataFrame(columns)


def table_and_groups(data: Any, groups: Any, subset: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """Find a pandas table and one group label per row."""
    frame = _pandas_frame(data)
    if isinstance(groups, str):
        if groups not in frame.columns:
            near = nearest(groups, map(str, frame.columns))
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FrameError(
                f"groups={groups!r} is not a column; there are {', '.join(map(str, frame.columns))}.{hint}"
            )
        frame = frame if subset is None else frame.loc[subset]
        labels = np.asarray(frame[groups])
        if labels.dtype == object and any(isinstance(label, list | np.ndarray | dict) for label in labels):
            raise FrameError(f"column {groups!r} must contain one identifier per row, it contains lists.")
        return frame, labels
    if subset is not None:
        raise ModelError("with subset=, name the groups' column instead of passing an array.")
    groups = np.asarray(groups)
    if len(groups) != len(frame):
        raise FrameError(f"groups has {len(groups)} labels for {len(frame)} rows; give one per row.")
    return frame, groups


def _pandas_frame(data: Any) -> pd.DataFrame:
    """Make a pandas table of plain numbers, text and declared categories; other types would break formulas."""
    if not isinstance(data, pd.DataFrame | dict):
        table: Any = open_frame(data)
        eager = table.collect() if isinstance(table, nw.LazyFrame) else table
        # Categories in order of appearance are no declared order; an Enum keeps its own.
        undeclared = [name for name, dtype in eager.schema.items() if dtype == nw.Categorical]
        return (
            eager.with_columns(nw.col(*undeclared).cast(nw.String())).to_pandas()
            if undeclared
            else eager.to_pandas()
        )
    try:
        frame = pd.DataFrame(data)
    except (ValueError, TypeError) as fault:
        raise FrameError(f"data must be a table of equally long columns: {fault}.") from None
    if not frame.columns.is_unique:
        refuse_duplicates(list(frame.columns))
    return frame


def as_formula_table(data: Any) -> Any:
    """Make a pandas table that a fitted formula reads, of a table of any kind; arrays stay as they are."""
    if isinstance(data, np.ndarray | list | pd.Series):
        return data
    frame = _pandas_frame(data)
    readable = [name for name in frame.columns if not pd.api.types.is_datetime64_any_dtype(frame[name].dtype)]
    return plain_columns(frame, readable)


def plain_columns(frame: pd.DataFrame, used: list[Any]) -> pd.DataFrame:
    """Give the columns of a formula types that patsy reads; refuse, by name, what it cannot.

    Raises
    ------
    FrameError
        If a column has a type that a formula cannot use, or contains an infinite number.
    """
    changed = {name: _plain_column(name, frame[name]) for name in used}
    return frame.assign(**{str(name): column for name, column in changed.items()})


def _plain_column(name: Any, column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.remove_unused_categories()
    if pd.api.types.is_bool_dtype(column.dtype) and not column.isna().any():
        return column.astype(bool)
    if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "c":
        plain = column.astype(np.float64) if column.isna().any() or column.dtype.kind not in "iuf" else column
        if not isinstance(plain.dtype, np.dtype):
            plain = plain.astype(np.float64)
        if np.isinf(plain.to_numpy()).any():
            raise FrameError(f"column {name!r} contains an infinite number; scores and covariates must be finite.")
        return plain
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        values = [None if _is_missing(value) else value for value in column]
        kinds = {type(value) for value in values if value is not None}
        if kinds and all(issubclass(kind, int | float | np.number) and kind is not bool for kind in kinds):
            return pd.Series(
                np.array([np.nan if value is None else value for value in values], float), column.index
            )
        if kinds <= {str}:
            return pd.Series(values, index=column.index, dtype=object)
        raise FrameError(
            f"column {name!r} mixes {', '.join(sorted(kind.__name__ for kind in kinds))}; a formula takes "
            "numbers or text. Convert it first."
        )
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        raise FrameError(
            f"column {name!r} contains {column.dtype}; convert dates to time since intake, as a number."
        )
    raise FrameError(f"column {name!r} contains {column.dtype}, which a formula cannot use; convert it first.")


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def names_in(formulas: list[str], columns: Sequence[Any]) -> list[Any]:
    """Columns that formulas name, as whole words."""
    text = " ".join(formulas)
    return [name for name in columns if re.search(rf"(?<!\w){re.escape(str(name))}(?!\w)", text)]


def complete_rows(
    data: pd.DataFrame, groups: np.ndarray, formulas: list[str], missing: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Drop rows with a missing value in a column that a formula names, or refuse them."""
    if missing not in {"none", "drop", "raise"}:
        raise ModelError(f"missing must be 'none', 'drop' or 'raise', got {missing!r}.")
    used = names_in(formulas, list(data.columns))
    data = plain_columns(data, used)
    gaps = data[used].isna()
    bad = gaps.any(axis=1).to_numpy() | pd.isna(groups)
    if not bad.any():
        return data, groups
    if missing != "drop":
        where = [f"{name} ({count})" for name, count in gaps.sum().items() if count]
        raise ModelError(
            f"{int(bad.sum())} rows have missing values: {', '.join(where) or 'groups'}. Pass missing='drop'."
        )
    kept = data.loc[~bad]
    return plain_columns(kept, used), groups[~bad]
