"""The charts of the pages on paper: the same values, the same words, whatever page they were drawn for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from mbc.errors import FigureError
from mbc.figures import goals_figure, static, trajectory_figure
from mbc.figures.drawing.elements import Area, Rule, Series, Text
from mbc.figures.static_twin import position
from scripts.figure_pictures import trajectory

pytestmark = pytest.mark.long


NOTHING = dict.fromkeys(
    ("segments", "marks", "not_applicable", "curves", "gaps", "cutoffs", "goals", "sessions"), ()
)
CHARTS = {
    "calendar": lambda course, theme: trajectory_figure(course, theme=theme),
    "session": lambda course, theme: trajectory_figure(course, axis="session", theme=theme),
    "turned": lambda course, theme: trajectory_figure(
        replace(course, higher_is_better=False), better_is_up=True, theme=theme
    ),
    "other": lambda _, theme: trajectory_figure(trajectory(), theme=theme),
    "empty": lambda course, theme: trajectory_figure(replace(course, **NOTHING), theme=theme),
    "no goal": lambda _, theme: goals_figure([], theme=theme),
}
every = pytest.mark.parametrize("name", CHARTS)


@every
def test_every_value_of_the_chart_is_on_paper(course, name):
    chart = CHARTS[name](course, "light")
    drawing = static(chart, title="x").drawing
    drawn = [mark for panel in drawing.panels for mark in panel.marks if isinstance(mark, Series | Area)]
    for trace in chart.data:
        wanted = (tuple(map(position, trace.x)), tuple(map(position, trace.y)))
        assert any((mark.x, mark.y) == wanted and mark.name == (trace.name or "") for mark in drawn)


@every
def test_every_word_and_line_of_the_chart_is_on_paper(course, name):
    chart = CHARTS[name](course, "light")
    drawing = static(chart, title="x").drawing
    marks = [mark for panel in drawing.panels for mark in panel.marks]
    notes = {note.text for note in chart.layout.annotations if note.xref != "paper"}
    assert notes <= {mark.text for mark in marks if isinstance(mark, Text)}
    titles = {note.text for note in chart.layout.annotations if note.xref == "paper"}
    assert titles <= {panel.title for panel in drawing.panels}
    assert sum(isinstance(mark, Rule) for mark in marks) == len(chart.layout.shapes)


def without_opacity(drawing):
    """The band of measurement error is a little denser on a dark page."""
    return [
        replace(panel, marks=tuple(replace(m, opacity=1) if isinstance(m, Area) else m for m in panel.marks))
        for panel in drawing.panels
    ]


@every
def test_a_chart_of_a_dark_page_is_the_same_on_paper(course, name):
    light, dark = (static(CHARTS[name](course, theme), title="x").drawing for theme in ("light", "dark"))
    assert without_opacity(light) == without_opacity(dark)


def test_the_dictionary_of_a_chart_is_read_like_the_chart(course):
    chart = trajectory_figure(course)
    assert static(chart.to_plotly_json()).drawing == static(chart).drawing


def test_title_and_caption_are_the_charts_own(course):
    figure = static(trajectory_figure(course))
    assert (figure.title, figure.caption) == (course.title, course.caption)


def test_marks_have_their_words_under_the_chart(course):
    keys = [
        series
        for series in static(trajectory_figure(course)).drawing.panels[0].marks
        if isinstance(series, Series)
    ]
    below = [series.name for series in keys if series.key_group == "below"]
    assert below[0] == "A  10 Mar: Lost job (hard time)"
    assert len(below) == len(course.marks)


def test_the_axis_turns_as_on_the_page(course):
    turned = static(trajectory_figure(replace(course, higher_is_better=False), better_is_up=True)).drawing
    axis = turned.panels[0].y
    assert axis.start > axis.end
    assert axis.title == "Score (axis inverted: up is better)"


def test_what_does_not_apply_is_hatched_and_the_expected_range_is_not(course):
    drawing = static(trajectory_figure(course)).drawing
    assert [area.hatch for area in drawing.areas("Not applicable")] == [True]
    assert [area.hatch for area in drawing.areas("Expected range")] == [False]


def test_goals_have_a_panel_each_with_its_words(drawn):
    drawing = drawn["goals"].drawing
    assert [panel.title for panel in drawing.panels] == ["Say no without explaining"]
    words = [mark.text for mark in drawing.panels[0].marks if isinstance(mark, Text)]
    assert words == ["Goal 8"]


def test_rates_keep_their_intervals_and_hidden_cells_their_words(drawn):
    drawing = drawn["outcomes"].drawing
    (improved,) = drawing.series("Improved")
    assert (improved.bars.lower, improved.x, improved.bars.upper) == (
        (pytest.approx(14),), (25.0,), (pytest.approx(40),),
    )  # fmt: skip
    words = [mark.text for mark in drawing.panels[0].marks if isinstance(mark, Text)]
    assert "Unchanged: not shown" in words


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (go.Figure(go.Bar(x=[1], y=[2])), "type 'bar'"),
        (go.Figure(go.Scatter(x=[0, 1], y=[1, 2], fill="tozeroy")), "'tozeroy'"),
        (go.Figure(go.Scatter(x=[0], y=[1], mode="markers", marker={"symbol": "hexagram"})), "'hexagram'"),
        (go.Figure(go.Scatter(x=[0], y=[1], line={"color": "#123456"})), "'#123456'"),
        (go.Figure(go.Scatter(x=["week two"], y=[1])), "a number or a day"),
        (go.Figure(go.Scatter(x=[0], y=[1], error_y={"array": [1]})), "Error bars upwards"),
        (
            go.Figure(layout={"shapes": [{"type": "circle", "x0": 0, "x1": 1, "y0": 0, "y1": 1}]}),
            "lines from the foot",
        ),
    ],
)
def test_what_paper_cannot_show_is_refused_and_not_left_out(figure, message):
    with pytest.raises(FigureError, match=message):
        static(figure)


@pytest.mark.parametrize(
    ("value", "number"),
    [(dt.date(2025, 1, 6), 739257.0), ("2025-01-06", 739257.0), ("2025-01-06 06:00", 739257.25), (2, 2.0)],
)
def test_a_day_is_its_ordinal(value, number):
    assert position(value) == number
