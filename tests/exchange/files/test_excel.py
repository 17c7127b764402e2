"""Workbooks, made here cell by cell: what a spreadsheet program can put into one, and what an attacker can."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from mbc.errors import ImportRefused, SettingsError
from mbc.exchange import plan_import
from mbc.exchange.files import optional_libraries as extras
from mbc.exchange.files import workbook_guard
from mbc.exchange.files.excel import read_sheet
from mbc.exchange.files.text_table import ROW

ITEMS = [f"rses_{n}" for n in range(1, 11)]
ANSWERS = [3, 2, 1, 0, 3, 2, 1, 0, 3, 2]


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_sheet_is_imported_as_a_csv_file_is_with_real_dates(tmp_path, store, now):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "Answers": [
                ["client_id", "date", *ITEMS],
                ["C1", date(2026, 1, 5), *ANSWERS],
                [],
                ["C2", datetime(2026, 1, 6, 9, 30, tzinfo=UTC).replace(tzinfo=None), *ANSWERS[:9], None],
            ]
        },
    )
    plan = plan_import(path, store, now=now)
    assert plan.to_frame().select("rows", "client_id", "taken_on", "outcome").rows() == [
        ("2", "C1", date(2026, 1, 5), "stored"),
        ("4", "C2", date(2026, 1, 6), "stored"),
    ]
    assert plan.source.kind == "excel"
    plan.apply(store)
    assert store.answers(client_id="C2")["value"].to_list() == [*map(float, ANSWERS[:9]), None]
    assert plan_import(path, store, now=now).counts["duplicate"] == 2


def test_the_only_filled_sheet_is_read_and_of_several_one_must_be_named(tmp_path):
    rows = [["client_id", "date"], ["C1", date(2026, 1, 5)]]
    one = workbook(tmp_path / "one.xlsx", {"Empty": [], "Filled": rows})
    assert read_sheet(one).name == "one.xlsx, sheet 'Filled'"
    two = workbook(tmp_path / "two.xlsx", {"Week 1": rows, "Week 2": rows})
    with pytest.raises(ImportRefused, match=r"several sheets: 'Week 1', 'Week 2'\. Name it: --sheet 'Week 1'"):
        read_sheet(two)
    assert read_sheet(two, sheet="week 2").columns == ("client_id", "date")
    with pytest.raises(ImportRefused, match="has no sheet 'x'; it has 'Week 1', 'Week 2'"):
        read_sheet(two, sheet="x")


def test_rows_are_numbered_as_in_the_spreadsheet(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["C5"], sheet["D5"], sheet["C7"] = "client_id", "date", "C1"
    book.save(tmp_path / "a.xlsx")
    assert read_sheet(tmp_path / "a.xlsx").frame.rows() == [(7, "C1", None)]


def test_numbers_come_without_a_needless_fraction(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"s": [["a", "b", "c", "d"], [3.0, 2.5, True, " x "]]})
    assert read_sheet(path).frame.drop(ROW).rows() == [("3", "2.5", "True", "x")]


@pytest.mark.parametrize(
    ("cell", "words"),
    [("=A2+1", "1 formula without a result \\(B2\\)"), ("#DIV/0!", "1 cell in error, such as #DIV/0! \\(B2\\)")],
)
def test_what_would_be_read_as_blank_is_refused_instead(tmp_path, cell, words):
    path = workbook(tmp_path / "a.xlsx", {"s": [["client_id", "rses_1"], ["C1", cell]]})
    with pytest.raises(ImportRefused, match=words):
        read_sheet(path)


def test_a_formula_that_has_been_calculated_gives_its_result_and_a_note(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"s": [["client_id", "n"], ["C1", "=1+1"]]})
    changed = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.infolist():
            text = old.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                text = text.replace(b"<v />", b"<v>2</v>").replace(b"<v></v>", b"<v>2</v>")
            new.writestr(part.filename, text)
    table = read_sheet(changed)
    assert table.frame["n"].to_list() == ["2"]
    assert table.notes == ("1 cell with formulas; their last results are read.",)


def test_an_archive_that_unpacks_far_beyond_its_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_guard, "MOST_UNPACKED", 4 << 20)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (8 << 20))
    assert path.stat().st_size < 20_000
    with pytest.raises(ImportRefused, match="unpacks to more than 4 MB"):
        read_sheet(path)


def test_two_cells_at_the_corners_of_a_sheet_do_not_fill_the_memory(tmp_path):
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"], book.worksheets[0]["XFD1048576"] = "a", "b"
    book.save(tmp_path / "wide.xlsx")
    with pytest.raises(ImportRefused, match="a cell in row 1048576 and one in column 16384"):
        read_sheet(tmp_path / "wide.xlsx")


def test_a_damaged_workbook_is_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"s": [["a", "b"], [1, 2]]})
    raw = path.read_bytes()
    for broken in (raw[: len(raw) // 2], raw[:300] + bytes(50) + raw[350:]):
        path.write_bytes(broken)
        with pytest.raises(ImportRefused, match="is a damaged workbook"):
            read_sheet(path)


def test_old_or_locked_workbooks_are_named_as_such(tmp_path):
    path = tmp_path / "old.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(ImportRefused, match=r"old Excel workbook \(.xls\), or one protected by a password"):
        plan_import(path)


def test_a_missing_library_is_named_with_its_cure(tmp_path, monkeypatch):
    path = workbook(tmp_path / "a.xlsx", {"s": [["a", "b"], [1, 2]]})

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras.importlib, "import_module", absent)
    with pytest.raises(SettingsError, match=r"pip install 'mbc-toolkit\[export\]'"):
        read_sheet(path)


def test_options_of_other_formats_are_wrong_usage(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("client_id,date\nC1,2026-01-05\n")
    with pytest.raises(SettingsError, match="--sheet does not apply"):
        plan_import(path, sheet="x")
    with pytest.raises(SettingsError, match="--questionnaire does not apply"):
        plan_import(path, questionnaire=path)
