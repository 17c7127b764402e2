"""Forests, funnels and items: estimates where the results have them, and limits that chance keeps."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from scipy.stats.mstats import winsorize

from mbc import figures, models
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Text
from mbc.figures.results.funnel_plot import limits
from mbc.models.change.groups.overdispersion import overdispersion
from scripts.figure_pictures import clinics, growth, item_rest, pairs


def effect(**options):
    data = pairs()
    return models.effect_size(data["pre"], data["post"], higher_is_better=True, **options)


def test_an_effect_size_is_d_where_its_interval_is_exact_and_g_where_it_is_approximate():
    exact, approximate = effect(), effect(interval="approximate")
    (series,) = figures.forest({"A": exact}).drawing.series("Estimate")
    assert (series.x, series.bars.lower, series.bars.upper) == ((exact.d,), (exact.lower,), (exact.upper,))
    (series,) = figures.forest({"A": approximate}).drawing.series("Estimate")
    assert series.x == (approximate.g,)


def test_results_that_do_not_share_an_axis_are_refused():
    with pytest.raises(FigureError, match="cannot share an axis"):
        figures.forest({"A": effect(), "B": effect(kind="d_z")})
    with pytest.raises(FigureError, match="cannot share an axis"):
        figures.forest({"A": effect(), "B": models.wilson_interval(1, 2)})


def test_an_estimate_that_could_not_be_had_keeps_its_line_and_says_so():
    none = models.effect_size([1, 2], [2, 3])
    figure = figures.forest({"A": effect(), "Too few": none})
    assert figure.drawing.series("Estimate")[0].y == (0,)
    words = [mark.text for mark in figure.drawing.panels[1].marks if isinstance(mark, Text)]
    assert words[1] == "not estimated"
    with pytest.raises(FigureError, match="nothing to draw"):
        figures.forest({"Too few": none})


def test_a_growth_curve_stands_for_its_coefficients():
    (series,) = figures.forest(growth()).drawing.series("Estimate")
    slope = growth().coefficients[1]
    assert (series.x, series.bars.upper) == ((slope.estimate,), (slope.upper,))


def test_partners_stand_for_their_effects_without_intercepts():
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({
        "dyad": np.repeat(np.arange(40), 2), "role": ["a", "b"] * 40,
        "x": rng.normal(size=80), "y": rng.normal(size=80),
    })  # fmt: skip
    model = models.actor_partner(frame, dyad="dyad", x="x", y="y", role="role", bootstrap=20)
    (series,) = figures.forest(model).drawing.series("Estimate")
    kept = [one for one in model.effects if one.effect != "intercept"]
    assert series.x == tuple(one.estimate for one in kept)


def test_long_names_and_their_words_have_room_in_a_forest_and_a_narrower_one_is_refused():
    name = "A service with a name of forty letters.."
    figure = figures.forest({name: effect(), "B": effect()})
    assert figure.drawing.least_width > figures.forest({"A": effect()}).drawing.least_width + 150
    with pytest.raises(FigureError, match="width must be at least"):
        figure.svg(width=120)


def test_an_empty_forest_is_refused():
    with pytest.raises(FigureError, match="empty mapping"):
        figures.forest({})


def test_a_groups_change_is_in_points():
    change = models.group_change([20, 25, 30, 28, 22], [12, 15, 25, 16, 15], meaningful=5, higher_is_better=False)
    figure = figures.forest({"All": change}, reference=-5)
    assert figure.drawing.series("Estimate")[0].x == (change.estimate,)
    assert figure.drawing.panels[0].x.title == "Points, 95 % interval"


@given(st.floats(0.02, 0.98), st.integers(1, 400), st.floats(0.5, 0.999))
def test_a_rate_is_outside_exactly_where_its_tail_is_too_small(target, n, level):
    low, high = limits(target, n, level)
    counts = np.arange(n + 1)
    tail = (1 - level) / 2
    below, above = binom.cdf(counts, n, target), binom.sf(counts - 1, n, target)
    clear = (np.abs(below - tail) > 1e-9) & (np.abs(above - tail) > 1e-9)
    outside = (counts / n < low) | (counts / n > high)
    assert (outside == ((below < tail) | (above < tail)))[clear].all()


@given(st.floats(0.02, 0.98), st.integers(1, 400), st.floats(0.5, 0.999))
def test_limits_of_the_complement_are_mirrored(target, n, level):
    low, high = limits(target, n, level)
    other_low, other_high = limits(1 - target, n, level)
    assert (low, high) == pytest.approx((1 - other_high, 1 - other_low), abs=1e-6)


def test_with_many_clients_the_limits_are_those_of_the_normal_distribution():
    low, high = limits(0.3, 100_000, 0.95)
    half = 1.959964 * np.sqrt(0.3 * 0.7 / 100_000)
    assert (low, high) == pytest.approx((0.3 - half, 0.3 + half), abs=1e-5)


def test_each_clinic_stands_at_its_number_and_its_rate(drawn):
    (series,) = drawn["funnel"].drawing.series("Rate")
    table = clinics().table.filter(pl.col("category") == "improved")
    assert series.y == pytest.approx([100 * rate for rate in table["rate"]])
    assert [round(n * y / 100) for n, y in zip(series.x, series.y, strict=True)] == table["n"].to_list()


def test_those_outside_are_named_and_marked(drawn):
    (series,) = drawn["funnel"].drawing.series("Rate")
    named = [label for label in series.labels if label]
    assert named == ["C06", "C13"]  # the two that were made to differ
    assert [symbol for symbol, label in zip(series.symbols, series.labels, strict=True) if label] == [
        "diamond"
    ] * 2


def test_the_category_is_chosen_and_an_unknown_one_is_refused():
    worse = figures.funnel(clinics(), category="deteriorated")
    table = clinics().table.filter(pl.col("category") == "deteriorated")
    assert worse.drawing.series("Rate")[0].y == pytest.approx([100 * rate for rate in table["rate"]])
    with pytest.raises(FigureError, match="category must be one of improved"):
        figures.funnel(clinics(), category="better")


@pytest.mark.parametrize("levels", [[], [95], [0.5, 0.9, 0.95, 0.99], [0]])
def test_levels_are_up_to_three_shares(levels):
    with pytest.raises(FigureError, match="levels"):
        figures.funnel(clinics(), levels=levels)


def made_units(spread: float, size: int = 21) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(7)
    sizes = rng.integers(40, 160, size)
    rates = np.clip(rng.normal(0.4, spread, size), 0.02, 0.98)
    return rng.binomial(sizes, rates).tolist(), sizes.tolist()


def test_over_dispersion_is_the_mean_square_of_winsorised_z_scores():
    """Derived again by scipy's winsorising, which sets as many as a tenth to their neighbour: 2 of 21."""
    counts, sizes = made_units(0.12)
    target = sum(counts) / sum(sizes)
    z = [(count - n * target) / np.sqrt(n * target * (1 - target)) for count, n in zip(counts, sizes, strict=True)]
    expected = np.mean(np.square(winsorize(np.array(z), limits=(0.1, 0.1)).data))
    assert expected > 2
    assert overdispersion(counts, sizes, target) == pytest.approx(expected, rel=1e-9)
    assert overdispersion(counts[:9], sizes[:9], target) == 1.0  # too few units
    assert overdispersion([40] * 21, [100] * 21, 0.4) == 1.0  # units more alike than by chance


def test_limits_that_allow_for_over_dispersion_are_wider_and_name_fewer():
    counts, sizes = made_units(0.12)
    rates = {f"T{i:02d}": models.wilson_interval(c, n) for i, (c, n) in enumerate(zip(counts, sizes, strict=True))}
    factor = overdispersion(counts, sizes, target := sum(counts) / sum(sizes))
    plain, wider = figures.funnel(rates), figures.funnel(rates, overdispersion=True)
    assert f"{np.sqrt(factor):.2f} times as wide" in wider.caption
    named = [sum(map(bool, figure.drawing.series("Rate")[0].labels)) for figure in (plain, wider)]
    assert named[0] > named[1]
    low, high = limits(target, 100_000, 0.95, 4.0)
    half = 2 * 1.959964 * np.sqrt(target * (1 - target) / 100_000)
    assert (low, high) == pytest.approx((target - half, target + half), abs=1e-4)
    few = figures.funnel(dict(list(rates.items())[:5]), overdispersion=True)
    assert "assessed only from 10 units" in few.caption


def test_rates_of_one_group_have_nothing_to_compare():
    change = models.reliable_change([20, 15, 30], [10, 14, 22], sd=6, reliability=0.85, higher_is_better=False)
    with pytest.raises(FigureError, match="groups="):
        figures.funnel(models.outcome_rates(change))


def test_items_stand_at_their_correlations_and_the_wrong_key_is_seen(drawn):
    rows = item_rest()
    drawing = drawn["item_rest_correlations"].drawing
    (with_rest,), (against,) = drawing.series("Positively related"), drawing.series("Negatively related")
    assert against.y == (6,)
    assert against.x == (rows[6].correlation,)
    assert with_rest.x == tuple(row.correlation for row in rows if row.item != "item 7")
    words = [mark.text for mark in drawing.panels[1].marks if isinstance(mark, Text)]
    assert words == [f"{row.alpha_without:.2f}" for row in rows]
    assert "item 7" in drawn["item_rest_correlations"].caption


def test_items_without_a_correlation_are_left_without_a_mark():
    rows = models.item_rest_correlations([[3, 3, 1], [1, 0, 1], [2, 2, 1], [0, 1, 1]])
    figure = figures.item_rest_correlations(rows)
    assert figure.drawing.series("Positively related")[0].y == (0, 1)
