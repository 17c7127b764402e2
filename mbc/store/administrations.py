"""How completed questionnaires are written: compared with what is on record in batches, then only ever added."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text

from mbc.errors import Conflict
from mbc.store import digests
from mbc.store import tables as t
from mbc.store.digests import key_of
from mbc.store.outcomes import Outcome
from mbc.store.records import Administration


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an occasion that is on record, or is about to be."""

    administration_id: int
    revision: int
    content: str


@dataclass(frozen=True, slots=True)
class Addition:
    """An administration that goes on record, with its place in the line of versions."""

    record: Administration
    version: Version
    occasion: str
    supersedes: int | None


@dataclass(slots=True)
class Occasions:
    """The versions of occasions met so far in one transaction, newest last."""

    versions: dict[str, list[Version]] = field(default_factory=dict)

    def load(self, connection: Connection, digests_wanted: Collection[str]) -> None:
        """Fetch what is on record for occasions not met before."""
        wanted = [digest for digest in digests_wanted if digest not in self.versions]
        c = t.administration.c
        query = select(c.occasion, c.administration_id, c.revision, c.content).where(c.occasion.in_(wanted))
        for digest in wanted:
            self.versions[digest] = []
        if wanted:
            for digest, *version in connection.execute(query.order_by(c.revision)):
                self.versions[digest].append(Version(*version))

    def place(
        self, record: Administration, occasion: str, administration_id: int, *, supersede: bool
    ) -> tuple[Outcome, Addition | None]:
        """Find an administration's place: first of its occasion, met before, or a correction.

        Raises
        ------
        Conflict
            If the occasion is on record with other content and nothing may be superseded.
        """
        content = digests.content(record, occasion)
        line = self.versions[occasion]
        if not line:
            version = Version(administration_id, 0, content)
            line.append(version)
            return "stored", Addition(record, version, occasion, None)
        current = line[-1]
        if current.content == content or (not supersede and any(v.content == content for v in line)):
            return "duplicate", None
        if not supersede:
            raise Conflict(_conflict(record, current))
        version = Version(administration_id, current.revision + 1, content)
        line.append(version)
        return "superseding", Addition(record, version, occasion, current.administration_id)


def occasions_of(batch: Iterable[Administration]) -> list[str]:
    """Digest the natural keys of some administrations."""
    return [digests.occasion(record) for record in batch]


def reserve(connection: Connection, count: int) -> range | list[int]:
    """Take numbers for new administrations; a number is never used twice."""
    if connection.dialect.name == "postgresql":
        taken = text(
            "SELECT nextval(pg_get_serial_sequence('administration', 'administration_id')) "
            "FROM generate_series(1, :count)"
        )
        return list(connection.execute(taken, {"count": count}).scalars())
    # the write lock is held: nobody else can take a number meanwhile
    last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'administration'").scalar()
    start = (last or 0) + 1
    return range(start, start + count)


def store(
    connection: Connection,
    additions: Sequence[Addition],
    *,
    entry_id: int,
    reason: str | None,
    secrets: Mapping[str, str],
) -> list[bytes]:
    """Write administrations with their answers, totals and flags; returns their leaves for the seal."""
    write = _as_sqlite_text if connection.dialect.name == "sqlite" else _as_it_is
    heads = [_row(each, entry_id, reason, write) for each in additions]
    _bulk(connection, t.administration, tuple(heads[0]), [tuple(head.values()) for head in heads])
    _bulk(connection, t.answer, ("administration_id", "item", "value"), _answer_rows(additions))
    _bulk(connection, t.total, ("administration_id", "scale", "score"), _total_rows(additions))
    flags = [row for each in additions for row in _flag_rows(each, entry_id)]
    if flags:
        connection.execute(insert(t.safety_flag), flags)
    return [_leaf(each, reason, key_of(secrets[each.record.client_id])) for each in additions]


def _as_sqlite_text(when: date | None) -> str | None:
    # the way SQLAlchemy reads it back: a day as YYYY-MM-DD, a moment as UTC without a zone
    if isinstance(when, datetime):
        return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return None if when is None else when.isoformat()


def _as_it_is(when: date | None) -> date | None:
    return when


def _row(
    each: Addition, entry_id: int, reason: str | None, write: Callable[[date | None], object]
) -> dict[str, Any]:
    record = each.record
    return {
        "administration_id": each.version.administration_id,
        "client_id": record.client_id,
        "episode_id": record.episode_id,
        "relationship_id": None if record.target == "self" else record.target,
        "instrument": record.instrument,
        "version": record.version,
        "form": record.form,
        "coding": record.coding,
        "informant": record.informant,
        "taken_on": write(record.taken_on),
        "taken_at": write(record.taken_at),
        "session_number": record.session_number,
        "channel": record.channel,
        "occasion": each.occasion,
        "revision": each.version.revision,
        "content": each.version.content,
        "supersedes": each.supersedes,
        "reason": reason if each.supersedes is not None else None,
        "source_line": record.source_line,
        "entry_id": entry_id,
    }


def _answer_rows(additions: Sequence[Addition]) -> list[tuple[Any, ...]]:
    return [
        (each.version.administration_id, item, value)
        for each in additions
        for item, value in enumerate(each.record.answers, 1)
    ]


def _total_rows(additions: Sequence[Addition]) -> list[tuple[Any, ...]]:
    return [
        (each.version.administration_id, scale, score)
        for each in additions
        for scale, score in each.record.totals.items()
    ]


def _flag_rows(each: Addition, entry_id: int) -> Iterator[dict[str, Any]]:
    for flag in each.record.flags:
        yield {
            "administration_id": each.version.administration_id,
            "item": flag.item,
            "client_id": each.record.client_id,
            "instrument": each.record.instrument,
            "kind": flag.kind,
            "raised_on": each.record.taken_on,
            "entry_id": entry_id,
        }


def _leaf(each: Addition, reason: str | None, key: bytes) -> bytes:
    record, version = each.record, each.version
    return digests.administration_leaf(
        key,
        administration_id=version.administration_id,
        content=version.content,
        version=record.version,
        channel=record.channel,
        episode_id=record.episode_id,
        revision=version.revision,
        supersedes=each.supersedes,
        reason=reason if each.supersedes is not None else None,
        source_line=record.source_line,
        flags=[
            (flag.item, flag.kind, record.client_id, record.instrument, record.taken_on) for flag in record.flags
        ],
    )


def _bulk(connection: Connection, table: Table, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Hand many narrow rows straight to the driver, by its fastest way."""
    if not rows:
        return
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.close()
    else:
        marks = ", ".join("?" for _ in columns)
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608


def _conflict(record: Administration, current: Version) -> str:
    about = "" if record.target == "self" else f" about {record.target}"
    return (
        f"{record.client_id} already has {record.instrument}{about} of {record.taken_on} on record with other "
        f"content (administration {current.administration_id}). If this one corrects it, give a reason: "
        "supersede='...'; if it was a second one that day, give each its time."
    )
