"""How a caller's table is opened as a sheet of answers, and handed back with columns added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.errors import FrameError
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.scoring import answers
from mbc.instruments.scoring.answer_sheet import Sheet, is_ours
from mbc.instruments.scoring.answers import Invalid

TableT = TypeVar("TableT")


def open_sheet(
    table: frames.Frame,
    definition: Instrument,
    *,
    items: str | Sequence[str] | None,
    form: str | None,
    coding: str | None,
    invalid: Invalid,
) -> Sheet:
    """Read the answers of a table to one instrument."""
    columns = answers.item_columns(table, definition, definition.form(form), items)
    return answers.read(table, definition, columns, definition.coding(coding), invalid)


def attach(
    frame: TableT,
    table: frames.Frame,
    sheet: Sheet,
    *steps: dict[str, nw.Expr],
    order: Sequence[str] | None = None,
) -> TableT:
    """Add columns, each step seeing those of the step before; in the order given, else as they are made.

    Raises
    ------
    FrameError
        If the table already has a column of one of these names.
    """
    names = [name for step in steps for name in step if not is_ours(name)] if order is None else list(order)
    taken = [name for name in names if name in table.collect_schema().names()]
    if taken:
        raise FrameError(
            f"The table already has {', '.join(taken)}, which would be overwritten. "
            "Drop or rename these columns first."
        )
    if not names:
        return frame
    exprs = [[expr.alias(name) for name, expr in step.items()] for step in steps if step]
    result = frames.add_columns(table, sheet.numbers, exprs, names)
    return cast("TableT", frames.close_frame(result, frame))
