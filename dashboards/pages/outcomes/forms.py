"""The numbers of the outcomes page as a file."""

from __future__ import annotations

import io

import polars as pl
from flask import Response, request, send_file
from flask.typing import ResponseReturnValue

from dashboards.pages.outcomes.content import COHORT, DEFINITION, LATEST, days_of
from dashboards.web.form_answers import form_on
from dashboards.web.visitor import user_store
from mbc.care import clinic_report
from mbc.care.clinic.releases import release_table
from mbc.errors import AccessDenied, ReportError
from mbc.exchange.files.formula_escape import escape_formulas
from mbc.outcomes.definitions.definition_file import definitions
from mbc.reports.audit import record_report
from mbc.reports.clinic_report import document_of, read_release
from mbc.reports.clinic_workbook import workbook_of
from mbc.reports.recompute.pack import pack_archive
from mbc.store import Store

PATH = "/outcomes"
DOWNLOAD = "/download-outcomes"
RELEASE_FILES = {"pdf": "Report, PDF", "xlsx": "Excel", "csv": "Download as CSV", "zip": "Recompute pack"}
_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


@form_on(PATH, passes=AccessDenied)
def answer_download() -> ResponseReturnValue:
    """Send a report as CSV: exact for those who see the clients, a release for those who do not."""
    store = user_store()
    if not store.can_read("clients"):
        return _released(store)
    name, frame = _table(store)
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


def _released(store: Store) -> Response:
    """Send a release as the kind of file that was asked for; a report leaves its line in the audit trail."""
    read = read_release(store, request.form.get("release", ""))
    kind, name = request.form.get("kind", "csv"), f"release-{read.stored.name}"
    if kind == "csv":
        frame = release_table(read.stored)
        store.audit.record("export", format="outcomes, csv", file=f"{name}.csv", rows=frame.height)
        return _attachment(escape_formulas(frame).write_csv(), f"{name}.csv")
    document = document_of(read)
    if kind == "pdf":
        content = document.pdf()
    elif kind == "xlsx":
        content = workbook_of(read)
    elif kind == "zip":
        content = pack_archive(read.stored)
    else:
        raise ReportError(f"A release cannot be written as '{kind}'; choose {', '.join(RELEASE_FILES)}.")
    form = "recompute pack" if kind == "zip" else kind
    record_report(store, document, None, form=form, release=read.stored.name)
    return send_file(
        io.BytesIO(content), mimetype=_TYPES[kind], as_attachment=True, download_name=f"{name}.{kind}"
    )


def _attachment(text: str, name: str) -> Response:
    return send_file(io.BytesIO(text.encode()), mimetype="text/csv", as_attachment=True, download_name=name)
