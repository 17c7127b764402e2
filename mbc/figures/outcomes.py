"""Outcome rates with their intervals: one line per category, scales under each other."""

from __future__ import annotations

import plotly.graph_objects as go

from mbc.care.client.trajectory import short_name
from mbc.care.clinic.outcomes import ClinicOutcomes, OutcomeRow, Rate
from mbc.figures.text import plain
from mbc.figures.theme import FONT, PALETTES, Palette, Theme

_LINE, _HEAD, _FOOT = 26, 48, 60  # pixels: a category's line, above the first scale, below the last
_SYMBOLS = {"recovered": "star", "improved": "triangle-up", "unchanged": "circle", "deteriorated": "triangle-down"}


def outcomes_figure(outcomes: ClinicOutcomes, *, theme: Theme = "light") -> go.Figure:
    """Draw every published rate with its 95 % Wilson interval.

    Scales without a published measurement error have no rates, and no line here.

    Parameters
    ----------
    outcomes : ClinicOutcomes
        What was counted; suppressed cells are named as such, never drawn as zero.
    theme : {"light", "dark"}
        The page the figure stands on.

    Returns
    -------
    go.Figure
        One trace per category, named after it: ``x`` in percent, error bars to the interval's ends. The caption
        is in ``layout.meta``.
    """
    palette = PALETTES[theme]
    figure = go.Figure()
    places = _places(outcomes.rows)
    for category in _SYMBOLS:
        _add_category(figure, outcomes, places, category, palette)
    for row in _judged(outcomes.rows):
        _add_heading(figure, row, places, palette)
    _lay_out(figure, outcomes, lines=max(places.values(), default=0) + 1, palette=palette)
    return figure


def _judged(rows: tuple[OutcomeRow, ...]) -> tuple[OutcomeRow, ...]:
    return tuple(row for row in rows if row.rates)


def _places(rows: tuple[OutcomeRow, ...]) -> dict[tuple[str, str, str], int]:
    """Line of each heading ("") and category, counted from the top."""
    places: dict[tuple[str, str, str], int] = {}
    line = 0
    for row in _judged(rows):
        for name in ("", *(rate.category for rate in row.rates)):
            places[row.instrument, row.scale, name] = line
            line += 1
        line += 1  # a line of air between scales
    return places


def _add_category(
    figure: go.Figure,
    outcomes: ClinicOutcomes,
    places: dict[tuple[str, str, str], int],
    category: str,
    palette: Palette,
) -> None:
    shown = [(row, rate) for row in outcomes.rows for rate in row.rates if rate.category == category]
    drawn = [(row, rate) for row, rate in shown if rate.estimate is not None]
    colour = {"recovered": palette.goal, "improved": palette.score, "unchanged": palette.quiet}.get(
        category, palette.cutoff
    )
    figure.add_trace(
        go.Scatter(
            name=category.capitalize(),
            x=[_percent(rate.estimate) for _, rate in drawn],
            y=[places[row.instrument, row.scale, category] for row, _ in drawn],
            mode="markers",
            marker={"symbol": _SYMBOLS[category], "size": 11, "color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_percent(rate.upper) - _percent(rate.estimate) for _, rate in drawn],
                "arrayminus": [_percent(rate.estimate) - _percent(rate.lower) for _, rate in drawn],
                "color": colour,
                "thickness": 2,
                "width": 5,
            },
            text=[_words(row, rate) for row, rate in drawn],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    for row, rate in shown:
        if rate.estimate is None:
            figure.add_annotation(
                x=1,
                y=places[row.instrument, row.scale, category],
                xref="x",
                xanchor="left",
                text=f"{category}: not shown",
                showarrow=False,
                font={"size": 12, "color": palette.ink},
            )


def _add_heading(
    figure: go.Figure, row: OutcomeRow, places: dict[tuple[str, str, str], int], palette: Palette
) -> None:
    n = "n not shown" if row.paired is None else f"n = {row.paired}"
    complete = "" if row.completeness is None else f", about {row.completeness} % complete"
    figure.add_annotation(
        x=0,
        y=places[row.instrument, row.scale, ""],
        xref="x",
        xanchor="left",
        text=f"<b>{plain(row.title)}</b> ({plain(short_name(row.instrument))}; {n}{complete})",
        showarrow=False,
        font={"size": 13, "color": palette.ink},
    )


def _lay_out(figure: go.Figure, outcomes: ClinicOutcomes, *, lines: int, palette: Palette) -> None:
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
        meta={"caption": outcomes.caption, "description": outcomes.caption},
        xaxis={
            "title": {"text": "Clients who could be judged, in percent (bars: 95 % interval)", "standoff": 8},
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


def _percent(share: float | None) -> float:
    return 100 * share if share is not None else 0.0


def _words(row: OutcomeRow, rate: Rate) -> str:
    return (
        f"{plain(row.title)}: {rate.count} of {row.paired} {rate.category}, "
        f"{_percent(rate.estimate):.0f} % ({_percent(rate.lower):.0f} to {_percent(rate.upper):.0f} %)"
    )
