"""Distributions from scipy.special against the same ones in scipy.stats."""

from __future__ import annotations

import itertools

import pytest
from scipy import stats

from mbc.models.change.inputs import distributions

SHARES = (0.001, 0.05, 0.5, 0.95, 0.999)


@pytest.mark.parametrize(("df", "share"), list(itertools.product((1, 2, 7, 60), SHARES)))
def test_chi_square_and_t_are_those_of_scipy_stats(df, share):
    value = float(stats.chi2.ppf(share, df))
    assert distributions.chi_square_quantile(df, share) == pytest.approx(value, rel=1e-12)
    assert distributions.chi_square_above(df, value) == pytest.approx(float(stats.chi2.sf(value, df)), rel=1e-12)
    assert distributions.t_quantile(df, share) == pytest.approx(
        float(stats.t.ppf(share, df)), rel=1e-10, abs=1e-12
    )


@pytest.mark.parametrize(("df1", "df2", "share"), list(itertools.product((1, 3, 12), (2, 40, 1e12), SHARES)))
def test_f_is_that_of_scipy_stats(df1, df2, share):
    value = float(stats.f.ppf(share, df1, df2))
    assert distributions.f_above(df1, df2, value) == pytest.approx(float(stats.f.sf(value, df1, df2)), rel=1e-10)
