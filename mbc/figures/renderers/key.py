"""Which lines the key of a figure has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mbc.figures.drawing.elements import Area, Arrow, Drawing, Rule, Series


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One line of the key: a name, and a mark that is drawn so."""

    name: str
    mark: Series | Area | Rule | Arrow
    group: Literal["above", "below"] = "above"


def key_entries(drawing: Drawing) -> list[KeyEntry]:
    """List every name once, in the order in which the marks come.

    Examples
    --------
    >>> from mbc.figures.drawing.elements import Axis, Panel
    >>> line = Series((0.0, 1.0), (2.0, 3.0), "Mean")
    >>> drawing = Drawing("", "", (Panel(Axis(0, 1), Axis(0, 5), (line, line)),))
    >>> [entry.name for entry in key_entries(drawing)]
    ['Mean']
    """
    entries: dict[str, KeyEntry] = {}
    for panel in drawing.panels:
        for mark in panel.marks:
            if isinstance(mark, Series) and mark.key and mark.name:
                entries.setdefault(mark.name, KeyEntry(mark.name, mark, mark.key_group))
            elif (isinstance(mark, Area) and mark.key and mark.name) or (
                isinstance(mark, Rule | Arrow) and mark.name
            ):
                entries.setdefault(mark.name, KeyEntry(mark.name, mark))
    return list(entries.values())


def wrap(
    entries: Sequence[KeyEntry], width: float, width_of_entry: Callable[[KeyEntry], float]
) -> list[list[KeyEntry]]:
    """Break the key into rows that fit."""
    rows: list[list[KeyEntry]] = []
    used = 0.0
    for entry in entries:
        needed = width_of_entry(entry)
        if not rows or used + needed > width:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += needed
    return rows
