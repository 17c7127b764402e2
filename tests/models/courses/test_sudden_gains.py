"""Sudden gains by our own rules, against a second derivation in plain loops."""

from __future__ import annotations

import datetime as dt
import inspect
import math
import pydoc
import statistics

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc import models
from mbc.errors import ModelError
from mbc.models.courses.search import search_scores

pytestmark = pytest.mark.long

COLUMNS = {"client": "who", "time": "session", "score": "phq"}
T = {2: 4.302652729911275, 3: 3.182446305284263, 4: 2.7764451051977987}  # Student's t, .975: printed tables


def table(**clients: list[float | None]) -> pl.DataFrame:
    rows = [(who, k + 1, x) for who, scores in clients.items() for k, x in enumerate(scores)]
    return pl.DataFrame(rows, schema={"who": pl.String, "session": pl.Int64, "phq": pl.Float64}, orient="row")


def gains(frame, **options):
    options = {"higher_is_better": False, "cutoff": 5.0} | options
    return models.sudden_gains(frame, **COLUMNS, **options)


def by_hand(scores: list[float | None], cutoff: float) -> list[tuple[int, bool | None]]:
    """One client, lower is better, all three criteria: (session n, reversed)."""
    found = []
    for n in range(1, len(scores) - 2):  # from 0; the first and the last step are never looked at
        before, after = scores[n], scores[n + 1]
        if before is None or after is None:
            continue
        pre = [x for x in scores[max(0, n - 2) : n + 1] if x is not None]
        post = [x for x in scores[n + 1 : n + 4] if x is not None]
        if len(pre) < 2 or len(post) < 2:
            continue
        squares = (len(pre) - 1) * statistics.variance(pre) + (len(post) - 1) * statistics.variance(post)
        df = len(pre) + len(post) - 2
        stands_out = statistics.fmean(pre) - statistics.fmean(post) > T[df] * math.sqrt(squares / df)
        if before - after >= cutoff and before - after >= 0.25 * before and stands_out:
            later = [x for x in scores[n + 2 :] if x is not None]
            lost = any(x > after + (before - after) / 2 for x in later) if later else None
            found.append((n + 1, lost))
    return found


one_client = st.lists(st.one_of(st.none(), st.integers(0, 30).map(float)), min_size=1, max_size=14)


@given(st.lists(one_client, min_size=1, max_size=6))
def test_all_clients_at_once_give_what_one_by_one_gives(clients):
    clients = [[*scores[:-1], scores[-1]] for scores in clients]
    frame = table(**{f"c{k}": scores for k, scores in enumerate(clients)})
    ours = gains(frame, cutoff=4.0, sessions="numbers").table
    expected = [(f"c{k}", n, lost) for k, scores in enumerate(clients) for n, lost in by_hand(scores, cutoff=4.0)]
    assert ours.select("who", "session", "reversed").rows() == expected


@given(st.lists(one_client, min_size=1, max_size=4))
def test_losses_are_gains_on_a_scale_turned_round(clients):
    frame = table(**{f"c{k}": scores for k, scores in enumerate(clients)})
    losses = models.sudden_losses(frame, **COLUMNS, higher_is_better=False, cutoff=4.0)
    assert losses.table.equals(gains(frame, cutoff=4.0, higher_is_better=True).table)


def test_reverse_scoring_changes_nothing_when_the_proportion_counts_from_the_same_end():
    low = table(a=[20, 19, 21, 12, 11, 10, 12, 9], b=[20, 22, 20, 16, 16, 15, 18, 19])
    high = low.with_columns(phq=27 - pl.col("phq"))
    one, two = gains(low), gains(high, higher_is_better=True, scale_origin=27.0)
    columns = ["who", "session", "magnitude", "total_change", "proportion", "reversed"]
    assert len(one) == 1
    assert one.table.select(columns).equals(two.table.select(columns))


def test_the_numbers_of_one_gain():
    found = gains(table(a=[20, 19, 21, 12, 11, 10, 17, 9])).table.row(0, named=True)
    assert found == {
        "who": "a", "number": 1, "session": 3, "before": 3, "after": 4, "n_minus_2": 20.0, "n_minus_1": 19.0,
        "n": 21.0, "n_plus_1": 12.0, "n_plus_2": 11.0, "n_plus_3": 10.0, "magnitude": 9.0, "total_change": 11.0,
        "proportion": 9 / 11, "reversal_value": 16.5, "reversed": True, "reversed_at": 7, "adjacent": False,
        "overlapping": False, "bridged": 0,
    }  # fmt: skip


def test_losing_exactly_reversal_inclusive_on_request_only():
    frame = table(a=[20, 20, 20, 10, 10, 10, 15])
    assert gains(frame).table["reversed"].to_list() == [False]
    assert gains(frame, reversal_inclusive=True).table["reversed"].to_list() == [True]
    assert gains(frame, reversal=0.4).table["reversed"].to_list() == [True]


def test_the_score_two_sessions_after_is_looked_at_for_a_reversal():
    assert gains(table(a=[20, 20, 20, 8, 16, 14, 8]), criteria=(1, 2)).table["reversed"].to_list() == [True]


def test_a_missed_session_is_bridged_on_request_only():
    frame = table(a=[20, 20, 21, None, 10, 10, 10, 9])
    assert len(gains(frame)) == 0
    bridged = gains(frame, bridge_missed=True).table
    assert bridged.select("before", "after", "bridged").rows() == [(3, 5, 1)]
    without_the_row = frame.drop_nulls()
    assert len(gains(without_the_row)) == 0  # a session number that is not there is a missed session
    assert len(gains(without_the_row, bridge_missed=True)) == 1
    assert len(gains(without_the_row, sessions="rows")) == 1


def test_session_numbers_in_steps_of_two_are_sessions():
    frame = table(a=[20, 20, 21, 10, 10, 10, 9]).with_columns(session=2 * pl.col("session"))
    assert gains(frame).sessions == "numbers"
    assert gains(frame).table.select("before", "after").rows() == [(6, 8)]


def test_days_are_not_session_numbers():
    days = [0, 9, 15, 24, 30, 37, 41]
    frame = table(a=[20, 20, 21, 10, 10, 10, 9]).with_columns(session=pl.Series(days))
    found = gains(frame)
    assert (found.sessions, len(found), len(found.notes)) == ("rows", 1, 1)
    assert len(gains(frame, longest_gap=7)) == 0
    with pytest.raises(ModelError, match="whole numbers"):
        gains(frame.with_columns(session=pl.col("session") + 0.5), sessions="numbers")


def test_dates_and_times_of_day():
    start = dt.datetime(2026, 3, 1, 17, 30)  # noqa: DTZ001 - local clinic time
    frame = table(a=[20, 20, 21, 10, 10, 10, 9])
    for kind in (pl.Date, pl.Datetime("us"), pl.Datetime("ms", "Europe/Vienna")):
        times = pl.Series([start + dt.timedelta(days=7 * k) for k in range(7)])
        dated = frame.with_columns(
            session=(times.dt.replace_time_zone("Europe/Vienna") if "V" in str(kind) else times).cast(kind)
        )
        found = gains(dated, longest_gap=7)
        assert (len(found), found.sessions) == (1, "rows")
        assert found.table["before"][0] == dated["session"][2]


def test_a_drop_of_exactly_the_cutoff_counts_in_decimals_too():
    frame = table(a=[0.7, 0.7, 0.7, 0.4, 0.4, 0.4])
    assert len(gains(frame, cutoff=0.3, criteria=(1,))) == 1
    assert len(gains(frame, cutoff=0.31, criteria=(1,))) == 0


def test_equal_scores_have_no_spread_whatever_binary_says():
    flat = table(a=[0.1] * 8)
    assert len(gains(flat, criteria=(3,))) == 0


def test_neighbouring_gains_are_kept_and_flagged():
    frame = table(a=[30, 30, 30, 20, 10, 9, 9, 9, 9, 9], b=[30, 30, 20, 20, 20, 20, 8, 8, 8, 8])
    found = gains(frame, criteria=(1, 2)).table
    assert found.select("who", "session", "adjacent", "overlapping").rows() == [
        ("a", 3, True, True), ("a", 4, True, True), ("b", 2, False, False), ("b", 6, False, False)
    ]  # fmt: skip
    near = gains(table(c=[30, 30, 20, 20, 10, 10, 10]), criteria=(1, 2)).table
    assert near.select("adjacent", "overlapping").rows() == [(False, True), (False, True)]


def test_cutoff_from_a_reference_sample():
    frame = table(a=[20, 20, 21, 10, 10, 10, 9])
    given_norms = gains(frame, cutoff=None, sd=6.0, reliability=0.84)
    assert given_norms.criteria.cutoff == pytest.approx(1.959963984540054 * math.sqrt(2) * 6 * 0.4)
    many = pl.concat([frame, table(b=[10, 11, 12, 11, 12])])
    from_data = gains(many, cutoff=None, reliability=0.84)
    assert from_data.norms.sd == pytest.approx(statistics.stdev([20, 10]))
    assert "first scores of 2 clients" in from_data.notes[0]
    with pytest.raises(ModelError, match="leave 1 out of criteria"):
        gains(frame, cutoff=None)


def test_not_computable_is_an_answer():
    assert (len(gains(table())), gains(table()).reason) == (0, "too_few_scores")
    one = gains(table(a=[20], b=[None, None, None]))
    assert (one.n, one.n_missing, one.reason) == (2, 2, "too_few_scores")
    perfect = gains(table(a=[20, 20, 21, 10, 10, 10, 9]), cutoff=None, sd=6.0, reliability=1.0)
    assert (len(perfect), perfect.reason) == (0, "perfect_reliability")
    worse = gains(table(a=[20, 20, 21, 10, 10, 10, 25]))
    assert worse.table["proportion"].to_list() == [None]  # no share of a change that was none
    assert worse.table["reversed"].to_list() == [True]
    last = gains(table(a=[20, 20, 21, 10, 10, None]), criteria=(1, 2), end=6).table
    assert last["total_change"].to_list() == [None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"who": pl.lit("a"), "session": pl.lit(1)}, "6 rows repeat"),
        ({"session": pl.col("session").cast(pl.String)}, "text sorts"),
        ({"phq": pl.lit("much")}, "must contain numbers"),
    ],
)
def test_bad_tables_are_refused_with_the_repair(change, message):
    with pytest.raises(ModelError, match=message):
        gains(table(a=[20, 20, 21, 10, 10, 10, 9]).with_columns(**change))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criteria": (4,)}, "criteria"),
        ({"cutoff": -5}, "cutoff must be > 0"),
        ({"proportion": 0}, "proportion must be > 0"),
        ({"alpha": 5}, "percentage"),
        ({"reversal": 0}, "reversal"),
        ({"permutations": -1}, "permutations"),
        ({"sessions": "weeks"}, "sessions must be"),
        ({"search_window": ("soon", "later")}, "search_window must be a time"),
        ({"higher_is_better": None}, "higher_is_better"),
        ({"compat": "R"}, "compat"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ModelError, match=message):
        gains(table(a=[20, 20, 21, 10, 10, 10, 9]), **options)


def test_a_column_that_is_not_there_is_named_with_its_nearest():
    with pytest.raises(ModelError, match=r"'PHQ'\. Did you mean: phq"):
        models.sudden_gains(table(), client="who", time="session", score="PHQ", higher_is_better=True, cutoff=5)


@pytest.mark.parametrize("kind", ["pandas", "pyarrow", "lazy", "duckdb", "shuffled"])
def test_any_kind_of_table_in_any_order(kind):
    frame = table(b=[20, 22, 20, 16, 16, 15, 18, 19], a=[20, 19, 21, 12, None, 11, 10, 9])
    made = {
        "pandas": frame.to_pandas,
        "pyarrow": frame.to_arrow,
        "lazy": frame.lazy,
        "duckdb": lambda: duckdb.from_arrow(frame.to_arrow()),
        "shuffled": lambda: frame.sample(fraction=1, shuffle=True, seed=3),
    }[kind]()
    expected, found = gains(frame), gains(made)
    assert found.table.equals(expected.table)
    assert found.table["who"].to_list() == ["a"]
    kinds = {"pandas": pd.DataFrame, "pyarrow": pa.Table}
    assert isinstance(found.to_frame(), kinds.get(kind, pl.DataFrame))
    assert pl.DataFrame(found).equals(expected.table)  # by the Arrow interface


def test_inputs_are_not_changed():
    frame = table(a=[20, 19, 21, 12, 11, 10, 12, 9]).to_pandas()
    kept = frame.copy()
    gains(frame, permutations=5, bridge_missed=True)
    pd.testing.assert_frame_equal(frame, kept)


def test_sessions_outside_the_search_still_say_where_the_client_ended():
    frame = table(a=[20, 20, 21, 10, 10, 10, 9, 5])
    found = gains(frame, search_window=(1, 7), end=8).table
    assert found["total_change"].to_list() == [15.0]
    assert gains(frame, search_window=(1, 7)).table["total_change"].to_list() == [11.0]


def test_noise_alone_has_as_many_gains_as_chance_and_steps_have_more():
    rng = np.random.default_rng(5)
    noise = {f"c{k}": list(rng.normal(20, 4, 12)) for k in range(60)}
    same = gains(table(**noise), cutoff=4.0, permutations=200, seed=1)
    assert same.chance.p_value > 0.05
    steps = {who: [x - 12 * (k > 5) for k, x in enumerate(scores)] for who, scores in noise.items()}
    more = gains(table(**steps), cutoff=4.0, permutations=200, seed=1)
    assert more.chance.observed == len(more) > more.chance.upper
    assert more.chance.p_value == 1 / 201
    assert gains(table(**steps), cutoff=4.0, permutations=200, seed=1).chance == more.chance


def test_one_row_per_client_and_the_values_of_another_measure():
    frame = table(a=[30, 30, 30, 20, 20, 20, 20, 9, 9, 9, 9], b=[5.0] * 11)
    found = gains(frame, criteria=(1, 2))
    assert found.by_client("last").select("who", "gains", "session", "magnitude").rows() == [
        ("a", 2, 7, 11.0),
        ("b", 0, None, None),
    ]
    assert found.by_client("smallest")["magnitude"].to_list() == [10.0, None]
    other = frame.with_columns(csi=pl.col("session") * 10)
    around = found.values_around(other, score="csi")
    assert around.row(0) == ("a", 1, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0)
    with pytest.raises(ModelError, match="select"):
        found.by_client("biggest")


def test_on_public_sessions_of_therapy(real_data):
    """ENRICHD: BDI in CBT, irregular days; client-days that repeat are refused until they are made one."""
    data = real_data("enrichd_bdi.csv")
    columns = {"client": "ID", "time": "time", "score": "BDI", "higher_is_better": False, "cutoff": 7}
    with pytest.raises(ModelError, match="79 rows repeat a 'ID' and 'time', the first 11 at 119"):
        models.sudden_gains(data, **columns)
    daily = data.group_by("ID", "time").agg(pl.col("BDI").mean())
    found = models.sudden_gains(daily, **columns)
    assert (found.n, found.sessions) == (346, "rows")
    expected = 0
    for _, own in daily.sort("ID", "time").group_by("ID"):
        expected += len(by_hand(own["BDI"].to_list(), cutoff=7))
    assert len(found) == expected > 80


@pytest.mark.parametrize("search", [models.sudden_gains, models.sudden_losses])
def test_signature_and_help_name_every_option_with_its_default(search):
    parameters = inspect.signature(search).parameters
    assert list(parameters)[:5] == ["frame", "client", "time", "score", "higher_is_better"]
    assert parameters["bridge_missed"].default is False
    assert parameters["proportion"].default == 0.25
    assert all(p.kind is p.KEYWORD_ONLY for name, p in parameters.items() if name != "frame")
    assert "reversal_inclusive" in pydoc.render_doc(search)


def test_an_option_that_does_not_exist_is_a_type_error_that_names_it():
    with pytest.raises(TypeError, match=r"sudden_losses\(\) got an unexpected keyword argument 'bridge'"):
        models.sudden_losses(table(a=[1.0]), **COLUMNS, higher_is_better=True, bridge=True)


@pytest.mark.parametrize(
    ("kind", "higher_is_better"),
    [
        ("gain", False),
        ("loss", True),
        pytest.param("gain", True, marks=pytest.mark.slow),
        pytest.param("loss", False, marks=pytest.mark.slow),
    ],
)
def test_scores_at_hand_have_the_steps_of_the_table(kind, higher_is_better):
    rng = np.random.default_rng(11)
    search = {"gain": models.sudden_gains, "loss": models.sudden_losses}[kind]
    steps = 0
    for number in range(60):
        level = np.where(np.arange(12) >= 3 + number % 7, rng.choice([-9.0, 0.0, 9.0]), 0.0)
        scores = np.clip(np.round(20 + level + rng.normal(0, 1.5, 12)), 0, 40)
        given = {
            "higher_is_better": higher_is_better,
            "cutoff": 6.0,
            "scale_origin": 40.0 if higher_is_better else 0.0,
        }
        frame = pl.DataFrame({"who": "a", "session": range(12), "score": scores})
        table = search(frame, client="who", time="session", score="score", sessions="rows", **given).table
        before, sizes = search_scores(scores, kind, **given)
        assert before.tolist() == table["before"].to_list()
        assert sizes.tolist() == table["magnitude"].to_list()
        steps += before.size
    assert steps > 5


def test_too_few_scores_at_hand_have_no_step():
    for number in range(4):
        before, sizes = search_scores(np.full(number, 3.0), "gain", higher_is_better=True, cutoff=6.0)
        assert before.size == sizes.size == 0
