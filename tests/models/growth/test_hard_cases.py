"""Data on which mixed-model programs fail: never below any of them, and below nothing that many searches find."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from mbc import models
from mbc.errors import ModelError
from mbc.models.growth.fit.deviance import evaluate
from mbc.models.growth.fit.starts import other_starts

pytestmark = pytest.mark.long

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _recorded(name: str) -> dict[str, Any]:
    return json.loads((REFERENCE / f"{name}.json").read_text())


DATA = _load("make_data")
LME4, NLME, PYTHON = _recorded("lme4"), _recorded("peers_nlme"), _recorded("peers_python")
COLUMNS: dict[str, Any] = {"outcome": "y", "time": "weeks", "client": "client"}


def _likelihoods(name: str, method: str) -> dict[str, float]:
    """What each program reached; those that stopped with an error are left out."""
    key = f"{name}_{method}"
    found = {"lme4": LME4[key].get("logLik"), "nlme": NLME[key], **PYTHON[key]}
    if key == "collinear_reml":
        del found["statsmodels"]  # it keeps both twins, and the determinant of its REML criterion is another
    return {program: value for program, value in found.items() if isinstance(value, float)}


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("name", DATA.HARD)
def test_no_program_finds_a_higher_likelihood(name, method):
    straight = name in DATA.STRAIGHT
    fit = models.growth_curve(
        DATA.case(name),
        outcome="y",
        time="time" if straight else "weeks",
        client="client",
        shape="linear" if straight else "log",
        covariates=["severity", "twin"] if name == "collinear" else ["severity"],
        reml=method == "reml",
    )
    reached = _likelihoods(name, method)
    assert fit.converged
    assert len(reached) >= 2
    assert fit.log_likelihood >= max(reached.values()) - 1e-6
    if name != "small_residual":  # and nothing was gained by a criterion of another kind
        assert fit.log_likelihood == pytest.approx(
            max(reached.values()), abs=1e-5 if "scale" not in name else 1e-4
        )


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("name", [name for name in DATA.HARD if name not in DATA.STRAIGHT])
def test_a_fit_is_singular_where_lme4_says_so(name, method):
    fit = models.growth_curve(DATA.case(name), **COLUMNS, covariates=["severity"], reml=method == "reml")
    first, _, last = LME4[f"{name}_{method}"]["theta"]
    assert fit.singular == (min(first, last) < 1e-4)  # isSingular of lme4
    assert fit.converged


def _clinic(seed: int, clients: int, sessions: tuple[int, int], noise: float) -> pl.DataFrame:
    """Few clients with few scores, on which the likelihood may have several maxima."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(clients), rng.integers(*sessions, clients))
    weeks = np.round(rng.gamma(2.0, 2.0, who.size), 1)
    effects = rng.normal(0, [4.0, 0.3], (clients, 2))[who]
    y = 10 - 2 * np.log1p(weeks) + effects[:, 0] + effects[:, 1] * np.log1p(weeks) + rng.normal(0, noise, who.size)
    return pl.DataFrame({"client": who, "weeks": weeks, "y": y})


@pytest.mark.slow  # other programs' likelihoods are met above
@pytest.mark.parametrize("random", [("intercept",), ("intercept", "slope"), ("intercept", "slopes")])
@pytest.mark.parametrize("clients", [6, 12, 40])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2)), 3])
def test_many_searches_by_another_method_find_nothing_better(clients, seed, random):
    frame = _clinic(seed, clients, (2, 6), noise=[0.3, 3.0][seed % 2])
    fit = models.growth_curve(
        frame, **COLUMNS, shape="quadratic" if "slopes" in random else "log", random=random, reml=seed < 2
    )
    assert fit.converged
    design, rng = fit.fitted.design, np.random.default_rng(seed)
    q = design.statistics.q
    lower = np.tril_indices(q)

    def deviance(theta: np.ndarray) -> tuple[float, np.ndarray]:
        factor = np.zeros((q, q))
        factor[lower] = theta
        there = evaluate(design.statistics, factor, reml=fit.reml)
        slope = 2 * (there.slope @ factor)[lower]
        return (there.deviance, slope) if np.isfinite(there.deviance) else (1e12, slope)

    for _ in range(4):
        start = np.diag(np.exp(rng.normal(0, 2, q))) + np.tril(rng.normal(0, 1, (q, q)), -1)
        found = minimize(deviance, start[lower], jac=True, method="BFGS", options={"gtol": 1e-7})
        assert fit.fitted.optimum.deviance <= found.fun + 2e-6


def test_two_maxima_are_both_visited():
    # one variance, two maxima: at zero, and at a variance above that of the residual
    frame = pl.DataFrame(
        {
            "client": [0, 1, 1, 2, 3, 3, 4, 4, 5, 6, 7],
            "weeks": [1.0, 2, 5, 3, 1, 4, 2, 6, 0, 2, 3],
            "y": [5.1, 3.9, 2.1, 4.4, 6.3, 3.2, 3.5, 1.9, 6.8, 5.2, 2.6],
        }
    )
    fit = models.growth_curve(frame, **COLUMNS, random="intercept", reml=False)
    design = fit.fitted.design
    grid = [
        evaluate(design.statistics, np.array([[size]]), reml=False).deviance
        for size in np.geomspace(1e-4, 1e3, 400)
    ]
    assert fit.fitted.optimum.deviance <= min(grid) + 1e-9
    assert fit.report.searches > 1


def test_starting_points_keep_the_size_of_each_effect():
    starts = list(other_starts(np.diag([2.0, 0.1])))
    assert all(start.shape == (2, 2) and start[0, 1] == 0 for start in starts)
    assert {tuple(np.sign(start[1, [0]])) for start in starts} >= {(1.0,), (-1.0,)}


@pytest.mark.parametrize(
    ("sessions", "random", "text"),
    [
        ([1] * 30, ["intercept"], "cannot separate the variances"),
        ([2] * 30, ["intercept", "slope"], "leave nothing for the residual|cannot separate"),
        ([1, 2] * 10, ["intercept", "slope"], "leave nothing for the residual|cannot separate"),
        ([2, 3, 3] * 6, ["intercept", "slope", "slopes"], "leave nothing for the residual|cannot separate"),
    ],
)
def test_clients_whose_courses_could_pass_through_every_score_are_refused(sessions, random, text):
    rng = np.random.default_rng(1)
    who = np.repeat(np.arange(len(sessions)), sessions)
    frame = pl.DataFrame({"client": who, "weeks": rng.uniform(0, 9, who.size), "y": rng.normal(size=who.size)})
    with pytest.raises(ModelError, match=text):
        models.growth_curve(frame, **COLUMNS, random=random, shape="quadratic" if "slopes" in random else "log")


ONCE = pl.DataFrame(
    {
        "client": range(40),
        "therapist": [i % 8 for i in range(40)],
        "arm": ["a", "b"] * 20,
        "weeks": [i / 3 for i in range(40)],
        "y": [(7 * i) % 11 + 0.1 * i for i in range(40)],
        "z": [(5 * i) % 13 + 0.1 * i for i in range(40)],
    }
)


@pytest.mark.parametrize(
    "fit",
    [
        lambda: models.growth_curve(ONCE, **COLUMNS, random="intercept"),
        lambda: models.mixedlm("y ~ weeks", ONCE, groups="client"),
        lambda: models.therapist_growth(ONCE, **COLUMNS, therapist="therapist", random="intercept"),
        lambda: models.residual_growth(ONCE, **COLUMNS, residual="arm", random="intercept"),
        lambda: models.robust_growth(ONCE, **COLUMNS, random="intercept"),
        lambda: models.serial_growth(ONCE, **COLUMNS),
        lambda: models.paired_growth(
            ONCE, outcomes=("y", "z"), time="weeks", client="client", random=["intercept"]
        ),
    ],
    ids=["growth_curve", "mixedlm", "therapist", "residual", "robust", "serial", "paired"],
)
def test_one_score_a_client_is_refused_by_every_model(fit):
    with pytest.raises(ModelError, match=r"cannot separate the variances|no client has two scores"):
        fit()
