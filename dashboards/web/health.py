"""What a monitor may ask without signing in: whether the process lives, and whether the record can be used."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from dashboards.web.visitor import unscoped_store
from mbc.errors import MbcError, StoreError
from mbc.store import Store

HEALTH_ENDPOINTS = frozenset({"health.lives", "health.ready"})
_CHECK_EVERY = 6 * 3600  # seconds; checking reads the database's whole file
_LOG = logging.getLogger("mbc.server")
_NAME = "mbc_integrity"


class Integrity:
    """What the last quick check of the database's file said; made again, aside, when it is old.

    Parameters
    ----------
    clock : callable
        Seconds; tests turn it.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._checked: float | None = None
        self._running = False
        self.faulty = False

    @property
    def word(self) -> str:
        """Say what is known: "not checked yet", "damaged" or "sound"."""
        if self.faulty:
            return "damaged"
        return "not checked yet" if self._checked is None else "sound"

    def refresh(self, store: Store) -> threading.Thread | None:
        """Check the file in a thread of its own if that was long ago; gives the thread."""
        with self._lock:
            now = self._clock()
            if self._running or (self._checked is not None and now - self._checked < _CHECK_EVERY):
                return None
            self._running = True
        thread = threading.Thread(target=self._check, args=(store,), name="integrity", daemon=True)
        thread.start()
        return thread

    def _check(self, store: Store) -> None:
        try:
            faults = store.database_faults(quick=True)
        except MbcError:  # out of reach, which is said on its own; looked at again next time
            self._running = False
            return
        if faults and not self.faulty:
            _LOG.error("the record's file is damaged: restore the latest backup")
        self.faulty, self._checked, self._running = bool(faults), self._clock(), False


def install_health(server: Flask) -> None:
    """Add ``/healthz`` and ``/readyz``; neither says anything of what is on record."""
    server.extensions[_NAME] = Integrity()
    rules = Blueprint("health", __name__)
    rules.add_url_rule("/healthz", "lives", _lives, methods=["GET"])
    rules.add_url_rule("/readyz", "ready", _ready, methods=["GET"])
    server.register_blueprint(rules)


def _lives() -> Response:
    return Response("ok", mimetype="text/plain")


def _ready() -> ResponseReturnValue:
    integrity = current_app.extensions[_NAME]
    try:
        unscoped_store().require_reachable()
    except StoreError:
        return jsonify(record="out of reach", integrity=integrity.word), 503
    integrity.refresh(unscoped_store())
    return jsonify(record="reachable", integrity=integrity.word), 503 if integrity.faulty else 200
