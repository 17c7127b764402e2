"""Residuals, therapists and methods: what is drawn is what was fitted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from mbc import figures, models
from mbc.errors import FigureError
from scripts.figure_pictures import growth, pairs, sessions


@pytest.fixture(scope="module")
def therapists() -> models.TherapistGrowth:
    return models.therapist_growth(
        sessions(), outcome="score", time="session", client="client", therapist="therapist"
    )


def test_residuals_are_those_of_the_same_model_by_formula():
    # Two ways to the same numbers: client by client from the growth curve's sums, and from the rows by mixedlm.
    data = sessions().to_pandas()
    data["t"] = np.log1p(data["session"])
    formula = models.mixedlm("score ~ t", data, groups=data["client"], re_formula="~t")
    ours = figures.residuals(growth(), data=sessions()).drawing.series("Residual")[0]
    theirs = figures.residuals(formula).drawing.series("Residual")[0]
    assert sorted(ours.y) == pytest.approx(sorted(theirs.y), abs=1e-3)
    assert sorted(theirs.y) == pytest.approx(sorted(data["score"] - formula.fittedvalues))


def test_ordered_residuals_stand_at_normal_quantiles():
    (series,) = figures.residuals(growth(), data=sessions()).drawing.series("Ordered residual")
    n = len(series.y)
    assert n == sessions().height
    assert list(series.y) == sorted(series.y)
    assert series.x == pytest.approx(norm.ppf((np.arange(n) + 0.5) / n))


def test_of_many_residuals_as_many_are_drawn_as_can_be_seen_the_extremes_among_them():
    many = pl.concat(
        [sessions(60 + k, seed=k).with_columns(client=pl.col("client") + 1000 * k) for k in range(3, 6)]
    )
    fit = models.growth_curve(many, outcome="score", time="session", client="client")
    (series,) = figures.residuals(fit, data=many).drawing.series("Residual")
    assert many.height > 1000
    assert len(series.y) == 1000
    data = many.to_pandas()
    data["t"] = np.log1p(data["session"])
    formula = models.mixedlm("score ~ t", data, groups=data["client"], re_formula="~t")
    rest = data["score"] - formula.fittedvalues
    assert (min(series.y), max(series.y)) == pytest.approx((rest.min(), rest.max()), abs=1e-2)


def test_rows_without_a_score_are_left_out():
    data = sessions().with_columns(score=pl.when(pl.col("session") == 2).then(None).otherwise(pl.col("score")))
    fit = models.growth_curve(data, outcome="score", time="session", client="client")
    (series,) = figures.residuals(fit, data=data).drawing.series("Residual")
    assert len(series.y) == data["score"].count()


def test_a_formula_model_has_its_own_rows():
    data = sessions().to_pandas()
    formula = models.mixedlm("score ~ session", data, groups=data["client"])
    with pytest.raises(FigureError, match="leave data= out"):
        figures.residuals(formula, data=data)


def test_therapists_stand_in_order_with_their_intervals(drawn, therapists):
    (series,) = drawn["therapist_effects"].drawing.series("Effect of the therapist")
    table = therapists.to_frame().sort("(Intercept)", descending=True)
    assert series.x == pytest.approx(table["(Intercept)"].to_list())
    half = (table["(Intercept) sd"] * norm.ppf(0.975)).to_list()
    assert series.bars.lower == pytest.approx([x - h for x, h in zip(series.x, half, strict=True)])
    assert series.bars.upper == pytest.approx([x + h for x, h in zip(series.x, half, strict=True)])
    labels = [label for _, label in drawn["therapist_effects"].drawing.panels[0].y.ticks]
    assert labels == [f"{name} ({n})" for name, n in table.select("therapist", "clients").iter_rows()]


def test_a_variance_of_nothing_is_not_drawn_as_if_it_were_large():
    data = sessions().with_columns(therapist=(pl.col("client") * 7 % 10).cast(pl.String))
    fit = models.therapist_growth(data, outcome="score", time="session", client="client", therapist="therapist")
    axis = figures.therapist_effects(fit).drawing.panels[0].x
    assert axis.end - axis.start > 0.15 * float(np.sqrt(fit.client_covariance[0, 0]))


def test_each_effect_that_differs_has_a_panel():
    fit = models.therapist_growth(
        sessions(), outcome="score", time="session", client="client", therapist="therapist",
        therapist_random=("intercept", "slope"),
    )  # fmt: skip
    panels = figures.therapist_effects(fit).drawing.panels
    assert len(panels) == 2
    drawn = [panel.marks[1].x for panel in panels]
    order = np.argsort(fit.means[:, 0])[::-1]
    assert drawn[1] == pytest.approx(fit.means[order, 1])


def test_rates_and_agreement_are_those_of_the_comparison(drawn):
    data = pairs()
    comparison = models.compare_methods(
        data["pre"], data["post"], norms=models.Norms(mean=14, sd=4.5, reliability=0.85), higher_is_better=True
    )
    drawing = drawn["method_agreement"].drawing
    rates = comparison.rates()
    for category in ("improved", "unchanged", "deteriorated"):
        rows = rates.filter(pl.col("category") == category)
        (series,) = drawing.series(category.capitalize())
        assert series.x == pytest.approx([100 * rate for rate in rows["rate"]])
        assert series.bars.lower == pytest.approx([100 * low for low in rows["lower"]])
    words = [area.hover for area in drawing.areas("Agreement")]
    a, b = comparison.changes["jacobson-truax"].codes, comparison.changes["edwards-nunnally"].codes
    share = 100 * float((a == b).mean())
    assert f"jacobson-truax and edwards-nunnally: {share:.1f} %" in words


def test_only_pairs_that_both_judged_are_compared():
    pre, post = [20, 15, 30, 28, None], [10, 14, 22, 29, 12]
    methods = ["jacobson-truax", "edwards-nunnally"]
    comparison = models.compare_methods(pre, post, reliability=0.85, higher_is_better=False, methods=methods)
    figure = figures.method_agreement(comparison)
    assert {area.hover for area in figure.drawing.areas("Agreement")} >= {
        "jacobson-truax and edwards-nunnally: 100.0 %"
    }


def test_a_single_method_has_nothing_to_agree_with():
    single = models.compare_methods(
        [20, 15, 30], [10, 14, 22], reliability=0.85, higher_is_better=False, methods=["jacobson-truax"]
    )
    with pytest.raises(FigureError, match="at least two methods"):
        figures.method_agreement(single)


def test_of_very_many_therapists_the_order_is_drawn_without_names():
    many = pl.concat([sessions(), sessions(seed=9).with_columns(client=pl.col("client") + 500)])
    many = many.with_columns(therapist=(pl.col("client") % 70).cast(pl.String))
    fit = models.therapist_growth(many, outcome="score", time="session", client="client", therapist="therapist")
    figure = figures.therapist_effects(fit)
    assert figure.drawing.panels[0].y.ticks == ()
    assert len(figure.drawing.series("Effect of the therapist")[0].x) == 70
    assert "in brackets" not in figure.caption
