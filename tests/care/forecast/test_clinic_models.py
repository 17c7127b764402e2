"""A client's expected course comes from the clinic's own records, fitted once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from mbc.care import CohortModels, client_trajectory, scores
from mbc.care.forecast.clinic_models import cohort_model, unit_of
from mbc.models import growth_curve

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def models(sample) -> CohortModels:
    return CohortModels(sample)


def test_the_curve_is_the_growth_models_own_prediction(sample, models):
    course = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models)
    frame = scores(sample, instrument="rses").drop_nulls("score")
    frame = frame.filter(~pl.col("recorded"))  # in the sample, totals alone were kept in earlier care only
    first = pl.col("taken_on").min().over("client_id")
    frame = frame.with_columns(weeks=(pl.col("taken_on") - first).dt.total_days() / 7)
    fitted = growth_curve(frame, outcome="score", time="weeks", client="client_id", shape="log")
    (curve,) = course.curves
    weeks = np.array([(day - curve.dates[0]).days for day in curve.dates]) / 7
    expected = fitted.predict_client("D-WITHIN-NOISE", weeks)
    assert curve.mean == pytest.approx(np.clip(expected.mean, 0, 30))
    assert curve.lower == pytest.approx(np.clip(expected.lower, 0, 30))
    assert (curve.level, curve.n_clients) == (0.8, frame["client_id"].n_unique())


def test_a_model_is_fitted_once_and_kept(models):
    assert models.model("rses") is models.model("rses", "total")


def test_a_model_is_fitted_anew_when_a_client_has_other_scores(sample, models):
    before = models.model("phq9")
    unit = next(iter(before.counts))
    assert models.model("phq9", holding={unit: before.counts[unit]}) is before
    assert models.model("phq9", holding={unit: before.counts[unit] + 1}) is not before


def test_each_relationship_has_a_course_of_its_own(sample, models):
    course = client_trajectory(sample, "D-ANXIOUS-SECURE", "csi16", cohort=models)
    assert [curve.target for curve in course.curves] == [segment.target for segment in course.segments]
    first, second = course.segments
    assert course.curves[0].dates[-1] <= first.ended_on  # nothing is expected of a relationship that is over
    assert course.curves[1].dates[0] == second.occasions[0].taken_on


def test_the_curve_runs_on_for_four_weeks_at_most(sample, models):
    course = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models)
    last = course.segments[0].latest.taken_on
    assert course.curves[0].dates[-1] - last == dt.timedelta(days=28)


def test_a_small_clinic_has_no_expected_course_and_says_why(store):
    model = cohort_model(store, "rses")
    assert model.curve is None
    course = client_trajectory(store, "C1", "rses", cohort=model)
    assert course.curves == ()
    assert "needs 20 clients" in course.curve_note


def test_two_scores_are_too_few_for_a_course_of_ones_own(store):
    course = client_trajectory(store, "C4", "rses", cohort=CohortModels(store))
    assert course.curve_note == "An expected course needs 3 scores of the client's own."


def test_a_model_of_another_scale_is_not_used(sample, models):
    course = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models.model("phq9"))
    assert course.curves == ()


def test_the_band_between_two_days_is_read_off_the_curve(sample, models):
    (curve,) = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models).curves
    mean, lower, upper = curve.at(curve.dates[3])
    assert (mean, lower, upper) == pytest.approx((curve.mean[3], curve.lower[3], curve.upper[3]))
    assert curve.at(curve.dates[-1] + dt.timedelta(days=1)) is None


def test_units_keep_relationships_apart():
    assert unit_of("C1", "self") != unit_of("C1", "R1") != unit_of("C1", "R2")
