"""What pages need is made beside them: the clinic's models when they are due, and long caseloads."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dash import Dash

from dashboards.web.kept_caseload import prepare_caseloads
from dashboards.web.visitor import models, record_address, today, unscoped_store
from mbc.care.forecast.kept_models import due_models
from mbc.errors import MbcError
from mbc.store.database import encryption_keys as keys
from mbc.store.database.addresses import address, file_of, is_encrypted

LOOK_EVERY = 60.0  # seconds between looks at whether a model is due
_STOP_WITHIN = 5.0  # seconds
_PAUSE = 0.5  # seconds for pages, between a few clients of a long caseload and the next
_LOG = logging.getLogger("mbc.server")


@contextmanager
def making_models(app: Dash, *, every: float = LOOK_EVERY) -> Iterator[None]:
    """Make what is due now and from time to time, for as long as the block runs.

    Parameters
    ----------
    app : Dash
        Served in this process; several processes share the work by claims in the record.
    every : float
        Seconds between looks.
    """
    timer = ModelTimer(app, every)
    timer.thread.start()
    try:
        yield
    finally:
        timer.stop()


class ModelTimer:
    """A thread that looks whether models are due, and a process that makes them."""

    def __init__(self, app: Dash, every: float = LOOK_EVERY) -> None:
        self._app = app
        self._every = every
        self._address = record_address(app.server.extensions)
        self._stopped = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._prepared: object = None  # the day and the models with which long caseloads were prepared
        self.thread = threading.Thread(target=self._run, name="models", daemon=True)

    def stop(self) -> None:
        """Stop looking, and end the fit that is under way: its claim in the record runs out by itself."""
        self._stopped.set()
        process = self._process
        if process is not None:
            with suppress(OSError):
                process.kill()
        self.thread.join(_STOP_WITHIN)

    def look(self) -> None:
        """Make the models that are due."""
        with self._app.server.app_context():
            store, day = unscoped_store(), today()
        if not due_models(store, day):
            return
        task = {"url": self._address, "key": self._key(), "today": day.isoformat()}
        with subprocess.Popen(
            [sys.executable, "-m", "dashboards.server.fit_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self._process = process
            if self._stopped.is_set():
                process.kill()
            out, fault = process.communicate(json.dumps(task))
            self._process = None
        if process.returncode == 0:
            _LOG.info("models made", extra={"models": int(out)})
        elif not self._stopped.is_set():
            _LOG.warning("models not made", extra={"kind": (fault.split() or ["unknown"])[-1]})

    def prepare(self) -> None:
        """Prepare long caseloads on a new day, and with new models: until then they are kept line by line."""
        with self._app.server.app_context():
            state = (today(), models().version)
            if state != self._prepared:
                prepare_caseloads(lambda: self._stopped.wait(_PAUSE))
                self._prepared = state

    def _key(self) -> str | None:
        """Give the key of an encrypted record, as this process found it; it is handed on by no argument."""
        place = address(self._address)
        path = file_of(place)
        passphrase = keys.find(path) if is_encrypted(place) and path is not None else None
        return None if passphrase is None else passphrase.text

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.prepare()
                self.look()
            except MbcError as fault:  # the record may be busy or out of reach: a page says so
                _LOG.warning("models not made", extra={"kind": type(fault).__name__})
            self._stopped.wait(self._every)
