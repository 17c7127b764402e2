"""Which page is shown for a path: the only place where a path becomes a layout."""

from __future__ import annotations

from dataclasses import replace

from dash import Dash, Input, Output
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.pages import not_found
from dashboards.routes import Page, PageRequest, Pages, client_of
from dashboards.web.asking_access import collect_first
from dashboards.web.flash import take_note
from dashboards.web.kept_caseload import kept_caseload
from dashboards.web.passkeys import passkey_words
from dashboards.web.pause_notice import notice
from dashboards.web.provider import provider_names
from dashboards.web.sessions import csrf_token
from dashboards.web.theme import drawn_theme
from dashboards.web.visitor import (
    comparisons,
    is_personal,
    models,
    note_refusal,
    record_view,
    signed_in_user,
    today,
)
from mbc.errors import AccessDenied, NotInRecord, StoreBusy, StoreUnreachable
from mbc.exchange.own_definitions import definitions_of


def page_for(pages: Pages, path: str | None, request: PageRequest) -> list[Component]:
    """Lay out the page of a path, read from the record in one transaction.

    What this user may not see is answered like what does not exist.
    """
    visit = pages.visit(path, request.user)
    if visit is None:
        if page := pages.at(path):
            note_refusal(request.store, page.name, client_of(path))
        return not_found.layout()
    request = replace(request, client_id=visit.client_id)
    try:
        laid_out = _laid_out(visit.page, request)
        try:
            for write in request.later or ():
                write()
        except (StoreBusy, StoreUnreachable):  # at the next visit, then; this page must not ask about it
            return _laid_out(visit.page, replace(request, later=None))
    except (NotInRecord, AccessDenied):
        return not_found.layout()
    return laid_out


def _laid_out(page: Page, request: PageRequest) -> list[Component]:
    with request.store.snapshot(), definitions_of(request.store):
        return page.layout(request)


def write_page(pages: Pages, path: str) -> str | None:
    """Write the page of a path, as HTML, for the visitor who asks; None where the browser lays it out."""
    visit = pages.visit(path, signed_in_user())
    if visit is None or visit.page.written is None:
        return None
    request = _request(pages, path)  # takes the note of the last form: not before somebody shows it
    with request.store.snapshot(), definitions_of(request.store):
        return visit.page.written(replace(request, client_id=visit.client_id))


def register(app: Dash, pages: Pages) -> None:
    """Wire the path to the page, and let every page wire its own callbacks."""
    app.callback(Output(ids.MAIN, "children"), Input(ids.URL, "pathname"))(
        lambda path: page_for(pages, path, _request(pages, path))
    )
    for page in pages.pages:
        page.register(app)


def lay_out(pages: Pages, path: str) -> list[Component]:
    """Lay out the page of a path for the visitor who asks."""
    return page_for(pages, path, _request(pages, path))


def _request(pages: Pages, path: str | None) -> PageRequest:
    notice(path)  # whoever opens their account's page has read it
    visit = pages.visit(path, signed_in_user())
    collects = visit is not None and visit.client_id is not None
    box_fault = collect_first() if collects else ""  # before the record is read
    store = record_view(client_of(path))
    return PageRequest(
        store=store,
        user=signed_in_user(),
        theme=drawn_theme(),
        models=models(),
        comparisons=comparisons(),
        today=today(),
        caseload=lambda: kept_caseload(store, models(), today()),
        token=csrf_token(),
        note=take_note(path),
        box_fault=box_fault,
        path=path or "",
        no_passkeys=passkey_words().reason,
        provider=provider_names(),
        personal=is_personal(),
    )
