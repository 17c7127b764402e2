"""What is in a Parquet file: the same table of text as from a CSV file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

from mbc.errors import EmptyTable, ImportRefused
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.files.text_table import TextTable, as_text, numbered, unique_names

MARK = b"PAR1"
MOST_CELLS = 400_000_000


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
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        columns=names,
        repeated=repeated,
        frame=table,
        kind="parquet",
    )


def read_frame(path: Path) -> pl.DataFrame:
    """Read a Parquet file with its types.

    Raises
    ------
    ImportRefused
        When it is damaged, or larger than a table of questionnaires.
    """
    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        height = int(scan.select(pl.len()).collect().item())
        _refuse_large(path, height, len(scan.collect_schema()))
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, MemoryError) as fault:
        raise ImportRefused(f"'{quote(path.name)}' cannot be read as Parquet ({fault}).") from fault
    return frame


def _refuse_large(path: Path, rows: int, columns: int) -> None:
    if rows * columns > MOST_CELLS:
        raise ImportRefused(
            f"'{quote(path.name)}' holds {rows} rows and {columns} columns; at most {MOST_CELLS} cells are read. "
            "Import it in parts."
        )
