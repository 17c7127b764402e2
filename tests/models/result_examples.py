"""One small result of every class, made from pandas where its function takes a table or columns."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mbc import models
from mbc.models import emerging

SESSIONS = 6
CLIENTS = 64


@functools.cache
def scores() -> pd.DataFrame:
    """Scores of 64 clients of 8 therapists in 2 arms; some leave early."""
    rng = np.random.default_rng(20)
    level, slope = rng.normal(20, 3, CLIENTS), rng.normal(-0.8, 0.4, CLIENTS)
    rows: list[dict[str, Any]] = []
    for i in range(CLIENTS):
        stay = SESSIONS if i % 4 else 4
        for week in range(stay):
            first = level[i] + slope[i] * week + rng.normal(0, 1.5)
            rows.append(
                {
                    "client": f"C-{i:02d}",
                    "therapist": f"T{i // 8}",
                    "arm": "active" if i % 2 else "control",
                    "week": float(week),
                    "score": round(first, 2),
                    "other": round(0.5 * first + rng.normal(0, 2), 2),
                    "left": "dropped out" if stay < SESSIONS else "",
                }
            )
    return pd.DataFrame(rows)


@functools.cache
def pairs() -> models.Pairs:
    """First and last session."""
    return models.pre_post_pairs(scores(), client="client", time="week", score="score", pre=0.0, post=5.0)


@functools.cache
def columns() -> pd.DataFrame:
    """Two columns of scores with one missing."""
    pre, post = pairs().pre, pairs().post
    return pd.DataFrame({"pre": pre, "post": post}, index=[f"C-{i:02d}" for i in range(len(pre))])


def change() -> Any:
    """Reliable change of everybody."""
    return models.reliable_change(
        columns()["pre"], columns()["post"], sd=4, reliability=0.85, higher_is_better=False
    )


@functools.cache
def growth() -> Any:
    """A growth curve."""
    return models.growth_curve(
        scores(), outcome="score", time="week", client="client", shape="linear", covariates=["arm:time"]
    )


@functools.cache
def growth_by_intercept() -> Any:
    """A growth curve whose variances are quickly profiled."""
    return models.growth_curve(
        scores(), outcome="score", time="week", client="client", shape="linear", random=["intercept"]
    )


@functools.cache
def items() -> pd.DataFrame:
    """Answers to four items."""
    rng = np.random.default_rng(3)
    trait = rng.normal(size=60)
    return pd.DataFrame({f"q{i}": np.round(2 + trait + rng.normal(size=60)).clip(0, 4) for i in range(1, 5)})


@functools.cache
def couples() -> pd.DataFrame:
    """Two partners per couple."""
    rng = np.random.default_rng(4)
    rows = []
    for i in range(40):
        shared = rng.normal()
        for role in ("wife", "husband"):
            x = shared + rng.normal()
            rows.append({"couple": i, "role": role, "x": x, "y": 0.5 * x + shared + rng.normal()})
    return pd.DataFrame(rows)


@functools.cache
def series() -> pd.DataFrame:
    """Two measures over fifteen sessions of sixty clients."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(60):
        x = y = 0.0
        for t in range(15):
            x, y = 0.3 * x + rng.normal(), 0.3 * y + 0.4 * x + rng.normal()
            rows.append({"client": f"C-{i:02d}", "session": t + 1, "x": x, "y": y})
    return pd.DataFrame(rows)


@functools.cache
def expected() -> Any:
    """An expected course learned from 120 clients."""
    rng = np.random.default_rng(6)
    rows = []
    for i in range(120):
        start, drop = rng.normal(20, 4), rng.normal(6, 4)
        for t in range(rng.integers(4, 9)):
            score = start - drop * (1 - np.exp(-t / 3)) + rng.normal(0, 2)
            rows.append({"client": f"C-{i:03d}", "week": float(t), "score": float(np.clip(round(score), 0, 40))})
    return pd.DataFrame(rows)


LONG = {"client": "client", "time": "week", "score": "score"}
GROWTH = {"outcome": "score", "time": "week", "client": "client", "shape": "linear"}
COURSE = {
    "outcome": "score",
    "time": "week",
    "client": "client",
    "higher_is_better": False,
    "score_range": (0, 40),
}


@functools.cache
def course_model() -> Any:
    """Fitted once."""
    return models.expected_course(expected(), **COURSE, folds=3)


# Class -> how to make one; the second value says whether pandas came in.
EXAMPLES: dict[str, tuple[Callable[[], Any], bool]] = {
    "ReliableChange": (change, True),
    "ClinicalSignificance": (
        lambda: models.clinical_significance(
            columns()["pre"], columns()["post"], change=change(), cutoff=17.0, higher_is_better=False
        ),
        True,
    ),
    "Cutoff": (lambda: models.cutoff("c", clinical=(20, 4), functional=(10, 4), higher_is_better=False), False),
    "MeaningfulChange": (
        lambda: models.anchor_change(columns()["pre"], columns()["post"], improvement=3, higher_is_better=False),
        True,
    ),
    "TrueChange": (
        lambda: models.true_change(
            columns()["pre"], columns()["post"], sd=4, reliability=0.85, meaningful=3, higher_is_better=False
        ),
        True,
    ),
    "TrueChangeCourse": (
        lambda: models.true_change_course(data=scores(), **LONG, sd=4, reliability=0.85, higher_is_better=False),
        True,
    ),
    "ScoreVariation": (lambda: models.score_variation(scores(), **LONG, sd=4, reliability=0.85), True),
    "ReliableTrend": (
        lambda: models.reliable_trend(data=scores(), **LONG, sem=1.5, higher_is_better=False),
        True,
    ),
    "FirstReliableChange": (
        lambda: models.first_reliable_change(scores(), **LONG, sd=4, reliability=0.85, higher_is_better=False),
        True,
    ),
    "ClientSlopes": (lambda: growth().client_slopes(), True),
    "LatentScores": (
        lambda: models.latent_scores([[1, 2], [0, 1]], [models.GradedItem(1.5, (-1.0, 0.0, 1.0))] * 2),
        False,
    ),
    "Pairs": (pairs, True),
    "Proportion": (lambda: models.wilson_interval(3, 10), False),
    "OutcomeRates": (lambda: models.outcome_rates(change()), True),
    "GroupChange": (
        lambda: models.group_change(columns()["pre"], columns()["post"], meaningful=2, higher_is_better=False),
        True,
    ),
    "HagemanArrindellRates": (
        lambda: next(
            iter(
                models.hageman_arrindell_rates(
                    columns()["pre"], columns()["post"], reliability=0.9, cutoff_at=15, higher_is_better=False
                ).values()
            )
        ),
        True,
    ),
    "GroupOutcomes": (
        lambda: models.group_outcomes(
            columns()["pre"],
            columns()["post"],
            groups=["a", "b"] * (CLIENTS // 2),
            functional=(10, 4),
            reliability=0.85,
            higher_is_better=False,
        ),
        True,
    ),
    "MethodComparison": (
        lambda: models.compare_methods(
            columns()["pre"],
            columns()["post"],
            methods=["jacobson-truax", "edwards-nunnally"],
            sd=4,
            reliability=0.85,
            higher_is_better=False,
        ),
        True,
    ),
    "EffectSize": (lambda: models.effect_size(columns()["pre"], columns()["post"], higher_is_better=False), True),
    "ControlledEffect": (
        lambda: models.controlled_effect_size(
            columns()["pre"][:18], columns()["post"][:18], columns()["pre"][18:], columns()["post"][18:]
        ),
        True,
    ),
    "Alpha": (lambda: models.alpha(items()), True),
    "Omega": (lambda: models.omega(items()), True),
    "ItemRest": (lambda: models.item_rest_correlations(items())[1], True),
    "ChangeReliability": (
        lambda: models.change_reliability(scores(), client="client", time="week", items=["score", "other"]),
        True,
    ),
    "LaggedEffects": (
        lambda: models.lagged_effects(series(), client="client", time="session", x="x", y="y", samples=50),
        True,
    ),
    "LaggedEffect": (
        lambda: models.lagged_effects(series(), client="client", time="session", x="x", y="y", samples=50).forward,
        True,
    ),
    "ActorPartner": (
        lambda: models.actor_partner(couples(), dyad="couple", x="x", y="y", role="role", bootstrap=50),
        True,
    ),
    "DyadEffect": (
        lambda: models.actor_partner(couples(), dyad="couple", x="x", y="y", role="role", bootstrap=50).effect(
            "actor", "wife"
        ),
        True,
    ),
    "CommonFate": (lambda: models.common_fate(couples(), dyad="couple", x="x", y="y", bootstrap=50), True),
    "SuddenGains": (
        lambda: models.sudden_gains(scores(), **LONG, higher_is_better=False, sd=4, reliability=0.85),
        True,
    ),
    "Courses": (
        lambda: models.describe_courses(scores(), **LONG, higher_is_better=False, sd=4, reliability=0.85),
        True,
    ),
    "Course": (
        lambda: models.describe_courses(scores(), **LONG, higher_is_better=False, sd=4, reliability=0.85)["C-01"],
        True,
    ),
    "TimeToChange": (
        lambda: models.time_to_change(pd.Series([1.0, 2, 3, 4, 5]), changed=[1, 0, 1, 1, 0]),
        True,
    ),
    "IntervalChange": (
        lambda: models.interval_time_to_change(pd.Series([0.0, 1, 2]), pd.Series([1.0, 3, 4])),
        True,
    ),
    "GoalAttainment": (lambda: models.goal_attainment([[1, 0], [0, -1]]), False),
    "GoalChange": (lambda: models.goal_change([[3, 4], [2, 5]], [[6, 7], [3, 5]]), False),
    "GoalProbability": (
        lambda: models.goal_probability(12, mean=14, sd=2, higher_is_better=False, scores=5),
        False,
    ),
    "ProcessChart": (lambda: models.process_chart(pd.Series([20.0, 19, 21, 18, 20, 17, 15, 14])), True),
    "Nonoverlap": (
        lambda: models.nonoverlap(
            pd.Series([20.0, 19, 21]), pd.Series([15.0, 14, 16, 12]), higher_is_better=False
        ),
        True,
    ),
    "AttendanceWeights": (lambda: models.attendance_weights(scores(), **LONG, sessions="numbers"), True),
    "DeltaImputation": (
        lambda: models.delta_imputation(
            scores(), **LONG, at=5.0, imputations=5, shape="linear", random=("intercept",)
        ),
        True,
    ),
    "Pooled": (lambda: models.pool_rubin([1.0, 1.2, 0.9], [0.1, 0.12, 0.09]), False),
    "PooledEffects": (lambda: models.pool_effects([0.3, 0.5, 0.1], [0.02, 0.03, 0.01]), False),
    "PooledProportion": (lambda: models.pool_proportions([40, 25, 60], [80, 60, 110], rounded_to=5), False),
    "DropoutSensitivity": (
        lambda: models.dropout_sensitivity(
            growth(), scores(), at=5.0, ended="left", planned=(), higher_is_better=False
        ),
        True,
    ),
    "AtDelta": (
        lambda: models.dropout_sensitivity(
            growth(), scores(), at=5.0, ended="left", planned=(), higher_is_better=False
        ).at_delta(1.0),
        True,
    ),
    "PatternMixture": (
        lambda: models.pattern_mixture(scores(), **LONG, at=5.0, shape="linear"),
        True,
    ),
    "JointGrowth": (
        lambda: emerging.joint_growth(
            scores(), **GROWTH, ended="left", planned=(), random=("intercept",), until=5.0
        ),
        True,
    ),
    "ExpectedCourse": (course_model, True),
    "Forecast": (lambda: course_model().forecast([0, 1, 2], [20, 18, 17], goal=12), True),
    "CoursePath": (lambda: course_model().expected(20, [0, 1, 2]), True),
    "Signal": (lambda: course_model().signal([0, 1, 2], [20, 18, 17]), True),
    "ProspectiveValidation": (
        lambda: models.prospective_validation(expected(), **COURSE, folds=2),
        True,
    ),
    "GrowthCurve": (growth, True),
    "FastMixedLMResults": (lambda: models.mixedlm("score ~ week", scores(), groups="client"), True),
    "PairedGrowth": (
        lambda: models.paired_growth(
            scores(),
            outcomes=("score", "other"),
            time="week",
            client="client",
            shape="linear",
            random=("intercept",),
        ),
        True,
    ),
    "Correlation": (
        lambda: models.paired_growth(
            scores(),
            outcomes=("score", "other"),
            time="week",
            client="client",
            shape="linear",
            random=("intercept",),
        ).correlation("score: (Intercept)", "other: (Intercept)"),
        True,
    ),
    "SerialGrowth": (lambda: models.serial_growth(scores(), **GROWTH), True),
    "RobustGrowth": (lambda: models.robust_growth(scores(), **GROWTH, random=("intercept",)), True),
    "GroupedResiduals": (lambda: models.residual_growth(scores(), **GROWTH, residual="arm"), True),
    "TherapistGrowth": (lambda: models.therapist_growth(scores(), **GROWTH, therapist="therapist"), True),
    "ModelComparison": (
        lambda: models.compare(
            models.growth_curve(scores(), **GROWTH, covariates=["arm:time"], random="intercept"), growth()
        ),
        True,
    ),
    "ClientCurve": (lambda: growth().predict_client("C-01", [0, 3]), True),
    "CoefficientTest": (lambda: growth().tests()[0], True),
    "JointTest": (lambda: growth().joint_test("week = 0, week:arm = 0"), True),
    "Interval": (lambda: growth_by_intercept().variance_intervals()[0], True),
    "Bootstrap": (lambda: growth().bootstrap(replicates=3, seed=1), True),
}
