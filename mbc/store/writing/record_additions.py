"""What is added to the record: new rows, duplicates met again, and other content that supersedes with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import polars as pl
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from mbc.errors import AccessDenied, Conflict, StoreError
from mbc.store.access.roles import Scope
from mbc.store.database.batches import batches
from mbc.store.schema import digests, records
from mbc.store.schema import tables as t
from mbc.store.schema.administration_numbers import FIRST_OF_SAFETY, reserve
from mbc.store.schema.kinds import NAMES_INSTRUMENTS, channel_of
from mbc.store.schema.records import Administration, Channel, Definition, ImportSource, Record
from mbc.store.schema.validation import check_text
from mbc.store.writing import administrations
from mbc.store.writing import ownership as belonging
from mbc.store.writing import seals as sealing
from mbc.store.writing import versioned as entities
from mbc.store.writing.administration_batch import Completed, completed, in_batches
from mbc.store.writing.administrations import Additions, Keyed, Occasions
from mbc.store.writing.definitions import Definitions, definition_row
from mbc.store.writing.earlier_rows import ENTERED_AGAIN
from mbc.store.writing.open_entry import OpenEntry
from mbc.store.writing.result import Outcome
from mbc.store.writing.safety_decisions import decide

_TRIES = 5


def _kind_and_channel(record: Record) -> tuple[type, Channel]:
    return type(record), channel_of(record)


class RecordAdditions(OpenEntry):
    """The part of a transaction that adds records; corrections and answers to flags are added through it."""

    def __init__(
        self, connection: Connection, scope: Scope, *, by: str, now: datetime, source: ImportSource | None
    ) -> None:
        super().__init__(connection, scope, by=by, now=now, source=source)
        self._definitions: Definitions | None = None  # read when the first questionnaire is added
        self._defined: set[str] = set()  # questionnaires whose definition this transaction has kept

    def add(self, record: Record, *, supersede: str | None = None, replaces: Record | None = None) -> Outcome:
        """Add one record.

        Parameters
        ----------
        record : Clinician, Client, Episode, ... , Administration, Goal, GoalRating or Event
            What to write down. Records it names (its client, its relationship) come first.
        supersede : str, optional
            Why this replaces what is on record: with it, other content is a correction and not a conflict.
        replaces : Record, optional
            The version that this one was made from. No other version is replaced.

        Returns
        -------
        {"stored", "duplicate", "superseding"}
            ``"duplicate"``: the same content is on record already, and nothing was done.

        Raises
        ------
        Conflict
            If it is on record with other content, and no reason to supersede is given; or if what is on record is
            neither this nor the version that it ``replaces``.
        NotInRecord
            If it names a client, relationship, episode or goal that does not exist for this user.
        AccessDenied
            If this user may not write such records.
        """
        if replaces is not None:
            self._require_version(record, replaces)
        return self.add_all([record], supersede=supersede)[0]

    def _require_version(self, record: Record, replaces: Record) -> None:
        """Raise Conflict when somebody has written another version since; the row stays locked until the end."""
        kind = type(record)
        if kind is not type(replaces) or kind not in entities.KINDS:
            raise StoreError(f"A {kind.__name__} cannot replace a version of a {type(replaces).__name__}.")
        self._scope.require_writer(kind)
        belonging.owners(self._connection, self._known, kind, [replaces])
        place, row = entities.KINDS[kind], entities.values(replaces)
        on_record = entities.on_record(self._connection, place, [row], replacing=True)
        current = on_record.get(tuple(row[name] for name in place.key), (None, None))[0]
        if current not in (row, entities.values(record)):
            raise Conflict(f"This {place.noun} has been changed since then. Read it again, then decide.")

    def add_all(self, records: Iterable[Record], *, supersede: str | None = None) -> list[Outcome]:
        """Add many records, in batches; made for streams of any length. See `add`."""
        reason = None if supersede is None else check_text("supersede", supersede)
        outcomes: list[Outcome] = []
        for batch in batches(records):
            for (kind, channel), group in groupby(batch, key=_kind_and_channel):
                outcomes += self._add_batch(kind, channel, list(group), reason)
        return outcomes

    def add_frame(self, administrations: pl.DataFrame, *, supersede: str | None = None) -> list[Outcome]:
        """Add many administrations from a frame: the same as `add_all` of its rows as records, but faster.

        Parameters
        ----------
        administrations : polars.DataFrame
            One row each, with the columns of `mbc.store.writing.administration_batch.SCHEMA`.
        supersede : str, optional
            See `add`.

        Raises
        ------
        StoreError
            If a row is one that no record could hold.
        Conflict, NotInRecord, AccessDenied
            See `add`.
        """
        reason = None if supersede is None else check_text("supersede", supersede)
        self._name(administrations["client_id"].unique())
        self._scope.require_writer(Administration)
        outcomes: list[Outcome] = []
        for batch in in_batches(administrations):
            outcomes += self._add_administrations(batch, reason)
        return outcomes

    @property
    def may_keep_definitions(self) -> bool:
        """Say whether definitions may be kept here: only the operator keeps them."""
        return self._scope.may_keep_definitions

    def keep_definition(self, definition: Definition) -> Outcome:
        """Keep the definition of a questionnaire of the clinic's own; answers to it can be added from then on.

        Returns
        -------
        {"stored", "duplicate"}
            ``"duplicate"``: it is the newest on record already.

        Raises
        ------
        AccessDenied
            If this is a user's view.
        StoreError
            If the questionnaire's answers belong to another channel, or its definition was kept in this
            transaction already.
        """
        if not self.may_keep_definitions:
            raise AccessDenied(f"{self._scope.who} may not store definitions: only the operator may.")
        if not self._definitions_on_record.add(definition):
            return "duplicate"
        key = definition.instrument
        if key in self._defined:
            raise StoreError(f"Two definitions of '{key}' in one transaction. Keep one.")
        self._defined.add(key)
        row = definition_row(definition)
        self._connection.execute(insert(t.definition), {**row, "entry_id": self._entry_id()})
        self._seal.add(sealing.DEFINITIONS, digests.row_leaf(b"", sealing.DEFINITIONS, row))
        self._counts[definition.channel]["definition stored"] += 1
        return "stored"

    def _add_batch(self, kind: type, channel: Channel, batch: Sequence[Any], reason: str | None) -> list[Outcome]:
        if kind is not Administration and kind not in entities.KINDS:
            raise StoreError(f"A {kind.__name__} cannot be added to the record on its own.")
        self._name(getattr(record, "client_id", "") for record in batch)
        self._scope.require_writer(kind)
        if kind is Administration:
            return self._add_administrations(completed(batch), reason)
        if channel == "safety":
            self._scope.require("safety:read")
        outcomes = self._add_entities(kind, channel, batch, reason)
        self._count(kind, ((outcome, channel) for outcome in outcomes))
        return outcomes

    def _add_administrations(self, batch: Completed, reason: str | None) -> list[Outcome]:
        batch, channels = decide(batch, self._definitions_on_record.rules(self._scope))
        belonging.require_administrations(self._connection, self._known, batch)
        outcomes = self._write_administrations(batch, channels, reason)
        self._count(Administration, zip(outcomes, channels, strict=True))
        return outcomes

    def _write_administrations(
        self, batch: Completed, channels: list[Channel], reason: str | None
    ) -> list[Outcome]:
        keyed = Keyed.of(batch)
        faults = (IntegrityError, self._connection.dialect.loaded_dbapi.IntegrityError)
        tries_left = _TRIES
        while True:
            outcomes, additions = self._place(keyed, channels, reason)
            try:
                self._store(additions, reason or ENTERED_AGAIN)
            except faults:  # another writer was first with one of these: look again, it is on record now
                tries_left -= 1
                if not tries_left:
                    raise
            else:
                return outcomes

    def _place(self, keyed: Keyed, channels: list[Channel], reason: str | None) -> tuple[list[Outcome], Additions]:
        occasions = Occasions()  # of this batch only: earlier ones are on record, and memory stays small
        occasions.load(self._connection, keyed.occasions)
        numbers = reserve(self._connection, channels)
        return administrations.place_all(occasions, keyed, numbers, supersede=reason is not None)

    def _store(self, additions: Additions, reason: str) -> None:
        if not additions.numbers:
            return
        entry_id = self._entry_id()
        with self._connection.begin_nested():  # so that a batch that came second can be tried again
            leaves = administrations.store(
                self._connection, additions, entry_id=entry_id, reason=reason, secrets=self._known.secrets
            )
        self._seal.add_administrations(leaves, additions.numbers)
        for client_id, number in zip(additions.keyed.batch.client_id, additions.numbers, strict=True):
            channel: Channel = "care" if number < FIRST_OF_SAFETY else "safety"
            self._clients[channel].add(client_id)

    def _add_entities(
        self, kind: type, channel: Channel, batch: Sequence[Any], reason: str | None
    ) -> list[Outcome]:
        owners = belonging.owners(self._connection, self._known, kind, batch)
        if kind in NAMES_INSTRUMENTS:
            belonging.require_care_instruments(self._definitions_on_record.rules(self._scope), batch)
        if kind is records.SecondReview:
            belonging.require_another_person(self._connection, batch, self._by)
        place = entities.KINDS[kind]
        comparison = entities.compare(
            self._connection,
            self._scope,
            place,
            batch,
            owners,
            supersede=reason,
            imported=self._source is not None,
        )
        reason = reason or ENTERED_AGAIN  # of what changes without one: nothing but a client who was withdrawn
        if comparison.new or comparison.changes:
            entities.store(
                self._connection, place, comparison, entry_id=self._entry_id(), reason=reason, more=self._secret_of
            )
            self._seal_entities(place, comparison, reason)
            self._clients[channel].update(owner for owner in owners if owner is not None)
            self._known.note(batch)
        return comparison.outcomes

    def _secret_of(self, new: entities.New) -> dict[str, Any]:
        return {"secret": self._known.secret(str(new.owner))} if "registered_on" in new.row else {}

    def _seal_entities(self, place: entities.Kind, comparison: entities.Comparison, reason: str) -> None:
        name = place.table.name
        for new in comparison.new:
            self._seal.add(name, digests.row_leaf(self._key_of(new.owner), name, new.row))
        for change in comparison.changes:
            key = self._key_of(change.owner)
            self._seal.add(name, digests.row_leaf(key, name, change.after))
            earlier = sealing.earlier_leaf(key, kind=name, named=change.key, content=change.content, reason=reason)
            self._seal.add(sealing.EARLIER, earlier)

    @property
    def _definitions_on_record(self) -> Definitions:
        if self._definitions is None:
            self._definitions = Definitions.load(self._connection)
        return self._definitions
