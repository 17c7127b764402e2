"""Estimates with their intervals, one under the other: effects, rates, coefficients; items against the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Axis, Bars, Drawing, Mark, Panel, Rule, Series, Symbol, Text
from mbc.figures.drawing.ticks import fixed_axis, number_axis, rows_axis, write_number
from mbc.figures.figure import Figure
from mbc.figures.renderers.text_size import width_of
from mbc.figures.results.accepted import heading, kind_of, percent
from mbc.figures.text import plain
from mbc.models.change.groups.group_change import GroupChange
from mbc.models.change.inputs.proportions import Proportion
from mbc.models.couples.actor_partner import ActorPartner, DyadEffect
from mbc.models.effects.controlled_effect import ControlledEffect
from mbc.models.effects.effect_size import EffectSize
from mbc.models.effects.pooled_proportions import PooledProportion
from mbc.models.effects.random_effects import PooledEffects
from mbc.models.growth.curve.curve import GrowthCurve
from mbc.models.growth.inference.reported import Coefficient
from mbc.models.lagged.effects import LaggedEffect
from mbc.models.measurement.reliability import ItemRest

_ROW, _FRAME = 26.0, 110.0  # pixels


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of a forest."""

    label: str
    estimate: float | None
    lower: float | None
    upper: float | None
    measure: str  # what the axis counts: lines of a figure share it
    n: int | None = None
    confidence: float | None = None


@checks(error=FigureError)
def forest(effects: object, *, reference: float | None = 0.0, title: str | None = None) -> Figure:
    """Draw effects with their intervals, one under the other.

    Parameters
    ----------
    effects : mapping of str to result, or a fit
        The label of each line and its estimate: results of `mbc.models.effect_size`,
        `mbc.models.controlled_effect_size`, `mbc.models.group_change` and ``group_difference``,
        `mbc.models.wilson_interval`, coefficients of a growth curve, effects of partners, or lagged
        effects; all of one kind, because they share an axis. A `GrowthCurve` gives its coefficients
        without the intercept, an `ActorPartner` for its effects without intercepts, what `mbc.models.pool_effects`
        and ``pool_proportions`` give for their studies, with the pooled estimate under them.
    reference : float, optional
        Where a line is drawn across, in the unit of the axis; None for none.
    title : str, optional

    Returns
    -------
    Figure
        An estimate that could not be had keeps its line, and says so. An effect size is d where its interval is
        exact, and Hedges' g where it is approximate, as that interval is of g.

    Raises
    ------
    FigureError
        If there is nothing to draw, or results of different kinds.

    Examples
    --------
    >>> from mbc import figures, models
    >>> rates = {"Clinic A": models.wilson_interval(8, 10), "Clinic B": models.wilson_interval(20, 40)}
    >>> series = figures.forest(rates, reference=50).drawing.series("Estimate")[0]
    >>> series.x
    (80.0, 50.0)
    """
    lines = _lines(effects)
    measures = list(dict.fromkeys(line.measure for line in lines))
    if len(measures) > 1:
        raise FigureError(
            f"These effects cannot share an axis: {', '.join(measures)}. Draw one figure for each, or compute "
            "them with the same options."
        )
    drawn = [(i, line) for i, line in enumerate(lines) if line.estimate is not None]
    if not drawn:
        raise FigureError("None of these effects could be estimated, so there is nothing to draw.")
    labels = [plain(line.label, 40) + ("" if line.n is None else f" (n = {line.n})") for line in lines]
    series = Series(
        tuple(line.estimate for _, line in drawn),
        tuple(float(i) for i, _ in drawn),
        "Estimate",
        dash=None,
        symbols=("square",),
        size=8,
        bars=Bars(tuple(line.lower for _, line in drawn), tuple(line.upper for _, line in drawn), "x"),
        hover=tuple(f"{plain(line.label)}: {_words(line)}" for _, line in drawn),
        key=False,
    )
    ends = [end for _, line in drawn for end in (line.estimate, line.lower, line.upper)]
    levels = {line.confidence for line in lines if line.confidence is not None}
    level = f", {percent(levels.pop())} interval" if len(levels) == 1 else ""
    x = number_axis(ends, measures[0] + level, include=[] if reference is None else [reference], grid=True, most=5)
    rows = rows_axis(labels)
    rule: tuple[Mark, ...] = () if reference is None else (Rule(reference, "x", dash="solid"),)
    words = tuple(Text(0, i, _words(line)) for i, line in enumerate(lines))
    panels = (
        Panel(x, rows, (*rule, series), across=(0, 0.64)),
        Panel(Axis(0, 1, visible=False), Axis(rows.start, rows.end, visible=False), words, across=(0.66, 1)),
    )
    caption = " ".join(f"{plain(line.label)}: {_words(line)}." for line in lines)
    height = _FRAME + _ROW * len(lines)
    least = _least_width(labels, [_words(line) for line in lines], 0.34)
    shown = heading(title, "Estimates with intervals")
    return Figure(Drawing(shown, caption, panels, max(640.0, least), max(height, 180.0), least))


def _least_width(labels: Sequence[str], words: Sequence[str], share: float) -> float:
    """Give the width at which names on the left, and words in a share of the rest on the right, have room."""
    left = max(width_of(label, 12) for label in labels)
    return max(width_of(text, 12.5) for text in words) / share + left + 30


def _words(line: Interval) -> str:
    if line.estimate is None:
        return "not estimated"
    if line.lower is None or line.upper is None:
        return write_number(line.estimate, 2)
    low, high = write_number(line.lower, 2), write_number(line.upper, 2)
    return f"{write_number(line.estimate, 2)} ({low} to {high})"


def _lines(effects: object) -> list[Interval]:
    if isinstance(effects, GrowthCurve):
        fit = effects
        pairs = [(c.name, c) for c in fit.coefficients if c.name != "(Intercept)"]
        return [_line(name, c) for name, c in pairs] or _nothing(
            "a growth curve with no coefficients other than the mean"
        )
    if isinstance(effects, ActorPartner):
        kept = [effect for effect in effects.effects if effect.effect != "intercept"]
        lines = [replace(_line(_dyad_label(effect), effect), confidence=effects.confidence) for effect in kept]
        return lines or _nothing("a couples model without effects")
    if isinstance(effects, PooledEffects | PooledProportion):
        return _pooled_lines(effects)
    if not isinstance(effects, Mapping):
        raise FigureError(
            "figures.forest draws a mapping of labels to results ({'Our clinic': models.effect_size(...)}), a "
            f"GrowthCurve, an ActorPartner, or what was pooled of studies; got {kind_of(effects)}."
        )
    lines = [_line(str(label), value) for label, value in cast("Mapping[object, object]", effects).items()]
    return lines or _nothing("an empty mapping")


def _pooled_lines(pooled: PooledEffects | PooledProportion) -> list[Interval]:
    """List each study, then what they say together, then where another study is expected."""
    share = isinstance(pooled, PooledProportion)
    scale, measure = (100.0, "Per cent") if share else (1.0, "Effect")
    kind = pooled.logits.effects if isinstance(pooled, PooledProportion) else pooled.effects
    rows = [(each.study, each.estimate, each.lower, each.upper) for each in pooled.studies]
    rows.append((f"Pooled, {kind} effects", pooled.estimate, pooled.lower, pooled.upper))
    if pooled.prediction_lower is not None and pooled.prediction_upper is not None:
        rows.append(("Another study", pooled.estimate, pooled.prediction_lower, pooled.prediction_upper))
    return [
        Interval(name, scale * middle, scale * low, scale * high, measure, None, pooled.confidence)
        for name, middle, low, high in rows
    ]


def _nothing(what: str) -> list[Interval]:
    raise FigureError(f"There is nothing to draw: {what}.")


def _dyad_label(effect: DyadEffect) -> str:
    return effect.effect if effect.role == "both" else f"{effect.effect}, {effect.role}"


def _line(label: str, value: object) -> Interval:
    if isinstance(value, EffectSize):
        exact = value.interval == "exact"
        estimate, name = (
            (value.d, f"Standardised change (d, {value.kind})")
            if exact
            else (value.g, f"Standardised change (g, {value.kind})")
        )
        return Interval(label, estimate, value.lower, value.upper, name, value.n, value.confidence)
    if isinstance(value, ControlledEffect):
        n = value.n_treated + value.n_control
        return Interval(
            label, value.d, value.lower, value.upper, f"Standardised change (d, {value.kind})", n, value.confidence
        )
    if isinstance(value, GroupChange):
        return Interval(label, value.estimate, value.lower, value.upper, "Points", value.n, value.confidence)
    if isinstance(value, Proportion):
        rate, low, high = (
            None if end is None else 100 * end for end in (value.estimate, value.lower, value.upper)
        )
        return Interval(label, rate, low, high, "Per cent", value.n, value.confidence)
    if isinstance(value, PooledEffects | PooledProportion):
        return replace(_pooled_lines(value)[len(value.studies)], label=label)
    if isinstance(value, Coefficient | DyadEffect | LaggedEffect):
        measure, level = (
            ("Points per unit of the term", 0.95) if isinstance(value, Coefficient) else ("Points per point", None)
        )
        return Interval(label, value.estimate, value.lower, value.upper, measure, None, level)
    raise FigureError(
        f"figures.forest cannot draw {label!r}, a {kind_of(value)}: it takes EffectSize, ControlledEffect, "
        "GroupChange, Proportion, PooledEffects, PooledProportion, Coefficient, DyadEffect and LaggedEffect."
    )


@checks(error=FigureError)
def item_rest_correlations(items: object, *, title: str | None = None) -> Figure:
    """Draw each item's correlation with the sum of the others.

    Parameters
    ----------
    items : sequence of ItemRest
        From `mbc.models.item_rest_correlations`.
    title : str, optional

    Returns
    -------
    Figure
        On the right alpha of the scale without that item. An item that runs against the rest has an open marker:
        its key, or the form's item order, is probably the wrong one.

    Raises
    ------
    FigureError
        If it is another result, or no correlation could be had.

    Examples
    --------
    >>> from mbc import figures, models
    >>> answers = [[3, 3, 0, 3], [1, 0, 2, 1], [2, 2, 1, 3], [0, 1, 3, 0], [3, 2, 1, 2]]
    >>> rows = models.item_rest_correlations(answers)
    >>> figures.item_rest_correlations(rows).drawing.series("Negatively related")[0].y
    (2.0,)
    """
    rows = _items(items)
    drawn = [(i, row.correlation) for i, row in enumerate(rows) if row.correlation is not None]
    if not drawn:
        raise FigureError("No correlation could be computed for these items, so there is nothing to draw.")
    with_rest = [(i, value) for i, value in drawn if value >= 0]
    against = [(i, value) for i, value in drawn if value < 0]
    marks: list[Mark] = [Rule(0, "x", dash="solid")]
    marks += _stems(drawn)
    marks.append(_dots(with_rest, rows, "Positively related", "circle"))
    if against:
        marks.append(_dots(against, rows, "Negatively related", "diamond-open"))
    axis = rows_axis([plain(row.item, 30) for row in rows])
    low = min(0.0, *(value for _, value in drawn))
    x = fixed_axis(
        -1.0 if low < -0.25 else low, 1.0, "Correlation with the sum of the other items", grid=True, pad=0.02
    )
    words = tuple(Text(0.2, i, _alpha(row)) for i, row in enumerate(rows))
    panels = (
        Panel(x, axis, tuple(marks), across=(0, 0.7)),
        Panel(
            Axis(0, 1, visible=False),
            Axis(axis.start, axis.end, visible=False),
            words,
            across=(0.74, 1),
            title="Alpha without",
        ),
    )
    caption = _items_caption(rows, [rows[i].item for i, _ in against])
    height = max(_FRAME + 20.0 * len(rows), 180.0)
    least = _least_width([row.item for row in rows], ["<b>Alpha without</b>"], 0.26)
    shown = heading(title, "Item-rest correlations")
    return Figure(Drawing(shown, caption, panels, max(640.0, least), height, least))


def _items(items: object) -> Sequence[ItemRest]:
    kind = kind_of(items)
    rows = list(cast("Iterable[object]", items) if isinstance(items, tuple | list) else tuple[object]())
    if not rows or not all(isinstance(row, ItemRest) for row in rows):
        raise FigureError(
            f"figures.item_rest_correlations draws what models.item_rest_correlations() gives; got {kind}."
        )
    return cast("list[ItemRest]", rows)


def _stems(drawn: Sequence[tuple[int, float]]) -> list[Mark]:
    """Join each dot to zero, all in one series."""
    x: list[float | None] = []
    y: list[float | None] = []
    for i, value in drawn:
        x += [0.0, value, None]
        y += [float(i), float(i), None]
    return [Series(tuple(x), tuple(y), "From zero", "quiet", width=1.2, key=False)]


def _dots(drawn: Sequence[tuple[int, float]], rows: Sequence[ItemRest], name: str, symbol: Symbol) -> Series:
    return Series(
        tuple(value for _, value in drawn),
        tuple(float(i) for i, _ in drawn),
        name,
        "score" if symbol == "circle" else "cutoff",
        None,
        symbols=(symbol,),
        size=9,
        hover=tuple(f"{plain(rows[i].item)}: {write_number(value, 2)}" for i, value in drawn),
    )


def _alpha(row: ItemRest) -> str:
    return "–" if row.alpha_without is None else write_number(row.alpha_without, 2)


def _items_caption(rows: Sequence[ItemRest], against: Sequence[str]) -> str:
    values = [row.correlation for row in rows if row.correlation is not None]
    text = (
        f"{len(rows)} items; correlations from {write_number(min(values), 2)} to {write_number(max(values), 2)}."
    )
    if against:
        text += f"Negatively related: {plain(', '.join(against))}; is the scoring key or the item order wrong?"
    return text
