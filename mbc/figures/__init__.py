"""Frozen values in, plotly figures out; the same figures in the app, in reports and in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mbc.lazy import public_names

if TYPE_CHECKING:
    from mbc.figures.goals import goals_figure as goals_figure
    from mbc.figures.outcomes import outcomes_figure as outcomes_figure
    from mbc.figures.sparkline import sparkline_svg as sparkline_svg
    from mbc.figures.trajectory import trajectory_figure as trajectory_figure

__getattr__, __dir__, _names = public_names(
    __name__,
    {
        "goals": ("goals_figure",),
        "outcomes": ("outcomes_figure",),
        "sparkline": ("sparkline_svg",),
        "trajectory": ("trajectory_figure",),
    },
)
__all__ = sorted(_names)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]
