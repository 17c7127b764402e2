"""One open entry: who writes, when and from where, what was written so far, and the digests that seal it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from mbc.store.access.roles import Scope
from mbc.store.audit.log import WRITE_SAFETY
from mbc.store.schema import digests
from mbc.store.schema import tables as t
from mbc.store.schema.digests import key_of
from mbc.store.schema.records import Channel, ImportSource
from mbc.store.writing.ownership import Known
from mbc.store.writing.result import Outcome
from mbc.store.writing.seals import Seal

_ACTIONS: dict[Channel, str] = {"care": "write", "safety": WRITE_SAFETY}


class WriteSummary(NamedTuple):
    """A line of the audit trail about what one transaction wrote in one channel."""

    action: str
    subject: str | None  # the client, if it touched exactly one
    detail: dict[str, Any]


class OpenEntry:
    """What a transaction writes goes on record as one entry, with one seal."""

    def __init__(
        self, connection: Connection, scope: Scope, *, by: str, now: datetime, source: ImportSource | None
    ) -> None:
        self._connection = connection
        self._scope = scope
        self._by = by
        self._now = now
        self._source = source
        self._entry: int | None = None
        self._known = Known(scope)
        self._seal = Seal()
        self._counts: dict[Channel, Counter[str]] = {"care": Counter(), "safety": Counter()}
        self._clients: dict[Channel, set[str]] = {"care": set(), "safety": set()}
        self._named: set[str] = set()

    def summary(self) -> Iterator[WriteSummary]:
        """Say what was written, for the audit trail: counts, the entry, its seal, and where it came from.

        What was done in the safety channel is a summary of its own, so that nothing in the other tells of it. The
        last summary seals the entry: a line cut off at the end is noticed.
        """
        written: dict[str, Any] = {} if self._entry is None else {"entry": self._entry}
        source = self._source
        if source is not None:
            written |= {"source": source.name, "kind": source.kind, "sha256": source.sha256}
        channels = self._channels_written()
        for channel in channels:
            counts, clients = self._counts[channel], self._clients[channel]
            detail = {"counts": dict(sorted(counts.items())), "clients": len(clients)} | written
            if self._entry is not None and channel == channels[-1]:
                head = digests.entry_digest(self._entry, self._now, self._by)
                detail["sealed"] = self._seal.digests(head)
            yield WriteSummary(_ACTIONS[channel], next(iter(clients)) if len(clients) == 1 else None, detail)

    def _channels_written(self) -> tuple[Channel, ...]:
        if not self._counts["safety"]:
            return ("care",)
        return ("care", "safety") if self._counts["care"] else ("safety",)

    @property
    def only_named(self) -> str | None:
        """The client, if every record that was handed in is about one and the same."""
        return next(iter(self._named)) if len(self._named) == 1 else None

    def _name(self, clients: Iterable[object]) -> None:
        if len(self._named) < 2:
            self._named.update(map(str, clients))

    def _count(self, kind: type, outcomes: Iterable[tuple[Outcome, Channel]]) -> None:
        for (outcome, channel), count in Counter(outcomes).items():
            self._counts[channel][f"{kind.__name__.lower()} {outcome}"] += count

    def _key_of(self, owner: str | None) -> bytes:
        return b"" if owner is None else key_of(self._known.secret(owner))

    def _entry_id(self) -> int:
        if self._entry is None:
            row: dict[str, Any] = {"recorded_at": self._now, "recorded_by": self._by}
            if self._source is not None:
                row["source_kind"] = self._source.kind
                row["source_name"] = self._source.name
                row["source_sha256"] = self._source.sha256
            made = self._connection.execute(insert(t.entry).values(row).returning(t.entry.c.entry_id))
            self._entry = int(made.scalar_one())
        return self._entry
