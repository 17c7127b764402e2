"""What may be published of a report: counts rounded first, and everything else computed from what was rounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

from mbc.models import wilson_interval
from mbc.outcomes.eligibility import (
    NO_RATE,
    PRESETS,
    SEVERAL_MEASURES,
    WITHHELD,
    completeness_of,
    main_metric,
    missing_for_headline,
)
from mbc.outcomes.means import LEAST_FOR_MEAN
from mbc.outcomes.results import Figure, Metric, OutcomeReport
from mbc.privacy.small_numbers.attacker import Relation, Shown, feasible_range
from mbc.privacy.small_numbers.protect import Table, joined, protect
from mbc.privacy.small_numbers.rounded_counts import SmallNumberRule

BANDS = ((90, "over 90 %"), (80, "80 to 90 %"), (0, "under 80 %"))
LEAST_FOR_BAND = 20
"""Completeness is published as a band, and only of at least so many people: of few, a band is a count.

It follows from the published counts: where those who are missing are hidden, it is given only if every number of
them that is possible lies in the same band.
"""
TOO_FEW = f"{WITHHELD}: too few people, or too few of them measured."
LEAST_PUBLISHED = 5
"""Whatever is given to others hides counts under this at least."""


@dataclass(frozen=True, slots=True)
class PublishedStep:
    """How many came as far as this step of the flow; what is ``None`` is hidden."""

    title: str
    count: int | None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """The published figures of one report, and what is publicly known of how they hang together."""

    definition: str
    title: str
    heading: str
    first_rule: str
    last_rule: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    small_numbers: str
    smallest: int
    figures: tuple[Figure, ...]
    flow: tuple[PublishedStep, ...]
    headline: str
    counts: dict[str, Shown]
    """Every published count, from which all figures but the means are computed."""
    cells: dict[str, dict[str, object]]
    """Which counts each figure is computed from, and how."""

    def to_json(self) -> dict[str, object]:
        """Give the published part, as it is kept in a release."""
        return {
            "definition": self.definition,
            "title": self.title,
            "heading": self.heading,
            "first": self.first_rule,
            "last": self.last_rule,
            "rules": list(self.rules),
            "sources": list(self.sources),
            "small_numbers": self.small_numbers,
            "smallest": self.smallest,
            "headline": self.headline,
            "flow": [asdict(step) for step in self.flow],
            "counts": {name: asdict(cell) for name, cell in self.counts.items()},
            "figures": [
                asdict(figure) | {"words": figure.words} | self.cells[figure.metric] for figure in self.figures
            ],
        }


def publish_reports(
    reports: Sequence[OutcomeReport], between: Iterable[Relation] = (), *, groups: int = 0
) -> tuple[tuple[Published, ...], tuple[Relation, ...]]:
    """Round, hide and recompute every figure of the reports that are published together.

    Counts from 1 to k - 1 are hidden and the others rounded to multiples of k, with further counts hidden where an
    attacker who sees all the reports could narrow a hidden one (`mbc.privacy.small_numbers.protect`). Percentages,
    limits, bounds, bands of completeness, and whether there is a headline or a mean, follow from what is published
    of the counts alone, so that none of them tells more. Means have two digits and rest on a published count of at
    least 20. What the counts of clinicians would say is not used: the limits are Wilson's.

    Parameters
    ----------
    reports : sequence of OutcomeReport
        Of one cohort and period, under one rule.
    between : iterable of Relation
        How counts of different reports are related: see `count_name`.
    groups : int
        How many reports at the end are of a part of the clients: their counts are given up before everybody's.

    Returns
    -------
    published : tuple of Published
    relations : tuple of Relation
        Everything that is publicly known of how the counts hang together, by `count_name`.
    """
    rule = SmallNumberRule(reports[0].small_numbers, reports[0].smallest)
    tables: dict[str, Table] = {}
    places = (*range(len(reports) - groups, len(reports)), *range(len(reports) - groups))
    for place in places:
        report = reports[place]
        keys = list(dict.fromkeys(metric.key for metric in report.metrics))
        tables |= {count_name(place, key, ""): table for key, table in zip(keys, report.tables, strict=True)}
    table = joined(tables, between)
    protected = protect(table, rule)
    shown = {name: cell for name, cell in protected.items() if name not in table.unpublished}
    most = partial(_most, shown=protected, relations=table.relations, rule=rule)
    published = tuple(
        _published(place, report, shown, rule, lambda name, place=place: most(f"{place}:{name}"))
        for place, report in enumerate(reports)
    )
    return published, table.relations


def _most(name: str, shown: Mapping[str, Shown], relations: Sequence[Relation], rule: SmallNumberRule) -> float:
    """Give a count as it is shown; of a hidden one, the most that it could be for a reader of everything shown."""
    rounded = shown[name].rounded
    if rounded is not None:
        return rounded
    try:
        return feasible_range({name: 1}, shown, relations, rule)[1]
    except ArithmeticError:  # the solver failed
        return math.inf


def count_name(place: int, key: str, name: str) -> str:
    """Name a count of a report, by its place, among the counts of all reports.

    Examples
    --------
    >>> count_name(1, "phq9_total", "paired"), count_name(0, "", "recovery")
    ('1:phq9_total_paired', '0:recovery')
    """
    return f"{place}:{_named(key, name)}"


def _published(
    place: int,
    report: OutcomeReport,
    every: Mapping[str, Shown],
    rule: SmallNumberRule,
    most: Callable[[str], float],
) -> Published:
    prefix = f"{place}:"
    shown = {name.removeprefix(prefix): cell for name, cell in every.items() if name.startswith(prefix)}
    figures = tuple(_figure(metric, shown, rule) for metric in report.metrics)
    return Published(
        definition=report.definition,
        title=report.title,
        heading=report.heading,
        first_rule=report.first_rule,
        last_rule=report.last_rule,
        rules=report.rules,
        sources=report.sources,
        small_numbers=report.small_numbers,
        smallest=report.smallest,
        figures=figures,
        flow=tuple(_flow(report, shown)),
        counts=shown,
        cells={metric.metric: _cells(metric) for metric in report.metrics},
        headline=_headline(report, figures, shown, most),
    )


def _headline(
    report: OutcomeReport, figures: tuple[Figure, ...], shown: Mapping[str, Shown], most: Callable[[str], float]
) -> str:
    """Write the headline from what is shown; of those who are missing and hidden, the most possible are taken."""
    if len({metric.key for metric in report.metrics}) > 1:
        return SEVERAL_MEASURES
    main = main_metric(report.metrics)
    if main is None:
        return NO_RATE
    figure = next(each for each in figures if each.metric == main.metric)
    if figure.percent is None or figure.count is None or figure.of is None:
        return TOO_FEW
    complete = completeness_of(main, report.metrics)
    percent = None if complete is None else _percent_complete(complete, shown, most)
    spread = _spread(main, min(figure.count, figure.of), figure.of, most) if main.unknown_name else None
    if missing_for_headline(PRESETS[report.eligibility], figure.of, percent, spread):
        return TOO_FEW
    return f"{figure.title}: {figure.percent} % of {figure.among}."


def _percent_complete(metric: Metric, shown: Mapping[str, Shown], most: Callable[[str], float]) -> float:
    of = shown[_named(metric.key, metric.of)].rounded
    if not of:
        return 0.0
    return 100 * (1 - min(most(_named(metric.key, metric.unknown_name)), of) / of)


def _spread(metric: Metric, count: int, of: int, most: Callable[[str], float]) -> float:
    """Give how far worst and best case are apart at most, in percentage points."""
    unknown = most(_named(metric.key, metric.unknown_name))
    if not metric.adds_unknown:
        unknown = min(unknown, of)
    if math.isinf(unknown):
        return 100.0
    worst, best = _worst_and_best(metric, count, of, unknown)
    return best - worst


def _named(key: str, name: str) -> str:
    return f"{key}_{name}" if key else name


def _figure(metric: Metric, shown: Mapping[str, Shown], rule: SmallNumberRule) -> Figure:
    if metric.completeness:
        return _band(metric, shown, rule)
    if metric.unit != "percent":
        return _mean(metric, shown)
    count, of = shown[metric.metric].rounded, shown[_named(metric.key, metric.of)].rounded
    if count is None or of is None:
        return _made(metric, hidden=True)
    counted = min(count, of)  # rounded by itself, a part can exceed its group
    if not of or metric.only_count:
        return _made(metric, count=count, of=of)
    limits = wilson_interval(counted, of)
    worst, best = _bounds(metric, counted, of, shown)
    return _made(
        metric,
        count=count,
        of=of,
        percent=round(100 * counted / of),
        lower=round(100 * (limits.lower or 0.0)),
        upper=round(100 * (limits.upper or 0.0)),
        worst=worst,
        best=best,
    )


def _cells(metric: Metric) -> dict[str, object]:
    """Name the counts that a figure is computed from, so that others can compute it again."""
    unknown = _named(metric.key, metric.unknown_name) if metric.unknown_name else None
    return {
        "count_of": None if metric.unit != "percent" else metric.metric,
        "group_count": _named(metric.key, metric.of),
        "unknown_count": unknown,
        "certain": metric.certain,
        "adds_unknown": metric.adds_unknown,
        "only_count": metric.only_count,
    }


def _bounds(metric: Metric, count: int, of: int, shown: Mapping[str, Shown]) -> tuple[int | None, int | None]:
    """Give worst and best case in percent, from rounded counts; None where those who are missing are hidden.

    Where some of those who were counted could still turn out otherwise, all of the missing are taken to: the worst
    case is then lower than the exact report's, never higher.
    """
    cell = shown.get(_named(metric.key, metric.unknown_name)) if metric.unknown_name else None
    if cell is None or cell.rounded is None:
        return None, None
    worst, best = _worst_and_best(metric, count, of, cell.rounded)
    return round(worst), round(best)


def _worst_and_best(metric: Metric, count: int, of: int, unknown: float) -> tuple[float, float]:
    """Give worst and best case in percent, of a group that is not empty."""
    everybody = of + unknown if metric.adds_unknown else of
    certain = count if metric.certain else max(0, count - unknown)
    return 100 * certain / everybody, 100 * min(count + unknown, everybody) / everybody


def _band(metric: Metric, shown: Mapping[str, Shown], rule: SmallNumberRule) -> Figure:
    """Give a band of completeness that follows from what is published of the counts, and says no more."""
    of = shown.get(_named(metric.key, metric.of))
    missing = shown.get(_named(metric.key, metric.unknown_name)) if metric.unknown_name else None
    if of is None or of.rounded is None or missing is None or of.rounded < LEAST_FOR_BAND:
        return _made(metric, hidden=True)
    most = missing.rounded
    if most is None and missing.small and rule.smallest - 1 <= rule.possible(of.rounded)[0] / 10:
        most = 0  # whatever it is, under 10 %
    if most is None:
        return _made(metric, hidden=True)
    percent = 100 * (1 - min(most, of.rounded) / of.rounded)
    return _made(metric, value=next(band for lowest, band in BANDS if percent >= lowest))


def _flow(report: OutcomeReport, shown: Mapping[str, Shown]) -> Iterator[PublishedStep]:
    """Give the steps of the flow whose counts are published."""
    keys = {metric.group: metric.key for metric in report.metrics}
    for step in report.flow:
        cell = shown.get(_named(keys.get(step.group, ""), step.cell)) if step.cell else None
        if cell is not None:
            yield PublishedStep(step.title, cell.rounded, step.group)


def _mean(metric: Metric, shown: Mapping[str, Shown]) -> Figure:
    people = shown[_named(metric.key, metric.of)].rounded
    if metric.value is None or people is None or people < LEAST_FOR_MEAN:
        return _made(metric, hidden=True)
    return _made(metric, value=f"{metric.value:.2f}", of=people)


def _bounds_words(worst: int | None, best: int | None) -> str:
    return "" if worst is None or best is None else f"{worst} to {best} %"


def _made(metric: Metric, *, hidden: bool = False, value: str | None = None, **counts: int | None) -> Figure:
    return Figure(
        metric=metric.metric,
        title=metric.title,
        among=metric.among,
        group=metric.group,
        count=counts.get("count"),
        of=counts.get("of"),
        percent=counts.get("percent"),
        lower=counts.get("lower"),
        upper=counts.get("upper"),
        worst=counts.get("worst"),
        best=counts.get("best"),
        bounds=_bounds_words(counts.get("worst"), counts.get("best")),
        value=value,
        unit=metric.unit,
        hidden=hidden,
        completeness=metric.completeness,
        only_count=metric.only_count,
    )


@dataclass(frozen=True, slots=True)
class ReleasedReport:
    """One report of a release, read back."""

    title: str
    heading: str
    first_rule: str
    last_rule: str
    rules: tuple[str, ...]
    headline: str
    figures: tuple[Figure, ...]
    definition: str
    small_numbers: str
    flow: tuple[PublishedStep, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def caption(self) -> str:
        """What the figures count, in words."""
        return (
            f"{self.heading}. {self.first_rule[0].upper()}{self.first_rule[1:]}, compared with {self.last_rule}. "
            f"Counts are rounded and small ones hidden ({self.small_numbers}); shares and their 95 % limits are "
            "computed from the rounded counts, and so are worst and best case."
        )


def released_report(content: dict[str, Any]) -> ReleasedReport:
    """Read one report of a release's content."""
    names = {field.name for field in fields(Figure)}
    return ReleasedReport(
        title=content["title"],
        heading=content["heading"],
        first_rule=content["first"],
        last_rule=content["last"],
        rules=tuple(content["rules"]),
        headline=content["headline"],
        figures=tuple(Figure(**{name: each[name] for name in names & each.keys()}) for each in content["figures"]),
        definition=content["definition"],
        small_numbers=content["small_numbers"],
        flow=tuple(PublishedStep(**step) for step in content.get("flow", ())),  # not in those made before it was
        sources=tuple(content["sources"]),
    )
