"""The clinic's outcomes: rates with their completeness, small numbers suppressed."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html
from dash.development.base_component import Component
from flask import has_request_context

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.charts import chart
from dashboards.components.forms import form, notice
from dashboards.components.tables import table
from dashboards.pages.outcomes.content import HEADINGS, LATEST, choices, days_of, origins, table_rows, whose
from dashboards.pages.outcomes.forms import DOWNLOAD, answer_download
from dashboards.routes import Page
from dashboards.web.sessions import csrf_token
from dashboards.web.visitor import user_store
from mbc.care import clinic_outcomes
from mbc.care.clinic.outcomes import ClinicOutcomes
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.figures import outcomes_figure
from mbc.figures.theme import Theme
from mbc.store import Store


def layout(store: Store, theme: Theme, token: str = "", note: str = "") -> list[Component]:
    """Lay out the outcomes of everybody whom this view of the record counts."""
    outcomes = clinic_outcomes(store)
    periods = [
        {"value": choice.value, "label": choice.label}
        for choice in choices(outcomes.end, full_only=not store.can_read("clients"))
    ]
    whom = [html.P(whose(store.user), className="quiet-words")] if store.user else []
    return [
        html.H1("Outcomes"),
        *notice(note),
        *whom,
        dmc.Select(
            id=ids.PERIOD, label="Period", data=periods, value=LATEST, allowDeselect=False, className="period"
        ),
        html.Div(content(outcomes, theme, token), id=ids.OUTCOMES, **aria(live="polite")),
    ]


def content(outcomes: ClinicOutcomes, theme: Theme, token: str = "", period: str = LATEST) -> list[Component]:
    """Lay out the rates of one period, and the form that downloads them."""
    if not outcomes.rows:
        return [html.P(outcomes.caption, className="empty")]
    rates = table("Outcomes by measure", HEADINGS, table_rows(outcomes), numbers=(1,), blocks=True)
    download = form(DOWNLOAD, token, [], "Download as CSV", hidden={"period": period}, inline=True)
    return [
        html.P(outcomes.caption, className="lead"),
        html.Section(
            [html.H2("Rates", id="rates"), rates, download], className="panel", **aria(labelledby="rates")
        ),
        chart(
            graph_id=ids.OUTCOMES_GRAPH,
            figure=outcomes_figure(outcomes, theme=theme),
            anchor="chart-outcomes",
            title="Rates with their 95 % intervals",
            caption="All numbers of this chart are in the table above.",
            below=[_origins(outcomes)],
        ),
    ]


def _origins(outcomes: ClinicOutcomes) -> Component:
    pairs: list[Component] = []
    for measure, words, checked in origins(outcomes):
        doubt = [] if checked else [html.Span(" (not yet verified at the source)", className="doubt")]
        pairs += [html.Dt(measure), html.Dd([words, *doubt])]
    return html.Details(
        [
            html.Summary("Definitions, sources and tipping points"),
            html.Dl(pairs, className="origins"),
        ]
    )


@with_definitions_of_record
def choose(store: Store, period: object, theme: object) -> list[Component]:
    """Answer the choice of another period, or of another theme."""
    start, end = days_of(period)
    drawn: Theme = "dark" if theme == "dark" else "light"
    token = csrf_token() if has_request_context() else ""
    return content(clinic_outcomes(store, start=start, end=end), drawn, token, str(period))


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
    app.callback(
        Output(ids.OUTCOMES, "children"),
        Input(ids.PERIOD, "value"),
        Input(ids.THEME, "data"),
        prevent_initial_call=True,
    )(lambda period, theme: choose(user_store(), period, theme))


PAGE = Page(
    name="outcomes",
    pattern="/outcomes",
    path="/outcomes",
    label="Outcomes",
    may_open=lambda user: user.has_permission("aggregate:read"),
    layout=lambda request: layout(request.store, request.theme, request.token, request.note),
    register=register,
    forms={DOWNLOAD: answer_download},
)
