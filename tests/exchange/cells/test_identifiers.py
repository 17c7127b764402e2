"""Who is meant: one person stays one person, whatever the file's format."""

from __future__ import annotations

from datetime import date

import openpyxl
import polars as pl
import pytest

from mbc.errors import ImportRefused
from mbc.exchange import plan_import
from mbc.exchange.cells.identifiers import client_identifier
from mbc.exchange.plan.look_alikes import look_alikes

HEADER = "client_id,date," + ",".join(f"rses_{n}" for n in range(1, 11))
ANSWERS = ",".join("3210321032")


@pytest.mark.parametrize(("text", "client"), [
    ("1", "1"), ("1.0", "1"), ("1,00", "1"), ("007", "007"), ("C-01", "C-01"),
    ("1234567890123456", "1234567890123456"),
    ("site2.14", "site2.14"),
])  # fmt: skip
def test_a_whole_number_is_one_person_however_it_is_written(text, client):
    assert client_identifier(text) == client


@pytest.mark.parametrize(("text", "words"), [
    ("1.5", "a decimal number"), ("0,25", "a decimal number"), ("2026-01-05", "a date"), ("05.01.2026", "a date"),
    ("2026-01-05T10:00:00", "a date"), ("TRUE", "a truth value"), ("false", "a truth value"),
    ("1.23457E+15", "shortened"), ("1234567890123456.0", "more than 15 digits"), ("Ann Miller", "not a valid"),
])  # fmt: skip
def test_what_a_program_made_of_an_identifier_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        client_identifier(text)


@pytest.mark.usefixtures("readers_in_process")
def test_the_same_number_is_the_same_person_in_every_format(tmp_path, store, now):
    answers = dict(zip(HEADER.split(",")[2:], map(int, ANSWERS.split(",")), strict=True))
    frame = pl.DataFrame({"client_id": [1234567890123456.0], "date": [date(2026, 1, 5)], **answers})
    (tmp_path / "a.csv").write_text(f"{HEADER}\n1234567890123456,2026-01-05,{ANSWERS}\n")
    frame.write_parquet(tmp_path / "a.parquet")
    pyreadstat = pytest.importorskip("pyreadstat")
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"))
    found = {name: plan_import(tmp_path / f"a.{name}", store, now=now) for name in ("csv", "parquet", "sav")}
    assert {plan.administrations["client_id"][0] for plan in found.values()} == {"1234567890123456"}
    frame.with_columns(client_id=7.0).write_parquet(tmp_path / "b.parquet")
    assert plan_import(tmp_path / "b.parquet", store, now=now).administrations["client_id"].to_list() == ["7"]


@pytest.mark.usefixtures("readers_in_process")
def test_a_spreadsheet_keeps_no_more_than_fifteen_digits(tmp_path, store, now):
    book = openpyxl.Workbook()
    book.active.append(HEADER.split(","))
    book.active.append([1234567890123456, date(2026, 1, 5), *map(int, ANSWERS.split(","))])
    book.save(tmp_path / "a.xlsx")
    plan = plan_import(tmp_path / "a.xlsx", store, now=now)
    assert "more than 15 digits" in plan.refusals[0]


@pytest.mark.parametrize(("new", "known", "words"), [
    (["C-01", "c-01", "C_01", "01", "1"], [], "5 new clients may be known"),
    (["c01"], ["C-1"], "'c01' and 'C-1' (on record)"),
    (["7"], ["P007"], "'P007' (on record) and '7'"),
    (["C-01", "C-02", "C-11"], ["C-03"], None),
    ([], ["C-01", "c-01"], None),  # both known: nobody new
])  # fmt: skip
def test_look_alikes_are_named_before_anything_is_stored(new, known, words):
    notes = look_alikes(new, known)
    assert (words in notes[0]) if words else notes == ()


def test_a_column_that_counts_the_rows_is_no_client_where_another_may_be(store, write, now):
    rows = f"1,C7,2026-01-05,{ANSWERS}\n2,C7,2026-02-05,{ANSWERS}\n"
    path = write(HEADER.replace("client_id", "id,token") + "\n" + rows)
    with pytest.raises(ImportRefused, match="counts the rows"):
        plan_import(path, store, now=now)
    for column, clients in (("token", ["C7", "C7"]), ("id", ["1", "2"])):
        plan = plan_import(path, store, columns={"client_id": column}, now=now)
        assert plan.administrations["client_id"].to_list() == clients
    alone = write(HEADER.replace("client_id", "id") + f"\n1,2026-01-05,{ANSWERS}\n2,2026-02-05,{ANSWERS}\n")
    assert len(plan_import(alone, store, now=now).administrations) == 2
