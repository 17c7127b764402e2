"""Cases in which a wrong answer used to come out without a word; each is now refused or right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mbc import models
from mbc.errors import DoubtfulAnswers, FrameError, MbcError, ModelError

HERE = Path(__file__).parent
GROWTH = {"outcome": "y", "time": "week", "client": "client"}


def base(n=30, seed=20261128, k=5):
    rng = np.random.default_rng(seed)
    who, week = np.repeat(np.arange(n), k), np.tile(np.arange(k), n).astype(float)
    level, slope = rng.normal(0, 3, n), rng.normal(0, 0.7, n)
    group = np.where(who % 2 == 0, "a", "b")
    y = 20 + level[who] + (-1 + slope[who]) * week + (group == "b") * 1.5 + rng.normal(0, 1.5, n * k)
    return pd.DataFrame({"client": who, "week": week, "y": y, "g": group, "x": rng.normal(size=n * k)})


@pytest.fixture(scope="module")
def with_group():
    return models.growth_curve(base(), **GROWTH, shape="linear", covariates=["g"])


@pytest.mark.parametrize("level", ["c", "A", None, 1])
def test_a_level_that_the_model_never_saw_is_refused_everywhere(with_group, level):
    calls = (
        lambda given: with_group.predict_mean([0], covariates=given),
        lambda given: with_group.predict_scores([0, 1], [22, 20], [4], covariates=given),
        lambda given: with_group.predict_client(999, [4], new=True, covariates=given),
    )
    for call in calls:
        with pytest.raises(ModelError, match=r"has no level .* it has 'a', 'b'"):
            call({"g": level})
        with pytest.raises(ModelError, match="has no covariate 'zzz'"):
            call({"zzz": 1})
    with pytest.raises(ModelError, match="covariates of its own"):
        with_group.predict_client(3, [4], covariates={"g": level})


def test_a_numeric_covariate_must_be_a_number():
    fit = models.growth_curve(base().assign(age=lambda d: 20.0 + d.client), **GROWTH, covariates=["age"])
    for value in ("old", None, float("nan"), float("inf")):
        with pytest.raises(ModelError, match="'age' is a number"):
            fit.predict_mean([0], covariates={"age": value})


@pytest.mark.parametrize("client", ["3", 3.5, "nobody", None, [3]])
def test_a_client_who_is_not_in_the_model_is_refused_unless_new(with_group, client):
    with pytest.raises(ModelError, match=r"not in the model|one identifier"):
        with_group.predict_client(client, [6])


def test_a_new_client_is_asked_for_as_one(with_group):
    assert with_group.predict_client("3", [6], new=True).observations == 0
    assert with_group.predict_client(3, [6]).observations == 5
    with pytest.raises(ModelError, match="leave out new=True"):
        with_group.predict_client(3, [6], new=True)
    with pytest.raises(ModelError, match="Did you mean 3"):
        with_group.predict_client("3", [6])


def test_slopes_bring_the_intercept_and_its_absence_must_be_named():
    data = base()
    names = {
        words: models.growth_curve(data, **GROWTH, shape="linear", random=words).fitted.design.z_names
        for words in ("slopes", "slope", ("intercept", "slope"), ("no intercept", "slope"), "week")
    }
    assert names["slopes"] == names["slope"] == names["intercept", "slope"] == ("(Intercept)", "week")
    assert names["no intercept", "slope"] == names["week"] == ("week",)


@pytest.mark.parametrize("order", [["b", "a"], ["a", "b"], ["z", "b", "a"]])
@pytest.mark.parametrize("kind", ["pandas", "polars", "mixedlm on polars"])
def test_the_declared_order_of_levels_decides_the_reference_in_both_functions(order, kind):
    data = base()
    reference = next(level for level in order if level in {"a", "b"})
    other = "a" if reference == "b" else "b"
    pandas = data.assign(g=pd.Categorical(data.g, categories=order))
    polars = pl.from_pandas(data).with_columns(pl.col("g").cast(pl.Enum(order)))
    if kind == "mixedlm on polars":
        names = list(models.mixedlm("y ~ g", polars, groups="client").fe_params.index)
    else:
        frame = pandas if kind == "pandas" else polars
        names = [c.name for c in models.growth_curve(frame, **GROWTH, covariates=["g"]).coefficients]
        assert f"g[T.{other}]" in list(models.mixedlm("y ~ g", pandas, groups="client").fe_params.index)
    assert f"g[T.{other}]" in names
    assert f"g[T.{reference}]" not in names


@pytest.mark.parametrize("frame", ["pyarrow dictionary", "polars categorical", "text"])
def test_an_order_of_appearance_is_no_declared_order(frame):
    data = base().sort_values("g", ascending=False)  # "b" comes first
    table = {
        "pyarrow dictionary": lambda: pa.table({"client": data.client, "week": data.week, "y": data.y})
        .append_column("g", pa.array(data.g).dictionary_encode()),
        "polars categorical": lambda: pl.from_pandas(data).with_columns(pl.col("g").cast(pl.Categorical)),
        "text": lambda: data,
    }[frame]()  # fmt: skip
    assert "g[T.b]" in [c.name for c in models.growth_curve(table, **GROWTH, covariates=["g"]).coefficients]
    assert "g[T.b]" in list(models.mixedlm("y ~ g", table, groups="client").fe_params.index)


def test_the_order_is_the_same_from_a_lazy_table():
    lazy = pl.from_pandas(base()).with_columns(pl.col("g").cast(pl.Enum(["b", "a"]))).lazy()
    assert "g[T.a]" in [c.name for c in models.growth_curve(lazy, **GROWTH, covariates=["g"]).coefficients]


def test_codes_of_a_status_are_not_read_as_changed():
    status, times = [1, 2, 1, 2], [1, 2, 3, 4]
    for options in ({"changed": status}, {"changed": [1, 0, 1, 0], "dropped_out": [0, 2, 0, 2]}):
        with pytest.raises(ModelError, match=r"it also contains 2\..*status == 1"):
            models.time_to_change(times, **options)
    right = models.time_to_change(times, changed=[s == 1 for s in status], dropped_out=[s == 2 for s in status])
    assert right.changed_by_end == 0.5


def test_the_median_has_the_interval_of_its_own_incidence():
    """Incidence: upper limit first >= .5 at 11 (.5369), lower never (.4668 at 12): [11, None], not [10, 11]."""
    data = pl.read_csv(HERE / "survival" / "g5.csv")
    made = models.time_to_change(data["t"], changed=data["e"] == 1, dropped_out=data["e"] == 2)
    assert (made.median, made.median_lower, made.median_upper) == (12.0, 11.0, None)
    at = dict(zip(made.incidence["time"], made.incidence.iter_rows(named=True), strict=True))
    assert at[11]["upper"] == pytest.approx(0.5369, abs=5e-5)
    assert at[12]["lower"] == pytest.approx(0.4668, abs=5e-5)


@pytest.mark.parametrize("seed", range(20))
def test_a_median_lies_inside_its_interval(seed):
    rng = np.random.default_rng(seed)
    time, event = rng.integers(1, 15, 40), rng.integers(0, 3, 40)
    made = models.time_to_change(time, changed=event == 1, dropped_out=event == 2)
    if made.median is not None:
        assert made.median_lower <= made.median
        assert made.median_upper is None or made.median <= made.median_upper


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_therapist_for_each_client_is_refused(seed):
    data = base(seed=seed)
    with pytest.raises(ModelError, match="only the sum of the two variances"):
        models.therapist_growth(data.assign(th=data.client + 100), **GROWTH, therapist="th", shape="linear")


def test_relatives_of_a_therapist_for_each_client_are_refused():
    data = base(n=12)
    each_row = data.assign(th=np.arange(len(data)))
    with pytest.raises(ModelError, match="cannot be separated from the residual's"):
        models.therapist_growth(each_row, **GROWTH, therapist="th", shape="linear")
    pairs = data.assign(th=data.client // 2)  # two clients each: identified
    fit = models.therapist_growth(pairs, **GROWTH, therapist="th", shape="linear", random="intercept")
    assert fit.n_clients == 12


@pytest.mark.parametrize(
    "second",
    [
        lambda d: d.y,
        lambda d: 2 * d.y + 3,
        lambda d: 50 - d.y,
        lambda d: d.y + d.client,  # the same course, with a constant of each client
        lambda d: d.y + 0.5 * d.week,
    ],
)
def test_a_score_is_not_paired_with_itself(second):
    data = base()
    with pytest.raises(ModelError, match="are the same measure"):
        models.paired_growth(
            data.assign(z=second(data)), outcomes=("y", "z"), time="week", client="client", shape="linear"
        )


def test_lagged_effects_and_couples_refuse_a_measure_with_itself():
    with pytest.raises(ModelError, match="two different measures"):
        models.lagged_effects(base(), client="client", time="week", x="y", y="y", samples=10)
    data = base(n=120, k=12).assign(z=lambda d: 3 - 2 * d.y)
    alike = models.lagged_effects(data, client="client", time="week", x="y", y="z", samples=10)
    assert (alike.reason, alike.forward) == ("measures_alike", None)
    dyads = pl.DataFrame({"dyad": [1, 1, 2, 2], "x": [1.0, 2.0, 3.0, 5.0]})
    for function in (models.actor_partner, models.common_fate):
        with pytest.raises(ModelError, match="two different measures"):
            function(dyads, dyad="dyad", x="x", y="x")


def test_unequal_indexes_are_not_paired_by_position():
    pre, post = pd.Series([10.0, 20], index=["a", "b"]), pd.Series([22.0, 11], index=["b", "a"])
    with pytest.raises(ModelError, match="different indexes"):
        models.reliable_change(pre, post, sd=5, reliability=0.8, higher_is_better=False)
    aligned = models.reliable_change(pre, post.reindex(pre.index), sd=5, reliability=0.8, higher_is_better=False)
    assert aligned.change.tolist() == [1.0, 2.0]


def test_a_column_that_is_not_in_memory_names_the_way():
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("select 1.0 as pre")
    with pytest.raises(ModelError, match="pre_post_pairs"):
        models.reliable_change(relation, [1.0], sd=5, reliability=0.8, higher_is_better=False)


@pytest.mark.parametrize("fit", ["mixedlm", "growth_curve"])
def test_an_infinite_score_is_named_by_its_column(fit):
    data = base()
    data.loc[4, "y"] = np.inf
    with pytest.raises(FrameError, match=r"'y' contains .*infinite number"):
        _fit(fit, data)


def _fit(name, data, formula="y ~ week", **options):
    if name == "mixedlm":
        return models.mixedlm(formula, data, groups="client", **options)
    return models.growth_curve(data, **GROWTH)


@pytest.mark.parametrize("fit", ["mixedlm", "growth_curve"])
def test_duplicated_columns_are_named(fit):
    data = base()
    twice = pd.concat([data, data[["x"]] + 1], axis=1)
    with pytest.raises(FrameError, match="'x'"):
        _fit(fit, twice)


def test_every_type_of_column_gives_the_same_fit_or_its_name():
    data = base()
    plain = models.mixedlm("y ~ week + g", data, groups="client").fe_params
    unused = data.assign(g=pd.Categorical(data.g, categories=["a", "b", "never"]))
    kinds = {
        "pyarrow": data.convert_dtypes(dtype_backend="pyarrow"),
        "nullable": data.convert_dtypes(),
        "unused level": unused,
        "polars": pl.from_pandas(data),
        "arrow": pa.Table.from_pandas(data),
    }
    for kind, frame in kinds.items():
        fitted = models.mixedlm("y ~ week + g", frame, groups="client").fe_params
        assert fitted.to_numpy() == pytest.approx(plain.to_numpy()), kind
    gaps = data.assign(y=data.y.astype(object))
    gaps.loc[4, "y"] = None
    assert models.mixedlm("y ~ week", gaps, groups="client", missing="drop").nobs == len(data) - 1
    mixed = data.assign(g=[1 if i == 3 else value for i, value in enumerate(data.g)])
    with pytest.raises(FrameError, match="'g' mixes int, str"):
        models.mixedlm("y ~ week + g", mixed, groups="client")
    dates = data.assign(week=pd.Timestamp("2026-01-01") + pd.to_timedelta(data.week, unit="D"))
    with pytest.raises(FrameError, match="'week' contains datetime64"):
        models.mixedlm("y ~ week", dates, groups="client")
    with pytest.raises(MbcError, match="cannot be read"):
        models.mixedlm("y ~ wek", data, groups="client")


def test_options_that_do_not_exist_are_named_with_those_that_do():
    before, after = [20, 25, 30, 28, 22], [12, 15, 25, 16, 15]
    with pytest.raises(ModelError, match="estimation must be 't' or 'bayes', got 'ttest'"):
        models.group_change(before, after, estimation="ttest", meaningful=5, higher_is_better=False)
    with pytest.raises(ModelError, match="correction must be 'exact' or 'approximate', got 'none'"):
        models.effect_size(before, after, higher_is_better=False, correction="none")
    change = models.reliable_change(30, 50, sd=30, reliability=0.8, higher_is_better=True)
    with pytest.raises(ModelError, match=r"approach .* Did you mean 'statistical'"):
        models.clinical_significance(30, 50, cutoff=45, change=change, approach="statistic")
    with pytest.raises(ModelError, match=r"confidence must be in \(0, 1\), got 95. Is it a percentage"):
        models.alpha([[3, 3, 2], [1, 0, 1], [2, 2, 2], [0, 1, 0]], confidence=95)
    with pytest.raises(ModelError, match="compat"):
        models.reliable_change(1, 2, sd=1, reliability=0.8, compat="R", higher_is_better=True)


def test_without_a_cutoff_nothing_is_said_about_one():
    scores = pd.DataFrame({"c": ["a"] * 4, "w": range(4), "y": [20.0, 15, 12, 8]})
    courses = models.describe_courses(scores, client="c", time="w", score="y", higher_is_better=False, threshold=5)
    assert "cutoff" not in courses["a"].sentence()
    assert courses.table["share_beyond_cutoff"].to_list() == [None]
    assert courses.table["time_beyond_cutoff"].to_list() == [None]
    assert courses.table["time_covered"].to_list() == [3.0]


def test_both_functions_offer_the_standard_errors_of_lme4():
    data = base().assign(age=lambda d: 20.0 + d.client % 7)
    stock = models.mixedlm("y ~ week + age", data, groups="client", re_formula="~week")
    curve = models.growth_curve(data, **GROWTH, shape="linear", covariates=["age"])
    ours = {c.name: c.standard_error for c in curve.coefficients}
    assert stock.bse_gls["age"] == pytest.approx(ours["age"], rel=1e-5)
    assert stock.bse_gls["week"] == pytest.approx(ours["week"], rel=1e-5)
    assert stock.bse_fe["age"] > stock.bse_gls["age"]  # statsmodels counts the variances' uncertainty too


def test_omega_names_reversed_and_constant_items_as_alpha_does():
    rng = np.random.default_rng(2)
    trait = rng.standard_normal((300, 1))
    items = trait + rng.standard_normal((300, 5))
    items[:, 4] *= -1
    table = np.column_stack([items, np.ones(300)])
    with pytest.warns(DoubtfulAnswers, match="Items item 5 correlate negatively with the rest") as warned:
        omega, alpha = models.omega(table), models.alpha(table)
    assert len(warned) == 2
    assert omega.suspects == alpha.suspects == ("item 5",)
    assert omega.dropped == alpha.dropped == ("item 6",)
    assert omega.warning == alpha.warning != ""
    assert omega.value is not None


def test_scores_around_gains_have_the_names_of_the_package():
    """As ``extract_values`` of suddengains 0.7.2 names them."""
    scores = [20.0, 19, 21, 12, 11, 10, 12, 9]
    rows = pl.DataFrame({"id": [1] * 8, "session": range(1, 9), "x": scores, "rq": scores})
    found = models.sudden_gains(
        rows, client="id", time="session", score="x", higher_is_better=False, cutoff=6, compat="suddengains"
    )
    assert found.values_around(rows, score="rq").columns[2:] == [
        "sg_rq_2n", "sg_rq_1n", "sg_rq_n", "sg_rq_n1", "sg_rq_n2", "sg_rq_n3",
    ]  # fmt: skip
