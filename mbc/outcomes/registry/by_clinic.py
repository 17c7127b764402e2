"""The figures of each clinic of a registry and of all together, from one aggregation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from mbc.errors import SettingsError
from mbc.outcomes.cohorts import Period
from mbc.outcomes.compute import count, make_report
from mbc.outcomes.definitions.definition_file import Definition
from mbc.outcomes.publication import Published, publish_reports
from mbc.outcomes.results import Figure, OutcomeReport
from mbc.privacy.small_numbers.presets import Preset
from mbc.privacy.small_numbers.rounded_counts import small_number_rule

ALL = "all clinics"
_PUBLISHED = {
    "clinic": pl.String, "metric": pl.String, "title": pl.String, "count": pl.Int64, "of": pl.Int64,
    "percent": pl.Int64, "lower": pl.Int64, "upper": pl.Int64, "value": pl.String, "hidden": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClinicReports:
    """The same report of every clinic of a registry, and of all together."""

    together: OutcomeReport
    clinics: dict[str, OutcomeReport]

    def __getitem__(self, clinic: str) -> OutcomeReport:
        """Give the report of one clinic."""
        return self.clinics[clinic]

    def to_frame(self) -> pl.DataFrame:
        """Give the exact figures: clinic, metric, numerator, denominator, value, lower, upper.

        What others may see is no column of it: see `published`.
        """
        parts = {ALL: self.together, **self.clinics}
        return pl.concat(
            report.table().select(pl.lit(clinic).alias("clinic"), pl.exclude("published"))
            for clinic, report in parts.items()
        )

    def published(self) -> pl.DataFrame:
        """Give what others may see: rounded counts, with small ones hidden in each clinic.

        The row of all clinics adds up what is published of each, and no more: subtracting clinics from it leaves
        nothing that was not published. Counts that some clinic hides are therefore missing from it. A per cent is
        given of rates; means are of each clinic alone.

        Returns
        -------
        polars.DataFrame
            clinic, metric, title, count, of, percent, lower, upper, value, hidden.
        """
        made = {clinic: publish_reports([report])[0][0] for clinic, report in self.clinics.items()}
        rows = [_row(ALL, *added) for added in _added(list(made.values()))]
        rows += [_figure_row(clinic, figure) for clinic, each in made.items() for figure in each.figures]
        return pl.DataFrame(rows, schema=_PUBLISHED, orient="row")


def report_by_clinic(
    frames: Mapping[str, Any],
    definition: str | Path | Definition = "nhs",
    cohort: str = "finished",
    *,
    start: dt.date,
    end: dt.date,
    small_numbers: int | Preset = "nhs5",
    eligibility: str = "plain",
) -> ClinicReports:
    """Report outcomes by a published definition, for each clinic and for all together.

    Parameters
    ----------
    frames : mapping of str to table
        As for `mbc.outcomes.report`; ``episodes`` has a column ``clinic``. Names of clients and episodes are
        unique over clinics, as `mbc.outcomes.read_folders` makes them.
    definition, cohort, start, end, small_numbers, eligibility
        As for `mbc.outcomes.report`.

    Returns
    -------
    ClinicReports
        Every figure comes from one aggregation over clinics and clinicians.

    Raises
    ------
    SettingsError
        If no clinic is named.
    """
    counted = count(frames, definition, cohort, Period(start, end))
    rule = small_number_rule(small_numbers)
    if "" in counted.clinics:
        raise SettingsError("Reports by clinic need a column 'clinic' in 'episodes', filled in every row.")
    return ClinicReports(
        make_report(counted, rule, eligibility),
        {clinic: make_report(counted.of_clinic(clinic), rule, eligibility) for clinic in counted.clinics},
    )


def _added(parts: list[Published]) -> list[tuple[Figure, int | None, int | None]]:
    """Add up the counts of each figure that are published at a clinic."""
    first: dict[str, Figure] = {}
    counts: dict[str, list[tuple[int, int]]] = {}
    for part in parts:
        for figure in part.figures:
            if figure.unit == "percent" and not figure.completeness:
                first.setdefault(figure.metric, figure)
                if figure.count is not None and figure.of is not None:
                    counts.setdefault(figure.metric, []).append((figure.count, figure.of))
    added: list[tuple[Figure, int | None, int | None]] = []
    for name, figure in first.items():
        pairs = counts.get(name)
        if pairs is None:
            added.append((figure, None, None))
        else:
            added.append((figure, sum(count for count, _ in pairs), sum(of for _, of in pairs)))
    return added


def _row(clinic: str, figure: Figure, hits: int | None, of: int | None) -> tuple[object, ...]:
    percent = None if hits is None or not of or figure.only_count else round(100 * min(hits, of) / of)
    return (clinic, figure.metric, figure.title, hits, of, percent, None, None, None, hits is None)


def _figure_row(clinic: str, figure: Figure) -> tuple[object, ...]:
    shares = (figure.percent, figure.lower, figure.upper)
    rounded = tuple(None if share is None else round(share) for share in shares)
    return (clinic, figure.metric, figure.title, figure.count, figure.of, *rounded, figure.value, figure.hidden)
