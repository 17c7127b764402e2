"""The sheet of goals: its code finds the goals that it was printed for, whatever has happened to them since."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations

import pytest

from mbc.care.askings import paper_goals
from mbc.care.askings.paper_goals import goals_code, goals_of_code
from mbc.care.client.goals import rating_range
from mbc.errors import MbcError
from mbc.store import Client, Goal, Store

SET = date(2026, 1, 5)
GOALS = [
    Goal("G-b", "C001", "Say what I need", SET, 2, 8),
    Goal("G-a", "C001", "Say no once a week", SET, -1, 0),
    Goal("G-c", "C001", "Sleep", SET),
    Goal("G-d", "C001", "Rest", SET, retired_on=date(2026, 2, 1)),
]


def code_of(goals, client_id="C001"):
    return goals_code(client_id, [(goal.goal_id, rating_range(goal.baseline, goal.target)) for goal in goals])


def test_every_set_of_goals_has_a_code_of_its_own_that_finds_it_for_its_client_alone():
    sets = [chosen for n in range(1, 5) for chosen in combinations(GOALS, n)]
    assert len({code_of(chosen) for chosen in sets}) == len(sets) == 15
    for chosen in sets:
        found = goals_of_code("C001", GOALS, code_of(reversed(chosen)).lower().replace("-", " "))
        assert found == (tuple(sorted(chosen, key=lambda goal: goal.goal_id)), ())
        assert goals_of_code("C002", GOALS, code_of(chosen)) is None
    assert goals_of_code("C001", [], code_of(GOALS)) is None


def test_a_sheet_is_found_after_a_goal_was_retired_added_or_given_other_levels():
    code = code_of(GOALS[:2])
    retired = [replace(GOALS[0], retired_on=date(2026, 3, 1)), *GOALS[1:], Goal("G-0", "C001", "New", SET)]
    assert goals_of_code("C001", retired, code) == ((GOALS[1], retired[0]), ())
    other = [GOALS[0], replace(GOALS[1], baseline=1, target=9), *GOALS[2:]]
    assert goals_of_code("C001", other, code) == ((other[1], GOALS[0]), (other[1],))


def test_a_code_that_fits_several_sheets_is_not_guessed_and_not_printed(monkeypatch):
    monkeypatch.setattr(paper_goals, "letters_of", lambda *_, **__: "AAA-AAA")
    assert goals_of_code("C001", GOALS, "AAA-AAA") is None
    with Store.create("sqlite://") as store:
        with store.writing() as record:
            record.add_all([Client("C001"), *GOALS])
        with pytest.raises(MbcError, match="also fits other goals of this client"):
            paper_goals.printed_goals(store, "C001", [(GOALS[0].goal_id, "")], "en")
