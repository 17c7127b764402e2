"""*Print*: reports as a download, made for whoever may read the client; nothing of the safety channel."""

from __future__ import annotations

import datetime as dt

from dash import html
from dash.development.base_component import Component
from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import choice, choices, form
from dashboards.routes import client_path
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import models, record_view, today
from mbc.errors import AccessDenied, NotInRecord, ReportError
from mbc.exchange.own_definitions import definitions_of
from mbc.reports import client_report, client_summary, languages
from mbc.reports.audit import record_report
from mbc.reports.document import Document
from mbc.reports.private_matters import PRIVATE_WORDS, WARNING
from mbc.store import Store

PRINT = "/print"


def print_menu(client_id: str, token: str) -> Component:
    """Lay out what can be printed of a client."""
    review = form(PRINT, token, (), "Review, PDF", hidden={"client_id": client_id, "kind": "client"}, inline=True)
    page = html.Button("This page", id="print", className="quiet")
    return html.Details(
        [html.Summary("Print"), html.Div([review, page, _summary_form(client_id, token)], className="menu")],
        className="print-menu",
    )


def _summary_form(client_id: str, token: str) -> Component:
    """Lay out the form for the page that a client takes home."""
    private = [(str(name), words) for name, words in PRIVATE_WORDS.items()]
    fields = [
        choice(
            "Language", "language", sorted(languages().items(), key=lambda pair: pair[0] != "en"), place="summary"
        ),
        choices("Also print", "include", {"Left out unless chosen": private}, place="summary", rows=5),
        html.P(WARNING, className="quiet-words"),
    ]
    summary = form(
        PRINT, token, fields, "Summary for the client, PDF", hidden={"client_id": client_id, "kind": "summary"}
    )
    return html.Details([html.Summary("For the client to take home"), summary])


def answer_print() -> ResponseReturnValue:
    """Make a report and send it as a download; who asked for which is written in the audit trail."""
    client_id = request.form.get("client_id", "")
    if not csrf_holds(request.form.get("csrf")):
        return back_to(client_path(client_id), STALE)
    store = record_view(client_id)
    included = tuple(request.form.getlist("include"))
    try:
        with definitions_of(store):
            document = _document(store, client_id, today(), included)
        content = document.pdf()
    except (NotInRecord, AccessDenied):
        abort(404)
    except ReportError as fault:
        return back_to(client_path(client_id), str(fault))
    record_report(store, document, client_id, form="pdf", included=included)
    name = f"{document.kind}-{client_id}-{document.day:%Y-%m-%d}.pdf"
    return Response(
        content, mimetype="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _document(store: Store, client_id: str, day: dt.date, included: tuple[str, ...]) -> Document:
    kind = request.form.get("kind", "")
    if kind == "client":
        return client_report(store, client_id, cohort=models(), as_of=day)
    if kind == "summary":
        language = request.form.get("language", "en")
        return client_summary(store, client_id, language=language, include=included, cohort=models(), as_of=day)
    raise NotInRecord(f"There is no report '{kind}'.")
