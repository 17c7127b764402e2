"""What is in a Parquet file: the same table of text as from a CSV file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.files.text_table import TextTable, as_text, numbered, unique_names

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
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as fault:
        raise ImportRefused(f"'{quote(path.name)}' cannot be read as Parquet ({fault}).") from fault
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
        raise ImportRefused(f"'{quote(path.name)}' has columns but no rows: there is nothing to import.")
    return TextTable(
        name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        columns=names,
        repeated=repeated,
        frame=table,
        kind="parquet",
    )
