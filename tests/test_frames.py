"""The door for tables: what is taken, how columns become numbers, and what is told when they are not there."""

from __future__ import annotations

import datetime as dt

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mbc import frames
from mbc.errors import FrameError, MissingItems


def numbers(values, *, yes_no=False, kind=None):
    frame = frames.open_frame(pl.DataFrame({"q": pl.Series(values, dtype=kind, strict=False)}))
    read = frames.read_numbers(frame, {"n": "q"}, yes_no={"n"} if yes_no else ())
    made = read.frame.to_native()
    wrong = made[read.unreadable["n"]].to_list() if read.unreadable else [False] * len(values)
    return made["n"].to_list(), wrong


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ([1, None, 3], [1.0, None, 3.0]),
        ([1.5, float("nan"), None], [1.5, None, None]),
        (["1", " 2 ", "3.0"], [1.0, 2.0, 3.0]),
        (["+1", "-2", "3."], [1.0, -2.0, 3.0]),
        (["", "  ", None], [None, None, None]),
        ([None, None, None], [None, None, None]),
    ],
)
def test_numbers_however_they_are_written(values, read):
    assert numbers(values) == (read, [False, False, False])


@pytest.mark.parametrize("text", ["often", "1,5", "1e3", "0x1", "NaN", "inf", "1 2", "--1", "."])
def test_text_that_is_no_number_is_marked_and_never_guessed(text):
    assert numbers([text, "1"]) == ([None, 1.0], [True, False])


def test_categories_are_read_by_their_text():
    assert numbers(["1", "x"], kind=pl.Categorical) == ([1.0, None], [False, True])


def test_yes_and_no_count_where_they_are_answers():
    assert numbers([True, False, None], yes_no=True) == ([1.0, 0.0, None], [False] * 3)
    assert numbers(["True", "false", "1"], yes_no=True) == ([1.0, 0.0, 1.0], [False] * 3)
    assert numbers([True, None])[1] == [True, False]


@pytest.mark.parametrize("value", [dt.date(2026, 1, 1), [1, 2], {"a": 1}])
def test_a_type_that_cannot_hold_answers_is_refused(value):
    with pytest.raises(FrameError, match="Column 'q' contains"):
        numbers([value])


def test_mixed_objects_of_pandas_are_read_without_changing_them():
    made = pd.DataFrame({"q": [1, "2", None, 3.0, "x", pd.NA, float("nan")]}, index=list("abcdefg"))
    frame = frames.open_frame(made)
    read = frames.read_numbers(frame, {"n": "q"})
    added = frames.add_columns(
        frame, read, [[nw.col("n"), nw.col(read.unreadable["n"])]], ["n", read.unreadable["n"]]
    )
    out = added.to_native()
    assert [None if pd.isna(one) else one for one in out["n"]] == [1.0, 2.0, None, 3.0, None, None, None]
    assert list(out[read.unreadable["n"]]) == [False, False, False, False, True, False, False]
    assert list(out.index) == list("abcdefg")
    assert made["q"].tolist()[:2] == [1, "2"]


@pytest.mark.parametrize("thing", [None, 3, "table", [1, 2], {"q": [1]}])
def test_something_else_than_a_table_is_refused(thing):
    with pytest.raises(FrameError, match="Expected a table"):
        frames.open_frame(thing)


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(FrameError, match=r"(?s)Column names must be unique.*'q' 2 times"):
        frames.open_frame(pd.DataFrame([[1, 2]], columns=["q", "q"]))


def test_every_kind_comes_into_memory_with_nan_as_null():
    data = {"id": ["a", "b"], "score": [1.0, float("nan")]}
    source = pl.DataFrame(data)
    made = [
        source,
        source.lazy(),
        source.to_arrow(),
        pd.DataFrame(data),
        duckdb.connect().from_arrow(source.to_arrow()),
        nw.from_native(source),
    ]
    for one in made:
        out = frames.to_polars(one)
        assert out.to_dict(as_series=False) == {"id": ["a", "b"], "score": [1.0, None]}
    assert frames.to_polars(pa.table({"n": [1]}))["n"].to_list() == [1]


def test_a_missing_column_is_told_with_what_was_found():
    frame = frames.open_frame(pl.DataFrame({"Score ": [1], "client": ["a"]}))
    with pytest.raises(
        MissingItems, match=r"review needs score; the frame has Score , client\. Rename 'Score ' -> 'score'\?"
    ):
        frames.require(frame, ["score", "client"], "review")
    frames.require(frame, ["client"], "review")


def test_each_rename_is_offered_once():
    frame = frames.open_frame(pl.DataFrame({"q_1": [1]}))
    with pytest.raises(MissingItems) as fault:
        frames.require(frame, ["q1", "q1a"], "mine")
    assert str(fault.value).count("'q_1' ->") == 1


def test_an_empty_table_of_no_columns():
    with pytest.raises(MissingItems, match="the frame has no columns"):
        frames.require(frames.open_frame(pl.DataFrame()), ["q1"], "mine")
