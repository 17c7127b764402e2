"""One model on every kind of table: in memory as arrays, elsewhere by one grouped aggregation; equal results."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import FrameError, ModelError
from mbc.models.growth.data.shapes import NaturalSpline, Piecewise

pytestmark = pytest.mark.long

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = _load("make_data").case("ordinary")
COLUMNS = {"outcome": "y", "time": "weeks", "client": "client"}


def _gaps(frame: pl.DataFrame) -> pl.DataFrame:
    """Shuffled rows, some without a score or a covariate, some NaN."""
    frame = frame.sample(fraction=1.0, shuffle=True, seed=3)
    return frame.with_row_index("row").with_columns(
        pl.when(pl.col("row") % 41 == 0)
        .then(None)
        .when(pl.col("row") % 43 == 0)
        .then(float("nan"))
        .otherwise(pl.col("y"))
        .alias("y"),
    )


KINDS = {
    "polars": lambda f: f,
    "polars lazy": lambda f: f.lazy(),
    "pandas": lambda f: f.to_pandas(),
    "pandas nullable": lambda f: f.to_pandas(use_pyarrow_extension_array=True),
    "pyarrow": lambda f: f.to_arrow(),
    "duckdb": lambda f: duckdb.connect().from_arrow(f.to_arrow()),
}


SHAPES = ["linear", "log", "sqrt", "cubic", "piecewise", "spline"]
DIFFERENT = {"pandas", "duckdb"}  # an array in memory and a query elsewhere: every shape on both


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        pytest.param(kind, shape, marks=() if kind in DIFFERENT or shape == "linear" else pytest.mark.slow)
        for kind in KINDS
        for shape in SHAPES
    ],
)
def test_every_table_gives_the_same_model(kind, shape):
    frame = _gaps(DATA)
    complete = frame.drop_nulls("y").filter(~pl.col("y").is_nan()).sort("client", "session")
    options: Any = {**COLUMNS, "shape": shape, "covariates": ["severity:time", "arm"]}
    expected = models.growth_curve(complete, **options)
    found = models.growth_curve(KINDS[kind](frame), **options)
    assert found.n_observations == expected.n_observations == len(complete)
    assert found.n_dropped == len(frame) - len(complete)
    assert found.shape == expected.shape
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-7)
    for ours, theirs in zip(found.coefficients, expected.coefficients, strict=True):
        assert ours.name == theirs.name
        assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-4, abs=1e-6)
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-4)
    curve, reference = (fit.predict_client(17, [0, 3, 10]) for fit in (found, expected))
    np.testing.assert_allclose(curve.mean, reference.mean, rtol=1e-4)
    np.testing.assert_allclose(curve.upper, reference.upper, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:PySpark does not yet")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_spark_gives_the_same_model():
    session = pytest.importorskip("pyspark.sql").SparkSession
    spark = session.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    names = ["client", "weeks", "y", "severity"]
    try:
        frame = spark.createDataFrame(DATA.select(names).rows(), names)
        found = models.growth_curve(frame, **COLUMNS, covariates=["severity"])
        expected = models.growth_curve(DATA, **COLUMNS, covariates=["severity"])
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-7)
    finally:
        spark.stop()


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "duckdb"])
def test_text_identifiers_and_far_times_on_every_path(kind):
    frame = DATA.with_columns(
        client=pl.format("c{}", pl.col("client")), weeks=1.5e9 + 604800.0 * pl.col("weeks")
    ).sample(fraction=1.0, shuffle=True, seed=1)
    near = models.growth_curve(DATA, **COLUMNS, shape="linear", reml=False)
    far = models.growth_curve(KINDS[kind](frame), **COLUMNS, shape="linear", reml=False)
    assert far.log_likelihood == pytest.approx(near.log_likelihood, abs=1e-6)
    assert far.predict_client("c5", [1.5e9 + 604800.0]).mean[0] == pytest.approx(
        near.predict_client(5, [1.0]).mean[0], rel=1e-4
    )


def test_knots_may_be_given():
    by_hand = models.growth_curve(DATA, **COLUMNS, shape=Piecewise((2.0, 6.0)), random=["intercept"])
    assert [c.name for c in by_hand.coefficients] == ["(Intercept)", "weeks", "weeks after 2", "weeks after 6"]
    spline = models.growth_curve(DATA, **COLUMNS, shape=NaturalSpline(knots=(0.0, 3.0, 9.0)))
    # straight beyond the outer knots
    mean = spline.predict_mean([9.0, 10.0, 11.0, 12.0]).mean
    np.testing.assert_allclose(np.diff(mean, 2), 0, atol=1e-9)


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "duckdb"])
@pytest.mark.parametrize(
    ("change", "options", "error", "text"),
    [
        ({}, {"outcome": "Y"}, FrameError, "Did you mean 'y'"),
        ({}, {"outcome": "arm"}, FrameError, "must contain numbers"),
        ({"y": pl.lit(None, dtype=pl.Float64)}, {}, ModelError, "no row has all of"),
        ({"y": pl.lit(3.0)}, {}, ModelError, "every score is 3"),
        ({"weeks": pl.lit(2.0)}, {}, ModelError, "two times or more"),
        ({"weeks": pl.col("weeks") - 5}, {}, ModelError, "needs times > -1"),
        ({"y": pl.lit(float("inf"))}, {}, FrameError, "infinite"),
        ({}, {"covariates": ["session"]}, ModelError, "changes within"),
        ({}, {"covariates": ["severity:arm"]}, ModelError, "'name:time'"),
        ({}, {"random": ["slop"]}, ModelError, "Did you mean 'slope'"),
        ({}, {"shape": "linaer"}, ModelError, "Did you mean 'linear'"),
    ],
)
def test_refusals_name_the_thing_and_the_repair(kind, change, options, error, text):
    frame = KINDS[kind](DATA.with_columns(**change))
    with pytest.raises(error, match=text):
        models.growth_curve(frame, **{**COLUMNS, **options})


@pytest.mark.parametrize(
    ("clients", "sessions", "random", "text"),
    [
        (2, 5, ["intercept", "slope"], r"2 client\(s\) cannot show how 2 effects"),
        (50, 1, ["intercept"], "cannot separate the variances"),
        (50, 1, ["intercept", "slope"], "no client has more than 1 scores"),
    ],
)
def test_what_the_rows_cannot_tell_is_refused(clients, sessions, random, text):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "client": np.repeat(np.arange(clients), sessions),
            "weeks": rng.uniform(0, 10, clients * sessions),
            "y": rng.normal(size=clients * sessions),
        }
    )
    with pytest.raises(ModelError, match=text):
        models.growth_curve(frame, **COLUMNS, random=random)
