"""Where a doubt of a coding begins, to the answer: by answers that lie on each side of every limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from mbc.instruments import instrument
from mbc.instruments.scoring.doubts import (
    ItemMoments,
    coding_doubt,
    fitting_coding,
    is_keyed_both_ways,
    order_doubt,
    undecided_coding,
)


@dataclass(frozen=True)
class Ends:
    """Answers taken together, as a table would give them."""

    count: int
    extremes: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    at_lowest: int = 0
    one_above: int = 0
    beyond: int = 0


def spread(items: int, low: float, high: float) -> dict[int, tuple[float, float]]:
    return dict.fromkeys(range(1, items + 1), (low, high))


def doubt(key: str, ends: Ends, coding: str | None = None):
    definition = instrument(key)
    return coding_doubt(definition, definition.form(), definition.coding(coding), ends)


def test_answers_one_above_the_highest_and_none_at_the_lowest_are_numbered_one_higher():
    found = doubt("phq9", Ends(9, spread(9, 1, 4), one_above=2))
    assert found is not None
    assert (found.kind, found.form, found.coding) == ("one higher", None, None)
    assert found.text == "no answer of 9 is 0 and 2 are 4, so they seem to be numbered 1 to 4, not 0 to 3"
    (single,) = [doubt("phq9", Ends(9, spread(9, 1, 4), one_above=1))]
    assert single is not None
    assert " and 1 is 4, " in single.text


@pytest.mark.parametrize(
    "ends",
    [
        Ends(9, spread(9, 0, 4), at_lowest=1, one_above=2),  # the lowest answer is there
        Ends(9, spread(9, 1, 7), one_above=2, beyond=1),  # and another that no coding one higher has
        Ends(9, spread(9, 1, 3)),
        Ends(0),
        Ends(500, one_above=2),  # nothing was read
    ],
)
def test_a_few_other_answers_are_no_reason(ends):
    assert doubt("phq9", ends) is None


def test_a_hundred_answers_without_a_single_no_complaint_are_doubted_for_symptoms_alone():
    found = doubt("phq9", Ends(100, spread(9, 1, 3)))
    assert found is not None
    assert found.kind == "no lowest"
    assert found.text == (
        "no answer of 100 is 0, the answer of those without complaints, so they seem to be numbered from 1"
    )
    assert doubt("phq9", Ends(99, spread(9, 1, 3))) is None
    assert doubt("phq9", Ends(100, spread(9, 0, 3), at_lowest=1)) is None
    assert doubt("phq9", Ends(100, spread(9, 1, 3), beyond=1)) is None
    assert doubt("who5", Ends(100, spread(5, 1, 5))) is None  # there the lowest answer is the complaint
    assert doubt("rses", Ends(100, spread(10, 1, 3))) is None  # and here it is both


def test_two_hundred_answers_never_near_the_top_are_doubted_where_items_run_both_ways():
    found = doubt("ecr_r", Ends(200, spread(36, 1, 5), at_lowest=40))
    assert found is not None
    assert (found.kind, found.coding) == ("never high", "1-5")
    assert found.text == "no answer of 200 is above 5, but its answers go from 1 to 7"
    assert doubt("ecr_r", Ends(199, spread(36, 1, 5), at_lowest=40)) is None
    assert doubt("ecr_r", Ends(200, spread(36, 1, 5) | {7: (1, 6)}, at_lowest=40)) is None
    four = doubt("ecr_r", Ends(200, spread(36, 1, 4), at_lowest=40))
    assert four is not None
    assert four.coding is None  # no coding of its own ends there
    assert doubt("rses", Ends(200, spread(10, 0, 1), at_lowest=40)) is None  # four answers: nobody need use all
    assert doubt("sses", Ends(200, spread(20, 1, 3), at_lowest=40)) is None  # nor five
    assert doubt("k10", Ends(200, spread(10, 1, 3), at_lowest=40)) is None  # all items in one direction


def test_items_with_different_answers_raise_no_doubt():
    definition = instrument("csi16")
    assert len({definition.coding().accepted(item) for item in definition.items}) > 1
    assert doubt("csi16", Ends(500, spread(16, 1, 7), one_above=90)) is None


def test_many_answers_that_two_codings_explain_are_undecided():
    definition = instrument("rses")
    form, low, high = definition.form(), definition.coding("0-3"), definition.coding("1-4")

    def undecided(coding, ends):
        return undecided_coding(definition, form, coding, ends)

    found = undecided(low, Ends(100, spread(10, 1, 3)))
    assert found is not None
    assert (found.kind, found.coding) == ("another coding", "1-4")
    assert found.text == "no answer of 100 is the lowest of coding 0-3; all would fit 1-4 too"
    assert undecided(low, Ends(99, spread(10, 1, 3))) is None
    assert undecided(low, Ends(100, spread(10, 1, 3) | {4: (0, 3)})) is None
    assert undecided(high, Ends(100, spread(10, 1, 3))) is None  # its lowest answer was used
    assert undecided(high, Ends(100, spread(10, 2, 4))) is None  # 4 is in no other
    safety = instrument("hits")
    assert safety.safety_channel
    assert undecided_coding(safety, safety.form(), safety.coding(), Ends(100, spread(4, 2, 4))) is None


def test_a_coding_fits_when_it_has_every_answer_and_is_told_apart():
    definition = instrument("rses")
    form, low, high = definition.form(), definition.coding("0-3"), definition.coding("1-4")
    assert fitting_coding(definition, form, low, spread(10, 1, 4)) == "1-4"
    assert fitting_coding(definition, form, low, spread(10, 0, 3)) is None
    assert fitting_coding(definition, form, high, spread(10, 0, 3)) == "0-3"
    assert fitting_coding(definition, form, high, spread(10, 1, 3) | {9: (1, 4)}) is None
    single = instrument("phq9")
    assert fitting_coding(single, single.form(), single.coding(), spread(9, 1, 3)) is None


def test_moments_of_parts_add_to_those_of_all_and_blanks_are_left_out():
    chance = np.random.default_rng(3)
    values = chance.integers(0, 4, (40, 5)).astype(float)
    values[7, 2] = np.nan
    complete = np.delete(values, 7, axis=0)
    moments = ItemMoments.of(values[:15]) + ItemMoments.of(values[15:])
    assert moments.rows == 39
    assert moments.covariance() == pytest.approx(np.cov(complete, rowvar=False))


def test_fewer_than_two_hundred_questionnaires_raise_no_doubt_of_the_order():
    definition = instrument("rses")
    chance = np.random.default_rng(5)
    trait = chance.standard_normal((200, 1))
    wrong = np.clip(np.round(1.5 + trait + 0.3 * chance.standard_normal((200, 10))), 0, 3)  # no item was turned
    ask = (definition, definition.form(), definition.coding())
    assert order_doubt(*ask, None) is None
    assert order_doubt(*ask, ItemMoments.of(wrong[:199])) is None
    found = order_doubt(*ask, ItemMoments.of(wrong))
    assert found is not None
    assert found.kind == "against the rest"
    assert "run against the rest of the scale in 200 complete questionnaires" in found.text


def test_which_questionnaires_are_keyed_both_ways():
    assert [key for key in ("rses", "ecr_r", "phq9", "who5", "k10") if is_keyed_both_ways(instrument(key))] == [
        "rses", "ecr_r",
    ]  # fmt: skip
