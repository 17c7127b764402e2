"""How completed questionnaires are written: compared with what is on record in batches, then only ever added."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, insert

from mbc.errors import Conflict
from mbc.store.schema import tables as t
from mbc.store.schema.records import WITHDRAWN
from mbc.store.writing import batch_digests as digesting
from mbc.store.writing import bulk
from mbc.store.writing.administration_batch import Completed
from mbc.store.writing.result import Outcome

_HEAD = (
    "administration_id", "client_id", "episode_id", "relationship_id", "instrument", "version", "form", "coding",
    "informant", "taken_on", "taken_at", "session_number", "channel", "occasion", "revision", "content",
    "supersedes", "reason", "source_line", "entry_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an occasion that is on record, or is about to be."""

    administration_id: int
    revision: int
    content: str
    version: str = ""  # of the questionnaire's definition; WITHDRAWN: it takes the one before out


@dataclass(frozen=True, slots=True)
class Place:
    """What adding an administration does, and its place in the line of versions."""

    outcome: Outcome
    revision: int
    supersedes: int | None


_FIRST, _MET_BEFORE = Place("stored", 0, None), Place("duplicate", -1, None)


@dataclass(frozen=True, slots=True)
class Keyed:
    """Administrations beside what names them: their days as written, their occasions, their contents."""

    batch: Completed
    days: list[str]
    occasions: list[str]
    contents: list[str]

    @classmethod
    def of(cls, batch: Completed) -> Keyed:
        """Digest a batch."""
        days = [date.isoformat(day) for day in batch.taken_on]
        occasions = digesting.occasions(batch, days)
        return cls(batch, days, occasions, digesting.contents(batch, occasions))

    def take(self, places: Sequence[int]) -> Keyed:
        """Keep some of them, in the order of their places."""
        if len(places) == len(self.days):
            return self
        kept = ([column[place] for place in places] for column in (self.days, self.occasions, self.contents))
        return Keyed(self.batch.take(places), *kept)


@dataclass(frozen=True, slots=True)
class Additions:
    """The administrations of a batch that go on record, with their places in their lines of versions."""

    keyed: Keyed
    numbers: list[int]
    revisions: list[int]
    supersedes: list[int | None]


@dataclass(slots=True)
class Occasions:
    """The versions of occasions met so far in one transaction, newest last."""

    versions: dict[str, list[Version]] = field(default_factory=dict[str, list[Version]])

    def load(self, connection: Connection, digests_wanted: Collection[str]) -> None:
        """Fetch what is on record for occasions not met before."""
        wanted = [digest for digest in dict.fromkeys(digests_wanted) if digest not in self.versions]
        columns = "occasion, administration_id, revision, content, version"
        stored = bulk.matching(connection, "administration", columns, "occasion", wanted, order="revision")
        for digest, *version in stored:
            self.versions.setdefault(digest, []).append(Version(*version))

    def place(self, keyed: Keyed, place: int, number: int, *, supersede: bool) -> Place:
        """Find an administration's place: first of its occasion, met before, or a correction.

        After a withdrawal other content needs no reason; the same content needs one, to come back.

        Raises
        ------
        Conflict
            If the occasion is on record with other content and nothing may be superseded.
        """
        content, line = keyed.contents[place], self.versions.setdefault(keyed.occasions[place], [])
        if not line:
            line.append(Version(number, 0, content))
            return _FIRST
        current = line[-1]
        if current.version == WITHDRAWN and all(version.content != content for version in line):
            line.append(Version(number, current.revision + 1, content))
            return Place("superseding", current.revision + 1, current.administration_id)
        if current.content == content or (not supersede and any(v.content == content for v in line)):
            return _MET_BEFORE
        if not supersede:
            raise Conflict(_conflict(keyed.batch, place, current))
        line.append(Version(number, current.revision + 1, content))
        return Place("superseding", current.revision + 1, current.administration_id)


def place_all(
    occasions: Occasions, keyed: Keyed, numbers: Sequence[int], *, supersede: bool
) -> tuple[list[Outcome], Additions]:
    """Find the places of a batch, in order; see `Occasions.place`. ``occasions`` are those of this batch alone."""
    if any(map(occasions.versions.get, keyed.occasions)) or len(set(keyed.occasions)) < len(numbers):
        places = [
            occasions.place(keyed, place, number, supersede=supersede) for place, number in enumerate(numbers)
        ]
    else:  # most files: all are the first of their occasions, and nothing need be remembered
        places = [_FIRST] * len(numbers)
    new = [place for place, stored in enumerate(places) if stored is not _MET_BEFORE]
    additions = Additions(
        keyed.take(new),
        [numbers[place] for place in new],
        [places[place].revision for place in new],
        [places[place].supersedes for place in new],
    )
    return [place.outcome for place in places], additions


def store(
    connection: Connection, additions: Additions, *, entry_id: int, reason: str | None, secrets: Mapping[str, str]
) -> bytes:
    """Write administrations with their answers, totals and flags; returns their leaves for the seal."""
    batch, numbers = additions.keyed.batch, additions.numbers
    bulk.add_rows(connection, "administration", _HEAD, _heads(connection, additions, entry_id, reason))
    bulk.add_answers(connection, numbers, batch.answers)
    totals = (
        (number, scale, score) for number, kept in zip(numbers, batch.totals, strict=True) for scale, score in kept
    )
    bulk.add_rows(connection, "total", ("administration_id", "scale", "score"), totals)
    flags = list(_flag_rows(additions, entry_id))
    if flags:
        connection.execute(insert(t.safety_flag), flags)
    return digesting.leaves(
        batch,
        additions.keyed.days,
        numbers=numbers,
        contents=additions.keyed.contents,
        revisions=additions.revisions,
        supersedes=additions.supersedes,
        reason=reason,
        secrets=secrets,
    )


def _heads(
    connection: Connection, additions: Additions, entry_id: int, reason: str | None
) -> Iterator[tuple[Any, ...]]:
    batch, keyed = additions.keyed.batch, additions.keyed
    on_sqlite = not bulk.is_postgres(connection)
    return zip(
        additions.numbers,
        batch.client_id,
        batch.episode_id,
        (None if target == "self" else target for target in batch.target),
        batch.instrument,
        batch.version,
        batch.form,
        batch.coding,
        batch.informant,
        keyed.days if on_sqlite else batch.taken_on,
        map(_as_sqlite_text, batch.taken_at) if on_sqlite else batch.taken_at,
        batch.session_number,
        batch.channel,
        keyed.occasions,
        additions.revisions,
        keyed.contents,
        additions.supersedes,
        (None if before is None else reason for before in additions.supersedes),
        batch.source_line,
        repeat(entry_id, len(additions.numbers)),
        strict=True,
    )


def _as_sqlite_text(moment: datetime | None) -> str | None:
    # the way SQLAlchemy reads it back: UTC without a zone
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _flag_rows(additions: Additions, entry_id: int) -> Iterator[dict[str, Any]]:
    batch = additions.keyed.batch
    for place, flags in enumerate(batch.flags):
        for flag in flags:
            yield {
                "administration_id": additions.numbers[place],
                "item": flag.item,
                "client_id": batch.client_id[place],
                "instrument": batch.instrument[place],
                "kind": flag.kind,
                "raised_on": batch.taken_on[place],
                "entry_id": entry_id,
            }


def _conflict(batch: Completed, place: int, current: Version) -> str:
    client, key, day, target = (
        column[place] for column in (batch.client_id, batch.instrument, batch.taken_on, batch.target)
    )
    about = "" if target == "self" else f" about {target}"
    return (
        f"{client} already has {key}{about} of {day} on record with other content "
        f"(administration {current.administration_id}). If this one corrects it, give a reason: supersede='...'; "
        "if it was a second one that day, give the time of each."
    )
