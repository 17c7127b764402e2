"""Which answers speak for themselves, whatever the total says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.arguments import checks
from mbc.errors import FrameError
from mbc.instruments.definition.definition import Instrument, RiskFlag
from mbc.instruments.library import instrument as load
from mbc.instruments.scoring.answer_sheet import Sheet, named
from mbc.instruments.scoring.keyed_items import Keyed, count_present, keyed, plain_sum
from mbc.instruments.scoring.result_columns import attach, open_sheet

TableT = TypeVar("TableT")


@checks(error=FrameError)
def risk_flags(
    frame: TableT,
    key: str | Instrument,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
) -> TableT:
    """Say what the risk items say, whatever the total says: the safety channel, apart from ``score``.

    Adds ``{key}_flag_{item}``: ``"risk"`` for an answer at or above the item's threshold, ``"ask"`` for a blank
    or unreadable one, null otherwise. A row with no answer at all counts as not given, and is null. Safety
    screens also have ``{key}_flag_total``: ``"risk"`` as soon as the answers that are there reach the line.

    Parameters
    ----------
    frame, key, items, form, coding
        As in ``score``.

    Examples
    --------
    >>> import polars as pl
    >>> answers = pl.DataFrame({f"phq9_{n}": [0, 1] for n in range(1, 9)} | {"phq9_9": [1, None]})
    >>> risk_flags(answers, "phq9")["phq9_flag_i9"].to_list()
    ['risk', 'ask']
    """
    definition = load(key) if isinstance(key, str) else key
    table = frames.open_frame(frame)
    sheet = open_sheet(table, definition, items=items, form=form, coding=coding, invalid="null")
    made = {f"{definition.key}_flag_{flag.item}": _flag(sheet, flag) for flag in definition.flags}
    return attach(frame, table, sheet, made)


def _flag(sheet: Sheet, flag: RiskFlag) -> nw.Expr:
    low, blank = _item(sheet, flag) if flag.on == "item" else _scale(sheet, flag)
    flagged = nw.when(low >= flag.at_least).then(nw.lit("risk")).otherwise(nw.lit(None, nw.String))
    given = count_present(nw.col(named(item.id)) for item in sheet.instrument.items) > 0
    if flag.blank_asks:
        prompt = nw.when(blank & given).then(nw.lit("ask")).otherwise(nw.lit(None, nw.String))
        flagged = nw.when(low >= flag.at_least).then(nw.lit("risk")).otherwise(prompt)
    return nw.when(given).then(flagged)


def _item(sheet: Sheet, flag: RiskFlag) -> tuple[nw.Expr, nw.Expr]:
    """Give the answer in the default coding, and whether it is blank."""
    item = sheet.instrument.item(flag.item)
    sign, constant = sheet.coding.affine(item)
    answer = nw.col(named(flag.item)) * float(sign) + float(constant)
    return answer, answer.is_null()


def _scale(sheet: Sheet, flag: RiskFlag) -> tuple[nw.Expr, nw.Expr]:
    """Give the least that the sum can be (blanks at the lowest answer), and whether there is a blank."""
    scale = sheet.instrument.scale(flag.item)
    counted = [keyed(sheet, scale, item) for item in scale.items]
    lowest = [sheet.instrument.item(item).minimum for item in scale.items]
    least = plain_sum(_filled(item, float(low)) for item, low in zip(counted, lowest, strict=True))
    return least, count_present(item.answer for item in counted) < len(counted)


def _filled(item: Keyed, low: float) -> nw.Expr:
    return nw.when(~item.answer.is_null()).then(item.expr).otherwise(nw.lit(low))
