"""A trajectory chart says what the trajectory says: no more, no less, and never by colour alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from mbc.care.values.course import Mark, Trajectory
from mbc.figures import trajectory_figure
from mbc.figures.theme import PALETTES


def named(figure: go.Figure, name: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.name == name and (trace.meta or {}).get("role") != "key"]


def test_every_score_is_a_point_at_its_day(course):
    first, second = named(trajectory_figure(course), "Score")
    drawn = [(x, y) for x, y in zip(first.x, first.y, strict=True) if y is not None]
    known = [(one.taken_on, one.score) for one in course.segments[0].occasions if one.score is not None]
    assert drawn == known
    assert list(second.y) == [12, 14, 17, 18]


def test_relationships_are_never_joined(course):
    traces = named(trajectory_figure(course), "Score")
    assert [trace.meta["label"] for trace in traces] == ["R1", "R2"]


def test_lines_stop_at_long_silences_and_at_blank_sheets(course):
    (first, _) = named(trajectory_figure(course), "Score")
    assert first.connectgaps is False
    blank, silence = [i for i, y in enumerate(first.y) if y is None]
    assert first.x[blank] == course.segments[0].occasions[3].taken_on
    assert first.x[silence - 1] < first.x[silence] < first.x[silence + 1]  # half-way through eight weeks


def test_prorated_and_recorded_scores_are_hollow_and_explained(course):
    figure = trajectory_figure(course)
    symbols = [
        s for s, y in zip(named(figure, "Score")[0].marker.symbol, named(figure, "Score")[0].y, strict=True) if y
    ]
    assert symbols == ["circle", "circle", "circle-open", "circle", "square-open", "circle"]
    assert {"Prorated", "Recorded total"} <= {trace.name for trace in figure.data}


def test_hollow_markers_are_not_explained_where_there_are_none(course):
    plain = replace(course, segments=course.segments[1:])
    assert not {"Prorated", "Recorded total"} & {trace.name for trace in trajectory_figure(plain).data}


def test_noise_is_a_band_around_each_baseline(course):
    bands = named(trajectory_figure(course), "Measurement error")
    assert [(min(band.y), max(band.y)) for band in bands] == [(4, 12), (8, 16)]
    assert all("unverified" in band.text for band in bands)


def test_cutoff_and_goal_lie_at_their_values_and_have_words_on_the_line(course):
    figure = trajectory_figure(course)
    assert set(named(figure, "Cutoff")[0].y) == {13.5}
    assert set(named(figure, "Goal")[0].y) == {16}
    words = [note.text for note in figure.layout.annotations]
    assert {"Cutoff 13.5", "Goal 16"} <= set(words)


def test_a_line_says_where_its_number_is_from(course):
    (line,) = named(trajectory_figure(course), "Cutoff")
    assert "Funk & Rogge (2007)" in line.meta["source"]
    assert "Funk &amp; Rogge (2007)" in line.hovertext[0]


def test_the_expected_course_is_dashed_in_a_band(course):
    figure = trajectory_figure(course)
    (mean,), (band,) = named(figure, "Expected course"), named(figure, "Expected range")
    assert mean.line.dash == "dash"
    assert list(band.y[: len(mean.y)]) == list(course.curves[0].upper)


def test_where_nothing_applies_there_is_a_hatch_and_no_score(course):
    figure = trajectory_figure(course)
    (hatch,) = named(figure, "Not applicable")
    assert hatch.fillpattern.shape == "/"
    assert hatch.text == "Does not apply: single"
    inside = [
        (x, y)
        for trace in named(figure, "Score")
        for x, y in zip(trace.x, trace.y, strict=True)
        if y is not None and min(hatch.x) <= x < max(hatch.x)
    ]
    assert inside == []


def test_events_differ_by_shape_and_have_their_words_in_the_key(course):
    figure = trajectory_figure(course)
    (events,), (statuses,) = named(figure, "Events"), named(figure, "Relationship status")
    assert list(events.marker.symbol) == ["diamond", "triangle-up"]  # hard, growth
    assert set(statuses.marker.symbol) == {"square"}
    key = [trace.name for trace in figure.data if trace.legend == "legend2"]
    assert key == [
        "A  10 Mar: Lost job (hard time)",
        "B  5 May: R1 ended",
        "C  5 May: Ended R1 (growth)",
        "D  16 Jun: R2: dating",
    ]


def test_marks_of_one_day_do_not_lie_on_each_other(course):
    figure = trajectory_figure(course)
    spots = [spot for name in ("Events", "Relationship status") for spot in _spots(named(figure, name)[0])]
    assert len(spots) == len(set(spots))


def _spots(trace: go.Scatter) -> list[tuple[object, object]]:
    return list(zip(trace.x, trace.y, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_that_share_a_chart_differ_by_more_than_colour(course, theme):
    figure = trajectory_figure(course, theme=theme)
    dashes = [named(figure, name)[0].line.dash for name in ("Score", "Cutoff", "Goal", "Expected course")]
    assert len(set(dashes)) == 4


def test_the_session_axis_counts_sessions(course):
    (first, second) = named(trajectory_figure(course, axis="session"), "Score")
    assert [x for x, y in zip(first.x, first.y, strict=True) if y is not None] == [1, 3, 5, 7, 15, 17]
    assert list(second.x) == [25, 27, 29, 31]


def test_events_fall_between_sessions(course):
    odd = replace(course, marks=(Mark(dt.date(2025, 1, 9), "event", "x", "neutral", "A"),))
    (events,) = named(trajectory_figure(odd, axis="session"), "Events")
    assert events.x[0] == pytest.approx(1 + 3 / 7)


def test_without_sessions_the_occasions_are_counted(course):
    figure = trajectory_figure(replace(course, sessions=()), axis="session")
    assert figure.layout.xaxis.title.text == "Occasion"


@pytest.mark.parametrize(
    ("higher", "better_is_up", "turned", "words"),
    [
        (True, False, False, "Score (up is better)"),
        (True, True, False, "Score (up is better)"),
        (False, False, False, "Score (down is better)"),
        (False, True, True, "Score (axis inverted: up is better)"),
    ],
)
def test_better_is_up_turns_lower_is_better_scales_and_says_so(course, higher, better_is_up, turned, words):
    figure = trajectory_figure(replace(course, higher_is_better=higher), better_is_up=better_is_up)
    low, high = figure.layout.yaxis.range
    assert (low > high) == turned
    assert figure.layout.yaxis.title.text == words


def test_the_score_axis_spans_the_whole_scale(course):
    low, high = trajectory_figure(course).layout.yaxis.range
    assert low < 0 < 21 < high


def test_the_caption_travels_with_the_figure(course):
    assert trajectory_figure(course).layout.meta["caption"] == course.caption


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_theme_has_its_own_paper_and_ink(course, theme):
    layout = trajectory_figure(course, theme=theme).layout
    assert (layout.paper_bgcolor, layout.font.color) == (PALETTES[theme].paper, PALETTES[theme].ink)


def test_words_of_a_record_are_shown_and_not_obeyed(course):
    mark = Mark(dt.date(2025, 2, 3), "event", "<b onclick=x>moved</b>", "neutral", "A")
    figure = trajectory_figure(replace(course, marks=(mark,)))
    shown = [trace.name for trace in figure.data] + [str(trace.hovertext) for trace in figure.data]
    assert any("&lt;b onclick" in text for text in shown)
    assert not any("<b onclick" in text for text in shown)


def test_an_empty_course_is_a_chart_that_says_so(course):
    empty = replace(
        course, segments=(), marks=(), not_applicable=(), curves=(), gaps=(), cutoffs=(), goals=(), sessions=()
    )
    for axis in ("calendar", "session"):
        figure = trajectory_figure(empty, axis=axis)
        assert [note.text for note in figure.layout.annotations] == ["No score on record"]


def test_a_single_occasion_has_room(course):
    segment = course.segments[1]
    one = replace(segment, occasions=segment.occasions[:1])
    alone = replace(course, segments=(one,), marks=(), not_applicable=(), curves=(), gaps=())
    for axis in ("calendar", "session"):
        left, right = trajectory_figure(alone, axis=axis).layout.xaxis.range
        assert left < right


def test_the_course_is_not_changed_by_drawing(course: Trajectory):
    before = repr(course)
    trajectory_figure(course, axis="session", better_is_up=True, theme="dark")
    assert repr(course) == before


def test_figures_need_no_network_and_no_webgl(course):
    figure = trajectory_figure(course)
    assert {trace.type for trace in figure.data} == {"scatter"}
    assert "http" not in figure.to_json()
