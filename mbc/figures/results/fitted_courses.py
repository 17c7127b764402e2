"""What a growth model expects of single clients, beside their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import polars as pl

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Axis, Drawing, Panel, Series
from mbc.figures.drawing.ticks import number_axis
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import GROWTH_MODELS, heading
from mbc.figures.text import plain
from mbc.models.growth.inference.fitted_model import PredictsRows
from mbc.models.growth.variants.paired import PairedGrowth

_ACROSS = 3  # panels in a row
_MOST = 12  # panels; smaller ones cannot be read
_GAP = 0.09
_DEEP, _BETWEEN = 150.0, 46.0  # pixels: of a row of panels, and of what is written between two


@checks(error=FigureError)
def fitted_values(
    fit: object,
    *,
    data: object = None,
    clients: int | Sequence[object] = 9,
    outcome: str | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the fitted values of some clients beside their scores: a check of a growth model where it matters.

    Parameters
    ----------
    fit : fitted growth model
        Of ``growth_curve``, ``therapist_growth``, ``serial_growth``, ``residual_growth``, ``robust_growth``,
        ``paired_growth`` or ``joint_growth``.
    data : table, optional
        The rows that it was fitted to; by default those of the fit, where they are in memory and unchanged.
    clients : int or sequence
        How many, at most twelve: evenly from the one whom the model fits worst to the one whom it fits best, by
        the mean square of their standardised residuals; or whom, by their identifiers.
    outcome : str, optional
        Which of two outcomes; needed for a model of two.
    title : str, optional

    Returns
    -------
    Figure
        One panel per client: scores, the client's fitted course at those times, and the mean course there.

    Raises
    ------
    FigureError
        If it is another result, a client is not in it, or it is not said which of two outcomes.
    ModelError
        If the rows are not in memory any more, or were changed.

    Examples
    --------
    >>> import polars as pl
    >>> from mbc import figures, models
    >>> scores = pl.DataFrame({
    ...     "client": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4],
    ...     "week": [0, 2, 6, 0, 3, 5, 0, 1, 6, 0, 2, 4],
    ...     "score": [21, 18, 12, 17, 16, 15, 25, 20, 16, 14, 9, 9],
    ... })
    >>> fit = models.growth_curve(scores, outcome="score", time="week", client="client", random="intercept")
    >>> [panel.title for panel in figures.fitted_values(fit, clients=[1, 3]).drawing.panels]
    ['1', '3']
    """
    rows, names = _rows(fit, data, outcome)
    chosen = _chosen(rows, clients)
    deep = math.ceil(len(chosen) / _ACROSS)
    y = number_axis([*rows["outcome"].to_list(), *rows["fitted"].to_list()], plain(names[0]), most=4)
    x = number_axis(rows["time"].to_list(), plain(names[1]), pad=0.05, most=4)
    panels = tuple(
        _panel(rows.filter(pl.col("client") == client).sort("time"), client, (x, y), place, len(chosen))
        for place, client in enumerate(chosen)
    )
    default = f"Fitted values of {names[0]}"
    caption = (
        f"Scores of {len(chosen)} of {rows['client'].n_unique()} clients with the model's fitted values and the "
        f"mean course. Over all {rows.height} scores the residuals' standard deviation is "
        f"{rows['residual'].std():.2f} points."
    )
    height = 60.0 + _DEEP * deep
    return Figure(Drawing(heading(title, default), caption, panels, height=max(height, 300.0), least_width=420.0))


def _rows(fit: object, data: object, outcome: str | None) -> tuple[pl.DataFrame, tuple[str, str]]:
    """Rows of one outcome, and the names of the outcome and the time."""
    if isinstance(fit, PairedGrowth):
        if outcome not in fit.outcomes:
            raise FigureError(
                f"outcome must be one of the model's two, {fit.outcomes[0]!r} or {fit.outcomes[1]!r}; got "
                f"{outcome!r}."
            )
        table = cast("pl.DataFrame", fit.fitted_frame(data, backend="polars"))
        return table.filter(pl.col("measure") == outcome), (outcome, fit.time)
    if not isinstance(fit, PredictsRows):
        raise FigureError(
            f"figures.fitted_values draws a growth model, as {GROWTH_MODELS} makes it; got {type(fit).__name__}."
        )
    own = fit.fitted_names
    if outcome not in {None, own[0]}:
        raise FigureError(f"this model has only the outcome {own[0]!r}; got outcome={outcome!r}.")
    return cast("pl.DataFrame", fit.fitted_frame(data, backend="polars")), own


def _chosen(rows: pl.DataFrame, clients: int | Sequence[object]) -> list[Any]:
    """List the clients to draw: those named, or evenly from the worst fitted to the best."""
    misfit = (
        rows.group_by("client", maintain_order=True)
        .agg(misfit=(pl.col("standardised") ** 2).mean())
        .sort("misfit", descending=True, maintain_order=True)
    )
    known: list[object] = misfit["client"].to_list()
    if isinstance(clients, bool | str | float):
        raise FigureError(f"clients must be a number of clients or a list of identifiers, got {clients!r}.")
    if isinstance(clients, int):
        if not 1 <= clients <= _MOST:
            raise FigureError(f"clients must be 1 to {_MOST}, got {clients}.")
        count = min(clients, len(known))
        return [known[round(i * (len(known) - 1) / max(count - 1, 1))] for i in range(count)]
    named = list(clients)
    if not 1 <= len(named) <= _MOST:
        raise FigureError(f"clients must name 1 to {_MOST} clients, got {len(named)}.")
    absent = [client for client in named if client not in known]
    if absent:
        raise FigureError(f"client {absent[0]!r} is not in the model, which has {len(known)} clients.")
    return named


def _panel(rows: pl.DataFrame, client: object, axes: tuple[Axis, Axis], place: int, many: int) -> Panel:
    """Draw one client: scores as points, the fitted course solid, the mean course dashed."""
    across, down, deep = place % _ACROSS, place // _ACROSS, math.ceil(many / _ACROSS)
    width = (1 - _GAP * (_ACROSS - 1)) / _ACROSS
    room = _BETWEEN / (_DEEP * deep - 45.0) if deep > 1 else 0.0
    depth = (1 - room * (deep - 1)) / deep
    left, foot = across * (width + _GAP), 1 - depth - down * (depth + room)
    x, y = axes
    lowest = down == deep - 1
    at = tuple(rows["time"].to_list())
    marks = (
        Series(at, tuple(rows["mean"].to_list()), "Mean course", "quiet", "dash", width=1.2, key=place == 0),
        Series(at, tuple(rows["fitted"].to_list()), "Fitted value", width=2, key=place == 0),
        Series(at, tuple(rows["outcome"].to_list()), "Score", "ink", None, symbols=("circle-open",), size=6,
               key=place == 0),
    )  # fmt: skip
    return Panel(
        x if lowest else Axis(x.start, x.end, "", x.ticks),
        y if across == 0 else Axis(y.start, y.end, "", y.ticks),
        marks,
        across=(left, min(left + width, 1.0)),
        up=(max(foot, 0.0), min(foot + depth, 1.0)),
        title=plain(str(client)),
    )
