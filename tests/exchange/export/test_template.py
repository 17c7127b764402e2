"""A template comes in as it is once it is filled in, and says what its columns mean."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

import mbc
from mbc.cli.program import program
from mbc.errors import SettingsError
from mbc.exchange import plan_import
from mbc.exchange.export.template import template, write_template
from mbc.instruments.library import all_keys
from mbc.store import Client, Relationship, Store

pytestmark = pytest.mark.long

WITH_ITEMS = [instrument for instrument in map(mbc.instrument, all_keys()) if instrument.items]
ANSWERS = (3, 0, 3, 2, 0, 1, 3, 1, 0, 3)  # form a, 0-3, items 2, 5, 6, 8 and 9 reversed: 27


@pytest.fixture
def store():
    with Store.create("sqlite://") as store:
        with store.writing() as record:
            record.add_all([Client("C1"), Relationship("R-1", "C1", "R1")])
        yield store


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_every_template_can_be_filled_in_and_comes_in_without_an_option(store, tmp_path, step):
    for instrument in WITH_ITEMS[::step]:
        path = tmp_path / f"{instrument.key}.csv"
        made = template(instrument)
        write_template(made, path)
        known = {"client_id": "C1", "date": "2026-03-31", "relationship": "R1"}
        known |= {"form": instrument.form().key, "coding": instrument.coding().key}
        items = dict(zip(instrument.item_columns(), instrument.form().order, strict=True))
        lowest = {name: instrument.coding().accepted(instrument.item(item))[0] for name, item in items.items()}
        with path.open("a", newline="") as file:
            csv.writer(file).writerow([(known | lowest)[name] for name in made.columns])
        plan = plan_import(path, store)
        assert plan.counts["stored"] == 1, (instrument.key, plan.refusals, plan.notes)
        assert not plan.notes, (instrument.key, plan.notes)
        text = "\n".join(made.lines)
        assert all(item.label in text for item in instrument.items), instrument.key
        assert all(f"{key}: " in text for key in made.columns if key in {"form", "coding"}), instrument.key


def test_a_workbook_explains_itself_and_comes_in_too(store, tmp_path):
    path = tmp_path / "rses.xlsx"
    write_template(template(mbc.instrument("rses")), path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["rses", "explanation"]
    book["rses"].append(["C1", "2026-03-31", "b", "1-4", *(answer + 1 for answer in ANSWERS)])
    book.save(path)
    plan = plan_import(path, store)
    assert plan.counts["stored"] == 1
    (row,) = plan.administrations.select("form", "coding").rows()
    assert row[0] == "b"
    rules = {str(rule.sqref): rule for rule in book["rses"].data_validations.dataValidation}
    assert rules["C2:C1000"].formula1 == '"a,b"'
    assert (rules["E2:E1000"].formula1, rules["E2:E1000"].formula2) == ("0", "4")


def test_what_has_no_items_or_another_ending_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="mbc record goal"):
        template(mbc.instrument("gbo"))
    with pytest.raises(SettingsError, match=r"ends in \.csv or \.xlsx"):
        write_template(template(mbc.instrument("rses")), tmp_path / "rses.pdf")


def test_the_command_writes_it_and_never_over_a_filled_one(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(program, ["import", "--template", "rses"])
    assert done.exit_code == 0
    assert "mbc import rses.csv --dry-run" in done.output
    (header,) = (tmp_path / "rses.csv").read_text().splitlines()
    assert header.startswith("client_id,date,form,coding,rses_1,")
    again = CliRunner().invoke(program, ["import", "--template", "rses"])
    assert "rses.csv" in str(again.exception)
    assert isinstance(again.exception, SettingsError)
    none = CliRunner().invoke(program, ["import"])
    assert none.exit_code == 2
    assert "mbc import --template rses" in none.output
