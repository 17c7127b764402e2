"""*Print*: reports as a download, made for whoever may read the client; nothing of the safety channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component
from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import choice, choices, form
from dashboards.routes import client_path
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import models, record_view, today
from mbc.care import words
from mbc.care.values.review import ClientReview
from mbc.errors import AccessDenied, NotInRecord, ReportError
from mbc.exchange.own_definitions import definitions_of
from mbc.instruments.short_names import short_name
from mbc.reports import client_report, client_summary, couples_report, languages, measures_report
from mbc.reports.audit import record_report
from mbc.reports.document import Document
from mbc.reports.private_matters import PRIVATE, PRIVATE_WORDS, WARNING, is_private
from mbc.store import ReleaseOfInformation, Store

PRINT = "/print"
_NOT_PRIVATE = "Printed unless you choose others"


def print_menu(
    review: ClientReview, token: str, releases: Sequence[ReleaseOfInformation] | None = None
) -> Component:
    """Lay out what can be printed of a client; ``releases`` is None for those who may not know of safety."""
    client_id = review.client_id
    sheet = form(PRINT, token, (), "Review, PDF", hidden={"client_id": client_id, "kind": "client"}, inline=True)
    page = html.Button("This page", id="print", className="quiet")
    parts: list[Component] = [sheet, page, _summary_form(review, token), _measures_form(client_id, token)]
    if releases is not None:
        parts.append(_couples_form(client_id, token, releases))
    return html.Details([html.Summary("Print"), html.Div(parts, className="menu")], className="print-menu")


def _summary_form(review: ClientReview, token: str) -> Component:
    """Lay out the form for the page that a client takes home."""
    fields = [
        _language("summary"),
        *_scales(review),
        choices("Also print", "include", {"Left out unless chosen": _private(PRIVATE)}, place="summary", rows=5),
        html.P(WARNING, className="quiet-words"),
    ]
    hidden = {"client_id": review.client_id, "kind": "summary"}
    return _folded(
        "For the client to take home", form(PRINT, token, fields, "Summary for the client, PDF", hidden=hidden)
    )


def _measures_form(client_id: str, token: str) -> Component:
    """Lay out the form for the page about the client's plan of measures."""
    named = [name for name in PRIVATE if name in ("relationship", "alliance")]
    fields = [
        _language("measures"),
        choices("Also include", "include", {"Left out unless chosen": _private(named)}, place="measures", rows=3),
        html.P(WARNING, className="quiet-words"),
    ]
    hidden = {"client_id": client_id, "kind": "measures"}
    return _folded("How progress is measured", form(PRINT, token, fields, "Plan of measures, PDF", hidden=hidden))


def _couples_form(client_id: str, token: str, releases: Sequence[ReleaseOfInformation]) -> Component:
    """Lay out the form for a couples therapist, under a release of information that is valid today."""
    if not releases:
        body: Component = html.P("No release of information is valid today.", className="quiet-words")
    else:
        options = [
            (each.release_id, f"{each.recipient}, until {words.day(each.expires_on)} ({each.release_id})")
            for each in releases
        ]
        fields = [choice("Release of information", "release", options, place="couples")]
        hidden = {"client_id": client_id, "kind": "couples"}
        body = form(PRINT, token, fields, "Summary for a couples therapist, PDF", hidden=hidden)
    return _folded("For a couples therapist", body)


def _folded(title: str, body: Component) -> Component:
    return html.Details([html.Summary(title), body])


def _language(place: str) -> Component:
    known = sorted(languages().items(), key=lambda pair: pair[0] != "en")
    return choice("Language", "language", known, place=place)


def _private(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, PRIVATE_WORDS[name]) for name in names]


def _scales(review: ClientReview) -> list[Component]:
    """Offer the questionnaires that were answered; without a choice all are printed that are not private."""
    groups: dict[str, dict[str, str]] = {}
    for course in review.trajectories:
        private = is_private(course)
        group = (
            "Printed unless you choose others"
            if private is None
            else f"Choose {PRIVATE_WORDS[private]} below, too"
        )
        if not course.empty:
            groups.setdefault(group, {})[course.instrument] = short_name(course.instrument)
    if not groups:
        return []
    options = {group: list(names.items()) for group, names in sorted(groups.items(), reverse=True)}
    rows = sum(len(names) + 1 for names in options.values())
    return [choices("Questionnaires", "measure", options, place="summary", rows=min(rows, 8))]


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
    record_report(store, document, client_id, form="pdf", included=included, release=_release())
    name = f"{document.kind}-{client_id}-{document.day:%Y-%m-%d}.pdf"
    return Response(
        content, mimetype="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _document(store: Store, client_id: str, day: dt.date, included: tuple[str, ...]) -> Document:
    kind, language = request.form.get("kind", ""), request.form.get("language", "en")
    if kind == "client":
        return client_report(store, client_id, cohort=models(), as_of=day)
    if kind == "summary":
        chosen = request.form.getlist("measure")
        return client_summary(
            store, client_id, language=language, measures=chosen, include=included, cohort=models(), as_of=day
        )
    if kind == "measures":
        return measures_report(store, client_id, language=language, include=included, cohort=models(), as_of=day)
    if kind == "couples":
        return couples_report(store, client_id, _release() or "", cohort=models(), as_of=day)
    raise NotInRecord(f"There is no report '{kind}'.")


def _release() -> str | None:
    return request.form.get("release") if request.form.get("kind") == "couples" else None
