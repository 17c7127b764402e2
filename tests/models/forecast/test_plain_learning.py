"""Learning by groups, sums and arrays gives what learning client by client gives."""

from __future__ import annotations

import numpy as np
import pytest

from mbc.models import expected_course
from mbc.models.forecast.course_model.fit import fit_course
from mbc.models.forecast.course_model.histories import read_histories
from mbc.models.forecast.course_model.landmarks import Endings
from mbc.models.forecast.course_model.outcome_scale import TRANSFORMS, OutcomeScale
from mbc.models.forecast.train import assign_folds
from tests.models.forecast.conftest import COLUMNS
from tests.models.forecast.plain_learning import PlainCourse, PlainForecasts, correction_of, judged

pytestmark = pytest.mark.long
POINTS = 6.0


@pytest.fixture(scope="module")
def clinic_clients(courses):
    frame = courses(48, seed=3, whole=True)
    each = frame.partition_by("client", maintain_order=True)
    return frame, [(part["weeks"].to_numpy(), part["score"].to_numpy()) for part in each]


@pytest.fixture(scope="module")
def learned(clinic_clients):
    frame, _ = clinic_clients
    return expected_course(
        frame, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=POINTS, folds=3
    )


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_likelihood_is_that_of_each_client_alone(clinic_clients, transform):
    frame, clients = clinic_clients
    scale = OutcomeScale(0.0, 40.0, higher_is_better=False, transform=transform, step=1.0)
    fit = fit_course(read_histories(frame, **COLUMNS), [scale])
    plain = PlainCourse(clients, scale, parameters=fit.parameters)
    assert plain.log_likelihood(fit.parameters) == pytest.approx(fit.log_likelihood, abs=1e-6)
    assert plain.beta == pytest.approx(fit.model.coefficients, rel=1e-6)


def test_forecasts_are_those_of_learning_client_by_client(clinic_clients, learned):
    _, clients = clinic_clients
    fit = learned.model.fit
    course, endings = PlainCourse(clients, fit.scale), Endings.of(np.array([time[-1] for time, _ in clients]))
    own = course.parameters
    rows = judged(clients, fit.scale, assign_folds(len(clients), 3, seed=0), own)
    learned_loss = course.penalised(fit.parameters)
    course.at(own)
    plain = PlainForecasts(rows, course, endings, clients)
    correction = correction_of(rows, course, endings, clients, POINTS)
    assert learned_loss == pytest.approx(course.penalised(own), abs=1e-3)
    for times, scores in (
        ([0], [19]),
        ([0, 1.2], [24, 20]),
        ([0, 1, 3], [16, 17, 12]),
        ([0, 2, 3, 5], [22, 9, 8, 4]),
    ):
        row = plain.row(np.array(times, dtype=float), np.array(scores, dtype=float))
        forecast = learned.forecast(times, scores)
        assert forecast.expected == pytest.approx(plain.distribution(row)[0], abs=0.05)
        assert [forecast.lower, forecast.upper] == pytest.approx(plain.band(row, 0.8), abs=0.1)
        chance = correction.of(np.array(plain.chance_of_at_most(row, row.intake - POINTS)))
        assert forecast.improved.value == pytest.approx(float(chance), abs=0.01)
