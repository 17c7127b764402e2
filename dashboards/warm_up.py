"""Warm-up: what every page needs is computed before the first visitor."""

from __future__ import annotations

import contextlib
import threading

from dash import Dash

from dashboards.web.visitor import models, today, unscoped_store
from mbc.care import caseload
from mbc.errors import MbcError


def start_warm_up(app: Dash) -> threading.Thread:
    """Fit the growth models in a thread of its own; a visitor who comes meanwhile waits for the same fit."""
    thread = threading.Thread(target=warm_up, args=(app,), name="warm-up", daemon=True)
    thread.start()
    return thread


def warm_up(app: Dash) -> None:
    """Read everybody's scores once with every model; the result is not kept, the models are."""
    with app.server.app_context(), contextlib.suppress(MbcError):  # a page reports it, should it matter there
        caseload(unscoped_store(), as_of=today(), cohort=models())
