"""How the first visitor of the day is spared the waiting: what every page needs is made ready beforehand."""

from __future__ import annotations

import contextlib
import threading

from dash import Dash

from dashboards.web.visitor import models, whole_store
from mbc.care import caseload
from mbc.errors import MbcError


def warm_up_aside(app: Dash) -> threading.Thread:
    """Fit the growth models in a thread of its own; whoever comes meanwhile waits for the same fit."""
    thread = threading.Thread(target=warm_up, args=(app,), name="warm-up", daemon=True)
    thread.start()
    return thread


def warm_up(app: Dash) -> None:
    """Go once through everybody's scores with every model; the result is not kept, the models are."""
    with app.server.app_context(), contextlib.suppress(MbcError):  # a page will tell, should it matter there
        caseload(whole_store(), cohort=models())
