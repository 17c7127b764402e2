"""Forms that a REDCap project marks as incomplete or unverified, although they hold answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from mbc.exchange.files.messages import name_rows, quote
from mbc.exchange.files.text_table import ROW, TextTable

_STATUS = "_complete"
_UNFINISHED: Mapping[str, tuple[str, ...]] = {
    "Incomplete": ("0", "0.0", "incomplete"),
    "Unverified": ("1", "1.0", "unverified"),
}


def unfinished_forms(table: TextTable, items: Mapping[str, str]) -> Iterator[str]:
    """Tell which rows hold answers of a form that is not marked as complete; they are read all the same.

    Parameters
    ----------
    table : TextTable
        The export, with codes or labels, its ``_complete`` columns still there.
    items : mapping
        Column with answers to a known questionnaire -> its form.
    """
    for form in dict.fromkeys(items.values()):
        status = f"{form}{_STATUS}"
        if status not in table.columns:
            continue
        answered = pl.any_horizontal(pl.col(name).is_not_null() for name, own in items.items() if own == form)
        rows = table.frame.filter(answered).select(ROW, pl.col(status).str.to_lowercase().alias("status"))
        for name, written in _UNFINISHED.items():
            marked = rows.filter(pl.col("status").is_in(written))[ROW].to_list()
            if marked:
                yield (
                    f"Rows with answers whose form '{quote(form)}' REDCap marks as {name}: {len(marked)} "
                    f"({name_rows(marked)}). They are read as they are."
                )
