"""What may be published of a report: counts rounded first, and everything else computed from what was rounded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from mbc.models import wilson_interval
from mbc.outcomes.eligibility import WITHHELD, main_metric
from mbc.outcomes.results import Figure, Metric, OutcomeReport
from mbc.privacy.small_numbers.attacker import Relation, Shown
from mbc.privacy.small_numbers.protect import protect
from mbc.privacy.small_numbers.rounded_counts import SmallNumberRule

BANDS = ((90, "over 90 %"), (80, "80 to 90 %"), (0, "under 80 %"))
LEAST_FOR_BAND = 20
"""Completeness is published as a band, and only of at least so many people: of few, a band is a count.

Of fewer than 10 (k - 1) people the highest band would narrow how many are missing to fewer than k values: then
more are asked for.
"""
LEAST_FOR_MEAN = 20


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
    relations: tuple[Relation, ...]
    """Over names of metrics and of denominators."""
    shown: dict[str, Shown]
    """Every published count, denominators included."""
    headline: str

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
            "figures": [asdict(figure) | {"words": figure.words} for figure in self.figures],
        }


def publish_report(report: OutcomeReport) -> Published:
    """Round, hide and recompute every figure of a report.

    Counts from 1 to k - 1 are hidden and the others rounded to multiples of k, with further counts hidden where an
    attacker could narrow a hidden one (`mbc.privacy.small_numbers.protect`). Percentages and limits are computed
    from the rounded counts, means have two digits and rest on at least 20 people, and completeness is a band. What
    the counts of clinicians would say is not used: the limits are Wilson's.
    """
    rule = SmallNumberRule(report.small_numbers, report.smallest)
    shown: dict[str, Shown] = {}
    relations: list[Relation] = []
    keys = list(dict.fromkeys(metric.key for metric in report.metrics))
    for key, table in zip(keys, report.tables, strict=True):
        shown |= {_named(key, name): cell for name, cell in protect(table, rule).items()}
        relations += [
            Relation(_named(key, each.total), tuple(_named(key, part) for part in each.parts), each.exact)
            for each in table.relations
        ]
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
        relations=tuple(relations),
        shown=shown,
        headline=_headline(report, figures),
    )


def _headline(report: OutcomeReport, figures: tuple[Figure, ...]) -> str:
    """Write the headline from the published figure; why none is given is not said more exactly than that."""
    main = main_metric(report.metrics)
    figure = next((each for each in figures if main is not None and each.metric == main.metric), None)
    if report.headline.startswith(f"{WITHHELD}:"):
        return report.headline
    if report.headline.startswith(WITHHELD) or figure is None or figure.percent is None:
        return f"{WITHHELD}: too few people, or too few of them measured."
    return f"{figure.title}: {figure.percent} % of {figure.among}."


def _named(key: str, name: str) -> str:
    return f"{key}_{name}" if key else name


def _figure(metric: Metric, shown: dict[str, Shown], rule: SmallNumberRule) -> Figure:
    if metric.completeness:
        return _band(metric, rule)
    if metric.unit != "percent":
        return _mean(metric, shown, rule)
    count, of = shown[metric.metric].rounded, shown[_named(metric.key, metric.of)].rounded
    if count is None or of is None:
        return _made(metric, hidden=True)
    counted = min(count, of)  # rounded by itself, a part can exceed its group
    if not of or metric.value is None:
        return _made(metric, count=count, of=of)
    limits = wilson_interval(counted, of)
    return _made(
        metric,
        count=count,
        of=of,
        percent=round(100 * counted / of),
        lower=round(100 * (limits.lower or 0.0)),
        upper=round(100 * (limits.upper or 0.0)),
    )


def _band(metric: Metric, rule: SmallNumberRule) -> Figure:
    least = max(LEAST_FOR_BAND, 10 * (rule.smallest - 1))
    if metric.denominator < least or metric.numerator is None:
        return _made(metric, hidden=True)
    percent = 100 * metric.numerator / metric.denominator
    return _made(metric, value=next(band for lowest, band in BANDS if percent >= lowest))


def _mean(metric: Metric, shown: dict[str, Shown], rule: SmallNumberRule) -> Figure:
    judged = shown.get(_named(metric.key, "paired"))
    given_away = judged is not None and judged.rounded is None  # its n would stand with the mean
    if metric.value is None or given_away or metric.denominator < max(LEAST_FOR_MEAN, rule.smallest):
        return _made(metric, hidden=True)
    return _made(metric, value=f"{metric.value:.2f}", of=rule.rounded(metric.denominator))


def _made(metric: Metric, *, hidden: bool = False, value: str | None = None, **counts: int) -> Figure:
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
        value=value,
        unit=metric.unit,
        hidden=hidden,
        completeness=metric.completeness,
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

    @property
    def caption(self) -> str:
        """What the figures count, in words."""
        return (
            f"{self.heading}. {self.first_rule[0].upper()}{self.first_rule[1:]}, compared with {self.last_rule}. "
            f"Counts are rounded and small ones hidden ({self.small_numbers}); shares and their 95 % limits are "
            "computed from the rounded counts."
        )


def released_report(content: dict[str, Any]) -> ReleasedReport:
    """Read one report of a release's content."""
    names = [field.name for field in fields(Figure)]
    return ReleasedReport(
        title=content["title"],
        heading=content["heading"],
        first_rule=content["first"],
        last_rule=content["last"],
        rules=tuple(content["rules"]),
        headline=content["headline"],
        figures=tuple(Figure(**{name: each[name] for name in names}) for each in content["figures"]),
        definition=content["definition"],
        small_numbers=content["small_numbers"],
    )
