"""Sums per design: one row for all clients with the same times and covariates; the fit is that of client sums."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import FrameError, ModelError
from mbc.models.growth.data import design_sums

COLUMNS: dict[str, Any] = {"outcome": "y", "time": "week", "client": "client"}
ENGINES = {
    "polars": lambda frame: frame.lazy(),
    "duckdb": lambda frame: duckdb.connect().from_arrow(frame.to_arrow()),
    "in memory": lambda frame: frame,
    "pandas": lambda frame: frame.to_pandas(),
}


def _clients(clients: int = 900, seed: int = 5) -> pl.DataFrame:
    """Scores in shared weeks, some weeks left out by some clients; rows in no order."""
    rng = np.random.default_rng(seed)
    weeks = np.array([0.0, 1.0, 2.0, 4.0, 7.0, 12.0])
    came = rng.random((clients, weeks.size)) < [1.0, 0.9, 0.9, 0.7, 0.6, 0.5]
    client, place = np.nonzero(came)
    severity = rng.integers(0, 3, clients)[client].astype(float)
    arm = np.array(["a", "b"])[rng.integers(0, 2, clients)][client]
    b = rng.normal(0, [4.0, 1.2], (clients, 2))[client]
    course = np.log1p(weeks[place])
    y = (
        20
        + 2 * severity
        - (2 + (arm == "b")) * course
        + b[:, 0]
        + b[:, 1] * course
        + rng.normal(0, 3, client.size)
    )
    frame = pl.DataFrame({"client": client, "week": weeks[place], "severity": severity, "arm": arm, "y": y})
    return frame.sample(fraction=1.0, shuffle=True, seed=seed)


FRAME = _clients()
OPTIONS: list[dict[str, Any]] = [
    {},
    {"covariates": ["severity", "arm:time"]},
    {"random": "intercept", "covariates": ["arm"], "reml": False},
    {"shape": "quadratic", "random": "slope"},
    {"shape": "linear", "random": ("no intercept", "slope"), "covariates": ["severity:time"]},
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", OPTIONS)
def test_the_fit_is_that_of_client_sums(engine, options):
    by_client = models.growth_curve(FRAME, **COLUMNS, **options)
    by_design = models.growth_curve(ENGINES[engine](FRAME), **COLUMNS, **options, sums_per="design")
    assert by_design.n_designs is not None
    assert by_design.n_designs <= 32 * 6  # five weeks that may be left out, three severities, two arms
    assert (by_design.n_clients, by_design.n_observations) == (900, FRAME.height)
    assert by_design.log_likelihood == pytest.approx(by_client.log_likelihood, rel=1e-10)
    same = by_design.at(by_client.estimates.theta.tolist())  # two searches end within 1e-10 of one deviance
    for fit, loose in ((same, 1.0), (by_design, 100.0)):
        for ours, theirs in zip(fit.coefficients, by_client.coefficients, strict=True):
            assert ours.name == theirs.name
            assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-8 * loose)
            assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-8 * loose)
        ours, theirs = (
            np.append(each.estimates.random_covariance.ravel(), each.estimates.residual_variance)
            for each in (fit, by_client)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-8 if fit is same else 1e-4)


@pytest.mark.parametrize("covariates", [[], ["severity", "arm:time"]])
def test_the_deviance_at_given_parameters_is_the_same_to_rounding(covariates):
    by_client, by_design = (
        models.growth_curve(FRAME, **COLUMNS, covariates=covariates, sums_per=per).at([1.1, -0.05, 0.4])
        for per in ("client", "design")
    )
    assert by_design.log_likelihood == pytest.approx(by_client.log_likelihood, rel=1e-13)
    np.testing.assert_allclose(by_design.estimates.covariance, by_client.estimates.covariance, rtol=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("random", ["intercept", pytest.param(("intercept", "slope"), marks=pytest.mark.slow)])
def test_tests_and_intervals_are_those_of_client_sums(random):
    options: dict[str, Any] = {**COLUMNS, "covariates": ["arm:time"], "random": random}
    by_client, by_design = (models.growth_curve(FRAME, **options, sums_per=per) for per in ("client", "design"))
    for method in ("satterthwaite", "kenward-roger"):
        ours, theirs = (fit.tests(method=method) for fit in (by_design, by_client))
        assert [test.df for test in ours] == pytest.approx([test.df for test in theirs], rel=1e-5)
        assert [test.standard_error for test in ours] == pytest.approx(
            [test.standard_error for test in theirs], rel=1e-7
        )
    ours, theirs = (fit.variance_intervals() for fit in (by_design, by_client))
    for one, other in zip(ours, theirs, strict=True):
        assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), rel=1e-5)
    ours, theirs = (fit.predict_mean([0, 5, 12], kind="prediction") for fit in (by_design, by_client))
    np.testing.assert_allclose(ours.lower, theirs.lower, rtol=1e-7)
    ours, theirs = (fit.predict_scores([0, 1], [22, 20], [6]) for fit in (by_design, by_client))
    np.testing.assert_allclose(ours.upper, theirs.upper, rtol=1e-7)
    ours, theirs = (fit.fitted_values(FRAME, of="population") for fit in (by_design, by_client))
    np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-7)


def test_fits_of_the_same_rows_are_compared_and_others_refused():
    plain, full = (
        models.growth_curve(FRAME, **COLUMNS, covariates=covariates, reml=False, sums_per="design")
        for covariates in ([], ["arm:time"])
    )
    by_client = models.growth_curve(FRAME, **COLUMNS, covariates=["arm:time"], reml=False)
    ours, theirs = (models.compare(plain, fit).to_frame() for fit in (full, by_client))
    assert ours["p_value"].to_list()[-1] == pytest.approx(theirs["p_value"].to_list()[-1], rel=1e-6)
    other = models.growth_curve(_clients(seed=6), **COLUMNS, reml=False, sums_per="design")
    with pytest.raises(ModelError, match="fitted to different data"):
        models.compare(other, full)


def test_no_single_client_can_be_had():
    fit = models.growth_curve(FRAME, **COLUMNS, sums_per="design")
    for wanted in (
        lambda: fit.effects,
        lambda: fit.client_ids,
        fit.client_effects,
        fit.client_slopes,
        lambda: fit.predict_client(3, [8]),
        lambda: fit.residuals(FRAME),
    ):
        with pytest.raises(ModelError, match=r"know no single client.*sums_per='client'"):
            wanted()
    with pytest.raises(ModelError, match="bootstrap draws sums of every client"):
        fit.bootstrap(replicates=5)
    assert fit.predict_client("new", [8], new=True).observations == 0


def test_a_summary_says_where_sums_per_design_save_little():
    rare = FRAME.with_columns(severity=pl.col("client").cast(pl.Float64))
    fit = models.growth_curve(rare, **COLUMNS, covariates=["severity"], sums_per="design")
    assert fit.n_designs == 900
    assert "900 designs of 900 clients" in str(fit.summary())
    shared = models.growth_curve(FRAME, **COLUMNS, sums_per="design")
    assert (
        shared.n_designs
        == FRAME.group_by("client").agg(pl.col("week").sort()).select(pl.col("week").n_unique()).item()
    )
    assert "designs of" not in str(shared.summary())
    assert models.growth_curve(FRAME, **COLUMNS).n_designs is None


def test_too_many_designs_are_refused_before_they_come_back(monkeypatch):
    monkeypatch.setattr(design_sums, "MOST_DESIGNS", 10)
    with pytest.raises(ModelError, match=r"more than 10 designs.*whole weeks"):
        models.growth_curve(FRAME, **COLUMNS, sums_per="design")


@pytest.mark.parametrize("engine", ENGINES)
def test_gaps_far_times_and_declared_levels(engine):
    frame = FRAME.with_row_index("row").with_columns(
        y=pl.when(pl.col("row") % 41 == 0)
        .then(None)
        .when(pl.col("row") % 43 == 0)
        .then(float("nan"))
        .otherwise("y"),
        week=1.5e9 + 604800.0 * pl.col("week"),
        arm=pl.col("arm").cast(pl.Enum(["b", "a"])),
    )
    options: dict[str, Any] = {**COLUMNS, "shape": "linear", "covariates": ["arm:time"]}
    by_client, by_design = (
        models.growth_curve(ENGINES[engine](frame), **options, sums_per=per) for per in ("client", "design")
    )
    assert by_design.n_dropped == by_client.n_dropped > 0
    assert [c.name for c in by_design.coefficients] == [c.name for c in by_client.coefficients]
    assert by_design.log_likelihood == pytest.approx(by_client.log_likelihood, rel=1e-10)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("change", "options", "error", "text"),
    [
        ({}, {"outcome": "Y"}, FrameError, "Did you mean 'y'"),
        ({}, {"client": "week"}, FrameError, "each needs its own column"),
        ({"y": pl.lit(3.0)}, {}, ModelError, "every score is 3"),
        ({"severity": pl.col("week")}, {"covariates": ["severity"]}, ModelError, "changes within [0-9]+ clients"),
        ({"client": pl.int_range(pl.len())}, {}, ModelError, "cannot separate the variances"),
    ],
)
def test_refusals_are_those_of_client_sums(engine, change, options, error, text):
    with pytest.raises(error, match=text):
        models.growth_curve(
            ENGINES[engine](FRAME.with_columns(**change)), **{**COLUMNS, **options}, sums_per="design"
        )


FIT = r"""
import json, re, sys
from pathlib import Path
import duckdb
from mbc import models

folder, clients, per = sys.argv[1:]
connection = duckdb.connect(f"{folder}/{clients}-{per}.duckdb")
for setting in ("memory_limit = '100MB'", "threads = 1", f"temp_directory = '{folder}'"):
    connection.execute(f"SET {setting}")
rows = connection.read_parquet(f"{folder}/{clients}.parquet")
fit = models.growth_curve(rows, outcome="y", time="week", client="client", sums_per=per)
# not resource.getrusage: its peak begins with that of the process that started this one
used = int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"clients": fit.n_clients, "megabytes": used}))
"""
ROWS = """
SELECT client, [0, 1, 2, 4, 8][place + 1]::DOUBLE AS week,
       20 - 2 * ln(1 + week) + 4 * (hash(client) % 1000 / 500 - 1) + 6 * random() AS y
FROM range({clients}) AS all_clients(client), range(5) AS places(place) WHERE place < 2 + client % 4
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other units")
def test_the_memory_of_the_driver_does_not_grow_with_the_clients(tmp_path):
    """Sixteen times the clients, with duckdb held to 100 MB: what comes back are four designs."""
    few, many = 50_000, 800_000
    for clients in (few, many):
        query = ROWS.format(clients=clients)
        duckdb.connect().execute(f"COPY ({query}) TO '{tmp_path}/{clients}.parquet' (FORMAT parquet)")

    def peak(clients: int, per: str) -> float:
        words = [sys.executable, "-c", FIT, str(tmp_path), str(clients), per]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        assert made["clients"] == clients
        return made["megabytes"]

    by_design = peak(many, "design")
    assert by_design - peak(few, "design") < 150  # duckdb's 100 MB, and its buffers
    assert peak(many, "client") - by_design > 100  # what one row per client takes here: the test can fail
