"""A client's page: every measure with verdict, chart, table and sources; nothing of the restricted section."""

from __future__ import annotations

import json
from datetime import date

import plotly.graph_objects as go
import pytest
from sqlalchemy import event

from dashboards.components import ids
from dashboards.pages.client.content import summary_row, table_rows
from dashboards.pages.client.layout import layout, safety_panel
from mbc.care import client_review
from mbc.care.client.line_sources import origins
from mbc.care.client.review_words import agenda, facts, needed_words, state_words, value_words, verdict_line
from mbc.errors import NotInRecord
from mbc.store import Client, Episode, Event, Store
from tests.dashboards.reading import named, of_kind, parts, text_of
from tests.dashboards.record import FIRST, RSES_TOTALS, _sheets, day

pytestmark = pytest.mark.long

RSES = ids.trajectory("rses.total")
LAST = date(2026, 3, 20)


@pytest.fixture
def page(store_of):
    return layout(store_of("ash"), "C001", as_of=LAST)


@pytest.fixture
def review(store_of):
    return client_review(store_of("ash"), "C001", as_of=LAST)


@pytest.fixture
def courses(review):
    return {course.instrument: course for course in review.trajectories}


def scores_of(figure: dict) -> list[float]:
    (trace,) = [trace for trace in figure["data"] if trace["meta"]["role"] == "score"]
    return [y for y in trace["y"] if y is not None]


def test_the_tile_and_the_enlarged_chart_hold_the_scores(page):
    assert scores_of(named(page, RSES).figure) == list(RSES_TOTALS)
    enlarged = named(page, ids.BROWSER_DATA).data["enlarged"]["rses.total"]
    assert scores_of(enlarged) == list(RSES_TOTALS)


def test_every_figure_of_the_page_is_one_that_plotly_accepts(page):
    figures = [graph.figure for graph in of_kind(page, "Graph")]
    data = named(page, ids.BROWSER_DATA).data
    figures += [*data["enlarged"].values(), *data["answers"].values()]
    assert len(figures) >= 8
    for figure in figures:
        go.Figure(figure)  # raises where an attribute does not exist


def test_the_header_says_who_how_and_on_which_day(page, review):
    words = text_of(page)
    assert facts(review).split(" \N{MIDDLE DOT} ") == [
        "C001",
        "single since 16 February",
        "session 10",
        "Dr Ash",
        "as of Fri 20 Mar 2026",
    ]
    for part in ("Willow", facts(review, reader="K1"), state_words(review), "Goals: 0 of 1 reached"):
        assert part in words
    assert "Dr Ash" not in facts(review, reader="K1")  # who reads it
    assert agenda(review).startswith("Goals: 0 of 1 reached")


def test_each_tile_shows_the_verdict_of_the_review(page, courses):
    tile = named(page, "chart-rses-total")
    assert value_words(courses["rses"]) == ("22", "+12")
    assert verdict_line(courses["rses"])[0].startswith(courses["rses"].current.verdict)
    assert verdict_line(courses["rses"])[0] in text_of(tile)
    assert "22" in text_of(tile)
    assert "+12" in text_of(tile)


def test_each_drawing_has_a_name(page):
    drawings = [div for div in of_kind(page, "Div") if getattr(div, "role", None) == "img"]
    assert len(drawings) >= 4
    assert all(getattr(div, "aria-label") for div in drawings)


def test_the_table_of_an_enlarged_measure_holds_every_score(courses):
    headings, rows = table_rows(courses["rses"])
    assert [row[headings.index("Score")] for row in rows] == [str(total) for total in RSES_TOTALS]
    assert rows[0][headings.index("Answered")] == "10 of 10"
    assert rows[-1][headings.index("From baseline")] == "+12"
    assert rows[-1][headings.index("Clear change")] == "yes"
    assert headings[0] == "Date"
    assert rows[0][0] == "5 Jan 2026"


def test_each_line_says_where_it_comes_from_with_year_and_doi(courses):
    lines = {line.name: line for line in origins(courses["phq9"])}
    assert {"Cutoff", "Severity", "Questionnaire"} <= lines.keys()
    assert all(line.source for line in lines.values())
    assert "Kroenke" in lines["Cutoff"].source
    assert "(2001)" in lines["Cutoff"].source
    assert "doi" in lines["Cutoff"].source


def test_unverified_numbers_say_so(courses):
    doubts = [line.doubt for course in courses.values() for line in origins(course) if line.doubt]
    assert doubts
    assert set(doubts) == {"not yet verified at the source"}


def test_satisfaction_is_not_asked_while_single(page, courses):
    assert verdict_line(courses["csi4"]) == ("not asked while single", None)
    line = summary_row(courses["csi4"])
    assert (line.latest, line.since_start, line.start_mood) == ("not asked while single", "", "unknown")
    assert "not asked while single" in text_of(named(page, "chart-csi4-total"))


def test_how_many_more_scores_would_settle_it_is_said_until_it_is_clear(courses):
    open_courses = [
        course for course in courses.values() if course.current and course.current.judgement.sessions_needed
    ]
    assert all(
        "would be needed to tell" in needed_words(course)
        for course in open_courses
        if not course.current.judgement.is_clear
    )


def test_goals_events_relationships_and_questions_are_on_the_page(page):
    words = text_of(page)
    for part in (
        "Say what I need",
        "Ended R1",
        "R1: partnered",
        "single, since 16 Feb 2026",
        "Relationships compared",
    ):
        assert part in words


def test_a_client_of_whom_nothing_is_on_record_has_a_page(store_of):
    words = text_of(layout(store_of("ash"), "C002", as_of=LAST))
    assert "No questionnaire is on record yet." in words
    assert "No scores on record yet." in words


def test_a_client_with_a_single_score_has_a_page(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing(by="tests") as record:
            record.add(Client("C009", "Sorrel", "K1", FIRST))
            record.add_all(_sheets("C009", (14,)))
        words = text_of(layout(store.as_user("ash"), "C009", as_of=LAST))
    assert "first score" in words
    assert "No forecast" in words


def test_after_care_has_ended_nothing_is_asked_and_nothing_is_due(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing(by="tests") as record:
            record.add(Client("C009", "Sorrel", "K1", FIRST))
            record.add(Episode("E009", "C009", "K1", FIRST, FIRST, day(11), "planned"))
            record.add_all(_sheets("C009", RSES_TOTALS))
        page = layout(store.as_user("ash"), "C009", as_of=date(2026, 6, 1))
    words = text_of(page)
    assert "Care ended 23 Mar 2026: planned" in words
    assert "due today" not in words.lower()
    assert not of_kind(page, "Ol")
    assert "Largest changes" not in words


@pytest.mark.parametrize("who", ["ash", "birch"])
def test_what_is_kept_apart_is_not_in_the_page(store_of, who: str):
    client = {"ash": "C001", "birch": "C003"}[who]
    page = layout(store_of(who), client, as_of=LAST)
    everything = " ".join(
        json.dumps(part.to_plotly_json(), default=str) if hasattr(part, "to_plotly_json") else str(part)
        for part in parts(page)
    ).casefold()
    for word in ("suicid", "self-harm", "thoughts of", "risk", "safety", "unsafe", "flag"):
        assert word not in everything, word


def test_the_door_to_what_is_kept_apart_is_there_for_those_who_may_open_it(store_of):
    assert not getattr(named(layout(store_of("ash"), "C001"), ids.RECORD), "children", None)
    for who in ("birch", "oak"):
        page = layout(store_of(who), "C003")
        assert ids.RECORD not in [getattr(part, "id", None) for part in parts(page)]


def test_it_opens_and_closes_by_its_button(store_of):
    shown, label, expanded = safety_panel(store_of("ash"), "C001", 1)
    assert "PHQ-9" in text_of(shown)
    assert (label, expanded) == ("Hide restricted", "true")
    assert safety_panel(store_of("ash"), "C001", 2) == ([], "Restricted", "false")
    assert safety_panel(store_of("oak"), "C001", 1) == ([], "Restricted", "false")
    assert safety_panel(store_of("ash"), None, 1) == ([], "Restricted", "false")
    with pytest.raises(NotInRecord):
        safety_panel(store_of("ash"), "C003", 1)


def test_the_page_of_somebody_elses_client_is_refused_like_that_of_nobody(store_of):
    for client in ("C003", "C999"):
        with pytest.raises(NotInRecord):
            layout(store_of("ash"), client)


def test_markup_on_record_stays_text(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing(by="tests") as record:
            record.add(Event("EV9", "C001", date(2026, 2, 2), "note", "<script>alert(1)</script>", "hard"))
        page = layout(store.as_user("ash"), "C001", as_of=LAST)
    assert "<script>alert(1)</script>" in text_of(page)  # as text: React escapes it
    data = named(page, ids.BROWSER_DATA).data
    figures = [*(graph.figure for graph in of_kind(page, "Graph")), *data["enlarged"].values()]
    assert len(figures) > 4
    assert "<script" not in json.dumps(figures, default=str)


def test_a_page_is_read_in_one_transaction(store_of):
    store = store_of("ash")
    begun = []

    @event.listens_for(store._engine, "begin")
    def count(connection):
        begun.append(connection)

    with store.snapshot():
        layout(store, "C001")
    assert len(begun) == 2  # the reading, and one for the lines of the audit trail
