"""One client, two minutes before a session, on one screen; each measure enlarged at a press."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.forms import notice
from dashboards.components.paper import sheet_marks
from dashboards.components.wording import day_words
from dashboards.pages.client.enlarged import dialog
from dashboards.pages.client.more import below
from dashboards.pages.client.print_forms import PRINT, answer_print
from dashboards.pages.client.screen import (
    along_the_way,
    header,
    legend_and_controls,
    moved_items,
    questions,
    tiles,
)
from dashboards.pages.client.signal import signal_question
from dashboards.pages.client.snapshot import Snapshot, browser_data, quadrant, read_snapshot, tile_charts, timeline
from dashboards.pages.client.view import ChartView, chosen_view, keep_view
from dashboards.pages.other_records import forms as other_records_forms
from dashboards.pages.other_records.layout import banner
from dashboards.pages.record.addresses import list_path
from dashboards.pages.send.addresses import send_path
from dashboards.pages.send.content import waiting_words
from dashboards.routes import CLIENT_ID, Page, PageRequest, client_of
from dashboards.web.asking_access import asking_access
from dashboards.web.kept_parts import blank, can_keep, kept_part
from dashboards.web.visitor import record_view
from mbc.care import CohortModels, client_safety
from mbc.care.client.releases import releases_in_force
from mbc.care.signals.note import note_signals
from mbc.errors import NotInRecord
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments.short_names import short_name
from mbc.store import Administration, Session, Signal, Store
from mbc.store.accounts.break_glass import MAY_OPEN


def layout(  # noqa: PLR0913 - one argument for each thing that a page is laid out from
    store: Store,
    client_id: str,
    cohort: CohortModels | None = None,
    *,
    as_of: dt.date | None = None,
    view: ChartView | None = None,
    token: str = "",
    note: str = "",
    asks: bool = False,
    later: list[Callable[[], object]] | None = None,
) -> list[Component]:
    """Lay out one client's page; raises NotInRecord for a client the store does not show.

    Parameters
    ----------
    store : Store
        The record, narrowed to its reader.
    client_id : str
    cohort : CohortModels, optional
        For expected courses and forecasts.
    as_of : date, optional
        The day it is read on; today when not given.
    view : ChartView, optional
        How the charts are drawn.
    token : str
        Goes back with each form.
    note : str
        What the last form led to.
    asks : bool
        Whether clients are asked from here.
    later : list, optional
        Takes what is to be written once the page was read: new signals.
    """
    snapshot = read_snapshot(store, client_id, cohort=cohort, as_of=as_of)
    _note_later(store, snapshot, later)
    asking = _Asking(asks and store.can_write(Administration), waiting_words(store, client_id))
    controls = legend_and_controls(view or ChartView())
    page = _page(store, snapshot, asking, token, controls, writes=later is not None)
    return [*_way_back(store), *notice(note), page]


def _note_later(store: Store, snapshot: Snapshot, later: list[Callable[[], object]] | None) -> None:
    """Have new signals written once everything was read."""
    new = snapshot.signals.new
    if later is not None and new:
        later.append(lambda: note_signals(store, new))


@dataclass(frozen=True, slots=True)
class _Asking:
    """What the page says about asking the client."""

    allowed: bool
    waiting: str  # what the client has not answered yet


def _page(
    store: Store, snapshot: Snapshot, asking: _Asking, token: str, controls: Component | str, *, writes: bool
) -> Component:
    """Lay out everything that follows from the record, around the controls."""
    client_id = snapshot.review.client_id
    review = snapshot.review
    moved = moved_items(snapshot)
    restricted = store.has_permission("safety:read")
    content = [
        header(
            review,
            restricted=restricted,
            record=list_path(client_id) if store.can_write(Session) else "",
            send=send_path(client_id) if asking.allowed else "",
            token=token,
            asked=asking.waiting,
            releases=releases_in_force(store, client_id, on=review.as_of) if restricted else (),
            reader=None if store.user is None else store.user.clinician_id,
        ),
        *signal_question(
            snapshot.signals, review.as_of, answers=store.can_write(Signal), token=token, writes=writes
        ),
        html.Section(questions(review), className="no-print", **aria(label="What to ask")),
        html.Section(tiles(snapshot, tile_charts(snapshot)), **aria(label="Measures")),
        *([controls] if snapshot.drawn else []),
        html.Div(
            [
                html.Section(
                    along_the_way(snapshot, timeline(snapshot)), className="card", **aria(label="Along the way")
                ),
                *([html.Section(moved, className="card", **aria(label="Largest changes"))] if moved else []),
            ],
            className="bottom-row",
        ),
        *below(snapshot, quadrant(snapshot)),
        dialog(snapshot),
        dcc.Store(id=ids.VIEW, storage_type="memory"),
        dcc.Store(id=ids.BROWSER_DATA, data=browser_data(snapshot), storage_type="memory"),
    ]
    sheet = sheet_marks(review.alias or review.client_id, review.as_of)
    return html.Div(content, className="client-page", **sheet)


def _kept(request: PageRequest, client_id: str) -> list[Component | str]:
    """Lay out the page around the part that is kept for whoever sees it, as long as nothing of it has changed."""
    store, today, cohort = request.store, request.today, request.models
    store.clients(client_id=client_id)  # theirs to see; the audit trail has it, kept or not
    state = store.care_states(client_id).get(client_id, "")
    asking = _Asking(
        asking_access() is not None and store.can_write(Administration), waiting_words(store, client_id)
    )
    version = "" if cohort is None else cohort.version
    key = (client_id, store.reach, state, version, today, asking, store.signal_rules())

    def page() -> Component:
        snapshot = read_snapshot(store, client_id, cohort=cohort, as_of=today)
        _note_later(store, snapshot, request.later)
        return _page(store, snapshot, asking, blank("token"), blank("controls"), writes=request.later is not None)

    blanks = {"token": request.token, "controls": legend_and_controls(chosen_view())}
    part = kept_part(key, page, blanks, keep=lambda: request.later == [])  # not one that is yet to be written
    return [*_way_back(store), *notice(request.note), part]


def _way_back(store: Store) -> list[Component]:
    """Link back from a record opened by emergency access; for one's own clients the navigation does."""
    if store.open_until is None:
        return []
    return [html.P(dcc.Link("Colleagues' records", href=other_records_forms.PATH), className="crumb no-print")]


@with_definitions_of_record
def safety_panel(store: Store, client_id: str | None, clicks: int | None) -> tuple[list[Component], str, str]:
    """Answer the button: open at each odd click, for those who may read it."""
    if client_id is None or not clicks or clicks % 2 == 0:
        return [], "Restricted", "false"
    review = client_safety(store, client_id)
    if review is None:
        return [], "Restricted", "false"
    lines = [
        f"{day_words(flag.raised_on)}, {short_name(flag.instrument)}: {flag.label}"
        + (" (left blank)" if flag.kind == "ask" else "")
        + ("" if flag.acknowledged_at is None else f"; seen by {flag.acknowledged_by}")
        for flag in review.flags
    ]
    lines += review.entries
    content = (
        html.Ul([html.Li(line) for line in lines], className="plain") if lines else html.P("Nothing is on record.")
    )
    note = html.P("Visible to you only. Press Escape to hide.", className="quiet-words")
    return [note, content], "Hide restricted", "true"


def _known(client_id: str | None) -> str:
    if client_id is None:
        raise NotInRecord("The path does not name a client.")
    return client_id


def register(app: Dash) -> None:
    """Wire inputs to outputs; charts are redrawn in the browser, which asks the server for nothing."""
    controls = (
        Input(ids.AXIS, "value"),
        Input(ids.BETTER_UP, "checked"),
        Input(ids.COMMON, "checked"),
        Input(ids.QUIET, "checked"),
    )
    app.clientside_callback(
        ClientsideFunction("mbcClient", "draw"),
        Output(ids.ALL_TRAJECTORIES, "figure"),
        *controls,
        Input(ids.THEME, "data"),
        Input(ids.BROWSER_DATA, "data"),
        State(ids.ALL_TRAJECTORIES, "figure"),
    )
    app.callback(Output(ids.VIEW, "data"), *controls, prevent_initial_call=True)(keep_view)
    app.callback(
        Output(ids.RECORD, "children"),
        Output(ids.RECORD_BUTTON, "children"),
        Output(ids.RECORD_BUTTON, "aria-expanded"),
        Input(ids.RECORD_BUTTON, "n_clicks"),
        State(ids.URL, "pathname"),
        prevent_initial_call=True,
    )(lambda clicks, path: safety_panel(record_view(client_of(path)), client_of(path), clicks))


def _lay_out(request: PageRequest) -> list[Any]:
    client_id = _known(request.client_id)
    above = [*banner(request.store, client_id, request.token), *notice(request.box_fault)]
    if can_keep():
        return [*above, *_kept(request, client_id)]
    page = layout(
        request.store,
        client_id,
        request.models,
        as_of=request.today,
        view=chosen_view(),
        token=request.token,
        note=request.note,
        asks=asking_access() is not None,
        later=request.later,
    )
    return [*above, *page]


PAGE = Page(
    name="client",
    pattern=rf"/client/{CLIENT_ID}",
    path="",
    label="Client",
    may_open=lambda user: user.role in MAY_OPEN,
    layout=_lay_out,
    register=register,
    forms={PRINT: answer_print},
)
