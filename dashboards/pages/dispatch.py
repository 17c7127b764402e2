"""Which page is shown for a path: the only place where a path becomes a layout."""

from __future__ import annotations

from dash import Dash, Input, Output
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.pages import not_found as missing
from dashboards.pages.caseload import layout as caseload
from dashboards.pages.client import layout as client
from dashboards.pages.open_points import layout as open_points
from dashboards.pages.other_records import layout as other_records
from dashboards.pages.outcomes import layout as outcomes
from dashboards.routes import Visit, client_of, named, visit
from dashboards.web.flash import take_note
from dashboards.web.sessions import csrf_token
from dashboards.web.theme import drawn_theme
from dashboards.web.visitor import me, models, note_refusal, record_of
from mbc.care import CohortModels
from mbc.errors import AccessDenied, NotInRecord
from mbc.figures.theme import Theme
from mbc.store import Store, User


def page_for(
    store: Store,
    user: User,
    path: str | None,
    theme: Theme,
    cohort: CohortModels | None = None,
    *,
    token: str = "",
    note: str = "",
) -> list[Component]:
    """Lay out the page of a path; what this user may not see is answered like what does not exist."""
    asked = visit(path, user)
    if asked is None:
        if page := named(path or ""):
            note_refusal(store, page.name, client_of(path))
        return missing.layout()
    try:
        if asked.page.name == "other records":
            return other_records.layout(store, token, note)
        if asked.page.name == "open points":
            return open_points.layout(note)
        return _lay_out(asked, store, theme, cohort, token)
    except (NotInRecord, AccessDenied):
        return missing.layout()


def _lay_out(asked: Visit, store: Store, theme: Theme, cohort: CohortModels | None, token: str) -> list[Component]:
    if asked.client_id is not None:
        above = other_records.banner(store, asked.client_id, token)
        return [*above, *client.layout(store, asked.client_id, theme, cohort)]
    return caseload.layout(store, cohort) if asked.page.name == "caseload" else outcomes.layout(store, theme)


def register(app: Dash) -> None:
    """Wire the path to the page."""
    app.callback(Output(ids.MAIN, "children"), Input(ids.URL, "pathname"))(
        lambda path: page_for(
            record_of(client_of(path)),
            me(),
            path,
            drawn_theme(),
            models(),
            token=csrf_token(),
            note=take_note(path),
        )
    )
