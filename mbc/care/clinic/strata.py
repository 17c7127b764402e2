"""One definition for each group of clients, in the clinic's own codes, and how the groups add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from mbc import outcomes
from mbc.errors import SettingsError
from mbc.outcomes.definitions.definition_file import Definition
from mbc.outcomes.publication import count_name, released_report
from mbc.outcomes.results import Metric
from mbc.privacy.small_numbers.attacker import Relation
from mbc.privacy.small_numbers.presets import Preset
from mbc.store import Store
from mbc.store.releases import StoredRelease
from mbc.store.schema.entries import STRATA

NOT_RECORDED = "not recorded"
MAIN_RATES = ("recovery", "reliable_improvement", "reliable_deterioration", "reliable_recovery")


@dataclass(frozen=True, slots=True)
class Stratum:
    """Clients with the same code of one field."""

    field: str
    code: str
    report: outcomes.OutcomeReport


def strata_fields(names: Sequence[str]) -> tuple[str, ...]:
    """Read names of fields of `mbc.store.Demographics`, each once; ``age-band`` is ``age_band``.

    Raises
    ------
    SettingsError
        If there is no such field.
    """
    fields = tuple(dict.fromkeys(name.replace("-", "_") for name in names))
    for name in fields:
        if name not in STRATA:
            raise SettingsError(f"Clients cannot be grouped by '{name}'; choose {', '.join(STRATA)}.")
    return fields


def strata_of(
    store: Store,
    frames: Mapping[str, pl.DataFrame],
    definition: Definition,
    period: outcomes.Period,
    fields: Sequence[str],
    small_numbers: int | Preset,
) -> tuple[Stratum, ...]:
    """Report one definition for the clients of each code; those without one are a group, too.

    A code with nobody in any count is left out. The current code counts.

    Raises
    ------
    SettingsError
        If a field is on record for nobody.
    """
    if not fields:
        return ()
    demographics = store.demographics()
    strata: list[Stratum] = []
    for name in fields:
        codes = dict(demographics.select("client_id", name).drop_nulls().iter_rows())
        if not codes:
            raise SettingsError(
                f"No client has a code for '{name}' on record, so clients cannot be grouped by it. Enter codes "
                f"first: mbc record demographics CLIENT --{name.replace('_', '-')} CODE"
            )
        code = pl.col("client_id").replace_strict(codes, default=NOT_RECORDED, return_dtype=pl.String)
        episodes = frames["episodes"].with_columns(_code=code)
        for each in sorted(episodes["_code"].unique()):
            chosen: dict[str, Any] = {**frames, "episodes": episodes.filter(_code=each).drop("_code")}
            report = outcomes.report(
                chosen, definition, "finished", start=period.start, end=period.end, small_numbers=small_numbers
            )
            if any(count for table in report.tables for count in table.counts.values()):
                strata.append(Stratum(name, each, _named(report, name, each)))
    return tuple(strata)


def _named(report: outcomes.OutcomeReport, field: str, code: str) -> outcomes.OutcomeReport:
    """Name the report after its group, and leave out what is true of the whole cohort alone."""
    words = f"{field.replace('_', ' ')} {code}"
    tables = tuple(
        replace(table, relations=tuple(each for each in table.relations if not each.total.startswith("@")))
        for table in report.tables
    )
    return replace(
        report,
        definition=f"{report.definition}, {words}",
        title=f"{report.title}: {words}",
        metrics=tuple(map(_without_mean, report.metrics)),
        tables=tables,
    )


def _without_mean(metric: Metric) -> Metric:
    """Take out a mean: everybody's less those of the large groups would be that of a small one."""
    return metric if metric.unit == "percent" else replace(metric, value=None)


def relations_of_strata(
    base: outcomes.OutcomeReport, place: int, strata: Sequence[Stratum], first: int
) -> Iterator[Relation]:
    """Say that the groups of a field add up to everybody, count by count.

    Parameters
    ----------
    base : OutcomeReport
        Everybody, by the same definition.
    place, first : int
        Where everybody's report and the first group's stand among all reports.
    strata : sequence of Stratum
    """
    keys = list(dict.fromkeys(metric.key for metric in base.metrics))
    for name in dict.fromkeys(each.field for each in strata):
        places = [first + i for i, each in enumerate(strata) if each.field == name]
        for key, table in zip(keys, base.tables, strict=True):
            for count in table.counts:
                parts = tuple(count_name(each, key, count) for each in places)
                yield Relation(count_name(place, key, count), parts, kinds=False)


CAUTION = (
    "Grouped by the clinic's own codes. Groups differ in who seeks care and for what: a difference between them "
    "does not explain its cause. They are listed in the order of their codes, not of their rates."
)
_MOST_FIGURES = 4


@dataclass(frozen=True, slots=True)
class StrataTable:
    """The main rates of the groups of one field, in words."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def strata_tables(release: StoredRelease) -> tuple[StrataTable, ...]:
    """Give a table for each field by which a release was made; none where it was made by none."""
    groups = [(each["field"], each["code"], released_report(each)) for each in release.content.get("strata", ())]
    tables: list[StrataTable] = []
    for field in dict.fromkeys(field for field, _, _ in groups):
        reports = [(code, report) for name, code, report in groups if name == field]
        rates = [each for each in reports[0][1].figures if each.is_rate]
        chosen = [each for each in rates if each.metric in MAIN_RATES] or rates[:_MOST_FIGURES]
        headings = [f"{each.group}: {each.title}" if each.group else each.title for each in chosen]
        rows = tuple(
            (code, *(cells[each.metric] for each in chosen))
            for code, report in reports
            for cells in [{figure.metric: figure.words for figure in report.figures}]
        )
        words = field.replace("_", " ")
        tables.append(StrataTable(f"By {words}", (words.capitalize(), *headings), rows))
    return tuple(tables)
