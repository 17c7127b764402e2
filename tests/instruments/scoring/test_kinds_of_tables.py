"""Scores come back as the kind of table and column that came in, whatever the answers are stored as."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mbc.errors import InvalidResponse
from mbc.instruments import score

ROWS = {f"phq9_{n}": [1, 2, 0] for n in range(1, 9)} | {"phq9_9": [None, 0, 1]}
NAMES = ["phq9_total", "phq9_total_answered", "phq9_total_band", "phq9_total_prorated"]
SCORES = [9.0, 16.0, 1.0]  # 8 / 8 * 9; 8 x 2; 1


@pytest.mark.parametrize(
    ("make", "total"),
    [
        (lambda frame: frame, "float64"),
        (lambda frame: frame.astype("float32"), "float64"),
        (lambda frame: frame.convert_dtypes(), "Float64"),
        (lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"), "double[pyarrow]"),
        (lambda frame: frame.astype({"phq9_1": "Int8"}), "Float64"),
        (lambda frame: frame.astype({"phq9_1": "int64[pyarrow]"}), "double[pyarrow]"),
        (lambda frame: frame.astype(object), "float64"),
        (lambda frame: frame.astype("Int64").astype("string"), "float64"),
        (lambda frame: frame.astype("category"), "float64"),
    ],
    ids=["numpy", "float32", "nullable", "pyarrow", "one nullable", "one pyarrow", "object", "text", "categories"],
)
def test_pandas_keeps_index_and_kind_of_number(make, total):
    given = make(pd.DataFrame(ROWS, index=[7, 7, "x"]))
    before = given.copy()
    made = score(given, "phq9", missing="prorate")
    assert made.index.tolist() == [7, 7, "x"]
    assert [str(made[name].dtype) for name in NAMES] == [total, "int64", str(pd.Series(["a"]).dtype), "bool"]
    assert made["phq9_total"].tolist() == SCORES
    pd.testing.assert_frame_equal(given, before)


def test_pyarrow_keeps_its_types():
    made = score(pl.DataFrame(ROWS).to_arrow(), "phq9", missing="prorate")
    assert [made.schema.field(name).type for name in NAMES] == [pa.float64(), pa.int64(), pa.string(), pa.bool_()]
    assert made["phq9_total"].to_pylist() == SCORES


@pytest.mark.parametrize(
    "kind", [pl.Int8, pl.UInt8, pl.Int16, pl.UInt16, pl.Int32, pl.UInt64, pl.Int64, pl.Float32]
)
@pytest.mark.parametrize("lazy", [False, True])
def test_narrow_columns_do_not_overflow(kind, lazy):
    frame = pl.DataFrame({f"csi32_{n}": [0, 6 if n == 1 else 5] for n in range(1, 33)}).cast(kind)
    made = score(frame.lazy() if lazy else frame, "csi32").lazy().collect()
    assert made["csi32_total"].to_list() == [0.0, 161.0]
    reverse = pl.DataFrame({f"ecr_r_{n}": [1, 7] for n in range(1, 37)}).cast(kind)
    made = score(reverse.lazy() if lazy else reverse, "ecr_r").lazy().collect()
    # Anxiety: 16 items as they are, 2 turned round; avoidance: 6 and 12.
    assert made["ecr_r_anxiety"].to_list() == pytest.approx([(16 + 14) / 18, (112 + 2) / 18], abs=1e-12)
    assert made["ecr_r_avoidance"].to_list() == pytest.approx([(6 + 84) / 18, (42 + 12) / 18], abs=1e-12)


@pytest.mark.parametrize("value", [2**62, -(2**62), float("inf"), -float("inf"), 1e300])
@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame, lambda data: pl.DataFrame(data).to_arrow()])
def test_enormous_answers_are_refused_or_blank(value, make):
    data = ROWS | {"phq9_9": [value, 0, 1]}
    with pytest.raises(InvalidResponse, match="1 row has answers that are not accepted: phq9_9 has"):
        score(make(data), "phq9")
    made = score(make(data), "phq9", missing="strict", invalid="null")
    assert pl.DataFrame(made)["phq9_total"].fill_nan(None).to_list() == [None, 16.0, 1.0]


def test_no_rows_and_nothing_but_blanks():
    for make in (pl.DataFrame, pd.DataFrame, lambda data: pl.DataFrame(data).to_arrow()):
        none = score(make({name: [] for name in ROWS}), "phq9")
        assert list(pl.DataFrame(none).columns)[-4:] == NAMES
        blank = pl.DataFrame(score(make({name: [None, None] for name in ROWS}), "phq9"))
        assert blank["phq9_total"].fill_nan(None).to_list() == [None, None]
        assert blank["phq9_total_answered"].to_list() == [0, 0]
