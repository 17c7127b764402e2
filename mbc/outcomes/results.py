"""What a report gives: figures with denominators, limits and bounds, the flow of clients, the rules in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from mbc import __version__
from mbc.outcomes.cohorts import Cohort, Period
from mbc.privacy.small_numbers.protect import Table
from mbc.privacy.small_numbers.rounded_counts import PublishedShare

_LIMITS_AND_BOUNDS = (
    "Limits are 95 % intervals that count clients within clinicians; bounds say what the clients without a known "
    "outcome could make of a figure. About one interval in twenty misses the true value by chance."
)
COLUMNS = ("metric", "numerator", "denominator", "value", "lower", "upper", "published")


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a report."""

    metric: str
    title: str
    among: str
    """Whom the denominator counts, in words."""
    numerator: int | None
    denominator: int
    value: float | None
    """Percent, or the unit of a mean; ``None`` where there is nobody, or only a count is meant."""
    lower: float | None
    """95 % limits, clients counted within clinicians."""
    upper: float | None
    published: str
    """The same under the small-number rule: ``"5 of 15"``, or ``"NULL"``."""
    unit: str = "percent"
    worst: float | None = None
    """Lowest and highest value that the clients whose outcome is not known could make of it."""
    best: float | None = None
    unknown: int = 0
    clinicians: int = 0
    group: str = ""
    """Which scale it is of, where a definition has several."""
    key: str = ""
    of: str = ""
    """Name of the denominator's count: metrics with the same one have the same denominator. Of a mean, of those it
    rests on."""
    completeness: bool = False
    share: PublishedShare | None = None
    unknown_name: str = ""
    """Name of the count of those whose outcome is not known."""
    certain: bool = True
    """Whether everybody counted is counted whatever else becomes known."""
    adds_unknown: bool = False
    """Whether those whose outcome is not known stand beside the denominator, not in it."""
    only_count: bool = False
    """Whether the definition gives the count alone, and no rate."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as a page, a file or a chart shows it; what is ``None`` is hidden, or does not exist for it."""

    metric: str
    title: str
    among: str
    group: str
    count: int | None
    of: int | None
    percent: float | None
    lower: float | None
    """95 % limits in percent."""
    upper: float | None
    value: str | None
    """A mean with two digits, or a band of completeness."""
    unit: str
    hidden: bool = False
    bounds: str = ""
    """Worst and best case in words, where outcomes are missing."""
    worst: float | None = None
    """Worst and best case in percent."""
    best: float | None = None
    completeness: bool = False
    """Whether it says how complete the data are."""
    only_count: bool = False
    """Whether it is a count by definition, and no rate."""

    @property
    def is_rate(self) -> bool:
        """Whether it is a share of people: no mean, no count alone, and not how complete the data are."""
        return self.unit == "percent" and not self.completeness and not self.only_count

    @property
    def words(self) -> str:
        """The figure as it is printed."""
        if self.hidden:
            return "not shown"
        if self.value is not None:
            about = "" if self.of is None else f", n {self.of}"
            unit = f" {self.unit}" if self.unit not in {"", "percent"} else ""
            return f"{self.value}{unit}{about}"
        words = f"{self.count} of {self.of}"
        if self.percent is not None:
            words += f": {self.percent:.0f} %"
        if self.lower is not None:
            words += f" ({self.lower:.0f} to {self.upper:.0f} %)"
        return words


@dataclass(frozen=True, slots=True)
class FlowStep:
    """How many clients came as far as this, and why the others did not."""

    name: str
    title: str
    count: int
    lost: int
    why: str
    group: str = ""
    cell: str = ""
    """Name of the count by which it may be published."""


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """The figures of one definition for one cohort and period."""

    definition: str
    title: str
    cohort: Cohort
    period: Period
    heading: str
    first_rule: str
    last_rule: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    metrics: tuple[Metric, ...]
    flow: tuple[FlowStep, ...]
    headline: str
    """The main rate in words, or why none is given."""
    small_numbers: str
    """Name of the small-number rule."""
    smallest: int
    tables: tuple[Table, ...] = field(repr=False)
    """True counts of each group, for `mbc.care.clinic.make_release`."""
    eligibility: str = "plain"
    """Name of what the headline needs (`mbc.outcomes.eligibility.PRESETS`): a release decides by what it shows."""
    kind: Any = field(default=None, repr=False, compare=False)

    def __getitem__(self, name: str) -> Metric:
        """Find a metric by name."""
        for metric in self.metrics:
            if metric.metric == name:
                return metric
        raise KeyError(name)

    @property
    def limits_and_bounds(self) -> str:
        """What limits and bounds mean."""
        return _LIMITS_AND_BOUNDS

    @property
    def caption(self) -> str:
        """What the figures count, in words."""
        return (
            f"{self.heading}. {self.first_rule[0].upper()}{self.first_rule[1:]}, compared with {self.last_rule}. "
            "There is no comparison group: part of any change would have occurred with time and regression to the "
            "mean."
        )

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The exact figures, as pages and charts show them."""
        return tuple(_exact(metric) for metric in self.metrics)

    def to_frame(self) -> Any:
        """One row per metric, as a table of the kind that the report was made from.

        Returns
        -------
        table
            metric, numerator, denominator, value (percent, or the metric's unit), lower, upper, published.
        """
        return _like(self.table(), self.kind)

    def table(self) -> pl.DataFrame:
        """Give the same as a polars table, whatever the report was made from."""
        return pl.DataFrame(
            [tuple(getattr(metric, name) for name in COLUMNS) for metric in self.metrics],
            schema={
                "metric": pl.String,
                "numerator": pl.Int64,
                "denominator": pl.Int64,
                "value": pl.Float64,
                "lower": pl.Float64,
                "upper": pl.Float64,
                "published": pl.String,
            },
            orient="row",
        )

    def about(self) -> dict[str, object]:
        """Say how the figures were made: definition, cohort, period, rules, sources and version.

        Returns
        -------
        dict
            As it is written to JSON beside a table of the figures.
        """
        return {
            "definition": self.definition,
            "title": self.title,
            "cohort": self.cohort,
            "heading": self.heading,
            "start": self.period.start.isoformat(),
            "end": self.period.end.isoformat(),
            "first": self.first_rule,
            "last": self.last_rule,
            "rules": list(self.rules),
            "sources": list(self.sources),
            "small_numbers": self.small_numbers,
            "smallest": self.smallest,
            "headline": self.headline,
            "version": __version__,
        }

    def summary(self) -> str:
        """Give the report as plain text: heading, rules, flow and every figure with its denominator and bounds."""
        lines = [
            f"{self.title}: {self.heading[0].lower()}{self.heading[1:]}.",
            f"First and last: {self.first_rule}; {self.last_rule}.",
            *self.rules,
            "",
            self.headline,
            "",
            *(_step_words(step) for step in self.flow),
            "",
            *(f"{metric.title}: {value_words(metric)}" for metric in self.metrics),
            "",
            f"Published under {self.small_numbers}. {_LIMITS_AND_BOUNDS}",
        ]
        return "\n".join(lines)


def _exact(metric: Metric) -> Figure:
    mean = metric.unit != "percent"
    value = None
    if mean and metric.value is not None:
        limits = f" ({_limits(metric, 2)})" if metric.lower is not None else ""
        value = f"{metric.value:.2f}{limits}"
    bounds = ""
    if metric.unknown and metric.worst is not None and metric.best is not None:
        bounds = f"{metric.worst:.0f} to {metric.best:.0f} % ({metric.unknown} not known)"
    return Figure(
        metric=metric.metric,
        title=metric.title,
        among=metric.among,
        group=metric.group,
        count=metric.numerator,
        of=metric.denominator,
        percent=None if mean else metric.value,
        lower=None if mean else metric.lower,
        upper=None if mean else metric.upper,
        value="too few" if mean and value is None else value,
        unit="" if mean and value is None else metric.unit,
        bounds=bounds,
        worst=None if mean else metric.worst,
        best=None if mean else metric.best,
        completeness=metric.completeness,
        only_count=metric.only_count,
    )


def value_words(metric: Metric) -> str:
    """Write a figure with its denominator, limits and bounds.

    Examples
    --------
    >>> value_words(Metric("recovery", "Recovered", "courses", 6, 17, 35.29, 17.3, 58.7, "5 of 15"))
    '6 of 17 (35 %, 17 to 59)'
    """
    if metric.unit != "percent":
        if metric.value is None:
            return f"not computable (n = {metric.denominator})"
        return f"{metric.value:.2f} {metric.unit} ({_limits(metric, 2)}), n = {metric.denominator}".replace(
            " ()", ""
        )
    words = f"{metric.numerator} of {metric.denominator}"
    if metric.value is None:
        return words
    words += (
        f" ({metric.value:.0f} %, {_limits(metric, 0)})"
        if metric.lower is not None
        else f" ({metric.value:.0f} %)"
    )
    if metric.unknown and metric.worst is not None and metric.best is not None:
        words += f"; bounds {metric.worst:.0f} to {metric.best:.0f} %, {metric.unknown} not known"
    return words


def _limits(metric: Metric, digits: int) -> str:
    if metric.lower is None or metric.upper is None:
        return ""
    return f"{metric.lower:.{digits}f} to {metric.upper:.{digits}f}"


def _step_words(step: FlowStep) -> str:
    lost = f" ({step.lost} not: {step.why})" if step.lost and step.why else ""
    return f"{step.title}: {step.count}{lost}"


def _like(table: pl.DataFrame, kind: Any) -> Any:
    """Make the kind of table that came in."""
    if kind is None:
        return table
    frame: Any = nw.from_native(kind)
    implementation = frame.implementation
    if implementation.is_pyspark():
        types = "metric string, numerator long, denominator long, value double, lower double, upper double"
        return kind.sparkSession.createDataFrame(table.rows(), f"{types}, published string")
    lazy = isinstance(frame, nw.LazyFrame)
    if implementation.is_duckdb():
        duckdb: Any = import_module("duckdb")  # installed where such a table came in
        return duckdb.from_arrow(table.to_arrow())
    eager: Any = table
    return (
        eager.to_pandas()
        if implementation.is_pandas()
        else (eager.to_arrow() if implementation.is_pyarrow() else eager.lazy() if lazy else table)
    )
