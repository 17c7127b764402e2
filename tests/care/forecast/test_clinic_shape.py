"""How uneven a clinic's courses are: medians over twenty clients or more, and nothing of fewer."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from mbc.care.client.course_shapes import CourseShape, clinic_note
from mbc.care.forecast.clinic_shape import ClinicShape, clinic_shape
from mbc.care.forecast.kept_models import read_model, to_keep
from mbc.care.forecast.learned_model import CohortModel
from mbc.instruments import instrument

RSES = instrument("rses")
DOWN_AND_UP = (10, 20, 12, 16, 20)  # one setback of 8, regained four weeks after its lowest score
LEVEL = (10, 11, 10, 11, 10)  # one plateau of eight weeks


def courses(*scores: tuple[int, ...]) -> pl.DataFrame:
    """A course a client, a score every two weeks."""
    rows = [
        (f"C{client}", f"C{client}", 2.0 * place, float(score))
        for client, given in enumerate(scores)
        for place, score in enumerate(given)
    ]
    return pl.DataFrame(rows, schema=["client_id", "unit", "weeks", "score"], orient="row")


def test_the_figures_are_medians_over_clients():
    frame = courses(*[DOWN_AND_UP] * 21, *[LEVEL] * 20, (10, 20))
    shape = clinic_shape(frame, RSES.main_scale, 6.0)
    assert shape == ClinicShape(n_clients=41, scores=5, setbacks=1, days_to_regain=28, plateau_days=56)


def test_a_figure_of_fewer_than_twenty_clients_is_left_out():
    shape = clinic_shape(courses(*[DOWN_AND_UP] * 19, *[LEVEL] * 20), RSES.main_scale, 6.0)
    assert shape is not None
    assert (shape.setbacks, shape.days_to_regain, shape.plateau_days) == (0, None, 56)
    assert clinic_shape(courses(*[LEVEL] * 19, (10, 20)), RSES.main_scale, 6.0) is None
    assert clinic_shape(courses(*[LEVEL] * 40), RSES.main_scale, None) is None  # measurement error is not known


def test_a_client_with_several_courses_counts_once():
    frame = courses(*[LEVEL] * 20, *[DOWN_AND_UP] * 15)
    whose = pl.col("client_id").replace({f"C{number}": f"C{number - 15}" for number in range(20, 35)})
    shape = clinic_shape(frame.with_columns(whose), RSES.main_scale, 6.0)
    assert shape is not None
    assert (shape.n_clients, shape.setbacks) == (20, 0)


def test_they_are_kept_with_the_model_of_the_scale():
    shape = ClinicShape(41, 5, 1, 28.0, None)
    model = CohortModel("rses", "total", 41, None, "too few", was_learned=False, shape=shape)
    dated = read_model(to_keep(model, RSES, revision="a.0", today=dt.date(2026, 3, 2)))
    assert dated is not None
    assert dated.model == model


OWN = CourseShape("Self-esteem: RSES", 12, 2, open_setback=True, days_to_regain=28, plateau_days=63, clinic=None)


@pytest.mark.parametrize(
    ("clinic", "words"),
    [
        (None, ("2 in 12 scores", "4 weeks, the last one not yet", "9 weeks")),
        (
            ClinicShape(41, 5, 1, 35.0, None),
            ("2 in 12 scores; clinic 1 in 5", "4 weeks, the last one not yet; clinic 5 weeks", "9 weeks"),
        ),
    ],
)
def test_a_clients_own_stands_beside_the_clinics(clinic, words):
    shape = replace(OWN, clinic=clinic)
    assert (shape.setback_words, shape.regain_words, shape.plateau_words) == words
    assert ("41 clients" in clinic_note([shape])) == (clinic is not None)
