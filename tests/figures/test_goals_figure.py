"""Goals have panels of their own, on their own 0 to 10."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from mbc.care.values.review import GoalProgress
from mbc.figures import goals_figure

DAY = dt.date(2025, 1, 6)
GOAL = GoalProgress(
    goal_id="g1",
    label="Say no without explaining",
    baseline=2,
    target=8,
    higher_is_better=True,
    set_on=DAY,
    retired_on=None,
    retired_reason=None,
    ratings=((DAY, 2), (DAY + dt.timedelta(weeks=6), 5)),
    movement=3,
    reached=False,
    words="From 2 to 5 on 17 February 2025; 3 points to the target of 8.",
)


def test_each_goal_has_a_panel_with_its_ratings_and_its_goal():
    figure = goals_figure([GOAL, replace(GOAL, goal_id="g2", label="Take up running")])
    ratings = [trace for trace in figure.data if trace.name == "Rating"]
    assert [list(trace.y) for trace in ratings] == [[2, 5], [2, 5]]
    assert [set(trace.y) for trace in figure.data if trace.name == "Goal"] == [{8}, {8}]
    assert [note.text for note in figure.layout.annotations] == ["Say no without explaining", "Take up running"]


def test_a_goal_on_a_questionnaires_points_is_left_to_its_chart():
    figure = goals_figure([replace(GOAL, scale="rses")])
    assert [trace.name for trace in figure.data] == []
    assert figure.layout.meta["caption"] == "No goal on record."


def test_the_caption_says_each_goals_movement():
    assert goals_figure([GOAL], theme="dark").layout.meta["caption"].endswith("3 points to the target of 8.")


def test_a_goal_without_target_or_ratings_is_drawn_as_far_as_it_goes():
    figure = goals_figure([replace(GOAL, target=None, ratings=())])
    assert [trace.name for trace in figure.data] == ["Rating"]
