"""Clinicians' outcomes compared with what is expected, at hand for every page of a server."""

from __future__ import annotations

import polars as pl

from mbc.care.clinic.clinician_outcomes import ClinicianOutcomes, compare_clinicians, compare_own
from mbc.care.clinic.kept_results import KeptResults
from mbc.errors import UnknownInstrument
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import instrument
from mbc.store import Store


class ClinicianComparisons:
    """Comparisons with what is expected given case mix; what is read of everybody is read once after each writing.

    Who asks is checked, and noted in the audit trail, each time. Safe to share between threads.

    Parameters
    ----------
    store : Store
        The record of the clinic, all of it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept = KeptResults(store)

    def measures(self) -> tuple[str, ...]:
        """Name the questionnaires of the clinic's finished clients, as `finished_measures` does."""
        return self._kept.give("measures", lambda: finished_measures(self._store))

    def own(self, store: Store, measure: str) -> ClinicianOutcomes:
        """Give one clinician's own line, as `mbc.care.clinic.clinician_outcomes.compare_own` does."""
        return compare_own(self._store, store, measure, kept=self._kept)

    def everybody(self, store: Store, measure: str) -> ClinicianOutcomes:
        """Give a line for each clinician, as `mbc.care.compare_clinicians` does."""
        return compare_clinicians(store, measure, kept=self._kept)


@with_definitions_of_record
def finished_measures(store: Store) -> tuple[str, ...]:
    """Name the questionnaires that clients whose care has ended answered on two days or more.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.

    Returns
    -------
    tuple of str
        Keys, that of most clients first. Questionnaires of the safety channel are no outcomes, and those without a
        definition cannot be scored.
    """
    ended = store.episodes().drop_nulls("ended_on").select("client_id").unique()
    days = (
        store.administrations()
        .join(ended, on="client_id", how="semi")
        .group_by("instrument", "client_id")
        .agg(pl.col("taken_on").n_unique())
        .filter(pl.col("taken_on") > 1)
    )
    clients = days.group_by("instrument").len().sort("len", "instrument", descending=[True, False])
    return tuple(key for key in clients["instrument"] if _is_outcome(key))


def _is_outcome(key: str) -> bool:
    try:
        return not instrument(key).safety_channel
    except UnknownInstrument:
        return False
