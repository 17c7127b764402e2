"""How far clinicians' clients differ from what is expected given case mix: all in a funnel, or one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mbc.arguments import checks
from mbc.care.clinic.clinician_outcomes import LEVELS, ClinicianLine, ClinicianOutcomes
from mbc.care.clinic.clinician_words import (
    ORDER,
    limits_words,
    nobody_listed,
    outside_words,
    own_words,
    scale_words,
    signed,
)
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Axis, Bars, Dash, Drawing, Mark, Panel, Rule, Series
from mbc.figures.drawing.ticks import number_axis, rows_axis
from mbc.figures.figure import Figure
from mbc.figures.renderers.text_size import width_of
from mbc.figures.results.accepted import heading, percent, require
from mbc.figures.text import plain

_POINTS = 200  # of a limit
_DASHES: tuple[Dash, ...] = ("dash", "dot")
_PANEL = (300.0, 250.0)  # what is left for the marks on a phone, pixels
_LABEL, _LINE = 12.0, 15.0  # size of a label and height of its line, pixels
_DIFFERENCE = "Points better than expected"
CLINICIANS = "Clinician"


@checks(error=FigureError)
def clinician_funnel(outcomes: object, *, title: str | None = None) -> Figure:
    """Draw each clinician's difference from what is expected against the measured clients, within a funnel.

    Parameters
    ----------
    outcomes : ClinicianOutcomes
        From `mbc.care.compare_clinicians`.
    title : str, optional

    Returns
    -------
    Figure
        Every clinician has the same mark, whatever the difference, and is named by identifier where there is room;
        the caption names all. The order of the marks is that of the identifiers.

    Raises
    ------
    FigureError
        If it is another result, one clinician's own line, or nobody is listed.

    Notes
    -----
    On either side of 0 the limits at n clients lie z times the square root of sigma^2 / n plus the variance beyond
    chance, as those of `mbc.care.compare_clinicians` do [1]_.

    References
    ----------
    .. [1] Spiegelhalter (2005), Funnel plots for comparing institutional performance, doi:10.1002/sim.1970.
    """
    outcomes = require(outcomes, ClinicianOutcomes, "clinician_funnel", "care.compare_clinicians()")
    if outcomes.own:
        raise FigureError(
            "One's own line has no funnel, whose limits are of all clinicians: draw figures.clinician_difference."
        )
    if not outcomes.lines:
        raise FigureError(f"{nobody_listed(outcomes)} There is nothing to draw.")
    counts = [line.difference.clients for line in outcomes.lines]
    low, high = float(min(*counts, outcomes.least)), float(max(counts))
    room = max(high - low, 10.0)
    x = number_axis([low - 0.04 * room, high + 0.16 * room], "Measured clients", pad=0.0)
    sizes = np.linspace(max(x.start, 1.0), x.end, _POINTS)
    marks: list[Mark] = [Rule(0.0, "y", "As expected", dash="solid")]
    limits = np.array([outcomes.limits_at(size) for size in sizes.tolist()])
    for column, (level, dash) in enumerate(zip(LEVELS, _DASHES, strict=True)):
        marks += [_limit(sizes, side * limits[:, column], level, dash) for side in (1, -1)]
    values = [line.difference.difference for line in outcomes.lines]
    reach = max(float(limits.max()), *map(abs, values))
    y = number_axis([-reach, reach], _DIFFERENCE, grid=True)
    marks.append(_clinicians(outcomes.lines, x, y))
    return Figure(
        Drawing(
            heading(title, f"Difference from what is expected: {scale_words(outcomes)}"),
            _funnel_caption(outcomes),
            (Panel(x, y, tuple(marks)),),
        )
    )


def _limit(sizes: np.ndarray, values: np.ndarray, level: float, dash: Dash) -> Series:
    name = f"{percent(level)} limits"
    return Series(tuple(sizes.tolist()), tuple(values.tolist()), name, "quiet", dash, width=1.4)


def _clinicians(lines: Sequence[ClinicianLine], x: Axis, y: Axis) -> Series:
    places = [(float(line.difference.clients), line.difference.difference) for line in lines]
    return Series(
        tuple(clients for clients, _ in places),
        tuple(value for _, value in places),
        CLINICIANS,
        "ink",
        dash=None,
        symbols=("circle-open",),
        size=7,
        labels=_labels([plain(line.clinician_id, 16) for line in lines], places, x, y),
        hover=tuple(_line_words(line) for line in lines),
        key=False,
    )


def _labels(names: Sequence[str], places: Sequence[tuple[float, float]], x: Axis, y: Axis) -> tuple[str, ...]:
    """Leave out a label that would cover another or a mark; in the order of identifiers, whatever the values."""
    width, height = _PANEL
    points = [(x.share(clients) * width, y.share(value) * height) for clients, value in places]
    taken = [(left - 5, left + 5, up) for left, up in points]
    labels: list[str] = []
    for i, (name, (left, up)) in enumerate(zip(names, points, strict=True)):
        start, end = left + 6, left + 10 + width_of(name, _LABEL)
        covers = any(
            start < other_end and other_start < end and abs(up - other_up) < _LINE
            for j, (other_start, other_end, other_up) in enumerate(taken)
            if j != i
        )
        labels.append("" if covers else name)
        if not covers:
            taken.append((start, end, up))
    return tuple(labels)


def _line_words(line: ClinicianLine) -> str:
    each = line.difference
    return f"{plain(line.clinician_id)}: {each.clients} measured clients, difference {signed(each.difference)}"


def _funnel_caption(outcomes: ClinicianOutcomes) -> str:
    named = ". ".join(_line_words(line) for line in outcomes.lines)
    return f"{named}. {limits_words(outcomes)} {plain(outside_words(outcomes))} {ORDER}"


@checks(error=FigureError)
def clinician_difference(outcomes: object, *, title: str | None = None) -> Figure:
    """Draw one clinician's own difference from what is expected, as it is and shrunken.

    Parameters
    ----------
    outcomes : ClinicianOutcomes
        From `mbc.care.own_outcomes`.
    title : str, optional

    Returns
    -------
    Figure
        Values are rounded as they are shown in words: others' scores are behind them.

    Raises
    ------
    FigureError
        If it is another result, or a list of clinicians.
    """
    outcomes = require(outcomes, ClinicianOutcomes, "clinician_difference", "care.own_outcomes()")
    if not outcomes.own:
        raise FigureError("These are several clinicians: draw figures.clinician_funnel.")
    row = outcomes.to_frame().row(0, named=True)
    series = [_own_row(0, "Difference", row, ""), _own_row(1, "Shrunken", row, "shrunken_")]
    ends = [end for mark in series for end in (*mark.x, *(mark.bars.lower + mark.bars.upper if mark.bars else ()))]
    x = number_axis(ends, _DIFFERENCE, include=[0.0], grid=True)
    rows = rows_axis([mark.name for mark in series])
    rule = Rule(0.0, "x", dash="solid", label="as expected")
    drawing = Drawing(
        heading(title, f"Difference from what is expected, with 95 % limits: {scale_words(outcomes)}"),
        plain(own_words(outcomes.lines[0])),
        (Panel(x, rows, (rule, *series)),),
        height=190.0,
    )
    return Figure(drawing)


def _own_row(place: int, name: str, row: Mapping[str, Any], ends: str) -> Series:
    value, lower, upper = row[name.lower()], row[f"{ends}lower"], row[f"{ends}upper"]
    return Series(
        (value,),
        (float(place),),
        name,
        "ink",
        dash=None,
        symbols=("circle",) if place == 0 else ("circle-open",),
        size=8,
        bars=None if lower is None else Bars((lower,), (upper,), "x"),
        hover=(f"{name}: {signed(value)}",),
        key=False,
    )
