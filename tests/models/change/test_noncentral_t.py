"""The noncentral t distribution far out in its tails."""

from __future__ import annotations

import pytest

from mbc.models import effect_size
from mbc.models.change.inputs.distributions import noncentral_t_below


@pytest.mark.parametrize(
    ("df", "noncentrality", "t", "below"),
    [
        (130, 5.0, -7.835, 0.0),  # scipy's series gives NaN here; the tail is below 1e-16
        (134, -5.0, 6.0577, 1.0),
        (22, 9.3, -4.69, 0.0),
    ],
)
def test_far_tails_have_a_limit_and_no_nan(df, noncentrality, t, below):
    assert noncentral_t_below(df, noncentrality, t) == pytest.approx(below, abs=1e-12)


def test_an_exact_interval_is_found_for_a_large_worsening():
    # t = -7.75 on 59 degrees of freedom: the search for the interval passes through that tail
    pre = [10.0, 12.0, 14.0] * 20
    post = [value - 2.0 - (2.0 if number % 2 else -2.0) for number, value in enumerate(pre)]
    found = effect_size(pre, post, higher_is_better=True)
    assert found.lower < found.d < found.upper < 0
