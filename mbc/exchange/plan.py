"""What importing a file would do, administration by administration, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, get_args

import polars as pl

from mbc.errors import Conflict, ImportRefused
from mbc.exchange.cells import REASON
from mbc.exchange.comparing import OUTCOME, after_storing, with_record
from mbc.exchange.options import Layout
from mbc.exchange.reading import LAST_ROW, ROWS
from mbc.exchange.records import Registrations, administrations_of
from mbc.exchange.shown import shown
from mbc.exchange.text_files import ROW
from mbc.store import Administration, ImportSource, Store

PlannedOutcome = Literal["stored", "duplicate", "superseding", "refused"]
OUTCOMES: tuple[PlannedOutcome, ...] = get_args(PlannedOutcome)
Progress = Callable[[int], None]
_TOLD_EVERY = 1000


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What becomes of each administration of a file, and why. :meth:`to_frame` is the part that people read."""

    source: ImportSource
    layout: Layout
    administrations: pl.DataFrame = field(repr=False)
    """All that would be stored, with ``outcome`` and ``reason``; one row per administration."""
    registrations: Registrations = field(repr=False)
    """Clients and relationships that go on record first."""
    supersede: str | None
    """Why occasions on record are corrected; without it they are refused."""
    notes: tuple[str, ...]
    """What was decided in reading, for a person to check."""
    today: date

    @property
    def counts(self) -> dict[PlannedOutcome, int]:
        """Administrations by outcome; every outcome is there."""
        met: dict[str, int] = dict(self.administrations[OUTCOME].value_counts().iter_rows())
        return {outcome: met.get(outcome, 0) for outcome in OUTCOMES}

    @property
    def refusals(self) -> tuple[str, ...]:
        """One line per refused administration: its rows in the file and the reason."""
        refused = self.to_frame().filter(pl.col(OUTCOME) == "refused").select("rows", REASON)
        return tuple(f"row{'s' if '-' in rows else ''} {rows}: {reason}" for rows, reason in refused.iter_rows())

    @property
    def new_clients(self) -> int:
        """How many clients are registered first."""
        return len(self._needed().clients)

    @property
    def new_relationships(self) -> int:
        """How many relationships are registered first."""
        return len(self._needed().relationships)

    def to_frame(self) -> pl.DataFrame:
        """Rows of the file, client, instrument, day, outcome and reason: fit for a terminal or a page."""
        several = pl.format("{}-{}", ROW, LAST_ROW)
        scattered = pl.col(LAST_ROW) - pl.col(ROW) + 1 > pl.col(ROWS)
        rows = (
            pl.when(pl.col(ROWS) == 1)
            .then(pl.format("{}", ROW))
            .when(scattered)
            .then(pl.format("{} ({} of them)", several, ROWS))
            .otherwise(several)
        )
        return self.administrations.select(
            rows.alias("rows"), "client_id", "instrument", "taken_on", OUTCOME, REASON
        )

    def apply(
        self, store: Store, *, by: str | None = None, skip_refused: bool = False, progress: Progress | None = None
    ) -> ImportPlan:
        """Store the administrations in one transaction: all of them, or none.

        Parameters
        ----------
        store : Store
            The record. It has the last word: the plan that comes back says what it did.
        by : str, optional
            In whose name; whoever's view of the record this is when not given.
        skip_refused : bool
            Store the rest although some are refused.
        progress : callable, optional
            Told how many administrations were handed over since the last time.

        Raises
        ------
        ImportRefused
            When some are refused and ``skip_refused`` is not set, or all are; nothing is stored then.
        """
        self._require(skip_refused=skip_refused)
        try:
            return self._stored(store, by, progress)
        except Conflict:  # met on the way: say so of every row, not of the first
            compared = self.against(store)
            compared._require(skip_refused=skip_refused)  # noqa: SLF001 - another plan of this kind
            return compared._stored(store, by, progress)  # noqa: SLF001

    def against(self, store: Store) -> ImportPlan:
        """Compare with what is on record; what the file itself refuses stays refused."""
        compared = with_record(
            self.administrations, store, supersede=self.supersede is not None, registrations=self.registrations
        )
        return replace(self, administrations=compared)

    def _to_store(self) -> pl.DataFrame:
        return self.administrations.filter(pl.col(OUTCOME).is_in(["stored", "superseding"]))

    def _needed(self) -> Registrations:
        return self.registrations.needed_by(self._to_store())

    def _stored(self, store: Store, by: str | None, progress: Progress | None) -> ImportPlan:
        frame = self._to_store()
        if frame.is_empty():
            return self
        records = _telling(administrations_of(frame, flags=True), progress)
        with store.writing(by=by, source=self.source) as record:
            record.add_all(self._needed().records(on=self.today))
            outcomes = record.add_all(records, supersede=self.supersede)
        return replace(self, administrations=after_storing(self.administrations, outcomes))

    def _require(self, *, skip_refused: bool) -> None:
        refused, whole = self.counts["refused"], len(self.administrations)
        if not refused or (skip_refused and refused < whole):
            return
        how_many = f"all {whole}" if refused == whole > 1 else f"{refused} of {whole}"
        repair = "" if refused == whole else " Or store the others alone: --skip-refused."
        raise ImportRefused(
            f"'{shown(self.source.name)}': {how_many} administrations are refused; nothing was stored. Repair the "
            f"rows.{repair}",
            self.refusals,
        )


def _telling(records: Iterator[Administration], progress: Progress | None) -> Iterator[Administration]:
    waiting = 0
    for record in records:
        yield record
        waiting += 1
        if progress is not None and waiting == _TOLD_EVERY:
            progress(waiting)
            waiting = 0
    if progress is not None:
        progress(waiting)
