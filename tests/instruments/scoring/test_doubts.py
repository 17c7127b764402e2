"""Answers in another coding or item order raise a doubt, ordinary ones do not: by simulation and in open data."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import mbc
from mbc import DoubtfulAnswers, models
from mbc.instruments import across_targets, instrument, keyed_items, score_stated
from mbc.simulate.people.population import READINGS
from mbc.simulate.questionnaires.item_answers import Occasions, draw_answers, write_as

pytestmark = pytest.mark.long

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
SIMULATED = sorted({reading.instrument for reading in READINGS})


def answers(key: str, seed: int = 1, clients: int = 400, sessions: int = 1) -> np.ndarray:
    """Answers of simulated clients in the default form and coding."""
    rng = np.random.default_rng(seed)
    n = clients * sessions
    traits = {
        reading.construct: np.repeat(rng.standard_normal(clients), sessions) + 0.4 * rng.standard_normal(n)
        for reading in READINGS
        if reading.instrument == key
    }
    occasions = Occasions(np.repeat(np.arange(clients), sessions), traits, np.ones(n), np.ones(n))
    return draw_answers(seed, instrument(key), occasions, clients)


def table(key: str, values: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(values, schema=[f"{key}_{n}" for n in range(1, values.shape[1] + 1)], orient="row")


def doubts(function, *args, **options) -> list[str]:
    """What is warned about in a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*args, **options)
    assert all(warning.category is DoubtfulAnswers for warning in caught)
    return [str(warning.message) for warning in caught]


@pytest.mark.long
@pytest.mark.parametrize(
    ("clients", "sessions", "tables"),
    [
        (200, 1, 30),
        pytest.param(200, 1, 120, marks=pytest.mark.slow),
        pytest.param(400, 1, 120, marks=pytest.mark.slow),
        pytest.param(40, 10, 120, marks=pytest.mark.slow),
        pytest.param(12, 20, 120, marks=pytest.mark.slow),
    ],
)
def test_ordinary_answers_raise_no_doubt(clients, sessions, tables):
    """Of 120 simulated tables per size none is doubted: an upper 95 % limit of 2.5 % for false alarms."""
    alarms = [
        (key, seed, text)
        for key in SIMULATED
        for seed in range(tables // len(SIMULATED) + 1)
        for text in doubts(mbc.score, table(key, answers(key, seed, clients, sessions)), key)
    ]
    assert alarms == []


@pytest.mark.parametrize(
    ("key", "form", "coding", "words"),
    [
        ("rses", "b", "0-3", "form='b'"),
        ("ecr_r", "interleaved", None, "form='interleaved'"),
        ("csi32", None, "endorsement", "coding='endorsement'"),
    ],
)
def test_another_item_order_or_direction_is_doubted_and_the_reading_that_fits_is_named(key, form, coding, words):
    if key not in SIMULATED:
        pytest.skip("not simulated")
    definition = instrument(key)
    written = write_as(definition, answers(key), definition.form(form).key, definition.coding(coding).key)
    frame = table(key, written)
    for table_kind in (frame, frame.to_pandas(), frame.to_arrow(), frame.lazy()):
        (text,) = doubts(mbc.score, table_kind, key)
        assert text.startswith(f"{key}: ")
        assert words in text
    assert doubts(keyed_items, frame, key)
    assert doubts(mbc.score, frame, key, form=form, coding=coding) == []
    back = write_as(definition, answers(key), definition.form().key, definition.coding().key)
    assert doubts(
        mbc.score, table(key, back), key, form=form, coding=coding
    )  # the wrong form, though it is stated


@pytest.mark.parametrize(
    ("key", "shift", "words"),
    [("phq9", 1, "numbered from 1"), ("gad7", 1, "numbered from 1"), ("rses", 1, "coding='1-4'")],
)
def test_answers_numbered_from_one_are_doubted(key, shift, words):
    shifted = np.minimum(answers(key) + shift, instrument(key).items[0].maximum)  # nobody at the new top
    (text,) = doubts(mbc.score, table(key, shifted), key)
    assert words in text
    assert doubts(mbc.score, table(key, shifted), key, coding=instrument(key).coding().key) == []


def test_items_against_the_rest_are_explained_and_the_order_is_named_where_there_are_two():
    turned = answers("phq9")
    turned[:, [1, 4, 6]] = 3 - turned[:, [1, 4, 6]]
    (text,) = doubts(mbc.score, table("phq9", turned), "phq9")
    assert "items 2, 5, 7 run against the rest of the scale in 400 complete questionnaires" in text
    assert text.endswith("and are the answers unchanged?")  # there is one order only
    values = answers("rses")
    (text,) = doubts(mbc.score, table("rses", turned_back(values)), "rses")
    assert text.endswith("They are read in the order of form 'a'.")


def turned_back(values: np.ndarray) -> np.ndarray:
    """RSES answers whose reversed items somebody already recoded."""
    definition = instrument("rses")
    turned = values.copy()
    for place, item in enumerate(definition.items):
        if item.id in definition.main_scale.reverse:
            turned[:, place] = 3 - turned[:, place]
    return turned


def test_reversed_items_that_were_turned_before_are_doubted():
    (text,) = doubts(mbc.score, table("rses", turned_back(answers("rses"))), "rses")
    assert "against the rest" in text
    assert "already recoded" in text
    assert len(doubts(models.alpha, answers("rses"))) == 1  # here nothing is turned


@pytest.mark.filterwarnings("ignore::mbc.errors.DoubtfulAnswers")
def test_a_single_item_with_the_wrong_key_is_doubted_by_the_statistics():
    keyed = score_keyed("rses")
    wrong = keyed.with_columns(rses_keyed_i9=3 - pl.col("rses_keyed_i9"))
    for statistic in (models.alpha, models.omega, models.item_rest_correlations):
        assert doubts(statistic, keyed) == []
        (text,) = doubts(statistic, wrong)
        assert "rses_keyed_i9" in text
        assert doubts(statistic, wrong.head(60)) == []  # too few to be sure: said in the result alone
    assert models.alpha(wrong.head(60)).suspects == ("rses_keyed_i9",)


def score_keyed(key: str) -> pl.DataFrame:
    frame = keyed_items(table(key, answers(key)), key)
    return frame.select(name for name in frame.columns if "_keyed_" in name)


def concern_and_expectancy(n: int = 400) -> np.ndarray:
    """A-RSQ answers: concerns go together, expectations of acceptance go together, the two hardly."""
    rng = np.random.default_rng(3)
    concern = rng.standard_normal((n, 1)) + rng.standard_normal((n, 9))
    expected = rng.standard_normal((n, 1)) + rng.standard_normal((n, 9))
    pairs = np.stack([concern, expected], axis=2).reshape(n, 18)
    return np.clip(np.round(3.5 + pairs), 1, 6)


def test_concerns_before_expectations_are_doubted_and_can_be_read():
    pairs = concern_and_expectancy()
    blocks = np.hstack([pairs[:, 0::2], pairs[:, 1::2]])
    assert doubts(mbc.score, table("a_rsq", pairs), "a_rsq") == []
    (text,) = doubts(mbc.score, table("a_rsq", blocks), "a_rsq")
    assert "form='concerns_first'" in text
    right = mbc.score(table("a_rsq", pairs), "a_rsq")["a_rsq_total"]
    assert mbc.score(table("a_rsq", blocks), "a_rsq", form="concerns_first")["a_rsq_total"].equals(right)


def test_scores_that_are_on_record_are_not_doubted_again():
    assert doubts(score_stated, table("phq9", np.ones((300, 9))), "phq9") == []


@pytest.mark.parametrize("key", ["ecr", "ecr_r"])
def test_five_answers_have_scores_of_another_name_without_bands(key):
    definition = instrument(key)
    low = table(key, np.tile([1.0, 5.0], 18)[None, :])
    scored = mbc.score(low, key, coding="1-5")
    assert not {f"{key}_anxiety", f"{key}_avoidance"} & set(scored.columns)
    made = {name: scored[name][0] for name in scored.columns if name not in low.columns}
    assert set(made) == {f"{key}_{s}_1_5{end}" for s in ("anxiety", "avoidance") for end in ("", "_answered")}
    for scale in definition.scales:  # by hand: each item as answered, or 6 less its answer
        places = [definition.form().order.index(item) for item in scale.items]
        by_hand = [
            6 - low.row(0)[n] if item in scale.reverse else low.row(0)[n]
            for n, item in zip(places, scale.items, strict=True)
        ]
        assert made[f"{key}_{scale.key}_1_5"] == pytest.approx(sum(by_hand) / 18)
    with pytest.raises(mbc.MbcError, match="accepted: 1-5"):
        mbc.score(table(key, np.full((1, 36), 6.0)), key, coding="1-5")
    keyed = keyed_items(low, key, scale="anxiety", coding="1-5")
    assert f"{key}_keyed_{definition.scale('anxiety').items[0]}_1_5" in keyed.columns
    assert definition.own_codings == (definition.coding(),)


def test_another_response_scale_is_averaged_over_relationships_under_its_own_name():
    with pytest.raises(mbc.MbcError, match="is not answered about another person"):
        across_targets(table("ecr", np.ones((2, 36))), person="a", target="b", key="ecr", coding="1-5")


@pytest.mark.skipif(not (DATA / "ecr.csv.gz").exists(), reason="the open data are not beside the project")
def test_the_open_ecr_answers_are_doubted_as_seven_and_accepted_as_five():
    frame = pl.read_csv(DATA / "ecr.csv.gz").select(pl.col(f"Q{n}").alias(f"ecr_{n}") for n in range(1, 37))
    frame = frame.with_columns(pl.when(pl.all() > 0).then(pl.all()).name.keep())
    (text,) = doubts(mbc.score, frame, "ecr")
    assert "above 5" in text
    assert "coding='1-5'" in text
    assert doubts(mbc.score, frame, "ecr", coding="1-5") == []
    scored = mbc.score(frame, "ecr", coding="1-5")
    assert scored["ecr_avoidance_1_5"].mean() == pytest.approx(2.54, abs=0.05)  # as computed by another program
    assert scored["ecr_anxiety_1_5"].mean() == pytest.approx(3.06, abs=0.05)
    as_revised = frame.rename({f"ecr_{n}": f"ecr_r_{n}" for n in range(1, 37)})
    assert "against the rest" in " ".join(doubts(mbc.score, as_revised, "ecr_r", coding="1-5", form="interleaved"))


@pytest.mark.skipif(not (DATA / "rse.tsv.gz").exists(), reason="the open data are not beside the project")
def test_the_open_rses_answers_are_doubted_in_the_other_order_only():
    frame = pl.read_csv(DATA / "rse.tsv.gz", separator="\t").select(
        pl.when(pl.col(f"Q{n}") > 0).then(pl.col(f"Q{n}")).alias(f"rses_{n}") for n in range(1, 11)
    )
    assert doubts(mbc.score, frame, "rses", form="b", coding="1-4") == []
    (text,) = doubts(mbc.score, frame, "rses", coding="1-4")
    assert "form='b'" in text
    (text,) = doubts(mbc.score, frame.filter(pl.max_horizontal(pl.all()) < 4), "rses", form="b")
    assert "coding='1-4'" in text
