"""A drawing as SVG: text as text, the same bytes for the same drawing, nothing from outside, no script."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable
from dataclasses import replace

from mbc.figures.drawing.elements import Area, Arrow, Axis, Drawing, Panel, Rule, Series, Text
from mbc.figures.renderers import svg_shapes as shapes
from mbc.figures.renderers.key import KeyEntry, key_entries, wrap
from mbc.figures.renderers.svg_shapes import FONTS, Pen, number, words
from mbc.figures.renderers.text_size import broken, lines_of, width_of
from mbc.figures.theme import Palette

TITLE, AXIS, LABEL = 15.0, 13.0, 12.0  # font sizes, pixels
_BOLDER = 1.07  # bold letters are wider
_EDGE = 10.0  # between the figure and the edge of the picture
_KEY_LINE = 18.0
_TICK = 4.0
_SAMPLE = 26.0  # width of what the key shows of a mark
_ROOM = 16.0  # between two entries of the key


def svg_of(drawing: Drawing, palette: Palette) -> str:
    """Write a drawing as one SVG document.

    Parameters
    ----------
    drawing : Drawing
    palette : Palette

    Returns
    -------
    str
        Without XML declaration, so that it can be used in a page as well as in a file.
    """
    body = _body(_fitted(drawing), palette)
    # Identifiers are made from the content: two figures on one page keep theirs apart, and each has the same bytes
    # every time it is written.
    own = hashlib.sha256(f"{drawing.title}\n{drawing.caption}\n{body}".encode()).hexdigest()[:10]
    width, height = number(drawing.width), number(drawing.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t{own} d{own}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" font-family="{FONTS}" font-size="{number(LABEL)}" '
        f'fill="{palette.ink}"><title id="t{own}">{_plain(drawing.title)}</title>'
        f'<desc id="d{own}">{_plain(drawing.caption)}</desc>\n{body.replace(shapes.OWN, own)}</svg>\n'
    )


def height_for(drawing: Drawing, width: float) -> float:
    """Give the height at another width at which the panels are as tall as before: the key may need more lines."""

    def head(at: float) -> float:
        above = [entry for entry in key_entries(drawing) if entry.group == "above"]
        lines = len(lines_of(broken(drawing.title, at - 2 * _EDGE, TITLE)))
        return _KEY_LINE * len(wrap(above, at - 2 * _EDGE, _entry_width)) + TITLE * 1.2 * lines

    return drawing.height + head(width) - head(drawing.width)


def _fitted(drawing: Drawing) -> Drawing:
    """Break titles into lines that fit."""

    def axis_of(axis: Axis, room: float) -> Axis:
        return replace(axis, title=broken(axis.title, room, AXIS)) if axis.title else axis

    # What ticks and margins take is known only after the titles are broken; about so much is left for them.
    width, height = drawing.width - 70, drawing.height - 110
    panels = [
        replace(
            panel,
            x=axis_of(panel.x, max(width * (panel.across[1] - panel.across[0]), 80)),
            y=axis_of(panel.y, max(height * (panel.up[1] - panel.up[0]), 80)),
        )
        for panel in drawing.panels
    ]
    title = broken(drawing.title, drawing.width - 2 * _EDGE, TITLE * _BOLDER)
    return replace(drawing, title=title, panels=tuple(panels))


def _more_lines(title: str, size: float) -> float:
    """Give the room of a title's lines after the first."""
    return 1.2 * size * (len(lines_of(title)) - 1)


def _plain(text: str) -> str:
    """Take the markup off a text, for who hears it."""
    lines = ("".join(run for run, _ in line) for line in lines_of(text))
    return html.escape(" ".join(lines), quote=False)


def _body(drawing: Drawing, palette: Palette) -> str:
    parts = [
        f'<rect width="{number(drawing.width)}" height="{number(drawing.height)}" fill="{palette.paper}"/>',
    ]
    top = _EDGE
    if drawing.title:
        parts.append(words(f"<b>{drawing.title}</b>", _EDGE, top + TITLE * 0.8, size=TITLE))
        top += TITLE * 1.35 + _more_lines(drawing.title, TITLE)
    entries = key_entries(drawing)
    above = wrap([entry for entry in entries if entry.group == "above"], drawing.width - 2 * _EDGE, _entry_width)
    below = [[entry] for entry in entries if entry.group == "below"]
    parts.append(_key(above, top, palette))
    top += _KEY_LINE * len(above) + (4 if above else 0)
    if any(panel.title and panel.up[1] > 0.99 for panel in drawing.panels):
        top += 18
    bottom = _EDGE + _KEY_LINE * len(below) + max(_room_below(panel) for panel in drawing.panels)
    parts.append(_key(below, drawing.height - _EDGE - _KEY_LINE * len(below), palette))
    left = _EDGE + max(_room_left(panel) for panel in drawing.panels)
    right = _EDGE + max(_room_right(panel) for panel in drawing.panels)
    frame = (left, top, drawing.width - left - right, drawing.height - top - bottom)
    for i, panel in enumerate(drawing.panels):
        parts.append(_panel(panel, _box(panel, frame), palette, i))
    return "\n".join(part for part in parts if part) + "\n"


def _box(panel: Panel, frame: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Place a panel: left, top, width, height."""
    left, top, width, height = frame
    return (
        left + panel.across[0] * width,
        top + (1 - panel.up[1]) * height,
        (panel.across[1] - panel.across[0]) * width,
        (panel.up[1] - panel.up[0]) * height,
    )


def _room_left(panel: Panel) -> float:
    if panel.across[0] > 0.01 or not panel.y.visible:
        return 0.0
    ticks = max((width_of(label, LABEL) for _, label in panel.y.ticks), default=0.0)
    return ticks + _TICK + 4 + (20 + _more_lines(panel.y.title, AXIS) if panel.y.title else 0)


def _room_right(panel: Panel) -> float:
    """Leave room for half of the last tick's words."""
    if panel.across[1] < 0.99 or not panel.x.visible:
        return 0.0
    at_end = [label for at, label in panel.x.ticks if panel.x.share(at) > 0.9]
    return max((width_of(label, LABEL) / 2 - 6 for label in at_end), default=0.0)


def _room_below(panel: Panel) -> float:
    if panel.up[0] > 0.01 or not panel.x.visible:
        return 0.0
    title = 20 + _more_lines(panel.x.title, AXIS) if panel.x.title else 0
    return (18 + _TICK if panel.x.ticks else 0) + title


def _panel(panel: Panel, box: tuple[float, float, float, float], palette: Palette, index: int) -> str:
    left, top, width, height = box
    pen = Pen(left, top, width, height, panel.x, panel.y, palette)
    clip = f"c{index}{shapes.OWN}"
    parts = [
        f'<clipPath id="{clip}">{shapes.box(left, top, width, height)}</clipPath>',
        *_grid(panel, pen),
    ]
    inside = [shapes.area(mark, pen) for mark in panel.marks if isinstance(mark, Area)]
    inside += [shapes.rule(mark, pen) for mark in panel.marks if isinstance(mark, Rule)]
    inside += [shapes.line(mark, pen) for mark in panel.marks if isinstance(mark, Series)]
    parts += [f'<g clip-path="url(#{clip})">', *filter(None, inside), "</g>"]
    parts += [shapes.arrow(mark, pen) for mark in panel.marks if isinstance(mark, Arrow)]
    parts += [shapes.points(mark, pen) for mark in panel.marks if isinstance(mark, Series)]
    parts += [*_axis_x(panel.x, pen), *_axis_y(panel.y, pen)]
    parts += [shapes.rule_label(mark, pen) for mark in panel.marks if isinstance(mark, Rule)]
    parts += [shapes.text(mark, pen) for mark in panel.marks if isinstance(mark, Text)]
    if panel.title:
        parts.append(words(f"<b>{panel.title}</b>", left, top - 7, size=13))
    return "\n".join(part for part in parts if part)


def _grid(panel: Panel, pen: Pen) -> Iterable[str]:
    style = f'stroke="{pen.palette.grid}" stroke-width="1"'
    if panel.y.grid and panel.y.visible:
        for at, _ in panel.y.ticks:
            yield shapes.segment(pen.left, pen.y(at), pen.left + pen.width, pen.y(at), style)
    if panel.x.grid and panel.x.visible:
        for at, _ in panel.x.ticks:
            yield shapes.segment(pen.x(at), pen.top, pen.x(at), pen.top + pen.height, style)


def _axis_x(axis: Axis, pen: Pen) -> Iterable[str]:
    if not axis.visible:
        return
    foot = pen.top + pen.height
    style = f'stroke="{pen.palette.quiet}" stroke-width="1"'
    if axis.line:
        yield shapes.segment(pen.left, foot, pen.left + pen.width, foot, style)
    for at, label in axis.ticks:
        if axis.line:
            yield shapes.segment(pen.x(at), foot, pen.x(at), foot + _TICK, style)
        yield words(label, pen.x(at), foot + _TICK + LABEL, anchor="middle")
    if axis.title:
        low = foot + (_TICK + LABEL + 4 if axis.ticks else 0) + LABEL + 4
        yield words(axis.title, pen.left + pen.width / 2, low, anchor="middle", size=AXIS)


def _axis_y(axis: Axis, pen: Pen) -> Iterable[str]:
    if not axis.visible:
        return
    style = f'stroke="{pen.palette.quiet}" stroke-width="1"'
    if axis.line:
        yield shapes.segment(pen.left, pen.top, pen.left, pen.top + pen.height, style)
    widest = max((width_of(label, LABEL) for _, label in axis.ticks), default=0.0)
    for at, label in axis.ticks:
        if axis.line:
            yield shapes.segment(pen.left - _TICK, pen.y(at), pen.left, pen.y(at), style)
        yield words(label, pen.left - _TICK - 3, pen.y(at) + LABEL * 0.35, anchor="end")
    if axis.title:
        across, middle = pen.left - _TICK - widest - 12 - _more_lines(axis.title, AXIS), pen.top + pen.height / 2
        turn = f' transform="rotate(-90 {number(across)} {number(middle)})"'
        yield words(axis.title, across, middle, anchor="middle", size=AXIS, more=turn)


def _entry_width(entry: KeyEntry) -> float:
    return _SAMPLE + 6 + width_of(entry.name, LABEL) + _ROOM


def _key(rows: list[list[KeyEntry]], top: float, palette: Palette) -> str:
    """Write rows of the key: what each mark looks like, and its name."""
    parts: list[str] = []
    for row, entries in enumerate(rows):
        left, middle = _EDGE, top + (row + 0.5) * _KEY_LINE
        for entry in entries:
            parts.append(shapes.sample(entry.mark, left, middle, _SAMPLE, palette))
            parts.append(words(entry.name, left + _SAMPLE + 6, middle + LABEL * 0.35))
            left += _entry_width(entry)
    return "\n".join(parts)
