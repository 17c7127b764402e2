"""A caseload is worked out again only when care data of it changed, a model was made, or the day has changed."""

from __future__ import annotations

import datetime as dt
from threading import Lock

from flask import current_app

from mbc.care import Caseload, CohortModels, caseload
from mbc.store import Store

_KEPT = "mbc_caseloads"
_MOST = 200  # views


class KeptCaseloads:
    """Caseloads by who sees them, as of one state of the record."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_view: dict[tuple[object, ...], tuple[str, Caseload]] = {}

    def give(self, store: Store, models: CohortModels | None, today: dt.date, state: str) -> Caseload:
        """Give a view's caseload; the reading is noted in the audit trail either way."""
        clients = tuple(store.clients()["client_id"])
        key = (None if store.user is None else (store.user.username, store.user.permissions), today, clients)
        with self._lock:
            kept = self._by_view.get(key)
        if kept is not None and kept[0] == state:
            return kept[1]
        made = caseload(store, as_of=today, cohort=models)
        with self._lock:
            if len(self._by_view) >= _MOST:
                self._by_view.clear()
            self._by_view[key] = (state, made)
        return made


def kept_caseload(store: Store, models: CohortModels | None, today: dt.date) -> Caseload:
    """Give the caseload of whoever the store is narrowed to."""
    shelf: KeptCaseloads = current_app.extensions.setdefault(_KEPT, KeptCaseloads())
    version = "" if models is None else models.version
    return shelf.give(store, models, today, f"{store.care_revision()} {version}")
