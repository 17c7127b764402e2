"""The numbers of the outcomes page as a file."""

from __future__ import annotations

import io

import polars as pl
from flask import Response, request, send_file
from flask.typing import ResponseReturnValue

from dashboards.pages.outcomes.content import COHORT, DEFINITION, LATEST, days_of
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import user_store
from mbc.care import clinic_report
from mbc.care.clinic.releases import release_table
from mbc.errors import AccessDenied, MbcError
from mbc.exchange.files.formula_escape import escape_formulas
from mbc.outcomes.definitions.definition_file import definitions
from mbc.store import Store

PATH = "/outcomes"
DOWNLOAD = "/download-outcomes"


def answer_download() -> ResponseReturnValue:
    """Send a report as CSV: exact for those who see the clients, a release for those who do not."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    store = user_store()
    try:
        name, frame = _table(store) if store.can_read("clients") else _release(store)
    except AccessDenied:
        raise
    except MbcError as fault:
        return back_to(PATH, str(fault))
    store.audit.record("export", format="outcomes, csv", file=name, rows=frame.height)
    return _attachment(escape_formulas(frame).write_csv(), name)


def _table(store: Store) -> tuple[str, pl.DataFrame]:
    period, cohort = request.form.get("period", LATEST), request.form.get("cohort", COHORT)
    asked = request.form.get("definition", DEFINITION)
    definition = asked if asked in definitions() else DEFINITION  # a browser may not name a file
    start, end = days_of(period)
    report = clinic_report(store, start=start, end=end, cohort=cohort, definition=definition)
    named = period if start is not None else LATEST
    return f"outcomes-{definition}-{report.cohort}-{named}.csv", report.to_frame()


def _release(store: Store) -> tuple[str, pl.DataFrame]:
    release = store.release(request.form.get("release", ""))
    return f"release-{release.name}.csv", release_table(release)


def _attachment(text: str, name: str) -> Response:
    return send_file(io.BytesIO(text.encode()), mimetype="text/csv", as_attachment=True, download_name=name)
