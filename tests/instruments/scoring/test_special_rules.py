"""Rules that a sum or a mean cannot say, each held to an example worked by hand."""

from __future__ import annotations

import importlib

import polars as pl
import pytest

import mbc
from mbc import models
from mbc.errors import DefinitionError, FrameError, InvalidResponse
from mbc.instruments import across_targets, instrument, keyed_items, phq9_algorithm
from mbc.instruments.definition.algorithms import PROCEDURES
from mbc.models.individual.goals import GAS_CORRELATION, GBO_RELIABLE_CHANGE

# -- A-RSQ: concern x (7 - expected acceptance), averaged over nine situations


@pytest.mark.parametrize(
    ("answers", "total"),
    [
        ((6, 1) * 9, 36.0),  # 6 x (7 - 1)
        ((1, 6) * 9, 1.0),  # 1 x (7 - 6)
        # 2x4 + 3x2 + 1x1 + 4x3 + 5x6 + 2x2 + 6x5 + 1x4 + 3x3 = 104
        ((2, 3, 3, 5, 1, 6, 4, 4, 5, 1, 2, 5, 6, 2, 1, 3, 3, 4), 104 / 9),
    ],
)
def test_rejection_sensitivity_is_a_mean_of_products(answers, total, table, read, columns):
    assert read(mbc.score(table(columns("a_rsq", [answers])), "a_rsq"))["a_rsq_total"] == [pytest.approx(total)]


def test_rejection_sensitivity_with_a_blank_averages_the_complete_situations_only_on_request(table, read, columns):
    made = table(columns("a_rsq", [(None, 3, *((3, 5) * 8)), (None, 3, None, 5, *((3, 5) * 7))]))
    assert read(mbc.score(made, "a_rsq"))["a_rsq_total"] == [None, None]
    asked = read(mbc.score(made, "a_rsq", missing="prorate"))
    assert asked["a_rsq_total"] == [6.0, None]  # eight situations of 3 x 2; seven are too few
    assert asked["a_rsq_total_prorated"] == [True, False]


# -- CORE-10: ten times the mean; the authors' rule for one blank


@pytest.mark.parametrize(
    ("answers", "total", "answered"),
    [
        ((0,) * 10, 8.0, 10),  # the two items about what goes well count 4 each
        ((4, 0, 0, 4, 4, 4, 4, 4, 4, 4), 40.0, 10),
        ((1, 3, 3, 1, 1, 0, None, 1, 2, 1), 10.0, 9),  # 10 x 9 / 9
        ((1, 3, 3, 1, 1, 0, None, None, 2, 1), None, 8),  # two blanks: no score
        ((None,) * 10, None, 0),  # nothing answered is not the best score
    ],
)
def test_the_clinical_score_is_ten_times_the_mean(answers, total, answered, table, read, columns):
    row = read(mbc.score(table(columns("core10", [answers])), "core10"))
    assert (row["core10_total"], row["core10_total_answered"]) == ([total], [answered])
    assert row["core10_total_prorated"] == [answered == 9]


def test_values_as_printed_on_the_core_form_end_on_the_same_score(table, read, columns):
    said = (1, 3, 2, 1, 1, 0, 2, 1, 2, 1)
    printed = (1, 1, 2, *said[3:])  # beside the answers to items 2 and 3 stand 4 to 0
    plain = read(mbc.score(table(columns("core10", [said])), "core10"))["core10_total"]
    assert (
        read(mbc.score(table(columns("core10", [printed])), "core10", coding="printed"))["core10_total"] == plain
    )


# -- Kessler: the same person, another coding


@pytest.mark.parametrize(("key", "other", "shift"), [("k6", "1-5", 1), ("k10", "0-4", -1)])
def test_kessler_scores_keep_their_metric_whatever_the_coding(key, other, shift, table, read, columns):
    rows = [tuple(item.minimum + 2 for item in instrument(key).items)]
    wanted = read(mbc.score(table(columns(key, rows)), key))[f"{key}_total"]
    shifted = [tuple(one + shift for one in rows[0])]
    assert read(mbc.score(table(columns(key, shifted)), key, coding=other))[f"{key}_total"] == wanted


# -- WSAS: work may not apply


def test_without_work_the_other_four_are_summed_out_of_32_and_no_band_is_given(table, read, columns):
    rows = [(9, 3, 5, 2, 4), (8, 3, 5, 2, 4), (9, 8, 8, 8, 8), (9, 3, None, 2, 4), (None, 3, 5, 2, 4)]
    row = read(mbc.score(table(columns("wsas", rows)), "wsas"))
    assert row["wsas_total"] == [14.0, 22.0, 32.0, None, None]
    assert row["wsas_total_maximum"] == [32.0, 40.0, 32.0, 32.0, 40.0]
    assert row["wsas_total_answered"] == [4, 5, 4, 3, 4]
    assert row["wsas_total_band"] == [None, "moderately severe or worse", None, None, None]


def test_prorating_without_work_needs_as_few_blanks_as_with_it(table, read, columns):
    rows = [(9, 3, None, 2, 4), (9, 3, None, None, 4), (8, 4, None, 4, 4), (9, 3, 5, 2, 4)]
    row = read(mbc.score(table(columns("wsas", rows)), "wsas", missing="prorate"))
    assert row["wsas_total"] == [12.0, None, 25.0, 14.0]  # 9 / 3 x 4; two blanks; 20 / 4 x 5; complete
    assert row["wsas_total_prorated"] == [True, False, True, False]


def test_that_work_does_not_apply_is_no_answer_elsewhere(columns):
    with pytest.raises(InvalidResponse, match=r"wsas_2 has 9 \(accepted: 0-8\)"):
        mbc.score(pl.DataFrame(columns("wsas", [(0, 9, 0, 0, 0)])), "wsas")
    with pytest.raises(InvalidResponse, match=r"wsas_1 has 10 \(accepted: 0-8, or 9 = does not apply\)"):
        mbc.score(pl.DataFrame(columns("wsas", [(10, 0, 0, 0, 0)])), "wsas")
    out = keyed_items(pl.DataFrame(columns("wsas", [(9, 1, 1, 1, 1)])), "wsas")
    assert out["wsas_keyed_i1"].to_list() == [None]


# -- PHQ-9: the pattern of answers, which is no diagnosis


PATTERNS = [
    ((2, 0, 2, 2, 2, 2, 0, 0, 0), "major"),  # five symptoms, one of the first two among them
    ((2, 0, 2, 2, 2, 0, 0, 0, 1), "major"),  # thoughts of death count on any day
    ((0, 0, 2, 2, 2, 2, 2, 2, 3), "none"),  # seven, but neither low mood nor lost interest
    ((0, 2, 2, 0, 0, 0, 0, 0, 0), "other"),
    ((2, 2, 2, 2, 0, 0, 0, 0, 0), "other"),  # four
    ((3, 0, 0, 0, 0, 0, 0, 0, 0), "none"),  # one symptom
    ((1,) * 9, "none"),  # several days is not more than half of them; a total of 9
    ((2, 0, 2, 2, 2, 2, None, None, None), "major"),  # whatever the blanks are
    ((2, 0, 2, 2, 2, None, 0, 0, 0), None),  # four or five: the blank decides
    ((None, 0, 0, 0, 0, 0, 0, 0, 0), "none"),  # one at most
]


@pytest.mark.parametrize("rows", [PATTERNS, [((None,) * 9, None)]], ids=["answered", "blank"])
def test_the_pattern_of_the_phq(rows, table, read, columns):
    answers, patterns = zip(*rows, strict=True)
    assert read(phq9_algorithm(table(columns("phq9", answers))))["phq9_pattern"] == list(patterns)


def test_the_pattern_is_no_column_of_score_and_says_that_it_is_no_diagnosis(columns):
    made = pl.DataFrame(columns("phq9", [(3,) * 9]))
    assert not [name for name in mbc.score(made, "phq9").columns if "pattern" in name]
    assert "not a diagnosis" in PROCEDURES["phq9_algorithm"].says
    assert "not a diagnosis" in phq9_algorithm.__doc__


# -- ECR-RS: one sheet for each relationship, and a mean over relationships

WARM, WARY = (6, 5, 6, 6, 2, 3, 5, 4, 6), (1, 1, 1, 1, 7, 7, 7, 7, 7)  # avoidance 14/6, 7; anxiety 5, 7


def sheets(rows):
    who, about, when, answers = zip(*rows, strict=True)
    items = {f"ecr_rs_{n}": list(each) for n, each in enumerate(zip(*answers, strict=True), 1)}
    return {"who": list(who), "about": list(about), "day": list(when)} | items


def test_each_relationship_is_scored_by_itself_and_counted_once_in_the_mean(table, read):
    made = table(
        sheets(
            [
                ("b", "partner", 1, WARM),
                ("a", "mother", 1, WARY),
                ("a", "partner", 1, WARM),
                ("a", "self", 1, WARY),  # about nobody in particular
                ("a", "partner", 2, (6, 5, 6, 6, 2, 3, 5, None, 6)),  # one blank: no anxiety
            ]
        )
    )
    out = across_targets(made, person="who", target="about", occasion="day")
    assert type(out) is type(made)
    row = read(out)
    assert list(zip(row["who"], row["day"], strict=True)) == [("a", 1), ("a", 2), ("b", 1)]
    assert row["ecr_rs_anxiety"] == [6.0, None, 5.0]
    assert row["ecr_rs_anxiety_targets"] == [2, 0, 1]
    assert row["ecr_rs_avoidance"] == [
        pytest.approx((7 + 14 / 6) / 2),
        pytest.approx(14 / 6),
        pytest.approx(14 / 6),
    ]
    assert row["ecr_rs_avoidance_targets"] == [2, 1, 1]


def test_relationships_that_must_all_be_there(table, read):
    made = table(sheets([("a", "mother", 1, WARY), ("a", "partner", 1, WARM), ("b", "partner", 1, WARM)]))
    row = read(across_targets(made, person="who", target="about", needed=["mother", "partner"]))
    assert row["ecr_rs_anxiety"] == [6.0, None]
    assert row["ecr_rs_anxiety_targets"] == [2, 1]


def test_two_sheets_about_the_same_relationship_are_refused(table):
    made = table(sheets([("a", "partner", 1, WARY), ("a", "partner", 2, WARM)]))
    with pytest.raises(FrameError, match=r"who 'a' has 2 sheets about 'partner'.*occasion="):
        across_targets(made, person="who", target="about")


def test_an_instrument_about_nobody_in_particular_has_no_targets(columns):
    with pytest.raises(DefinitionError, match="rses is not answered about another person"):
        across_targets(pl.DataFrame(columns("rses", [(1,) * 10])), person="who", target="about", key="rses")


# -- goals: arithmetic of the models, numbers of the catalogue


def test_goals_are_rated_and_not_scored():
    for key, function in (("gbo", "mbc.models.goal_change"), ("gas", "mbc.models.goal_attainment")):
        with pytest.raises(DefinitionError, match=f"{key} has no items to score.*{function}"):
            mbc.score(pl.DataFrame({f"{key}_1": [1]}), key)


@pytest.mark.parametrize(
    ("levels", "weights", "t"),
    [
        ([1], [1], 60.0),  # 50 + 10 / sqrt(1)
        ([-1, -1], [1, 1], 37.5965),  # 50 - 20 / sqrt(2.6)
        ([1, 1, 1], None, 63.69),
        ([2, 0], [3, 1], 50 + 60 / (0.7 * 10 + 0.3 * 16) ** 0.5),  # weights count, their scale does not
        ([2, 0], [6, 2], 50 + 60 / (0.7 * 10 + 0.3 * 16) ** 0.5),
    ],
)
def test_goal_attainment_with_weights(levels, weights, t):
    assert models.goal_attainment(levels, weights=weights).t == pytest.approx(t, abs=5e-3)


def test_goal_progress_compares_goals_rated_both_times():
    made = models.goal_change([2, 3, 1], [5, 4, None])
    assert (made.baseline, made.current, made.change, made.goals) == (2.5, 4.5, 2.0, 2)


def test_models_and_catalogue_agree_on_the_numbers_of_goals():
    # Neither may import the other, so each holds them; the catalogue says where they are from.
    assert instrument("gbo").main_scale.change.points == GBO_RELIABLE_CHANGE
    assert f"{GAS_CORRELATION:.2f}" in instrument("gas").facts[0].text
    low, high = instrument("gas").main_scale.range
    many = models.goal_attainment([2] * 10_000).t
    assert low < 100 - many < many < high


@pytest.mark.parametrize("name", PROCEDURES)
def test_a_procedure_is_where_the_catalogue_says(name):
    module, _, function = PROCEDURES[name].function.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))
