"""A change inside measurement error is called such, by the same rule as the models use."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc.care.course.noise import noise_of, short_source
from mbc.instruments import instrument
from mbc.models import reliable_change

RSES, PHQ9, CSI16 = instrument("rses"), instrument("phq9"), instrument("csi16")
scores = st.integers(0, 30)


def test_the_threshold_is_jacobson_and_truaxs():
    # S_diff = sd * sqrt(2 (1 - r)); 1.96 of them, doi:10.1037/0022-006X.59.1.12
    norm = RSES.main_scale.change_norm
    assert norm is not None
    expected = 1.959963984540054 * norm.sd * math.sqrt(2 * (1 - norm.reliability))
    assert noise_of(RSES, RSES.main_scale).threshold == pytest.approx(expected)


@given(scores, scores)
def test_verdicts_are_those_of_the_models(pre, post):
    norm = RSES.main_scale.change_norm
    judged = reliable_change(pre, post, sd=norm.sd, reliability=norm.reliability, higher_is_better=True).category
    words = {"improved": "clearly better", "deteriorated": "clearly worse", "unchanged": "no clear change"}
    assert noise_of(RSES, RSES.main_scale).verdict(post - pre, higher_is_better=True) == words[judged]


@given(st.integers(-27, 27))
def test_turning_the_direction_turns_better_into_worse_only(change):
    noise = noise_of(RSES, RSES.main_scale)
    turned = {
        "clearly better": "clearly worse",
        "clearly worse": "clearly better",
        "no clear change": "no clear change",
    }
    up = noise.verdict(change, higher_is_better=True)
    assert noise.verdict(change, higher_is_better=False) == turned[up]


@pytest.mark.parametrize(
    ("change", "verdict"), [(-5, "no clear change"), (-6, "clearly better"), (6, "clearly worse")]
)
def test_a_published_reliable_change_counts_from_its_own_points_on(change, verdict):
    # NHS Talking Therapies: a change of 6 points or more on the PHQ-9 is reliable
    assert noise_of(PHQ9, PHQ9.main_scale).verdict(change, higher_is_better=False) == verdict


def test_the_band_stays_on_the_scale():
    band = noise_of(RSES, RSES.main_scale).around(2, (0, 30))
    assert (band.lower, band.upper > 7) == (0, True)


def test_a_meaningful_change_is_not_a_noise_figure():
    who5 = instrument("who5")  # 10 points are called meaningful, not beyond error
    assert noise_of(who5, who5.main_scale) is None


def test_an_unverified_norm_says_so():
    noise = noise_of(CSI16, CSI16.main_scale)
    assert noise.confidence == "unverified"
    assert not noise.around(40, (0, 81)).verified


def test_sources_are_named_shortly():
    for key in ("rses", "csi16", "phq9", "gad7", "who5"):
        one = instrument(key)
        assert all(0 < len(short_source(one, source.key)) <= 90 for source in one.sources)
