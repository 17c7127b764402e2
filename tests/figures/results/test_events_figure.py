"""Dropout, time to change and lagged effects are drawn as the results have them."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

from mbc import figures, models
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Arrow, Text
from scripts.figure_pictures import growth, lagged_rows, sessions


@pytest.fixture(scope="module")
def sensitivity() -> models.DropoutSensitivity:
    return models.dropout_sensitivity(growth(), sessions(), at=12, higher_is_better=True)


def test_the_estimate_is_that_at_each_delta(sensitivity):
    drawing = figures.dropout_sensitivity(sensitivity, deltas=[-10, 0, 5]).drawing
    rows = [sensitivity.at_delta(delta) for delta in (-10, 0, 5)]
    (estimate,) = drawing.series("Estimate")
    assert estimate.y == pytest.approx([row.estimate for row in rows])
    (band,) = drawing.areas("95 % interval")
    assert band.y == pytest.approx([*(row.upper for row in rows), *(row.lower for row in reversed(rows))])


def test_the_tipping_points_lie_where_the_conclusion_falls(drawn, sensitivity):
    drawing = drawn["dropout_sensitivity"].drawing
    (point,) = drawing.series("Tipping point of the estimate")
    assert sensitivity.at_delta(point.x[0]).estimate == pytest.approx(point.y[0], abs=1e-9) == 0
    (edge,) = drawing.series("Tipping point of the interval")
    row = sensitivity.at_delta(edge.x[0])
    assert min(abs(row.lower), abs(row.upper)) == pytest.approx(0, abs=1e-9)
    axis = drawing.panels[0].x
    assert axis.start < min(point.x[0], 0) < max(point.x[0], 0) < axis.end


def test_where_nobody_left_there_is_no_tipping_point():
    complete = sessions().filter(pl.col("session") < 4)
    fit = models.growth_curve(complete, outcome="score", time="session", client="client")
    result = models.dropout_sensitivity(fit, complete, at=3)
    with pytest.raises(FigureError, match=r"nobody left.*deltas="):
        figures.dropout_sensitivity(result)
    assert figures.dropout_sensitivity(result, deltas=[-1, 1]).drawing.series("Estimate")[0].x == (-1, 1)


@pytest.mark.parametrize("deltas", [[1], [0, float("nan")], []])
def test_deltas_that_cannot_be_drawn_are_refused(sensitivity, deltas):
    with pytest.raises(FigureError, match="deltas must be"):
        figures.dropout_sensitivity(sensitivity, deltas=deltas)


def followed(seed: int, n: int = 80):
    rng = np.random.default_rng(seed)
    event = rng.choice(3, n, p=(0.2, 0.5, 0.3))
    return rng.integers(1, 15, n), event == 1, event == 2


@pytest.mark.parametrize("seed", range(8))
def test_those_who_dropped_out_are_the_incidence_of_the_other_event(seed):
    # Aalen-Johansen with the two ends exchanged is the incidence of dropout: another way to the same curve.
    times, changed, left = followed(seed)
    figure = figures.cumulative_incidence(models.time_to_change(times, changed=changed, dropped_out=left))
    other = models.time_to_change(times, changed=left, dropped_out=changed)
    (curve,) = figure.drawing.series("Dropped out")
    assert curve.y[1:-1] == pytest.approx(100 * other.incidence["incidence"].to_numpy(), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_incidence_and_its_band_are_those_of_the_result(seed):
    times, changed, left = followed(seed)
    result = models.time_to_change(times, changed=changed, dropped_out=left)
    drawing = figures.cumulative_incidence(result, kaplan_meier=True).drawing
    (curve,) = drawing.series("Changed")
    assert curve.y[1:-1] == pytest.approx(100 * result.incidence["incidence"].to_numpy())
    assert curve.x[1:-1] == tuple(result.incidence["time"])
    assert curve.interpolation == "hv"
    assert curve.y[-1] == pytest.approx(100 * result.changed_by_end)
    (band,) = drawing.areas("95 % interval")
    assert max(band.y) == pytest.approx(100 * result.incidence["upper"].max())
    (km,) = drawing.series("If nobody dropped out (Kaplan-Meier)")
    assert km.y[-1] == pytest.approx(100 * result.one_minus_kaplan_meier)


@pytest.mark.parametrize("seed", range(4))
def test_at_risk_are_those_who_had_neither_changed_nor_left_before(seed):
    times, changed, left = followed(seed)
    figure = figures.cumulative_incidence(models.time_to_change(times, changed=changed, dropped_out=left))
    counts = [
        mark for mark in figure.drawing.panels[1].marks if isinstance(mark, Text) and mark.x_reference == "data"
    ]
    assert [int(mark.text) for mark in counts] == [int((times >= mark.x).sum()) for mark in counts]


def test_where_nobody_changed_there_is_nothing_to_draw():
    result = models.time_to_change([3, 4], changed=[0, 0])
    with pytest.raises(FigureError, match="all_censored"):
        figures.cumulative_incidence(result)


@pytest.fixture(scope="module")
def lagged() -> models.LaggedEffects:
    return models.lagged_effects(
        lagged_rows(), client="client", time="session", x="alliance", y="self-esteem", samples=100
    )


def test_paths_carry_the_estimates_and_point_forward(lagged):
    marks = figures.lagged_paths(lagged).drawing.panels[0].marks
    words = {mark.text for mark in marks if isinstance(mark, Text)}
    for effect in (lagged.forward, lagged.backward, *lagged.carry_over):
        shown = f"{effect.estimate:.2f} ({effect.lower:.2f} to {effect.upper:.2f})".replace("-", "−")
        assert shown in words
    arrows = [mark for mark in marks if isinstance(mark, Arrow)]
    assert len(arrows) == 4
    assert all(arrow.x[0] < arrow.x[1] for arrow in arrows)
    rising = [arrow for arrow in arrows if arrow.y == (0, 1)]
    assert rising[0].hover.startswith("self-esteem on alliance")


def test_an_arrow_is_dashed_where_zero_is_inside(lagged):
    effects = (*lagged.carry_over, lagged.forward, lagged.backward)
    arrows = [mark for mark in figures.lagged_paths(lagged).drawing.panels[0].marks if isinstance(mark, Arrow)]
    assert [arrow.dash == "solid" for arrow in arrows] == [effect.detected for effect in effects]


def test_every_estimate_has_its_interval_the_placebo_leads_too(lagged):
    (series,) = figures.lagged_paths(lagged).drawing.series("Estimate")
    effects = [lagged.forward, lagged.backward, *lagged.carry_over, lagged.lead_forward, lagged.lead_backward]
    assert series.x == tuple(effect.estimate for effect in effects)
    assert series.bars.lower == tuple(effect.lower for effect in effects)
    assert all(a < b for a, b in itertools.pairwise(series.y))


def test_without_effects_the_figure_says_why():
    few = lagged_rows().filter(pl.col("client") < 20)
    result = models.lagged_effects(few, client="client", time="session", x="alliance", y="self-esteem", samples=20)
    with pytest.raises(FigureError, match="fewer than 50 clients"):
        figures.lagged_paths(result)
