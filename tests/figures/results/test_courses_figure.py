"""A growth curve and a verdict from all sessions are drawn as the results have them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mbc import figures, models
from mbc.errors import FigureError, ModelError
from scripts.figure_pictures import growth, sessions

SCORES = [14, 13, 15, 17, 18, 21, 20, 22, 23]
OPTIONS = {"higher_is_better": True, "sd": 6.98, "reliability": 0.914}
TIMES = np.linspace(0, 15, 61)


@pytest.mark.long
def test_the_mean_course_and_its_bands_are_those_of_the_fit(drawn):
    drawing = drawn["growth"].drawing
    (mean,) = drawing.series("Mean course")
    curve = growth().predict_mean(TIMES, level=0.95)
    assert mean.x == pytest.approx(TIMES)
    assert mean.y == pytest.approx(curve.mean)
    (inner,) = drawing.areas("95 % interval of the mean")
    assert inner.y == pytest.approx([*curve.upper, *curve.lower[::-1]])
    (outer,) = drawing.areas("80 % of new scores")
    scores = growth().predict_mean(TIMES, level=0.8, kind="prediction")
    assert outer.y == pytest.approx([*scores.upper, *scores.lower[::-1]])


def test_clients_are_drawn_by_their_own_courses_as_long_as_their_scores(drawn):
    (courses,) = drawn["growth"].drawing.series("Clients' own courses")
    gaps = [i for i, y in enumerate(courses.y) if y is None]
    assert len(gaps) == 20  # one after each client
    first = slice(0, gaps[0])
    own = sessions().filter(pl.col("client") == 0)
    assert (courses.x[first][0], courses.x[first][-1]) == (own["session"].min(), own["session"].max())
    expected = growth().predict_client(0, courses.x[first], kind="mean")
    assert courses.y[first] == pytest.approx(expected.mean)


def test_scores_are_those_of_the_clients_drawn():
    figure = figures.growth(growth(), data=sessions(), clients=[3, 7])
    (scores,) = figure.drawing.series("Scores")
    own = sessions().filter(pl.col("client").is_in([3, 7]))
    assert sorted(scores.y) == sorted(own["score"])


def test_the_interactive_twin_has_the_same_numbers(drawn):
    by_name = {trace.name: trace for trace in drawn["growth"].plotly().data}
    (mean,) = drawn["growth"].drawing.series("Mean course")
    assert by_name["Mean course"].y == mean.y
    assert len(by_name["80 % of new scores"].y) == 2 * 61 + 1  # closed


def test_without_rows_the_times_must_be_said():
    with pytest.raises(FigureError, match="Give data="):
        figures.growth(growth())
    assert figures.growth(growth(), times=[0, 5, 10], clients=0).drawing.series("Mean course")[0].x == (0, 5, 10)


@pytest.mark.parametrize("times", [[1], [0, float("nan")], [0, float("inf")], []])
def test_times_that_cannot_be_drawn_are_refused(times):
    with pytest.raises((FigureError, ModelError), match="times must be"):
        figures.growth(growth(), times=times)


@pytest.mark.parametrize("clients", [-1, 2.5, "3", True])
def test_clients_are_a_number_or_identifiers(clients):
    with pytest.raises(FigureError, match="clients must be"):
        figures.growth(growth(), times=[0, 5], clients=clients)


def test_a_client_whom_the_fit_does_not_know_is_refused():
    with pytest.raises(ModelError, match="not in the model"):
        figures.growth(growth(), times=[0, 5], clients=[999])


def test_a_level_given_as_per_cent_is_refused():
    with pytest.raises(FigureError, match="percentage"):
        figures.growth(growth(), times=[0, 5], level=95)


def test_probabilities_are_those_of_the_result_in_per_cent():
    course = models.true_change_course(SCORES, **OPTIONS, meaningful=3, each_session=True)
    drawing = figures.true_change(course).drawing
    for name, values in (
        ("Better than at the start", course.p_better),
        ("Worse than at the start", course.p_worse),
        ("Better by at least 3 points", course.p_meaningful),
    ):
        (series,) = drawing.series(name)
        assert series.x == tuple(range(1, 10))
        assert series.y[0] is None  # one score: no verdict
        assert series.y[1:] == pytest.approx([100 * value for value in values[1:]])
    (change,) = drawing.series("Change of the true level")
    assert change.y == pytest.approx(course.change[1:])
    (band,) = drawing.areas("95 % interval of the change")
    assert band.y == pytest.approx([*course.change_upper[1:], *course.change_lower[1:][::-1]])


def test_of_several_clients_one_is_named():
    data = pl.DataFrame(
        {"client": ["a"] * 5 + ["b"] * 5, "time": [0, 7, 14, 28, 35] * 2, "score": [*SCORES[:5], *SCORES[4:]]}
    )
    course = models.true_change_course(data=data, **OPTIONS, each_session=True)
    with pytest.raises(FigureError, match="2 clients: choose one with client="):
        figures.true_change(course)
    with pytest.raises(FigureError, match="'c' is not in the result"):
        figures.true_change(course, client="c")
    figure = figures.true_change(course, client="b")
    (series,) = figure.drawing.series("Better than at the start")
    assert series.x == (0, 7, 14, 28, 35)
    assert series.y[1:] == pytest.approx(100 * course.p_better[6:])
    assert figure.title == "Probability of true change: client b"


def test_a_result_of_the_last_session_only_says_how_to_get_all():
    with pytest.raises(FigureError, match="each_session=True"):
        figures.true_change(models.true_change_course(SCORES, **OPTIONS))


def test_a_client_cannot_be_chosen_where_there_is_one():
    course = models.true_change_course(SCORES, **OPTIONS, each_session=True)
    with pytest.raises(FigureError, match="leave client= out"):
        figures.true_change(course, client="a")


def test_a_title_can_be_changed_and_left_out():
    course = models.true_change_course(SCORES, **OPTIONS, each_session=True)
    assert figures.true_change(course, title="A < B").title == "A < B"
    assert figures.true_change(course, title="").title == ""
