"""The plan of an import, administration by administration, and its execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import polars as pl

from mbc.errors import Conflict, ImportRefused
from mbc.exchange.cells.text import REASON
from mbc.exchange.files.messages import count_noun, join_names, join_ranges, name_rows, quote
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.columns import fold
from mbc.exchange.header.options import ImportOptions, Layout
from mbc.exchange.own_definitions import definitions_of, keep_definitions
from mbc.exchange.plan.clients import find_clients, find_clinicians, find_episodes
from mbc.exchange.plan.duplicates import OUTCOME, SAME_AS, STORABLE, after_storing, with_record, within_file
from mbc.exchange.plan.look_alikes import look_alikes
from mbc.exchange.plan.paged_file import Parts
from mbc.exchange.plan.relationships import find_targets
from mbc.exchange.plan.to_store import Registrations, as_records
from mbc.exchange.plan.withdrawals import name_withdrawals
from mbc.exchange.rows.check_recorded_scores import REMARK
from mbc.exchange.rows.parsed import LAST_ROW, ROWS, Reading
from mbc.instruments import instrument, keys
from mbc.store import ImportSource, Outcome, Store

PlannedOutcome = Literal["stored", "duplicate", "superseding", "refused"]
OUTCOMES: tuple[PlannedOutcome, ...] = get_args(PlannedOutcome)
Progress = Callable[[int], None]
_MOST_ALIKE = 5  # refusals with the same reason, each on a line of its own
_AT_ONCE = 10_000  # administrations handed over at a time
_SAFETY = "belongs to the safety channel"
_NOT_SHOWN = "refused; its questionnaire is not shown here"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file, read and checked, and the user's options: nothing here depends on the record."""

    parts: Parts
    options: ImportOptions
    source: ImportSource


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What becomes of each administration of a file, and why. `to_frame` is the part that people read."""

    proposal: Proposal = field(repr=False)
    has_record: bool
    """Whether clients and relationships were looked up on record."""
    administrations: pl.DataFrame = field(repr=False)
    """All that would be stored, with ``outcome`` and ``reason``; one row per administration.

    The answers of a long file are not among its columns: they are read again, page by page, when they are stored.
    """
    registrations: Registrations = field(repr=False)
    """Clients and relationships that go on record first."""
    notes: tuple[str, ...]
    """What was decided in reading, for a person to check."""

    @property
    def source(self) -> ImportSource:
        """The file."""
        return self.proposal.source

    @property
    def layout(self) -> Layout:
        """How the file is laid out."""
        return self.proposal.parts.layout

    @property
    def counts(self) -> dict[PlannedOutcome, int]:
        """Administrations by outcome; every outcome is there."""
        counted: dict[str, int] = dict(self.administrations[OUTCOME].value_counts().iter_rows())
        return {outcome: counted.get(outcome, 0) for outcome in OUTCOMES}

    @property
    def duplicates_in_file(self) -> int:
        """How many of the duplicates repeat a row of the file itself."""
        return int(self.administrations[REASON].str.starts_with(SAME_AS).sum())

    @property
    def refusals(self) -> tuple[str, ...]:
        """One line per refused administration, or per reason that many share: rows in the file and the reason.

        Of questionnaires of the safety channel only that they are refused: `to_frame` can tell more.
        """
        refused = self.to_frame(safety=True).with_columns(self._is_safety).filter(pl.col(OUTCOME) == "refused")
        noun = self.proposal.parts.noun
        several = "entries" if noun == "entry" else f"{noun}s"
        rows_of: dict[str, list[str]] = {}
        for rows, reason, hidden in refused.select("rows", REASON, _SAFETY).iter_rows():
            rows_of.setdefault(_NOT_SHOWN if hidden else reason, []).append(rows)
        lines: list[str] = []
        for reason, places in rows_of.items():
            if len(places) > _MOST_ALIKE:  # what is said of a file is said once
                lines.append(f"{several} {join_ranges(places)}: {reason}")
            else:
                lines += [f"{several if '-' in rows else noun} {rows}: {reason}" for rows in places]
        return tuple(lines)

    @property
    def hidden(self) -> int:
        """How many administrations `to_frame` leaves out because they belong to the safety channel."""
        return int(self.administrations.select(self._is_safety).sum().item())

    @property
    def _is_safety(self) -> pl.Expr:
        present = self.administrations["instrument"].drop_nulls().unique()
        return (
            pl.col("instrument")
            .is_in([key for key in present if instrument(key).safety_channel])
            .fill_null(value=False)
            .alias(_SAFETY)
        )

    @property
    def needed(self) -> Registrations:
        """What has to be on record before them."""
        return self.registrations.needed_by(
            self.administrations.select("client_id", "target", OUTCOME).filter(STORABLE)
        )

    @property
    def new_clients(self) -> int:
        """How many clients are registered first."""
        return len(self.needed.clients)

    @property
    def unassigned(self) -> int:
        """How many of them have no clinician."""
        return self.needed.clients["clinician_id"].null_count()

    @property
    def new_relationships(self) -> int:
        """How many relationships are registered first."""
        return len(self.needed.relationships)

    def to_frame(self, *, safety: bool = False) -> pl.DataFrame:
        """Rows of the file, client, instrument, day, outcome and reason: fit for a terminal or a page.

        Questionnaires of the safety channel are left out unless ``safety`` asks for them.
        """
        several = pl.format("{}-{}", ROW, LAST_ROW)
        scattered = pl.col(LAST_ROW) - pl.col(ROW) + 1 > pl.col(ROWS)
        rows = (
            pl.when(pl.col(ROW) == pl.col(LAST_ROW))
            .then(pl.format("{}", ROW))
            .when(scattered)
            .then(pl.format("{} ({} of them)", several, ROWS))
            .otherwise(several)
        )
        shown_rows = self.administrations if safety else self.administrations.filter(~self._is_safety)
        return shown_rows.select(
            rows.alias("rows"),
            "client_id",
            "instrument",
            "taken_on",
            OUTCOME,
            pl.coalesce(REASON, REMARK).alias(REASON),
        )

    def apply(
        self, store: Store, *, by: str | None = None, skip_refused: bool = False, progress: Progress | None = None
    ) -> ImportPlan:
        """Store the administrations in one transaction: all of them, or none.

        Parameters
        ----------
        store : Store
            The record. It decides: the returned plan says what it did.
        by : str, optional
            In whose name; whoever's view of the record this is when not given.
        skip_refused : bool
            Store the rest although some are refused.
        progress : callable, optional
            Called with the number of administrations stored since the last call.

        Raises
        ------
        ImportRefused
            When some are refused and ``skip_refused`` is not set, or all are; nothing is stored then.
        """
        with definitions_of(store):
            plan = self if self.has_record else make_plan(self.proposal, store)
            _require_sound(plan, skip_refused=skip_refused)
            try:
                return _stored(plan, store, by, progress)
            except Conflict:  # found while storing: name every row, not only the first
                plan = self.compare_with(store)
                _require_sound(plan, skip_refused=skip_refused)
                return _stored(plan, store, by, progress)

    def compare_with(self, store: Store) -> ImportPlan:
        """Compare with what is on record now; what the file itself refuses stays refused."""
        with definitions_of(store):
            plan = make_plan(self.proposal, store)
            correcting = self.proposal.options.supersede is not None
            pages = plan.proposal.parts.with_answers(plan.administrations)
            compared = with_record(
                plan.administrations, pages, store, supersede=correcting, registrations=plan.registrations
            )
            return replace(plan, administrations=compared)


def _stored(plan: ImportPlan, store: Store, by: str | None, progress: Progress | None) -> ImportPlan:
    options = plan.proposal.options
    if not plan.counts["stored"] + plan.counts["superseding"]:
        return plan
    outcomes: list[Outcome] = []
    with store.writing(by=by, source=plan.source) as record:
        record.add_all(plan.needed.records(on=options.now.date()))
        keep_definitions(record, plan.administrations.filter(STORABLE)["instrument"])
        for page in plan.proposal.parts.with_answers(plan.administrations):
            for part in page.filter(STORABLE).iter_slices(_AT_ONCE):
                outcomes += record.add_frame(as_records(part, flags=True), supersede=options.supersede)
                if progress is not None:
                    progress(len(part))
    return replace(plan, administrations=after_storing(plan.administrations, outcomes))


def _require_sound(plan: ImportPlan, *, skip_refused: bool) -> None:
    refused, total = plan.counts["refused"], len(plan.administrations)
    if not refused or (skip_refused and refused < total):
        return
    how_many = f"{refused} of {total} administrations"
    if refused == total:
        how_many = f"all {total} administrations" if total > 1 else "its only administration"
    repair = "" if refused == total else " Correct them, or store only the others: --skip-refused."
    raise ImportRefused(
        f"'{quote(plan.source.name)}': {how_many} refused; nothing was stored.{repair}", plan.refusals
    )


def make_plan(proposal: Proposal, store: Store | None) -> ImportPlan:
    """Name clients, targets and episodes, and find what a file holds twice; occasions are not compared yet."""
    parts, reading, options = proposal.parts, proposal.parts.reading, proposal.options
    frame, clients = find_clients(reading.administrations, store, options)
    targets = find_targets(frame, store, options)
    on_record = [] if store is None else store.clients()["client_id"].to_list()
    alike = look_alikes(clients["client_id"], on_record)
    return ImportPlan(
        proposal=proposal,
        has_record=store is not None,
        administrations=within_file(
            find_episodes(name_withdrawals(targets.administrations, store), store), parts.answered
        ),
        registrations=Registrations(find_clinicians(frame, store, options), clients, targets.new),
        notes=(*parts.notes, *reading.notes, *targets.notes, *_left_out(reading), *alike),
    )


def _left_out(reading: Reading) -> tuple[str, ...]:
    notes: list[str] = []
    if reading.blank_rows:
        rows = reading.blank_rows
        notes.append(f"{count_noun(len(rows), 'questionnaire')} without any answer left out ({name_rows(rows)}).")
    quiet = tuple(fold(key) for key in keys() if instrument(key).safety_channel)
    unread = [name for name in reading.unread if not fold(name).startswith(quiet)]
    if unread:
        notes.append(f"Columns not used: {join_names(unread)}.")
    return tuple(notes)
