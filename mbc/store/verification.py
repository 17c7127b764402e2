"""Whether the record still says what was written: the audit chain, every content digest, every entry's seal."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, select

from mbc.store import digests
from mbc.store import tables as t
from mbc.store.audit import ChainReport, verify_chain

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What checking a whole record found."""

    chain: ChainReport
    administrations: int
    faults: tuple[str, ...]  # the chain's are in `chain`

    @property
    def intact(self) -> bool:
        """Say whether nothing was changed, removed or added behind mbc's back."""
        return self.chain.intact and not self.faults


def verify(connection: Connection) -> VerifyReport:
    """Check the audit chain, then every administration against its digest and its entry's seal."""
    chain = verify_chain(connection)
    expected = _expected_seals(connection)
    seals: dict[int, Any] = defaultdict(hashlib.sha256)
    faults: list[str] = []
    count = 0
    for head, answers, totals in _administrations(connection):
        count += 1
        faults += _faults_of(head, answers, totals)
        seals[head["entry_id"]].update(_line_of(head))
    for entry_id in sorted(seals.keys() | expected.keys()):
        if seals[entry_id].hexdigest() != expected.get(entry_id):
            faults.append(
                f"Entry {entry_id}: its administrations are not those that were written "
                "(one was added, removed or altered)."
            )
    return VerifyReport(chain, count, tuple(faults))


def _expected_seals(connection: Connection) -> dict[int, str]:
    query = select(t.audit.c.detail).where(t.audit.c.action == "write")
    lines = (json.loads(detail) for detail in connection.execute(query).scalars())
    return {line["entry"]: line["seal"] for line in lines if "entry" in line}


def _administrations(connection: Connection) -> Iterator[tuple[dict[str, Any], list[Any], list[Any]]]:
    """Walk all administrations in order, a few thousand at a time: memory does not grow with the record."""
    c = t.administration.c
    last = 0
    while True:
        query = select(t.administration).where(c.administration_id > last)
        rows = connection.execute(query.order_by(c.administration_id).limit(_AT_ONCE)).mappings().all()
        if not rows:
            return
        first, last = rows[0]["administration_id"], rows[-1]["administration_id"]
        answers = _parts(connection, t.answer, first, last)
        totals = _parts(connection, t.total, first, last)
        for row in rows:
            number = row["administration_id"]
            yield dict(row), answers.get(number, []), totals.get(number, [])


def _parts(connection: Connection, table: Table, first: int, last: int) -> dict[int, list[Any]]:
    number, place = table.primary_key.columns
    query = select(table).where(number.between(first, last)).order_by(number, place)
    rows = connection.execute(query).all()
    return {key: [tuple(row[1:]) for row in group] for key, group in groupby(rows, key=itemgetter(0))}


def _faults_of(head: dict[str, Any], answers: list[Any], totals: list[Any]) -> Iterator[str]:
    occasion = digests.occasion_of(
        head["client_id"],
        head["instrument"],
        head["informant"],
        head["relationship_id"] or "self",
        head["taken_on"],
        head["taken_at"],
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
        yield f"Administration {head['administration_id']}: what it says is not what was written."


def _line_of(head: dict[str, Any]) -> bytes:
    return digests.seal_line(
        head["administration_id"],
        head["content"],
        head["version"],
        head["channel"],
        head["episode_id"],
        head["supersedes"],
        head["reason"],
    )
