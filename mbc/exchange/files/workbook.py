"""A workbook, read in a process of its own that may fail without harm: its sheets and their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mbc.errors import ImportRefused
from mbc.exchange.files.isolated import damaged, isolated_lines
from mbc.exchange.files.messages import quote
from mbc.exchange.files.optional_libraries import require_library
from mbc.exchange.files.text_table import MOST_CELLS

EXPLANATION = "explanation"
"""A sheet of this name explains a template: it is never the table."""

Cell = tuple[str, str] | None
"""Kind (t text, n number, d date, b truth value) and text."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets of a workbook."""

    path: Path
    sheet_names: tuple[str, ...]
    visible: tuple[str, ...]
    """Sheets that a spreadsheet program shows."""
    first_cell: str
    """Of the first sheet, where that is called ``about``: it tells an export of our own."""

    def rows(self, sheet: str) -> Iterator[list[Cell]]:
        """Read the rows of a sheet.

        Raises
        ------
        ImportRefused
            When the sheet is damaged, or takes more memory or time than a sheet of its size can.
        """
        cells = 0
        with isolated_lines("rows", self.path, sheet) as lines:
            for line in lines:
                row = _parsed(line, self.path)
                cells += len(row)
                if cells > MOST_CELLS:
                    raise ImportRefused(
                        f"'{quote(self.path.name)}', sheet '{quote(sheet)}' has more than {MOST_CELLS} cells. "
                        "Delete "
                        "stray cells far from the table, or import it in parts."
                    )
                yield [None if text is None else (text[0], text[1:]) for text in row]

    def is_filled(self, sheet: str) -> bool:
        """Whether a sheet holds any cell."""
        return next(self.rows(sheet), None) is not None


def open_workbook(path: Path) -> Workbook:
    """List the sheets of a workbook that `check_archive` has let pass.

    Raises
    ------
    ImportRefused
        When it is damaged or locked.
    SettingsError
        When the library that reads workbooks is not installed.
    """
    require_library("python_calamine", "Excel workbooks")
    with isolated_lines("sheets", path) as lines:
        line = next(lines, "")
        described: dict[str, Any] = _parsed(line, path) if line else {}
    if not described:
        raise ImportRefused(damaged(path))
    return Workbook(path, tuple(described["names"]), tuple(described["visible"]), described["first"])


def _parsed(line: str, path: Path) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as fault:
        raise ImportRefused(damaged(path, "a row is too long")) from fault
