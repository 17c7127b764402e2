"""Every public function refuses what it cannot read: no other exception, and no result as if nothing was wrong."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mbc import models
from mbc.errors import MbcError
from tests.refusals import quietly, rules, wrong_options

pytestmark = pytest.mark.long

rng = np.random.default_rng(7)
N, K = 24, 6
WHO, WEEK = np.repeat(np.arange(N), K), np.tile(np.arange(K), N)
TRAIT = rng.normal(0, 3, N)[WHO]
LONG = pl.DataFrame(
    {
        "who": WHO,
        "week": WEEK,
        "y": np.round(20 - WEEK + TRAIT + rng.normal(0, 2, N * K)),
        "x": np.round(10 + WEEK + rng.normal(0, 2, N * K)),
        "i1": rng.integers(0, 4, N * K),
        "i2": rng.integers(0, 4, N * K),
        "i3": rng.integers(0, 4, N * K),
        "arm": np.where(WHO % 2, "act", "ctl"),
        "therapist": WHO % 5,
        "half": np.where(WEEK < 3, "early", "late"),
        "couple": WHO // 2 + 100 * WEEK,
        "role": np.where(WHO % 2, "a", "b"),
    }
)
FORTY = pl.DataFrame(  # as many clients as variation is learned from
    {
        "who": np.repeat(np.arange(40), 24),
        "week": np.tile(np.arange(24.0), 40),
        "y": np.round(20 + rng.normal(0, 3, 40).repeat(24) + rng.normal(0, 2, 960)),
    }
)
TIDY = {"client": "who", "time": "week", "score": "y"}
GROWTH = {"outcome": "y", "time": "week", "client": "who"}
PRE, POST = LONG.filter(pl.col("week") == 0)["y"].to_list(), LONG.filter(pl.col("week") == 5)["y"].to_list()
SIGNED = {"higher_is_better": False}
ITEMS = LONG.select("i1", "i2", "i3")
FIT = models.growth_curve(LONG, **GROWTH, shape="linear", random="intercept", covariates=["arm"])
GRADED = [models.GradedItem(1.2, (-1.0, 0.0, 1.0))] * 3
MOMENTS = models.Moments(mean_pre=20.0, mean_post=15.0, sd_pre=5.0, sd_post=6.0, correlation=0.5, n=30)
CHANGE = models.reliable_change(PRE, POST, sd=4, reliability=0.8, **SIGNED)
SLOPES = {
    "fixed": (20.0, -1.0),
    "fixed_covariance": np.eye(2),
    "random_covariance": np.eye(2),
    "residual_variance": 4.0,
}
CALLS: dict[str, dict[str, Any]] = {
    "actor_partner": {"data": LONG, "dyad": "couple", "x": "x", "y": "y", "role": "role", "bootstrap": 10},
    "alpha": {"items": ITEMS},
    "anchor_change": {"pre": PRE, "post": POST, "improvement": 4.0, **SIGNED},
    "attendance_weights": {"data": LONG, **TIDY},
    "benchmark_effect": {"n": 30, "benchmark": 0.5},
    "change_reliability": {"data": LONG, "client": "who", "time": "week", "items": ["i1", "i2", "i3"]},
    "clinical_significance": {"pre": PRE, "post": POST, "change": CHANGE, "cutoff": 15.0, **SIGNED},
    "common_fate": {"data": LONG, "dyad": "couple", "x": "x", "y": "y", "role": "role", "bootstrap": 10},
    "compare_methods": {"pre": PRE, "post": POST, "sd": 4.0, "reliability": 0.8, **SIGNED},
    "conditional_change": {"pre": PRE, "post": POST, "pre_error": [2.0] * N, "post_error": [2.0] * N},
    "controlled_effect_size": {
        "treated_pre": PRE, "treated_post": POST, "control_pre": POST, "control_post": PRE,
    },
    "controlled_from_moments": {"treated": MOMENTS, "control": MOMENTS},
    "cutoff": {"criterion": "c", "clinical": (20.0, 5.0), "functional": (10.0, 5.0), **SIGNED},
    "delta_imputation": {"data": LONG, **TIDY, "shape": "linear", "random": "intercept", "imputations": 3},
    "describe_courses": {"frame": LONG, **TIDY, "threshold": 5.0, **SIGNED},
    "dropout_sensitivity": {"fit": FIT, "frame": LONG, "at": 5.0},
    "effect_size": {"pre": PRE, "post": POST},
    "effect_size_from_moments": {"moments": MOMENTS},
    "expected_course": {"frame": LONG, **GROWTH, **SIGNED},
    "familywise_error": {"sessions": 5},
    "first_reliable_change": {"data": LONG, **TIDY, "sd": 4.0, "reliability": 0.8, **SIGNED},
    "goal_attainment": {"levels": [0.0, 1.0, -1.0]},
    "goal_change": {"baseline": [2.0, 3.0], "current": [6.0, 4.0]},
    "goal_probability": {"target": 10.0, "mean": 12.0, "sd": 3.0, **SIGNED},
    "goal_probability_by": {"target": 10.0, "means": [12.0, 11.0], "covariance": np.eye(2), **SIGNED},
    "goal_probability_on_curve": {"curve": FIT.predict_mean([5.0]), "target": 10.0, **SIGNED},
    "group_change": {"pre": PRE, "post": POST, "meaningful": 3.0, **SIGNED},
    "group_difference": {"reference": PRE, "comparison": POST, "meaningful": 3.0, **SIGNED},
    "group_outcomes": {
        "pre": PRE, "post": POST, "groups": ["a", "b"] * 12, "functional": (10.0, 4.0), "reliability": 0.8,
        **SIGNED,
    },
    "compare": {"a": FIT, "b": models.growth_curve(LONG, **GROWTH, shape="linear", covariates=["arm"])},
    "growth_curve": {"frame": LONG, **GROWTH, "shape": "linear", "random": "intercept"},
    "hageman_arrindell_rates": {"pre": PRE, "post": POST, "reliability": 0.8, "cutoff_at": 15.0, **SIGNED},
    "interval_time_to_change": {"lower": [0, 2, 3], "upper": [2, 4, None]},
    "irt_change": {"pre_answers": [[0, 1, 2]], "post_answers": [[1, 2, 2]], "items": GRADED},
    "item_rest_correlations": {"items": ITEMS},
    "lagged_effects": {"data": LONG, "client": "who", "time": "week", "x": "x", "y": "y", "samples": 10},
    "latent_scores": {"answers": [[0, 1, 2]], "items": GRADED},
    "many_to_one_critical": {"sessions": 5},
    "mean_baseline_change": {"baselines": [[20.0, 21.0]], "follow_ups": [[15.0, 14.0]], "sem": 2.0},
    "mixedlm": {"formula": "y ~ week", "data": LONG, "groups": "who"},
    "nickell_bias": {"autoregression": 0.3, "rows": 8},
    "nonoverlap": {"baseline": [20.0, 21.0, 19.0], "treatment": [15.0, 14.0, 12.0], **SIGNED},
    "omega": {"items": ITEMS},
    "outcome_rates": {"result": CHANGE},
    "paired_growth": {
        "frame": LONG, "outcomes": ("y", "x"), "time": "week", "client": "who", "shape": "linear",
        "random": "intercept",
    },
    "pattern_mixture": {"data": LONG, **TIDY, "shape": "linear", "random": "intercept"},
    "percentage_change": {"pre": PRE, "post": POST, **SIGNED},
    "pool_effects": {"estimates": [0.3, 0.5, 0.1], "variances": [0.02, 0.03, 0.01]},
    "pool_proportions": {"counts": [40, 25, 60], "totals": [80, 60, 110]},
    "pool_rubin": {"estimates": [1.0, 2.0, 3.0], "variances": [1.0, 1.0, 1.0]},
    "pre_post_pairs": {"data": LONG, **TIDY, "pre": 0, "post": 5},
    "process_chart": {"scores": [20.0, 21.0, 19.0, 22.0, 20.0, 12.0]},
    "prospective_validation": {"frame": LONG, **GROWTH, **SIGNED},
    "reliable_change": {"pre": PRE, "post": POST, "sd": 4.0, "reliability": 0.8, **SIGNED},
    "reliable_trend": {"scores": [20.0, 18.0, 15.0, 12.0], "times": [0.0, 1.0, 2.0, 3.0], "sem": 2.0},
    "residual_growth": {"frame": LONG, **GROWTH, "residual": "half", "shape": "linear", "random": "intercept"},
    "robust_growth": {"frame": LONG, **GROWTH, "shape": "linear", "random": "intercept"},
    "score_variation": {"data": FORTY, **TIDY, "sd": 4.0, "reliability": 0.8},
    "serial_growth": {"frame": LONG, **GROWTH, "shape": "linear"},
    "slopes_from_sums": {"sums": np.ones((6, 5)), **SLOPES},
    "sudden_gains": {"frame": LONG, **TIDY, "cutoff": 4.0, **SIGNED},
    "sudden_losses": {"frame": LONG, **TIDY, "cutoff": 4.0, **SIGNED},
    "therapist_growth": {
        "frame": LONG, **GROWTH, "therapist": "therapist", "shape": "linear", "random": "intercept",
    },
    "time_to_change": {"times": [2, 3, 3, 5, 6], "changed": [1, 1, 0, 1, 0]},
    "true_change": {"pre": PRE, "post": POST, "sd": 4.0, "reliability": 0.8, **SIGNED},
    "true_change_course": {
        "scores": [20.0, 18.0, 15.0, 12.0], "times": [0.0, 1.0, 2.0, 3.0], "sd": 4.0, "reliability": 0.8, **SIGNED,
    },
    "wilson_interval": {"k": 3, "n": 10},
    "within_person_sem": {"baselines": [[20.0, 21.0], [15.0, 17.0]]},
}  # fmt: skip
METHODS: dict[str, tuple[Any, dict[str, Any]]] = {
    "GrowthCurve.predict_mean": (FIT.predict_mean, {"times": [1.0]}),
    "GrowthCurve.predict_client": (FIT.predict_client, {"client": 3, "times": [1.0]}),
    "GrowthCurve.predict_scores": (
        FIT.predict_scores, {"observed_times": [0.0, 1.0], "scores": [20.0, 19.0], "times": [5.0]},
    ),
    "GrowthCurve.tests": (FIT.tests, {}),
    "GrowthCurve.variance_intervals": (FIT.variance_intervals, {}),
    "ReliableChange.to_frame": (CHANGE.to_frame, {}),
    "SuddenGains.by_client": (models.sudden_gains(**CALLS["sudden_gains"]).by_client, {}),
    "Courses.to_frame": (models.describe_courses(**CALLS["describe_courses"]).to_frame, {}),
    "TimeToChange.to_frame": (models.time_to_change(**CALLS["time_to_change"]).to_frame, {}),
}  # fmt: skip
FUNCTIONS = {name: (getattr(models, name), given) for name, given in CALLS.items()}
EVERYTHING = FUNCTIONS | METHODS
TABLES = {"frame", "data"}
COLUMNS = {"pre", "post", "scores", "times", "changed", "treated_pre", "control_post", "reference", "comparison"}


def wrong_tables() -> dict[str, object]:
    """Tables that no function can read, and objects that are none."""
    seventh = pl.int_range(pl.len()) == 7
    return {
        "number for a table": 5,
        "text for a table": "scores.csv",
        "no table": None,
        "a column twice": pd.concat([LONG.to_pandas(), LONG.to_pandas()], axis=1),
        "nothing in it": pl.DataFrame({"a": [1]}),
        "text for scores": LONG.with_columns(pl.col("y").cast(pl.String) + " points"),
        "infinite score": LONG.with_columns(y=pl.when(seventh).then(math.inf).otherwise(pl.col("y"))),
    }


def wrong_columns(parameter: str, column: list[Any]) -> dict[str, object]:
    """Columns with a value that is not a score, and of another length than the column beside them."""
    values: dict[str, object] = {"infinite": [math.inf, *column[1:]], "words": ["a", *column[1:]], "text": "a"}
    return values | ({"another length": column[:-1]} if parameter in {"pre", "post", "times"} else {})


def wrong_values() -> list[Any]:
    """One case per public callable, parameter and kind of wrong value that its type hint rules out."""
    cases: list[Any] = []
    for name, (function, given) in EVERYTHING.items():
        for parameter, accepted in rules(function).items():
            values = wrong_options(parameter, accepted)
            if parameter in TABLES and parameter in given:
                values |= wrong_tables()
            if parameter in COLUMNS and isinstance(given.get(parameter), list):
                values |= wrong_columns(parameter, given[parameter])
            cases += [
                pytest.param(function, given, parameter, value, id=f"{name}-{parameter}-{kind}")
                for kind, value in values.items()
            ]
    return cases


def uses_no_y(given: dict[str, Any]) -> bool:
    return "y" not in [value for value in given.values() if isinstance(value, str)]


def test_every_public_function_is_called_here():
    functions = {name for name in models.__all__ if inspect.isfunction(getattr(models, name))}
    assert functions - set(CALLS) == set()


@pytest.mark.parametrize("name", EVERYTHING)
def test_the_calls_themselves_are_accepted(name):
    function, given = EVERYTHING[name]
    if name in {"expected_course", "prospective_validation"}:
        with pytest.raises(MbcError, match=r"needs 40 clients|enough clients|clients"):
            function(**given)
        return
    assert quietly(function, given) is not None


@pytest.mark.parametrize(("function", "given", "parameter", "value"), wrong_values())
def test_a_wrong_value_is_refused_by_name(function, given, parameter, value):
    if isinstance(value, pl.DataFrame) and value.columns == LONG.columns and uses_no_y(given):
        pytest.skip("does not read that column")
    with pytest.raises(MbcError) as refusal:
        quietly(function, {**given, parameter: value})
    accepted = rules(function).get(parameter)
    if isinstance(value, str) and value.endswith("x") and accepted is not None and accepted.words:
        assert f"{parameter} must be " in str(refusal.value)
        assert repr(accepted.words[0]) in str(refusal.value)
    if isinstance(value, float) and value == 95.0:
        assert "percentage" in str(refusal.value)


def unreadable() -> dict[str, tuple[str, Any]]:
    """Tables with a column that nothing can be made of, and which column that is."""
    frame, seventh = LONG.to_pandas(), pl.int_range(pl.len()) == 7
    return {
        "complex scores": ("y", frame.assign(y=frame["y"].astype(complex))),
        "lists for scores": ("y", LONG.with_columns(y=pl.concat_list(["y", "x"]))),
        "dates for scores": ("y", LONG.with_columns(y=pl.date(2025, 1, 1))),
        "yes or no for scores": ("y", LONG.with_columns(y=pl.col("y") > 15)),
        "infinite time": ("week", LONG.with_columns(week=pl.when(seventh).then(math.inf).otherwise("week"))),
        "lists for clients": ("who", LONG.with_columns(who=pl.concat_list(["who", "week"]))),
        "a score of nobody": ("who", LONG.with_columns(who=pl.when(seventh).then(None).otherwise("who"))),
        "columns named by pairs": ("y", frame.set_axis(pd.MultiIndex.from_product([["a"], frame]), axis=1)),
    }


COUNTED = {"sudden_gains", "sudden_losses"}  # say how many rows were left out
FORMULA = {
    "yes or no for scores": "endog",
    "a score of nobody": "groups",
}  # what stands for the column in a formula


@pytest.mark.parametrize("kind", unreadable())
@pytest.mark.parametrize("name", [name for name, given in CALLS.items() if TABLES & set(given)])
def test_a_column_that_nothing_can_be_made_of_is_refused_by_its_name(name, kind):
    function, given = FUNCTIONS[name]
    column, table = unreadable()[kind]
    named = [
        word for key, value in given.items() if isinstance(value, str | tuple | list) for word in map(str, [value])
    ]
    if not any(column in word.replace("'", " ").split() or f"'{column}'" in word for word in named):
        pytest.skip("does not read that column")
    if (kind == "a score of nobody" and name in COUNTED) or name in {"expected_course", "prospective_validation"}:
        pytest.skip("counts the rows that it leaves out")
    said = FORMULA.get(kind, column) if name == "mixedlm" else column
    with pytest.raises(MbcError, match="column" if kind == "columns named by pairs" else rf"\b{said}\b"):
        quietly(function, {**given, **dict.fromkeys(TABLES & set(given), table)})


def test_scores_that_are_all_alike_are_refused_where_variation_is_modelled():
    alike = LONG.with_columns(y=pl.lit(7.0))
    for name in (
        "growth_curve", "serial_growth", "residual_growth", "robust_growth", "therapist_growth", "paired_growth",
        "pattern_mixture", "delta_imputation",
    ):  # fmt: skip
        function, given = FUNCTIONS[name]
        with pytest.raises(MbcError, match=r"[Ee]very .*7"):
            quietly(function, {**given, **dict.fromkeys(TABLES & set(given), alike)})


def test_text_is_no_order_of_occasions():
    text = LONG.with_columns(week=(pl.col("week") + 5).cast(pl.String))  # "10" would sort before "5"
    with pytest.raises(MbcError, match=r"'week' must contain numbers or dates.*text"):
        models.first_reliable_change(text, **TIDY, sd=4.0, reliability=0.8, **SIGNED)
    declared = text.with_columns(pl.col("week").cast(pl.Enum(["5", "6", "7", "8", "9", "10"])))
    given = models.first_reliable_change(declared, **TIDY, sd=4.0, reliability=0.8, **SIGNED).to_frame()
    numbers = models.first_reliable_change(LONG, **TIDY, sd=4.0, reliability=0.8, **SIGNED).to_frame()
    assert given["change"].to_list() == numbers["change"].to_list() if "change" in given else given.height


def test_a_misspelt_way_of_ending_is_no_dropout():
    ended = LONG.with_columns(end=pl.when(pl.col("who") < 12).then(pl.lit("completed")).otherwise(pl.lit("left")))
    options = {"fit": FIT, "frame": ended, "at": 5.0, "ended": "end"}
    assert models.dropout_sensitivity(**options, planned=["completed", "referred"]) is not None
    with pytest.raises(MbcError, match="it has 'completed', which would count as a dropout"):
        models.dropout_sensitivity(**options, planned=["complete", "left"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.Norms(mean=math.inf, sd=4, reliability=0.8), "mean must be finite, got inf"),
        (lambda: models.Norms(sd=math.inf, reliability=0.8), "sd must be finite and at least 0"),
        (lambda: models.Moments(30, 20.0, 15.0, 5.0, 6.0, 50.0), r"correlation must be in \[-1, 1\].*percentage"),
        (lambda: models.Moments(1.5, 20.0, 15.0, 5.0, 6.0, 0.5), "n must be a whole number"),
        (lambda: models.Moments(30, 20.0, 15.0, -5.0, 6.0, 0.5), "sd_pre must be finite and at least 0"),
        (
            lambda: models.clinical_significance(PRE, POST, change=CHANGE, cutoff=math.inf, **SIGNED),
            "cutoff must be",
        ),
        (
            lambda: models.clinical_significance(POST, PRE, change=CHANGE, cutoff=15, **SIGNED),
            "from scores other than",
        ),
        (
            lambda: models.reliable_change([True], [False], sd=4, reliability=0.8, **SIGNED),
            "pre contains booleans",
        ),
        (lambda: models.reliable_change({20.0}, {10.0}, sd=4, reliability=0.8, **SIGNED), "no order"),
        (
            lambda: models.reliable_change(
                np.array(["2025-01-01"], dtype="datetime64[D]"), [3.0], sd=4, reliability=0.8, **SIGNED
            ),
            "is not a score",
        ),
        (lambda: models.growth_curve(LONG, outcome="week", time="week", client="who"), "are both column 'week'"),
        (lambda: models.growth_curve(LONG, outcome="y", time="week", client="week"), "are both column 'week'"),
        (lambda: models.growth_curve(LONG, **GROWTH, covariates=["who"]), "the column of the clients"),
        (lambda: FIT.bootstrap(replicates=0), "replicates must be at least 2"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(call, message):
    with pytest.raises(MbcError, match=message):
        call()


def says_so(result: Any) -> bool:
    """Whether a result of too few rows says that it is none: a reason, no number, or no rows."""
    if result is None or getattr(result, "reason", None) is not None:
        return True
    if isinstance(result, tuple):
        return all(row.correlation is None for row in result)
    if getattr(result, "n_complete", None) == 0 or getattr(result, "n_missing", 0) == getattr(result, "n", -1):
        return True
    table = getattr(result, "table", None)
    size = getattr(result, "n", None)
    return size in {0, 1} or (table is not None and table.height <= 1)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize(
    "name",
    [name for name, given in CALLS.items() if TABLES & set(given) or isinstance(given.get("items"), pl.DataFrame)],
)
def test_too_few_rows_are_refused_or_said(name, rows):
    function, given = EVERYTHING[name]
    changed = {key: value[:rows] if isinstance(value, pl.DataFrame) else value for key, value in given.items()}
    try:
        result = quietly(function, changed)
    except MbcError:
        return
    assert says_so(result)


@pytest.mark.parametrize("name", [name for name, given in CALLS.items() if {"pre", "post"} <= set(given)])
def test_pandas_columns_of_different_indexes_are_not_paired_by_position(name):
    function, given = EVERYTHING[name]
    pre = pd.Series(given["pre"], index=range(N))
    post = pd.Series(given["post"], index=list(reversed(range(N))))
    if name == "pre_post_pairs":
        pytest.skip("takes a table")
    with pytest.raises(MbcError, match="different indexes"):
        function(**{**given, "pre": pre, "post": post})
