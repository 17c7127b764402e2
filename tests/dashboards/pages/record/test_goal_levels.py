"""A goal is rated 0 to 10, or from -2 to 2, and may name the pattern that it is to change."""

from __future__ import annotations

import pytest

from mbc.care.client.goals import rating_range
from mbc.store import Relationship, RelationshipStatus
from tests.dashboards.pages.record.sheets import LIST, TODAY, fill
from tests.dashboards.record import day


def test_a_goal_of_attainment_is_set_and_rated_by_its_levels(ash, record):
    levels = {
        "label": "Say no once a week",
        "levels": "gas",
        "baseline": "-1",
        "target": "0",
        "set_on": "2026-03-10",
    }
    assert fill(ash, f"{LIST}/goal", **levels, pattern="giving in").status_code == 303
    goal = record.goals(client_id="C001").row(-1, named=True)
    assert (goal["baseline"], goal["target"], goal["pattern"]) == (-1.0, 0.0, "giving in")
    page = ash.get(f"{LIST}/goal-ratings").text
    assert [f'value="{n}" data-key="{n + 3}"' in page for n in range(-2, 3)] == [True] * 5
    assert fill(ash, f"{LIST}/goal-ratings", **{"rating-1": "2"}).status_code == 303
    rated = record.goal_ratings(client_id="C001").filter(goal_id=goal["goal_id"], rated_on=TODAY)
    assert rated["rating"].to_list() == [2.0]
    assert fill(ash, f"{LIST}/goal-ratings", **{"rating-1": "7"}).status_code == 400
    with record.writing() as writing:
        writing.add(Relationship("R-2", "C001", "R2"))
        writing.add(RelationshipStatus("C001", "dating", day(8), "R-2"))
    fill(ash, f"{LIST}/pattern", whose="R-1", pattern="giving in")
    fill(ash, f"{LIST}/support", people="4", quality="7")
    page = ash.get("/client/C001?plain=1").text
    assert "in 1 of 2 relationships, not in the current one" in page
    assert "Say no once a week" in page
    assert "Support network: 4 people, quality 7 of 10 (20 Mar 2026)." in page
    assert record.verify().intact


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"levels": "gas", "baseline": "-1", "target": "8"}, "On this scale, enter a number from -2 to 2."),
        ({"levels": "gas", "baseline": "1", "target": "2"}, "a goal starts at -2 or -1"),
        ({"levels": "points", "baseline": "-1", "target": "8"}, "On this scale, enter a number from 0 to 10."),
        ({"levels": "points", "baseline": "11"}, "Enter a number from -2 to 10."),
    ],
    ids=str,
)
def test_a_level_that_does_not_exist_is_refused_beside_its_field(ash, record, typed, says):
    answer = fill(ash, f"{LIST}/goal", label="Rest", **typed)
    assert answer.status_code == 400
    assert says in answer.text
    assert record.goals(client_id="C001").height == 1


def test_levels_follow_from_where_a_goal_begins():
    assert [rating_range(*ends) for ends in ((None, None), (2, 8), (-2, 0), (None, -1))] == [
        (0, 10), (0, 10), (-2, 2), (-2, 2),
    ]  # fmt: skip
