"""What the charts of one client share: the days they span, the places of sessions, the making of a trace.

A trace keeps in ``meta`` what the browser needs to adapt it: its role, and where its points lie on the axis of
sessions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mbc.care.values.course import Trajectory
from mbc.figures.axis import TimeAxis, time_axis
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.theme import FONT

Trace = dict[str, Any]
Chart = dict[str, Any]
_PAD = 0.02  # share of the axis, on either side
_MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Sheet:
    """The time axis that all charts of a client are drawn on."""

    first: dt.date
    last: dt.date
    sessions: TimeAxis
    _places: dict[dt.date, float] = field(
        default_factory=dict[dt.date, float], init=False, repr=False, compare=False
    )

    def trace(self, role: str, days: Sequence[dt.date | None], values: Sequence[Any], **about: Any) -> Trace:
        """Make a scatter trace.

        Parameters
        ----------
        role : str
            What it shows: "score", "noise", "expected" ...
        days : sequence of date
            None leaves the line open.
        values : sequence
            As many, in scale points or rows.
        **about
            Attributes of a plotly scatter trace; those of ``meta`` are added to its own.
        """
        meta = {
            "role": role,
            "sessions": [None if day is None else self.at_session(day) for day in days],
            **about.pop("meta", {}),
        }
        return {
            "type": "scatter",
            "x": [None if day is None else day.isoformat() for day in days],
            "y": list(values),
            "mode": "lines",
            "hoverinfo": "skip",
            "showlegend": False,
            "meta": meta,
            **about,
        }

    def at_session(self, day: dt.date) -> float:
        """Place a day between sessions."""
        known = self._places.get(day)
        if known is None:
            place = self.sessions.at(day)
            known = self._places[day] = round(place, 2) if isinstance(place, float) else 0.0
        return known

    def box(self, role: str, first: dt.date, last: dt.date, low: float, high: float, **about: Any) -> Trace:
        """Make a filled rectangle."""
        return self.trace(
            role,
            [first, last, last, first, first],
            [low, low, high, high, low],
            line={"width": 0},
            fill="toself",
            **about,
        )

    def time_axis(self, *, small: bool) -> Chart:
        """Give the axis of days, and in ``meta`` of the layout (`session_axis`) that of sessions."""
        pad = dt.timedelta(days=max((self.last - self.first).days * _PAD, 1))
        return {
            "type": "date",
            "range": [(self.first - pad).isoformat(), (self.last + pad).isoformat()],
            "nticks": 4 if small else 8,
            "tickformat": "%b" if small else "%-d %b<br>%Y" if self._short() else "%b<br>%Y",
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "linecolor": LIGHT.quiet,
            "ticks": "outside",
            "ticklen": 3,
            "tickcolor": LIGHT.quiet,
            "fixedrange": True,
        }

    def _short(self) -> bool:
        return (self.last - self.first).days < 120

    def session_axis(self) -> Chart:
        """Give range and ticks of the axis of sessions."""
        left, right = self.at_session(self.first), self.at_session(self.last)
        right = max(right, left + 1)
        room = (right - left) * _PAD
        step = next((step for step in (1, 2, 5, 10, 20, 50) if right / step <= _MOST_TICKS), 100)
        ticks = sorted({1, *range(step, int(right) + 1, step)} - ({2} if step == 2 else set()))
        return {"range": [left - room, right + room], "ticks": ticks, "title": self.sessions.title}


def shared_sheet(trajectories: Sequence[Trajectory], *, until: dt.date | None = None) -> Sheet | None:
    """Find the days that all charts of a client span; None where there is nothing to draw.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        From `mbc.care.client_review`.
    until : date, optional
        A later day that must be on the axis, such as today.
    """
    days = [day for course in trajectories for day in (course.window or ())]
    days += [occasion.taken_on for course in trajectories for occasion in course.occasions]
    if not days:
        return None
    ahead = [curve.dates[-1] for course in trajectories for curve in (*course.curves, course.forecast) if curve]
    ahead += [day for day in (until,) if day is not None]
    first, last = min(days), max([*days, *ahead])
    return Sheet(first, max(last, first + dt.timedelta(days=14)), time_axis(trajectories[0], "session"))


def frame(*, height: int, margin: Chart, size: int, **about: Any) -> Chart:
    """Give the layout that every chart of the page begins with."""
    return {
        "template": "none",
        "font": {"family": FONT, "size": size, "color": LIGHT.ink},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "height": height,
        "autosize": True,
        "margin": margin,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": LIGHT.paper, "bordercolor": LIGHT.quiet, "font": {"color": LIGHT.ink}},
        **about,
    }
