"""Scoring keeps what it was given, refuses what it cannot accept, and is the same on every kind of table."""

from __future__ import annotations

import datetime as dt

import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

import mbc
from mbc.errors import DefinitionError, FrameError, InvalidResponse, MissingItems, UnknownInstrument
from mbc.instruments import keyed_items

RSES_A = (2, 1, 2, 2, 1, 2, 3, 2, 1, 1)  # keyed: 2+2+2+2+2+1+3+1+2+1 = 18
RSES_A_TOTAL = 18.0


def test_the_same_kind_of_table_comes_back_with_everything_in_its_place(table, read, columns):
    made = table({"who": ["b", "a"]} | columns("rses", [RSES_A, (0,) * 10]) | {"note": ["x", None]})
    out = mbc.score(made, "rses")
    assert type(out) is type(made)
    row = read(out)
    added = ["rses_total", "rses_total_answered"]
    assert list(row) == ["who", *(f"rses_{n}" for n in range(1, 11)), "note", *added]
    assert row["who"] == ["b", "a"]
    assert row["note"] == ["x", None]
    assert row["rses_total"] == [RSES_A_TOTAL, 15.0]
    assert row["rses_total_answered"] == [10, 10]


def test_types_of_the_added_columns(table, columns):
    out = nw.from_native(mbc.score(table(columns("phq9", [(1,) * 9])), "phq9"))
    kinds = out.collect_schema()
    assert kinds["phq9_total"] == nw.Float64
    assert kinds["phq9_total_answered"].is_integer()
    assert kinds["phq9_total_band"] == nw.String
    assert kinds["phq9_total_prorated"] == nw.Boolean


def test_the_input_is_not_changed(columns):
    made = pd.DataFrame(columns("rses", [RSES_A]), index=["only"])
    before = made.copy()
    mbc.score(made, "rses", invalid="null")
    assert_frame_equal(made, before)


def test_the_index_of_pandas_is_kept(columns):
    made = pd.DataFrame(columns("rses", [RSES_A, (0,) * 10, (3,) * 10]), index=[7, 7, 2])
    out = mbc.score(made, "rses")
    assert list(out.index) == [7, 7, 2]
    assert list(out["rses_total"]) == [RSES_A_TOTAL, 15.0, 15.0]


def test_a_narwhals_frame_is_taken_and_given_back(columns):
    out = mbc.score(nw.from_native(pl.DataFrame(columns("rses", [RSES_A]))), "rses")
    assert isinstance(out, nw.DataFrame)


def test_a_lazy_table_stays_lazy(columns):
    made = pl.LazyFrame(columns("rses", [RSES_A]))
    assert isinstance(mbc.score(made, "rses"), pl.LazyFrame)
    assert isinstance(mbc.score(made, "rses", invalid="null"), pl.LazyFrame)


def test_nothing_is_collected_when_faults_count_as_blank(columns):
    def refuse(_frame):
        raise AssertionError("collected")

    made = pl.LazyFrame(columns("rses", [RSES_A])).map_batches(refuse, validate_output_schema=False)
    assert isinstance(mbc.score(made, "rses", invalid="null"), pl.LazyFrame)


def test_an_empty_table_gives_empty_columns(table, read):
    made = table({f"rses_{n}": [] for n in range(1, 11)})
    assert read(mbc.score(made, "rses"))["rses_total"] == []


def test_a_row_with_no_answer_has_no_score_and_a_count_of_nothing(table, read, columns):
    row = read(mbc.score(table(columns("rses", [(None,) * 10])), "rses", missing="prorate"))
    assert (row["rses_total"], row["rses_total_answered"], row["rses_total_prorated"]) == ([None], [0], [False])


@pytest.mark.parametrize(
    "write",
    [str, lambda one: f" {one} ", lambda one: f"{one}.0", float, lambda one: one],
    ids=["digits", "digits in blanks", "3.0 as text", "floats", "whole numbers"],
)
def test_answers_are_read_however_they_are_written(write, table, read, columns):
    made = table(columns("rses", [tuple(write(one) for one in RSES_A)]))
    assert read(mbc.score(made, "rses"))["rses_total"] == [RSES_A_TOTAL]


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_text_is_a_blank(blank, table, read, columns):
    made = table(columns("rses", [(*map(str, RSES_A[:9]), blank), tuple(map(str, RSES_A))]))
    row = read(mbc.score(made, "rses"))
    assert row["rses_total"] == [None, RSES_A_TOTAL]
    assert row["rses_total_answered"] == [9, 10]


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt8, pl.Int64, pl.Float32, pl.Float64, pl.Decimal(10, 2)])
def test_every_type_of_number_is_read(kind, columns):
    made = pl.DataFrame(columns("csi32", [(6, *([5] * 31))])).cast(kind)
    assert mbc.score(made, "csi32")["csi32_total"].to_list() == [161.0]  # past what eight bits can hold


def test_yes_and_no_are_answers_only_where_the_item_asks_for_them(table, columns):
    with pytest.raises(InvalidResponse, match="rses_1 has"):
        mbc.score(table(columns("rses", [(True, *RSES_A[1:])])), "rses")


def test_a_date_is_no_answer(columns):
    made = pl.DataFrame(columns("rses", [(dt.date(2026, 1, 1), *RSES_A[1:])]), strict=False)
    with pytest.raises(FrameError, match="Column 'rses_1' contains Date"):
        mbc.score(made, "rses")


def test_forms_are_item_orders(table, read, columns):
    # The same person on both printed orders: where each item of order a stands on order b.
    place = {1: 7, 2: 10, 3: 2, 4: 4, 5: 5, 6: 9, 7: 1, 8: 8, 9: 3, 10: 6}
    on_b = {b: RSES_A[a - 1] for a, b in place.items()}
    made = table(columns("rses", [tuple(on_b[n] for n in range(1, 11))]))
    assert read(mbc.score(made, "rses", form="b"))["rses_total"] == [RSES_A_TOTAL]
    assert read(mbc.score(made, "rses", form="a"))["rses_total"] != [RSES_A_TOTAL]


def test_codings_end_on_the_same_metric(table, read, columns):
    one_to_four = table(columns("rses", [tuple(one + 1 for one in RSES_A)]))
    assert read(mbc.score(one_to_four, "rses", coding="1-4"))["rses_total"] == [RSES_A_TOTAL]
    gad = table(columns("gad7", [(4,) * 7]))
    assert read(mbc.score(gad, "gad7", coding="1-4"))["gad7_total"] == [21.0]


def test_columns_by_pattern_and_by_list(table, read):
    made = table({f"Q{n}": [value] for n, value in enumerate(RSES_A, 1)})
    assert read(mbc.score(made, "rses", items="Q{n}"))["rses_total"] == [RSES_A_TOTAL]
    names = [f"Q{n}" for n in range(1, 11)]
    assert read(mbc.score(made, "rses", items=names))["rses_total"] == [RSES_A_TOTAL]


def test_prorating_gives_a_band_only_where_it_is_the_published_rule(table, read, columns):
    # gad7: 9 on 6 answers prorates to 10.5, across the line of 10; the form's own rule is strict.
    row = read(mbc.score(table(columns("gad7", [(2, 2, 2, 1, 1, 1, None)])), "gad7", missing="prorate"))
    assert (row["gad7_total"], row["gad7_total_band"], row["gad7_total_prorated"]) == ([10.5], [None], [True])


def test_who5_has_no_score_with_a_blank_even_when_prorating_is_asked_for(table, read, columns):
    row = read(mbc.score(table(columns("who5", [(3, 2, None, 2, 2)])), "who5", missing="prorate"))
    assert (row["who5_total"], row["who5_total_prorated"]) == ([None], [False])


def test_answers_out_of_range_are_refused_by_name(table, columns):
    made = table(columns("phq9", [(0, 5, 0, 0, 0, 0, 0, 0, 0), (0, 9, 0, 0, 0, 0, 0, 0, 0), (1,) * 9]))
    with pytest.raises(InvalidResponse) as fault:
        mbc.score(made, "phq9")
    assert "2 rows have answers" in str(fault.value)
    assert "phq9_2 has 5, 9 (accepted: 0-3)" in str(fault.value)
    assert 'invalid="null"' in str(fault.value)


@pytest.mark.parametrize(
    ("met", "shown"), [("often", "'often'"), (2.5, "2.5"), ("2.5", "2.5"), (-1, "-1"), ("1,0", "'1,0'")]
)
def test_what_is_no_answer_is_shown_as_it_stands(met, shown, table, columns):
    blank = "" if isinstance(met, str) else None
    made = table(columns("phq9", [(met, *([blank] * 8))]))
    with pytest.raises(InvalidResponse) as fault:
        mbc.score(made, "phq9")
    assert f"phq9_1 has {shown} (accepted: 0-3)" in str(fault.value)
    assert "1 row has" in str(fault.value)


def test_refused_answers_can_count_as_blank(table, read, columns):
    made = table(columns("phq9", [(2, 2, 2, 2, 2, 2, 2, 9, 2.5), (9, 9, 9, 1, 1, 1, 1, 1, 1)]))
    row = read(mbc.score(made, "phq9", invalid="null"))
    assert row["phq9_total"] == [18.0, None]
    assert row["phq9_total_answered"] == [7, 6]


def test_the_coding_that_would_fit_is_named(table, columns):
    made = table(columns("rses", [(1, 2, 3, 4, 4, 3, 2, 1, 4, 4)]))
    with pytest.raises(InvalidResponse, match=r"between 1 and 4: pass coding='1-4'\?"):
        mbc.score(made, "rses")


def test_zero_for_not_answered_is_recognised(table, columns):
    made = table(columns("rses", [(1, 2, 3, 4, 4, 3, 2, 1, 4, 4), (0, 2, 3, 4, 4, 3, 2, 1, 4, 4)]))
    with pytest.raises(InvalidResponse, match="If 0 stands for 'not answered'"):
        mbc.score(made, "rses", coding="1-4")


def test_a_missing_column_is_named_with_the_nearest_found(table):
    made = table({f"phq9_{n}": [1] for n in range(1, 9)} | {"PHQ_9": [1], "id": [1]})
    with pytest.raises(MissingItems) as fault:
        mbc.score(made, "phq9")
    assert "phq9 needs phq9_9; the frame has phq9_1, " in str(fault.value)
    assert "Rename 'PHQ_9' -> 'phq9_9'?" in str(fault.value)


def test_columns_of_another_pattern_are_pointed_out(table):
    made = table({f"Q{n}": [1] for n in range(1, 11)})
    with pytest.raises(MissingItems, match=r'pass items="Q\{n\}"'):
        mbc.score(made, "rses")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("Q", r"a pattern must contain \{n\}"),
        (["a", "b"], "has 10 items .* names 2 columns"),
        (["Q1"] * 10, "names Q1 more than once"),
    ],
)
def test_items_must_name_each_position_once(items, message):
    with pytest.raises(FrameError, match=message):
        mbc.score(pl.DataFrame({f"Q{n}": [1] for n in range(1, 11)}), "rses", items=items)


def test_columns_already_there_are_not_overwritten(columns):
    made = mbc.score(pl.DataFrame(columns("rses", [RSES_A])), "rses")
    with pytest.raises(FrameError, match="already has rses_total, rses_total_answered"):
        mbc.score(made, "rses")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"key": "rsees"}, UnknownInstrument, "Did you mean 'rses'"),
        ({"form": "c"}, DefinitionError, "rses has no form 'c'; it has a, b"),
        ({"coding": "0-4"}, DefinitionError, "rses has no coding '0-4'"),
        ({"missing": "mean"}, FrameError, "missing must be 'strict' or 'prorate', got 'mean'"),
        ({"invalid": "drop"}, FrameError, "invalid must be 'raise' or 'null', got 'drop'"),
    ],
)
def test_wrong_options_are_told(options, error, message, columns):
    made = pl.DataFrame(columns("rses", [RSES_A]))
    with pytest.raises(error, match=message):
        mbc.score(made, **({"key": "rses"} | options))


def test_something_else_than_a_table_is_refused():
    with pytest.raises(FrameError, match="Expected a table"):
        mbc.score([1, 2, 3], "rses")


def test_keyed_items_all_point_the_same_way(table, read, columns):
    row = read(keyed_items(table(columns("rses", [(0, 3, 0, 0, 3, 3, 0, 3, 3, 0)])), "rses"))
    assert [row[f"rses_keyed_i{n}"] for n in range(1, 11)] == [[0.0]] * 10


def test_a_row_of_means_under_the_answers_is_named_as_such_and_no_coding_is_proposed():
    rows = [[3, 2, 1, 0, 3, 2, 1, 0, 3, 2], ["Mean", *[None] * 9]]
    frame = pl.DataFrame({f"rses_{n}": [str(row[n - 1]) if row[n - 1] is not None else None for row in rows]
                          for n in range(1, 11)})  # fmt: skip
    with pytest.raises(InvalidResponse, match="A row without answers, such as a row of means") as fault:
        mbc.score(frame, "rses")
    assert "coding" not in str(fault.value).partition("accepted: ")[2]
