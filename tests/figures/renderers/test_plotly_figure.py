"""The interactive twin: the same marks under the same names, ticks and captions."""

from __future__ import annotations

import datetime as dt
import functools

import pytest

from mbc.figures.drawing.elements import Area, Axis, Drawing, Panel, Series
from mbc.figures.renderers.key import key_entries
from mbc.figures.renderers.plotly_figure import plotly_of
from mbc.figures.theme import PALETTES

pytestmark = pytest.mark.long

NAMES = (
    "growth", "residuals", "fitted_values", "therapist_effects", "method_agreement", "true_change",
    "dropout_sensitivity", "cumulative_incidence", "lagged_paths", "forest", "funnel", "item_rest_correlations",
    "trajectory", "outcomes",
)  # fmt: skip
every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def chart_of(drawn):
    """Give the chart of one figure for one theme, each made once."""
    return functools.cache(lambda name, theme="light": drawn[name].plotly(theme=theme))


@every
def test_every_series_is_a_trace_with_its_values(drawn, chart_of, name):
    marks = [
        (mark, panel.x.days)
        for panel in drawn[name].drawing.panels
        for mark in panel.marks
        if isinstance(mark, Series)
    ]
    traces = [
        trace for trace in chart_of(name).data if trace.fill is None and (trace.meta or {}).get("role") != "key"
    ]
    for trace, (mark, days) in zip(traces, marks, strict=True):
        x = tuple(day and float(day.toordinal()) for day in trace.x) if days else tuple(trace.x)
        assert (trace.name, x, tuple(trace.y)) == (mark.name, mark.x, mark.y)


@every
def test_the_key_is_that_of_paper(drawn, chart_of, name):
    shown = [trace.name for trace in chart_of(name).data if trace.showlegend]
    assert sorted(shown) == sorted(entry.name for entry in key_entries(drawn[name].drawing))


@every
def test_ticks_are_those_of_paper(drawn, chart_of, name):
    layout = chart_of(name).layout
    for i, panel in enumerate(drawn[name].drawing.panels, start=1):
        axis = layout[f"xaxis{'' if i == 1 else i}"]
        assert tuple(axis.ticktext or ()) == tuple(label for _, label in panel.x.ticks)


@every
@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.slow), "dark"])  # others are light
def test_each_theme_has_its_paper_and_the_caption_travels_with_it(drawn, chart_of, name, theme):
    layout = chart_of(name, theme).layout
    assert layout.paper_bgcolor == PALETTES[theme].paper
    assert layout.meta["caption"] == drawn[name].drawing.caption


@every
def test_it_needs_neither_network_nor_webgl(chart_of, name):
    figure = chart_of(name)
    assert {trace.type for trace in figure.data} == {"scatter"}
    assert "http" not in figure.to_json()


def test_days_are_dates():
    day = dt.date(2025, 1, 6)
    axis = Axis(day.toordinal(), day.toordinal() + 7, days=True)
    drawing = Drawing("", "", (Panel(axis, Axis(0, 1), (Series((float(day.toordinal()),), (0.5,), "Score"),)),))
    (trace,) = plotly_of(drawing, PALETTES["light"]).data
    assert trace.x == (day,)


def test_an_area_is_closed():
    drawing = Drawing("", "", (Panel(Axis(0, 1), Axis(0, 1), (Area((0, 1, 1), (0, 0, 1), "Band"),)),))
    (trace,) = plotly_of(drawing, PALETTES["light"]).data
    assert (trace.x, trace.y, trace.fill) == ((0, 1, 1, 0), (0, 0, 1, 0), "toself")
