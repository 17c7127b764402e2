"""Make a report: one aggregation for each group of people, wherever its rows are; only counts come back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from mbc.errors import SettingsError
from mbc.outcomes.bounds import bounds
from mbc.outcomes.cohorts import Cohort, Period, heading, last_score_rule, require_cohort
from mbc.outcomes.definitions.definition_file import Definition, rule_module
from mbc.outcomes.definitions.definition_file import definition as read_definition
from mbc.outcomes.definitions.quantities import Group, Mean, Rate
from mbc.outcomes.eligibility import PRESETS, headline
from mbc.outcomes.intervals import clustered_interval
from mbc.outcomes.means import mean_metric
from mbc.outcomes.pairs import FIRST_RULE
from mbc.outcomes.results import FlowStep, Metric, OutcomeReport
from mbc.outcomes.source import open_source
from mbc.privacy.small_numbers.presets import Preset
from mbc.privacy.small_numbers.protect import Table
from mbc.privacy.small_numbers.rounded_counts import SmallNumberRule, publish, small_number_rule

_CLINIC = "clinic"
_BY = (_CLINIC, "clinician_id")


def report(
    frames: Mapping[str, Any],
    definition: str | Path | Definition = "nhs",
    cohort: str = "finished",
    *,
    start: dt.date,
    end: dt.date,
    small_numbers: int | Preset = "nhs5",
    eligibility: str = "plain",
) -> OutcomeReport:
    """Report outcomes by a published definition.

    Parameters
    ----------
    frames : mapping of str to table
        ``episodes`` (episode_id, client_id, referred_on, ended_on; clinician_id), ``sessions`` (episode_id,
        held_on, attended) and ``scores`` (client_id, instrument, scale, taken_on, score; episode_id, target), or
        instead of scores ``answers``: a mapping from an instrument's key to a table with its items, with
        ``totals`` beside it where only these were kept. All of one engine: pandas, polars (eager or lazy),
        pyarrow, duckdb or pyspark.
    definition : str, Path or Definition
        ``"nhs"``, or a TOML file of the clinic's own.
    cohort : {"finished", "in-care", "started"}
        Clients whose care ended, was ongoing or began in the period.
    start, end : date
        First and last day of the period, both included.
    small_numbers : int or preset
        The rule for the column ``published``.
    eligibility : {"plain", "acorn"}
        What a headline needs: so many people, so complete, bounds not too wide.

    Returns
    -------
    OutcomeReport
        Exact figures, and in ``published`` what may be shown to others.

    Raises
    ------
    FrameError, MissingItems
        If a table cannot be read.
    SettingsError
        If the definition, cohort or eligibility does not exist, or its file has a fault.

    See Also
    --------
    mbc.outcomes.report_by_clinic : the same for each clinic of a registry.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> day = dt.date
    >>> episodes = pl.DataFrame({"episode_id": ["E1"], "client_id": ["C1"], "referred_on": [day(2026, 1, 5)],
    ...                          "ended_on": [day(2026, 5, 4)]})
    >>> sessions = pl.DataFrame({"episode_id": ["E1"] * 2, "held_on": [day(2026, 2, 2), day(2026, 2, 9)],
    ...                          "attended": [True, True]})
    >>> scores = pl.DataFrame({"client_id": ["C1"] * 4, "instrument": ["phq9", "phq9", "gad7", "gad7"],
    ...                        "scale": ["total"] * 4, "taken_on": [day(2026, 2, 2), day(2026, 2, 9)] * 2,
    ...                        "score": [18, 5, 14, 4]})
    >>> made = report({"episodes": episodes, "sessions": sessions, "scores": scores}, "nhs", "finished",
    ...               start=day(2026, 4, 1), end=day(2026, 6, 30))
    >>> made["recovery"].numerator, made["recovery"].denominator
    (1, 1)
    """
    counted = count(frames, definition, cohort, Period(start, end))
    return make_report(counted, small_number_rule(small_numbers), eligibility)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a definition asked to be counted, counted for each clinic and clinician."""

    settings: Definition
    cohort: Cohort
    period: Period
    groups: tuple[Group, ...]
    tables: tuple[pl.DataFrame, ...]
    """One for each group: clinic, clinician_id, and a column for each count."""
    kind: Any

    @property
    def clinics(self) -> tuple[str, ...]:
        """Clinics with somebody in a group; one without a name where the tables name none."""
        return tuple(sorted({str(name) for table in self.tables for name in table[_CLINIC].to_list()}))

    def of_clinic(self, clinic: str) -> Counted:
        """Keep the counts of one clinic."""
        return replace(self, tables=tuple(table.filter(pl.col(_CLINIC) == clinic) for table in self.tables))


def count(frames: Mapping[str, Any], definition: str | Path | Definition, cohort: str, period: Period) -> Counted:
    """Count what a definition requires, wherever the rows are."""
    settings = definition if isinstance(definition, Definition) else read_definition(definition)
    chosen = require_cohort(cohort)
    source = open_source(frames)
    groups = rule_module(settings).groups(source, settings, chosen, period)
    return Counted(settings, chosen, period, groups, tuple(_count(group) for group in groups), source.kind)


def make_report(counted: Counted, rule: SmallNumberRule, eligibility: str) -> OutcomeReport:
    """Make the figures of what was counted."""
    if eligibility not in PRESETS:
        raise SettingsError(f"There is no eligibility {eligibility!r}; there are {', '.join(PRESETS)}.")
    settings, chosen, period = counted.settings, counted.cohort, counted.period
    module = rule_module(settings)
    pairs = tuple(zip(counted.groups, counted.tables, strict=True))
    metrics = tuple(metric for group, table in pairs for metric in _metrics(group, table, rule))
    return OutcomeReport(
        definition=settings.rules,
        title=settings.title,
        cohort=chosen,
        period=period,
        heading=heading(chosen, period),
        first_rule=getattr(module, "FIRST_RULE", FIRST_RULE),
        last_rule=getattr(module, "LAST_RULE", None) or last_score_rule(chosen, period),
        rules=tuple(line for group in counted.groups for line in group.rules),
        sources=tuple(settings.sources),
        metrics=metrics,
        headline=headline(metrics, PRESETS[eligibility]),
        flow=tuple(step for group, table in pairs for step in _flow(group, table)),
        tables=tuple(_table(group, table) for group, table in pairs),
        eligibility=eligibility,
        small_numbers=rule.name,
        smallest=rule.smallest,
        kind=counted.kind,
    )


def _count(group: Group) -> pl.DataFrame:
    """Count every flag for each clinician of each clinic, in one aggregation."""
    columns: list[nw.Expr] = []
    for position, rate in enumerate(group.rates):
        within = _flag(rate.denominator)
        hit = within & _flag(rate.numerator)
        known = _flag(rate.resolved) if rate.resolved is not None else within
        everybody = within if rate.everybody is None else _flag(rate.everybody)
        parts = {"den": within, "num": hit, "sure": hit & known, "open": everybody & ~known, "all": everybody}
        columns += [_as_number(flag).alias(f"{name}{position}") for name, flag in parts.items()]
    for position, mean in enumerate(group.means):
        columns += _moments(mean, position)
    columns += [_as_number(_flag(step.flag)).alias(f"step{position}") for position, step in enumerate(group.steps)]
    by = [nw.col(name).fill_null("").alias(name) for name in _BY]
    flags = group.frame.select(*by, *columns)
    names = [name for name in flags.collect_schema().names() if name not in _BY]
    summed = flags.group_by(*_BY).agg(*(nw.col(name).sum().alias(name) for name in names))
    return summed.collect().to_polars().sort(_BY)


def _moments(mean: Mean, position: int) -> list[nw.Expr]:
    value = mean.value
    known = ~value.is_null() & _flag(mean.of)
    first = value if mean.scale is None else mean.scale
    parts = {"v": value, "vv": value * value, "f": first, "ff": first * first, "fv": first * value}
    sums = [nw.when(known).then(part.cast(nw.Float64)).otherwise(nw.lit(0.0)) for part in parts.values()]
    named = [part.alias(f"{name}_{position}") for name, part in zip(parts, sums, strict=True)]
    return [*named, _as_number(known).alias(f"n_{position}"), _as_number(_flag(mean.of)).alias(f"of_{position}")]


def _flag(flag: nw.Expr) -> nw.Expr:
    return flag.fill_null(value=False)


def _as_number(flag: nw.Expr) -> nw.Expr:
    return flag.cast(nw.Int64)


def _metrics(group: Group, table: pl.DataFrame, rule: SmallNumberRule) -> list[Metric]:
    rates = [_metric(rate, position, table, group, rule) for position, rate in enumerate(group.rates)]
    return [
        *rates,
        *(mean_metric(mean, position, table, group, rule) for position, mean in enumerate(group.means)),
    ]


def _metric(rate: Rate, position: int, table: pl.DataFrame, group: Group, rule: SmallNumberRule) -> Metric:
    numerators, denominators = (_numbers(table, f"{part}{position}") for part in ("num", "den"))
    numerator, denominator = sum(numerators), sum(denominators)
    limits = None if rate.only_count else clustered_interval(numerators, denominators)
    sure, unknown, everybody = (sum(_numbers(table, f"{part}{position}")) for part in ("sure", "open", "all"))
    edge = None if rate.only_count else bounds(sure, unknown, everybody)
    share = publish(numerator, denominator, rule)
    return Metric(
        metric=f"{group.key}_{rate.name}" if group.key else rate.name,
        title=rate.title,
        group=group.title,
        key=group.key,
        of=rate.of or f"{rate.name}_of",
        completeness=rate.completeness,
        among=rate.among,
        numerator=numerator,
        denominator=denominator,
        value=100 * numerator / denominator if denominator and not rate.only_count else None,
        lower=100 * limits.lower if limits else None,
        upper=100 * limits.upper if limits else None,
        published=str(share),
        worst=100 * edge[0] if edge else None,
        best=100 * edge[1] if edge else None,
        unknown=unknown,
        clinicians=limits.clusters if limits else 0,
        share=share,
        unknown_name=rate.unknown,
        certain=rate.certain,
        adds_unknown=rate.everybody is not None,
        only_count=rate.only_count,
    )


def _table(group: Group, table: pl.DataFrame) -> Table:
    """Give the counts of a group that may be published, and how they hang together."""
    counts: dict[str, int] = {}
    for position, rate in enumerate(group.rates):
        hits, people = (sum(_numbers(table, f"{part}{position}")) for part in ("num", "den"))
        if rate.completeness and not rate.unknown:
            continue
        counts[rate.of or f"{rate.name}_of"], counts[rate.name] = people, hits
        if rate.unknown:
            counts[rate.unknown] = people - hits if rate.completeness else sum(_numbers(table, f"open{position}"))
    for position, mean in enumerate(group.means):
        counts[mean.count_name] = sum(_numbers(table, f"n_{position}"))
    return Table(counts, group.relations, group.hide_first, group.unpublished)


def _numbers(table: pl.DataFrame, name: str) -> list[int]:
    return [int(value or 0) for value in table[name].to_list()]


def _flow(group: Group, table: pl.DataFrame) -> tuple[FlowStep, ...]:
    steps: list[FlowStep] = []
    for position, step in enumerate(group.steps):
        count = sum(_numbers(table, f"step{position}"))
        lost = steps[-1].count - count if steps else 0
        steps.append(FlowStep(step.name, step.title, count, lost, step.why_not, group.title, step.cell))
    return tuple(steps)
