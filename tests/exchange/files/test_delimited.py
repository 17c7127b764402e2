from __future__ import annotations

import hashlib
import re

import pytest

from mbc.errors import ImportRefused
from mbc.exchange.files.delimited import read_text_table
from mbc.exchange.files.text_table import ROW

CELLS = [("C1", "2026-01-05", "3"), ("Ä2", "2026-01-06", None)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("latin-1", "cp1252"),
    ],
)
def test_the_same_cells_come_out_of_every_encoding_separator_and_line_end(
    write, encoding, named, separator, line_end
):
    lines = ["client,date,value", "C1,2026-01-05,3", "Ä2,2026-01-06,"]
    text = line_end.join(line.replace(",", separator) for line in lines) + line_end
    table = read_text_table(write(text, encoding=encoding))
    assert table.columns == ("client", "date", "value")
    assert table.frame.drop(ROW).rows() == CELLS
    assert table.frame[ROW].to_list() == [2, 3]
    assert (table.encoding, table.separator) == (named, separator)
    assert bool(table.notes) == (named == "cp1252")


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(write):
    text = '\n\nclient,note,value\nC1,"two\nlines",1\n\n"C2","a ""word"", quoted",2\n,,\n  , ,\nC3,,3\n'
    table = read_text_table(write(text))
    assert table.frame.rows() == [
        (4, "C1", "two\nlines", "1"),
        (6, "C2", 'a "word", quoted', "2"),
        (9, "C3", None, "3"),
    ]


def test_headers_lose_their_white_space_and_empty_columns_at_the_right_go(write):
    table = read_text_table(write("\ufeff client_id ,  Date\u00a0,  \n C1 , 2026-01-05 ,\n"))
    assert table.columns == ("client_id", "Date")
    assert table.frame.rows() == [(2, "C1", "2026-01-05")]


def test_an_unnamed_column_with_cells_is_kept_under_its_number(write):
    table = read_text_table(write("client,,date\nC1,x,2026-01-05\n"))
    assert table.columns == ("client", "column 2", "date")


def test_a_repeated_header_is_remembered(write):
    table = read_text_table(write("client,date,date\nC1,2026-01-05,2026-01-06\n"))
    assert table.repeated == ("date",)
    assert table.columns == ("client", "date", "date (2)")


def test_cells_beyond_the_header_are_no_fault_while_blank(write):
    table = read_text_table(write('client,value\nC1,1,,\nC2,"2",\n'))
    assert table.frame.rows() == [(2, "C1", "1"), (3, "C2", "2")]


def test_a_stray_quotation_mark_inside_a_cell_is_a_character(write):
    table = read_text_table(write('client,value\nC1,5" tall\nC2,2\n'))
    assert table.frame["value"].to_list() == ['5" tall', "2"]


def test_the_separator_that_excel_declares_is_obeyed(write):
    table = read_text_table(write("sep=;\nclient;value\nC1;2,5\n"))
    assert table.frame.rows() == [(3, "C1", "2,5")]


def test_a_comma_inside_semicolon_cells_does_not_mislead(write):
    table = read_text_table(write("client;value;note\nC1;2,5;a, b, c\nC2;1,5;d, e, f\n"))
    assert table.separator == ";"


def test_short_rows_are_read_as_blank_and_said(write):
    table = read_text_table(write("client,a,b\nC1,1\nC2,1,2\nC3,1\n"))
    assert table.frame["b"].to_list() == [None, "2", None]
    assert table.notes == (
        "2 rows with fewer cells than the header; the cells missing at the end are blank (rows 2, 4).",
    )


def test_the_digest_is_that_of_the_bytes(write):
    path = write("client,value\nC1,1\n", encoding="utf-16")
    assert read_text_table(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "'answers.csv' is empty"),
        (b"\xef\xbb\xbf\r\n  \n", "is empty"),
        (b",;\n,,\n", "is empty"),
        (b"client,value\n", "has a header but no rows"),
        (b"client,value\n,\n\n", "has a header but no rows"),
        (b"PK\x03\x04rest of a workbook", "an Excel or OpenDocument workbook. Save it as 'CSV UTF-8'"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        (b"%PDF-1.7", "a PDF document"),
        (b"$FL2@(#) SPSS", "an SPSS data file"),
        (b"PAR1\x15", "a Parquet file"),
        (b'{"resourceType": "Bundle"}', "JSON"),
        (b"<?xml version='1.0'?><a/>", "XML or HTML"),
        (b"client,value\nC1,\x00\x01\x02\x03rest of something binary", "contains NUL characters"),
        (b"\xff\xfea,b\n1", "is damaged"),
        (b"value\n3\n2\n", "has a single column, 'value'"),
        (b"client,a,b\nC1,1,2,3\nC2,1,2\n", "1 row with more cells than the header's 3"),
        (b"client,value\nC1,1\nC2\n", None),
        (b"client,a,b\nC1,1,2\nC2,1", "ends in the middle of row 3"),
        (b'client,value\nC1,"1\nC2,2\n', "quotation mark is opened but not closed"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_reason(write, content, words):
    path = write(content)
    if words is None:
        assert read_text_table(path).frame["value"].to_list() == ["1", None]
        return
    with pytest.raises(ImportRefused, match=re.escape(words)):
        read_text_table(path)


def test_rows_with_too_many_cells_are_all_named(write):
    with pytest.raises(ImportRefused) as refused:
        read_text_table(write("a,b\n1,2\n3,4,5\n6,7\n8,9,10,11\n"))
    assert refused.value.rows == (
        "row 3: 3 cells, but the header has 2",
        "row 5: 4 cells, but the header has 2",
    )


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path):
    with pytest.raises(ImportRefused, match="is a folder"):
        read_text_table(tmp_path)
    with pytest.raises(ImportRefused, match="cannot be read: No such file"):
        read_text_table(tmp_path / "absent.csv")
