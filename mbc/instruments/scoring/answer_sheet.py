"""The answers of a table to one instrument, as numbers ready to be scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.instruments.definition.definition import Coding, Instrument

_PREFIX = "__mbc_"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The answers of a table to one instrument, read as numbers, with what is needed to score them."""

    instrument: Instrument
    coding: Coding
    columns: Mapping[str, str]  # item id -> column of the caller's table, first position first
    numbers: frames.Numbers

    def accepts(self, item_id: str) -> str:
        """Say in words which answers an item takes."""
        item = self.instrument.item(item_id)
        low, high = self.coding.accepted(item)
        if not item.may_not_apply:
            return f"{low}-{high}"
        return f"{low}-{high - 1}, or {high} = does not apply"

    def outside(self, item_id: str) -> nw.Expr:
        """Tell where an answer is none that the coding accepts; a blank is not one."""
        item = self.instrument.item(item_id)
        low, high = self.coding.accepted(item)
        answer = nw.col(named(item_id))
        wrong = (answer < low) | (answer > high)
        return wrong | (answer > answer.floor()) if self.may_be_fraction(item_id) else wrong

    def may_be_fraction(self, item_id: str) -> bool:
        """Whether a column could hold 2.5 although only whole numbers are answers."""
        return self.instrument.item(item_id).whole_numbers and named(item_id) in self.numbers.fractional


def named(item_id: str) -> str:
    """Name an item's number column so that it can meet none of the caller's."""
    return f"{_PREFIX}{item_id}"


def is_ours(column: str) -> bool:
    """Whether a column is only intermediate, and not returned."""
    return column.startswith(_PREFIX)
