"""Which columns contain an instrument's answers, and reading them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.errors import DefinitionError, FrameError, InvalidResponse
from mbc.instruments.definition.algorithms import PROCEDURES
from mbc.instruments.definition.definition import Coding, Form, Instrument
from mbc.instruments.scoring import refusals
from mbc.instruments.scoring.answer_sheet import Sheet, named

Invalid = Literal["raise", "null"]


def item_columns(
    frame: frames.Frame, instrument: Instrument, form: Form, items: str | Sequence[str] | None
) -> dict[str, str]:
    """Match item ids to columns of the table.

    Parameters
    ----------
    frame : narwhals frame
    instrument : Instrument
    form : Form
        Whose order the columns follow.
    items : str or sequence of str, optional
        A pattern holding ``{n}``, such as ``"Q{n}"``, or one column per position. Default: ``{key}_{n}``.

    Raises
    ------
    MissingItems
        If columns are not there; the nearest names are offered.
    FrameError
        If ``items`` cannot name each position once.
    DefinitionError
        If the instrument is of goals and has no items.
    """
    if instrument.kind == "goals":
        by = ", ".join(PROCEDURES[name].function for name in instrument.procedures)
        raise DefinitionError(
            f"{instrument.key} has no items to score: it rates a person's own goals. See {by or 'its page'}."
        )
    names = _names(instrument, form, items)
    hint = _pattern_hint(frame, len(form.order)) if items is None else ""
    frames.require(frame, names, instrument.key, hint=hint)
    return dict(zip(form.order, names, strict=True))


def read(
    frame: frames.Frame, instrument: Instrument, columns: Mapping[str, str], coding: Coding, invalid: Invalid
) -> Sheet:
    """Read the answers and, unless faults are to count as blank, refuse those out of range.

    Lazy tables: one row of checks is collected when ``invalid="raise"``; nothing with ``"null"``.

    Raises
    ------
    InvalidResponse
        Naming columns, values met, the accepted range, how many rows, and the coding that would fit.
    """
    sheet = read_unchecked(frame, instrument, columns, coding)
    if invalid == "null":
        return replace(sheet, numbers=replace(sheet.numbers, frame=_blanked(sheet)))
    faulty = refusals.faulty_items(sheet)
    if faulty:
        raise InvalidResponse(refusals.describe_refusal(frame, sheet, faulty))
    return sheet


def read_unchecked(
    frame: frames.Frame, instrument: Instrument, columns: Mapping[str, str], coding: Coding
) -> Sheet:
    """Read the answers as numbers, whatever they are."""
    yes_no = {named(item.id) for item in instrument.items if coding.accepted(item) == (0, 1)}
    numbers = frames.read_numbers(frame, {named(item): column for item, column in columns.items()}, yes_no=yes_no)
    return Sheet(instrument, coding, columns, numbers)


def _blanked(sheet: Sheet) -> frames.Frame:
    return sheet.numbers.frame.with_columns(
        nw.when(~sheet.outside(item)).then(nw.col(named(item))).alias(named(item)) for item in sheet.columns
    )


def _names(instrument: Instrument, form: Form, items: str | Sequence[str] | None) -> list[str]:
    count = len(form.order)
    if items is None:
        return list(instrument.item_columns(form.key))
    if isinstance(items, str):
        if "{n}" not in items:
            raise FrameError(f"items is {items!r}; a pattern must contain {{n}} for the number, such as 'Q{{n}}'.")
        return [items.replace("{n}", str(n)) for n in range(1, count + 1)]
    names = [str(name) for name in items]
    if len(names) != count:
        raise FrameError(
            f"{instrument.key} has {count} items (form {form.key!r}); items names {len(names)} columns. "
            f"Give one column per position, in the form's order."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FrameError(f"items names {', '.join(twice)} more than once; each position has its own column.")
    return names


def _pattern_hint(frame: frames.Frame, count: int) -> str:
    columns = {str(name) for name in frame.collect_schema().names()}
    for name in sorted(columns):
        stem = re.fullmatch(r"(.*?)0*1", name)
        if stem and all(f"{stem[1]}{n}" in columns for n in range(1, count + 1)):
            return f'Or are they {stem[1]}1 ... {stem[1]}{count}? Then pass items="{stem[1]}{{n}}".'
    return ""
