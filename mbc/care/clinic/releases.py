"""Publish the outcomes of a period once: figures frozen, small numbers protected, what was counted remembered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from mbc import outcomes
from mbc.care.clinic.record_frames import record_frames
from mbc.care.clinic.scale_limits import with_own_limits
from mbc.care.clinic.strata import relations_of_strata, strata_fields, strata_of
from mbc.care.forecast.clinic_models import CohortModels
from mbc.errors import SettingsError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.outcomes.cohorts import period_of, require_over
from mbc.outcomes.definitions.definition_file import definition as read_definition
from mbc.outcomes.definitions.definition_file import require_publishable
from mbc.outcomes.publication import LEAST_PUBLISHED, publish_reports
from mbc.outcomes.shared_counts import relations_between
from mbc.privacy.small_numbers.presets import Preset
from mbc.privacy.small_numbers.rounded_counts import small_number_rule
from mbc.store import Store
from mbc.store.releases import StoredRelease

DEFINITIONS = ("nhs", "jacobson-truax")


@with_definitions_of_record
def make_release(
    store: Store,
    name: str,
    *,
    definitions: Sequence[str | Path] = DEFINITIONS,
    small_numbers: int | Preset = "nhs5",
    by: Sequence[str] = (),
    today: dt.date | None = None,
) -> StoredRelease:
    """Freeze the published figures of a quarter or year that is over.

    Whose care ended in the period is counted, each client's episode in one release only: what was entered after an
    earlier period was released is counted in the next release. A released period is never published again.

    Parameters
    ----------
    store : Store
        The record itself, not one user's view: the operator publishes.
    name : str
        ``"2026-Q3"`` or ``"2026"``.
    definitions : sequence of str or Path
        Definitions of `mbc.outcomes`.
    small_numbers : int or preset
        ``"nhs5"``, ``"cms11"`` or a smallest count from 5.
    by : sequence of str
        Fields of `mbc.store.Demographics`: the first definition is published for the clients of each code, too,
        without means.
    today : date, optional
        The day on which it is published.

    Raises
    ------
    AccessDenied
        If this is one user's view.
    Conflict
        If the period, or a part of it, was released before.
    SettingsError
        If the period is not over, the smallest count is under 5, there are no groups by a field, two definitions
        have the same rules, or one may not be published.
    """
    period, fields = period_of(name), strata_fields(by)
    store.require_publisher("releases are made")
    require_over(period, f"The release {name}", today)
    chosen = [read_definition(each) for each in definitions]
    require_publishable(chosen)
    rule = small_number_rule(small_numbers)
    if rule.smallest < LEAST_PUBLISHED:
        raise SettingsError(f"A release must hide at least counts under {LEAST_PUBLISHED}; got {rule.smallest}.")
    store.require_unreleased(name, period.start, period.end)
    frames = record_frames(store, period)
    frames["episodes"], late = _with_late_entries(store, frames["episodes"], period)
    own = CohortModels(store)
    settings = [with_own_limits(each, frames["scores"], own) for each in chosen]
    reports = [
        outcomes.report(frames, each, "finished", start=period.start, end=period.end, small_numbers=small_numbers)
        for each in settings
    ]
    strata = strata_of(store, frames, settings[0], period, fields, small_numbers)
    between = (
        *relations_between(reports, settings),
        *relations_of_strata(reports[0], 0, strata, len(reports)),
    )
    published, _ = publish_reports([*reports, *(each.report for each in strata)], between, groups=len(strata))
    content: dict[str, object] = {
        "reports": [part.to_json() for part in published[: len(reports)]],
        "strata": [
            part.to_json() | {"field": each.field, "code": each.code}
            for part, each in zip(published[len(reports) :], strata, strict=True)
        ],
        "definitions": [each.model_dump(mode="json") for each in settings],
        "late_entries": "not shown" if rule.hides(late) else f"{rule.rounded(late)}",
        "replaces": "It replaces nothing: a released period is never published again.",
    }
    counted = frames["episodes"].filter(pl.col("counted_on").is_between(period.start, period.end))["episode_id"]
    digests = store.episode_digests()
    return store.add_release(
        name, period.start, period.end, content, counted=[digests[key] for key in counted if key in digests]
    )


_NEVER = dt.date(1, 1, 1)  # counted before, though the day it ended was changed since


def release_table(release: StoredRelease) -> pl.DataFrame:
    """Give the figures of a release as a table: what is hidden is null, with ``hidden`` true.

    Returns
    -------
    pl.DataFrame
        release, definition, metric, count, of, percent, lower, upper, worst, best, value, unit, hidden.
    """
    names = ("metric", "count", "of", "percent", "lower", "upper", "worst", "best", "value", "unit", "hidden")
    rows = [
        (release.name, report["definition"], *(figure.get(name) for name in names))
        for report in (*release.content["reports"], *release.content.get("strata", ()))
        for figure in report["figures"]
    ]
    numbers = dict.fromkeys(("count", "of", "percent", "lower", "upper", "worst", "best"), pl.Int64())
    schema = {name: pl.String() for name in ("release", "definition", *names)} | numbers | {"hidden": pl.Boolean()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _with_late_entries(store: Store, episodes: pl.DataFrame, period: outcomes.Period) -> tuple[pl.DataFrame, int]:
    """Say on which day each episode is counted: late ones of released periods on the first day of this one."""
    earlier = [(release.start, release.end) for release in store.releases() if release.end < period.start]
    digests, counted = store.episode_digests(), store.counted_in_releases()
    days: list[dt.date | None] = []
    late = 0
    for episode_id, ended in episodes.select("episode_id", "ended_on").iter_rows():
        day = ended
        if ended is not None and digests.get(episode_id) in counted:
            day = _NEVER
        elif ended is not None and any(start <= ended <= end for start, end in earlier):
            day, late = period.start, late + 1
        days.append(day)
    return episodes.with_columns(pl.Series("counted_on", days, pl.Date)), late
