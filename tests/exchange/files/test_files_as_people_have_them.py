"""Workbooks and text files as people really have them. Made here; what is right is seen by eye."""

from __future__ import annotations

import contextlib
import gzip
import random
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from mbc.errors import ImportRefused
from mbc.exchange import plan_import
from mbc.exchange.files import isolated, parquet, workbook
from mbc.exchange.files.excel import read_sheet
from tests.exchange.fuzz.mutate import damaged

pytestmark = pytest.mark.long

ITEMS = [f"rses_{n}" for n in range(1, 11)]
ANSWERS = [3, 2, 1, 0, 3, 2, 1, 0, 3, 2]
HEADER = ["client_id", "date", *ITEMS]
TEXT = ",".join(HEADER) + "\nC1,2026-01-05," + ",".join(map(str, ANSWERS)) + "\n"


def save(path: Path, rows: list[list[object]], **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    book.save(path)
    return path


def rewritten(path: Path, old: bytes, new: bytes, part: str = "xl/worksheets/sheet1.xml") -> Path:
    """Change the XML of one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("place", [
    "A4294967295", "A99999999", "ZZZZ9", "XFE2", "A1048577", "A9999999999999999999", "a1048577", "AAAAAAAAAAAAAA1",
])  # fmt: skip
def test_a_cell_outside_every_sheet_is_refused(tmp_path, place):
    path = rewritten(save(tmp_path / "a.xlsx", [HEADER, ["C1"]]), b'r="A2"', f'r="{place}"'.encode())
    with pytest.raises(ImportRefused, match=r"stray cells|damaged|far from"):
        read_sheet(path)


@pytest.mark.parametrize("damage", [b"\xe9", b"\xff\xff", b"<c", b"&#0;", b"</sheetData>", b"<!--"])
def test_damaged_xml_is_a_damaged_workbook_and_no_fault_of_ours(tmp_path, damage):
    path = rewritten(save(tmp_path / "a.xlsx", [HEADER, ["C1", "2026-01-05", *ANSWERS]]), b"<v>", damage + b"<v>")
    with contextlib.suppress(ImportRefused):
        read_sheet(path)


def test_a_reader_that_dies_or_never_ends_is_a_refusal(tmp_path, monkeypatch):
    path = save(tmp_path / "a.xlsx", [HEADER, ["C1", "2026-01-05", *ANSWERS]])
    script = tmp_path / "child.py"
    monkeypatch.setattr(isolated, "_READERS", script)
    for body, words, patience in (
        ("import os; os.abort()", "needs too much memory", 10),
        ("while True: pass", "takes too long", 10),
        ("import time; time.sleep(60)", "takes too long", 0.5),
        ("import sys; sys.exit(3)", "is damaged", 10),
        ("print('{')", "is damaged", 10),
    ):
        script.write_text(f"import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\n{body}\n")
        monkeypatch.setattr(isolated, "_SECONDS", 1)
        monkeypatch.setattr(isolated, "_PATIENCE", patience)
        with pytest.raises(ImportRefused, match=words):
            workbook.open_workbook(path)


def test_a_column_of_real_dates_and_texts_is_refused(tmp_path, store, now):
    rows = [[f"C{n}", day, *ANSWERS] for n, day in enumerate((date(2026, 5, 1), "25/01/2026", date(2026, 2, 3)))]
    path = save(tmp_path / "a.xlsx", [HEADER, *rows])
    with pytest.raises(ImportRefused, match=r"mixes real dates \(2\) with texts such as '25/01/2026'"):
        plan_import(path, store, now=now)
    sure = [[*row[:1], "2026-01-25" if isinstance(row[1], str) else row[1], *row[2:]] for row in rows]
    assert plan_import(save(tmp_path / "b.xlsx", [HEADER, *sure]), store, now=now).counts["refused"] == 0


def test_hidden_rows_and_other_sheets_are_counted(tmp_path, store, now):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in [HEADER, ["C1", date(2026, 1, 5), *ANSWERS], ["C2", date(2026, 1, 6), *ANSWERS]]:
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.create_sheet("Notes").append(["x"])
    book["Notes"].sheet_state = "hidden"
    book.save(path)
    notes = plan_import(path, store, sheet="Sheet", now=now).notes
    assert any("1 hidden row read like all the others (row 3)" in note for note in notes)
    assert any("Other sheets, not read: 'Notes (hidden)'." in note for note in notes)


@pytest.mark.parametrize("title", [[["Our study"], [], ["Printed", "today"]], [["Clinic report 2026"]]])
def test_a_title_above_the_header_is_named(tmp_path, title):
    path = save(tmp_path / "a.xlsx", [*title, HEADER, ["C1", "2026-01-05", *ANSWERS]])
    with pytest.raises(ImportRefused, match=f"the header seems to be row {len(title) + 1} "):
        read_sheet(path)


def test_spreadsheets_whose_cells_cannot_be_checked_are_not_read(tmp_path, store, now):
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<office:document-content/>")
    with pytest.raises(ImportRefused, match="is not an Excel workbook"):
        plan_import(path, store, now=now)


@pytest.mark.parametrize("text", [
    '"C1",2026-01-05,3,2,1,0,3,2,1,0,3,2\n"C2",2026-01-05,3,2,1',
    'C1,2026-01-05,3,2,1,0,3,2,1,0,3,2\nC2,"2026-01-05",3',
    'C1,2026-01-05,3,2,1,0,3,2,1,0,3,2\nC2,"2026-01',
    'C1,2026-01-05,3,2,1,0,3,2,1,0,3,2\nC2,2026-01-05,3',
])  # fmt: skip
def test_a_file_that_was_cut_off_is_refused_quotes_or_not(store, write, now, text):
    with pytest.raises(ImportRefused, match="ends in the middle of row 3"):
        plan_import(write(",".join(HEADER) + "\n" + text), store, now=now)


@pytest.mark.parametrize("quote", ["", '"'])
def test_rows_that_a_spreadsheet_shortened_are_blank_at_the_end_and_named(store, write, now, quote):
    rows = f"{quote}C1{quote},2026-01-05,3,2,1\nC2,2026-01-05,3,2,1,0,3,2,1,0,3,2\n"
    plan = plan_import(write(",".join(HEADER) + "\n" + rows), store, now=now)
    assert plan.administrations["answers"].to_list()[0] == [3, 2, 1, *[None] * 7]
    assert any("1 row with fewer cells than the header" in note for note in plan.notes)


def test_a_packed_file_is_read_and_named_as_it_is(store, tmp_path, now):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    plan = plan_import(path, store, now=now)
    assert plan.source.name == "a.csv.gz"
    assert plan.administrations["answers"].to_list() == [ANSWERS]
    path.write_bytes(gzip.compress(TEXT.encode())[:-9])
    with pytest.raises(ImportRefused, match="damaged gzip archive"):
        plan_import(path, store, now=now)


def test_a_line_or_a_header_without_end_is_refused_with_its_reason(store, write, now):
    with pytest.raises(ImportRefused, match="line 2 has more than 16 million characters"):
        plan_import(write(TEXT.splitlines()[0] + "\n" + "1" * (17 << 20)), store, now=now)
    with pytest.raises(ImportRefused, match="20012 columns; at most 16384"):
        plan_import(write(",".join([*HEADER, *(f"x{n}" for n in range(20000))]) + "\n1\n"), store, now=now)


def test_a_parquet_file_that_unpacks_beyond_measure_is_refused(tmp_path, monkeypatch, store, now):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"client_id": ["C1"] * 100, "date": ["2026-01-05"] * 100}).write_parquet(path)
    monkeypatch.setattr(parquet, "MOST_CELLS", 100)
    with pytest.raises(ImportRefused, match="100 rows and 2 columns; at most 100 cells"):
        plan_import(path, store, now=now)


def test_short_rows_under_a_wide_header_do_not_take_memory_without_end(store, write, now):
    wide = ",".join([*HEADER, *(f"x{n}" for n in range(10_000))])
    with pytest.raises(ImportRefused, match="60001 rows and 10012 columns; at most 50000000 cells"):
        plan_import(write(f"{wide}\n" + "1,2\n" * 60_000), store, now=now)


@pytest.mark.parametrize("number", [279, 1075, 3619])  # with which Polars 2.1 panics
def test_a_damaged_parquet_file_prints_no_panic(number, tmp_path, capfd):
    sound = (Path(__file__).parents[1] / "fuzz" / "seeds" / "wide.parquet").read_bytes()
    path = tmp_path / "a.parquet"
    path.write_bytes(damaged(sound, random.Random(f"pq{number}")))
    with pytest.raises(ImportRefused, match=r"'a\.parquet' is damaged"):
        plan_import(path)
    assert capfd.readouterr() == ("", "")


def test_a_moment_in_parquet_keeps_the_day_of_its_place(tmp_path, store, now):
    evening = pl.Series(["2026-01-05T23:30"]).str.to_datetime().dt.replace_time_zone("America/New_York")
    frame = pl.DataFrame({"client_id": ["C1"], "date": evening, **dict(zip(ITEMS, ANSWERS, strict=True))})
    frame.write_parquet(tmp_path / "a.parquet")
    (row,) = plan_import(tmp_path / "a.parquet", store, now=now).administrations.iter_rows(named=True)
    assert (str(row["taken_on"]), str(row["taken_at"])) == ("2026-01-05", "2026-01-06 04:30:00+00:00")
