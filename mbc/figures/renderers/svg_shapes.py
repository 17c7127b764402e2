"""What each mark is in SVG."""

from __future__ import annotations

import html
import itertools
import math
from dataclasses import dataclass

from mbc.figures.drawing.elements import Area, Arrow, Axis, Rule, Series, Symbol, Text, label_of
from mbc.figures.renderers.text_size import lines_of, width_of
from mbc.figures.theme import Palette

# Families by name: nothing is loaded, the reader's own font is taken. Liberation Sans has the widths of Helvetica.
FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
OWN = "%own%"  # stands for the figure's own identifier until its content is known
_DASHES = {"solid": "", "dash": "7 4", "dot": "1.5 3", "dashdot": "8 3 1.5 3", "longdash": "12 5"}
_ANCHORS = {"left": "start", "center": "middle", "right": "end"}
_HATCH = 7.0


@dataclass(frozen=True, slots=True)
class Pen:
    """Where a panel lies on the picture, and how its values are placed."""

    left: float
    top: float
    width: float
    height: float
    x_axis: Axis
    y_axis: Axis
    palette: Palette

    def x(self, value: float) -> float:
        """Place a value across."""
        return self.left + self.x_axis.share(value) * self.width

    def y(self, value: float) -> float:
        """Place a value upwards."""
        return self.top + (1 - self.y_axis.share(value)) * self.height

    def shows(self, x: float | None, y: float | None) -> bool:
        """Whether a point lies within the axes."""
        if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
            return False
        return all(-1e-6 <= axis.share(at) <= 1 + 1e-6 for axis, at in ((self.x_axis, x), (self.y_axis, y)))


def number(value: float) -> str:
    """Write a coordinate, to a hundredth of a pixel.

    Examples
    --------
    >>> number(12.0), number(0.126), number(-0.001)
    ('12', '0.13', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def colour(palette: Palette, role: str) -> str:
    """Find the colour of a role."""
    return str(getattr(palette, role))


def segment(x0: float, y0: float, x1: float, y1: float, style: str) -> str:
    """Draw a straight line."""
    return f'<line x1="{number(x0)}" y1="{number(y0)}" x2="{number(x1)}" y2="{number(y1)}" {style}/>'


def box(left: float, top: float, width: float, height: float) -> str:
    """Draw a rectangle."""
    return f'<rect x="{number(left)}" y="{number(top)}" width="{number(width)}" height="{number(height)}"/>'


def words(text: str, x: float, y: float, *, anchor: str = "start", size: float = 12.0, more: str = "") -> str:
    """Write text, the foot of its first line at ``y``."""
    lines = lines_of(text)
    spans: list[str] = []
    for i, line in enumerate(lines):
        place = "" if i == 0 else f'<tspan x="{number(x)}" dy="1.2em">'
        runs = "".join(
            f'<tspan font-weight="bold">{_escape(run)}</tspan>' if bold else _escape(run) for run, bold in line
        )
        spans.append(place + runs + ("</tspan>" if place else ""))
    about = "" if anchor == "start" else f' text-anchor="{anchor}"'
    about += "" if size == 12.0 else f' font-size="{number(size)}"'
    return f'<text x="{number(x)}" y="{number(y)}"{about}{more}>{"".join(spans)}</text>'


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def stroke(palette: Palette, role: str, width: float, dash: str, opacity: float = 1.0) -> str:
    """Give the attributes of a line."""
    dashes = _DASHES[dash]
    return (
        f'fill="none" stroke="{colour(palette, role)}" stroke-width="{number(width)}"'
        + (f' stroke-dasharray="{dashes}"' if dashes else "")
        + (f' stroke-opacity="{number(opacity)}"' if opacity < 1 else "")
    )


def line(mark: Series, pen: Pen) -> str:
    """Draw the line of a series; it stops at every gap."""
    if mark.dash is None:
        return ""
    path: list[str] = []
    before: tuple[float, float] | None = None
    for x, y in zip(mark.x, mark.y, strict=True):
        if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
            before = None
            continue
        at = pen.x(x), pen.y(y)
        if before is None:
            path.append(f"M{number(at[0])} {number(at[1])}")
        else:
            if mark.interpolation == "hv":
                path.append(f"H{number(at[0])}")
            path.append(f"L{number(at[0])} {number(at[1])}")
        before = at
    style = stroke(pen.palette, mark.colour, mark.width, mark.dash, mark.opacity)
    return f'<path d="{"".join(path)}" {style} stroke-linejoin="round"/>' if len(path) > 1 else ""


def points(mark: Series, pen: Pen) -> str:
    """Draw the error bars of a series, its markers, and their labels."""
    places = [
        (i, x, y)
        for i, (x, y) in enumerate(zip(mark.x, mark.y, strict=True))
        if x is not None and y is not None and pen.shows(x, y)
    ]
    parts = (
        [_bar(mark, i, (x, y), pen, _colour_of(mark, i)) for i, x, y in places] if mark.bars is not None else []
    )
    if mark.symbols:
        # Markers that look alike share the attributes of a group, which keeps a scatter of many points small.
        looks: list[tuple[Symbol, str]] = [
            (mark.symbols[i % len(mark.symbols)], _colour_of(mark, i)) for i, _, _ in places
        ]
        for (symbol, own), run in itertools.groupby(zip(looks, places, strict=True), key=lambda pair: pair[0]):
            shapes = "".join(outline(symbol, pen.x(x), pen.y(y), mark.size) for _, (_, x, y) in run)
            parts.append(f"<g {symbol_style(symbol, pen.palette, own, mark.opacity)}>{shapes}</g>")
    if mark.labels:
        parts += [
            words(mark.labels[i], pen.x(x) + mark.size / 2 + 4, pen.y(y) + 4.2)
            for i, x, y in places
            if mark.labels[i]
        ]
    return "\n".join(part for part in parts if part)


def _colour_of(mark: Series, i: int) -> str:
    return mark.colours[i] if mark.colours else mark.colour


def _bar(mark: Series, i: int, at: tuple[float, float], pen: Pen, own: str) -> str:
    assert mark.bars is not None  # noqa: S101 - the caller looked
    low, high = mark.bars.lower[i], mark.bars.upper[i]
    if low is None or high is None:
        return ""
    style = stroke(pen.palette, own, 1.6, "solid")
    across = mark.bars.along == "x"
    axis = pen.x_axis if across else pen.y_axis
    ends = sorted((axis.start, axis.end))
    low, high = max(low, ends[0]), min(high, ends[1])
    if across:
        y, x0, x1 = pen.y(at[1]), pen.x(low), pen.x(high)
        caps = f"M{number(x0)} {number(y - 3)}v6M{number(x1)} {number(y - 3)}v6"
        return f'<path d="M{number(x0)} {number(y)}H{number(x1)}{caps}" {style}/>'
    x, y0, y1 = pen.x(at[0]), pen.y(low), pen.y(high)
    caps = f"M{number(x - 3)} {number(y0)}h6M{number(x - 3)} {number(y1)}h6"
    return f'<path d="M{number(x)} {number(y0)}V{number(y1)}{caps}" {style}/>'


def symbol_style(symbol: Symbol, palette: Palette, role: str, opacity: float = 1.0) -> str:
    """Give the attributes of a marker; open ones are filled with the paper, so that no line runs through them."""
    own = colour(palette, role)
    if symbol == "line-ns":
        return f'stroke="{own}" stroke-width="2"'
    faint = f' fill-opacity="{number(opacity)}"' if opacity < 1 else ""
    if not symbol.endswith("-open"):
        return f'fill="{own}"{faint}'
    return f'fill="{palette.paper}" stroke="{own}" stroke-width="1.5"' + faint + faint.replace("fill", "stroke")


def outline(symbol: Symbol, x: float, y: float, size: float) -> str:
    """Draw the shape of a marker about a place."""
    half, shape = size / 2, symbol.removesuffix("-open")
    if shape == "circle":
        return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(half)}"/>'
    if shape == "square":
        side = number(size)
        return f'<rect x="{number(x - half)}" y="{number(y - half)}" width="{side}" height="{side}"/>'
    if shape == "line-ns":
        return f'<path d="M{number(x)} {number(y - half)}v{number(size)}"/>'
    corners = " ".join(f"{number(x + half * dx)},{number(y + half * dy)}" for dx, dy in _CORNERS[shape])
    return f'<polygon points="{corners}"/>'


def _star() -> list[tuple[float, float]]:
    """Give five points, the first upwards."""
    turns = [math.pi * (i / 5 - 0.5) for i in range(10)]
    return [
        (1.4 * r * math.cos(t), 1.4 * r * math.sin(t))
        for i, t in enumerate(turns)
        for r in [1 if i % 2 == 0 else 0.4]
    ]


_CORNERS: dict[str, list[tuple[float, float]]] = {
    "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
    "triangle-up": [(0, -1.2), (1.15, 0.8), (-1.15, 0.8)],
    "triangle-down": [(0, 1.2), (1.15, -0.8), (-1.15, -0.8)],
    "star": _star(),
    "cross": [
        (-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4),
        (0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4),
    ],
}  # fmt: skip


def area(mark: Area, pen: Pen) -> str:
    """Fill a shape, or hatch it."""
    corners = "L".join(f"{number(pen.x(x))} {number(pen.y(y))}" for x, y in zip(mark.x, mark.y, strict=True))
    own = colour(pen.palette, mark.colour)
    path = f'<path d="M{corners}Z" '
    if mark.hatch:
        lines = _hatching([(pen.x(x), pen.y(y)) for x, y in zip(mark.x, mark.y, strict=True)])
        return f'<path d="{lines}" fill="none" stroke="{own}" stroke-width="0.8" stroke-opacity="0.6"/>'
    edge = (
        "" if mark.edge is None else " " + stroke(pen.palette, mark.colour, 1.0, mark.edge)[len('fill="none" ') :]
    )
    return f'{path}fill="{own}" fill-opacity="{number(mark.opacity)}"{edge}/>'


def _hatching(corners: list[tuple[float, float]]) -> str:
    """Rule the box about a shape with lines that rise to the right, cut at its sides."""
    x0, x1 = min(x for x, _ in corners), max(x for x, _ in corners)
    y0, y1 = min(y for _, y in corners), max(y for _, y in corners)
    path: list[str] = []
    first, last = math.ceil((x0 + y0) / _HATCH), math.floor((x1 + y1) / _HATCH)
    for i in range(first, last + 1):
        total = i * _HATCH  # x + y along the line
        a, b = max(x0, total - y1), min(x1, total - y0)
        if b > a:
            path.append(f"M{number(a)} {number(total - a)}L{number(b)} {number(total - b)}")
    return "".join(path)


def rule(mark: Rule, pen: Pen) -> str:
    """Draw a line across the panel."""
    style = stroke(pen.palette, mark.colour, mark.width, mark.dash)
    if mark.axis == "y":
        return segment(pen.left, pen.y(mark.at), pen.left + pen.width, pen.y(mark.at), style)
    return segment(pen.x(mark.at), pen.top, pen.x(mark.at), pen.top + pen.height, style)


def rule_label(mark: Rule, pen: Pen) -> str:
    """Write a line's words at its end, on the paper."""
    return text(label_of(mark, pen.x_axis), pen) if mark.label else ""


def text(mark: Text, pen: Pen) -> str:
    """Write text at a place, with a background where requested."""
    x = (pen.x(mark.x) if mark.x_reference == "data" else pen.left + mark.x * pen.width) + mark.shift[0]
    y = (pen.y(mark.y) if mark.y_reference == "data" else pen.top + (1 - mark.y) * pen.height) - mark.shift[1]
    count = len(lines_of(mark.text))
    tall = mark.size * (1 + 1.2 * (count - 1))
    foot = {
        "top": y + mark.size * 0.85,
        "middle": y - tall / 2 + mark.size * 0.85,
        "bottom": y - tall + mark.size * 0.8,
    }
    low = foot[mark.vertical]
    out = words(mark.text, x, low, anchor=_ANCHORS[mark.horizontal], size=mark.size)
    if not mark.background:
        return out
    wide = width_of(mark.text, mark.size)
    left = x - {"left": 0.0, "center": 0.5, "right": 1.0}[mark.horizontal] * wide
    return (
        f'<rect x="{number(left - 1)}" y="{number(low - mark.size * 0.85 - 1)}" width="{number(wide + 2)}" '
        f'height="{number(tall + 3)}" fill="{pen.palette.paper}" fill-opacity="0.85"/>{out}'
    )


def arrow(mark: Arrow, pen: Pen) -> str:
    """Draw an arrow; its head is a filled triangle."""
    (x0, x1), (y0, y1) = map(pen.x, mark.x), map(pen.y, mark.y)
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    head = 7.0 + mark.width
    bx, by = x1 - ux * head, y1 - uy * head
    style = stroke(pen.palette, mark.colour, mark.width, mark.dash)
    half = head * 0.42
    corners = ((x1, y1), (bx - uy * half, by + ux * half), (bx + uy * half, by - ux * half))
    tip = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
    return segment(x0, y0, bx, by, style) + f'<polygon points="{tip}" fill="{colour(pen.palette, mark.colour)}"/>'


def sample(mark: Series | Area | Rule | Arrow, left: float, middle: float, width: float, palette: Palette) -> str:
    """Show in the key how a mark is drawn."""
    if isinstance(mark, Area):
        box = [(left, middle - 5), (left + width, middle - 5), (left + width, middle + 5), (left, middle + 5)]
        unit = Pen(0, 0, 1, 1, Axis(0, 1), Axis(1, 0), palette)
        return area(
            Area(
                tuple(x for x, _ in box),
                tuple(y for _, y in box),
                "",
                mark.colour,
                mark.opacity,
                mark.edge,
                mark.hatch,
            ),
            unit,
        )
    if isinstance(mark, Rule | Arrow):
        style = stroke(palette, mark.colour, mark.width, mark.dash)
        return segment(left, middle, left + width, middle, style)
    parts: list[str] = []
    if mark.dash is not None:
        style = stroke(palette, mark.colour, mark.width, mark.dash, mark.opacity)
        parts.append(segment(left, middle, left + width, middle, style))
    if mark.symbols:
        own = mark.colours[0] if mark.colours else mark.colour
        shape = outline(mark.symbols[0], left + width / 2, middle, mark.size)
        parts.append(f"<g {symbol_style(mark.symbols[0], palette, own)}>{shape}</g>")
    return "".join(parts)
