"""A risk item speaks whatever the total says, and a blank one asks."""

from __future__ import annotations

import polars as pl
import pytest

import mbc
from mbc.instruments import all_keys, risk_flags

OTHERS = (0, 0, 0, 0, 0, 0, 0, 0)


ITEM_NINE = [
    ((*OTHERS, 0), None),
    ((*OTHERS, 1), "risk"),  # the total is 1, the lowest band
    ((*OTHERS, 3), "risk"),
    ((*OTHERS, None), "ask"),
    ((*OTHERS, 7), "ask"),  # no accepted answer: nothing is known, so ask
    ((None, None, None, *OTHERS[3:], 2), "risk"),  # three blanks: no total
]


@pytest.mark.parametrize("rows", [ITEM_NINE, [((None,) * 9, None)]], ids=["answered", "blank"])
def test_item_nine_of_the_phq(rows, table, read, columns):
    answers, flags = zip(*rows, strict=True)
    out = risk_flags(table(columns("phq9", answers)), "phq9")
    assert read(out)["phq9_flag_i9"] == list(flags)


def test_flags_are_a_channel_of_their_own(columns):
    made = pl.DataFrame(columns("phq9", [(*OTHERS, 1)]))
    assert not [name for name in mbc.score(made, "phq9").columns if "flag" in name]
    assert [name for name in risk_flags(made, "phq9").columns if "total" in name] == []


def test_an_instrument_without_risk_items_adds_nothing(columns):
    made = pl.DataFrame(columns("gad7", [(1,) * 7]))
    assert risk_flags(made, "gad7").columns == made.columns


ITEM_SIX = [
    ((0,) * 10, None),
    ((0, 0, 0, 0, 0, 1, 0, 0, 0, 0), "risk"),
    ((4, 4, 4, 4, 4, None, 4, 4, 4, 4), "ask"),
    ((None,) * 5 + (2,) + (None,) * 4, "risk"),  # no total can be given
]


@pytest.mark.parametrize("rows", [ITEM_SIX, [((None,) * 10, None)]], ids=["answered", "blank"])
@pytest.mark.parametrize("coding", ["endorsement", "printed"])
def test_item_six_of_the_core(rows, coding, table, read, columns):
    answers, flags = zip(*rows, strict=True)
    out = risk_flags(table(columns("core10", answers)), "core10", coding=coding)
    assert read(out)["core10_flag_i6"] == list(flags)


HITS = [
    ((1, 1, 1, 1), None, None, None),
    ((1, 4, 1, 4), None, None, "risk"),  # 10: below the authors' line, above the sensitive one
    ((1, 4, 2, 4), None, "risk", "risk"),
    ((2, 1, 1, 1), "risk", None, None),  # 5: no line is reached, and somebody was hurt
    ((None, 5, 1, None), "ask", None, "risk"),  # at least 8, whatever the blanks are
    ((None, 1, 1, 1), "ask", None, "ask"),
]


@pytest.mark.parametrize("rows", [HITS, [((None,) * 4, None, None, None)]], ids=["answered", "blank"])
def test_hits_flags_any_hurt_or_threat_and_the_more_sensitive_line(rows, table, read, columns):
    answers, *flags = zip(*rows, strict=True)
    out = read(risk_flags(table(columns("hits", answers)), "hits"))
    assert [out[f"hits_flag_{item}"] for item in ("i1", "i3", "total")] == [list(each) for each in flags]


def test_e_hits_flags_forced_sex_too(table, read, columns):
    row = read(risk_flags(table(columns("e_hits", [(1, 1, 1, 1, 2), (1, 2, 1, 2, 1)])), "e_hits"))
    assert row["e_hits_flag_i5"] == ["risk", None]
    assert row["e_hits_flag_total"] == [None, "risk"]  # 6, and 7


def test_one_yes_is_a_positive_hark_whatever_is_blank(table, read, columns):
    made = table(columns("hark", [(0, 0, 0, 0), (0, 1, None, None)]))
    row = read(risk_flags(made, "hark"))
    assert [row[f"hark_flag_i{n}"] for n in range(1, 5)] == [
        [None, None],
        [None, "risk"],
        [None, "ask"],
        [None, "ask"],
    ]
    assert read(mbc.score(made, "hark"))["hark_total"] == [0.0, None]


def test_yes_and_no_are_answers_to_hark(table, read, columns):
    row = read(risk_flags(table(columns("hark", [(False, True, False, False)])), "hark"))
    assert row["hark_flag_i2"] == ["risk"]


def test_the_safety_screens_and_only_they_belong_to_the_safety_channel():
    marked = {key for key in all_keys() if mbc.instrument(key).safety_channel}
    assert marked == {"hits", "e_hits", "hark"}
    flagged = {key for key in all_keys() if mbc.instrument(key).flags}
    assert flagged == marked | {"phq9", "core10"}
    assert all(
        flag.channel == "safety" and flag.blank_asks for key in flagged for flag in mbc.instrument(key).flags
    )
