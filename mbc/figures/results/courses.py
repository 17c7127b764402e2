"""How clients change over time, and how probable it is that one truly changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Area, Axis, Drawing, Mark, Panel, Rule, Series, band
from mbc.figures.drawing.ticks import fixed_axis, number_axis, write_number
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading, percent, require
from mbc.figures.text import plain
from mbc.models.change.occasions.all_sessions import TrueChangeCourse
from mbc.models.growth.curve.curve import GrowthCurve
from mbc.models.growth.data.rows import Rows
from mbc.models.growth.variants.residual_groups import eager_rows

Floats = NDArray[np.float64]
_POINTS = 61  # of a curve


@checks(error=FigureError)
def growth(
    fit: object,
    *,
    data: object = None,
    times: ArrayLike | None = None,
    clients: object = 20,
    level: float = 0.95,
    scores_level: float | None = 0.8,
    covariates: Mapping[str, object] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw a growth curve: the mean course with its band, where scores lie, and clients' own courses.

    Parameters
    ----------
    fit : GrowthCurve
        From `mbc.models.growth_curve`. ``data`` or ``times`` say from when to when.
    data : table, optional
        The rows it was fitted to: the clients' scores are drawn as well, each course as long as its scores.
    times : array_like, optional
        Where to draw the courses, in the unit of the time column; from the first to the last of ``data`` unless
        given.
    clients : int or sequence
        So many clients, taken evenly from the list of all, or the identifiers of those to draw; 0 for none.
    level : float
        Coverage of the band of the mean course.
    scores_level : float, optional
        Coverage of the outer band, where a new client's scores will lie; None for no such band.
    covariates : mapping, optional
        As in `GrowthCurve.predict_mean`.
    title : str, optional
        Instead of the default; empty for none.

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        If it is another result, or neither ``data`` nor ``times`` is given.

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
    >>> figure = figures.growth(fit, data=scores)
    >>> [series.name for series in figure.drawing.panels[0].marks][-2:]
    ['Scores', 'Mean course']
    """
    fit = require(fit, GrowthCurve, "growth", "models.growth_curve()")
    rows = None if data is None else _rows(fit, data)
    at = _times(rows, times)
    chosen = _chosen(fit, clients)
    mean = fit.predict_mean(at, covariates=covariates, level=level, kind="mean")
    inside = f"{percent(level)} interval of the mean"
    marks: list[Mark] = []
    if scores_level is not None:
        wide = fit.predict_mean(at, covariates=covariates, level=scores_level, kind="prediction")
        outline = band(at.tolist(), wide.lower.tolist(), wide.upper.tolist())
        marks.append(Area(*outline, name=f"{percent(scores_level)} of new scores", opacity=0.12, edge="dot"))
    marks.append(
        Area(
            *band(at.tolist(), mean.lower.tolist(), mean.upper.tolist()), name=inside, colour="score", opacity=0.3
        )
    )
    courses, scores = _clients(fit, chosen, at, rows)
    marks += [mark for mark in (courses, scores) if mark is not None]
    hover = tuple(f"{plain(fit.time)} {x:g}: {y:.1f}" for x, y in zip(at, mean.mean, strict=True))
    marks.append(Series(tuple(at.tolist()), tuple(mean.mean.tolist()), "Mean course", width=3, hover=hover))
    shown: list[float | None] = [y for mark in marks if isinstance(mark, Series | Area) for y in mark.y]
    caption = (
        f"Mean course of {plain(fit.outcome)} over {plain(fit.time)} in {fit.n_clients} clients with "
        f"{fit.n_observations} scores: from {mean.mean[0]:.1f} at {at[0]:g} to {mean.mean[-1]:.1f} at {at[-1]:g} "
        f"({percent(level)} interval there {mean.lower[-1]:.1f} to {mean.upper[-1]:.1f})."
    )
    if chosen:
        caption += f" Thin lines: {len(chosen)} of the clients' own courses."
    axes = (
        number_axis([float(at.min()), float(at.max())], plain(fit.time), pad=0.03),
        number_axis(shown, plain(fit.outcome), grid=True),
    )
    default = f"{fit.outcome} over {fit.time}"
    return Figure(Drawing(heading(title, default), caption, (Panel(*axes, tuple(marks)),)))


def _rows(fit: GrowthCurve, data: object) -> Rows:
    return eager_rows(data, outcome=fit.outcome, time=fit.time, client=fit.client, covariates=[], labels=[])


def _times(rows: Rows | None, times: ArrayLike | None) -> Floats:
    if times is not None:
        at = np.sort(np.atleast_1d(np.asarray(times, dtype=float)))
        if at.ndim != 1 or at.size < 2 or not np.isfinite(at).all():
            raise FigureError(
                "times must be a list of at least two finite numbers, in the unit of the time column."
            )
        return at
    if rows is None:
        raise FigureError(
            "The range of times is not known. Give data= (the table it was fitted to) or times= (where to draw "
            "it)."
        )
    return np.linspace(float(rows.time.min()), float(rows.time.max()), _POINTS)


def _chosen(fit: GrowthCurve, clients: object) -> list[object]:
    """List the clients to draw."""
    known: list[object] = fit.client_ids.tolist()
    if isinstance(clients, bool | str | float):
        raise FigureError(f"clients must be a number of clients or a list of identifiers, got {clients!r}.")
    if isinstance(clients, int):
        if clients < 0:
            raise FigureError(f"clients must be at least 0, got {clients}.")
        count = min(clients, len(known))
        return [known[i] for i in sorted({round(place) for place in np.linspace(0, len(known) - 1, count)})]
    return list(cast("Sequence[object]", clients))


def _clients(
    fit: GrowthCurve, chosen: Sequence[object], at: Floats, rows: Rows | None
) -> tuple[Series | None, Series | None]:
    """Draw clients' own courses, and their scores where the rows are known; a gap parts one from the next."""
    places = {} if rows is None else {key: i for i, key in enumerate(rows.ids.tolist())}
    x: list[float | None] = []
    y: list[float | None] = []
    score_x: list[float | None] = []
    score_y: list[float | None] = []
    for client in chosen:
        own = at
        if rows is not None and client in places:
            client_rows = np.flatnonzero(rows.codes == places[client])
            own_times = rows.time[client_rows]
            own = np.linspace(float(own_times.min()), float(own_times.max()), 25 if client_rows.size > 1 else 1)
            score_x += own_times.tolist()
            score_y += rows.outcome[client_rows].tolist()
        course = fit.predict_client(client, own, kind="mean")
        x += [*course.time.tolist(), None]
        y += [*course.mean.tolist(), None]
    courses = Series(tuple(x), tuple(y), "Clients' own courses", "quiet", width=0.8, opacity=0.75) if x else None
    scores = (
        Series(
            tuple(score_x), tuple(score_y), "Scores", "quiet", None, symbols=("circle-open",), size=4, opacity=0.75
        )
        if score_x
        else None
    )
    return courses, scores


@checks(error=FigureError)
def true_change(course: object, *, client: object = None, title: str | None = None) -> Figure:
    """Draw how probable it is, session by session, that a client's true level is better than at the start.

    Parameters
    ----------
    course : TrueChangeCourse
        From `mbc.models.true_change_course` with ``each_session=True``.
    client : object, optional
        Which one, where the result is of several.
    title : str, optional

    Returns
    -------
    Figure
        Above the probabilities, below the change of the true level with its interval.

    Raises
    ------
    FigureError
        If it is another result, holds the last session only, or the client is not in it.

    Examples
    --------
    >>> from mbc import figures, models
    >>> course = models.true_change_course([14, 13, 15, 17, 18, 21, 20, 22, 23], higher_is_better=True, sd=6.98,
    ...     reliability=0.914, each_session=True)
    >>> figure = figures.true_change(course)
    >>> round(figure.drawing.series("Better than at the start")[0].y[-1])
    97
    """
    require(course, TrueChangeCourse, "true_change", "models.true_change_course()")
    made = cast("TrueChangeCourse[Any, Any]", course)
    table = _course_table(made, client)
    x = tuple(float(value) for value in table["x"])
    better, worse, meaningful = (
        tuple(None if np.isnan(value) else 100 * float(value) for value in table[name])
        for name in ("p_better", "p_worse", "p_meaningful")
    )
    marks: list[Mark] = [
        Rule(
            100 * made.confidence,
            "y",
            dash="longdash",
            label=f"clear: {percent(made.confidence)}",
            label_at="left",
        ),
        _probability(x, better, "Better than at the start", "score", "solid", "circle"),
        _probability(x, worse, "Worse than at the start", "cutoff", "dash", "triangle-down"),
    ]
    if made.meaningful is not None:
        name = f"Better by at least {made.meaningful:g} points"
        marks.append(_probability(x, meaningful, name, "goal", "dashdot", "square-open"))
    time = number_axis(x, "Time" if _has_times(made) else "Session", pad=0.03)
    probability = fixed_axis(0, 100, "Probability", grid=True, most=5, suffix=" %", pad=0.03)
    bare = Axis(time.start, time.end, "", time.ticks)
    panels = (
        Panel(bare, probability, tuple(marks), up=(0.48, 1)),
        Panel(time, _change_axis(table), _change_marks(table, x, made.confidence), up=(0, 0.38)),
    )
    default = "Probability of true change" if client is None else f"Probability of true change: client {client}"
    caption = _course_caption(made, x, better, table)
    return Figure(Drawing(heading(title, default), caption, panels, height=470))


def _course_table(made: TrueChangeCourse[Any, Any], client: object) -> dict[str, Floats]:
    """Pick one client's rows."""
    size = np.atleast_1d(made.codes).size
    if made.codes.ndim == 0 or (made.client_ids is not None and made.times is None):
        raise FigureError(
            "This result has only each client's last session. For all sessions: "
            "models.true_change_course(..., each_session=True)."
        )
    keep = np.ones(size, dtype=bool)
    if made.client_ids is not None:
        ids = made.client_ids.to_list()
        known = list(dict.fromkeys(ids))
        if client is None and len(known) > 1:
            raise FigureError(
                f"The result is of {len(known)} clients: choose one with client=, such as {known[0]!r}."
            )
        wanted = known[0] if client is None else client
        if wanted not in known:
            raise FigureError(f"client {client!r} is not in the result, which has {len(known)} clients.")
        keep = np.array([key == wanted for key in ids])
    elif client is not None:
        raise FigureError("The result is of one client and has no identifiers: leave client= out.")
    names = ("p_better", "p_worse", "p_meaningful", "change", "change_lower", "change_upper")
    columns = {
        name: np.broadcast_to(np.asarray(getattr(made, name), dtype=float), (size,))[keep] for name in names
    }
    return columns | {"x": _when(made, keep)}


def _when(made: TrueChangeCourse[Any, Any], keep: NDArray[np.bool_]) -> Floats:
    """Find when each verdict was: the time where it is a number of its own, else the session."""
    if _has_times(made) and made.times is not None:
        return made.times.cast(float).to_numpy()[keep]
    return np.asarray(np.atleast_1d(made.sessions), dtype=float)[keep]


def _has_times(made: TrueChangeCourse[Any, Any]) -> bool:
    """Whether times are numbers that somebody gave, and not the count 0, 1, ... that stands in for them."""
    if made.times is None or not made.times.dtype.is_numeric():
        return False
    return not np.array_equal(made.times.cast(float).to_numpy(), np.atleast_1d(made.sessions) - 1.0)


def _probability(
    x: tuple[float, ...], y: tuple[float | None, ...], name: str, colour: str, dash: Any, symbol: Any
) -> Series:
    hover = tuple("" if value is None else f"{name}: {value:.0f} %" for value in y)
    return Series(x, y, name, colour, dash, symbols=(symbol,), size=6, hover=hover)


def _change_axis(table: Mapping[str, Floats]) -> Axis:
    shown = [float(v) for name in ("change_lower", "change_upper") for v in table[name] if np.isfinite(v)]
    return number_axis(shown, "Change (points)", include=[0.0], grid=True, most=5)


def _change_marks(table: Mapping[str, Floats], x: tuple[float, ...], confidence: float) -> tuple[Mark, ...]:
    known = np.isfinite(table["change"])
    at = np.asarray(x)[known].tolist()
    outline = band(at, table["change_lower"][known].tolist(), table["change_upper"][known].tolist())
    change = tuple(float(value) for value in table["change"][known])
    hover = tuple(f"{write_number(value, 1)} points" for value in change)
    return (
        Area(
            *outline,
            name=f"{percent(confidence)} interval of the change",
            colour="quiet",
            opacity=0.18,
            edge="dot",
        ),
        Rule(0, "y", dash="solid", width=1),
        Series(tuple(at), change, "Change of the true level", "ink", "solid", width=1.6, hover=hover),
    )


def _course_caption(
    made: TrueChangeCourse[Any, Any],
    x: Sequence[float],
    better: Sequence[float | None],
    table: Mapping[str, Floats],
) -> str:
    last = better[-1]
    if last is None:
        return f"{len(x)} sessions; too few scores for a probability of change."
    change = write_number(float(table["change"][-1]), 1)
    return (
        f"After {len(x)} sessions the probability that the true level is better than at the start is {last:.0f} % "
        f"(change {change} points); a change is clear from {percent(made.confidence)}."
    )
