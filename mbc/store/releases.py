"""Releases on record: published figures of a period, frozen, with what was counted in them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from mbc.errors import AccessDenied, Conflict, NotInRecord, StoreError
from mbc.store.audit.log import append
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t
from mbc.store.schema.validation import check_id
from mbc.store.view import RecordView


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """One release as it was published."""

    name: str
    start: date
    end: date
    made_at: datetime
    made_by: str
    content: dict[str, Any]
    sha256: str


class Releases(RecordView):
    """The part of a store that keeps what was published."""

    def releases(self) -> tuple[StoredRelease, ...]:
        """Give every release, the latest period first.

        Raises
        ------
        AccessDenied
            For a view of single clients: a clinician who knows their own clients could subtract them.
        StoreError
            If what is on record is not what was published.
        """
        c = t.release.c
        columns = (c.name, c.first_day, c.last_day, c.made_at, c.made_by, c.content, c.sha256)
        with self._audited("releases", None):
            self._require_no_persons()
            with self._reading() as connection:
                rows = connection.execute(select(*columns).order_by(c.first_day.desc(), c.name)).all()
        return tuple(_stored(*row) for row in rows)

    def release(self, name: str) -> StoredRelease:
        """Give one release.

        Raises
        ------
        NotInRecord
            If there is none of that name.
        """
        kept = self.releases()
        for release in kept:
            if release.name == name:
                return release
        known = ", ".join(release.name for release in kept) or "none yet"
        raise NotInRecord(f"There is no release '{name}'; there are: {known}.")

    def add_release(
        self, name: str, start: date, end: date, content: dict[str, Any], *, counted: Collection[str]
    ) -> StoredRelease:
        """Keep what is published of a period; it is never changed afterwards.

        Parameters
        ----------
        name : str
            Such as ``"2026-Q3"``.
        start, end : date
            First and last day of the period.
        content : dict
            The published figures, and the rules behind them; nothing else.
        counted : collection of str
            Digests of the episodes that were counted (`episode_digests`): a later release counts those that this
            one could not know.

        Raises
        ------
        AccessDenied
            If this is one user's view: the operator publishes.
        Conflict
            If there is a release of that name, or of a period that shares a day with this one.
        """
        check_id("name", name)
        self.require_publisher("releases are made")
        self.require_unreleased(name, start, end)
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        line = self.audit.line("release made", subject=name, start=start, end=end, sha256=digest)
        row = {
            "name": name, "first_day": start, "last_day": end, "made_at": self._shared.clock(),
            "made_by": self._scope.who[:64], "content": text, "sha256": digest,
            "counted": json.dumps(sorted(counted)),
        }  # fmt: skip
        with engines.writing(self._engine) as connection:
            connection.execute(insert(t.release), row)
            append(connection, [line])
        return self.release(name)

    def require_unreleased(self, name: str, start: date, end: date) -> None:
        """Refuse a period of which a day was released before.

        Raises
        ------
        Conflict
            Naming the release.
        """
        for other in self.releases():
            if other.name == name or (other.start <= end and start <= other.end):
                raise Conflict(
                    f"Release '{other.name}' covers {other.start} to {other.end}, and a released period is never "
                    "published again: two tables that share days could reveal individual clients. Late entries "
                    "are counted in the next release."
                )

    def require_publisher(self, what: str) -> None:
        """Refuse one user's view: the operator alone publishes.

        Parameters
        ----------
        what : str
            What is done by the operator, in words: ``"releases are made"``.

        Raises
        ------
        AccessDenied
            If this is one user's view, or leaves something out; the audit log has the refusal.
        """
        with self._audited("releases", None, logged=False):
            if self._scope.user is not None or self._scope.masked:
                raise AccessDenied(f"{self._scope.who} may not publish: {what} by the operator.")

    def episode_digests(self) -> dict[str, str]:
        """Give a digest of each episode, keyed by its client's secret, which goes when the client is erased."""
        self.require_publisher("releases are made")
        query = select(t.episode.c.episode_id, t.client.c.secret).join_from(t.episode, t.client)
        with self._reading() as connection:
            return {episode_id: _digest(secret, episode_id) for episode_id, secret in connection.execute(query)}

    def counted_in_releases(self) -> frozenset[str]:
        """Give the digests of all episodes that were counted in a release."""
        self.require_publisher("releases are made")
        with self._reading() as connection:
            rows = connection.execute(select(t.release.c.counted)).scalars().all()
        return frozenset(digest for row in rows for digest in json.loads(row))

    def _require_no_persons(self) -> None:
        self._scope.require("aggregate:read")
        if self._scope.clinicians is not None:
            raise AccessDenied(
                f"{self._scope.who} sees individual clients: their own report is exact. The clinic's releases are "
                "for those who see no individual clients, since known clients could be subtracted from them."
            )


def _digest(secret: str, episode_id: str) -> str:
    return hmac.new(secret.encode(), f"released episode {episode_id}".encode(), hashlib.sha256).hexdigest()


def _stored(
    name: str, start: date, end: date, made_at: datetime, made_by: str, content: str, sha256: str
) -> StoredRelease:
    if hashlib.sha256(content.encode()).hexdigest() != sha256:
        raise StoreError(f"Release '{name}' is not what was published: its content was changed in the database.")
    return StoredRelease(name, start, end, made_at, made_by, json.loads(content), sha256)
