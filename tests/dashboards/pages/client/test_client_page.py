"""A client's page: every chart with its words, its table and its sources; nothing of the restricted section."""

from __future__ import annotations

import json
from datetime import date

import plotly.graph_objects as go
import pytest
from sqlalchemy import event

from dashboards.components import ids
from dashboards.pages.client.content import origins, summary_row, table_rows
from dashboards.pages.client.layout import figure_of, layout, redraw, safety_panel
from mbc.care import client_review
from mbc.errors import NotInRecord
from mbc.store import Event, Store
from tests.dashboards.reading import named, of_kind, parts, text_of
from tests.dashboards.record import RSES_TOTALS

RSES = ids.trajectory("rses.total")


@pytest.fixture
def page(store_of):
    return layout(store_of("ash"), "C001", "light")


@pytest.fixture
def courses(store_of):
    return {one.instrument: one for one in client_review(store_of("ash"), "C001").trajectories}


def scores_of(figure: go.Figure) -> list[float]:
    (trace,) = [trace for trace in figure.data if trace.name == "Score"]
    return [y for y in trace.y if y is not None]


def test_the_chart_holds_the_scores(page):
    assert scores_of(named(page, RSES).figure) == list(RSES_TOTALS)


def test_each_chart_is_described_by_a_caption_in_plain_words(page, courses):
    drawings = [one for one in of_kind(page, "Div") if getattr(one, "role", None) == "img"]
    assert len(drawings) == len(courses) + 1  # the goals have one too
    captions = {one.id: text_of(one) for one in of_kind(page, "Figcaption")}
    for drawing in drawings:
        assert captions[getattr(drawing, "aria-describedby")]
        assert drawing.tabIndex == "0"
        assert getattr(drawing, "aria-label").startswith("Chart. ")
    assert captions["chart-rses-total-caption"] == courses["rses"].summary


def test_the_table_under_a_chart_holds_every_score(courses):
    headings, rows = table_rows(courses["rses"])
    assert [row[headings.index("Score")] for row in rows] == [str(total) for total in RSES_TOTALS]
    assert rows[0][headings.index("Answered")] == "10 of 10"
    assert rows[-1][headings.index("From baseline")] == "+12"
    assert rows[-1][headings.index("Clear change")] == "yes"
    assert headings[0] == "Date"
    assert rows[0][0] == "5 Jan 2026"


def test_each_line_says_where_it_comes_from(courses):
    found = {one.name: one for one in origins(courses["rses"])}
    assert {"Measurement error", "Cutoff", "Questionnaire"} <= found.keys()
    assert all(one.source for one in found.values())


def test_unverified_numbers_say_so(courses):
    doubts = [one.doubt for course in courses.values() for one in origins(course) if one.doubt]
    assert doubts
    assert set(doubts) == {"not yet verified at the source"}


def test_satisfaction_stops_with_the_relationship(courses):
    line = summary_row(courses["csi4"])
    assert line.latest == "not applicable: single"
    assert line.since_start == ""
    assert line.start_mood == "unknown"


def test_a_summary_row_describes_the_change_in_one_line(courses):
    line = summary_row(courses["rses"])
    assert line.latest == "22 on 16 Mar 2026"
    assert line.since_start == "clearly better since 16 March"
    assert line.start_mood == "better"
    assert line.since_last == "2 points better, no clear change"


def test_goals_events_relationships_and_questions_stand_beside(page):
    words = text_of(page)
    for said in ("Say what I need", "Ended R1", "R1: partnered", "single, since 16 Feb 2026", "What to ask"):
        assert said in words


@pytest.mark.parametrize("who", ["ash", "birch"])
def test_what_is_kept_apart_is_not_in_the_page(store_of, who: str):
    client = {"ash": "C001", "birch": "C003"}[who]
    page = layout(store_of(who), client, "light")
    everything = " ".join(
        json.dumps(one.to_plotly_json(), default=str) if hasattr(one, "to_plotly_json") else str(one)
        for one in parts(page)
    ).casefold()
    for word in ("suicid", "self-harm", "thoughts of", "risk", "safety", "unsafe", "flag"):
        assert word not in everything, word


def test_the_door_to_what_is_kept_apart_is_there_for_those_who_may_open_it(store_of):
    assert named(layout(store_of("ash"), "C001", "light"), ids.RECORD).children is None
    for who in ("birch", "oak"):
        page = layout(store_of(who), "C003", "light")
        assert ids.RECORD not in [getattr(one, "id", None) for one in parts(page)]


def test_it_opens_and_closes_by_its_button(store_of):
    shown, label, expanded = safety_panel(store_of("ash"), "C001", 1)
    assert "PHQ-9" in text_of(shown)
    assert (label, expanded) == ("Hide", "true")
    assert safety_panel(store_of("ash"), "C001", 2) == ([], "Show", "false")
    assert safety_panel(store_of("oak"), "C001", 1) == ([], "Show", "false")
    assert safety_panel(store_of("ash"), None, 1) == ([], "Show", "false")
    with pytest.raises(NotInRecord):
        safety_panel(store_of("ash"), "C003", 1)


def test_the_controls_redraw_the_charts(store_of):
    charts = [ids.trajectory("phq9.total"), RSES]
    calendar = redraw(store_of("ash"), "C001", "calendar", False, "light", charts)
    sessions = redraw(store_of("ash"), "C001", "session", True, "dark", charts)
    assert [scores_of(one) for one in calendar] == [scores_of(one) for one in sessions]
    (score,) = [trace for trace in sessions[1].data if trace.name == "Score"]
    assert list(score.x) == [1, 3, 5, 7, 9, 11] or list(score.x)[:2] == [1, 3]
    low, high = sessions[0].layout.yaxis.range
    assert low > high  # PHQ-9: fewer is better, so the axis is turned
    assert sessions[0].layout.paper_bgcolor != calendar[0].layout.paper_bgcolor


def test_nonsense_from_a_browser_is_the_usual_chart(store_of):
    usual = redraw(store_of("ash"), "C001", "calendar", False, "light", [RSES])
    assert redraw(store_of("ash"), "C001", "<b>", "yes", "mauve", [RSES]) == usual


def test_redrawing_somebody_elses_charts_is_refused_like_those_of_nobody(store_of):
    for client in ("C003", "C999", None):
        with pytest.raises(NotInRecord):
            redraw(store_of("ash"), client, "calendar", False, "light", [RSES])


def test_goals_are_drawn_for_the_theme(store_of):
    light, dark = (
        redraw(store_of("ash"), "C001", "calendar", False, theme, [ids.trajectory("goals")])[0]
        for theme in ("light", "dark")
    )
    assert light.layout.paper_bgcolor != dark.layout.paper_bgcolor
    assert list(light.data[0].y) == [2, 6]


def test_titles_of_figures_stand_on_the_page_not_in_the_drawing(courses):
    figure = figure_of(courses["rses"])
    assert not figure.layout.title.text
    assert not figure.layout.legend.title.text


def test_markup_on_record_stays_text(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing(by="tests") as record:
            record.add(Event("EV9", "C001", date(2026, 2, 2), "note", "<script>alert(1)</script>", "hard"))
        page = layout(store.as_user("ash"), "C001", "light")
    assert "<script>alert(1)</script>" in text_of(page)  # as text: React escapes it
    for graph in of_kind(page, "Graph"):
        drawn = [[trace.name, trace.text, trace.hovertext] for trace in graph.figure.data]
        drawn.append([note.text for note in graph.figure.layout.annotations])
        assert "<script" not in json.dumps(drawn, default=str)


def test_a_page_and_a_change_of_a_control_are_read_in_one_transaction(store_of):
    store = store_of("ash")
    begun = []

    @event.listens_for(store._engine, "begin")
    def count(connection):
        begun.append(connection)

    with store.snapshot():
        layout(store, "C001", "light")
    assert len(begun) == 2  # the reading, and one for the lines of the audit trail
    begun.clear()
    charts = [ids.trajectory("phq9.total"), RSES, ids.trajectory("goals")]
    redraw(store, "C001", "session", True, "dark", charts)
    assert len(begun) == 1  # the same client, read a moment ago: the trail has its line
