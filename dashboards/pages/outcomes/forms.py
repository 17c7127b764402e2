"""The published numbers of the outcomes page as a file."""

from __future__ import annotations

import io

from flask import Response, request, send_file
from flask.typing import ResponseReturnValue

from dashboards.pages.outcomes.content import LATEST, days_of
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import user_store
from mbc.care import clinic_outcomes
from mbc.errors import AccessDenied, MbcError
from mbc.exchange.files.formula_escape import escape_formulas

PATH = "/outcomes"
DOWNLOAD = "/download-outcomes"


def answer_download() -> ResponseReturnValue:
    """Send the rates of a period as CSV: what the page shows, small numbers hidden as there."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    store, period = user_store(), request.form.get("period", LATEST)
    start, end = days_of(period)
    try:
        outcomes = clinic_outcomes(store, start=start, end=end)
    except AccessDenied:
        raise
    except MbcError as fault:
        return back_to(PATH, str(fault))
    frame = outcomes.to_frame()
    name = f"outcomes-{period if start is not None else LATEST}.csv"
    store.audit.record("export", format="outcomes, csv", file=name, rows=frame.height)
    return _attachment(escape_formulas(frame).write_csv(), name)


def _attachment(text: str, name: str) -> Response:
    return send_file(io.BytesIO(text.encode()), mimetype="text/csv", as_attachment=True, download_name=name)
