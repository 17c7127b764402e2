"""Plain tables: with a caption, headings with a scope, and a way to scroll by keyboard when they are wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboards.components.aria import aria

Cell = str | Component | list[Component]


def table(
    caption: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    numbers: Sequence[int] = (),
    blocks: bool = False,
) -> Component:
    """Lay out a table.

    Parameters
    ----------
    caption : str
        What the table holds.
    headings : sequence of str
        One per column.
    rows : sequence of sequences
        The first cell of a row is its heading.
    numbers : sequence of int
        Which columns are numbers: they line up to the right.
    blocks : bool
        On a narrow screen each row becomes a block, in which a cell is labelled with its column's heading.
    """
    head = html.Thead(
        html.Tr([html.Th(heading, scope="col", className=_kind(i, numbers)) for i, heading in enumerate(headings)])
    )
    body = html.Tbody([html.Tr(_cells(row, headings, numbers)) for row in rows])
    return html.Div(
        html.Table([html.Caption(caption, className="unseen"), head, body], className="blocks" if blocks else ""),
        className="scroll",
        tabIndex="0",
        role="region",
        **aria(label=caption),
    )


def _cells(row: Sequence[Cell], headings: Sequence[str], numbers: Sequence[int]) -> list[Component]:
    first, *rest = row
    return [
        html.Th(first, scope="row", className=_kind(0, numbers)),
        *[
            html.Td(cell, className=_kind(i, numbers), **_under(headings[i]))
            for i, cell in enumerate(rest, start=1)
        ],
    ]


def _kind(column: int, numbers: Sequence[int]) -> str:
    return "number" if column in numbers else ""


def _under(heading: str) -> dict[str, Any]:
    return {"data-label": heading}  # the style sheet shows it where the headings are out of sight


def long_table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Component:
    """Lay out a table of plain words in one part: hundreds of cells of their own would be slow to draw."""
    data: Any = {"caption": caption, "head": list(headings), "body": [list(row) for row in rows]}
    return html.Div(
        dmc.Table(data=data, className="long", captionSide="top", tabularNums=True),
        className="scroll",
        tabIndex="0",
        role="region",
        **aria(label=caption),
    )
