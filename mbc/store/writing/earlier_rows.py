"""Rows as they are and as they were: how an entry made in error leaves its table. Nothing is erased.

A row that is withdrawn leaves its table, so that no reader gives it; what it said stays in ``earlier``, marked,
with who withdrew it, when and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, and_, delete, exists, insert, literal, select

from mbc.errors import Conflict, NotInRecord, StoreError
from mbc.store.access.roles import Scope
from mbc.store.reading.queries import CURRENT
from mbc.store.schema import records
from mbc.store.schema import tables as t
from mbc.store.schema.field_types import FieldType, field_types
from mbc.store.schema.kinds import KINDS, Kind, care_rows, channel_of
from mbc.store.schema.records import WITHDRAWN, Administration, Flag
from mbc.store.schema.validation import is_id
from mbc.store.writing.seals import owner_of
from mbc.store.writing.versioned import Change

ENTERED_AGAIN = "entered again after it was withdrawn"


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A row as it is on record, with whose it is and which entry wrote it."""

    kind: Kind
    row: dict[str, Any]
    owner: str | None
    written_by: int

    @property
    def record(self) -> Any:
        """The row as a record."""
        return self.kind.record(**self.row)

    @property
    def change(self) -> Change:
        """The row as one that goes."""
        return Change(self.kind, self.row, self.written_by, {}, self.owner)


def kind_named(record: type) -> Kind:
    """Give a kind by its record.

    Raises
    ------
    StoreError
        If there is no such kind.
    """
    if record not in KINDS:
        raise StoreError(f"{record.__name__} entries are not withdrawn one by one.")
    return KINDS[record]


def is_key(kind: Kind, key: Sequence[object]) -> bool:
    """Say whether something can name an entry of a kind; what a browser sends is only a claim."""
    types = {each.name: each for each in field_types(kind.record)}
    return all(
        _fits(types[name], part) or (part is None and types[name].optional)
        for name, part in zip(kind.key, key, strict=True)
    )


def _fits(field: FieldType, part: object) -> bool:
    if field.kind is date:
        return isinstance(part, date) and not isinstance(part, datetime)
    if field.kind is int:
        return isinstance(part, int) and not isinstance(part, bool) and 0 <= part < 2**63
    return part in field.choices if field.choices else is_id(part)


def find(connection: Connection, scope: Scope, kind: Kind, key: Sequence[object]) -> OnRecord | None:
    """Fetch one row by its key and lock it; None where there is none for this user."""
    owner, source = owner_of(t.metadata.tables, kind.table)
    columns = [kind.table.c[name] for name in kind.columns]
    named = literal(None).label("_owner") if owner is None else owner.label("_owner")
    query = select(*columns, named, kind.table.c.entry_id.label("_entry")).select_from(source)
    query = query.where(*(kind.table.c[n].is_not_distinct_from(v) for n, v in zip(kind.key, key, strict=True)))
    if owner is not None:
        query = query.where(*scope.reaches(owner))
    row = connection.execute(query.with_for_update(of=kind.table)).mappings().first()
    if row is None:
        return None
    on_record = OnRecord(kind, {name: row[name] for name in kind.columns}, row["_owner"], row["_entry"])
    hidden = channel_of(on_record.record) == "safety" and not scope.has_permission("safety:read")
    return None if hidden else on_record


def before_it(connection: Connection, scope: Scope, kind: Kind, key: Sequence[object]) -> RowMapping | None:
    """Fetch what a key said before, the last first: content, reason, withdrawn, entry_id."""
    c = t.earlier.c
    query = select(c.content, c.withdrawn, c.entry_id).where(
        c.kind == kind.table.name, c.key == json.dumps(list(key), default=str), *scope.reaches(c.client_id)
    )
    row = connection.execute(query.order_by(c.earlier_id.desc()).limit(1)).mappings().first()
    if row is None or scope.has_permission("safety:read"):
        return row
    return None if channel_of(to_record(kind, row["content"])) == "safety" else row


def to_record(kind: Kind, content: str) -> Any:
    """Make a record of what ``earlier`` says."""
    row = json.loads(content)
    days = {each.name for each in field_types(kind.record) if each.kind is date}
    return kind.record(
        **{
            name: date.fromisoformat(value) if name in days and value is not None else value
            for name, value in row.items()
            if name in kind.columns
        }
    )


def require_unnamed(connection: Connection, kind: Kind, row: Mapping[str, Any]) -> None:
    """Raise Conflict while something on record names a row; the safety channel is not looked at."""
    left = [other.words for other in KINDS.values() if _names(connection, other, kind.table, row)]
    if kind.record is not records.Clinician and _has_questionnaires(connection, kind, row):
        left.append("questionnaires")
    if left:
        raise Conflict(
            f"The {kind.noun} {row[kind.key[0]]} cannot be withdrawn while it has {', '.join(left)} on record. "
            "Withdraw those first."
        )


def _names(connection: Connection, other: Kind, table: Table, row: Mapping[str, Any]) -> bool:
    if other.channel == "safety" or other.table is table:
        return False
    for link in other.table.foreign_key_constraints:
        if link.referred_table is table:
            pairs = [(pair.parent, pair.column.name) for pair in link.elements]
            where = [*(column == row[name] for column, name in pairs), *care_rows(other.table)]
            if connection.execute(select(exists().where(*where))).scalar():
                return True
    return False


def _has_questionnaires(connection: Connection, kind: Kind, row: Mapping[str, Any]) -> bool:
    column = t.administration.c.get(kind.key[0])
    if column is None or kind.table not in (t.client, t.episode, t.relationship):
        return False
    a = t.administration
    where = and_(column == row[kind.key[0]], a.c.channel == "care", CURRENT)
    return connection.execute(select(a.c.administration_id).where(where).limit(1)).first() is not None


def take_out(connection: Connection, gone: OnRecord, *, entry_id: int, reason: str) -> None:
    """Move a row to what was said before, marked as withdrawn.

    Raises
    ------
    IntegrityError
        If something on record still names it.
    """
    kind = gone.kind
    connection.execute(
        insert(t.earlier).values(
            kind=kind.table.name,
            key=gone.change.key,
            content=gone.change.content,
            reason=reason,
            client_id=gone.owner,
            replaced_entry_id=gone.written_by,
            entry_id=entry_id,
            withdrawn=True,
        )
    )
    named = (kind.table.c[name].is_not_distinct_from(gone.row[name]) for name in kind.key)
    connection.execute(delete(kind.table).where(*named))


def newest_version(connection: Connection, scope: Scope, number: int) -> RowMapping:
    """Fetch the newest version of a questionnaire, by its number; one that withdrew another may be the newest.

    Raises
    ------
    NotInRecord
        If there is none of that number for this user, or a later version of it is.
    """
    c, later = t.administration.c, t.administration.alias("newer")
    query = select(t.administration).where(
        c.administration_id == (number if 0 < number < 2**63 else 0),
        ~exists().where(later.c.supersedes == c.administration_id),
        *scope.reaches(c.client_id),
    )
    if not scope.has_permission("safety:read"):
        query = query.where(c.channel == "care")
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotInRecord(f"There is no questionnaire {number} on record, or a later version of it is.")
    return row


def administration_of(connection: Connection, administration_id: int) -> tuple[Administration, bool]:
    """Read one version of a questionnaire as a record, and whether it is one that withdrew another."""
    number = administration_id
    head = connection.execute(
        select(t.administration).where(t.administration.c.administration_id == number)
    ).mappings().one()  # fmt: skip
    if head["version"] == WITHDRAWN:
        return administration_of(connection, head["supersedes"])[0], True
    return (
        Administration(
            head["client_id"],
            head["instrument"],
            head["taken_on"],
            answers=tuple(_column(connection, t.answer, "value", "item", number)),
            totals={row.scale: row.score for row in connection.execute(
                select(t.total.c.scale, t.total.c.score).where(t.total.c.administration_id == number)
            )},
            version=head["version"],
            form=head["form"],
            coding=head["coding"],
            informant=head["informant"],
            target=head["relationship_id"] or "self",
            taken_at=head["taken_at"],
            session_number=head["session_number"],
            episode_id=head["episode_id"],
            flags=tuple(_flags(connection, number)),
        ),
        False,
    )  # fmt: skip


def _column(connection: Connection, table: Table, name: str, order: str, number: int) -> Iterator[Any]:
    query = select(table.c[name]).where(table.c.administration_id == number).order_by(table.c[order])
    return iter(connection.execute(query).scalars())


def _flags(connection: Connection, number: int) -> Iterator[Flag]:
    c = t.safety_flag.c
    for row in connection.execute(select(c.item, c.kind).where(c.administration_id == number)):
        yield Flag(row.item, row.kind)
