"""How far a growth model's conclusion depends on why clients left, against lme4's predictions, dense algebra,
resampled clients and multiple imputation."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import FrameError, ModelError
from mbc.models.dropout.influence import coefficient_influence, expected_course

pytestmark = pytest.mark.long

REFERENCE = Path(__file__).resolve().parents[2] / "reference/dropout"
R = json.loads((REFERENCE / "dropout.json").read_text(encoding="utf-8"))
COLUMNS = {"outcome": "score", "time": "week", "client": "client"}


def clinic(n: int = 240, seed: int = 5) -> pl.DataFrame:
    """Sessions at any time; the worse the last score the sooner one drops out, the better the sooner done."""
    rng = np.random.default_rng(seed)
    parts = []
    for client in range(n):
        arm = "new" if client % 2 else "usual"
        level, slope = rng.normal(20, 4), rng.normal(-0.8 if arm == "new" else -0.4, 0.3)
        week, ending = 0.0, "stayed"
        for _ in range(10):
            score = level + slope * week + rng.normal(0, 2.5)
            parts.append((client, arm, week, score))
            if rng.random() < 0.05 + 0.2 * (score > 19):
                ending = "dropout"
                break
            if rng.random() < 0.3 * (score < 12):
                ending = "planned"
                break
            week += rng.choice([1.0, 2.0]) + rng.uniform(-0.2, 0.2)
        parts[-1] = (*parts[-1], ending)
    rows = [(*row, None)[:5] for row in parts]
    frame = pl.DataFrame(rows, schema=["client", "arm", "week", "score", "ending"], orient="row")
    whole = pl.col("ending").drop_nulls().first().over("client")
    return frame.with_columns(ending=pl.when(whole != "stayed").then(whole))


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return clinic()


@pytest.fixture(scope="module")
def fit(rows):
    return models.growth_curve(rows, **COLUMNS, shape="linear", covariates=("arm:time",))


@pytest.fixture(scope="module")
def trial() -> pl.DataFrame:
    spec = importlib.util.spec_from_file_location("make_trial", REFERENCE / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.trial()


def test_without_delta_it_is_the_growth_model_itself(rows, fit):
    score = models.dropout_sensitivity(fit, rows, at=12, measure="score", confidence=0.8)
    own = fit.predict_mean([12.0], level=0.8)
    at_zero = score.at_delta(0.0)
    assert at_zero.estimate == score.estimate == pytest.approx(own.mean[0], rel=1e-12)
    assert (at_zero.lower, at_zero.upper) == pytest.approx((own.lower[0], own.upper[0]), rel=1e-10)
    change = models.dropout_sensitivity(fit, rows, at=12, group="arm", active="usual")
    found = {one.name: one for one in fit.coefficients}["week:arm[T.usual]"]
    assert change.estimate == pytest.approx(12 * found.estimate, rel=1e-10)
    assert change.at_delta(0.0).standard_error == pytest.approx(12 * found.standard_error, rel=1e-10)


@pytest.mark.parametrize(
    ("how", "shape", "random"),
    [
        ("ML", "linear", ("intercept", "slope")),
        ("REML", "linear", ("intercept", "slope")),
        ("REML", "linear", ("intercept",)),
        ("ML", "quadratic", ("intercept", "slopes")),
    ],
)
def test_each_clients_influence_by_dense_algebra(rows, how, shape, random):
    """(X'V^-1 X)^-1 X_i'V_i^-1 (y_i - X_i beta) and z'G Z_i'V_i^-1 (y_i - X_i beta), client by client."""
    made = models.growth_curve(
        rows, **COLUMNS, shape=shape, random=random, covariates=("arm:time",), reml=how == "REML"
    )
    e, back = made.estimates, made.fitted.design.x_back
    scale, q, powers = (
        made.fitted.design.outcome_spread,
        len(e.random_covariance),
        3 if shape == "quadratic" else 2,
    )
    ours = scale * back @ coefficient_influence(made.fitted)
    mean, slope = expected_course(made.fitted, 7.0)
    assert np.abs(ours.sum(axis=1)).max() < 1e-8
    per_client, bread = [], np.zeros((2 * powers, 2 * powers))
    for k, (_, own) in enumerate(rows.group_by("client", maintain_order=True)):
        time = np.vander(np.append(own["week"].to_numpy(), 7.0), powers, increasing=True)
        usual = float(own["arm"][0] == "usual")
        wide = np.column_stack([time, usual * time])  # columns in the order 1, t, .., usual, usual t, ..
        x, x_at, z, z_at = wide[:-1], wide[-1], time[:-1, :q], time[-1, :q]
        v = z @ e.random_covariance @ z.T + e.residual_variance * np.eye(len(z))
        rest = np.linalg.solve(v, own["score"].to_numpy() - x @ e.coefficients)
        per_client.append(x.T @ rest)
        bread += x.T @ np.linalg.solve(v, x)
        gain = z_at @ e.random_covariance @ z.T
        assert scale * mean[k] == pytest.approx(x_at @ e.coefficients + gain @ rest, rel=1e-8)
        assert slope[:, k] == pytest.approx(back.T @ (x_at - gain @ np.linalg.solve(v, x)), abs=1e-7)
    assert ours == pytest.approx(np.linalg.solve(bread, np.array(per_client).T), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("asked", [{}, {"group": "arm", "active": "new"}, {"measure": "score", "per": "time"}])
def test_a_formula_model_says_the_same_as_the_growth_curve(rows, fit, asked):
    result = models.mixedlm("score ~ week * C(arm)", rows.to_pandas(), groups="client", re_formula="~ week")
    ours = models.dropout_sensitivity(result, rows, at=12, time="week", client="client", ended="ending", **asked)
    wanted = models.dropout_sensitivity(fit, rows, at=12, ended="ending", **asked)
    for delta in (0.0, 2.0):
        one, other = ours.at_delta(delta), wanted.at_delta(delta)
        assert one.estimate == pytest.approx(other.estimate, rel=1e-6)
        assert one.standard_error == pytest.approx(other.standard_error, rel=1e-6)
    assert ours.tipping_point == pytest.approx(wanted.tipping_point, rel=1e-6)
    assert ours.sentence == wanted.sentence


def test_a_formula_that_bends_time_is_averaged_over_clients(rows):
    """Covariates at each client's own values: the mean of what the formula predicts for everybody."""
    more = rows.with_columns(pre=pl.col("score").first().over("client"))
    data = more.to_pandas()
    result = models.mixedlm("score ~ np.log1p(week) * pre", data, groups="client")
    made = models.dropout_sensitivity(result, more, at=9, time="week", client="client", measure="score")
    first = data.drop_duplicates("client").assign(week=9.0)
    assert made.estimate == pytest.approx(float(np.mean(result.predict(first))), rel=1e-9)


def test_groups_may_be_numbers(rows, fit):
    coded = rows.with_columns(arm=(pl.col("arm") == "usual").cast(pl.Int64))
    numbers = models.growth_curve(coded, **COLUMNS, shape="linear", covariates=("arm:time",))
    made = models.dropout_sensitivity(numbers, coded, at=12, ended="ending", group="arm", active=0)
    wanted = models.dropout_sensitivity(fit, rows, at=12, ended="ending", group="arm", active="new")
    assert [one.group for one in made.groups] == ["0", "1"]
    assert made.tipping_point == pytest.approx(wanted.tipping_point, rel=1e-6)
    assert made.at_delta(3.0).standard_error == pytest.approx(wanted.at_delta(3.0).standard_error, rel=1e-6)


def test_delta_is_added_to_those_who_dropped_out(rows, fit):
    last = rows.group_by("client", "ending").agg(pl.col("week").max())
    gone = last.filter((pl.col("ending") == "dropout") & (pl.col("week") < 12))
    n = last.height
    once = models.dropout_sensitivity(fit, rows, at=12, ended="ending")
    assert once.n_left == gone.height
    assert once.exposure == pytest.approx(gone.height / n)
    assert once.at_delta(2.0).estimate == pytest.approx(once.estimate + 2 * gone.height / n)
    slow = models.dropout_sensitivity(fit, rows, at=12, ended="ending", per="time")
    assert slow.exposure == pytest.approx((12 - gone["week"]).sum() / n)
    done = last.filter((pl.col("ending") == "planned") & (pl.col("week") < 12)).height
    both = models.dropout_sensitivity(fit, rows, at=12, ended="ending", planned_weight=-1.0)
    assert both.n_planned == done > 10
    assert both.exposure == pytest.approx((gone.height - done) / n)
    near = models.dropout_sensitivity(fit, rows, at=12, ended="ending", grace=3)
    assert near.n_left == gone.filter(pl.col("week") < 9).height < once.n_left
    unknown = models.dropout_sensitivity(fit, rows, at=12)
    assert unknown.n_left == last.filter(pl.col("week") < 12).height
    assert unknown.n_planned == 0


def test_the_tipping_points_are_where_estimate_and_interval_reach_the_line(rows, fit):
    made = models.dropout_sensitivity(fit, rows, at=12, ended="ending", higher_is_better=False)
    assert made.estimate < 0 < made.interval_tipping_point < made.tipping_point
    assert made.at_delta(made.tipping_point).estimate == pytest.approx(0, abs=1e-12)
    assert made.at_delta(made.interval_tipping_point).upper == pytest.approx(0, abs=1e-10)
    half = models.dropout_sensitivity(fit, rows, at=12, ended="ending", against=-3.0)
    assert half.at_delta(half.tipping_point).estimate == pytest.approx(-3.0)
    table = made.to_frame([0, 1, 2])
    assert table["estimate"].diff()[1] == pytest.approx(made.exposure)
    assert f"{made.tipping_point:.1f} points worse" in made.sentence
    assert f"from {made.interval_tipping_point:.1f} points on" in made.sentence


def test_where_both_groups_lose_as_much_the_same_deviation_cancels():
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        [(k, "ab"[k % 2], w, rng.normal(20 - w, 2)) for k in range(40) for w in (0, 4, 8) if w < 8 or k >= 20],
        schema=["client", "arm", "week", "score"], orient="row",
    )  # fmt: skip
    fit = models.growth_curve(frame, **COLUMNS, shape="linear", random="intercept", covariates=("arm:time",))
    made = models.dropout_sensitivity(fit, frame, at=8, group="arm", active="a", shift="all")
    assert (made.reason, made.tipping_point, made.exposure, made.n_left) == ("cancels", None, 0.0, 20)
    assert "Both groups lost the same number" in made.sentence
    told = frame.with_columns(
        ending=pl.when(pl.col("client") < 10)
        .then(pl.lit("planned"))
        .when(pl.col("client") < 20)
        .then(pl.lit("left"))
    )
    alone = models.dropout_sensitivity(fit, told, at=8, ended="ending", planned_weight=-1.0)
    assert (alone.reason, alone.n_left, alone.n_planned) == ("cancels", 10, 10)
    assert "weighted against each other" in alone.sentence


def test_where_nobody_leaves_delta_changes_nothing():
    rng = np.random.default_rng(1)
    week = np.tile([0.0, 4, 8], 40)
    score = np.repeat(rng.normal(20, 3, 40), 3) - week + rng.normal(0, 1, 120)
    frame = pl.DataFrame({"client": np.repeat(np.arange(40), 3), "week": week, "score": score})
    made = models.dropout_sensitivity(
        models.growth_curve(frame, **COLUMNS, shape="linear", random="intercept"), frame, at=8
    )
    assert made.reason == "nobody_left"
    assert (made.tipping_point, made.interval_tipping_point, made.exposure) == (None, None, 0.0)
    far = made.at_delta(50.0)
    assert (far.estimate, far.standard_error) == (made.estimate, made.at_delta(0.0).standard_error)
    assert "Nobody dropped out" in made.sentence


def test_planned_occasions_as_in_the_pattern_mixture_on_lme4s_predictions(trial, validation):
    """``estimand="scores"`` is the estimate already held to lme4, from client sums instead of rows."""
    fit = models.growth_curve(trial, **COLUMNS, shape="linear", covariates=("arm", "pre"))
    made = models.dropout_sensitivity(
        fit, trial, at=12, measure="score", estimand="scores", group="arm", active="new", ended=None
    )
    source = f"lme4 {R['versions']['lme4']}, synthetic trial"
    expected = R["slopes"]
    validation("growth sensitivity: missing as expected", source, expected["estimate"], made.estimate, within=1e-6)
    validation("growth sensitivity: tipping point", source, expected["tipping"], made.tipping_point, within=1e-6)


def test_beat_the_blues(real_data, validation):
    wide = real_data("btheb.csv").with_row_index("client").rename({"bdi.pre": "pre"})
    own = ["client", "treatment", "drug", "length", "pre"]
    long = wide.unpivot(["bdi.2m", "bdi.3m", "bdi.5m", "bdi.8m"], index=own, variable_name="at", value_name="bdi")
    long = long.with_columns(month=pl.col("at").str.extract(r"(\d)").cast(pl.Float64))
    fit = models.growth_curve(
        long, outcome="bdi", time="month", client="client", shape="linear", random="intercept", reml=False,
        covariates=("pre", "treatment", "drug", "length"),
    )  # fmt: skip
    made = models.dropout_sensitivity(
        fit,
        long,
        at=8,
        measure="score",
        estimand="scores",
        group="treatment",
        active="BtheB",
        higher_is_better=False,
    )
    source = f"lme4 {R['versions']['lme4']}, Beat the Blues"
    validation(
        "growth sensitivity: missing as expected", source, R["btheb"]["estimate"], made.estimate, within=1e-6
    )
    validation("growth sensitivity: tipping point", source, R["btheb"]["tipping"], made.tipping_point, within=1e-6)
    assert (round(made.estimate, 2), round(made.tipping_point, 1)) == (-3.18, 6.6)
    assert (made.reason, made.interval_tipping_point) == ("not_shown", 0.0)
    assert made.at_delta(0).lower < 0 < made.at_delta(0).upper


@pytest.mark.slow  # a simulation
@pytest.mark.parametrize("imputations", [150, pytest.param(400, marks=pytest.mark.slow)])
def test_brute_force_multiple_imputation_comes_to_the_analytic_result(trial, imputations):
    """Scores drawn, shifted, analysed and pooled by Rubin's rules: the same estimate and standard error.

    The analysis asks for no more than the imputation knows. Where imputation also knows the first score, Rubin's
    rules are known to be too wide (Meng, 1994, doi:10.1214/ss/1177010269); resampled clients are not.
    """
    model = {"shape": "linear", "covariates": ("arm:time",)}
    fit = models.growth_curve(trial, **COLUMNS, **model, reml=False)
    asked = {"at": 12, "measure": "score", "estimand": "scores", "group": "arm", "active": "new"}
    made = models.dropout_sensitivity(fit, trial, **asked)
    drawn = models.delta_imputation(
        trial, client="client", time="week", score="score", group="arm", active="new", **model,
        delta=[0.0, 5.0, 15.0], imputations=imputations, seed=3,
    )  # fmt: skip
    for delta, pooled in zip(drawn.deltas, drawn.pooled, strict=True):
        ours = made.at_delta(delta)
        assert ours.estimate == pytest.approx(pooled.estimate, abs=4 * np.sqrt(pooled.between / imputations))
        assert ours.standard_error == pytest.approx(pooled.standard_error, rel=0.05)


@pytest.mark.slow
def test_resampled_clients_at_planned_occasions(trial):
    model = {"shape": "linear", "covariates": ("arm", "pre"), "reml": False}
    asked = {"at": 12, "measure": "score", "estimand": "scores", "group": "arm", "active": "new"}
    made = models.dropout_sensitivity(models.growth_curve(trial, **COLUMNS, **model), trial, **asked)
    own, rng, found = trial.partition_by("client", maintain_order=True), np.random.default_rng(1), []
    for _ in range(200):
        chosen = rng.integers(0, len(own), len(own))
        again = pl.concat([own[k].with_columns(client=pl.lit(i)) for i, k in enumerate(chosen.tolist())])
        one = models.dropout_sensitivity(models.growth_curve(again, **COLUMNS, **model), again, **asked)
        found.append([one.at_delta(delta).estimate for delta in (0, 5, 15)])
    ours = [made.at_delta(delta).standard_error for delta in (0, 5, 15)]
    assert ours == pytest.approx(np.std(found, axis=0, ddof=1), rel=0.16)  # three standard errors of that spread


@pytest.mark.slow
@pytest.mark.parametrize("per", ["client", "time"])
def test_resampled_clients_scatter_as_much_as_the_analytic_error_says(rows, fit, per):
    """Clients drawn with replacement, the model refitted, delta added anew: the spread of 200 estimates."""
    rng = np.random.default_rng(8)
    own = rows.partition_by("client", maintain_order=True)
    deltas = [0.0, 3.0, 8.0]
    found = []
    for _ in range(200):
        chosen = rng.integers(0, len(own), len(own))
        again = pl.concat([own[k].with_columns(client=pl.lit(i)) for i, k in enumerate(chosen.tolist())])
        refit = models.growth_curve(again, **COLUMNS, shape="linear", covariates=("arm:time",))
        one = models.dropout_sensitivity(refit, again, at=12, ended="ending", per=per)
        found.append([one.at_delta(delta).estimate for delta in deltas])
    made = models.dropout_sensitivity(fit, rows, at=12, ended="ending", per=per)
    spread = np.std(found, axis=0, ddof=1)
    ours = [made.at_delta(delta).standard_error for delta in deltas]
    assert ours == pytest.approx(spread, rel=0.16)  # three standard errors of a spread of 200


def test_any_frame(rows, fit):
    wanted = models.dropout_sensitivity(fit, rows, at=12, ended="ending", group="arm", active="new")
    tables = {"pandas": rows.to_pandas(), "lazy": rows.lazy(), "pyarrow": rows.to_arrow()}
    relation = rows.to_arrow()
    tables["duckdb"] = duckdb.sql("select * from relation")
    assert relation.num_rows == rows.height
    for name, table in tables.items():
        made = models.dropout_sensitivity(fit, table, at=12, ended="ending", group="arm", active="new")
        assert made.to_frame([0, 4], backend="polars").equals(wanted.to_frame([0, 4])), name
        assert made.sentence == wanted.sentence


def test_endings_may_be_categories_or_numbers(rows, fit):
    wanted = models.dropout_sensitivity(fit, rows, at=12, ended="ending")
    categories = rows.to_pandas().astype({"ending": "category"})
    coded = rows.with_columns(ending=pl.col("ending").replace_strict({"dropout": 1, "planned": 2}, default=None))
    for table, planned in (
        (categories, ("planned",)),
        (coded, (2,)),
        (coded.to_pandas(), (2,)),
        (coded.lazy(), (2.0,)),
    ):
        made = models.dropout_sensitivity(fit, table, at=12, ended="ending", planned=planned)
        assert (made.n_left, made.n_planned, made.n_going_on) == (
            wanted.n_left, wanted.n_planned, wanted.n_going_on,
        )  # fmt: skip
        assert made.sentence == wanted.sentence
    objects = rows.with_columns(ending=pl.Series([object()] * rows.height, dtype=pl.Object))
    with pytest.raises(FrameError, match="text or numbers"):
        models.dropout_sensitivity(fit, objects, at=12, ended="ending")


@pytest.mark.slow
@pytest.mark.parametrize(("per", "delta"), [("client", 4.0), ("time", 0.6)])
def test_intervals_cover_the_truth_where_those_who_left_deviate(per, delta):
    """200 clinics whose leavers lie delta beyond expectation: 95 % intervals cover with a chance of 0.95."""
    rng = np.random.default_rng(6)
    week = np.arange(13.0)

    def draw(n: int) -> tuple[pl.DataFrame, np.ndarray]:
        effects = rng.standard_normal((n, 2)) @ np.array([[4.0, -0.1], [0.0, 0.3]])
        score = 20 - 0.6 * week + effects[:, :1] + effects[:, 1:] * week + 2.5 * rng.standard_normal((n, 13))
        leaves = rng.random(score.shape) < 1 / (1 + np.exp(3 - 0.15 * (score - 18)))
        gone = np.cumsum(leaves, axis=1) - leaves > 0
        table = {"client": np.repeat(np.arange(n), 13), "week": np.tile(week, n), "score": score.ravel()}
        return pl.DataFrame(table).filter(pl.Series(~gone.ravel())), gone

    _, gone = draw(200_000)
    since = gone.sum(axis=1)  # weeks since the last score, 0 for those who stayed
    truth = -0.6 * 12 + delta * (since if per == "time" else since > 0).mean()
    covered = 0
    for _ in range(200):
        table, _ = draw(150)
        fit = models.growth_curve(table, **COLUMNS, shape="linear")
        found = models.dropout_sensitivity(fit, table, at=12, per=per).at_delta(delta)
        covered += found.lower < truth < found.upper
    assert 181 <= covered <= 198


def test_clients_never_seen_follow_their_covariates_and_count_as_gone(rows, fit):
    extra = pl.DataFrame({"client": [900, 901], "arm": ["new", "usual"]})
    more = pl.concat([rows, extra], how="diagonal")
    made = models.dropout_sensitivity(fit, more, at=12, ended=None, per="time")
    before = models.dropout_sensitivity(fit, rows, at=12, ended=None, per="time")
    assert (made.n, made.n_left) == (before.n + 2, before.n_left + 2)
    assert made.exposure * made.n == pytest.approx(before.exposure * before.n + 24)
    assert made.estimate == before.estimate


def test_therapy_that_goes_on_is_no_dropout(rows, fit):
    open_ = rows.with_columns(ending=pl.when(pl.col("client") >= 20).then("ending"))
    made = models.dropout_sensitivity(fit, open_, at=12, ended="ending")
    before = models.dropout_sensitivity(fit, rows, at=12, ended="ending")
    short = (
        rows.filter(pl.col("client") < 20).group_by("client").agg(pl.col("week").max()).filter(pl.col("week") < 12)
    )
    assert made.n_going_on == before.n_going_on + short.height
    assert made.n_left + made.n_planned + made.n_going_on == (before.n_left + before.n_planned + before.n_going_on)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"measure": "slope"}, ModelError, "measure must be"),
        ({"estimand": "scores"}, ModelError, "measure='score'"),
        ({"group": "ending"}, ModelError, "not a covariate"),
        ({"group": "arm", "active": "old"}, ModelError, "active must be"),
        ({"ended": "endings"}, FrameError, "Did you mean 'ending'"),
        ({"ended": "ending", "planned": ("finished",)}, ModelError, "'dropout', 'planned'"),
        ({"ended": "week"}, ModelError, "planned="),
        ({"ended": "arm", "planned": ()}, None, ""),
    ],
)
def test_bad_questions_are_refused(rows, fit, options, error, message):
    if error is None:
        assert models.dropout_sensitivity(fit, rows, at=12, **options).n_planned == 0
        return
    with pytest.raises(error, match=message):
        models.dropout_sensitivity(fit, rows, at=12, **options)


def test_another_table_or_another_model_is_refused(rows, fit):
    with pytest.raises(ModelError, match="Give the table that was fitted"):
        models.dropout_sensitivity(fit, rows.filter(pl.col("client") > 3), at=12)
    result = models.mixedlm("score ~ week", rows.to_pandas(), groups="client")
    for asked, message in (
        ({}, "give time= and client="),
        ({"time": "day", "client": "client"}, "not a column in the data of this formula"),
        (
            {"time": "week", "client": "client", "group": "arm", "active": "new"},
            "same mean regardless of the data",
        ),
        ({"time": "week", "client": "client", "measure": "score", "estimand": "scores"}, "estimand='course'"),
    ):
        with pytest.raises(ModelError, match=message):
            models.dropout_sensitivity(result, rows, at=12, **asked)
    level = models.growth_curve(rows, **COLUMNS, shape="linear", covariates=("arm",))
    with pytest.raises(ModelError, match="let the group change the course"):
        models.dropout_sensitivity(level, rows, at=12, group="arm", active="new")
    with pytest.raises(ModelError, match="already has its columns"):
        models.dropout_sensitivity(fit, rows, at=12, time="week")
    with pytest.raises(ModelError, match="got int"):
        models.dropout_sensitivity(3, rows, at=12)
    two = pl.concat([rows, rows.filter(pl.col("client") == 7).with_columns(ending=pl.lit("planned2"))])
    two = two.with_columns(ending=pl.when((pl.col("client") == 7) & (pl.col("week") > 0)).then(pl.lit("planned"))
                           .when(pl.col("client") == 7).then(pl.lit("dropout")).otherwise("ending"))  # fmt: skip
    with pytest.raises(ModelError, match="conflicting values"):
        models.dropout_sensitivity(fit, two, at=12, ended="ending")
