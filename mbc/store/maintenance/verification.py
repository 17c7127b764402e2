"""Whether the record still says what was written: the audit chain, every content digest, every entry's seal."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, select, text

from mbc.store.accounts.account_state import account_faults, setting_faults
from mbc.store.audit.hash_chain import UNREADABLE, UPGRADE, ChainReport, parse_details, verify_chain
from mbc.store.audit.log import WRITE_SAFETY
from mbc.store.schema import digests
from mbc.store.schema import tables as t
from mbc.store.schema.administration_numbers import last_of
from mbc.store.schema.kinds import KINDS
from mbc.store.writing import seals as sealing
from mbc.store.writing.seals import Leaf, Taken

Tick = Callable[[int], None]
Check = Callable[[Connection], Iterable[str]]
_TABLES = t.metadata.tables
WORDS = {  # what people call the rows of a table
    "administration": "questionnaires",
    "answer": "answers",
    "total": "totals",
    **{kind.table.name: kind.words for kind in KINDS.values()},
    "earlier": "earlier versions",
    "acknowledgement": "acknowledgements",
    "definition": "definitions",
}


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What checking a whole record found."""

    chain: ChainReport
    administrations: int | None  # None where counts are not shown
    faults: tuple[str, ...]  # the chain's are in `chain`
    entries: int | None = 0

    @property
    def intact(self) -> bool:
        """Say whether nothing was changed, removed or added behind mbc's back."""
        return self.chain.intact and not self.faults

    def without_counts(self) -> VerifyReport:
        """Leave out every count: they are over both channels, and would tell of the safety channel."""
        noted = None if self.chain.since_noted is None else 0
        chain = replace(self.chain, lines=None, since_noted=noted)
        return replace(self, chain=chain, administrations=None, entries=None)


def verify(connection: Connection, *, noted: str | None = None, tick: Tick = lambda _: None) -> VerifyReport:
    """Check the audit chain, then every row against its entry's seal, and administrations against their digest."""
    chain = verify_chain(connection, noted=noted, tick=tick)
    faults = list(_faults_before(connection))
    walk = _Walk(tick)
    erasures = partial(_faults_of_erasures, chain=chain)
    checks: tuple[Check, ...] = (
        walk.seals, erasures, _faults_of_sources, _missing_ends, account_faults, setting_faults,
    )  # fmt: skip
    for check in checks:
        try:
            faults += check(connection)
        except UNREADABLE as fault:  # SQLite takes any text for a date: what follows the row cannot be checked
            faults.append(f"Something on record cannot be read, so it was not written by mbc: {fault}")
    return VerifyReport(chain, walk.administrations, (*walk.faults, *faults), walk.entries)


@dataclass(slots=True)
class _Walk:
    """One way through everything that entries wrote."""

    tick: Tick
    administrations: int = 0
    entries: int = 0
    faults: list[str] = field(default_factory=list[str])

    def seals(self, connection: Connection) -> list[str]:
        """Work out every entry's seal, and name what is not as it was written."""
        keyed = sealing.keys(connection, _TABLES)
        heads = sealing.entry_heads(connection, _TABLES)
        self.entries = len(heads)
        made = sealing.seals(
            sealing.administrations(connection, _TABLES, keyed),
            sealing.other_rows(connection, _TABLES, keyed),
            heads,
            gone=[leaf for leaves in _gone(connection).values() for leaf in leaves],
            look=self._look,
        )
        return list(_broken_seals(made, _expected_seals(connection)))

    def _look(self, taken: Taken) -> None:
        self.administrations += 1
        self.faults.extend(faults_of(taken.head, taken.answers, taken.totals))
        if self.administrations % 1000 == 0:
            self.tick(1000)


def size(connection: Connection) -> int:
    """Count what verifying walks through, for a progress bar."""
    counts = (select(func.count()).select_from(table) for table in (t.audit, t.administration))
    return sum(connection.execute(query).scalar_one() for query in counts)


def faults_of(head: dict[str, Any], answers: list[Any], totals: list[Any]) -> Iterator[str]:
    """Check one administration against the digest of what was handed in."""
    occasion = digests.occasion_of(
        head["client_id"],
        head["instrument"],
        head["informant"],
        head["relationship_id"] or "self",
        head["taken_on"],
        None if head["taken_at"] is None else digests.utc(head["taken_at"]),
    )
    items = [item for item, _ in answers]
    content = digests.content_of(
        occasion,
        head["form"],
        head["coding"],
        head["session_number"],
        [value for _, value in answers],
        totals,
    )
    if occasion != head["occasion"] or content != head["content"] or items != list(range(1, len(items) + 1)):
        yield f"Administration {head['administration_id']}: its content is not what was written."


def tombstone_digest(tombstone: Mapping[str, Any]) -> str:
    """Digest a tombstone."""
    moment = digests.utc(tombstone["erased_at"]).isoformat(timespec="microseconds")
    fields = [
        moment,
        *(tombstone[name] for name in ("tombstone_id", "erased_by", "reason", "counts", "salt", "client")),
    ]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()


def leaves_digest(leaves: list[Leaf]) -> str:
    """Digest what stands in place of erased rows, in any order."""
    lines = sorted(f"{leaf.entry_id} {leaf.kind} {leaf.administration_id} {leaf.leaf.hex()}" for leaf in leaves)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _details(connection: Connection, *actions: str) -> Iterator[tuple[dict[str, Any], bool]]:
    # what lines of some kinds say, and whether an erasure took something out of them
    c = t.audit.c
    query = select(c.detail, c.salt).where(c.action.in_(actions)).order_by(c.sequence)
    for row in connection.execute(query.execution_options(yield_per=10_000)):
        yield parse_details(row.detail), row.salt is None


def _expected_seals(connection: Connection) -> dict[int, dict[str, str]]:
    expected: dict[int, dict[str, str]] = {}
    for line, _ in _details(connection, "write", WRITE_SAFETY, UPGRADE):
        if "sealed" in line:
            expected[line["entry"]] = line["sealed"]
        expected |= {int(entry_id): sealed for entry_id, sealed in line.get("seals", {}).items()}
    return expected


def _faults_before(connection: Connection) -> Iterator[str]:
    for line, _ in _details(connection, UPGRADE):
        yield from (f"Before the upgrade to {line.get('to')}: {fault}" for fault in line.get("faults", []))


def _broken_seals(made: dict[int, dict[str, str]], expected: dict[int, dict[str, str]]) -> Iterator[str]:
    for entry_id in sorted(made.keys() | expected.keys()):
        if entry_id not in expected:
            yield f"Entry {entry_id}: the audit trail has no line of its writing."
            continue
        have, want = made.get(entry_id, {}), expected[entry_id]
        for kind in sorted(have.keys() | want.keys()):
            if have.get(kind) == want.get(kind):
                continue
            if kind == sealing.ENTRY:
                yield f"Entry {entry_id}: who wrote it, or when, is not what was written."
            else:
                yield (
                    f"Entry {entry_id}: its {WORDS.get(kind, kind)} are not those that were written "
                    "(one was added, removed or altered)."
                )


def _gone(connection: Connection) -> dict[str, list[Leaf]]:
    """Fetch what stands in place of erased rows, erasure by erasure."""
    c = t.erased.c
    leaves: dict[str, list[Leaf]] = defaultdict(list)
    query = select(c.tombstone_id, c.entry_id, c.kind, c.leaf, c.administration_id)
    for row in connection.execute(query):
        leaf = Leaf(row.entry_id, row.kind, _bytes(row.leaf), administration_id=row.administration_id)
        leaves[row.tombstone_id].append(leaf)
    return leaves


def _bytes(leaf: str) -> bytes:
    try:
        return bytes.fromhex(leaf)
    except ValueError:  # somebody wrote there: the digests will differ
        return b"?"


def _faults_of_erasures(connection: Connection, chain: ChainReport) -> Iterator[str]:
    """Compare what stands in place of erased rows with what the erasure's line accounts for."""
    gone = _gone(connection)
    tombstones = {row["tombstone_id"]: dict(row) for row in connection.execute(select(t.tombstone)).mappings()}
    erased = {erasure["tombstone"]: erasure for erasure in chain.erasures}
    for name in sorted(tombstones.keys() | erased.keys() | gone.keys()):
        if name not in erased:
            yield f"Tombstone {name}: the audit trail has no line of an erasure."
            continue
        if name not in tombstones or tombstone_digest(tombstones[name]) != erased[name]["stone"]:
            yield f"Tombstone {name}: it is not what was written."
        if leaves_digest(gone.get(name, [])) != erased[name]["leaves"]:
            yield f"Tombstone {name}: what replaced the erased rows is not what was written."


def _faults_of_sources(connection: Connection) -> Iterator[str]:
    """Compare which file rows came from with the audit trail, where no erasure took that out."""
    c = t.entry.c
    query = select(c.entry_id, c.source_name, c.source_kind, c.source_sha256)
    sources = {row.entry_id: row for row in connection.execute(query)}
    for line, hidden in _details(connection, "write", WRITE_SAFETY):
        entry = sources.get(line.get("entry", 0))
        if entry is None or hidden:
            continue
        have = {"source": entry.source_name, "kind": entry.source_kind, "sha256": entry.source_sha256}
        if any(have[name] != line.get(name) for name in have if name == "source" or "sealed" in line):
            yield f"Entry {line['entry']}: its source file is not the one that was written."


def _missing_ends(connection: Connection) -> Iterator[str]:
    """Look for rows cut off at the end: SQLite remembers the highest number that it gave out."""
    if connection.dialect.name != "sqlite":
        return
    lasts = {
        t.entry: connection.execute(select(func.max(t.entry.c.entry_id))).scalar() or 0,
        t.administration: last_of(connection, "safety") or last_of(connection, "care"),
    }
    for table, last in lasts.items():
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        given = connection.execute(query, {"name": table.name}).scalar() or 0
        if given > last:
            yield f"The last rows of '{table.name}' are missing: number {given} had been assigned."
