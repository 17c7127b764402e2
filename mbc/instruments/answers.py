"""Which columns hold an instrument's answers, and whether the answers are ones its coding accepts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.errors import FrameError, InvalidResponse
from mbc.instruments.definition import Coding, Form, Instrument

Invalid = Literal["raise", "null"]

_PREFIX = "__mbc_"
_MOST_VALUES = 6
_MOST_COLUMNS = 8
_LOOK_AT = 1000  # rows with a fault, when a message collects the values met


@dataclass(frozen=True, slots=True)
class Sheet:
    """The answers of a table to one instrument, read as numbers, with what is needed to score them."""

    instrument: Instrument
    coding: Coding
    columns: Mapping[str, str]  # item id -> column of the caller's table, first position first
    numbers: frames.Numbers

    def outside(self, item_id: str) -> nw.Expr:
        """Tell where an answer is none that the coding accepts; a blank is not one."""
        item = self.instrument.item(item_id)
        low, high = self.coding.accepted(item)
        answer = nw.col(named(item_id))
        wrong = (answer < low) | (answer > high)
        fraction = item.whole and named(item_id) in self.numbers.fractional
        return wrong | (answer > answer.floor()) if fraction else wrong


def named(item_id: str) -> str:
    """Name an item's number column so that it can meet none of the caller's."""
    return f"{_PREFIX}{item_id}"


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
    """
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
    yes_no = {named(item.id) for item in instrument.items if coding.accepted(item) == (0, 1)}
    numbers = frames.read_numbers(frame, {named(item): column for item, column in columns.items()}, yes_no=yes_no)
    sheet = Sheet(instrument, coding, columns, numbers)
    if invalid == "null":
        return replace(sheet, numbers=replace(numbers, frame=_blanked(sheet)))
    faulty = _faulty(sheet)
    if faulty:
        raise InvalidResponse(_told(frame, sheet, faulty))
    return sheet


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
            raise FrameError(f"items is {items!r}; a pattern holds {{n}} for the number, such as 'Q{{n}}'.")
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
    found = {str(name) for name in frame.collect_schema().names()}
    for name in sorted(found):
        stem = re.fullmatch(r"(.*?)0*1", name)
        if stem and all(f"{stem[1]}{n}" in found for n in range(1, count + 1)):
            return f'Or are they {stem[1]}1 ... {stem[1]}{count}? Then pass items="{stem[1]}{{n}}".'
    return ""


def _faulty(sheet: Sheet) -> list[str]:
    """Item ids with at least one answer that is refused."""
    checks: list[nw.Expr] = []
    for item_id in sheet.columns:
        checks.append(sheet.outside(item_id).any().alias(named(item_id)))
        flag = sheet.numbers.unreadable.get(named(item_id))
        if flag is not None:
            checks.append(nw.col(flag).any().alias(flag))
    row = _first_row(sheet.numbers.frame.select(*checks))
    return [
        item_id
        for item_id in sheet.columns
        if row.get(named(item_id)) or row.get(sheet.numbers.unreadable.get(named(item_id), ""))
    ]


def _first_row(frame: frames.Frame) -> dict[str, Any]:
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    for row in eager.iter_rows(named=True):
        return row
    return {}


def _told(frame: frames.Frame, sheet: Sheet, faulty: Sequence[str]) -> str:
    """Write the message of a refusal."""
    lines = list(_columns_told(frame, sheet, faulty))
    wrong = nw.any_horizontal(*(_refused(sheet, item) for item in faulty), ignore_nulls=True)
    rows = _count(sheet.numbers.frame, wrong)
    more = f" (and {len(faulty) - _MOST_COLUMNS} more columns)" if len(faulty) > _MOST_COLUMNS else ""
    return (
        f"{sheet.instrument.key}, coding {sheet.coding.key!r}: {rows} {'row holds' if rows == 1 else 'rows hold'} "
        f"answers that are not accepted: {'; '.join(lines)}{more}. {_advice(sheet)}"
    )


def _columns_told(frame: frames.Frame, sheet: Sheet, faulty: Sequence[str]) -> Iterator[str]:
    for item_id in faulty[:_MOST_COLUMNS]:
        column = sheet.columns[item_id]
        low, high = sheet.coding.accepted(sheet.instrument.item(item_id))
        values = _values_met(frame, sheet, item_id)
        yield f"{column} has {', '.join(values)} (accepted: {low}-{high})"


def _values_met(frame: frames.Frame, sheet: Sheet, item_id: str) -> list[str]:
    """List the refused values as they stand in the caller's table."""
    column = sheet.columns[item_id]
    if isinstance(frame, nw.DataFrame):
        assert isinstance(sheet.numbers.frame, nw.DataFrame)  # noqa: S101 - read from this frame
        mask = sheet.numbers.frame.select(_refused(sheet, item_id).alias("wrong"))["wrong"]
        met = frame[column].filter(mask.to_list()).head(_LOOK_AT).to_list()
    else:
        wrong = sheet.numbers.frame.filter(_refused(sheet, item_id)).select(column).head(_LOOK_AT)
        met = (wrong.collect() if isinstance(wrong, nw.LazyFrame) else wrong)[column].to_list()
    shown = sorted({_shown(value) for value in met}, key=lambda text: (len(text), text))
    return shown if len(shown) <= _MOST_VALUES else [*shown[:_MOST_VALUES], "..."]


def _refused(sheet: Sheet, item_id: str) -> nw.Expr:
    wrong = sheet.outside(item_id).fill_null(value=False)
    flag = sheet.numbers.unreadable.get(named(item_id))
    return wrong if flag is None else wrong | nw.col(flag).fill_null(value=False)


def _count(frame: frames.Frame, wrong: nw.Expr) -> int:
    one = frame.select(nw.when(wrong).then(1).otherwise(0).alias("n")).select(nw.col("n").sum())
    return int(_first_row(one)["n"])


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return f"'{value}'" if isinstance(value, str) else str(value)


def _advice(sheet: Sheet) -> str:
    low, high = _extremes(sheet)
    if low is not None and high is not None:
        for other in sheet.instrument.codings:
            spans = [other.accepted(item) for item in sheet.instrument.items]
            if other.key != sheet.coding.key and min(s[0] for s in spans) <= low <= high <= max(
                s[1] for s in spans
            ):
                return f"All answers lie between {low:g} and {high:g}: pass coding={other.key!r}?"
        lowest = min(sheet.coding.accepted(item)[0] for item in sheet.instrument.items)
        if low == 0 and lowest > 0:
            return "If 0 stands for 'not answered' there, make it null, or pass invalid=\"null\"."
    return 'Correct them, or pass invalid="null" to count them as blank.'


def _extremes(sheet: Sheet) -> tuple[float | None, float | None]:
    """Lowest and highest answer over all items."""
    ends = [
        end
        for item in sheet.columns
        for end in (nw.col(named(item)).min().alias(f"{item}_lo"), nw.col(named(item)).max().alias(f"{item}_hi"))
    ]
    met = _first_row(sheet.numbers.frame.select(*ends)).values()
    known = [value for value in met if isinstance(value, float) and not math.isnan(value)]
    return (min(known), max(known)) if known else (None, None)
