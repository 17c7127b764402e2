"""The charts of a client's page: plain dictionaries that plotly accepts, with everything the browser adapts."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from dataclasses import fields, replace

import plotly.graph_objects as go
import pytest

from mbc.care import client_review
from mbc.care.values.course import Jump, Mark, NoiseBand, Setback, Shape
from mbc.figures.client_page.colours import LIGHT, PAGE_COLOURS, PageColours, dark_for_light
from mbc.figures.client_page.course_chart import course_tile, enlarged_course
from mbc.figures.client_page.sheet import shared_sheet
from mbc.figures.client_page.timeline_chart import Lives, alliance_ratings, lives_of, timeline_chart
from mbc.figures.theme import contrast
from mbc.instruments import instrument, keys
from mbc.store import Administration, Client, Store

LINES = ("score", "expected", "cutoff", "goal", "hatch")
TEXTS = ("ink", "quiet", "cutoff", "goal", "expected", "score")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_texts_stand_out_on_either_page(theme: str):
    colours = PAGE_COLOURS[theme]
    assert all(contrast(getattr(colours, name), colours.paper) >= 3 for name in LINES)  # WCAG 2.2, 1.4.11
    assert all(contrast(getattr(colours, name), colours.paper) >= 4.5 for name in TEXTS)  # 1.4.3
    for cell in (colours.lowest, colours.highest):
        assert contrast(colours.ink, cell) >= 4.5


def test_the_theme_can_be_exchanged_colour_by_colour():
    assert len(dark_for_light()) == len(fields(PageColours))  # no two roles share a colour on the light page
    assert dark_for_light()[LIGHT.paper] == PAGE_COLOURS["dark"].paper


def roles(chart: dict) -> list[str]:
    return [trace["meta"]["role"] for trace in chart["data"]]


def test_a_tile_and_an_enlarged_chart_are_figures(course):
    sheet = shared_sheet([course])
    assert sheet is not None
    for chart in (
        course_tile(course, sheet),
        enlarged_course(course, sheet, [(0, "low"), (7, "middle"), (14, "high")]),
    ):
        figure = go.Figure(chart)  # raises where an attribute does not exist
        assert len(figure.data) == len(chart["data"])
        json.dumps(chart)  # and nothing in it is not plain data


def test_the_scores_beside_a_tile_have_room_for_every_scale(course):
    sheet = shared_sheet([course])
    assert sheet is not None
    ranges = {scale.range for key in keys() for scale in instrument(key).scales}
    assert (0, 81) in ranges
    for low, high in ranges:
        values = course_tile(replace(course, range=(low, high)), sheet)["layout"]["yaxis"]["tickvals"]
        assert (values[0], values[-1]) == (low, high)
        assert values[1] == pytest.approx((low + high) / 2, abs=0.5)
        assert max(len(f"{value:g}") for value in values) <= 3


def test_every_point_has_its_place_on_the_axis_of_sessions(course):
    sheet = shared_sheet([course])
    assert sheet is not None
    for trace in course_tile(course, sheet)["data"]:
        assert len(trace["x"]) == len(trace["y"]) == len(trace["meta"]["sessions"])
    scores = [trace for trace in course_tile(course, sheet)["data"] if trace["meta"]["role"] == "score"]
    assert scores[0]["meta"]["sessions"][:3] == [1, 3, 5]  # weeks 0, 2, 4: a session each week


def test_a_line_stops_at_a_long_silence_and_where_the_relationship_ends(course):
    sheet = shared_sheet([course])
    assert sheet is not None
    first, second = [trace for trace in course_tile(course, sheet)["data"] if trace["meta"]["role"] == "score"]
    assert first["y"] == [8, 10, 6, None, 9, None, 5, 4]  # no score in week 5; silence from week 6 to 14
    assert second["y"] == [12, 14, 17, 18]
    assert first["connectgaps"] is False


def test_the_enlarged_chart_names_events_severity_and_lines(course):
    sheet = shared_sheet([course])
    assert sheet is not None
    chart = enlarged_course(course, sheet, [(0, "low"), (7, "middle"), (14, "high")])
    assert {"severity words", "event", "score", "expected", "cutoff", "goal", "noise", "not asked"} <= set(
        roles(chart)
    )
    texts = [text for trace in chart["data"] for text in trace.get("text", ())]
    assert any("Lost job, 10 Mar" in text for text in texts)
    named = [note["text"] for note in chart["layout"]["annotations"]]
    assert {"cutoff 13.5", "goal 16", "expected from intake"} <= set(named)
    places = sorted(note["y"] for note in chart["layout"]["annotations"])
    assert all(later - earlier > 0.5 for earlier, later in itertools.pairwise(places))  # none on another


def test_setbacks_sudden_gains_and_plateaus_are_marked_and_named(course):
    days = [occasion.taken_on for occasion in course.segments[0].occasions]
    shape = Shape(
        setbacks=(Setback(days[1], 10, days[6], 4, None),),
        jumps=(Jump(days[2], days[4], 3.0),),
        plateau=(days[0], days[4]),
    )
    marked = replace(course, segments=(replace(course.segments[0], shape=shape), course.segments[1]))
    sheet = shared_sheet([marked])
    assert sheet is not None
    texts = [text for trace in enlarged_course(marked, sheet)["data"] for text in trace.get("text", ())]
    for part in (
        "setback of 6, not yet regained",
        "sudden gain of 3",
        "plateau, 4 scores within measurement error",
    ):
        assert part in texts


def test_markup_in_free_words_is_written_not_obeyed(course):
    mark = replace(course.marks[0], label="<b>bold</b>")
    sheet = shared_sheet([course])
    assert sheet is not None
    chart = enlarged_course(replace(course, marks=(mark,)), sheet)
    assert "<b>bold" not in json.dumps([trace.get("text") for trace in chart["data"]])


def test_the_alliance_has_a_row_with_clear_falls_marked(tmp_path):
    """WAI-SR, 1 to 5, from 4 to 2.2 and back, with an error of measurement of 0.6 points."""
    with Store.create(f"sqlite:///{tmp_path}/alliance.db") as made:
        with made.writing(by="test") as record:
            record.add(Client("C1"))
            for n, level in enumerate((4.0, 4.2, 2.2, 4.1)):
                day = dt.date(2025, 1, 6) + dt.timedelta(weeks=n)
                record.add(Administration("C1", "wai_sr", day, totals={"total": level}))
        review = client_review(made, "C1", as_of=dt.date(2025, 2, 3))
    (course,) = review.trajectories
    noise = NoiseBand(3.4, 4.6, 0.6, 0.95, "measurement error", "made for a test", "unverified")
    course = replace(course, segments=(replace(course.segments[0], noise=noise),))
    review = replace(review, constructs=(replace(review.constructs[0], trajectories=(course,)),))
    ratings = alliance_ratings(review.trajectories)
    assert [rating.share for rating in ratings] == pytest.approx([0.75, 0.8, 0.3, 0.775])
    assert [rating.fell for rating in ratings] == [False, False, True, False]
    sheet = shared_sheet(review.trajectories)
    assert sheet is not None
    chart = timeline_chart(lives_of(review), sheet)
    (row,) = [trace for trace in chart["data"] if trace["meta"]["role"] == "alliance"]
    assert row["marker"]["symbol"] == ["circle", "circle", "diamond", "circle"]
    assert "Alliance" in chart["layout"]["yaxis"]["ticktext"]
    assert "fell clearly" in row["hovertext"][2]


def test_an_event_without_room_for_its_words_is_over_nobody_elses(course):
    sheet = shared_sheet([course])
    assert sheet is not None
    days = [sheet.first + dt.timedelta(days=place) for place in range(3)]  # there are rows for two
    marks = tuple(Mark(day, "event", "Fewer hours at work", "neutral") for day in days)
    chart = timeline_chart(Lives((), marks, (), (), (), today=sheet.last), sheet)
    events = [trace for trace in chart["data"] if trace["meta"]["role"] == "event"]
    assert [trace["text"] != [""] for trace in events] == [True, True, False]
    (first,), (second,), (third,) = (trace["y"] for trace in events)
    assert third == pytest.approx((first + second) / 2)
    assert "Fewer hours at work" in events[2]["hovertext"][0]
