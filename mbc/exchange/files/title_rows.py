"""Whether the first row of a table is a title, and its header stands further down."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import join_names
from mbc.exchange.files.text_table import ROW

_FURTHEST = 20  # rows that a title may take
_FEWEST = 4  # columns of a table
_LETTER = r"\p{L}"


def refuse_title_rows(header: Sequence[str], frame: pl.DataFrame, where: str) -> None:
    """Refuse a table whose header is mostly empty while a row below names every column.

    Parameters
    ----------
    header : sequence of str
        Names as written; empty where a column has none.
    frame : polars.DataFrame
        The rows below it.
    where : str
        The file, for the message.

    Raises
    ------
    ImportRefused
        Names the row that seems to be the header.
    """
    named = sum(1 for name in header if name)
    if len(header) < _FEWEST or 2 * named > len(header):
        return
    cells = [name for name in frame.columns if name != ROW]
    for row in frame.head(_FURTHEST).iter_rows(named=True):
        texts = [text for name in cells if (text := row[name]) is not None]
        words = [text for text in texts if any(character.isalpha() for character in text)]
        if len(texts) > 2 * named and len(words) >= 0.8 * len(texts) and len(set(texts)) == len(texts):
            raise ImportRefused(
                f"{where}: the header seems to be row {row[ROW]} ({join_names(words, most=4)}). Delete the rows "
                "above "
                "it, such as a title, and import the file again."
            )
