"""What is in a sheet of an Excel workbook: the same table of text as from a CSV file, with real dates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.files.optional_libraries import require_library
from mbc.exchange.files.text_table import TextTable, numbered, unique_names, without_unnamed
from mbc.exchange.files.workbook_guard import check_archive, check_sheet

_WHAT = "Excel workbooks"
_MIDNIGHT = time()
_EXACT = 1e15
_AT_ONCE = 50_000  # rows turned into columns together


def read_sheet(path: str | Path, *, sheet: str | None = None, strip: bool = True) -> TextTable:
    """Read one sheet of an .xlsx or .xlsm file.

    Parameters
    ----------
    path : str or Path
        The workbook.
    sheet : str, optional
        Its sheet; the only one that holds anything when not given.
    strip : bool
        Take white space off the ends of cells.

    Raises
    ------
    ImportRefused
        When the workbook is damaged, locked or too large; when no sheet or more than one could be meant; when
        formulas have no results yet or cells are in error; when there is no table in the sheet.
    SettingsError
        When the reader's library is not installed.
    """
    path = Path(path)
    check_archive(path)
    with open_workbook(path) as book:
        name = _chosen(book, sheet, path)
        return sheet_table(path, book, name, strip=strip, only_sheet=len(book.sheet_names) == 1)


def open_workbook(path: Path) -> Any:
    """Open a workbook that `check_archive` has let pass; a context manager."""
    calamine = require_library("python_calamine", _WHAT)
    try:
        return calamine.load_workbook(path)
    except calamine.PasswordError as fault:
        raise ImportRefused(f"'{quote(path.name)}' is locked with a password. Save it without one.") from fault
    except (calamine.CalamineError, OSError) as fault:
        raise ImportRefused(f"'{quote(path.name)}' cannot be read as a workbook ({fault}).") from fault


def sheet_table(path: Path, book: Any, sheet: str, *, strip: bool = True, only_sheet: bool = False) -> TextTable:
    """Read one sheet of an open workbook."""
    where = f"'{quote(path.name)}'" if only_sheet else f"'{quote(path.name)}', sheet '{quote(sheet)}'"
    cells = check_sheet(path, sheet)
    waiting = cells.uncalculated
    if waiting:
        raise ImportRefused(
            f"{where} has {count_noun(len(waiting), 'formula')} without a result ({_some(waiting)}). Open it in a "
            "spreadsheet program, save it there, and import it again."
        )
    if cells.errors:
        raise ImportRefused(
            f"{where} has {count_noun(len(cells.errors), 'cell')} in error, such as #DIV/0! "
            f"({_some(cells.errors)}). "
            "Repair or clear them: a blank cell means 'not answered'."
        )
    header, first_row, frame = _table(book.get_sheet_by_name(sheet), where)
    names, repeated = unique_names(header)
    frame = numbered(
        frame.rename(dict(zip(frame.columns, names, strict=True))), names, first_row=first_row, strip=strip
    )
    names, frame = without_unnamed(header, names, frame)
    if frame.is_empty():
        raise ImportRefused(f"{where} has a header but no rows: there is nothing to import.")
    note = f"{count_noun(cells.formulas, 'cell')} hold formulas; their last results were read."
    return TextTable(
        name=path.name if only_sheet else f"{path.name}, sheet '{sheet}'",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        columns=names,
        repeated=repeated,
        frame=frame,
        notes=(note,) if cells.formulas else (),
        kind="excel",
    )


def _chosen(book: Any, sheet: str | None, path: Path) -> str:
    """Name the sheet that is meant."""
    if sheet is not None:
        fit = [name for name in book.sheet_names if name.casefold() == sheet.casefold()]
        if not fit:
            raise ImportRefused(
                f"'{quote(path.name)}' has no sheet '{quote(sheet)}'; it has {join_names(book.sheet_names)}."
            )
        return fit[0]
    visible_names = [
        metadata.name for metadata in book.sheets_metadata if str(metadata.visible).endswith(".Visible")
    ]
    visible = visible_names or book.sheet_names
    if len(visible) == 1:
        return visible[0]
    for name in visible:  # a sheet is loaded to be counted: it must be small enough for that
        check_sheet(path, name)
    filled = [name for name in visible if book.get_sheet_by_name(name).start is not None]
    if len(filled) != 1:
        raise ImportRefused(
            f"'{quote(path.name)}' holds several sheets: {join_names(filled or visible)}. Name it: "
            f"--sheet '{quote((filled or visible)[0])}'."
        )
    return filled[0]


def _table(sheet: Any, where: str) -> tuple[list[str], int, pl.DataFrame]:
    """Header, the row number below it, and the cells as text."""
    if sheet.start is None:
        raise ImportRefused(f"{where} is empty: there is nothing to import.")
    row = 0
    rows = _as_texts(sheet.iter_rows())
    for cells in rows:
        row += 1
        if any(cells):
            header = [" ".join((cell or "").split()) for cell in cells]
            break
    else:
        raise ImportRefused(f"{where} is empty: there is nothing to import.")
    schema = {f"column {place}": pl.String for place in range(len(header))}
    parts = [pl.DataFrame(schema=schema)]
    batch: list[list[str | None]] = []
    for cells in rows:
        batch.append(cells)
        if len(batch) == _AT_ONCE:
            parts.append(pl.DataFrame(batch, schema=schema, orient="row"))
            batch = []
    parts.append(pl.DataFrame(batch, schema=schema, orient="row"))
    return header, row + 1, pl.concat(parts)


def _as_texts(rows: Iterator[list[Any]]) -> Iterator[list[str | None]]:
    for row in rows:
        yield [_text(cell) for cell in row]


def _text(cell: Any) -> str | None:
    """Write a cell the way the readers of text expect it."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == _MIDNIGHT else cell.isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _some(cells: tuple[str, ...]) -> str:
    return ", ".join(cells[:6]) + ("" if len(cells) <= 6 else f" and {len(cells) - 6} more")
