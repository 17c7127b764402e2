"""How far therapists' clients differ, therapist by therapist."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Axis, Bars, Drawing, Panel, Rule, Series
from mbc.figures.drawing.ticks import number_axis, rows_axis
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading, percent, require
from mbc.figures.text import plain
from mbc.models.growth.variants.therapists.therapist_result import TherapistGrowth

_MOST_NAMED = 60  # therapists; more are drawn without their names
_ROW, _NARROW_ROW, _FRAME = 17.0, 5.0, 110.0  # pixels


@checks(error=FigureError)
def therapist_effects(fit: object, *, level: float = 0.95, title: str | None = None) -> Figure:
    """Draw each therapist's effect with its interval, in order.

    Parameters
    ----------
    fit : TherapistGrowth
        From `mbc.models.therapist_growth`.
    level : float
        Coverage of the intervals: effect plus and minus normal quantile times conditional standard deviation.
    title : str, optional

    Returns
    -------
    Figure
        One panel for each effect that differs between therapists; the order is that of the first.

    Notes
    -----
    The effects are predictions: with few clients, a therapist is shrunk towards zero. They are not a ranking:
    where intervals overlap, the order is chance.

    Raises
    ------
    FigureError
        If it is another result.
    """
    fit = require(fit, TherapistGrowth, "therapist_effects", "models.therapist_growth()")
    z = float(ndtri(0.5 + level / 2))
    order = np.argsort(fit.means[:, 0], kind="stable")[::-1]
    named = order.size <= _MOST_NAMED
    counts = fit.clients_seen[order].tolist()
    names = [str(fit.therapists[i]) for i in order.tolist()]
    labels = [f"{plain(name, 24)} ({count})" for name, count in zip(names, counts, strict=True)] if named else []
    rows = rows_axis(labels) if named else Axis(order.size - 0.4, -0.6, "Therapists, in order", line=False)
    bare = Axis(rows.start, rows.end, visible=False)
    count = len(fit.therapist_effects)
    panels: list[Panel] = []
    for j, effect in enumerate(fit.therapist_effects):
        means, spread = fit.means[order, j], fit.standard_deviations[order, j]
        series = Series(
            tuple(means.tolist()),
            tuple(float(i) for i in range(order.size)),
            "Effect of the therapist",
            dash=None,
            symbols=("circle",),
            size=7 if named else 4,
            bars=Bars(tuple((means - z * spread).tolist()), tuple((means + z * spread).tolist()), "x"),
            hover=tuple(f"{plain(name)}: {mean:+.2f}" for name, mean in zip(names, means.tolist(), strict=True)),
            key=False,
        )
        ends = [*(means - z * spread).tolist(), *(means + z * spread).tolist()]
        across = (j / count + (0.03 if j else 0), (j + 1) / count - (0.03 if j + 1 < count else 0))
        # At least a tenth of the spread between clients: a variance of nothing is not drawn as if it were large.
        least = 0.1 * math.sqrt(float(fit.client_covariance[j, j]))
        title_of = f"{_name(effect)}: difference from the average"
        x = number_axis(ends, title_of, include=[-least, least], grid=True, most=5)
        panels.append(Panel(x, rows if j == 0 else bare, (Rule(0, "x", dash="solid"), series), across=across))
    height = _FRAME + (_ROW if named else _NARROW_ROW) * order.size
    return Figure(
        Drawing(
            heading(title, "Therapist effects"), _caption(fit, level), tuple(panels), height=max(height, 220.0)
        )
    )


def _name(effect: str) -> str:
    return "Intercept" if effect == "(Intercept)" else plain(effect)


def _caption(fit: TherapistGrowth, level: float) -> str:
    counts = " (clients of each in brackets)" if len(fit.therapists) <= _MOST_NAMED else ""
    share = 100 * fit.therapist_share
    return (
        f"{len(fit.therapists)} therapists with {fit.n_clients} clients{counts}: effects on "
        f"{_name(fit.therapist_effects[0])}, with {percent(level)} intervals. {share:.1f} % of the variance of a "
        "score at time 0 is between therapists. With few clients, an effect is shrunk towards zero."
    )
