"""Frozen values in, plotly figures out; the same figures in the app, in reports and in notebooks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mbc.figures.goals import goals_figure
    from mbc.figures.outcomes import outcomes_figure
    from mbc.figures.sparkline import sparkline_svg
    from mbc.figures.trajectory import trajectory_figure

__all__ = ["goals_figure", "outcomes_figure", "sparkline_svg", "trajectory_figure"]

_HOME = {
    "goals_figure": "goals",
    "outcomes_figure": "outcomes",
    "sparkline_svg": "sparkline",
    "trajectory_figure": "trajectory",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mbc.figures' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"mbc.figures.{_HOME[name]}"), name)
    globals()[name] = value
    return value
