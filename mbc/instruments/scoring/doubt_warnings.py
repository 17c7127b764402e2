"""Warnings that the answers of a table look as if they should be read otherwise."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import narwhals.stable.v2 as nw
import numpy as np

from mbc.errors import DoubtfulAnswers
from mbc.instruments.definition.definition import Form
from mbc.instruments.scoring.answer_sheet import Sheet, named
from mbc.instruments.scoring.doubts import (
    MANY_ANSWERS,
    Doubt,
    Floats,
    ItemMoments,
    coding_doubt,
    order_doubt,
    undecided_coding,
)

_LOOK_AT = 5_000  # rows; more would not make a wrong reading any clearer
_LEVEL = 4  # of the warning: this function, the scoring function, its check of arguments, the caller


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the answers of a table lie."""

    count: int
    extremes: Mapping[int, tuple[float, float]]
    at_lowest: int
    one_above: int = 0  # answers beyond the coding are refused before, or count as blank
    beyond: int = 0


def warn_of_doubts(sheet: Sheet, form: Form, *, coding_stated: bool) -> None:
    """Warn where answers look as if they were in another coding or item order.

    Of a large table every n-th row is looked at, of a lazy one the first 5,000; what concerns the ends of the
    scale is looked for in all rows of a table in memory.

    Parameters
    ----------
    sheet : Sheet
        The answers, checked.
    form : Form
        Whose order they are read in.
    coding_stated : bool
        Whether the caller named the coding: then it is not doubted.
    """
    numbers = sheet.numbers.frame
    if isinstance(numbers, nw.DataFrame) and len(numbers) * len(form.order) < MANY_ANSWERS:
        return  # too few even if every item was answered
    answers = _sample(sheet, form, _LOOK_AT)
    if np.count_nonzero(np.isfinite(answers)) < MANY_ANSWERS:
        return
    coding = None if coding_stated else _coding_doubt(sheet, form, answers)
    if coding is not None and isinstance(numbers, nw.DataFrame):
        coding = _coding_doubt(sheet, form, _sample(sheet, form, len(numbers)))
    order = order_doubt(sheet.instrument, form, sheet.coding, ItemMoments.of(answers))
    for doubt in (coding, order):
        if doubt is not None:
            text = f"{sheet.instrument.key}: {doubt.text}. {_advice(sheet, form, doubt)}"
            warnings.warn(text, DoubtfulAnswers, stacklevel=_LEVEL)


def _sample(sheet: Sheet, form: Form, most: int) -> Floats:
    """Answers by position, NaN where blank or not applicable; shape (rows, items)."""
    items = [sheet.instrument.item(item) for item in form.order]
    frame = sheet.numbers.frame.select(nw.col(named(item.id)).cast(nw.Float64) for item in items)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.head(most).collect()
    else:
        frame = frame.gather_every(max(len(frame) // max(most, 1), 1))
    answers = np.array(frame.to_numpy(), dtype=np.float64)
    for place, item in enumerate(items):
        code = sheet.coding.not_applicable(item)
        if code is not None:
            answers[answers[:, place] == code, place] = np.nan
    return answers


def _coding_doubt(sheet: Sheet, form: Form, answers: Floats) -> Doubt | None:
    answered = np.isfinite(answers)
    lows = [sheet.coding.accepted(sheet.instrument.item(item))[0] for item in form.order]
    ends = Ends(
        int(answered.sum()),
        {
            place: (float(column.min()), float(column.max()))
            for place, given in enumerate(answered.T, start=1)
            if (column := answers[given, place - 1]).size
        },
        int(np.count_nonzero(answers == np.array(lows))),
    )
    return coding_doubt(sheet.instrument, form, sheet.coding, ends) or undecided_coding(
        sheet.instrument, form, sheet.coding, ends
    )


def _advice(sheet: Sheet, form: Form, doubt: Doubt) -> str:
    now = sheet.coding.key
    if doubt.kind == "another reading":
        given = [f"form={doubt.form!r}"] * (doubt.form is not None)
        given += [f"coding={doubt.coding!r}"] * (doubt.coding is not None)
        return f"If that is how they were asked, pass {' and '.join(given)}."
    if doubt.kind == "against the rest":
        order = f" They are read in the order of form {form.key!r}." if len(sheet.instrument.forms) > 1 else ""
        return f"Is this the right questionnaire, and are the answers unchanged?{order}"
    if doubt.coding is not None:
        return f"If they are in that coding, pass coding={doubt.coding!r}; if not, coding={now!r}."
    return f"Was another response scale used? If not, pass coding={now!r}."
