"""What is done to the record as a whole: verified, a person erased from it, scores kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from mbc.errors import AccessDenied, Erased, NotInRecord
from mbc.store import integrity
from mbc.store.audit import tombstones
from mbc.store.audit.log import append
from mbc.store.database import engine as engines
from mbc.store.maintenance import erasure, verification
from mbc.store.maintenance.erasure import Erasure
from mbc.store.maintenance.verification import VerifyReport
from mbc.store.reading import score_cache
from mbc.store.reading.score_cache import ComputedScores
from mbc.store.schema import tables as t
from mbc.store.schema.records import Client
from mbc.store.schema.validation import check_text, is_id, quote
from mbc.store.view import RecordView


def _no_progress(done: int, of: int) -> None:
    """Tell nobody."""


class Maintenance(RecordView):
    """The part of a store that is about all of it."""

    def erase(self, client_id: str, *, reason: str, by: str | None = None) -> Erasure:
        """Take one person out of the whole record, on a legal request. It cannot be undone.

        Everything about them goes, corrections and safety data too; the audit trail keeps its lines without the
        name. A tombstone stays: when, who, why, how many rows. `verify` still holds afterwards. Backups made
        before still hold the person.

        Parameters
        ----------
        client_id : str
            Who.
        reason : str
            Why; kept, so it must not name the person.
        by : str, optional
            Who does it; the user of this view, or whoever runs the command.

        Raises
        ------
        AccessDenied
            Without the permission ``clients:erase``.
        NotInRecord
            If there is no such client.
        Erased
            If they were erased before; the database's files are cleaned once more.
        StoreError
            If the reason is no short text, or names the client.
        """
        who, why = self._writer(by), check_text("reason", reason)
        with self._audited("erasure", client_id, logged=False), self._queued():
            self._scope.require("clients:erase")
            with engines.writing(self._engine) as connection:
                tombstone = self._tombstone_of(connection, client_id)
                done = (
                    None
                    if tombstone is not None
                    else erasure.erase(
                        connection,
                        client_id,
                        by=who,
                        reason=why,
                        now=datetime.now(UTC),
                        line=self.audit.line,
                        safety=self._scope.has_permission("safety:read"),
                    )
                )
        self._shared.logged_reads.clear()
        clean = engines.scrub(self._engine)
        if done is None:
            files = "Its files were rewritten." if clean else "Another program still has its file open."
            raise Erased(f"The client '{client_id}' has already been erased ({tombstone}). {files}")
        return replace(done, clean=clean)

    def _tombstone_of(self, connection: Connection, client_id: str) -> str | None:
        """Name the tombstone of a client who was erased before; None for one on record."""
        column = t.client.c.client_id
        if is_id(client_id) and connection.execute(select(column).where(column == client_id)).first():
            return None  # whoever may erase reaches everybody, and reads nobody
        erased_clients = tombstones.erased_among(connection, [client_id])
        if client_id in erased_clients:
            return erased_clients[client_id].tombstone_id
        raise NotInRecord(f"There is no client {quote(client_id)} on record. Nothing was erased.")

    def erased(self, client_ids: Collection[str]) -> dict[str, str]:
        """Say which of some clients were erased, and why they are not taken in again; for whoever may add them."""
        with self._audited("erased clients", None, logged=False):
            self._scope.require_writer(Client)
            with engines.reading(self._engine) as connection:
                erased_clients = tombstones.erased_among(connection, client_ids)
        return {
            client_id: tombstones.refusal(client_id, tombstone) for client_id, tombstone in erased_clients.items()
        }

    def keep_scores(
        self,
        worked: Iterable[ComputedScores],
        *,
        dropping: Collection[int] = (),
        logged: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep scores that were worked out from the answers, and forget others: a cache.

        Parameters
        ----------
        worked : iterable of ComputedScores
            Scores of whole questionnaires, each with the digest of its definition.
        dropping : collection of int
            Sets of `score_sets` to forget first.
        logged : mapping, optional
            What the audit trail says of it; nothing where it changes no score that anybody was shown.

        Raises
        ------
        AccessDenied
            If this is one user's view: the cache is the operator's.
        """
        with self._audited("kept scores", None, logged=False):
            if self._scope.user is not None or self._scope.masked:
                raise AccessDenied(f"{self._scope.who} may not store scores: they concern all clients.")
        with self._queued(), engines.writing(self._engine) as connection:
            score_cache.drop(connection, dropping)
            count = score_cache.keep(connection, worked, datetime.now(UTC), self._shared.score_key.make())
            if logged is not None:
                append(connection, [self.audit.line("rescore", **logged)])
        return count

    def require_reachable(self) -> None:
        """Ask the database for something that every record has: for a monitor. Nothing is logged.

        Raises
        ------
        StoreError
            If it does not answer, or what answers is no record of this mbc.
        """
        with engines.reading(self._engine) as connection:
            connection.execute(select(t.account.c.username).limit(1)).first()

    def database_faults(self, *, quick: bool = False) -> tuple[str, ...]:
        """Ask SQLite whether the record's file is sound: its pages, indexes and rows. Nothing is logged.

        Parameters
        ----------
        quick : bool
            Leave out whether indexes agree with their tables, which takes most of the time.

        Returns
        -------
        tuple of str
            What is wrong, in the database's words; nothing for PostgreSQL, which checks pages as it reads them.
        """
        return engines.file_faults(self._engine, quick=quick)

    def verify(
        self,
        *,
        noted: str | None = None,
        progress: Callable[[int, int], None] = _no_progress,
    ) -> VerifyReport:
        """Check the whole record: nothing changed, removed or added behind mbc's back.

        Parameters
        ----------
        noted : str, optional
            The head of the audit trail as it was noted earlier, elsewhere (`ChainReport.note`): then lines that
            were cut off at the end are noticed too.
        progress : callable
            Told how many of how many rows were checked.

        Returns
        -------
        VerifyReport
            Without the permission ``safety:read`` its counts are None: they are over both channels.

        Raises
        ------
        AccessDenied
            Without the permission ``audit:read``.
        SettingsError
            If ``noted`` cannot be a head.
        """
        with self._audited("verification", None, logged=False):
            self._scope.require("audit:read")
            file_faults = tuple(f"The file is damaged: {fault}" for fault in engines.file_faults(self._engine))
            with engines.reading(self._engine) as connection:
                of, done = verification.size(connection), 0

                def tick(count: int) -> None:
                    nonlocal done
                    done += count
                    progress(min(done, of), of)

                report = integrity.verify(connection, noted=noted, tick=tick)
                report = replace(report, faults=(*file_faults, *report.faults))
                return report if self._scope.has_permission("safety:read") else report.without_counts()
