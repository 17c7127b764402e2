"""Read a workbook, an SPSS or a Parquet file in a process of its own: run as a script, with nothing of mbc loaded.

The libraries that read these formats are native code. A damaged file can make them ask for more memory than there
is, write where they must not, or compute for hours. Here they may: memory and time are limited, and the program
that asked for the file goes on.

Arguments: seconds of processor time, what to read, the path, and more by kind.

``sheets``: writes one line of JSON: names of sheets, those that are visible, the first cell of a sheet ``about``.
``rows SHEET``: a line of JSON for each row, each cell null or a text that begins with its kind: ``t`` text,
``n`` number, ``d`` date, ``b`` truth value.
``spss TARGET MOST ENCODING``: writes the cases to TARGET as an Arrow file, unless they have more than MOST cells,
and one line of JSON: rows and columns, ranges declared missing, value labels, the encoding. A blank ENCODING is
that which the file declares.
``parquet TARGET MOST``: writes the table to TARGET as an Arrow file, unless it has more than MOST cells, and one
line of JSON: its rows and columns.

What is wrong with a file is written to the error stream after `SAYS`; anything before it is the library's own.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime, time
from typing import Any

MOST_MEMORY = 4 << 30  # bytes of address space
DAMAGED, LOCKED = 3, 4
SAYS = "\x1e"
_EXACT = 1e15  # a spreadsheet keeps 15 digits of a number


def limit(seconds: int) -> None:
    """Limit the memory and processor time of this process, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    memory = MOST_MEMORY if most == resource.RLIM_INFINITY else min(MOST_MEMORY, most)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, most))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        return


def cell_text(cell: object) -> str | None:
    """Write a cell with its kind."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        return f"t{cell}"
    if isinstance(cell, bool):
        return f"b{cell}"
    if isinstance(cell, float):
        return f"n{int(cell)}" if cell.is_integer() and abs(cell) < _EXACT else f"n{cell!r}"
    if isinstance(cell, datetime):
        return f"d{cell.date().isoformat() if cell.time() == time() else cell.isoformat()}"
    return f"d{cell.isoformat()}" if isinstance(cell, date) else f"t{cell}"


def describe(book: Any) -> dict[str, Any]:
    """Name the sheets of a workbook."""
    names = list(book.sheet_names)
    visible = [sheet.name for sheet in book.sheets_metadata if str(sheet.visible).endswith(".Visible")]
    first = ""
    if names[:1] == ["about"]:
        rows = book.get_sheet_by_name("about").to_python(nrows=1)
        first = str(rows[0][0]) if rows and rows[0] else ""
    return {"names": names, "visible": visible, "first": first}


def read_workbook(path: str, sheet: str | None) -> None:
    """Write the sheets of a workbook, or the rows of one."""
    # the parent loads only the constants of this module
    from python_calamine import load_workbook  # noqa: PLC0415 # pyright: ignore[reportUnknownVariableType]

    book: Any
    with load_workbook(path) as book:
        if sheet is None:
            sys.stdout.write(json.dumps(describe(book)) + "\n")
            return
        content = book.get_sheet_by_name(sheet)
        if content.start is not None:
            for row in content.iter_rows():
                sys.stdout.write(json.dumps([cell_text(cell) for cell in row]) + "\n")


def read_spss(path: str, target: str, most: str, encoding: str) -> None:
    """Write the cases of an SPSS file to an Arrow file, and what the file declares."""
    import pyreadstat  # noqa: PLC0415

    read_sav: Any = pyreadstat.read_sav
    given = {"user_missing": True, "encoding": encoding or None}
    _, about = read_sav(path, metadataonly=True, **given)
    size: dict[str, int] = {"rows": about.number_rows or 0, "columns": about.number_columns}
    if size["rows"] * size["columns"] > int(most):
        sys.stdout.write(json.dumps(size) + "\n")
        return
    frame, about = read_sav(path, output_format="polars", **given)
    frame.write_ipc(target)
    labels = {
        name: [[code, str(label)] for code, label in codes.items()]
        for name, codes in about.variable_value_labels.items()
    }
    declared = {"missing": about.missing_ranges, "labels": labels, "encoding": about.file_encoding}
    described: dict[str, Any] = {**size, **declared}
    sys.stdout.write(json.dumps(described) + "\n")


def read_parquet(path: str, target: str, most: str) -> None:
    """Write the table of a Parquet file to an Arrow file, and how large it is."""
    os.environ["POLARS_MAX_THREADS"] = "2"  # each thread reserves address space, which is limited
    import polars as pl  # noqa: PLC0415 - the parent loads only the constants of this module

    scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    rows, columns = int(scan.select(pl.len()).collect().item()), len(scan.collect_schema())
    if rows * columns <= int(most):
        pl.read_parquet(path, glob=False, hive_partitioning=False).write_ipc(target)
    sys.stdout.write(json.dumps({"rows": rows, "columns": columns}) + "\n")


def main(arguments: list[str]) -> int:
    """Write what is asked for."""
    seconds, kind, path, *more = arguments
    limit(int(seconds))
    try:
        if kind == "spss":
            read_spss(path, *more)
        elif kind == "parquet":
            read_parquet(path, *more)
        else:
            read_workbook(path, more[0] if kind == "rows" else None)
    except BaseException as fault:  # noqa: BLE001 - whatever the library raises, a panic too: the file is damaged
        if type(fault).__name__ == "PasswordError":
            return LOCKED
        if type(fault).__name__ != "PanicException":  # its words are about the library, not about the file
            sys.stderr.write(f"{SAYS}{type(fault).__name__}: {fault}"[:300])
        return DAMAGED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
