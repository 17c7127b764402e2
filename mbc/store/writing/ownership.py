"""Whose is it: what a new record names must exist, for this user, and belong to the same client."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from mbc.errors import Conflict, IdentifierTaken, NotInRecord, StoreError
from mbc.store.access.roles import Scope
from mbc.store.audit import tombstones
from mbc.store.database.batches import batches
from mbc.store.schema import records
from mbc.store.schema import tables as t
from mbc.store.schema.digests import new_secret
from mbc.store.schema.kinds import KINDS
from mbc.store.schema.safety_rules import SafetyRule
from mbc.store.schema.validation import quote
from mbc.store.writing.administration_batch import Completed


@dataclass(slots=True)
class Known:
    """Which clients, relationships, episodes and goals exist for one scope, as far as was asked."""

    scope: Scope
    clients: set[str] = field(default_factory=set[str])
    secrets: dict[str, str] = field(default_factory=dict[str, str])  # what keys each client's digests
    relationships: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    episodes: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def load(self, connection: Connection, client_ids: Iterable[str]) -> None:
        """Fetch clients not met before, with what is theirs."""
        wanted = sorted(set(client_ids) - self.clients)
        if not wanted:
            return
        column = t.client.c.client_id
        c = t.client.c
        query = select(column, c.secret, c.status).where(column.in_(wanted), *self.scope.reaches(column))
        rows = connection.execute(query).all()
        self.secrets.update({row.client_id: row.secret for row in rows})
        here = [row.client_id for row in rows if row.status != records.ENTERED_IN_ERROR]
        self.clients.update(here)
        for table, name, known in (
            (t.relationship, "relationship_id", self.relationships),
            (t.episode, "episode_id", self.episodes),
        ):
            query = select(table.c.client_id, table.c[name]).where(table.c.client_id.in_(here))
            known.update((client_id, thing) for client_id, thing in connection.execute(query))

    def expect(self, connection: Connection, new_clients: Collection[str]) -> None:
        """Take clients as added, unless they are on record already: then the scope decides, as for any other."""
        column = t.client.c.client_id
        for batch in batches(sorted(new_clients)):
            there = connection.execute(select(column).where(column.in_(batch))).scalars()
            new = set(batch) - set(there)
            self.clients.update(new - tombstones.erased_among(connection, new).keys())

    def secret(self, client_id: str) -> str:
        """Give what keys a client's digests: made now, if the client is new."""
        return self.secrets.setdefault(client_id, new_secret())

    def note(self, batch: Iterable[Any]) -> None:
        """Remember what this transaction has just added."""
        for record in batch:
            if isinstance(record, records.Relationship):
                self.relationships.add((record.client_id, record.relationship_id))
            elif isinstance(record, records.Episode):
                self.episodes.add((record.client_id, record.episode_id))

    def holds(self, batch: Completed) -> bool:
        """Say whether everything that some administrations name is known."""
        targets = {pair for pair in zip(batch.client_id, batch.target, strict=True) if pair[1] != "self"}
        episodes = {pair for pair in zip(batch.client_id, batch.episode_id, strict=True) if pair[1] is not None}
        return (
            self.clients.issuperset(batch.client_id)
            and targets <= self.relationships
            and episodes <= self.episodes
        )

    def require(
        self, client_id: str, *, relationship_id: str | None = None, episode_id: str | None = None
    ) -> None:
        """Raise NotInRecord unless the client exists here, and the relationship and the episode are theirs."""
        if client_id not in self.clients:
            raise NotInRecord(f"There is no client '{client_id}' on record. Add the client first.")
        for noun, named, known in (
            ("relationship", relationship_id, self.relationships),
            ("episode", episode_id, self.episodes),
        ):
            if named is not None and (client_id, named) not in known:
                own_ids = sorted(thing for owner, thing in known if owner == client_id)
                listed = f"on record: {', '.join(own_ids)}" if own_ids else "there is none yet"
                raise NotInRecord(f"{client_id} has no {noun} '{named}' on record; {listed}.")

    def require_channel(self, channel: str | None) -> None:
        """Raise AccessDenied unless questionnaires of this channel may be written.

        Whether an occasion is stored, a duplicate or a conflict tells what is on record. So the permission is
        asked for by the questionnaire's own channel, never by what is on record.
        """
        if channel == "safety":
            self.scope.require("safety:read")


def require_administrations(connection: Connection, known: Known, batch: Completed) -> None:
    """Raise unless everything that administrations name is on record, and their channel may be written."""
    known.load(connection, batch.client_id)
    if known.holds(batch):
        for channel in dict.fromkeys(batch.channel):
            known.require_channel(channel)
        return
    for place, channel in enumerate(batch.channel):
        require_administration(known, batch, place)
        known.require_channel(channel)


def require_administration(known: Known, batch: Completed, place: int) -> None:
    """Raise NotInRecord unless the client, the target and the episode of one are on record."""
    target = batch.target[place]
    known.require(
        batch.client_id[place],
        relationship_id=None if target == "self" else target,
        episode_id=batch.episode_id[place],
    )


def owners(connection: Connection, known: Known, kind: type, batch: Sequence[Any]) -> list[str | None]:
    """Name the client that each record is about; raise NotInRecord for what is not there."""
    if kind is records.Clinician:
        return [None] * len(batch)
    _require_clinicians(connection, known.scope, batch)
    if kind is records.GoalRating:
        owners_known = _goal_owners(connection, known, batch)
        known.load(connection, owners_known.values())
        return [owners_known[record.goal_id] for record in batch]
    known.load(connection, (record.client_id for record in batch))
    if kind is records.Client:
        _require_own(known.scope, batch)
        tombstones.require_not_erased(connection, {record.client_id for record in batch} - known.clients)
        return [record.client_id for record in batch]
    for record in batch:
        named = None if kind is records.Episode else getattr(record, "episode_id", None)
        relationship = None if kind is records.Relationship else getattr(record, "relationship_id", None)
        known.require(record.client_id, relationship_id=relationship, episode_id=named)
    if kind in (records.FlagResponse, records.SecondReview):
        _require_flags(connection, batch)
    if kind is records.Relationship:
        _require_free_labels(connection, batch)  # only now: its message tells of what a client has
    return [record.client_id for record in batch]


def require_care_instruments(rules: Mapping[str, SafetyRule], batch: Iterable[Any]) -> None:
    """Raise StoreError for a questionnaire of the safety channel, or one that is not known.

    What is planned, signalled and passed on is read by everybody who may read the client.
    """
    for record in batch:
        named = record.instruments if isinstance(record, records.ReleaseOfInformation) else (record.instrument,)
        for instrument in named:
            rule = None if instrument is None else rules.get(instrument)
            if instrument is not None and rule is None:
                raise StoreError(
                    f"The record has no questionnaire {quote(instrument)}. Use the key of a questionnaire."
                )
            if rule is not None and rule.channel == "safety":
                raise StoreError(
                    f"{instrument} belongs to the safety channel: it is never planned, signalled or shared."
                )


def require_same_owner(scope: Scope, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Raise IdentifierTaken when an identifier is somebody else's; nothing of theirs is shown."""
    same = before.get("client_id") == after.get("client_id")
    is_client = "registered_on" in before
    seen = scope.clinicians is None or not is_client or before["clinician_id"] in scope.clinicians
    if not (same and seen):
        named = next(iter(after.values()))
        raise IdentifierTaken(f"The identifier '{named}' is already in use. Choose another.")


def _require_clinicians(connection: Connection, scope: Scope, batch: Sequence[Any]) -> None:
    named: set[str] = {getattr(record, "clinician_id", None) or "" for record in batch} - {""}
    if not named:
        return
    column = t.clinician.c.clinician_id
    query = select(column).where(column.in_(sorted(named)), *scope.reaches_clinician(column))
    missing = sorted(named - set(connection.execute(query).scalars()))
    if missing:
        raise NotInRecord(f"There is no clinician '{missing[0]}' on record. Add the clinician first.")


def _require_own(scope: Scope, batch: Sequence[records.Client]) -> None:
    if scope.clinicians is None:
        return
    for record in batch:
        if record.clinician_id is None:
            raise NotInRecord(f"Client '{record.client_id}' needs a clinician_id, whose caseload it joins.")


def _require_free_labels(connection: Connection, batch: Sequence[records.Relationship]) -> None:
    """Raise Conflict when a client would have two relationships of one label: charts tell them apart by it."""
    c = t.relationship.c
    clients = sorted({record.client_id for record in batch})
    query = select(c.client_id, c.label, c.relationship_id).where(c.client_id.in_(clients))
    taken = {(row.client_id, row.label): row.relationship_id for row in connection.execute(query)}
    for record in batch:
        other = taken.setdefault((record.client_id, record.label), record.relationship_id)
        if other != record.relationship_id:
            raise Conflict(
                f"{record.client_id} already has a relationship '{record.label}' ({other}). Choose another label."
            )


def require_another_person(connection: Connection, batch: Sequence[records.SecondReview], by: str) -> None:
    """Raise Conflict where the one who acknowledged a flag would be its second person too."""
    c = t.safety_flag.c
    for review in batch:
        named = (c.administration_id == review.administration_id, c.item == review.item)
        if connection.execute(select(c.acknowledged_by).where(*named)).scalar() == by:
            raise Conflict(f"{by} has acknowledged this flag: its second reviewer must be somebody else.")


def require_first_person(connection: Connection, administration_id: int, item: str, by: str) -> None:
    """Raise Conflict where the second person of a flag would acknowledge it too."""
    c = KINDS[records.SecondReview].table.c
    query = select(t.entry.c.recorded_by).where(
        t.entry.c.entry_id == c.entry_id, c.administration_id == administration_id, c.item == item
    )
    if connection.execute(query).scalar() == by:
        raise Conflict(f"{by} is the second reviewer of this flag: it must be acknowledged by somebody else.")


def _require_flags(connection: Connection, batch: Sequence[records.FlagResponse | records.SecondReview]) -> None:
    c = t.safety_flag.c
    numbers = sorted({record.administration_id for record in batch})
    query = select(c.administration_id, c.item, c.client_id).where(c.administration_id.in_(numbers))
    flags = {tuple(row) for row in connection.execute(query)}
    for record in batch:
        if (record.administration_id, record.item, record.client_id) not in flags:
            raise NotInRecord(
                f"There is no flag on item '{record.item}' of questionnaire {record.administration_id} of "
                f"{record.client_id}."
            )


def _goal_owners(connection: Connection, known: Known, batch: Sequence[records.GoalRating]) -> dict[str, str]:
    c = t.goal.c
    wanted = sorted({record.goal_id for record in batch})
    query = select(c.goal_id, c.client_id).where(c.goal_id.in_(wanted), *known.scope.reaches(c.client_id))
    owner = {row.goal_id: row.client_id for row in connection.execute(query)}
    missing = [goal_id for goal_id in wanted if goal_id not in owner]
    if missing:
        raise NotInRecord(f"There is no goal '{missing[0]}' on record. Add the goal first.")
    return owner
