"""Whoever looks after the accounts is written to when signing in was paused: beside the pages, nobody waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dash import Dash

from dashboards.web.asking_access import asking_access
from dashboards.web.visitor import unscoped_store
from mbc.care.askings.pause_notice import send_pause_notice
from mbc.errors import MbcError

LOOK_EVERY = 60.0  # seconds
_STOP_WITHIN = 5.0  # seconds
_LOG = logging.getLogger("mbc.server")


@contextmanager
def sending_notices(app: Dash, *, every: float = LOOK_EVERY) -> Iterator[None]:
    """Look now and from time to time whether a notice is due, where the clinic has a mail server.

    Parameters
    ----------
    app : Dash
        Served in this process; of several processes one claims each notice in the record.
    every : float
        Seconds between looks.
    """
    with app.server.app_context():
        access = asking_access()
    if access is None or access.settings.mail is None:
        yield
        return
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            send_due_notice(app)
            stopped.wait(every)

    thread = threading.Thread(target=run, name="notices", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_STOP_WITHIN)


def send_due_notice(app: Dash) -> None:
    """Send the notice that is due, if one is; a fault is one line of the log, which names nobody."""
    with app.server.app_context():
        access, store = asking_access(), unscoped_store()
    if access is None:
        return
    try:
        if send_pause_notice(store, access.settings):
            _LOG.info("notice of paused sign-ins sent")
    except MbcError as fault:
        _LOG.warning("notice of paused sign-ins not sent", extra={"kind": type(fault).__name__})
