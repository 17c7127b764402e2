"""How a clinic's clients fared, by a published definition, from the record."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from mbc import outcomes
from mbc.care.clinic.record_frames import record_frames
from mbc.care.clinic.scale_limits import with_own_limits
from mbc.care.forecast.clinic_models import CohortModels
from mbc.errors import AccessDenied, MbcError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.outcomes.definitions.definition_file import definition as read_definition
from mbc.privacy.small_numbers.presets import Preset
from mbc.store import Store
from mbc.store._aggregate_view import counting_view

_YEAR = dt.timedelta(days=364)  # the first day counts too


@with_definitions_of_record
def clinic_report(
    store: Store,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    definition: str | Path = "nhs",
    cohort: str = "finished",
    small_numbers: int | Preset = "nhs5",
    models: CohortModels | None = None,
) -> outcomes.OutcomeReport:
    """Report the outcomes on record by a published definition.

    Parameters
    ----------
    store : Store
        The record; a clinician's view counts their own clients.
    start, end : date, optional
        First and last day of the period, both included; by default the year that ends with the last day on record.
    definition : str or Path
        A definition of `mbc.outcomes`, or a TOML file of the clinic's own.
    cohort : {"finished", "in-care", "started"}
        Clients whose care ended, was ongoing or began in the period.
    small_numbers : int or preset
        The rule for what is published of each figure.
    models : CohortModels, optional
        What the clinic's own records say of each scale: change on scales without a published measurement error is
        then judged as on a client's page.

    Raises
    ------
    AccessDenied
        If the user may not see aggregates, or sees no persons: the figures are exact.
    MbcError
        If the period ends before it starts, or lies outside the record.
    SettingsError
        If the definition or cohort does not exist.
    """
    source = counting_view(store, "clinic outcomes")
    if not store.can_read("clients"):
        store.audit.record("refused", asked="outcomes", fault="AccessDenied", start=start, end=end)
        raise AccessDenied(
            "This report contains exact counts; your account may only see published figures: mbc release list"
        )
    period = reported_period(source, start, end)
    frames = record_frames(source, period)
    endings = store.episodes().select("episode_id", "ending")  # a text: a view for counting leaves it out
    frames["episodes"] = frames["episodes"].drop("ending").join(endings, on="episode_id", how="left")
    settings = with_own_limits(read_definition(definition), frames["scores"], models)
    return outcomes.report(
        frames, settings, cohort, start=period.start, end=period.end, small_numbers=small_numbers
    )


def reported_period(store: Store, start: dt.date | None, end: dt.date | None) -> outcomes.Period:
    """Give the period asked for, or the year that ends with the last day on record.

    Raises
    ------
    MbcError
        If it ends before it starts, or lies outside the record.
    """
    if start and end:
        return outcomes.Period(start, end)
    days = store.administrations()["taken_on"].drop_nulls()
    if days.is_empty():
        last = end or dt.datetime.now(dt.UTC).date()
        return outcomes.Period(start or last - _YEAR, last)
    first, last = days.sort()[[0, -1]].to_list()
    until = end or last
    since = start or max(first, until - _YEAR)
    if until < since:
        raise MbcError(f"The record runs from {first} to {last}; the requested period is outside this range.")
    return outcomes.Period(since, until)
