"""The charts of the client's page in ink: every value of the chart, and nothing that colour alone would say."""

from __future__ import annotations

import re

import pytest

from mbc.care.values.review import StatusPeriod
from mbc.errors import FigureError
from mbc.figures.client_page.course_chart import course_tile, enlarged_course
from mbc.figures.client_page.paper import DRAWN_ROLES, paper_chart, paper_key
from mbc.figures.client_page.sheet import shared_sheet
from mbc.figures.client_page.timeline_chart import Lives, timeline_chart
from mbc.figures.drawing.elements import Area, Series, Text
from mbc.figures.static_twin import position
from tests.figures.conftest import DAY


@pytest.fixture
def tile(course):
    return course_tile(course, shared_sheet([course]))


def draw(chart, **options):
    return paper_chart(chart, caption="What it shows", width=70, height=33, **options)


def test_every_value_of_a_tile_is_drawn(course, tile):
    (panel,) = draw(tile).drawing.panels
    shapes = [mark for mark in panel.marks if isinstance(mark, Series | Area)]
    drawn = {point for mark in shapes for point in zip(mark.x, mark.y, strict=True)}
    wanted = {
        (position(x), position(y))
        for trace in tile["data"]
        if trace["meta"]["role"] != "words"
        for x, y in zip(trace["x"], trace["y"], strict=True)
    }
    assert wanted == drawn
    scores = {occasion.score for occasion in course.occasions if occasion.score is not None}
    assert scores <= {y for _, y in drawn}


def test_what_shares_a_tile_differs_without_colour(tile):
    (panel,) = draw(tile).drawing.panels
    lines = {mark.dash for mark in panel.marks if isinstance(mark, Series) and mark.dash is not None}
    assert lines == {"solid", "dash", "dashdot", "dot"}
    areas = {(mark.hatch, mark.edge) for mark in panel.marks if isinstance(mark, Area)}
    assert {(True, None), (False, None)} <= areas
    shades = re.findall(r'"#(..)(..)(..)"', draw(tile).svg())
    assert shades
    assert all(red == green == blue for red, green, blue in shades)


def test_hollow_points_stay_hollow(course, tile):
    (panel,) = draw(tile).drawing.panels
    lines = [mark for mark in panel.marks if isinstance(mark, Series) and len(mark.x) > 1 and mark.symbols]
    points = [point for mark in lines for point in zip(mark.symbols, mark.y, strict=True)]
    hollow = sum(symbol == "circle-open" for symbol, y in points if y is not None)
    assert hollow == sum(o.prorated or o.recorded for o in course.occasions if o.score is not None) > 0


def test_the_timeline(course):
    sheet = shared_sheet([course])
    periods = (StatusPeriod("r1", "R1", "dating", DAY, None), StatusPeriod(None, "", "single", DAY, None))
    lives = Lives(periods, course.marks, (DAY,), (sheet.last,), (DAY,), sheet.last)
    (panel,) = draw(timeline_chart(lives, sheet), most_days=8).drawing.panels
    symbols = {mark.symbols[0] for mark in panel.marks if isinstance(mark, Series) and mark.symbols}
    assert {"line-ns", "cross", "circle"} <= symbols
    assert [mark.edge for mark in panel.marks if isinstance(mark, Area)] == ["solid", "dot"]
    assert any(isinstance(mark, Text) and "R1, dating" in mark.text for mark in panel.marks)


def test_days_are_written_in_another_language(tile):
    (panel,) = draw(tile, tick_words=lambda label: f"<{label}>").drawing.panels
    assert panel.x.ticks
    assert all(label.startswith("<") for _, label in panel.x.ticks)


def test_a_chart_with_other_traces_is_refused(course):
    with pytest.raises(FigureError, match="role"):
        draw(enlarged_course(course, shared_sheet([course])))


def test_the_key_names_each_mark_and_grows_where_it_is_narrow():
    names = {"score": "Punkte", "noise": "Messfehler", "cutoff": "Schwelle", "not asked": "nicht gefragt"}
    assert set(names) <= DRAWN_ROLES
    figure = paper_key(names, caption="Key", width=170)
    assert all(name in figure.svg() for name in names.values())
    assert paper_key(names, caption="Key", width=60).drawing.height > figure.drawing.height
