"""The verdict from all sessions: against dense algebra, against drawing, against simulated truth, and refusals."""

from __future__ import annotations

import datetime as dt
import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from mbc.errors import ModelError
from mbc.models import ScoreVariation, score_variation, true_change_course
from mbc.models.change.occasions.level_filter import (
    ExpectedChange,
    Limits,
    Prior,
    Sequences,
    Settings,
    filter_sessions,
)
from mbc.models.change.occasions.mixtures import quantile

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
NORMS = {"sd": 6.98, "reliability": 0.914, "higher_is_better": True}
RISING = [14, 13, 15, 17, 18, 21, 20, 22, 23]


@pytest.fixture(scope="module")
def simulation():
    """The simulation that docs/validation.md is made with."""
    spec = importlib.util.spec_from_file_location("study", ROOT / "benchmarks/true_change_course.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["study"] = module
    spec.loader.exec_module(module)
    return module


# --- the filter, against two other derivations -------------------------------------------------------------------

TIME = np.array([0.0, 1.0, 2.5, 7.0, 7.5, 12.0])
SCORE = np.array([12.0, 15.0, 11.0, 17.0, 20.0, 19.0])
Q, V, TAU, ERROR, START = 0.4, 1.5, 2.0, 3.0, (14.0, 5.0)


def _joint(baselines: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and covariance of (start, level at the last time, scores), from the model's definition."""
    open_time = np.maximum(TIME - TIME[baselines - 1], 0.0)
    level = START[1] ** 2 + Q * np.minimum.outer(open_time, open_time)
    fluctuation = V * np.exp(-np.abs(np.subtract.outer(TIME, TIME)) / TAU)
    scores = level + fluctuation + ERROR * np.eye(TIME.size)
    with_start = np.full(TIME.size, START[1] ** 2)
    with_level = level[-1]
    top = np.array([[START[1] ** 2, START[1] ** 2], [START[1] ** 2, level[-1, -1]]])
    link = np.stack([with_start, with_level])
    covariance = np.block([[top, link], [link.T, scores]])
    return np.full(2 + TIME.size, START[0]), covariance, link


def _run(
    score: np.ndarray, baselines: int = 1, limits: Limits | None = None, change: ExpectedChange | None = None
):
    gap = np.diff(TIME, prepend=TIME[0])[None, :]
    open_gap = np.where(np.arange(TIME.size) >= baselines, gap, 0.0)
    sequences = Sequences(score[None, :], gap, open_gap, np.array([TIME.size]))
    chosen = Settings(*(np.array([value]) for value in (Q, V, TAU, 1.0, ERROR)))
    return list(filter_sessions(sequences, chosen, limits, Prior(*START, change)))[-1][2]


@pytest.mark.parametrize("baselines", [1, 3])
def test_the_filter_is_the_conditional_normal_distribution(baselines):
    mean, covariance, link = _joint(baselines)
    gain = link @ np.linalg.inv(covariance[2:, 2:])
    expected = mean[:2] + gain @ (SCORE - mean[2:])
    left = covariance[:2, :2] - gain @ link.T
    state = _run(SCORE, baselines)
    assert [state.start[0, 0], state.level[0, 0]] == pytest.approx(expected, rel=1e-10)
    assert state.change[0, 0] == pytest.approx(expected[1] - expected[0], rel=1e-10)
    assert state.sd_change[0, 0] == pytest.approx(math.sqrt(left[0, 0] + left[1, 1] - 2 * left[0, 1]), rel=1e-10)
    likelihood = multivariate_normal(mean[2:], covariance[2:, 2:]).logpdf(SCORE)
    assert state.log_likelihood[0, 0] == pytest.approx(likelihood, rel=1e-10)


def test_an_expected_change_moves_the_mean_and_no_variance():
    change = ExpectedChange(6.0, 4.0)
    moved = SCORE + change.since_start(TIME)
    plain, shifted = _run(SCORE), _run(moved, change=change)
    added = float(change.since_start(TIME[-1:])[0])
    assert shifted.change[0, 0] == pytest.approx(plain.change[0, 0] + added, rel=1e-10)
    assert shifted.sd_change[0, 0] == pytest.approx(plain.sd_change[0, 0], rel=1e-12)


@pytest.mark.parametrize("score", [[2, 0, 0, 3, 0, 5], [0, 0, 0, 0, 0, 0], [0, 1, 4, 6, 0, 8]])
def test_scores_at_the_floor_agree_with_drawing_from_the_censored_model(score):
    # importance sampling: draw the scores given those before, each beyond the edge where it is at the floor
    score = np.array(score, dtype=float)
    mean, covariance, _ = _joint(1)
    mean = mean - START[0] + 3.0
    draws, rng = 200_000, np.random.default_rng(3)
    drawn, log_weight = np.zeros((draws, TIME.size)), np.zeros(draws)
    for j in range(TIME.size):
        s = covariance[2:, 2:]
        if j:
            row = np.linalg.solve(s[:j, :j], s[:j, j])
            m, sd = mean[2] + (drawn[:, :j] - mean[2]) @ row, math.sqrt(s[j, j] - row @ s[:j, j])
        else:
            m, sd = np.full(draws, mean[2]), math.sqrt(s[0, 0])
        if score[j] <= 0:
            p = norm.cdf((0.5 - m) / sd)
            log_weight += np.log(p)
            drawn[:, j] = m + sd * norm.ppf(np.clip(rng.random(draws) * p, 1e-300, 1.0))
        else:
            log_weight += norm.logpdf(score[j], m, sd)
            drawn[:, j] = score[j]
    gain = np.linalg.solve(covariance[2:, 2:], covariance[2:, :2]).T
    left = covariance[:2, :2] - gain @ covariance[2:, :2]
    own = mean[:2] + (drawn - mean[2:]) @ gain.T
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    change = own[:, 1] - own[:, 0]
    sd = math.sqrt(left[0, 0] + left[1, 1] - 2 * left[0, 1])
    above = float(weight @ norm.cdf(change / sd))
    state = _run(score + START[0] - 3.0, limits=Limits(START[0] - 3.0, 1e9, 0.5))
    ours = float(norm.cdf(state.change[0, 0] / state.sd_change[0, 0]))
    assert state.change[0, 0] == pytest.approx(float(weight @ change), abs=0.15 * sd)
    assert ours == pytest.approx(above, abs=0.02)


def test_mixture_quantiles_are_roots_of_the_mixture():
    rng = np.random.default_rng(5)
    weight = rng.dirichlet(np.ones(4), 30).T
    mean, sd = rng.normal(0, 5, (4, 30)), rng.uniform(0.01, 3, (4, 30))
    for share in (0.025, 0.5, 0.975):
        found = quantile(share, weight, mean, sd)
        for i in range(30):

            def off(value: float, i: int = i) -> float:
                return float(weight[:, i] @ norm.cdf((value - mean[:, i]) / sd[:, i])) - share  # noqa: B023

            assert found[i] == pytest.approx(brentq(off, -60, 60, xtol=1e-12), abs=1e-7)


# --- simulated truth ---------------------------------------------------------------------------------------------


@pytest.mark.slow  # a simulation
@pytest.mark.parametrize(
    ("number", "clients"),
    [(1, 400), pytest.param(0, 700, marks=pytest.mark.slow), pytest.param(1, 700, marks=pytest.mark.slow)],
)
def test_it_finds_changes_that_the_index_misses_sooner_at_the_same_rate_of_false_alarms(
    simulation, number, clients
):
    study = simulation.study(simulation.MAIN[number], clients, seed=11)
    index = max((study.records[name] for name in ("index, once", "index, twice in a row")), key=lambda r: r.power)
    for way in ("fluctuation known", "fluctuation learned from 300 clients", "norms only"):
        own = study.records[f"all sessions, {way}"]
        assert own.power >= 0.95
        assert own.power >= index.power + 0.10
    own = study.records["all sessions, fluctuation known"]
    assert own.mean_session <= 0.8 * index.mean_session
    assert study.right >= 0.95
    assert study.records["all sessions, fluctuation known, at 0.95"].false_alarms <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize("number", range(7))
def test_scores_that_do_not_follow_the_model_leave_it_right_and_ahead(simulation, number):
    study = simulation.study(simulation.OTHER[number], 400, seed=12)
    index = max((study.records[name] for name in ("index, once", "index, twice in a row")), key=lambda r: r.power)
    own = study.records["all sessions, norms only"]
    assert study.right >= 0.95
    assert own.power > index.power
    assert own.mean_session < index.mean_session
    assert study.records["all sessions, norms only, at 0.95"].false_alarms <= 0.08


def test_variation_is_learned_from_clients_who_change(simulation):
    rng = np.random.default_rng(4)
    world = simulation.World("strong", fluctuation=2.5)
    parts = [world.draw(kind, 300, rng) for kind in simulation.COURSES[:5]]
    table = simulation.long_frame(*(np.concatenate([part[i] for part in parts]) for i in (0, 1)))
    learned = score_variation(table, sd=6.98, reliability=0.914)
    assert learned.fluctuation[0] == pytest.approx(2.5, abs=0.5)
    assert learned.error[0] == pytest.approx(6.98 * math.sqrt(0.086), rel=1e-3)
    assert learned.clients == 1500
    assert dt.date.fromisoformat(learned.learned_on) <= dt.datetime.now(tz=dt.UTC).date()
    assert learned.start_mean == pytest.approx(16, abs=0.5)


def test_sessions_needed_is_about_when_the_verdict_becomes_clear():
    rng = np.random.default_rng(6)
    n, known, last = 1500, 8, 40
    gain = rng.normal(3, 3.5, n)[:, None] * np.clip(np.arange(last) / 6, 0, 1)[None, :]
    score = 15 + rng.normal(0, 4, n)[:, None] + gain + rng.normal(0, 2.05, (n, last))
    variation = ScoreVariation.of(2.05, gap=1)

    def judged(k: int, **options: object):
        table = pl.DataFrame({"client": np.repeat(np.arange(n), k), "time": np.tile(np.arange(k), n),
                              "score": score[:, :k].ravel()})  # fmt: skip
        return true_change_course(data=table, higher_is_better=True, variation=variation, **options)

    needed = judged(known).sessions_needed
    each = judged(last, each_session=True)
    clear = np.maximum(each.p_better, each.p_worse).reshape(n, last)[:, known:] >= 0.95
    first = np.where(clear.any(axis=1), clear.argmax(axis=1) + 1, 99)
    soon, later, not_soon = (needed >= 1) & (needed <= 3), (needed >= 6) & (needed <= 16), np.isnan(needed)
    assert np.median(first[soon]) <= 5
    assert 2 <= np.median(first[later]) <= 20
    assert (first[not_soon] > 12).mean() > 0.6
    assert np.median(first[soon]) < np.median(first[later]) < np.median(first[not_soon])


# --- properties --------------------------------------------------------------------------------------------------

lists = st.lists(st.integers(0, 30), min_size=2, max_size=12)


@settings(max_examples=25, deadline=None)
@given(lists, st.floats(0.2, 5), st.floats(-50, 50))
def test_direction_unit_and_origin_do_not_matter(scores, unit, origin):
    plain = true_change_course(scores, **NORMS)
    other = true_change_course(
        [-unit * score + origin for score in scores], sd=unit * 6.98, reliability=0.914, higher_is_better=False
    )
    assert other.p_better == pytest.approx(plain.p_better, abs=1e-7)
    assert other.change == pytest.approx(-unit * plain.change, abs=1e-6)
    assert plain.p_better + plain.p_worse == pytest.approx(1.0)
    assert plain.change_lower <= plain.change <= plain.change_upper


def test_clients_together_are_clients_one_by_one_whatever_the_order_of_the_rows():
    rng = np.random.default_rng(2)
    lengths = [1, 2, 9, 5, 9, 30]
    table = pl.DataFrame(
        {
            "client": np.repeat(list("fbdaec"), lengths),
            "time": np.concatenate([np.sort(rng.choice(200, k, replace=False)) for k in lengths]),
            "score": rng.integers(0, 30, sum(lengths)),
        }
    )
    options = {**NORMS, "score_range": (0, 30), "gap": 4.0, "meaningful": 3.0, "step": 1.0}
    together = true_change_course(data=table.sample(fraction=1.0, shuffle=True, seed=1), **options)
    each = true_change_course(data=table, each_session=True, **options).to_frame()
    assert together.client_ids.to_list() == list("abcdef")
    for i, who in enumerate("abcdef"):
        own = table.filter(pl.col("client") == who)
        alone = true_change_course(own["score"], own["time"], **options)
        last = each.filter(pl.col("client") == who).row(-1, named=True)
        assert together.verdict[i] == alone.verdict == last["verdict"]
        if alone.verdict is None:
            assert alone.reason == together.reason[i] == "too_few_scores"
            continue
        for name in ("p_better", "p_meaningful", "change_lower", "level", "level_upper", "start"):
            assert getattr(together, name)[i] == pytest.approx(getattr(alone, name), rel=1e-9)
            assert last[name] == pytest.approx(getattr(alone, name), rel=1e-9)
        assert together.sessions_needed[i] == pytest.approx(
            math.nan if alone.sessions_needed is None else alone.sessions_needed, nan_ok=True
        )


def test_dates_are_days():
    days = [0, 7, 15, 21, 40]
    table = pl.DataFrame({"client": ["a"] * 5, "time": [dt.date(2026, 1, 1) + dt.timedelta(d) for d in days],
                          "score": [10, 12, 15, 16, 18]})  # fmt: skip
    dated = true_change_course(data=table, **NORMS)
    assert dated.p_better[0] == pytest.approx(
        true_change_course(table["score"], days, **NORMS).p_better, rel=1e-12
    )


def test_more_baselines_make_the_start_surer_and_a_column_may_mark_them():
    scores = [14, 13, 15, 17, 18, 21, 20]
    first, three = (true_change_course(scores, baselines=k, **NORMS) for k in (1, 3))
    assert three.change_upper - three.change_lower < first.change_upper - first.change_lower
    table = pl.DataFrame({"client": 1, "time": range(7), "score": scores, "before": [k < 3 for k in range(7)]})
    marked = true_change_course(data=table, baselines="before", **NORMS)
    assert marked.p_better[0] == pytest.approx(three.p_better, rel=1e-12)
    only = true_change_course(scores[:3], baselines=3, **NORMS)
    assert (only.verdict, only.reason, only.p_better) == (None, "too_few_scores", None)
    assert only.level == pytest.approx(14.0, abs=0.5)


def test_a_retest_reliability_holds_fluctuation_already():
    alpha, retest = (true_change_course(RISING, norms={"sd": 6.98, "reliability": 0.85, "kind": kind},
                                        higher_is_better=True) for kind in ("alpha", "retest"))  # fmt: skip
    assert retest.p_better > alpha.p_better
    assert retest.variation.sd == pytest.approx(6.98 * math.sqrt(0.15))


def test_priors_draw_an_extreme_first_score_towards_the_mean():
    reference = {"mean": 20.0, "sd": 6.98, "reliability": 0.914}
    flat, norms = (true_change_course([4, 5, 4], norms=reference, higher_is_better=True, prior=prior)
                   for prior in ("flat", "norms"))  # fmt: skip
    assert flat.start < norms.start < 20
    clients = ScoreVariation((2.0,), (0.5,), (3.0,), 1.0, 16.0, 5.0, 6.0, 4.0)
    own, expected = (true_change_course([14, 15, 15], variation=clients, higher_is_better=True, prior=prior)
                     for prior in ("flat", "clients"))  # fmt: skip
    assert expected.p_better > own.p_better


def test_a_result_speaks_and_makes_tables():
    course = true_change_course(RISING, meaningful=3, **NORMS)
    assert course.sentence().startswith("Clearly better from 9 scores: +5.0 points")
    assert repr(course).startswith("TrueChangeCourse(Clearly better")
    assert "No verdict from 1 score" in true_change_course([12], **NORMS).sentence()
    assert "more session" in true_change_course(RISING[:5], **NORMS).sentence()
    table = pl.DataFrame({"client": [1] * 9 + [2] * 2, "time": [*range(9), 0, 1], "score": [*RISING, 10, 10]})
    many = true_change_course(data=table, **NORMS)
    assert many.sentence() == "Of 2 clients, 1 no clear change, 1 clearly better, 0 clearly worse (at 95%)."
    assert many.to_frame(backend="pandas").loc[1, "verdict"] == "no clear change"
    again = true_change_course(data=table.to_pandas(), **NORMS)
    assert again.to_frame(backend="polars").equals(many.to_frame())


def test_a_floor_is_no_evidence_of_standing_still():
    # eight zeros after a five: at or under 0 they say less than eight exact zeros would
    scores = [5, 3, 0, 0, 0, 0, 0, 0]
    options = {"sd": 6.98, "reliability": 0.914, "higher_is_better": False}
    with_floor, without = (
        true_change_course(scores, score_range=(0, 30), **options),
        true_change_course(scores, **options),
    )
    assert with_floor.level == 0.0
    assert with_floor.change_lower < without.change_lower


# --- refusals ----------------------------------------------------------------------------------------------------

FRAME = pl.DataFrame(
    {"client": [1, 1, 1], "time": [0, 1, 2], "score": [10.0, 12.0, 14.0], "late": [False, True, True]}
)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scores": [1, 2], "higher_is_better": None}, "higher_is_better must be given: True or False"),
        ({"scores": [1, 2], "confidence": 95}, "percentage"),
        ({"scores": [1, 2], "meaningful": -3}, "meaningful must be above 0"),
        ({"scores": [1, 2], "baselines": 0}, "baselines must be at least 1"),
        ({"scores": [1, 2], "baselines": "late"}, "requires data="),
        ({"scores": [1, 2], "horizon": -1}, "horizon must be"),
        ({"scores": [1, 2], "reliability": 86}, "percentage"),
        ({"scores": [1, 2], "reliability": 1.0}, "measurement error is not known"),
        ({"scores": [1, 2], "prior": "flatt"}, "prior must be 'flat', 'norms' or 'clients'"),
        ({"scores": [1, 2], "prior": "clients"}, "needs variation="),
        ({"scores": [1, 2], "prior": "norms"}, "needs norms= with mean"),
        ({"scores": [1, 2], "times": [1]}, "times 1"),
        ({"scores": [1, 2], "times": [1, 1]}, "same time"),
        ({"scores": [1, math.inf]}, "infinite"),
        ({"scores": [None, None]}, "no score"),
        ({"scores": [1, 40], "score_range": (0, 30)}, "Is the coding different"),
        ({"scores": [1, 2], "score_range": (30, 0)}, "must be increasing"),
        ({"scores": [1, 2], "gap": 0}, "gap must be"),
        ({"scores": [1, 2], "data": FRAME}, "not both"),
        ({}, "or data="),
        ({"data": FRAME, "score": "scor"}, "Did you mean: score"),
        ({"data": FRAME, "baselines": "score"}, "true and false"),
        ({"data": FRAME, "baselines": "late"}, "Baselines must come first"),
        ({"data": FRAME.head(0)}, "No row"),
        ({"data": pl.concat([FRAME, FRAME])}, "more than once"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused(options, words):
    with pytest.raises(ModelError, match=words):
        true_change_course(**{**NORMS, **options})


def test_variation_is_refused_where_it_contradicts_or_lacks():
    known = ScoreVariation.of(2.0, gap=1)
    with pytest.raises(ModelError, match="leave out norms"):
        true_change_course([1, 2], variation=known, **NORMS)
    with pytest.raises(ModelError, match="error must be finite and above 0"):
        ScoreVariation.of(0.0, gap=1)
    with pytest.raises(ModelError, match="together"):
        ScoreVariation((1.0,), (0.0,), (1.0,), 1.0, start_mean=3.0)
    with pytest.raises(ModelError, match="40 clients"):
        score_variation(FRAME)
