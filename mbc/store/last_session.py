"""The last day on which a session was held: looked up again only when something was written or erased."""

from __future__ import annotations

from datetime import date
from threading import Lock

from sqlalchemy import Connection, func, select

from mbc.store.access.roles import Scope
from mbc.store.schema import tables as t

_MOST_SCOPES = 1000


class LastSessionDate:
    """What was found for each part of the record. One is shared by all views of an open record.

    To find that day the database walks all sessions; every client's review asks for it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._as_of: tuple[int, int] | None = None
        self._days: dict[tuple[frozenset[str] | None, str | None], date | None] = {}

    def on(self, connection: Connection, scope: Scope) -> date | None:
        """Give the last day, as far as a scope reaches; None where no session was held."""
        reach = (scope.clinicians, scope.only)
        with self._lock:
            self._forget_when_written(connection)
            if reach not in self._days:
                c = t.therapy_session.c
                query = select(func.max(c.held_on)).where(c.attended, *scope.reaches(c.client_id))
                self._days[reach] = connection.execute(query).scalar()
            return self._days[reach]

    def _forget_when_written(self, connection: Connection) -> None:
        # every writing that changes something makes an entry, and every erasure a tombstone
        entries = select(func.coalesce(func.max(t.entry.c.entry_id), 0)).scalar_subquery()
        tombstones = select(func.count()).select_from(t.tombstone).scalar_subquery()
        entry, erased = connection.execute(select(entries, tombstones)).one()
        now = (int(entry), int(erased))
        if now != self._as_of or len(self._days) > _MOST_SCOPES:
            self._days.clear()
            self._as_of = now
