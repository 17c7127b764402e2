"""How an item counts on a scale: its answer turned the scale's way, blank, or not applicable."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import narwhals.stable.v2 as nw

from mbc.instruments.definition.definition import Scale
from mbc.instruments.scoring.answer_sheet import Sheet, named


@dataclass(frozen=True, slots=True)
class Keyed:
    """An item as a scale counts it: ``sign * answer + constant``."""

    answer: nw.Expr  # in the coding of the table; null where blank, and where the item does not apply
    sign: int
    constant: int
    highest: float  # that it can count
    absent: nw.Expr | None = None  # true where it does not apply; None: it always does

    @property
    def expr(self) -> nw.Expr:
        """What it counts; null where blank or not applicable."""
        if self.sign < 0:
            return self.constant - self.answer
        return self.answer + self.constant if self.constant else self.answer

    @property
    def present(self) -> nw.Expr:
        """The answer, or in place of a blank the one that would count as 0."""
        return self.answer.fill_null(-self.sign * self.constant)


def keyed(sheet: Sheet, scale: Scale, item_id: str) -> Keyed:
    """Turn an item's answer the way the scale counts it."""
    item = sheet.instrument.item(item_id)
    sign, constant = sheet.coding.affine(item)
    low, high = sheet.coding.span(item)
    if item_id in scale.reverse:
        sign, constant = -sign, low + high - constant
    answer, code = nw.col(named(item_id)), sheet.coding.not_applicable(item)
    if code is None:
        return Keyed(answer, sign, constant, high)
    absent = (answer == code).fill_null(value=False)
    return Keyed(nw.when(~absent).then(answer), sign, constant, item.maximum, absent)


def signed_sum(items: Sequence[Keyed], *, present: bool = False) -> nw.Expr:
    """Sum that any blank makes null; constants are added once, which spares a column per reversed item.

    With ``present``, the sum of what is there: a blank is filled with what counts as nothing.
    """
    added = [item.present if present else item.answer for item in items if item.sign > 0]
    taken = [item.present if present else item.answer for item in items if item.sign < 0]
    constant = sum(item.constant for item in items)
    if not taken:
        return plain_sum(added) + constant
    return plain_sum(added) - plain_sum(taken) + constant if added else constant - plain_sum(taken)


def applicable_sum(items: Sequence[Keyed]) -> nw.Expr:
    """Sum that any blank makes null, over the items that apply."""
    return plain_sum(
        item.expr if item.absent is None else nw.when(item.absent).then(nw.lit(0.0)).otherwise(item.expr)
        for item in items
    )


def plain_sum(parts: Iterable[nw.Expr]) -> nw.Expr:
    """Sum that any blank makes null."""
    return functools.reduce(operator.add, parts)


def count_present(parts: Iterable[nw.Expr]) -> nw.Expr:
    """Count the parts that are not null."""
    # Sixteen bits: a sum of columns costs what it moves.
    return plain_sum((~part.is_null()).cast(nw.Int16) for part in parts).cast(nw.Int64)


def count_absent(items: Iterable[Keyed]) -> nw.Expr | None:
    """Count the items that do not apply; None where all of them always do."""
    absent = [item.absent.cast(nw.Int64) for item in items if item.absent is not None]
    return plain_sum(absent) if absent else None
