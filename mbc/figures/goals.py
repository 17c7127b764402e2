"""How a client's own goals are drawn: each in a panel of its own, ratings 0 to 10 against the goal."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mbc.care import words
from mbc.care.values.review import GoalProgress
from mbc.figures.text import plain
from mbc.figures.theme import FONT, PALETTES, Palette, Theme

RATING_RANGE = (0.0, 10.0)  # Law & Jacob (2015), goal-based outcomes: 0 = not at all met, 10 = fully met
_PANEL, _FRAME = 150, 60  # pixels


def goals_figure(goals: Sequence[GoalProgress], *, theme: Theme = "light") -> go.Figure:
    """Draw goals that are rated 0 to 10, one panel each.

    Parameters
    ----------
    goals : sequence of GoalProgress
        From `mbc.care.client_review`; goals set on a questionnaire's points are drawn on its own chart.
    theme : {"light", "dark"}

    Returns
    -------
    plotly.graph_objects.Figure
        ``layout.meta["caption"]`` says each goal's movement in words.
    """
    palette = PALETTES[theme]
    rated = [goal for goal in goals if goal.scale is None]
    figure = make_subplots(
        rows=max(len(rated), 1),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=min(0.3 / max(len(rated), 1), 0.16),
        subplot_titles=[plain(goal.label, 46) for goal in rated] or ["No goal on record"],
    )
    for row, goal in enumerate(rated, start=1):
        _add_goal(figure, goal, row, palette)
    caption = " ".join(f"{goal.label}: {goal.words}" for goal in rated) or "No goal on record."
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": palette.ink},
        paper_bgcolor=palette.paper,
        plot_bgcolor=palette.paper,
        height=_FRAME + _PANEL * max(len(rated), 1),
        margin={"l": 36, "r": 12, "t": 32, "b": 36},
        showlegend=False,
        dragmode=False,
        hoverlabel={"bgcolor": palette.paper, "font": {"color": palette.ink}},
        meta={"caption": caption, "description": caption},
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": palette.ink})
    figure.update_xaxes(nticks=6, showgrid=False, linecolor=palette.quiet, fixedrange=True, showline=True)
    figure.update_yaxes(
        range=[RATING_RANGE[0] - 0.5, RATING_RANGE[1] + 0.5],
        tickvals=[0, 5, 10],
        gridcolor=palette.grid,
        zeroline=False,
        fixedrange=True,
    )
    return figure


def _add_goal(figure: go.Figure, goal: GoalProgress, row: int, palette: Palette) -> None:
    days = [day for day, _ in goal.ratings]
    figure.add_trace(
        go.Scatter(
            x=days,
            y=[rating for _, rating in goal.ratings],
            name="Rating",
            mode="lines+markers",
            line={"color": palette.score, "width": 2.5},
            marker={"size": 9, "color": palette.score},
            hovertext=[
                f"<b>{words.number(rating, 1)}</b> of 10 on {words.day(day)}" for day, rating in goal.ratings
            ],
            hoverinfo="text",
            meta={"goal": goal.goal_id},
        ),
        row=row,
        col=1,
    )
    if goal.target is None:
        return
    end = goal.retired_on or max([goal.set_on, *days])
    figure.add_trace(
        go.Scatter(
            x=[goal.set_on, end],
            y=[goal.target] * 2,
            name="Goal",
            mode="lines+text",
            line={"color": palette.goal, "width": 2, "dash": "dashdot"},
            text=[f"Goal {words.number(goal.target, 1)}", ""],
            textposition="top right" if goal.target < RATING_RANGE[1] else "bottom right",
            textfont={"color": palette.ink, "size": 12},
            hovertext=[f"Goal: {words.number(goal.target, 1)} of 10"] * 2,
            hoverinfo="text",
        ),
        row=row,
        col=1,
    )
