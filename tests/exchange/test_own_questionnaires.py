"""A clinic's own questionnaires leave and come back like any other; without their definition they are careful."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from mbc.exchange import export_record, plan_import
from mbc.exchange.export.write import FORMATS
from mbc.instruments.own.folders import using
from mbc.store import Administration, Client, Store
from tests.exchange.export.test_export import assert_same, place
from tests.own_questionnaires import unreadable

pytestmark = pytest.mark.long

# the longest name of a sheet has 31 characters; "goals" is also the name of a table of the record
KEYS = ("how_the_week_went_between_us_both_of_us", "goals")
DEFINITION = """
key = "{key}"
name = "Ours"
construct = "other"
version = "1"
source = "own"
confidence = "high"
licence = {{ status = "free", statement = "Ours." }}
answers = {{ range = [-2, 2], whole_numbers = false }}
items = [{{ id = "q1", label = "=closeness" }}, {{ id = "q2", label = "talk" }}]
[[scale]]
key = "total"
title = "Total"
rule = "sum"
range = [-4, 4]
better = "higher"
missing = {{ rule = "strict" }}
[sources.own]
citation = "Our clinic (2026)."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = tmp_path / "own"
    own.mkdir()
    for key in KEYS:
        (own / f"{key}.toml").write_text(DEFINITION.format(key=key))
    return own


@pytest.fixture
def record() -> Iterator[Store]:
    with Store.create("sqlite://") as made:
        with made.writing() as writing:
            writing.add(Client("C1"))
            for key in KEYS:
                writing.keep_definition(unreadable(key))
            for key, answers in zip(KEYS, ((-2, 1.5), (None, -1)), strict=True):
                about = {"form": "standard", "coding": "from-2to2", "version": "1"}
                writing.add(Administration("C1", key, date(2026, 1, 5), answers, **about))
        yield made


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind in {"excel", "fhir"} else pytest.mark.slow) for kind in FORMATS],
)
@pytest.mark.usefixtures("readers_in_process")
def test_they_come_back_from_every_format(record, folder, tmp_path, kind):
    path = place(tmp_path, kind)
    with using(folder):
        report = export_record(record, path, format=kind)
        assert (report.withheld, report.undefined, report.rows["scores"]) == ((), (), 2)
        assert_same(record, path)


def test_their_labels_are_no_formulas_in_codebooks_and_dictionaries(record, folder, tmp_path):
    with using(folder):
        for kind in ("csv", "redcap", "bids", "spss"):
            export_record(record, tmp_path / kind, format=kind)
        export_record(record, tmp_path / "a.xlsx", format="excel")
    files = [file for suffix in ("*.csv", "*.tsv") for file in tmp_path.rglob(suffix)]
    signs = {".csv": ",", ".tsv": "\t"}
    tables = [csv.reader(file.read_text().splitlines(), delimiter=signs[file.suffix]) for file in files]
    cells = [cell for table in tables for row in table for cell in row]
    assert "'=closeness" in cells
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in cells)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert not any(cell.data_type == "f" for sheet in book for row in sheet for cell in row)
    assert all(len(name) <= 31 for name in book.sheetnames)


def test_a_definition_that_was_added_later_is_known_at_once(record, folder, tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("client,date,instrument,item,value\n" + f"C1,2026-01-06,{KEYS[0]},1,-2\n")
    before = plan_import(path, record)
    assert f"there is no questionnaire '{KEYS[0][:20]}" in before.refusals[0]
    with using(folder):
        assert plan_import(path, record).counts["stored"] == 1


def test_without_their_definition_answers_stay_behind_as_if_they_were_about_safety(record, tmp_path):
    report = export_record(record, tmp_path / "out")
    assert report.withheld == report.undefined == tuple(sorted(KEYS))
    assert report.rows["clients"] == 1
    assert not any(name.startswith("administrations") for name in report.rows)
    everything = export_record(record, tmp_path / "all", include_safety=True)
    assert (everything.withheld, everything.undefined) == ((), tuple(sorted(KEYS)))
    administrations = {f"administrations/{key}": 1 for key in sorted(KEYS)}
    assert everything.rows == {"clients": 1, "definitions": 2, **administrations}
