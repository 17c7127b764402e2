"""Whose client each client is: seen and changed without a look at anybody's record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import polars as pl
from sqlalchemy import select

from mbc.errors import MbcError, NotInRecord, nearest
from mbc.store.access.roles import Scope
from mbc.store.database.frames import fetch
from mbc.store.schema import tables as t
from mbc.store.schema.records import ENTERED_IN_ERROR, Client
from mbc.store.schema.validation import check_text
from mbc.store.writing.writable_view import WritableView


class Caseloads(WritableView):
    """The part of a store that says whose client each client is."""

    def caseloads(self) -> pl.DataFrame:
        """client_id, clinician_id (null: nobody's); pseudonyms, and nothing else of anybody.

        Raises
        ------
        AccessDenied
            Without the permission ``caseloads:manage``.
        """
        c = t.client.c
        with self._audited("caseloads", None):
            self._scope.require("caseloads:manage")
            with self._reading() as connection:
                query = select(c.client_id, c.clinician_id).where(c.status != ENTERED_IN_ERROR)
                return fetch(connection, query).sort("client_id")

    def assign(self, client_ids: Collection[str], clinician_id: str, *, reason: str) -> int:
        """Assign clients to a clinician: all of them, or none. The earlier assignment stays on record.

        Parameters
        ----------
        client_ids : collection of str
            Whom.
        clinician_id : str
            Their clinician from now on.
        reason : str
            Why; stored with the change.

        Returns
        -------
        int
            How many clients there were to assign.

        Raises
        ------
        AccessDenied
            Without the permission ``caseloads:manage``.
        NotInRecord
            If there is no such clinician, or one of the clients does not exist.
        """
        why = check_text("reason", reason)
        wanted = list(dict.fromkeys(client_ids))
        with self._audited("assignment", None, logged=False):
            self._scope.require("caseloads:manage")
            clients = self._clients(wanted, clinician_id)
        everybody = self._view(Scope(who=self._scope.who))  # whoever assigns reaches everybody, and reads nobody
        with everybody.writing() as record:
            record.add_all([replace(each, clinician_id=clinician_id) for each in clients], supersede=why)
        return len(clients)

    def _clients(self, wanted: list[str], clinician_id: str) -> list[Client]:
        c = t.client.c
        columns = (c.client_id, c.alias, c.clinician_id, c.registered_on, c.status)
        with self._reading() as connection:
            known = list(connection.execute(select(t.clinician.c.clinician_id)).scalars())
            rows = {row["client_id"]: row for row in connection.execute(select(*columns)).mappings()}
        if clinician_id not in known:
            near = nearest(clinician_id, known, most=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known) or 'none'}."
            raise NotInRecord(f"There is no clinician '{clinician_id}' on record. {hint}")
        if unknown := [client_id for client_id in wanted if client_id not in rows]:
            raise NotInRecord(f"Not on record: {', '.join(unknown)}. No client was assigned.")
        if not wanted:
            raise MbcError("Name at least one client. No client was assigned.")
        return [Client(**rows[client_id]) for client_id in wanted]
