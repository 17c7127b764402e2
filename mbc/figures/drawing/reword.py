"""Other words in a drawing: titles, names in the key, rows."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace

from mbc.errors import FigureError, nearest
from mbc.figures.drawing.elements import Area, Arrow, Axis, Drawing, Mark, Panel, Rule, Series, Text
from mbc.figures.text import plain

_MOST_NAMED = 12


class Dictionary:
    """Texts to replace, and which of them have not occurred yet."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = {plain(old): plain(new) for old, new in words.items()}
        self.unused = set(self.words)
        self.texts: dict[str, None] = {}  # every text of the drawing, in order

    def __call__(self, text: str) -> str:
        """Give the new text, or the same."""
        self.texts.setdefault(text)
        self.unused.discard(text)
        return self.words.get(text, text)


def reworded(drawing: Drawing, words: Mapping[str, str]) -> Drawing:
    """Replace texts of a drawing.

    Raises
    ------
    FigureError
        If a text is not in it, with the nearest that are.

    Examples
    --------
    >>> drawing = Drawing("Course", "", (Panel(Axis(0, 1, "week"), Axis(0, 1, "score"), ()),))
    >>> reworded(drawing, {"week": "Woche"}).panels[0].x.title
    'Woche'
    """
    new = Dictionary(words)
    panels = tuple(
        Panel(
            _axis(panel.x, new),
            _axis(panel.y, new),
            tuple(_mark(mark, new) for mark in panel.marks),
            panel.across,
            panel.up,
            new(panel.title),
        )
        for panel in drawing.panels
    )
    out = replace(drawing, title=new(drawing.title), panels=panels)
    if new.unused:
        unknown = html.unescape(min(new.unused))
        known = [html.unescape(text) for text in new.texts if text and not _is_number(text)]
        near = nearest(unknown, known) or known[:_MOST_NAMED]
        raise FigureError(f"{unknown!r} is not in this figure; it has {', '.join(map(repr, near))}.")
    return out


def _axis(axis: Axis, new: Dictionary) -> Axis:
    ticks = tuple((at, new(label)) for at, label in axis.ticks)
    return replace(axis, title=new(axis.title), ticks=ticks)


def _mark(mark: Mark, new: Dictionary) -> Mark:
    if isinstance(mark, Series):
        return replace(mark, name=new(mark.name), labels=tuple(map(new, mark.labels)))
    if isinstance(mark, Rule):
        return replace(mark, name=new(mark.name), label=new(mark.label))
    if isinstance(mark, Text):
        return replace(mark, text=new(mark.text))
    assert isinstance(mark, Area | Arrow)  # noqa: S101 - nothing else is left
    return replace(mark, name=new(mark.name))


def _is_number(text: str) -> bool:
    return text.removesuffix(" %").replace("−", "").replace(".", "").isdigit()
