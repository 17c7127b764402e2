from __future__ import annotations

from datetime import date

import polars as pl
import pyreadstat
import pytest

from mbc.errors import ImportRefused
from mbc.exchange import plan_import

pytestmark = pytest.mark.long

ROWS = {"client_id": ["C1", "C2"], "taken_on": [date(2026, 1, 5), date(2026, 1, 6)]} | {
    f"gad7_{n}": [float(n % 4), 99.0 if n == 3 else 1.0] for n in range(1, 8)
}


def test_user_missing_codes_of_spss_are_blanks_and_cases_are_counted_from_one(tmp_path, store, now):
    path = tmp_path / "gad.sav"
    pyreadstat.write_sav(pl.DataFrame(ROWS), path, missing_ranges={"gad7_3": [99]})
    plan = plan_import(path, store, now=now)
    assert plan.to_frame().select("rows", "outcome").rows() == [("1", "stored"), ("2", "stored")]
    assert "1 cell with user-missing codes read as not answered ('gad7_3')." in plan.notes
    plan.apply(store)
    assert store.answers(client_id="C2")["value"].to_list() == [1.0, 1.0, None, 1.0, 1.0, 1.0, 1.0]


@pytest.mark.usefixtures("readers_in_process")
def test_a_code_that_is_not_declared_missing_is_refused_by_its_case(tmp_path, store, now):
    path = tmp_path / "gad.sav"
    pyreadstat.write_sav(pl.DataFrame(ROWS), path)
    plan = plan_import(path, store, now=now)
    assert plan.refusals == ("case 2: gad7_3: 99 is out of range; accepted are 0 to 3 (coding 0-3)",)


@pytest.mark.usefixtures("readers_in_process")
def test_value_labels_say_which_coding_the_numbers_are_in(tmp_path, store, now):
    path = tmp_path / "gad.sav"
    low = pl.DataFrame(ROWS).with_columns(pl.col("^gad7_.$").clip(1, 3))
    labels = {
        f"gad7_{n}": {1: "never", 2: "some days", 3: "most days", 4: "always", 9: "refused"} for n in range(1, 8)
    }
    pyreadstat.write_sav(low, path, variable_value_labels=labels)
    plan = plan_import(path, store, now=now)
    assert set(plan.administrations["coding"]) == {"1-4"}
    five = {name: {**known, 5: "more than always"} for name, known in labels.items()}
    pyreadstat.write_sav(low, path, variable_value_labels=five)
    with pytest.raises(
        ImportRefused, match=r"5 'more than always', which is not one of its answer codings \(0-3, 1-4\)"
    ):
        plan_import(path, store, now=now)
    assert plan_import(path, store, coding="0-3", now=now).administrations["coding"].to_list() == ["0-3"] * 2


def test_parquet_is_read_with_its_types(tmp_path, store, now):
    path = tmp_path / "gad.parquet"
    pl.DataFrame(ROWS).with_columns(pl.col("gad7_3").replace(99.0, None)).write_parquet(path)
    assert plan_import(path, store, now=now).apply(store).counts["stored"] == 2


@pytest.mark.usefixtures("readers_in_process")
def test_numbers_of_single_precision_are_read_as_they_were_written_or_refused_as_identifiers(tmp_path, store, now):
    path = tmp_path / "gad.parquet"
    frame = pl.DataFrame(ROWS).with_columns(pl.col("gad7_3").replace(99.0, None)).cast({"^gad7_.$": pl.Float32})
    numbers = pl.Series("client_id", [16777217, 1042], dtype=pl.Int64)
    frame.with_columns(numbers.cast(pl.Float32)).write_parquet(path)
    plan = plan_import(path, store, now=now)
    (refusal,) = plan.refusals
    assert refusal.startswith("row 1: client_id: '1.6777216e7' is a number that a program has shortened, not the")
    frame.with_columns(numbers).write_parquet(path)
    assert plan_import(path, store, now=now).administrations["client_id"].to_list() == ["16777217", "1042"]
    totals = {"client_id": ["C1"], "taken_on": [date(2026, 1, 5)], "instrument": ["ecr"], "scale": ["anxiety"]}
    pl.DataFrame({**totals, "score": pl.Series([2.3], dtype=pl.Float32)}).write_parquet(path)
    assert plan_import(path, store, now=now).administrations["totals"].to_list()[0][0]["score"] == 2.3


@pytest.mark.parametrize(("start", "words"), [(b"$FL2", "an SPSS file"), (b"PAR1", "as Parquet")])
def test_damaged_files_are_refused(tmp_path, start, words):
    path = tmp_path / "x"
    path.write_bytes(start + bytes(300))
    with pytest.raises(ImportRefused, match=words):
        plan_import(path)


def test_nested_columns_are_no_table(tmp_path):
    pl.DataFrame({"client_id": ["C1"], "answers": [[1, 2]]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(ImportRefused, match="columns of lists or records: 'answers'"):
        plan_import(tmp_path / "x.parquet")
