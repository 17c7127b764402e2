"""Which answers a coding does not accept, and the message: values, accepted range, rows, repair."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.instruments.scoring.answer_sheet import Sheet, named

_MOST_VALUES = 6
_MOST_COLUMNS = 5
_MOST_GROUPS = 6
_LOOK_AT = 1000  # rows with a fault, when a message collects the refused values
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def faulty_items(sheet: Sheet) -> list[str]:
    """List the items with at least one answer that is refused."""
    checks: list[nw.Expr] = []
    for item_id in sheet.columns:
        name, answer = named(item_id), nw.col(named(item_id))
        checks += [answer.min().alias(f"{name}_lo"), answer.max().alias(f"{name}_hi")]
        if sheet.may_be_fraction(item_id):
            checks.append((answer > answer.floor()).any().alias(f"{name}_part"))
        flag = sheet.numbers.unreadable.get(name)
        if flag is not None:
            checks.append(nw.col(flag).any().alias(flag))
    row = _first_row(sheet.numbers.frame.select(*checks))
    return [item_id for item_id in sheet.columns if _is_faulty(sheet, item_id, row)]


def _is_faulty(sheet: Sheet, item_id: str, row: Mapping[str, Any]) -> bool:
    name = named(item_id)
    low, high = sheet.coding.accepted(sheet.instrument.item(item_id))
    ends: list[float] = [row[end] for end in (f"{name}_lo", f"{name}_hi") if row.get(end) is not None]
    return any(value < low or value > high for value in ends) or bool(
        row.get(f"{name}_part") or row.get(sheet.numbers.unreadable.get(name, ""))
    )


def _first_row(frame: frames.Frame) -> dict[str, Any]:
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    for row in eager.iter_rows(named=True):
        return row
    return {}


def describe_refusal(frame: frames.Frame, sheet: Sheet, faulty: Sequence[str]) -> str:
    """Write the message of a refusal."""
    groups = _groups(frame, sheet, faulty)
    lines = [
        f"{_listed(columns)} {'has' if len(columns) == 1 else 'have'} {values} (accepted: {accepted})"
        for (values, accepted), columns in groups.items()
    ]
    if len(lines) > _MOST_GROUPS:
        lines[_MOST_GROUPS:] = [f"and {len(lines) - _MOST_GROUPS} more"]
    wrong = nw.any_horizontal(*(_refused(sheet, item) for item in faulty), ignore_nulls=True)
    rows = _count(sheet.numbers.frame, wrong)
    return (
        f"{sheet.instrument.key}, coding {sheet.coding.key!r}: {rows} {'row has' if rows == 1 else 'rows have'} "
        f"answers that are not accepted: {'; '.join(lines)}. {_advice(sheet)}"
    )


def rows(
    frame: frames.Frame, sheet: Sheet, faulty: Sequence[str], *, numbered: str | None = None, most: int = _LOOK_AT
) -> list[str]:
    """List each refused answer of an eager table: its row, column, value and the accepted range.

    Parameters
    ----------
    frame : narwhals frame
        The table; of a lazy one nothing is listed, as its rows have no numbers.
    sheet : Sheet
    faulty : sequence of str
        Item ids, from ``faulty_items``.
    numbered : str, optional
        A column that numbers the rows; default: the first row is 1.
    most : int
        How many to list at most.
    """
    if not isinstance(frame, nw.DataFrame):
        return []
    numbers = frame[numbered].to_list() if numbered else list(range(1, len(frame) + 1))
    refused: list[tuple[Any, str]] = []
    for item_id in faulty:
        accepted, column = sheet.accepts(item_id), sheet.columns[item_id]
        for row, value, wrong in zip(numbers, frame[column].to_list(), _mask(sheet, item_id), strict=True):
            if wrong:
                refused.append((row, f"row {row}, {column}: {_quote(value)} (accepted: {accepted})"))
    return [line for _, line in sorted(refused, key=lambda line: line[0])[:most]]


def _mask(sheet: Sheet, item_id: str) -> list[bool]:
    made = sheet.numbers.frame.select(_refused(sheet, item_id).alias("wrong"))
    assert isinstance(made, nw.DataFrame)  # noqa: S101 - asked of eager tables only
    return [bool(flag) for flag in made["wrong"].to_list()]


def _groups(frame: frames.Frame, sheet: Sheet, faulty: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Columns that share the refused values and the accepted range, in one line of the message."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item_id in faulty:
        values = ", ".join(_refused_values(frame, sheet, item_id))
        groups.setdefault((values, sheet.accepts(item_id)), []).append(sheet.columns[item_id])
    return groups


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns if len(columns) <= _MOST_COLUMNS else [*columns[:3], "...", columns[-1]])


def _refused_values(frame: frames.Frame, sheet: Sheet, item_id: str) -> list[str]:
    """List the refused values as in the caller's table."""
    column = sheet.columns[item_id]
    if isinstance(frame, nw.DataFrame):
        values = frame[column].filter(_mask(sheet, item_id)).head(_LOOK_AT).to_list()
    else:
        wrong = sheet.numbers.frame.filter(_refused(sheet, item_id)).select(column).head(_LOOK_AT)
        values = (wrong.collect() if isinstance(wrong, nw.LazyFrame) else wrong)[column].to_list()
    texts = sorted({_quote(value) for value in values}, key=lambda text: (len(text), text))
    return texts if len(texts) <= _MOST_VALUES else [*texts[:_MOST_VALUES], "..."]


def _refused(sheet: Sheet, item_id: str) -> nw.Expr:
    wrong = sheet.outside(item_id).fill_null(value=False)
    flag = sheet.numbers.unreadable.get(named(item_id))
    return wrong if flag is None else wrong | nw.col(flag).fill_null(value=False)


def _count(frame: frames.Frame, wrong: nw.Expr) -> int:
    total = frame.select(nw.when(wrong).then(1).otherwise(0).alias("n")).select(nw.col("n").sum())
    return int(_first_row(total)["n"])


def _quote(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        return value.strip() if _NUMBER.fullmatch(value.strip()) else f"'{value}'"
    return str(value)


def _advice(sheet: Sheet) -> str:
    extremes = _extremes(sheet)
    spans = [sheet.coding.accepted(item) for item in sheet.instrument.items]
    if min(low for low, *_ in spans) <= extremes[0] and extremes[1] <= max(high for *_, high in spans):
        return (  # every number is accepted somewhere: words are refused, or an answer of another item
            'Correct them, or pass invalid="null" to count them as blank. A row without answers, such as a '
            "row of means, must be removed."
        )
    fitting = _fitting(sheet, extremes)
    if fitting:
        return f"All answers are between {extremes[0]:g} and {extremes[1]:g}: pass coding={fitting!r}?"
    beyond_zero = _extremes(sheet, zero=False)
    fitting = _fitting(sheet, beyond_zero)
    if fitting:
        return (
            f"All answers other than 0 are between {beyond_zero[0]:g} and {beyond_zero[1]:g}: pass "
            f"coding={fitting!r}, and make 0 null if it stands for 'not answered'?"
        )
    lowest = min(sheet.coding.accepted(item)[0] for item in sheet.instrument.items)
    if extremes[0] == 0 < lowest:
        return "If 0 stands for 'not answered' there, make it null, or pass invalid=\"null\"."
    return 'Correct them, or pass invalid="null" to count them as blank.'


def _fitting(sheet: Sheet, extremes: tuple[float, float]) -> str | None:
    """Name another coding that accepts all answers."""
    for other in sheet.instrument.codings:
        spans = [other.accepted(item) for item in sheet.instrument.items]
        inside = min(low for low, _ in spans) <= extremes[0] and extremes[1] <= max(high for _, high in spans)
        if other.key != sheet.coding.key and inside:
            return other.key
    return None


def _extremes(sheet: Sheet, *, zero: bool = True) -> tuple[float, float]:
    """Lowest and highest answer over all items; NaN where there is none."""
    ends: list[nw.Expr] = []
    for item in sheet.columns:
        answer = nw.col(named(item))
        counted = answer if zero else nw.when(answer != 0).then(answer)
        ends += [counted.min().alias(f"{item}_lo"), counted.max().alias(f"{item}_hi")]
    values = _first_row(sheet.numbers.frame.select(*ends)).values()
    numbers = [value for value in values if isinstance(value, int | float) and not math.isnan(value)]
    return (min(numbers), max(numbers)) if numbers else (math.nan, math.nan)
