"""Check that a workbook is safe to open: formulas, errors, and a size far beyond its file's.

An .xlsx file is a zip archive of XML. A few kilobytes can unpack to gigabytes, and two cells at the corners of a
sheet span billions. Formulas that no program has calculated and cells in error would be read as blanks, which here
means "not answered": they are found before anything is read.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import MOST_CELLS  # of the sheet's rectangle: what a reader must hold

MOST_UNPACKED = 1 << 30  # bytes of all parts together
_MOST_PARTS = 10_000
_SMALL = 16 << 20  # bytes; the table of sheets and its like
_AT_ONCE = 1 << 20
_LONGEST_CELL = 1 << 18  # bytes of one cell's XML; Excel keeps at most 32767 signs in a cell

_DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
)

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OFFICE_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)(\d+)["']""")
_HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\b([^>]*\bhidden\s*=\s*["'](?:1|true)["'][^>]*)>""")
_HIDDEN_COLUMN = re.compile(rb"""<(?:\w+:)?col\b([^>]*\bhidden\s*=\s*["'](?:1|true)["'][^>]*)>""")
_NUMBER_OF = re.compile(rb"""\b(r|min|max)\s*=\s*["'](\d{1,7})["']""")
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384  # of a sheet in Excel
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|t)\b[^>/]*>[^<]")
_ERROR = re.compile(rb'\bt="e"')
_TEXT_RESULT = re.compile(rb'\bt="str"')


@dataclass(frozen=True, slots=True)
class SheetCells:
    """What a sheet's cells hold besides plain values; cells are named as in the spreadsheet, B7."""

    formulas: int = 0
    uncalculated: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: int = 0


def check_archive(path: Path) -> None:
    """Unpack every part once, without keeping it, and refuse what is damaged or too large.

    Raises
    ------
    ImportRefused
        When the archive is damaged, or unpacks to more than ``MOST_UNPACKED`` bytes.
    """
    name = quote(path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive, name)
    except _DAMAGED as fault:
        raise ImportRefused(
            f"'{name}' is a damaged workbook ({fault}). Save it again in a spreadsheet program, then import the "
            "new file."
        ) from fault


def _check_parts(archive: zipfile.ZipFile, name: str) -> None:
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise ImportRefused(_too_large(name))
    if not any("/" in part.filename or part.filename == "mimetype" for part in parts):
        raise ImportRefused(f"'{name}' is a zip archive. Unpack it, then import its files one by one.")
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise ImportRefused(
            f"'{name}' is not an Excel workbook (.xlsx). A spreadsheet of another kind, such as .ods or .xlsb, is "
            "not read: its formulas and errors cannot be checked. Save it as .xlsx, then import the new file."
        )
    if any(part.flag_bits & 1 for part in parts):
        raise ImportRefused(f"'{name}' is protected by a password. Save it without one, then import the new file.")
    for part in parts:  # the sizes that an archive declares of itself prove nothing before this
        for _ in _pieces(archive, part.filename):
            pass


def check_sheet(path: Path, sheet: str) -> SheetCells:
    """Look through one sheet's cells without building them.

    Raises
    ------
    ImportRefused
        When the sheet spans more cells than a reader can hold.
    """
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet, path)
        if part is None:
            return SheetCells()
        return _scan_sheet(archive, part, f"'{quote(path.name)}', sheet '{quote(sheet)}'")


def _scan_sheet(archive: zipfile.ZipFile, part: str, name: str) -> SheetCells:
    formulas = rows = width = hidden_columns = 0
    uncalculated: list[str] = []
    errors: list[str] = []
    hidden: list[int] = []
    kept = b""
    for piece in _pieces(archive, part):
        text = kept + piece
        end = max(text.rfind(b"</c>"), text.rfind(b"</row>"), text.rfind(b":c>"), text.rfind(b"</cols>"), 0)
        kept = text[end:][-_LONGEST_CELL:]
        if b"hidden" in text:
            hidden += [_numbers(row[1]).get(b"r", 0) for row in _HIDDEN_ROW.finditer(text[:end])]
            spans = [_numbers(column[1]) for column in _HIDDEN_COLUMN.finditer(text[:end])]
            hidden_columns += sum(span.get(b"max", 0) - span.get(b"min", 0) + 1 for span in spans)
        if places := _PLACE.findall(text):
            numbers = {number for _, number in places}
            longest = max(map(len, numbers))
            rows = max(rows, int(max(number for number in numbers if len(number) == longest)[:12]))
            width = max(width, *(_column(letters[:8]) for letters in {letters for letters, _ in places}))
        if rows * width > MOST_CELLS or rows > _LAST_ROW or width > _LAST_COLUMN:
            raise ImportRefused(
                f"{name} has a cell in row {rows} and one in column {width}. Delete the stray cells far from the "
                "table and save it again."
            )
        if any(mark in text for mark in (b"<f", b":f", b't="e"')):  # faster than to look at every cell
            cells = [_Cell.of(cell) for cell in _CELL.finditer(text[:end] + b"</c>")]
            formulas += sum(cell.formula for cell in cells)
            uncalculated += [cell.place for cell in cells if cell.formula and not cell.calculated]
            errors += [cell.place for cell in cells if cell.error]
    return SheetCells(
        formulas,
        tuple(dict.fromkeys(uncalculated)),
        tuple(dict.fromkeys(errors)),
        tuple(dict.fromkeys(hidden)),
        hidden_columns,
    )


def _numbers(attributes: bytes) -> dict[bytes, int]:
    return {name: int(number) for name, number in _NUMBER_OF.findall(attributes)}


@dataclass(frozen=True, slots=True)
class _Cell:
    place: str
    formula: bool
    calculated: bool
    error: bool

    @classmethod
    def of(cls, cell: re.Match[bytes]) -> _Cell:
        attributes, body = cell[1], cell[2] or b""
        place = re.search(rb'\br="([A-Z]{1,3}\d{1,7})"', attributes)
        return cls(
            place=place[1].decode() if place else "?",
            formula=_FORMULA.search(body) is not None,
            # a formula whose result is an empty text has been calculated too
            calculated=_VALUE.search(body) is not None or _TEXT_RESULT.search(attributes) is not None,
            error=_ERROR.search(attributes) is not None,
        )


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while piece := stream.read(_AT_ONCE):
            yield piece


def _part_of(archive: zipfile.ZipFile, sheet: str, path: Path) -> str | None:
    """Name the part of the archive that holds a sheet."""
    names = set(archive.namelist())
    book, links = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if book not in names or links not in names:
        return None
    targets = {link.get("Id"): link.get("Target", "") for link in _small_xml(archive, links, path)}
    for element in _small_xml(archive, book, path).iter():
        if element.tag in {f"{_MAIN}sheet", f"{_STRICT}sheet"} and element.get("name") == sheet:
            link = element.get(f"{{{_OFFICE}}}id") or element.get(f"{{{_OFFICE_STRICT}}}id")
            target = targets.get(link, "")
            full = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return full if full in names else None
    return None


def _small_xml(archive: zipfile.ZipFile, part: str, path: Path) -> ET.Element:
    raw = archive.read(part)
    if len(raw) > _SMALL or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise ImportRefused(_too_large(quote(path.name)))
    try:
        return ET.fromstring(raw)  # noqa: S314 - small, and without declarations: looked at above
    except ET.ParseError as fault:
        raise ImportRefused(f"'{quote(path.name)}' is a damaged workbook ({fault}).") from fault


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _too_large(name: str) -> str:
    return f"'{name}' unpacks to more than {MOST_UNPACKED >> 20} MB: no workbook of questionnaires is that large."
