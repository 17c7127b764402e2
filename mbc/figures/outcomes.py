"""Outcome rates with their limits: one line for each figure, measures under each other."""

from __future__ import annotations

from typing import Protocol

import plotly.graph_objects as go

from mbc.figures.text import plain
from mbc.figures.theme import FONT, PALETTES, Palette, Theme
from mbc.outcomes.results import Figure

_LINE, _HEAD, _FOOT = 34, 48, 60  # pixels: a figure's line, above the first, below the last
_SYMBOLS = {"Recovered": "star", "Improved": "triangle-up", "Unchanged": "circle", "Deteriorated": "triangle-down"}
_OTHER = "Other rates"
_ABOVE = 0.4  # of a line: where the name of a rate stands, clear of its bar


class Report(Protocol):
    """A report on the record, or one that was released."""

    @property
    def title(self) -> str:
        """What is reported."""
        ...

    @property
    def caption(self) -> str:
        """What the figures count."""
        ...

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures, exact or as they were published."""
        ...


def outcomes_figure(report: Report, *, theme: Theme = "light") -> go.Figure:
    """Draw every rate of a report with its 95 % limits.

    Means, counts without a share and bands of completeness have no line here.

    Parameters
    ----------
    report : OutcomeReport or ReleasedReport
        What was counted; hidden figures are named as such, never drawn as zero.
    theme : {"light", "dark"}
        The page the figure is on.

    Returns
    -------
    go.Figure
        One trace per kind of outcome: ``x`` in percent, error bars to the limits. The caption is in
        ``layout.meta``.
    """
    palette = PALETTES[theme]
    figure = go.Figure()
    lines = _lines(report.figures)
    for kind in (*_SYMBOLS, _OTHER):
        _add_kind(figure, [(line, each) for line, each in lines if _kind(each) == kind], kind, palette)
    for line, text in _headings(lines):
        _annotate(figure, line, f"<b>{plain(text)}</b>", palette, size=13)
    _lay_out(figure, report, lines=max((line for line, _ in lines), default=0) + 1, palette=palette)
    return figure


def is_rate(figure: Figure) -> bool:
    """Whether a figure is a rate that can be drawn, or one that is hidden."""
    hidden = figure.hidden and figure.unit == "percent"
    return not (figure.completeness or figure.only_count) and (figure.percent is not None or hidden)


def _kind(figure: Figure) -> str:
    first = figure.title.split()[0].rstrip(",") if figure.title in _SYMBOLS else _OTHER
    return first if first in _SYMBOLS else _OTHER


def _lines(figures: tuple[Figure, ...]) -> list[tuple[int, Figure]]:
    """Give each rate its line from the top; a group takes a line for its heading and one of air."""
    lines: list[tuple[int, Figure]] = []
    line, group = 0, None
    for figure in figures:
        if not is_rate(figure):
            continue
        if figure.group != group:
            line += (0 if group is None else 1) + (1 if figure.group else 0)
            group = figure.group
        lines.append((line, figure))
        line += 1
    return lines


def _headings(lines: list[tuple[int, Figure]]) -> list[tuple[int, str]]:
    first: dict[str, int] = {}
    for line, figure in lines:
        first.setdefault(figure.group, line)
    return [(line - 1, group) for group, line in first.items() if group]


def _add_kind(figure: go.Figure, members: list[tuple[int, Figure]], kind: str, palette: Palette) -> None:
    drawn = [(line, each) for line, each in members if each.percent is not None]
    colour = {"Recovered": palette.goal, "Improved": palette.score, "Deteriorated": palette.cutoff}.get(
        kind, palette.quiet
    )
    figure.add_trace(
        go.Scatter(
            name=kind,
            x=[each.percent for _, each in drawn],
            y=[line for line, _ in drawn],
            mode="markers",
            marker={"symbol": _SYMBOLS.get(kind, "diamond"), "size": 11, "color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_gap(each.upper, each.percent) for _, each in drawn],
                "arrayminus": [_gap(each.percent, each.lower) for _, each in drawn],
                "color": colour,
                "thickness": 2,
                "width": 5,
            },
            text=[_words(each) for _, each in drawn],
            hovertemplate="%{text}<extra></extra>",
            visible=True if members else "legendonly",
            showlegend=bool(members),
        )
    )
    for line, each in members:
        if each.percent is None:
            _annotate(figure, line, f"{plain(each.title)}: not shown", palette, size=12)
        else:
            _annotate(figure, line - _ABOVE, plain(each.title), palette, size=12)


def _annotate(figure: go.Figure, line: float, text: str, palette: Palette, *, size: int) -> None:
    figure.add_annotation(
        x=0,
        y=line,
        xref="x",
        xanchor="left",
        text=text,
        showarrow=False,
        font={"size": size, "color": palette.ink},
    )


def _gap(high: float | None, low: float | None) -> float:
    return 0.0 if high is None or low is None else max(high - low, 0.0)


def _words(figure: Figure) -> str:
    group = f"{plain(figure.group)}: " if figure.group else ""
    return f"{group}{plain(figure.title)}, {plain(figure.words)}"


def _lay_out(figure: go.Figure, report: Report, *, lines: int, palette: Palette) -> None:
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": palette.ink},
        paper_bgcolor=palette.paper,
        plot_bgcolor=palette.paper,
        height=_HEAD + _FOOT + _LINE * lines,
        margin={"l": 12, "r": 12, "t": _HEAD, "b": _FOOT},
        hovermode="closest",
        dragmode=False,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        meta={"caption": report.caption, "description": report.caption},
        xaxis={
            "title": {"text": "Clients, in percent (bars: 95 % limits)", "standoff": 8},
            "range": [-2, 102],
            "ticksuffix": " %",
            "nticks": 6,
            "gridcolor": palette.grid,
            "linecolor": palette.quiet,
            "showline": True,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"range": [lines - 0.3, -0.7], "visible": False, "fixedrange": True},
    )
