"""Do methods of reliable change agree: how many each calls changed, and how often two say the same."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import polars as pl

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Area, Axis, Bars, Drawing, Mark, Panel, Series, Symbol, Text
from mbc.figures.drawing.ticks import fixed_axis, rows_axis
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading, percent, require
from mbc.models.change.groups.comparison import MethodComparison

# Symbol and colour of each category; those of one method stand under each other.
_LOOKS: dict[str, tuple[Symbol, str]] = {
    "recovered": ("star", "goal"),
    "improved": ("triangle-up", "score"),
    "unchanged": ("circle-open", "quiet"),
    "deteriorated": ("triangle-down", "cutoff"),
    "harmed": ("square", "cutoff"),
}


@checks(error=FigureError)
def method_agreement(comparison: object, *, confidence: float = 0.95, title: str | None = None) -> Figure:
    """Draw several methods of reliable change side by side.

    Parameters
    ----------
    comparison : MethodComparison
        From `mbc.models.compare_methods`.
    confidence : float
        Of the Wilson intervals of the rates.
    title : str, optional

    Returns
    -------
    Figure
        Left: the rate of each category by each method. Right: of the pairs that two methods both judged, the share
        that they put in one category, in per cent; the darker, the more.

    Raises
    ------
    FigureError
        If it is another result, or of one method only.

    Examples
    --------
    >>> from mbc import figures, models
    >>> both = models.compare_methods([20, 15, 30, 28], [10, 14, 22, 29], reliability=0.85, higher_is_better=False,
    ...     methods=["jacobson-truax", "edwards-nunnally"])
    >>> figure = figures.method_agreement(both)
    >>> figure.drawing.series("Improved")[0].x
    (50.0, 50.0)
    """
    made = require(comparison, MethodComparison, "method_agreement", "models.compare_methods()")
    methods = list(made.changes)
    if len(methods) < 2:
        raise FigureError(f"Agreement needs at least two methods; the result has {', '.join(methods) or 'none'}.")
    table = made.to_frame(backend="polars")
    shares = {pair: agreement(table, *pair) for pair in itertools.combinations(methods, 2)}
    rates = made.rates(confidence)
    labels = [name.replace("-", " ") for name in methods]
    left = Panel(
        fixed_axis(0, 100, f"Pairs, in per cent ({percent(confidence)} interval)", grid=True, most=5, pad=0.03),
        rows_axis(labels),
        tuple(_rates(rates, methods)),
        across=(0, 0.5),
        title="Rates",
    )
    right = Panel(
        _columns(len(methods)),
        Axis(len(methods) - 0.4, -0.6, visible=False),
        tuple(_matrix(methods, shares)),
        across=(0.58, 1),
        title="Pairs classified alike (%)",
    )
    known = [share for share in shares.values() if share is not None]
    least = f" Any two methods agree on at least {min(known):.0f} % of the pairs." if known else ""
    caption = f"{len(methods)} methods on the same {table.height} pairs.{least}"
    height = max(260.0, 130.0 + 40.0 * len(methods))
    return Figure(
        Drawing(heading(title, "Methods compared"), caption, (left, right), height=height, least_width=560.0)
    )


def agreement(table: pl.DataFrame, first: str, second: str) -> float | None:
    """Give the share, in per cent, of the pairs judged by two methods that both put in one category.

    Examples
    --------
    >>> table = pl.DataFrame({"a": ["improved", "unchanged", None], "b": ["improved", "improved", "improved"]})
    >>> agreement(table, "a", "b")
    50.0
    """
    judged = table.select(first, second).drop_nulls()
    if not judged.height:
        return None
    return 100 * float((judged[first] == judged[second]).sum()) / judged.height


def _columns(count: int) -> Axis:
    """Make the axis of the columns: numbered as the rows are, since names would not fit."""
    return Axis(-0.6, count - 0.4, "Method", tuple((float(i), str(i + 1)) for i in range(count)), line=False)


def _rates(rates: pl.DataFrame, methods: Sequence[str]) -> list[Mark]:
    categories = [name for name in _LOOKS if name in rates["category"].to_list()]
    marks: list[Mark] = []
    for k, category in enumerate(categories):
        symbol, colour = _LOOKS[category]
        offset = (k - (len(categories) - 1) / 2) * 0.8 / len(categories)
        rows = rates.filter(pl.col("category") == category)
        by_method = {row["method"]: row for row in rows.to_dicts()}
        present = [name for name in methods if name in by_method and by_method[name]["rate"] is not None]
        columns = {
            name: tuple(100 * by_method[method][name] for method in present) for name in ("rate", "lower", "upper")
        }
        marks.append(
            Series(
                columns["rate"],
                tuple(methods.index(name) + offset for name in present),
                category.capitalize(),
                colour,
                None,
                symbols=(symbol,),
                size=8,
                bars=Bars(columns["lower"], columns["upper"], "x"),
                hover=tuple(f"{name}: {by_method[name]['n']} {category}" for name in present),
            )
        )
    return marks


def _matrix(methods: Sequence[str], shares: dict[tuple[str, str], float | None]) -> list[Mark]:
    marks: list[Mark] = []
    for i, first in enumerate(methods):
        for j, second in enumerate(methods):
            if i == j:
                marks.append(Text(j, i, f"<b>{i + 1}</b>", horizontal="center"))
                continue
            share = shares[(first, second) if i < j else (second, first)]
            words = f"{first} and {second}: " + ("none assessed by both" if share is None else f"{share:.1f} %")
            x, y = (j - 0.5, j + 0.5, j + 0.5, j - 0.5), (i - 0.5, i - 0.5, i + 0.5, i + 0.5)
            # At most half of the ink: the number on it stays readable.
            opacity = 0.0 if share is None else 0.45 * share / 100
            marks.append(Area(x, y, "Agreement", "score", opacity, hover=words, key=False))
            marks.append(Text(j, i, "–" if share is None else f"{share:.0f}", horizontal="center"))
    return marks
