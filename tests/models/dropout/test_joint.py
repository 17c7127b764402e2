"""The joint model of scores and dropout, against TMB (tests/reference/dropout/joint.R), brute force and truth."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import FrameError, ModelError
from mbc.models.dropout.joint.data import joint_rows
from mbc.models.dropout.joint.likelihood import JointLikelihood, Parameters, blocks
from mbc.models.dropout.joint.risk_sets import RiskSets, leaving
from mbc.models.emerging import joint_growth
from mbc.models.growth.data.shapes import Linear
from mbc.models.growth.variants.row_columns import RowColumns

pytestmark = pytest.mark.long

REFERENCE = Path(__file__).resolve().parents[2] / "reference/dropout"
TMB = json.loads((REFERENCE / "joint.json").read_text(encoding="utf-8"))
SOURCE = f"TMB {TMB['versions']['TMB']}, synthetic leavers"
COLUMNS = {"outcome": "score", "time": "week", "client": "client"}
LINKS = ["value", "effects"]


def _leavers(**options) -> pl.DataFrame:
    spec = importlib.util.spec_from_file_location("make_joint", REFERENCE / "make_joint.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.leavers(**options)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return _leavers()


@pytest.fixture(scope="module")
def made_by_link(rows):
    """The joint model of a link, fitted once."""
    return functools.cache(lambda link: joint_growth(rows, **COLUMNS, shape="linear", link=link))


@pytest.fixture(scope="module")
def made_with_few_nodes(rows):
    return joint_growth(rows, **COLUMNS, shape="linear", nodes=5)


@pytest.fixture(scope="module")
def parts(rows):
    """Scores as they are, X = Z = (1, week)."""
    codes = rows["client"].to_numpy() - 1
    week = rows["week"].to_numpy()
    gone = (rows.group_by("client").agg(pl.col("week").max()).sort("client")["week"] < 8).to_numpy()
    risk = leaving(codes, week, gone, until=8.0, bands=4)
    x = np.vstack([np.ones(week.size), week])
    return blocks(x, x, rows["score"].to_numpy(), codes, risk), risk


def _parameters(given: dict) -> Parameters:
    lower = given["lower"]
    factor = np.array([[lower[0], 0.0], [lower[1], lower[2]]])
    gamma = np.atleast_1d(np.array(given["gamma"]))
    return Parameters(np.array(given["beta"]), factor, given["log_sigma"], np.array(given["alpha"]), gamma)


@pytest.mark.parametrize("link", LINKS)
def test_the_likelihood_at_given_parameters_is_that_of_tmb(parts, validation, link):
    """TMB's Laplace approximation is the quadrature with one node."""
    expected = TMB[link]
    assert (sum(one.y.size for one in parts[0]), parts[1].n_left) == (TMB["rows"], TMB["dropouts"])
    laplace = JointLikelihood(parts[0], link, 1)
    at = _parameters(expected["given"])
    value = laplace.value(at)
    validation(f"joint model, {link}: log-likelihood", SOURCE, expected["log_likelihood_given"], value)
    best = _parameters(expected["estimates"])
    validation(f"joint model, {link}: maximum", SOURCE, expected["log_likelihood"], laplace.value(best))


@pytest.mark.parametrize("link", LINKS)
def test_the_estimates_are_those_of_tmb_but_for_its_approximation(rows, made_by_link, validation, link):
    expected = TMB[link]
    made = made_by_link(link)
    gamma = np.atleast_1d(expected["estimates"]["gamma"])
    errors = np.atleast_1d(expected["gamma_error"])
    for k, one in enumerate(made.association):
        name = f"joint model, {link}: gamma {k + 1}"
        # Laplace's approximation moves the estimate by a fiftieth of its standard error, and that by as much: see
        # the next test.
        validation(name, SOURCE, float(gamma[k]), one.estimate, within=0.02 * float(errors[k]))
        validation(f"{name}, SE", SOURCE, float(errors[k]), one.standard_error, within=0.02 * float(errors[k]))
    assert made.coefficients == pytest.approx(expected["estimates"]["beta"], abs=2e-3)
    assert np.sqrt(made.covariance.diagonal()) == pytest.approx(expected["beta_error"], rel=0.01)
    assert made.log_likelihood == pytest.approx(expected["log_likelihood"], abs=0.01)
    assert made.quadrature_error < 1e-8
    week, score = rows["week"].to_numpy(), rows["score"].to_numpy()
    assert made.predict(rows).to_numpy() == pytest.approx(made.coefficients[0] + made.coefficients[1] * week)
    left = made.residuals(standardised=True).to_numpy()
    assert left * np.sqrt(made.residual_variance) == pytest.approx(score - made.fittedvalues.to_numpy())
    assert left.std() == pytest.approx(0.85, abs=0.1)  # less than 1: each client's own course is fitted too


@pytest.mark.slow  # the likelihood is met by brute force
def test_the_curvature_with_one_node_gives_the_standard_errors_of_tmb(parts):
    at = _parameters(TMB["effects"]["estimates"])
    laplace, here = JointLikelihood(parts[0], "effects", 1), at.vector()
    steps = np.diag(3e-4 * np.maximum(1.0, np.abs(here)))

    def value(*moves) -> float:
        return laplace.value(at.like(here + sum(moves)))

    size = here.size
    curved = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            a, b = steps[i], steps[j]
            mixed = value(a, b) - value(a, -b) - value(-a, b) + value(-a, -b)
            curved[i, j] = curved[j, i] = -mixed / (4 * a[i] * b[j])
    errors = np.sqrt(np.diag(np.linalg.inv(curved)))
    assert errors[-2:] == pytest.approx(TMB["effects"]["gamma_error"], rel=1e-4)
    assert errors[:2] == pytest.approx(TMB["effects"]["beta_error"], rel=1e-4)


@pytest.mark.parametrize("link", LINKS)
def test_the_likelihood_by_brute_force(rows, parts, link):
    """The integral of the joint density over a fine grid of (intercept, slope), client by client."""
    at = _parameters(TMB[link]["given"])
    risk, sigma = parts[1], np.exp(at.log_sigma)
    wide = np.linspace(-9, 9, 401)
    v = np.array([one.ravel() for one in np.meshgrid(wide, wide, indexing="ij")])
    b = at.factor @ v
    prior = -0.5 * (v * v).sum(axis=0) - np.log(2 * np.pi)
    codes, week, score = (rows[name].to_numpy() for name in ("client", "week", "score"))
    total, modes = 0.0, []
    for client in range(1, 13):
        own = codes == client
        course = at.beta[0] + b[0] + np.outer(week[own], at.beta[1] + b[1])
        log = prior - 0.5 * (((score[own][:, None] - course) / sigma) ** 2).sum(axis=0)
        log -= own.sum() * (at.log_sigma + 0.5 * np.log(2 * np.pi))
        here = own[risk.rows]
        true = course[: here.sum()]
        eta = at.alpha[risk.band[here]][:, None] + (at.gamma[0] * true if link == "value" else at.gamma @ b)
        log += (risk.left[here][:, None] * eta - np.logaddexp(0, eta)).sum(axis=0)
        total += np.log(np.exp(log).sum() * (wide[1] - wide[0]) ** 2)
        modes.append(v[:, log.argmax()])
    few = codes <= 12
    inside = few[risk.rows]
    some = RiskSets(risk.rows[inside], risk.left[inside], risk.band[inside], risk.starts)
    x = np.vstack([np.ones(few.sum()), week[few]])
    ours = JointLikelihood(blocks(x, x, score[few], codes[few] - 1, some), link, 9)
    assert ours.value(at) == pytest.approx(total, abs=1e-8)
    assert ours.modes(at) == pytest.approx(np.array(modes).T, abs=0.04)  # a step of the grid is 0.045


@pytest.mark.parametrize("link", LINKS)
def test_the_gradient_is_the_derivative(parts, link):
    at = _parameters(TMB[link]["given"])
    likelihood = JointLikelihood(parts[0], link, 15)
    value, slope = likelihood.value_and_gradient(at)
    assert value == pytest.approx(likelihood.value(at), rel=1e-14)
    here = at.vector()
    for j in range(here.size):
        step = np.zeros(here.size)
        step[j] = 1e-5
        difference = likelihood.value(at.like(here + step)) - likelihood.value(at.like(here - step))
        assert slope[j] == pytest.approx(difference / 2e-5, abs=1e-4, rel=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_without_association_it_is_the_two_separate_fits(rows, made_by_link, link):
    fit = models.growth_curve(rows, **COLUMNS, shape="linear", reml=False)
    made = made_by_link(link)
    chance = sum(
        d * np.log(d / n) + (n - d) * np.log1p(-d / n)
        for d, n in zip(made.hazards["dropouts"], made.hazards["sessions"], strict=True)
    )
    assert made.separate_log_likelihood == pytest.approx(fit.log_likelihood + chance, rel=1e-12)
    assert made.log_likelihood > made.separate_log_likelihood
    columns = RowColumns.of(rows, **COLUMNS, shape=Linear(), covariates=(), random=("intercept", "slope"))
    gone = (rows.group_by("client").agg(pl.col("week").max()).sort("client")["week"] < 8).to_numpy()
    both = joint_rows(columns, leaving(columns.rows.codes, columns.rows.time, gone, until=8.0, bands=4), link, 7)
    value, slope = both.likelihood.value_and_gradient(both.separate)
    assert value == pytest.approx(both.separate_log_likelihood, rel=1e-12)
    size = len(both.separate.gamma)
    assert np.abs(slope[:-size]).max() < 1e-3  # a maximum in everything but gamma
    assert np.abs(slope[-size:]).max() > 1.0


@pytest.mark.slow  # the estimates of TMB are met
@pytest.mark.parametrize("clients", [500, pytest.param(1500, marks=pytest.mark.slow)])
def test_a_known_association_and_the_mean_course_are_recovered(clients):
    """The higher the true score the sooner one leaves: missing at random is too low, the joint model is not."""
    made = joint_growth(_leavers(n=clients, gamma=0.2, seed=4), **COLUMNS, shape="linear")
    one = made.association[0]
    assert one.lower < 0.2 < one.upper
    assert one.lower > 0.1
    end = made.course([8.0]).row(0, named=True)
    assert end["joint_lower"] < 20 - 0.6 * 8 < end["joint_upper"]
    assert end["mar_upper"] < 20 - 0.6 * 8
    assert end["difference"] == pytest.approx(end["joint"] - end["mar"])
    assert made.p_value < 1e-6
    assert "never a correction" in made.sentence
    assert f"factor of {one.odds_ratio:.2f} per point" in made.sentence
    assert made.to_frame(backend="pandas").shape == (1, 6)


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [0.0, 0.15])
def test_intervals_of_the_association_cover_it(gamma):
    """100 clinics: a 95 % interval covers 90 times or more with probability 0.99."""
    covered = 0
    for seed in range(100):
        made = joint_growth(_leavers(n=200, gamma=gamma, seed=1000 + seed), **COLUMNS, shape="linear", nodes=5)
        one = made.association[0]
        covered += one.lower < gamma < one.upper
    assert covered >= 90


def test_after_which_sessions_one_could_have_left():
    """Client 0 drops out after week 2, client 1 ends as planned after week 1, client 2 stays to the end."""
    codes, week = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2]), np.array([0.0, 1, 2, 0, 1, 0, 1, 2, 3])
    made = leaving(codes, week, np.array([True, False, False]), until=3.0, bands=4)
    assert made.rows.tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert made.left.tolist() == [0, 0, 1, 0, 0, 0, 0]
    # Nobody left after weeks 0 and 1: these occasions share one risk with week 2.
    assert (made.starts, made.n_left) == ((0.0,), 1)
    assert made.band.tolist() == [0] * 7


def test_a_band_in_which_nobody_left_joins_the_one_before():
    rng = np.random.default_rng(0)
    codes, week = np.repeat(np.arange(90), 4), np.tile([0.0, 1, 2, 3], 90)
    stay = np.ones(codes.size, dtype=bool)
    gone = np.zeros(90, dtype=bool)
    for client in range(60):
        gone[client] = True
        stay[(codes == client) & (week > (0 if client < 30 else 2))] = False
    made = leaving(codes[stay], week[stay], gone, until=3.0, bands=4)
    assert made.starts == (0.0, 2.0)
    assert [one.tolist() for one in made.counts] == [[30, 30], [90 + 60, 60]]
    many = np.round(rng.uniform(0, 20, 4000), 3)
    order = np.lexsort((many, np.arange(4000) // 10))
    spread = leaving(np.arange(4000) // 10, many[order], np.ones(400, dtype=bool), until=np.inf, bands=4)
    assert len(spread.starts) <= 4
    assert all(0 < d < n for d, n in zip(*spread.counts, strict=True))


def test_planned_endings_are_no_dropouts(rows, made_by_link):
    last = rows.group_by("client").agg(pl.col("week").max().alias("last"))
    told = rows.join(last, on="client", maintain_order="left").with_columns(
        ending=pl.when(pl.col("last") < 8).then(
            pl.when(pl.col("client") % 3 == 0).then(pl.lit("planned")).otherwise(pl.lit("dropout"))
        )
    )
    made = joint_growth(told, **COLUMNS, shape="linear", ended="ending")
    plain = made_by_link("value")
    assert made.n_left + made.n_planned == plain.n_left
    assert made.hazards["dropouts"].sum() == made.n_left < plain.n_left
    assert made.association[0].estimate != plain.association[0].estimate
    assert made.mar.estimates.coefficients == pytest.approx(plain.mar.estimates.coefficients, rel=1e-9)


def test_a_random_intercept_covariates_and_any_frame(rows):
    arms = rows.with_columns(arm=pl.when(pl.col("client") % 2 == 0).then(pl.lit("new")).otherwise(pl.lit("usual")))
    options = {"shape": "log", "random": ("intercept",), "covariates": ("arm:time",)}
    made = joint_growth(arms, **COLUMNS, **options)
    assert made.coefficients.shape == (4,)
    assert made.random_covariance.shape == (1, 1)
    at = made.course([0.0, 5.0])
    plain = made.mar.predict_mean([0.0, 5.0], level=0.95)
    assert at["mar"].to_numpy() == pytest.approx(plain.mean)
    for table in (arms.to_pandas(), arms.lazy()):
        other = joint_growth(table, **COLUMNS, **options)
        assert other.association[0].estimate == pytest.approx(made.association[0].estimate, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-6, pytest.param(1e6, marks=pytest.mark.slow)])
def test_another_scale_changes_nothing_but_the_unit(rows, made_with_few_nodes, scale):
    made = made_with_few_nodes.association[0]
    other = joint_growth(rows.with_columns(pl.col("score") * scale), **COLUMNS, shape="linear", nodes=5)
    assert other.association[0].estimate * scale == pytest.approx(made.estimate, rel=1e-6)
    assert other.association[0].standard_error * scale == pytest.approx(made.standard_error, rel=1e-6)
    assert "per point" in other.sentence


def test_calendar_years_change_nothing(rows, made_with_few_nodes):
    made = made_with_few_nodes.association[0]
    years = rows.with_columns(week=2024 + pl.col("week") / 52)
    late = joint_growth(years, **COLUMNS, shape="linear", nodes=5).association[0]
    assert late.estimate == pytest.approx(made.estimate, rel=1e-5)


def test_a_slope_without_variance_is_no_failure_and_perfect_leaving_is_refused():
    rng = np.random.default_rng(2)
    client, week = np.repeat(np.arange(200), 8), np.tile(np.arange(8.0), 200)
    true = 20 - 0.6 * week + np.repeat(rng.normal(0, 4, 200), 8)
    score = true + rng.normal(0, 2.5, true.size)
    for leaves, fails in ((rng.random(true.size) < 0.15, False), (true > 23, True)):
        by_client = leaves.reshape(200, 8)
        kept = ~(np.cumsum(by_client, axis=1) - by_client > 0).ravel()
        table = pl.DataFrame({"client": client, "week": week, "score": score}).filter(pl.Series(kept))
        if fails:
            with pytest.raises(ModelError, match="too closely"):
                joint_growth(table, **COLUMNS, shape="linear")
        else:
            made = joint_growth(table, **COLUMNS, shape="linear")
            assert np.sqrt(made.random_covariance[1, 1]) < 0.3
            assert made.association[0].lower < 0 < made.association[0].upper


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"link": "slope"}, "link must be"),
        ({"random": ("intercept", "slopes")}, "at most two random effects"),
        ({"nodes": 0}, "nodes 1 to 40"),
        ({"until": 0.0}, "too few data"),
    ],
)
def test_bad_questions_are_refused(rows, options, message):
    with pytest.raises(ModelError, match=message):
        joint_growth(rows, **COLUMNS, **({"shape": "linear"} | options))


def test_too_few_data_are_refused_with_a_reason(rows):
    with pytest.raises(
        ModelError, match=r"40 clients, \d+ dropouts .* at least 50, 15 and 15.*dropout_sensitivity"
    ):
        joint_growth(rows.filter(pl.col("client") <= 40), **COLUMNS, shape="linear")
    stayed = rows.filter(pl.col("week").max().over("client") >= 7)
    with pytest.raises(ModelError, match="too few data for a joint model"):
        joint_growth(stayed, **COLUMNS, shape="linear")
    with pytest.raises(FrameError, match="ending"):
        joint_growth(rows, **COLUMNS, shape="linear", ended="ending")
