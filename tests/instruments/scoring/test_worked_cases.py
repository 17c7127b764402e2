"""Worked cases, each checked by hand and by two separately written scorers before this package existed."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest

import mbc

CASES = json.loads((Path(__file__).parent / "worked_cases.json").read_text())


def _together(case):
    return case["key"], case["form"] or "", case["coding"] or ""


GROUPS = [list(group) for _, group in itertools.groupby(sorted(CASES, key=_together), key=_together)]
each_group = pytest.mark.parametrize("cases", GROUPS, ids=["-".join(_together(group[0])) for group in GROUPS])


def scored(cases, table, read, columns, missing):
    key, form, coding = (cases[0][what] for what in ("key", "form", "coding"))
    made = table(columns(key, [case["answers"] for case in cases]))
    return read(mbc.score(made, key, form=form, coding=coding, missing=missing))


@each_group
@pytest.mark.parametrize("missing", ["strict", "prorate"])
def test_score_and_count(cases, missing, read, columns):
    same_as_by_hand(cases, missing, pd.DataFrame, read, columns)


@pytest.mark.slow
@each_group
@pytest.mark.parametrize("missing", ["strict", "prorate"])
def test_score_and_count_on_every_backend(cases, missing, table, read, columns):
    same_as_by_hand(cases, missing, table, read, columns)


def same_as_by_hand(cases, missing, table, read, columns):
    out = scored(cases, table, read, columns, missing)
    for row, case in enumerate(cases):
        for scale, expected in case["expected"].items():
            name = f"{case['key']}_{scale}"
            if scale == "band":
                assert out[f"{case['key']}_total_band"][row] == expected, case["case"]
                continue
            if scale == "maximum":
                assert out[f"{case['key']}_total_maximum"][row] == expected, case["case"]
                continue
            wanted = expected["strict" if missing == "strict" else "prorated"]
            assert out[name][row] == (None if wanted is None else pytest.approx(wanted, abs=5e-5)), case["case"]
            assert out[f"{name}_answered"][row] == expected["answered"], case["case"]
            if missing == "prorate":
                marked = expected["strict"] is None and expected["prorated"] is not None
                assert out[f"{name}_prorated"][row] is marked, case["case"]


PHQ9 = [
    ((1, 1, 1, 1, 1, 0, 0, 0, 0), 5.0, "mild"),  # first score of the band
    ((2, 2, 2, 2, 2, 2, 2, None, None), 18.0, "moderately severe"),  # prorated: 14 / 7 * 9
    ((2, 2, 2, 2, 2, 2, None, None, None), None, None),  # three missing: no score, and no band
    ((0,) * 9, 0.0, "minimal"),
    ((3,) * 9, 27.0, "severe"),
]
NAN = [((1.0,) * 8 + (float("nan"),), 9.0, "mild")]  # "not answered"
BLANK = [((None,) * 9, None, None)]


@pytest.mark.parametrize("rows", [PHQ9, NAN, BLANK], ids=["answered", "NaN", "blank"])
def test_phq9_total_and_band(rows, table, read, columns):
    answers, totals, labels = zip(*rows, strict=True)
    out = read(mbc.score(table(columns("phq9", answers)), "phq9"))
    assert (out["phq9_total"], out["phq9_total_band"]) == (list(totals), list(labels))


@pytest.mark.parametrize(
    ("key", "scale", "score", "distressed"),
    [
        ("csi32", "total", 104, True),  # below 104.5
        ("csi32", "total", 105, False),
        ("csi16", "total", 51, True),
        ("csi16", "total", 52, False),
        ("csi4", "total", 13, True),
        ("csi4", "total", 14, False),
        ("csi4", "total", 13.5, False),  # only a prorated score could lie on the line
        ("phq9", "total", 10, True),  # 10 and above
        ("phq9", "total", 9, False),
        ("gad7", "total", 10, True),
        ("who5", "total", 48, True),  # raw 12; 50 or below
        ("who5", "total", 52, False),  # raw 13
        ("rses", "total", 15, False),  # below 15
        ("kmss", "total", 17, False),
        ("kmss", "total", 16, True),
        ("rdas", "total", 48, False),  # 47 and below are distressed
        ("rdas", "total", 47, True),
        ("k6", "total", 13, True),
        ("core10", "total", 11, True),
        ("core10", "total", 10.9, False),
        ("wsas", "total", 10, True),
        ("hits", "total", 6, True),  # the more sensitive of two lines
        ("e_hits", "total", 7, True),
        ("e_hits", "total", 6, False),
        ("hark", "total", 0, False),
        ("hark", "total", 1, True),
    ],
)
def test_the_side_of_a_cutoff_follows_the_published_tie_rule(key, scale, score, distressed):
    assert mbc.instrument(key).scale(scale).cutoff.distressed(score) is distressed


@pytest.mark.parametrize(("score", "above"), [(10, False), (11, True)])
def test_both_lines_of_the_hits_are_there(score, above):
    lines = {line.value: line.distressed(score) for line in mbc.instrument("hits").main_scale.cutoffs}
    assert lines == {6: True, 10.5: above}


@pytest.mark.parametrize(
    ("key", "scale", "score", "label"),
    [
        ("k10", "total", 22, "high"),  # mild by the other table
        ("k10", "total", 15, "low"),
        ("k10", "total", 30, "very high"),
        ("wsas", "total", 20, "significant impairment"),
        ("wsas", "total", 21, "moderately severe or worse"),
        ("gad7", "total", 9, "mild"),
    ],
)
def test_bands_are_those_of_their_table(key, scale, score, label):
    assert mbc.instrument(key).scale(scale).band(score).label == label
