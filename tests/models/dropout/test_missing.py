"""Sensitivity to dropout, against lme4, mice and glm (tests/reference/dropout/dropout.R)."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError
from mbc.models.dropout.clients import read_clients
from mbc.models.dropout.unseen_scores import unseen

REFERENCE = Path(__file__).resolve().parents[2] / "reference/dropout"
R = json.loads((REFERENCE / "dropout.json").read_text(encoding="utf-8"))
COLUMNS = {"client": "client", "time": "week", "score": "score"}
ARMS = {"group": "arm", "active": "new"}
LME4 = f"lme4 {R['versions']['lme4']}, synthetic trial"


@pytest.fixture(scope="module")
def trial() -> pl.DataFrame:
    spec = importlib.util.spec_from_file_location("make_trial", REFERENCE / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.trial()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("slopes", {"shape": "linear", "covariates": ("arm", "pre")}),
        ("log", {"shape": "log", "covariates": ("arm", "arm:time"), "reml": False}),
    ],
)
def test_pattern_mixture_on_the_predictions_of_lme4(trial, validation, name, options):
    made = models.pattern_mixture(trial, **COLUMNS, **ARMS, **options)
    expected = R[name]
    assert made.n_missing == expected["missing"]
    label = f"pattern mixture, {name}"
    validation(f"{label}: completers", LME4, expected["completers"], made.completers)
    validation(f"{label}: missing as expected", LME4, expected["estimate"], made.estimate, within=1e-6)
    validation(f"{label}: tipping point", LME4, expected["tipping"], made.tipping_point, within=1e-6)
    validation(
        f"{label}: expected of the missing", LME4, expected["expected"], made.groups[0].expected, within=1e-6
    )
    assert made.at_delta(made.tipping_point) == pytest.approx(0, abs=1e-12)


def test_beat_the_blues(real_data, validation):
    """Eight months, BDI: the effect among completers, with the missing as expected, and what would undo it."""
    wide = real_data("btheb.csv").with_row_index("client").rename({"bdi.pre": "pre"})
    own = ["client", "treatment", "drug", "length", "pre"]
    long = wide.unpivot(["bdi.2m", "bdi.3m", "bdi.5m", "bdi.8m"], index=own, variable_name="at", value_name="bdi")
    long = long.with_columns(month=pl.col("at").str.extract(r"(\d)").cast(pl.Float64))
    columns = {"client": "client", "time": "month", "score": "bdi", "group": "treatment", "active": "BtheB"}
    model = {"covariates": ("pre", "treatment", "drug", "length"), "shape": "linear", "random": ("intercept",)}
    made = models.pattern_mixture(long, **columns, **model, reml=False)
    source = f"lme4 {R['versions']['lme4']}, Beat the Blues"
    assert round(made.estimate, 2) == -3.18
    assert round(made.tipping_point, 1) == 6.6
    validation("pattern mixture: completers", source, R["btheb"]["completers"], made.completers)
    validation("pattern mixture: missing as expected", source, R["btheb"]["estimate"], made.estimate, within=1e-6)
    validation("pattern mixture: tipping point", source, R["btheb"]["tipping"], made.tipping_point, within=1e-6)
    drawn = models.delta_imputation(long, **columns, **model, delta=[0, 3, 6], imputations=30, seed=4)
    assert drawn.pooled[0].estimate == pytest.approx(made.estimate, abs=0.5)
    assert drawn.pooled[0].lower < 0 < drawn.pooled[0].upper
    assert drawn.tipping_point == 0.0


def test_every_unseen_score_follows_its_own_client(trial):
    """Conditional means of all clients at once are those that the growth model predicts one by one."""
    seen = trial.drop_nulls("score")
    fit = models.growth_curve(
        seen, outcome="score", time="week", client="client", shape="log", covariates=("arm", "pre:time")
    )
    clients = read_clients(trial, **COLUMNS, at=12.0, others=["arm", "pre"])
    made = unseen(fit, clients)
    for place in range(0, 150, 7):
        client = clients.people["client"][place]
        expected = fit.predict_client(client, [12.0], kind="mean").mean[0]
        assert made.mean[place] == pytest.approx(expected, rel=1e-9)
    covariances = made.factor @ made.factor.transpose(0, 2, 1)
    assert covariances == pytest.approx(fit.effects.covariances, rel=1e-6, abs=1e-9)


def test_a_client_never_seen_follows_the_covariates():
    rng = np.random.default_rng(3)
    rows = [(k, arm, w, 20 - w + (5 if arm == "b" else 0) + rng.normal()) for k in range(40) for w in (0, 4, 8)
            for arm in ("a" if k % 2 else "b",)]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["client", "arm", "week", "score"], orient="row")
    frame = frame.with_columns(score=pl.when(~pl.col("client").is_in([0, 1])).then("score"))
    made = models.pattern_mixture(frame, **COLUMNS, group="arm", active="a", shape="linear", random="intercept")
    assert (made.groups[0].n, made.groups[0].n_missing) == (20, 1)
    assert made.groups[0].expected == pytest.approx(12, abs=1)
    assert made.groups[1].expected == pytest.approx(17, abs=1)


def test_one_group_and_what_would_undo_its_mean(trial):
    made = models.pattern_mixture(trial, **COLUMNS, against=24.0, shape="linear", covariates=("pre",))
    (group,) = made.groups
    assert (group.group, made.estimate) == ("all", group.mean)
    assert made.at_delta(made.tipping_point) == pytest.approx(24.0)
    assert group.mean == pytest.approx(
        ((group.n - group.n_missing) * group.observed + group.n_missing * group.expected) / group.n
    )
    table = made.to_frame([0, 1, 2])
    assert table["estimate"].diff()[1] == pytest.approx(group.n_missing / group.n)


def test_shifting_everybody_moves_the_difference_by_the_difference_of_shares(trial):
    made = models.pattern_mixture(trial, **COLUMNS, **ARMS, shift="all")
    share = [one.n_missing / one.n for one in made.groups]
    assert made.at_delta(3.0) - made.estimate == pytest.approx(3 * (share[0] - share[1]))


def test_rubins_rules(validation):
    given = R["pool"]
    source = f"mice {R['versions']['mice']}, pool.scalar"
    for name, df in (("large", None), ("small", 40.0)):
        made = models.pool_rubin(given["q"], given["u"], complete_df=df)
        for key, ours in (
            ("qbar", made.estimate), ("ubar", made.within), ("b", made.between), ("t", made.standard_error**2),
            ("df", made.degrees_of_freedom), ("r", made.relative_increase), ("fmi", made.fraction_missing),
        ):  # fmt: skip
            validation(f"Rubin's rules, {name} sample: {key}", source, given[name][key], ours)
    # The factor is (1 + 1/r)^2; a textbook prints (1 + 1/r^2), which gives 20.
    one = models.pool_rubin([9.0, 10.0, 11.0, 10.5, 9.5], [1.5] * 5)
    validation("Rubin's degrees of freedom, m = 5, r = 0.5", "Rubin (1987)", 36.0, one.degrees_of_freedom)
    assert one.missing_information == pytest.approx(1 / 3)


def test_rubins_rules_at_their_edges():
    same = models.pool_rubin([2.0, 2.0], [1.0, 1.0])
    assert math.isinf(same.degrees_of_freedom)
    assert (same.lower, same.upper) == pytest.approx((2 - 1.959964, 2 + 1.959964))
    assert same.p_value == pytest.approx(0.0455, abs=1e-4)
    assert models.pool_rubin([2.0, 2.0], [1.0, 1.0], complete_df=40).degrees_of_freedom == pytest.approx(
        41 / 43 * 40
    )
    sure = models.pool_rubin([1.0, 3.0], [0.0, 0.0])
    assert (sure.degrees_of_freedom, sure.missing_information) == (1.0, 1.0)
    nothing = models.pool_rubin([2.0, 2.0], [0.0, 0.0])
    assert (nothing.reason, nothing.p_value, nothing.lower) == ("zero_variance", 0.0, 2.0)
    for estimates, variances in (
        ([1.0], [1.0]),
        ([1.0, 2.0], [1.0]),
        ([1.0, 2.0], [1.0, -1.0]),
        ([1, math.nan], [1, 1]),
    ):
        with pytest.raises(ModelError, match="estimates"):
            models.pool_rubin(estimates, variances)


def test_delta_shifts_each_data_set_by_the_share_that_is_missing(trial):
    made = models.delta_imputation(trial, **COLUMNS, **ARMS, delta=[0, 2, 4, 8, 16], imputations=10, seed=1)
    mixture = models.pattern_mixture(trial, **COLUMNS, **ARMS)
    share = mixture.groups[0].n_missing / mixture.groups[0].n
    steps = np.diff([one.estimate for one in made.pooled])
    assert steps == pytest.approx(share * np.diff(made.deltas))
    assert made.pooled[0].estimate == pytest.approx(mixture.estimate, abs=1.0)
    assert made.to_frame(backend="pandas").shape == (5, 8)
    again = models.delta_imputation(trial, **COLUMNS, **ARMS, delta=[0, 2, 4, 8, 16], imputations=10, seed=1)
    assert again.pooled == made.pooled


def test_delta_by_how_therapy_ended_and_by_time_since(trial):
    options = {"imputations": 4, "seed": 2, "delta": [0.0, 1.0], "delta_by": "ending"}
    base = models.delta_imputation(trial, **COLUMNS, **options, delta_weights={"dropout": 1.0})
    lost = trial.filter(pl.col("week") == 12).with_columns(gone=pl.col("score").is_null())
    share = lost.filter("gone", ending="dropout").height / lost.height
    assert base.pooled[1].estimate - base.pooled[0].estimate == pytest.approx(share)
    both = models.delta_imputation(trial, **COLUMNS, **options, delta_weights={"dropout": 1.0, "planned": -0.5})
    planned = lost.filter("gone", ending="planned").height / lost.height
    assert both.pooled[1].estimate - both.pooled[0].estimate == pytest.approx(share - planned / 2)
    slow = models.delta_imputation(trial, **COLUMNS, **options, delta_weights={"dropout": 1.0}, per="time")
    last = trial.drop_nulls("score").group_by("client").agg(last=pl.col("week").max())
    since = lost.filter("gone", ending="dropout").join(last, on="client")["last"]
    assert slow.pooled[1].estimate - slow.pooled[0].estimate == pytest.approx((12 - since).sum() / lost.height)


def test_missing_at_random_is_recovered_where_completers_mislead():
    """The worse the score, the sooner one leaves: completers look too well, imputation does not."""
    rng = np.random.default_rng(12)
    n, weeks = 600, np.arange(6.0)
    score = rng.normal(20, 4, n)[:, None] - 0.8 * weeks + rng.normal(0, 3, (n, 6))
    truth = score[:, -1].mean()
    there = np.ones(n, dtype=bool)
    for k in range(1, 6):
        there &= rng.random(n) < 1 / (1 + np.exp(0.25 * (score[:, k - 1] - 22)))
        score[~there, k] = np.nan
    frame = pl.DataFrame(
        {
            "client": np.repeat(np.arange(n), 6),
            "week": np.tile(weeks, n),
            "score": pl.Series(score.ravel(), nan_to_null=True),
        }
    )
    options = {"shape": "linear", "random": ("intercept",)}
    mixture = models.pattern_mixture(frame, **COLUMNS, **options)
    drawn = models.delta_imputation(frame, **COLUMNS, **options, imputations=20, seed=5).pooled[0]
    assert mixture.completers < truth - 1.0
    assert mixture.estimate == pytest.approx(truth, abs=0.5)
    assert drawn.lower < truth < drawn.upper
    weights = models.attendance_weights(frame, **COLUMNS).table
    last = weights.join(frame, on=["client", "week"]).filter(pl.col("week") == 5)
    weighted = (last["weight"] * last["score"]).sum() / last["weight"].sum()
    assert abs(weighted - truth) < abs(mixture.completers - truth)


def test_adjusting_for_the_first_score_narrows_the_interval(trial):
    plain = models.delta_imputation(trial, **COLUMNS, **ARMS, imputations=10, seed=1).pooled[0]
    adjusted = models.delta_imputation(trial, **COLUMNS, **ARMS, imputations=10, seed=1, adjust=("pre",)).pooled[0]
    assert adjusted.standard_error < plain.standard_error


def test_weights_of_those_who_stay(trial, validation):
    made = models.attendance_weights(trial, **COLUMNS, truncate=(0, 1))
    expected = R["attendance"]
    source = f"{R['versions']['R'][:15]} glm, synthetic trial"
    assert made.occasions == expected["chances"]
    for term, estimate, error, ours in zip(
        made.coefficients["term"], expected["estimate"], expected["error"], made.coefficients.rows(), strict=True
    ):
        validation(f"attendance, {term}", source, estimate, ours[1])
        validation(f"attendance, {term}, SE", source, error, ours[2], within=1e-7)
    other = pl.DataFrame(
        {
            "client": expected["client"],
            "week": expected["week"],
            "theirs": np.array(expected["weight"], dtype=float),
        }
    )
    both = made.table.join(other.with_columns(pl.col("week").cast(pl.Float64)), on=["client", "week"])
    assert both.height == made.table.height == len(expected["weight"])
    assert np.abs(both["weight"].to_numpy() - both["theirs"].to_numpy()).max() < 1e-8
    assert made.table["weight"].mean() == pytest.approx(1, abs=0.05)
    cut = models.attendance_weights(trial, **COLUMNS)
    assert cut.truncated > 0
    assert cut.table["weight"].max() < made.table["weight"].max()
    bare = models.attendance_weights(trial, **COLUMNS, stabilised=False, truncate=(0, 1)).table
    assert (bare["weight"] * bare["probability"]).to_numpy() == pytest.approx(1)


def test_where_all_leave_at_one_occasion_its_number_explains_nothing(trial):
    late = trial.with_columns(
        pl.when((pl.col("week") == 12) | pl.col("score").is_not_null())
        .then("score")
        .otherwise(19.0)
        .alias("score")
    )
    made = models.attendance_weights(late, **COLUMNS, truncate=(0, 1))
    assert made.coefficients["term"].to_list() == ["(Intercept)", "last score", "last slope"]
    assert made.table.filter(pl.col("week") < 12)["weight"].unique().to_list() == [1.0]
    assert made.table.filter(pl.col("week") == 12)["weight"].n_unique() > 10


def test_not_computable_is_an_answer(trial):
    full = trial.filter(pl.col("week") <= 2).with_columns(pl.col("score").fill_null(20.0))
    nobody_left = models.attendance_weights(full, **COLUMNS)
    assert (nobody_left.reason, nobody_left.table["weight"].unique().to_list()) == ("nobody_left", [1.0])
    told = trial.with_columns(score=pl.when((pl.col("week") <= 2) | (pl.col("pre") < 24)).then(pl.col("pre")))
    perfect = models.attendance_weights(told, **COLUMNS)
    assert (perfect.reason, perfect.table["weight"].null_count()) == ("separated", perfect.table.height)
    complete = trial.with_columns(pl.col("score").fill_null(pl.lit(15.0)))
    mixture = models.pattern_mixture(complete, **COLUMNS, **ARMS)
    assert (mixture.reason, mixture.tipping_point, mixture.n_missing) == ("nothing_missing", None, 0)
    drawn = models.delta_imputation(complete, **COLUMNS, **ARMS)
    assert (drawn.reason, drawn.imputations) == ("nothing_missing", 0)
    assert drawn.pooled[0].estimate == pytest.approx(mixture.estimate)
    gone = trial.with_columns(score=pl.when((pl.col("week") < 12) | (pl.col("arm") == "usual")).then("score"))
    nobody = models.pattern_mixture(gone, **COLUMNS, **ARMS)
    assert (nobody.completers, nobody.groups[0].observed) == (None, None)
    assert nobody.estimate is not None  # what the model expects of them all


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"active": "best"}, "active must be one of"),
        ({"group": "pre", "active": 20.0}, "two groups"),
        ({"group": "week", "active": 2.0}, "constant within a client"),
        ({"at": 11.0}, "does not occur"),
        ({"score": "arm"}, "must contain numbers"),
        ({"client": "clients"}, "Did you mean"),
    ],
)
def test_bad_questions_are_refused(trial, options, message):
    with pytest.raises(ModelError, match=message):
        models.pattern_mixture(trial, **(COLUMNS | ARMS | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imputations": 1}, "at least 2"),
        ({"per": "week"}, "per must be"),
        ({"delta_by": "ending"}, "given together"),
        ({"delta_by": "ending", "delta_weights": {"left": 1.0}}, "does not contain"),
        ({"adjust": ("arm",)}, "too few to separate"),
    ],
)
def test_bad_imputations_are_refused(trial, options, message):
    with pytest.raises(ModelError, match=message):
        models.delta_imputation(trial, **(COLUMNS | ARMS | options))


def test_repeated_rows_are_refused(trial):
    with pytest.raises(ModelError, match="more than once"):
        models.pattern_mixture(pl.concat([trial, trial.head(1)]), **COLUMNS, **ARMS)
    with pytest.raises(ModelError, match="truncate"):
        models.attendance_weights(trial, **COLUMNS, truncate=(0.9, 0.1))
