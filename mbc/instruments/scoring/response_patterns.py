"""Whether answers fit the PHQ-9's pattern of depression: a count of symptoms, and no diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.arguments import checks
from mbc.errors import FrameError
from mbc.instruments.library import instrument as load
from mbc.instruments.scoring.answer_sheet import Sheet, named
from mbc.instruments.scoring.keyed_items import plain_sum
from mbc.instruments.scoring.result_columns import attach, open_sheet

TableT = TypeVar("TableT")

# Kroenke, Spitzer & Williams (2001), doi:10.1046/j.1525-1497.2001.016009606.x
_HALF_THE_DAYS, _ANY_DAY = 2, 1
_MAJOR, _OTHER = 5, 2  # symptoms
_CORE = ("i1", "i2")  # interest and pleasure, low mood: one of them must be there
_ANY_DAY_COUNTS = "i9"  # thoughts of death or self-harm


@checks(error=FrameError)
def phq9_algorithm(
    frame: TableT,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
) -> TableT:
    """Apply the PHQ-9's diagnostic algorithm. Its result is a pattern of answers, **not a diagnosis**.

    Adds ``phq9_pattern``: ``"major"`` (five symptoms or more on more than half the days, low mood or lost interest
    among them), ``"other"`` (two to four of them, likewise), ``"none"``; null where blanks leave it open.

    A diagnosis takes an interview: the questionnaire does not ask about impairment, bereavement, a history of
    mania, or physical causes. Thoughts of death count on any day; they also raise a flag of their own, see
    ``risk_flags``.

    Parameters
    ----------
    frame, items, form, coding
        As in ``score``; answers that are not accepted count as blank.

    Returns
    -------
    table
        Of the same kind.

    References
    ----------
    .. [1] Kroenke, Spitzer & Williams (2001), doi:10.1046/j.1525-1497.2001.016009606.x

    Examples
    --------
    >>> import polars as pl
    >>> rows = [(2, 0, 2, 2, 2, 0, 0, 0, 1), (0, 2, 2, 0, 0, 0, 0, 0, 0), (0, 0, 2, 2, 2, 2, 2, 2, 0)]
    >>> answers = pl.DataFrame(rows, schema=[f"phq9_{n}" for n in range(1, 10)], orient="row")
    >>> phq9_algorithm(answers)["phq9_pattern"].to_list()
    ['major', 'other', 'none']
    """
    definition = load("phq9")
    table = frames.open_frame(frame)
    sheet = open_sheet(table, definition, items=items, form=form, coding=coding, invalid="null")
    # Blanks read as "not at all" and then as "nearly every day": where both agree, they do not matter.
    least, most = _pattern(sheet, blank=False), _pattern(sheet, blank=True)
    return attach(frame, table, sheet, {"phq9_pattern": nw.when(least == most).then(least)})


def _pattern(sheet: Sheet, *, blank: bool) -> nw.Expr:
    present = {item.id: _present(sheet, item.id, blank=blank) for item in sheet.instrument.items}
    symptoms = plain_sum(flag.cast(nw.Int64) for flag in present.values())
    core = present[_CORE[0]] | present[_CORE[1]]
    pattern = nw.when(core & (symptoms >= _OTHER)).then(nw.lit("other")).otherwise(nw.lit("none"))
    return nw.when(core & (symptoms >= _MAJOR)).then(nw.lit("major")).otherwise(pattern)


def _present(sheet: Sheet, item_id: str, *, blank: bool) -> nw.Expr:
    sign, constant = sheet.coding.affine(sheet.instrument.item(item_id))
    least = _ANY_DAY if item_id == _ANY_DAY_COUNTS else _HALF_THE_DAYS
    answer = nw.col(named(item_id))
    there = answer * float(sign) + float(constant) >= least
    return nw.when(answer.is_null()).then(nw.lit(blank)).otherwise(there)
