"""A risk item speaks whatever the total says, and a blank one asks."""

from __future__ import annotations

import polars as pl
import pytest

import mbc
from mbc.instruments import risk_flags

OTHERS = (0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((*OTHERS, 0), None),
        ((*OTHERS, 1), "risk"),  # the total is 1, the lowest band
        ((*OTHERS, 3), "risk"),
        ((*OTHERS, None), "ask"),
        ((*OTHERS, 7), "ask"),  # no accepted answer: nothing is known, so ask
        ((None, None, None, *OTHERS[3:], 2), "risk"),  # three blanks: no total
        ((None,) * 9, None),  # not given at all
    ],
)
def test_item_nine_of_the_phq(answers, said, table, read, columns):
    out = risk_flags(table(columns("phq9", [answers])), "phq9")
    assert read(out)["phq9_flag_i9"] == [said]


def test_flags_are_a_channel_of_their_own(columns):
    made = pl.DataFrame(columns("phq9", [(*OTHERS, 1)]))
    assert not [name for name in mbc.score(made, "phq9").columns if "flag" in name]
    assert [name for name in risk_flags(made, "phq9").columns if "total" in name] == []


def test_an_instrument_without_risk_items_adds_nothing(columns):
    made = pl.DataFrame(columns("gad7", [(1,) * 7]))
    assert risk_flags(made, "gad7").columns == made.columns
