"""A client's expected course comes from the clinic's own records, fitted once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from mbc.care import CohortModels, client_trajectory, scores
from mbc.care.forecast.training_scores import unit_of
from mbc.instruments import instrument
from mbc.store import Administration, Client, Store

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def models(sample_models) -> CohortModels:
    return sample_models


def test_the_expected_course_is_that_of_clients_who_began_with_the_same_score(sample, models):
    course = client_trajectory(sample, "D-NOT-ON-TRACK", "rses", cohort=models)
    questionnaire = instrument("rses")
    model = models.course(questionnaire, questionnaire.main_scale)
    (curve,) = course.curves
    first = course.segments[0].baseline
    weeks = np.array([(day - first.taken_on).days for day in curve.dates]) / 7
    path = model.expected(first.score, weeks)
    assert curve.mean == pytest.approx(np.clip(path.expected, 0, 30))
    assert curve.lower == pytest.approx(np.clip(path.lower, 0, 30))
    assert (curve.level, curve.n_clients) == (0.8, model.card.clients)
    latest = course.segments[0].latest
    assert latest.score < curve.at(latest.taken_on)[1]  # somebody who gets worse leaves it


def test_the_forecast_is_of_the_same_model(sample, models):
    course = client_trajectory(sample, "D-NOT-ON-TRACK", "rses", cohort=models)
    questionnaire = instrument("rses")
    model = models.course(questionnaire, questionnaire.main_scale)
    known = [one for one in course.segments[0].occasions if one.score is not None]
    weeks = [(one.taken_on - known[0].taken_on).days / 7 for one in known]
    ahead = model.forecast(weeks, [one.score for one in known])
    fan = course.forecast
    drawn = (fan.mean[-1], fan.lower[-1], fan.upper[-1])
    assert drawn == pytest.approx((ahead.expected, ahead.lower, ahead.upper))
    assert (fan.dates[0], fan.mean[0]) == (known[-1].taken_on, known[-1].score)
    assert f"{ahead.lower:.0f}" in course.outlook


def test_the_spread_is_that_of_first_scores(sample, models):
    questionnaire = instrument("rses")
    first = scores(sample, instrument="rses").drop_nulls("score").filter(~pl.col("recorded"))
    first = first.sort("taken_on").group_by("client_id").agg(pl.col("score").first())["score"]
    assert models.spread(questionnaire, questionnaire.main_scale) == pytest.approx(first.std())


def test_a_model_is_fitted_once_and_kept(models):
    assert models.model("rses") is models.model("rses", "total")


def test_a_fit_is_kept_for_a_week(sample):
    days = [dt.date(2026, 10, 2)]
    kept = CohortModels(sample, today=lambda: days[-1])
    first = kept.model("phq9")
    days.append(days[0] + dt.timedelta(days=6))
    assert kept.model("phq9") is first
    days.append(days[0] + dt.timedelta(days=7))
    assert kept.model("phq9") is not first


def test_what_lacked_records_is_tried_again_once_something_was_written():
    questionnaire = instrument("rses")
    with Store.create("sqlite://") as store:
        models = CohortModels(store)
        assert models.spread(questionnaire, questionnaire.main_scale) is None
        totals = [float(total) for total in range(5, 25)]
        with store.writing(by="tests") as record:
            for n, total in enumerate(totals):
                record.add(Client(f"C{n}"))
                record.add(Administration(f"C{n}", "rses", dt.date(2026, 1, 5), totals={"total": total}))
        assert models.spread(questionnaire, questionnaire.main_scale) == pytest.approx(np.std(totals, ddof=1))


def test_a_small_clinic_has_no_expected_course_and_says_why(store):
    course = client_trajectory(store, "C1", "rses", cohort=CohortModels(store))
    assert course.curves == ()
    assert course.forecast is None
    assert "needs 40 clients" in course.curve_note
    assert f"No forecast: {course.no_forecast[0].lower()}{course.no_forecast[1:]}" in course.caption


def test_a_model_of_another_scale_is_not_used(sample, models):
    course = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models.model("phq9"))
    assert course.curves == ()
    assert course.no_forecast


def test_the_band_between_two_days_is_read_off_the_curve(sample, models):
    (curve,) = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models).curves
    mean, lower, upper = curve.at(curve.dates[3])
    assert (mean, lower, upper) == pytest.approx((curve.mean[3], curve.lower[3], curve.upper[3]))
    assert curve.at(curve.dates[-1] + dt.timedelta(days=1)) is None


def test_units_keep_relationships_apart():
    assert unit_of("C1", "self") != unit_of("C1", "R1") != unit_of("C1", "R2")
