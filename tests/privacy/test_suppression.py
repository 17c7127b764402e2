"""Small cells stay hidden, even from whoever knows the rule."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from mbc.errors import SettingsError
from mbc.privacy import suppress
from mbc.privacy.suppression import rounded_percent

pytestmark = pytest.mark.long

NAMES = ("recovered", "improved", "unchanged", "deteriorated")


def published(cells, k):
    shown = suppress(dict(zip(NAMES, cells, strict=True)), k=k)
    return tuple(shown.counts.values()), shown.total


@pytest.mark.parametrize(("k", "most"), [(3, 16), (4, 17)])
def test_no_hidden_cell_can_be_worked_back_by_one_who_knows_the_rule(k, most):
    # All tables of four cells that an outsider could think of, grouped by what they would look like published.
    # In every group each hidden cell still has at least two possible values.
    alike = defaultdict(list)
    for cells in itertools.product(range(most), repeat=4):
        alike[published(cells, k)].append(cells)
    betrayed = [
        (seen, tables[0])
        for seen, tables in alike.items()
        if max(tables[0]) < most - k  # at the edge of the enumeration, possible values are cut off
        for position in range(4)
        if seen[0][position] is None and len({table[position] for table in tables}) < 2
    ]
    assert betrayed == []


def test_a_zero_is_a_finding_and_is_shown():
    # NHS England's published queries turned zero numerators into blanks, so "none deteriorated" read as missing.
    assert suppress({"improved": 30, "deteriorated": 0}).counts == {"improved": 30, "deteriorated": 0}


def test_a_single_small_cell_takes_another_with_it():
    shown = suppress({"improved": 30, "unchanged": 25, "deteriorated": 3}, hide_first=["unchanged"])
    assert shown.suppressed == ("unchanged", "deteriorated")
    assert shown.total == 58


def test_where_nothing_can_cover_the_small_cell_the_total_goes_too():
    shown = suppress({"improved": 6, "deteriorated": 1})
    assert shown.suppressed == ("improved", "deteriorated")
    assert shown.total is None


def test_a_group_smaller_than_k_is_hidden_whole():
    shown = suppress({"improved": 4, "deteriorated": 0})
    assert set(shown.counts.values()) == {None}
    assert shown.total is None


def test_a_group_of_exactly_k_people_is_shown():
    shown = suppress({"improved": 5, "deteriorated": 0})
    assert shown.counts == {"improved": 5, "deteriorated": 0}
    assert shown.total == 5


def test_by_default_a_count_of_5_is_shown_and_one_of_4_is_not():
    # NHS England: counts under 5 are not shown.
    assert suppress({"improved": 5, "unchanged": 30}).suppressed == ()
    assert "improved" in suppress({"improved": 4, "unchanged": 30}).suppressed


def test_a_category_of_exactly_k_people_is_given_up_in_its_turn():
    shown = suppress({"deteriorated": 1, "improved": 5, "unchanged": 40, "recovered": 40})
    assert shown.suppressed == ("deteriorated", "improved", "unchanged")  # 1 + 5 are fewer than 3k
    assert shown.total == 86


def test_hidden_categories_that_hold_exactly_3k_people_are_enough():
    shown = suppress({"deteriorated": 3, "improved": 12, "unchanged": 20})
    assert shown.suppressed == ("deteriorated", "improved")
    assert shown.total == 35


@pytest.mark.parametrize(("k", "smallest"), [("nhs5", 5), ("cms11", 11), (7, 7)])
@pytest.mark.parametrize("counts", [{"improved": 4}, {"improved": 30, "unchanged": 40}])
def test_the_smallest_count_that_may_be_shown_is_stated(counts, k, smallest):
    assert suppress(counts, k=k).smallest == smallest


@pytest.mark.parametrize("k", [2, 0, -1, "nhs"])
def test_a_rule_that_hides_nothing_is_refused(k):
    with pytest.raises(SettingsError, match=r"preset|at least 3"):
        suppress({"improved": 10}, k=k)


def test_an_unknown_preset_is_refused_with_those_that_there_are():
    with pytest.raises(SettingsError, match=r"no suppression preset 'nhs'; there are nhs5, cms11, or a number"):
        suppress({"improved": 10}, k="nhs")


def test_rounded_percent_keeps_neighbours_apart_from_nothing():
    # 38 of 40, 41 or 42 look the same, so the few who are missing cannot be counted.
    assert {rounded_percent(38, whole) for whole in (39, 40, 41)} == {95}
