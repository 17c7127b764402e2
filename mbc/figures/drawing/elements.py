"""The marks of a figure: the description that the interactive and the static drawing are both made from.

Coordinates are numbers in the units of the panel's axes; a day is its ordinal (``datetime.date.toordinal()``, with
a fraction for the time of day). Texts are written as Plotly reads them: ``<b>`` and ``<br>`` are markup, and
``&amp;``, ``&lt;`` and ``&gt;`` stand for characters. A colour is a role of `mbc.figures.theme.Palette`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Dash = Literal["solid", "dash", "dot", "dashdot", "longdash"]
Symbol = Literal[
    "circle",
    "circle-open",
    "square",
    "square-open",
    "diamond",
    "diamond-open",
    "triangle-up",
    "triangle-down",
    "star",
    "cross",
    "line-ns",
]
Interpolation = Literal["linear", "hv"]
Horizontal = Literal["left", "center", "right"]
Vertical = Literal["top", "middle", "bottom"]
Reference = Literal[
    "data", "panel"
]  # a value on the axis, or a share of the panel, 0 to 1 from the left or the foot


@dataclass(frozen=True, slots=True)
class Bars:
    """Error bars: where each begins and ends, on the axis."""

    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    along: Literal["x", "y"]


@dataclass(frozen=True, slots=True)
class Series:
    """Points, joined by a line or not; ``None`` leaves the line open."""

    x: tuple[float | None, ...]
    y: tuple[float | None, ...]
    name: str
    colour: str = "score"
    dash: Dash | None = "solid"  # None: no line
    width: float = 2.0
    symbols: tuple[Symbol, ...] = ()  # one, or one for each point; none: no markers
    size: float = 7.0
    colours: tuple[str, ...] = ()  # of the markers, where they differ
    opacity: float = 1.0
    bars: Bars | None = None
    interpolation: Interpolation = "linear"
    labels: tuple[str, ...] = ()  # written right of each point
    hover: tuple[str, ...] = ()  # what the interactive figure shows for each point
    key: bool = True  # whether the key has a line for it
    key_group: Literal["above", "below"] = "above"


@dataclass(frozen=True, slots=True)
class Area:
    """A filled shape: a band, a stretch that is hatched, a cell of a matrix."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    name: str
    colour: str = "quiet"
    opacity: float = 0.16
    edge: Dash | None = None
    hatch: bool = False
    hover: str = ""
    key: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line across the panel at a value of one axis."""

    at: float
    axis: Literal["x", "y"]
    name: str = ""
    colour: str = "quiet"
    dash: Dash = "dash"
    width: float = 1.2
    label: str = ""  # written on the line, at its end
    label_at: Literal["left", "right"] = "right"  # of a line at a value of the y axis


@dataclass(frozen=True, slots=True)
class Text:
    """Words at a place."""

    x: float
    y: float
    text: str
    x_reference: Reference = "data"
    y_reference: Reference = "data"
    horizontal: Horizontal = "left"
    vertical: Vertical = "middle"
    shift: tuple[float, float] = (0.0, 0.0)  # pixels to the right and upwards
    size: float = 12.0
    background: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow from one place to another."""

    x: tuple[float, float]
    y: tuple[float, float]
    name: str
    colour: str = "ink"
    dash: Dash = "solid"
    width: float = 2.0
    hover: str = ""


Mark = Series | Area | Rule | Text | Arrow


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a panel. ``start`` is at the left or at the foot; on a turned axis it is the larger."""

    start: float
    end: float
    title: str = ""
    ticks: tuple[tuple[float, str], ...] = ()
    grid: bool = False
    line: bool = True
    visible: bool = True
    days: bool = False  # whether positions are days

    def share(self, value: float) -> float:
        """Place a value, 0 at the start to 1 at the end.

        Examples
        --------
        >>> Axis(0, 20).share(5)
        0.25
        """
        return (value - self.start) / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Panel:
    """Marks on a pair of axes; where the panel lies is a share of the figure, from the left and from the foot."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    across: tuple[float, float] = (0.0, 1.0)
    up: tuple[float, float] = (0.0, 1.0)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything a figure shows."""

    title: str
    caption: str  # in words, for who cannot see it
    panels: tuple[Panel, ...]
    width: float = 640.0  # CSS pixels, 96 to the inch
    height: float = 400.0
    least_width: float = 300.0  # what its words need

    def series(self, name: str) -> tuple[Series, ...]:
        """Find the series of a name."""
        return tuple(
            mark for panel in self.panels for mark in panel.marks if isinstance(mark, Series) and mark.name == name
        )

    def areas(self, name: str) -> tuple[Area, ...]:
        """Find the areas of a name."""
        return tuple(
            mark for panel in self.panels for mark in panel.marks if isinstance(mark, Area) and mark.name == name
        )


def label_of(rule: Rule, x: Axis) -> Text:
    """Place the words of a rule: over one end, or at the top on the side that has room.

    Examples
    --------
    >>> label_of(Rule(5, "x", label="Start"), Axis(0, 20)).horizontal
    'left'
    """
    if rule.axis == "y":
        across, shift = (1.0, -2.0) if rule.label_at == "right" else (0.0, 2.0)
        return Text(
            across, rule.at, rule.label, "panel", "data", rule.label_at, "bottom", (shift, 2.0), background=True
        )
    side: Horizontal = "right" if x.share(rule.at) > 0.7 else "left"
    shift = -4.0 if side == "right" else 4.0
    return Text(rule.at, 1, rule.label, "data", "panel", side, "top", (shift, -2.0), background=True)


Outline = tuple[tuple[float, ...], tuple[float, ...]]


def band(x: Sequence[float], lower: Sequence[float], upper: Sequence[float]) -> Outline:
    """Give the outline of a band: along its upper edge, and back along the lower.

    Examples
    --------
    >>> band([0, 1], [1, 2], [3, 4])
    ((0.0, 1.0, 1.0, 0.0), (3.0, 4.0, 2.0, 1.0))
    """
    forth = [float(value) for value in x]
    edges = [float(value) for value in upper] + [float(value) for value in reversed(lower)]
    return tuple(forth + forth[::-1]), tuple(edges)


def step_band(x: Sequence[float], lower: Sequence[float], upper: Sequence[float]) -> Outline:
    """Give the outline of a band that keeps its value until the next point.

    Examples
    --------
    >>> step_band([0, 2], [1, 2], [3, 4])
    ((0.0, 2.0, 2.0, 2.0, 2.0, 0.0), (3.0, 3.0, 4.0, 2.0, 1.0, 1.0))
    """

    def steps(values: Sequence[float]) -> list[tuple[float, float]]:
        corners: list[tuple[float, float]] = []
        for i, (at, value) in enumerate(zip(x, values, strict=True)):
            if i:
                corners.append((float(at), corners[-1][1]))
            corners.append((float(at), float(value)))
        return corners

    outline = steps(upper) + steps(lower)[::-1]
    return tuple(at for at, _ in outline), tuple(value for _, value in outline)
