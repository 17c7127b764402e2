"""The line of a client on a worklist is worked out again only when care data of it changed, a model or the day."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock

import polars as pl
from flask import current_app

from dashboards.web.visitor import models, today, unscoped_store
from mbc.care import Caseload, CohortModels, caseload
from mbc.care.clinic.caseload import caseload_of
from mbc.care.values.review import CaseloadRow
from mbc.store import Store

_KEPT = "mbc_caseloads"
_MOST = 4_000  # lines
_LONG = 100  # clients: a caseload that is prepared before anybody asks for it
_AT_ONCE = 20  # clients prepared before somebody else has a turn
_Key = tuple[Hashable, str]  # what its reader may see, client


class KeptCaseloads:
    """Lines of worklists by what their reader may see of a client, each with what it was worked out from.

    Two readers of one client who may see the same of them are shown the same line. Who may see whom is
    asked of the record each time.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: OrderedDict[_Key, tuple[Hashable, CaseloadRow]] = OrderedDict()

    def give(self, store: Store, cohort: CohortModels | None, day: dt.date) -> Caseload:
        """Give a view's caseload; the reading is noted in the audit trail either way."""
        return caseload_of(self.rows(store, cohort, day), as_of=day, cohort=cohort)

    def rows(self, store: Store, cohort: CohortModels | None, day: dt.date) -> list[CaseloadRow]:
        """Give the line of each client of a view: those kept that still hold, and the others worked out."""
        clients = [str(client) for client in store.clients()["client_id"]]
        states, version = store.care_states(), "" if cohort is None else cohort.version
        marks = {client: (states.get(client), day, version) for client in clients}
        reader = (store.reach.readers, store.reach.permissions)
        with self._lock:
            kept = {client: self._rows.get((reader, client)) for client in clients}
        rows = {client: line[1] for client, line in kept.items() if line and line[0] == marks[client]}
        missing = [client for client in clients if client not in rows]
        if missing:
            view = store if len(missing) == len(clients) else store.narrowed_to(missing)
            made = {row.client_id: row for row in caseload(view, as_of=day, cohort=cohort).rows}
            self._keep({(reader, client): (marks[client], row) for client, row in made.items()})
            rows |= made
        return list(rows.values())

    def _keep(self, made: dict[_Key, tuple[Hashable, CaseloadRow]]) -> None:
        with self._lock:
            for key, row in made.items():
                self._rows[key] = row
                self._rows.move_to_end(key)
            while len(self._rows) > _MOST:
                self._rows.popitem(last=False)


def kept_caseload(store: Store, cohort: CohortModels | None, day: dt.date) -> Caseload:
    """Give the caseload of whoever the store is narrowed to."""
    return _shelf().give(store, cohort, day)


def prepare_caseloads(pause: Callable[[], bool]) -> None:
    """Work out long caseloads before they are asked for, a few clients at a time.

    Parameters
    ----------
    pause : callable
        Lets others have their turn; True ends the work.
    """
    clinic = unscoped_store()
    accounts = clinic.accounts.table().filter((pl.col("role") == "supervisor") & pl.col("active"))
    for username in accounts["username"]:
        view = clinic.prepared_for(str(username))
        clients = [str(client) for client in view.clients()["client_id"]]
        for some in _parts(clients) if len(clients) >= _LONG else ():
            _shelf().rows(view.narrowed_to(some), models(), today())
            if pause():
                return


def _parts(clients: Sequence[str]) -> list[Sequence[str]]:
    return [clients[place : place + _AT_ONCE] for place in range(0, len(clients), _AT_ONCE)]


def _shelf() -> KeptCaseloads:
    return current_app.extensions.setdefault(_KEPT, KeptCaseloads())
