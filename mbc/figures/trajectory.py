"""How one client's course on one scale is drawn: scores against noise, cutoff, goals, events and expectation.

Every element keeps one trace name in every figure: "Score", "Prorated", "Recorded total", "Measurement error",
"Cutoff", "Goal", "Expected course", "Expected range", "Likely end (80%)", "Events", "Relationship status",
"Not applicable". Nothing of the safety channel reaches a figure: a trajectory does not contain it.
"""

from __future__ import annotations

import plotly.graph_objects as go

from mbc.care.values.course import Trajectory
from mbc.figures.axis import Axis, time_axis
from mbc.figures.canvas import Canvas
from mbc.figures.layout import lay_out
from mbc.figures.marks import add_marks
from mbc.figures.reference import add_curves, add_forecast, add_lines, add_noise, add_not_applicable
from mbc.figures.scores import add_scores
from mbc.figures.theme import PALETTES, Theme


def trajectory_figure(
    trajectory: Trajectory,
    *,
    axis: Axis = "calendar",
    better_is_up: bool = False,
    theme: Theme = "light",
) -> go.Figure:
    """Draw a course.

    Parameters
    ----------
    trajectory : Trajectory
        From `mbc.care.client_trajectory`.
    axis : {"calendar", "session"}
        Calendar days, or therapy sessions (days between sessions fall between their numbers).
    better_is_up : bool
        Turn the score axis of a lower-is-better scale, so that up is better on every chart; its title says so.
    theme : {"light", "dark"}
        The page it is on.

    Returns
    -------
    plotly.graph_objects.Figure
        ``layout.meta["caption"]`` is the plain-language caption, for alternative text.

    Notes
    -----
    The score axis spans the scale's full range, so that a small move looks small. Lines stop at silences longer
    than ``trajectory.gap_days``, at occasions without a score, and where a relationship ends.
    """
    canvas = Canvas(go.Figure(), trajectory, time_axis(trajectory, axis), PALETTES[theme])
    for part in (add_not_applicable, add_noise, add_curves, add_forecast, add_lines, add_scores, add_marks):
        part(canvas)
    lay_out(canvas, better_is_up=better_is_up)
    return canvas.figure
