"""The course of a client, against a second derivation in plain loops."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc import models
from mbc.errors import ModelError

pytestmark = pytest.mark.long

COLUMNS = {"client": "who", "time": "week", "score": "csi"}


def table(**clients: list[float | None]) -> pl.DataFrame:
    rows = [(who, k, x) for who, scores in clients.items() for k, x in enumerate(scores)]
    return pl.DataFrame(rows, schema={"who": pl.String, "week": pl.Int64, "csi": pl.Float64}, orient="row")


def courses(frame, **options):
    return models.describe_courses(frame, **COLUMNS, **({"higher_is_better": True, "threshold": 5.0} | options))


def setbacks_by_hand(known: list[tuple[int, float]], threshold: float) -> list[tuple]:
    """Higher is better: (best, best_at, began_at, worst, worst_at, occasions, eased_at, regained_at)."""
    found, current = [], []
    for week, score in [*known, (None, math.inf)]:
        if not current or score >= current[0][1]:
            below = [(w, x) for w, x in current[1:] if current[0][1] - x > threshold]
            if below:
                worst = min(x for _, x in current[1:])
                worst_at = next(w for w, x in current[1:] if x == worst)
                after = [(w, x) for w, x in current[1:] if w > worst_at and current[0][1] - x <= threshold]
                eased = after[0][0] if after else week
                found.append((current[0][1], current[0][0], below[0][0], worst, worst_at, len(below), eased, week))
            current = []
        current.append((week, score))
    return found


def plateaus_by_hand(known: list[tuple[int, float]], threshold: float, least: int) -> list[tuple[int, int]]:
    """Longest stretch first, then the longest in what is left."""
    free, found = [True] * len(known), []
    while True:
        best = None
        for i in range(len(known)):
            for j in range(i, len(known)):
                block = [x for _, x in known[i : j + 1]]
                if not all(free[i : j + 1]) or max(block) - min(block) > threshold:
                    break
                if best is None or j - i > best[1] - best[0]:
                    best = (i, j)
        if best is None or best[1] - best[0] + 1 < least:
            return found
        free[best[0] : best[1] + 1] = [False] * (best[1] - best[0] + 1)
        found.append((known[best[0]][0], known[best[1]][0]))


def share_by_hand(known: list[tuple[int, float]], cutoff: float) -> float | None:
    """Share of the time above the cutoff, by many small steps along the straight lines."""
    if len(known) < 2:
        return None
    weeks, scores = zip(*known, strict=True)
    fine = np.linspace(weeks[0], weeks[-1], 20_001)
    return float((np.interp((fine[1:] + fine[:-1]) / 2, weeks, scores) > cutoff).mean())


one_client = st.lists(st.one_of(st.none(), st.integers(0, 25).map(float)), min_size=1, max_size=14)


@given(st.lists(one_client, min_size=1, max_size=5), st.booleans())
def test_all_clients_at_once_give_what_one_by_one_gives(clients, higher):
    turned = [[x if higher or x is None else 25 - x for x in scores] for scores in clients]
    frame = table(**{f"c{k}": scores for k, scores in enumerate(turned)})
    made = courses(frame, higher_is_better=higher, cutoff=12.5, least_plateau=3)
    for k, scores in enumerate(clients):
        own = made[f"c{k}"]
        known = [(week, x) for week, x in enumerate(scores) if x is not None]
        back = (lambda x: x) if higher else (lambda x: 25 - x)
        assert (own.n, own.n_missed) == (len(known), len(scores) - len(known))
        assert [
            (
                back(s.best),
                s.best_at,
                s.began_at,
                back(s.worst),
                s.worst_at,
                s.occasions,
                s.eased_at,
                s.regained_at,
            )
            for s in own.setbacks
        ] == setbacks_by_hand(known, 5.0)
        assert [(p.start, p.end) for p in own.plateaus] == plateaus_by_hand(known, 5.0, 3)
        share = share_by_hand(known, 12.5)
        assert own.share_beyond_cutoff == (None if share is None else pytest.approx(share, abs=2e-3))
        if known:
            best = list(np.maximum.accumulate([x for _, x in known]))
            assert own.largest_drawdown == max(b - x for b, (_, x) in zip(best, known, strict=True))
            assert back(own.best) == max(x for _, x in known)


def test_first_reliable_improvement_is_that_of_testing_every_session():
    rng = np.random.default_rng(8)
    scores = np.where(rng.random((200, 10)) < 0.1, np.nan, rng.integers(0, 25, (200, 10)) + np.arange(10))
    frame = table(**{f"c{k}": list(own) for k, own in enumerate(scores)})
    sd, reliability = 5.0, 0.84
    made = courses(frame, threshold=None, sd=sd, reliability=reliability).table
    other = models.first_reliable_change(
        frame, **COLUMNS, higher_is_better=True, sd=sd, reliability=reliability
    ).table
    both = made.join(other, on="who", suffix="_other")
    for name in ("improved_at", "deteriorated_at"):
        assert both[name].equals(both[f"{name}_other"])


def test_time_beyond_the_cutoff_by_straight_lines():
    frame = table(a=[10, 20, 20, 10], b=[15, 15, 15, None], c=[20], d=[None])
    made = courses(frame, cutoff=15.0).table
    assert made["time_beyond_cutoff"].to_list() == [2.0, 0.0, None, None]  # a score on the cutoff is clinical
    assert made["share_beyond_cutoff"].to_list() == [2 / 3, 0.0, None, None]
    lower = courses(frame, cutoff=15.0, higher_is_better=False).table
    assert lower["share_beyond_cutoff"].to_list() == [pytest.approx(1 / 3), 0.0, None, None]


def test_time_in_long_gaps_is_not_counted():
    frame = table(a=[20, 20, 20, 20]).with_columns(week=pl.Series([0, 1, 2, 50]))
    made = courses(frame, cutoff=15.0, longest_gap=4)["a"]
    assert (made.time_covered, made.time_beyond_cutoff) == (2.0, 2.0)


def test_the_read_out_of_a_client_who_improves_falls_back_and_recovers():
    start = dt.date(2026, 1, 7)
    scores = [40, 42, 41, 55, 56, 58, 44, 57, 60]
    frame = pl.DataFrame({"who": "C17", "on": [start + dt.timedelta(days=7 * k) for k in range(9)], "csi": scores})
    made = models.describe_courses(
        frame, client="who", time="on", score="csi", higher_is_better=True, threshold=10, cutoff=51.5
    )
    assert made["C17"].sentence() == (
        "Nine scores over 56 days, from 40 to 60 (higher is better; up to 10 points is measurement error). "
        "Clearly better than at the start from 28 January 2026. "
        "One sudden gain: 14 points between 21 January 2026 and 28 January 2026 "
        "(more than half lost again later). "
        "One setback: 14 points below the best so far, worst on 18 February 2026, on one occasion only, regained "
        "on 4 March 2026 after 21 days. "
        "On the better side of the cutoff (51.5) for 52 % of the time."  # 4.14 of 8 weeks
    )
    events = made["C17"].to_frame()
    assert events["what"].to_list() == ["sudden gain", "setback"]
    assert events["points"].to_list() == [14.0, 14.0]


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([None], "No score yet."),
        ([None, 31], "One score so far: 31 (week 1)."),
        ([31, 33, 30, 32, 31], "No change from the first score was clear twice in a row."),
        ([31, 33, 30, 32, 31], "The longest plateau: five scores between 30 and 33, from week 0 to week 4."),
        ([31, 20, 21, 19, 30], "Clearly worse than at the start from week 1."),
        ([31, 20, 21, 19, 30], "back within measurement error at week 4"),
        ([31, 32, 30, 20], "worst at week 3, on one occasion only, not yet regained."),
        ([30, 31, 30, 20, 20, 20], "One sudden loss: 10 points between week 2 and week 3 (not recovered so far)."),
    ],
)
def test_what_is_said(scores, said):
    made = courses(table(a=scores), unit="weeks", bridge_missed=False)["a"]
    assert said in made.sentence()
    assert "caus" not in made.sentence()


def test_all_clients_in_one_table_and_one_by_one():
    frame = table(a=[20, 30, 20, 30], b=[None, None], c=[5])
    made = courses(frame)
    assert (len(made), made.n, made.n_missing) == (3, 3, 1)
    assert [one.client for one in made] == ["a", "b", "c"]
    assert made.to_frame(backend="pandas").shape == (3, made.table.width)
    assert made["b"].reason == made["c"].reason == "too_few_scores"
    assert made["c"].largest_drawdown == 0.0
    assert made["c"].drawdown_from is None
    with pytest.raises(ModelError, match="no client 'z'"):
        made["z"]


def test_noise_that_is_not_known():
    frame = table(a=[20, 30, 20, 30, 20, 20])
    perfect = courses(frame, threshold=None, sd=6.0, reliability=1.0)
    assert (perfect.threshold, perfect.reason) == (None, "perfect_reliability")
    own = perfect["a"]
    assert (own.setbacks, own.plateaus, own.gains, own.improved_at) == ((), (), (), None)
    assert own.largest_drawdown == 10.0
    assert "noise" not in own.sentence()
    with pytest.raises(ModelError, match="threshold="):
        courses(frame, threshold=None)
    with pytest.raises(ModelError, match="threshold must be > 0"):
        courses(frame, threshold=0)
    with pytest.raises(ModelError, match="consecutive"):
        courses(frame, consecutive=0)


def test_norms_and_cutoff_travel_with_the_result():
    norms = models.Norms(sd=8.0, reliability=0.9, kind="retest", source="a sample")
    cut = models.cutoff("c", clinical=(40, 7.5), functional=(60, 7.5), higher_is_better=True)
    made = courses(table(a=[40, 45, 55, 56]), threshold=None, norms=norms, cutoff=cut)
    assert made.norms is norms
    assert made.threshold == pytest.approx(1.959963984540054 * math.sqrt(2) * 8 * math.sqrt(0.1))
    assert (made.cutoff, made["a"].cutoff) == (50.0, 50.0)


def test_public_clients(real_data):
    """43 inpatients, four occasions: the table and every sentence can be had, on scales of either direction."""
    data = real_data("claus_2020.csv")
    for score, higher in (("bdi", False), ("who", True)):
        made = models.describe_courses(
            data,
            client="id",
            time="time",
            score=score,
            higher_is_better=higher,
            sd=8.0,
            reliability=0.9,
            cutoff=13.0,
        )
        assert made.n == 43
        assert made.table["n"].sum() == data[score].drop_nulls().len()
        sentences = [one.sentence() for one in made]
        assert all(text.endswith(".") for text in sentences)
    daily = real_data("enrichd_bdi.csv").group_by("ID", "time").agg(pl.col("BDI").mean())
    cbt = models.describe_courses(
        daily, client="ID", time="time", score="BDI", higher_is_better=False, sd=8.0, reliability=0.9, cutoff=13.5
    )
    assert cbt.n == 346
    for client, own in daily.sort("ID", "time").group_by("ID"):
        known = [(t, -x) for t, x in own.select("time", "BDI").iter_rows()]
        assert [s.began_at for s in cbt[client[0]].setbacks] == [
            s[2] for s in setbacks_by_hand(known, cbt.threshold)
        ]
