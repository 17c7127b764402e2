"""No hidden count can be narrowed: the attacker here is written apart from the one that protects."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from scipy.optimize import Bounds, OptimizeResult, linprog, milp

from mbc.errors import SettingsError
from mbc.privacy.small_numbers import attacker
from mbc.privacy.small_numbers import protect as protection
from mbc.privacy.small_numbers.attacker import Relation, Shown, feasible_range
from mbc.privacy.small_numbers.protect import Table, joined, protect
from mbc.privacy.small_numbers.rounded_counts import SmallNumberRule, publish, small_number_rule

pytestmark = pytest.mark.long

PARTS = ("recovered", "improved", "same", "worse")
RELATIONS = (
    Relation("all", PARTS),
    Relation("all", ("began",), exact=False),
    Relation("began", ("recovered",), False),
)


def could_be(shown: Shown, k: int) -> tuple[int, int | None]:
    """What a reader knows of one count, from the rule as it is documented."""
    if shown.rounded is None:
        return (1, k - 1) if shown.small else (0, None)
    if shown.rounded == 0:
        return 0, 0
    low = shown.rounded - k // 2
    return max(low, k), low + k - 1


def attack(shown: dict[str, Shown], target: dict[str, int], k: int) -> tuple[float, float]:
    """Linear programming by hand: scipy's linprog over the published counts and how they add up."""
    names = list(shown)
    equal, equal_to, most, most_to = [], [], [], []
    for relation in RELATIONS:
        row = [0.0] * len(names)
        row[names.index(relation.total)] = -1.0
        for part in relation.parts:
            row[names.index(part)] = 1.0
        (equal if relation.exact else most).append(row)
        (equal_to if relation.exact else most_to).append(0.0)
    goal = [float(target.get(name, 0)) for name in names]
    ends = []
    for sign in (1, -1):
        made = linprog([sign * factor for factor in goal], most, most_to, equal, equal_to,
                       [could_be(shown[name], k) for name in names], integrality=1)  # fmt: skip
        assert made.status in (0, 3), made.message
        ends.append(sign * made.fun if made.status == 0 else -sign * float("inf"))
    return ends[0], ends[1]


def test_what_would_be_hidden_first_may_be_counted_nowhere():
    rule = SmallNumberRule("nhs5", 5)
    table = Table({"all": 17, "improved": 8, "same": 8, "worse": 1},
                  (Relation("all", ("improved", "same", "worse")),), ("absent", "same"))  # fmt: skip
    assert protect(table, rule)["same"] == Shown(None)


def tables(k: int, size: int):
    """Tables around the limits: counts of 0, of 1 to k - 1, of k, and a few larger ones."""
    draw = random.Random(3)
    near = [0, 1, 2, k - 1, k, k + 1, k + 2, k + 3, 2 * k + 2, 4 * k]
    for _ in range(size):
        counts = {name: draw.choice(near) for name in PARTS}
        counts["all"] = sum(counts.values())
        counts["began"] = draw.randint(counts["recovered"], counts["all"])
        yield counts


@pytest.mark.parametrize(
    ("preset", "size"),
    [
        ("nhs5", 60),
        ("cms11", 8),
        pytest.param("cms11", 30, marks=pytest.mark.slow),
        pytest.param(7, 20, marks=pytest.mark.slow),
    ],
)
def test_no_hidden_count_is_narrowed_below_the_preset(preset, size):
    rule = small_number_rule(preset)
    for counts in tables(rule.smallest, size):
        shown = protect(Table(counts, RELATIONS, ("same", "improved")), rule)
        for name, count in counts.items():
            low, high = attack(shown, {name: 1}, rule.smallest)
            assert low <= count <= high  # nothing false is published
            if rule.hides(count):
                assert high - low >= rule.smallest - 2, (counts, name)
        rest = counts["began"] - counts["recovered"]
        low, high = attack(shown, {"began": 1, "recovered": -1}, rule.smallest)
        assert low <= rest <= high
        if rule.hides(rest):
            assert high - low >= rule.smallest - 2, (counts, "began, not recovered")


@pytest.mark.parametrize("size", [8, pytest.param(25, marks=pytest.mark.slow)])
def test_the_two_attackers_agree(size):
    rule = small_number_rule("nhs5")
    for counts in tables(5, size):
        shown = {
            name: Shown(None, True) if rule.hides(n) else Shown(rule.rounded(n)) for name, n in counts.items()
        }
        for name in counts:
            assert attack(shown, {name: 1}, 5) == feasible_range({name: 1}, shown, RELATIONS, rule)


def test_tables_joined_keep_their_names_apart_but_for_what_is_the_same_in_all():
    parts = Relation("left", ("yes", "no"), exact=False, kinds=False)
    first = Table({"yes": 6, "no": 7}, (parts,), ("no",), ("@all", "left"))
    second = Table({"yes": 8, "@all": 30}, (Relation("@all", ("yes",)),), ("yes", "@all"), ("@all",))
    between = Relation("a.yes", ("b.yes",), exact=False)
    assert joined({"a.": first, "b.": second}, [between]) == Table(
        {"a.yes": 6, "a.no": 7, "b.yes": 8, "@all": 30},
        (
            Relation("a.left", ("a.yes", "a.no"), exact=False, kinds=False),
            Relation("@all", ("b.yes",)),
            between,
        ),
        ("a.no", "b.yes", "@all"),
        ("@all", "a.left"),
        (("a.yes", "a.no"), ("b.yes", "b.@all")),
    )


def test_counts_of_the_same_part_are_given_up_before_those_of_another():
    """Either of the two would protect the small one."""
    counts = {"total": 17, "a.small": 1, "a.other": 8, "b.other": 8}
    relations = (Relation("total", ("a.small", "a.other", "b.other")),)
    parts = (("a.small", "a.other"), ("b.other",))
    for parts_known, hidden in (((), "b.other"), (parts, "a.other")):
        shown = protect(Table(counts, relations, ("b.other",), parts=parts_known), small_number_rule("nhs5"))
        assert [name for name in counts if shown[name].rounded is None] == ["a.small", hidden]


def test_where_no_single_count_helps_those_that_are_related_are_given_up():
    """The small count is told by two sums, so one more hidden count in either of them changes nothing."""
    rule = small_number_rule("nhs5")
    counts = {"unrelated": 8, "one": 17, "two": 17, "small": 1, "p": 8, "q": 8, "r": 8, "s": 8}
    relations = (Relation("one", ("small", "p", "q")), Relation("two", ("small", "r", "s")),
                 Relation("elsewhere", ("unrelated",), exact=False))  # fmt: skip
    shown = protect(Table(counts, relations, ("unrelated",)), rule)
    low, high = feasible_range({"small": 1}, shown, relations, rule)
    assert high - low >= 3
    assert shown["unrelated"] == Shown(10)


def test_a_relation_that_is_of_no_kinds_hides_no_zero_and_does_not_end_the_search():
    rule = small_number_rule("nhs5")
    counts = {"all": 20, "improved": 20, "worse": 0}
    parts = ("improved", "worse")
    assert protect(Table(counts, (Relation("all", parts, kinds=False),)), rule)["worse"] == Shown(0)
    both = (Relation("all", ("improved",), exact=False), Relation("all", parts))
    assert protect(Table(counts, both), rule)["worse"].rounded is None


def test_what_is_true_of_everybody_is_not_published():
    """All 20 improved: with both zeros shown, each of them would be known to have improved."""
    rule = small_number_rule("nhs5")
    parts = Relation("all", ("improved", "same", "worse"))
    shown = protect(Table({"all": 20, "improved": 20, "same": 0, "worse": 0}, (parts,), ("same",)), rule)
    assert (shown["improved"].rounded, shown["same"].rounded, shown["worse"].rounded) == (20, None, 0)
    low, high = feasible_range({"all": 1, "improved": -1}, shown, [parts], rule)
    assert (low, high) == (0, 4)


def test_the_difference_of_two_published_counts_is_never_small():
    for preset in ("nhs5", "cms11", 8):
        rule = small_number_rule(preset)
        published = {rule.rounded(n) for n in range(200) if not rule.hides(n)}
        for a, b in itertools.combinations(published, 2):
            assert abs(a - b) >= rule.smallest


def test_counts_are_rounded_first_and_shares_follow():
    nhs5, cms11 = small_number_rule("nhs5"), small_number_rule("cms11")
    assert [str(publish(n, 20, nhs5)) for n in (0, 4, 5, 7, 8, 18)] == [
        "0 of 20", "NULL", "5 of 20", "5 of 20", "10 of 20", "20 of 20",
    ]  # fmt: skip
    assert [str(publish(n, 40, cms11)) for n in (0, 10, 11, 16, 17)] == [
        "0 of 44", "NULL", "11 of 44", "11 of 44", "22 of 44",
    ]  # fmt: skip
    assert publish(7, 12, nhs5).percent == 50
    assert publish(0, 0, nhs5).percent is None
    with pytest.raises(SettingsError):
        small_number_rule(2)


def test_which_zero_is_hidden_where_all_are_of_one_kind_and_where_none_is():
    rule = small_number_rule("nhs5")
    parts = Relation("all", ("improved", "same", "worse"))

    def made(counts, relation=parts, hide_first=()):
        return {
            name: shown.rounded for name, shown in protect(Table(counts, (relation,), hide_first), rule).items()
        }

    alone = {"all": 20, "improved": 20, "same": 0, "worse": 0}
    assert made(alone, hide_first=("worse",)) == {"all": 20, "improved": 20, "same": 0, "worse": None}
    assert made(alone) == {"all": 20, "improved": 20, "same": None, "worse": 0}
    assert (
        made({"all": 20, "improved": 10, "same": 10, "worse": 0})["worse"] == 0
    )  # two kinds: nothing is given away
    two = Relation("all", ("improved", "other"))
    assert made({"all": 20, "improved": 20, "other": 0}, two)["other"] is None
    assert set(made({"all": 0, "improved": 0, "other": 0}, two).values()) == {0}
    some = Relation("all", ("improved", "other"), exact=False)  # there may be others besides
    assert made({"all": 30, "improved": 20, "other": 0}, some)["other"] == 0


def test_a_count_that_is_hidden_for_its_size_says_so_and_unknown_parts_are_passed_over():
    rule = small_number_rule("nhs5")
    shown = protect(
        Table({"all": 40, "improved": 37, "worse": 3}, (Relation("all", ("improved", "worse")),)), rule
    )
    assert shown["worse"].small
    assert not shown["all"].small
    begun = protect(Table({"all": 40}, (Relation("all", ("began",), exact=False),)), rule)
    assert begun["all"].rounded == 40


def test_a_zero_that_was_hidden_does_not_follow_from_another_table():
    """All 20 of group a are x, so that one of its zeros is hidden; everybody's zero would give it back."""
    rule = small_number_rule("nhs5")
    counts = {"all": 40, "x": 34, "z": 0, "y": 6, "a.all": 20, "a.x": 20, "a.z": 0, "a.y": 0,
              "b.all": 20, "b.x": 14, "b.z": 0, "b.y": 6}  # fmt: skip
    relations = tuple(Relation(f"{each}all", (f"{each}x", f"{each}z", f"{each}y")) for each in ("", "a.", "b."))
    added = tuple(Relation(name, (f"a.{name}", f"b.{name}"), kinds=False) for name in ("all", "x", "z", "y"))
    shown = protect(Table(counts, relations + added), rule)
    assert shown["a.z"].rounded is None
    low, high = feasible_range({"a.z": 1}, shown, relations + added, rule)
    assert low == 0
    assert high >= 1


def test_nothing_is_asked_twice(monkeypatch):
    asked: list[object] = []

    def noting(quantity, shown, relations, rule):
        asked.append((frozenset(quantity.items()), frozenset(shown.items())))
        return feasible_range(quantity, shown, relations, rule)

    monkeypatch.setattr(protection, "feasible_range", noting)
    for counts in tables(5, 40):
        protect(Table(counts, RELATIONS, ("same", "improved")), small_number_rule("nhs5"))
        assert len(asked) == len(set(asked))
        asked.clear()


def above_the_truth(goal, *, constraints, integrality, bounds):
    """A solver that gives a lowest value above the true one, 1, and no highest one, for the count "worse"."""
    if goal[3] < 0:
        return OptimizeResult(status=3, x=None, fun=None, success=False, message="")
    return milp(goal, constraints=constraints, integrality=integrality,
                bounds=Bounds(np.maximum(bounds.lb, [0, 0, 0, 2, 0]), bounds.ub))  # fmt: skip


def nothing_is_possible(goal, **_):
    return OptimizeResult(status=2, x=None, fun=None, success=False, message="infeasible")


def counts_that_cannot_be(goal, **_):
    """A solver whose answer contradicts what was published."""
    return OptimizeResult(status=0, x=100.0 * np.sign(goal), fun=-100.0, success=True, message="")


@pytest.mark.parametrize("solver", [above_the_truth, nothing_is_possible, counts_that_cannot_be])
def test_a_solver_that_contradicts_the_truth_hides_more_never_less(monkeypatch, solver):
    """The true counts are always possible: an answer that rules them out says nothing."""
    rule = small_number_rule("nhs5")
    counts = {"all": 17, "improved": 8, "same": 8, "worse": 1, "apart": 30}
    table = Table(counts, (Relation("all", ("improved", "same", "worse")),), ("same",))
    assert protect(table, rule)["all"].rounded == 15
    monkeypatch.setattr(attacker.optimize, "milp", solver)
    shown = protect(table, rule)
    assert [shown[name] for name in ("all", "improved", "same", "worse")] == [Shown(None)] * 4
    assert shown["apart"].rounded == 30
