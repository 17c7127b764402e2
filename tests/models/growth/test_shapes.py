"""Shapes of growth: which one made the data is found; what cannot be fitted is named."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError
from mbc.models.growth.data.shapes import Linear, Log, NaturalSpline, Piecewise, Polynomial, SquareRoot

COLUMNS: dict[str, Any] = {"outcome": "y", "time": "weeks", "client": "client"}
TRUTH: dict[str, Any] = {
    "linear": lambda t: -0.6 * t,
    "log": lambda t: -4.0 * np.log1p(t),
    "piecewise": lambda t: -2.0 * np.minimum(t, 6.0) + 0.5 * np.maximum(t - 6, 0),
    "polynomial(2)": lambda t: -3.0 * t + 0.13 * t**2,
}


def _clinic(course: Any, clients: int = 200, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(clients), 12)
    weeks = np.round(rng.uniform(0, 20, who.size), 2)
    effects = rng.normal(0, [3.0, 0.1], (clients, 2))[who]
    y = 25 + course(weeks) + effects[:, 0] + effects[:, 1] * weeks + rng.normal(0, 2, who.size)
    return pl.DataFrame({"client": who, "weeks": weeks, "y": y})


@pytest.mark.parametrize("name", TRUTH)
def test_the_shape_that_made_the_data_is_chosen(name):
    fit = models.growth_curve(_clinic(TRUTH[name]), **COLUMNS, shape="auto")
    assert fit.shape.name.split("(")[0] == name.split("(")[0]
    table = fit.shapes_tried()
    assert len(table) == 6
    assert table["aic"].is_sorted()
    if name == "piecewise":
        assert isinstance(fit.shape, Piecewise)
        assert fit.shape.knots[0] == pytest.approx(6, abs=0.6)


@pytest.mark.slow  # the search itself is tested on tables at hand
@pytest.mark.long
def test_a_searched_knot_is_found_on_a_table_elsewhere_too():
    frame = _clinic(TRUTH["piecewise"])
    here = models.growth_curve(frame, **COLUMNS, shape="piecewise")
    there = models.growth_curve(duckdb.connect().from_arrow(frame.to_arrow()), **COLUMNS, shape="piecewise")
    assert here.shape == there.shape
    assert here.log_likelihood == pytest.approx(there.log_likelihood, abs=1e-6)


def test_aic_is_that_of_maximum_likelihood_on_the_same_rows():
    frame = _clinic(TRUTH["log"])
    tried = models.growth_curve(frame, **COLUMNS, shape="auto").shapes_tried()
    for shape in ("linear", "log", "sqrt", "quadratic"):
        alone = models.growth_curve(frame, **COLUMNS, shape=shape, reml=False)
        row = tried.filter(pl.col("shape") == alone.shape.name)
        assert row["aic"][0] == pytest.approx(alone.aic, abs=1e-6)


def test_shapes_that_cannot_be_fitted_are_listed_with_the_reason():
    early = _clinic(TRUTH["linear"]).with_columns(weeks=pl.col("weeks") - 5)
    tried = models.growth_curve(early, **COLUMNS, shape="auto").shapes_tried()
    failed = tried.filter(pl.col("aic").is_null())
    assert failed["shape"].to_list() == ["log", "sqrt"]
    assert "needs times > -1" in failed["reason"][0]


@pytest.mark.parametrize(
    "shape",
    [Linear(), Log(), SquareRoot(), Polynomial(3), Piecewise((4.0, 9.0)), NaturalSpline(knots=(0, 4, 9, 15))],
)
def test_columns_about_an_origin_turn_back_into_the_reported_terms(shape):
    times = np.linspace(0, 20, 41)
    about = np.vstack([np.ones_like(times), shape.columns(times, 7.0)])
    plain = np.vstack([np.ones_like(times), shape.columns(times, 0.0)])
    np.testing.assert_allclose(about.T @ shape.about_zero(7.0), plain.T, atol=1e-9)
    assert len(shape.terms("t")) == len(plain) - 1


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Polynomial(9), "1 to 6"),
        (lambda: Piecewise((5, 3)), "knots must be increasing"),
        (lambda: NaturalSpline(knots=(1, 2)), "at least 3"),
        (lambda: NaturalSpline(df=1), "df >= 2"),
    ],
)
def test_shapes_refuse_what_they_cannot_be(make, text):
    with pytest.raises(ModelError, match=text):
        make()
