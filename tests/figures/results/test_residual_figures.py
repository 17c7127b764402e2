"""Residuals and fitted values of every kind of growth model: what is drawn is what the model says of the rows."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student_t

from mbc import figures, models
from mbc.errors import FigureError
from tests.models.result_examples import EXAMPLES, scores

pytestmark = pytest.mark.long

KINDS = ["GrowthCurve", "TherapistGrowth", "SerialGrowth", "GroupedResiduals", "RobustGrowth", "JointGrowth"]
IN_POINTS = {"GrowthCurve", "TherapistGrowth"}


@functools.cache
def fit(kind: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EXAMPLES[kind][0]()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_its_own_residuals_against_its_own_distribution(kind):
    made = fit(kind)
    drawing = figures.residuals(made).drawing
    rest = made.residuals(standardised=kind not in IN_POINTS).to_numpy()
    assert sorted(drawing.series("Residual")[0].y) == pytest.approx(np.sort(rest))
    shares = (np.arange(rest.size) + 0.5) / rest.size
    nu = getattr(made, "degrees_of_freedom", None)
    expected = norm.ppf(shares) if nu is None else student_t.ppf(shares, nu)
    assert drawing.series("Ordered residual")[0].x == pytest.approx(expected)
    assert f"{rest.size} residuals" in drawing.caption
    fitted = dict(zip(rest.tolist(), made.fittedvalues.tolist(), strict=True))
    series = drawing.series("Residual")[0]
    assert series.x == pytest.approx([fitted[value] for value in series.y])


@pytest.mark.parametrize("kind", KINDS)
def test_fitted_values_stand_beside_the_scores_of_each_client(kind):
    made, data = fit(kind), scores().assign(fitted=fit(kind).fittedvalues, mean=fit(kind).predict(scores()))
    chosen = data["client"].drop_duplicates().tolist()[:4]
    panels = figures.fitted_values(made, clients=chosen).drawing.panels
    assert [panel.title for panel in panels] == [str(client) for client in chosen]
    for client, panel in zip(chosen, panels, strict=True):
        own = data[data["client"] == client].sort_values("week")
        mean, fitted, score = panel.marks
        assert fitted.x == mean.x == score.x == tuple(own["week"].astype(float))
        assert fitted.y == pytest.approx(own["fitted"])
        assert mean.y == pytest.approx(own["mean"])
        assert score.y == pytest.approx(own["score"])


def test_of_many_clients_the_worst_and_the_best_fitted_are_drawn():
    table = fit("SerialGrowth").fitted_frame()
    order = (table["standardised"] ** 2).groupby(table["client"]).mean().sort_values(ascending=False)
    titles = [panel.title for panel in figures.fitted_values(fit("SerialGrowth"), clients=5).drawing.panels]
    assert (titles[0], titles[-1], len(set(titles))) == (str(order.index[0]), str(order.index[-1]), 5)


def test_two_outcomes_have_a_row_of_panels_each_and_fitted_values_of_one():
    made, data = fit("PairedGrowth"), scores()
    drawing = figures.residuals(made).drawing
    assert len(drawing.panels) == 4
    residuals = made.residuals()
    for name, series in zip(made.outcomes, drawing.series("Residual"), strict=True):
        assert sorted(series.y) == pytest.approx(np.sort(residuals[name]))
        assert f"{name}: {len(data)} residuals" in drawing.caption
    panel = figures.fitted_values(made, outcome=made.outcomes[1], clients=1).drawing.panels[0]
    own = data["client"].astype(str) == panel.title
    assert sorted(panel.marks[2].y) == pytest.approx(sorted(data.loc[own, made.outcomes[1]]))
    with pytest.raises(FigureError, match="outcome must be one of the model's two"):
        figures.fitted_values(made)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clients": 13}, "clients must be 1 to 12, got 13"),
        ({"clients": 0}, "clients must be 1 to 12, got 0"),
        ({"clients": ["nobody"]}, "client 'nobody' is not in the model"),
        ({"clients": []}, "clients must name 1 to 12 clients, got 0"),
        ({"outcome": "other"}, "this model has only the outcome 'score'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(FigureError, match=message):
        figures.fitted_values(fit("GrowthCurve"), **options)


def test_another_result_is_refused_with_the_models_that_are_drawn():
    interval = models.wilson_interval(3, 10)
    for draw in (figures.residuals, figures.fitted_values):
        with pytest.raises(FigureError, match="draws a growth model, as models"):
            draw(interval)


def test_the_table_of_rows_is_what_was_observed_and_what_is_expected():
    made, data = fit("GrowthCurve"), scores()
    table = made.fitted_frame()
    assert table["outcome"].tolist() == pytest.approx(data["score"].tolist())
    assert table["fitted"].tolist() == pytest.approx(made.fittedvalues.tolist())
    assert table["residual"].tolist() == pytest.approx(made.resid.tolist())
    assert made.fitted_frame(data.iloc[:3], backend="pyarrow").num_rows == 3
