"""What is in a sheet of an Excel workbook: the same table of text as from a CSV file, with real dates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from mbc.errors import EmptyTable, ImportRefused
from mbc.exchange.files.file_digest import digest
from mbc.exchange.files.messages import count_noun, join_names, name_rows, quote
from mbc.exchange.files.text_table import TextTable, numbered, unique_names, without_unnamed
from mbc.exchange.files.title_rows import refuse_title_rows
from mbc.exchange.files.workbook import EXPLANATION, Cell, Workbook, open_workbook
from mbc.exchange.files.workbook_guard import SheetCells, check_archive, check_sheet

__all__ = ["open_workbook", "read_sheet", "sheet_table"]

_AT_ONCE = 50_000  # rows turned into columns together
_SLASHED = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b.*")


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
    book = open_workbook(path)
    name = _chosen(book, sheet, path)
    table = sheet_table(path, book, name, strip=strip, only_sheet=len(book.sheet_names) == 1)
    others = [other for other in book.sheet_names if other != name]
    hidden = [f"{other}{'' if other in book.visible else ' (hidden)'}" for other in others]
    note = (f"Other sheets, not read: {join_names(hidden)}.",) if others else ()
    return replace(table, notes=(*table.notes, *note))


def sheet_table(
    path: Path, book: Workbook, sheet: str, *, strip: bool = True, only_sheet: bool = False
) -> TextTable:
    """Read one sheet of a workbook."""
    where = f"'{quote(path.name)}'" if only_sheet else f"'{quote(path.name)}', sheet '{quote(sheet)}'"
    cells = check_sheet(path, sheet)
    _refuse_unread(cells, where)
    read = _table(book.rows(sheet), where)
    names, repeated = unique_names(read.header)
    frame = read.frame.rename(dict(zip(read.frame.columns, names, strict=True)))
    frame = numbered(frame, names, first_row=read.first_row, strip=strip)
    names, frame = without_unnamed(read.header, names, frame)
    if frame.is_empty():
        raise EmptyTable(f"{where} has a header but no rows: there is nothing to import.")
    refuse_title_rows(read.header, frame, where)
    mixed = zip(read.header, read.dates.mixed(len(read.header)), strict=True)
    doubts = {name: _mixed(where, name, dates, texts) for name, (dates, texts) in mixed if dates and texts}
    return TextTable(
        name=path.name if only_sheet else f"{path.name}, sheet '{sheet}'",
        sha256=digest(path),
        columns=names,
        repeated=repeated,
        frame=frame,
        notes=tuple(_notes(cells)),
        kind="excel",
        date_doubts=doubts,
    )


def _mixed(where: str, name: str, dates: int, texts: list[str]) -> str:
    return (
        f"{where}, column '{quote(name)}' mixes real dates ({dates}) with texts such as {join_names(texts)}. A "
        "spreadsheet program swaps some days and months when it opens such texts as dates: which are right? "
        "Correct the column, and format all of it as dates."
    )


def _refuse_unread(cells: SheetCells, where: str) -> None:
    """Refuse cells that would be read as blank although they are not."""
    waiting = cells.uncalculated
    if waiting:
        raise ImportRefused(
            f"{where} has {count_noun(len(waiting), 'formula')} without a result ({_some(waiting)}). Open it in a "
            "spreadsheet program, save it there, and import it again."
        )
    if cells.errors:
        raise ImportRefused(
            f"{where} has {count_noun(len(cells.errors), 'cell')} in error, such as #DIV/0! "
            f"({_some(cells.errors)}). Repair or clear them: a blank cell means 'not answered'."
        )


def _notes(cells: SheetCells) -> Iterator[str]:
    if cells.formulas:
        yield f"{count_noun(cells.formulas, 'cell')} with formulas; their last results are read."
    if cells.hidden_rows:
        yield (
            f"{count_noun(len(cells.hidden_rows), 'hidden row')} read like all the others "
            f"({name_rows(cells.hidden_rows)}). Delete rows that a filter was meant to exclude."
        )
    if cells.hidden_columns:
        yield f"{count_noun(cells.hidden_columns, 'hidden column')} read like all the others."


def _chosen(book: Workbook, sheet: str | None, path: Path) -> str:
    """Name the sheet that is meant."""
    if sheet is not None:
        fit = [name for name in book.sheet_names if name.casefold() == sheet.casefold()]
        if not fit:
            raise ImportRefused(
                f"'{quote(path.name)}' has no sheet '{quote(sheet)}'; it has {join_names(book.sheet_names)}."
            )
        return fit[0]
    visible = book.visible or book.sheet_names
    visible = tuple(name for name in visible if name != EXPLANATION) or visible
    if len(visible) == 1:
        return visible[0]
    for name in visible:  # a sheet is loaded to see whether it is filled: it must be small enough for that
        check_sheet(path, name)
    filled = [name for name in visible if book.is_filled(name)]
    if len(filled) != 1:
        raise ImportRefused(
            f"'{quote(path.name)}' has several sheets: {join_names(filled or visible)}. Name it: "
            f"--sheet '{quote((filled or visible)[0])}'."
        )
    return filled[0]


@dataclass(slots=True)
class _Dates:
    """Which columns hold real dates, and which texts that look like dates."""

    real: Counter[int] = field(default_factory=Counter[int])
    texts: dict[int, list[str]] = field(default_factory=dict[int, list[str]])

    def see(self, row: list[Cell]) -> None:
        for place, cell in enumerate(row):
            if cell is None:
                continue
            if cell[0] == "d":
                self.real[place] += 1
            elif cell[0] == "t" and place not in self.texts and _SLASHED.fullmatch(cell[1].strip()):
                self.texts[place] = [cell[1].strip()]

    def mixed(self, width: int) -> list[tuple[int, list[str]]]:
        return [(self.real[place], self.texts.get(place, [])) for place in range(width)]


@dataclass(frozen=True, slots=True)
class _Read:
    header: list[str]
    first_row: int
    frame: pl.DataFrame
    dates: _Dates


def _table(rows: Iterator[list[Cell]], where: str) -> _Read:
    """Header, the row number below it, and the cells as text."""
    row = 0
    header: list[str] | None = None
    for cells in rows:
        row += 1
        if any(cells):
            header = [" ".join((cell[1] if cell else "").split()) for cell in cells]
            break
    if header is None:
        raise ImportRefused(f"{where} is empty: there is nothing to import.")
    dates = _Dates()
    schema = {f"column {place}": pl.String for place in range(len(header))}
    parts = [pl.DataFrame(schema=schema)]
    batch: list[list[str | None]] = []
    for cells in rows:
        dates.see(cells)
        batch.append([cell[1] if cell else None for cell in cells])
        if len(batch) == _AT_ONCE:
            parts.append(pl.DataFrame(batch, schema=schema, orient="row"))
            batch = []
    parts.append(pl.DataFrame(batch, schema=schema, orient="row"))
    return _Read(header, row + 1, pl.concat(parts), dates)


def _some(cells: tuple[str, ...]) -> str:
    return ", ".join(cells[:6]) + ("" if len(cells) <= 6 else f" and {len(cells) - 6} more")
