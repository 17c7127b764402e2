"""What is in a Parquet file: the same table of text as from a CSV file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import polars as pl

from mbc.errors import EmptyTable, ImportRefused
from mbc.exchange.files.file_digest import digest
from mbc.exchange.files.isolated import isolated_lines
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.files.text_table import MOST_CELLS, TextTable, as_text, numbered, too_many_cells, unique_names

MARK = b"PAR1"


def read_parquet(path: str | Path, *, strip: bool = True) -> TextTable:
    """Read a Parquet file whose columns hold plain values; rows are numbered from 1.

    Parameters
    ----------
    path : str or Path
        The file.
    strip : bool
        Take white space off the ends of texts.

    Raises
    ------
    ImportRefused
        When the file is damaged, has no rows, or has columns of lists or records.
    """
    path = Path(path)
    frame = read_frame(path)
    nested = [
        name
        for name, dtype in frame.schema.items()
        if dtype.is_nested() or isinstance(dtype, pl.Binary | pl.Object)
    ]
    if nested:
        raise ImportRefused(
            f"'{quote(path.name)}' has columns of lists or records: {join_names(nested)}. Flatten them."
        )
    names, repeated = unique_names(frame.columns)
    table = numbered(as_text(frame), names, first_row=1, strip=strip)
    if table.is_empty():
        raise EmptyTable(f"'{quote(path.name)}' has columns but no rows: there is nothing to import.")
    return TextTable(
        name=path.name,
        sha256=digest(path),
        columns=names,
        repeated=repeated,
        frame=table,
        kind="parquet",
    )


def read_frame(path: Path) -> pl.DataFrame:
    """Read a Parquet file with its types, in a process of its own: a damaged one may end that process.

    Raises
    ------
    ImportRefused
        When it is damaged, or larger than a table of questionnaires.
    """
    with tempfile.TemporaryDirectory(prefix="mbc-") as folder:
        target = Path(folder) / "table.arrow"
        try:
            with isolated_lines("parquet", path, str(target), str(MOST_CELLS)) as lines:
                size = json.loads(next(lines, "{}"))
            rows, columns = size["rows"], size["columns"]
            table = pl.read_ipc(target.read_bytes()) if target.exists() else None
        except ImportRefused as fault:
            raise ImportRefused(f"'{quote(path.name)}' cannot be read as Parquet. {fault}") from None
        except (KeyError, ValueError, OSError, pl.exceptions.PolarsError) as fault:
            raise ImportRefused(f"'{quote(path.name)}' cannot be read as Parquet ({fault}).") from fault
    if table is None:
        raise ImportRefused(too_many_cells(path, rows, columns, most=MOST_CELLS))
    return table
