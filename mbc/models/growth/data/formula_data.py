"""Which rows and columns a formula takes from a table."""

# statsmodels has no types.
# pyright: basic, reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from statsmodels.regression import mixed_linear_model as stock

from mbc.errors import FrameError, ModelError, nearest


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
    if not isinstance(data, pd.DataFrame | dict):
        table: Any = nw.from_native(data)
        data = (table.collect() if isinstance(table, nw.LazyFrame) else table).to_pandas()
    frame = pd.DataFrame(data)
    if isinstance(groups, str):
        if groups not in frame.columns:
            near = nearest(groups, map(str, frame.columns))
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FrameError(
                f"groups={groups!r} is not a column; there are {', '.join(map(str, frame.columns))}.{hint}"
            )
        frame = frame if subset is None else frame.loc[subset]
        return frame, np.asarray(frame[groups])
    if subset is not None:
        raise ModelError("with subset=, name the groups' column instead of passing an array.")
    groups = np.asarray(groups)
    if len(groups) != len(frame):
        raise FrameError(f"groups has {len(groups)} labels for {len(frame)} rows; give one per row.")
    return frame, groups


def complete_rows(
    data: pd.DataFrame, groups: np.ndarray, formulas: list[str], missing: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Drop rows with a missing value in a column that a formula names, or refuse them."""
    if missing not in {"none", "drop", "raise"}:
        raise ModelError(f"missing must be 'none', 'drop' or 'raise', got {missing!r}.")
    used = [name for name in data.columns if any(str(name) in formula for formula in formulas)]
    gaps = data[used].isna()
    bad = gaps.any(axis=1).to_numpy() | pd.isna(groups)
    if not bad.any():
        return data, groups
    if missing != "drop":
        where = [f"{name} ({count})" for name, count in gaps.sum().items() if count]
        raise ModelError(
            f"{int(bad.sum())} rows have missing values: {', '.join(where) or 'groups'}. Pass missing='drop'."
        )
    return data.loc[~bad], groups[~bad]
