"""Every kind of table that scoring promises to take, behind one fixture."""

from __future__ import annotations

import math

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest


def _polars(data):
    return pl.DataFrame(data, strict=False)


def _duckdb(data):
    return duckdb.connect().from_arrow(_polars(data).to_arrow())


KINDS = {
    "pandas": pd.DataFrame,
    "pandas-nullable": lambda data: pd.DataFrame(data).convert_dtypes(),
    "pandas-pyarrow": lambda data: pd.DataFrame(data).convert_dtypes(dtype_backend="pyarrow"),
    "pandas-object": lambda data: pd.DataFrame(data, dtype=object),
    "polars": _polars,
    "polars-lazy": lambda data: _polars(data).lazy(),
    "pyarrow": lambda data: _polars(data).to_arrow(),
    "duckdb": _duckdb,
}


QUICK = ("pandas", "polars")  # make test-quick asks these alone
MARKS = dict.fromkeys(QUICK, ()) | {"duckdb": pytest.mark.long}  # the others: make test-all


@pytest.fixture(params=[pytest.param(kind, marks=MARKS.get(kind, pytest.mark.slow)) for kind in KINDS])
def table(request):
    """Make a table of one kind from a dict of lists."""
    return KINDS[request.param]


@pytest.fixture
def read():
    """Read a table of any kind back as a dict of lists, blanks as None."""

    def back(made) -> dict[str, list]:
        frame = nw.from_native(made)
        eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        return {name: [_plain(value) for value in eager[name].to_list()] for name in eager.columns}

    return back


def _plain(value):
    return None if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)) else value


def columns(key, rows):
    """Item columns of an instrument from one tuple of answers per row."""
    return {f"{key}_{n}": list(answers) for n, answers in enumerate(zip(*rows, strict=True), 1)}


@pytest.fixture(name="columns")
def _columns():
    return columns
