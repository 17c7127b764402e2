"""The clinic's outcomes: exact for those who see the clients, from releases for those who do not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html
from dash.development.base_component import Component
from flask import has_request_context

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.charts import chart
from dashboards.components.forms import form, notice
from dashboards.components.paper import sheet_marks
from dashboards.components.tables import table
from dashboards.components.wording import day_words
from dashboards.pages.outcomes.clinicians import (
    comparison_content,
    has_comparison,
    measure_choices,
    plain_links,
)
from dashboards.pages.outcomes.content import (
    COHORT,
    DEFINITION,
    FIGURES,
    FLOW,
    LATEST,
    Choice,
    cohort_choices,
    days_of,
    definition_choices,
    figure_rows,
    flow_rows,
    is_by_measure,
    measure_headings,
    measure_rows,
    period_choices,
    whose,
)
from dashboards.pages.outcomes.forms import DOWNLOAD, PATH, RELEASE_FILES, answer_download
from dashboards.pages.outcomes.signals import signals_section
from dashboards.routes import Page, PageRequest
from dashboards.web.sessions import csrf_token
from dashboards.web.visitor import comparisons, models, user_store
from mbc.care import CohortModels, clinic_report
from mbc.care.clinic.clinician_comparisons import ClinicianComparisons
from mbc.care.clinic.strata import CAUTION, strata_tables
from mbc.errors import MbcError, NotInRecord
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.figures import outcomes_figure
from mbc.figures.theme import Theme
from mbc.outcomes import OutcomeReport
from mbc.outcomes.publication import ReleasedReport, released_report
from mbc.outcomes.results import Figure
from mbc.store import Store
from mbc.store.releases import StoredRelease


class Shown(Protocol):
    """A report, exact or released."""

    @property
    def title(self) -> str:
        """What is reported."""
        ...

    @property
    def caption(self) -> str:
        """What the figures count."""
        ...

    @property
    def headline(self) -> str:
        """The main figure in words."""
        ...

    @property
    def rules(self) -> tuple[str, ...]:
        """Instruments, limits and sources."""
        ...

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures."""
        ...


@with_definitions_of_record
def layout(
    store: Store,
    theme: Theme,
    token: str = "",
    note: str = "",
    own: CohortModels | None = None,
    *,
    compared: Sequence[Component] = (),
    today: dt.date | None = None,
) -> list[Component]:
    """Lay out the outcomes of everybody whom this view of the record counts."""
    whom = [html.P(whose(store.user), className="quiet-words")] if store.user else []
    title = html.H1("Outcomes", className="sheet", **sheet_marks("Outcomes", today, wide=True))
    head: list[Component] = [title, *notice(note), *whom]
    if not store.can_read("clients"):
        return [*head, *_released(store, theme, token)]
    report = clinic_report(store, definition=DEFINITION, cohort=COHORT, models=own)
    choosers = [
        _chooser(ids.PERIOD, "Period", period_choices(report.period.end), LATEST),
        _chooser(ids.COHORT, "Clients", cohort_choices(), COHORT),
        _chooser(ids.DEFINITION, "Definition", definition_choices(), DEFINITION),
    ]
    return [
        *head,
        html.Div(choosers, className="choosers"),
        html.Div(content(report, theme, token), id=ids.OUTCOMES, **aria(live="polite")),
        *compared,
        *signals_section(store, own, today),
    ]


@with_definitions_of_record
def compared_part(
    store: Store, comparisons: ClinicianComparisons | None, theme: Theme, measure: str = ""
) -> list[Component]:
    """Lay out the comparisons with what is expected; nothing for those who have none.

    Raises
    ------
    NotInRecord
        If a measure is named that cannot be chosen here.
    """
    if store.user is None or not has_comparison(store.user):
        return []
    options = measure_choices(store, comparisons)
    chosen = _chosen(options, measure)
    return [
        _chooser(ids.COMPARED_MEASURE, "Compared with what is expected, by measure", options, chosen),
        *plain_links(options),
        html.Div(comparison_content(store, comparisons, chosen, theme), id=ids.COMPARED, **aria(live="polite")),
    ]


@with_definitions_of_record
def choose_measure(
    store: Store, comparisons: ClinicianComparisons | None, measure: object, theme: object
) -> list[Component]:
    """Answer the choice of another measure, or of another theme.

    Raises
    ------
    NotInRecord
        If a measure is named that cannot be chosen here.
    """
    if store.user is None or not has_comparison(store.user):
        return []
    chosen = _chosen(measure_choices(store, comparisons), "" if measure is None else str(measure))
    return comparison_content(store, comparisons, chosen, "dark" if theme == "dark" else "light")


def _chosen(options: Sequence[Choice], measure: str) -> str | None:
    """Take a measure that was named, or the first where none was; None where there are none."""
    names = [each.value for each in options]
    if measure and measure not in names:
        raise NotInRecord("There is no such page.")
    return measure or next(iter(names), None)


def _layout(request: PageRequest) -> list[Component]:
    measure = request.path.removeprefix(PATH).removeprefix("/")
    compared = compared_part(request.store, request.comparisons, request.theme, measure)
    return layout(
        request.store, request.theme, request.token, request.note, request.models,
        compared=compared, today=request.today,
    )  # fmt: skip


def _chooser(component: str, label: str, choices: Sequence[Choice], value: str | None) -> Component:
    data = [{"value": choice.value, "label": choice.label} for choice in choices]
    return dmc.Select(
        id=component,
        label=label,
        data=data,
        value=value,
        allowDeselect=False,
        disabled=not choices,
        className="period",
    )


def content(
    report: OutcomeReport,
    theme: Theme,
    token: str = "",
    period: str = LATEST,
    cohort: str = COHORT,
    definition: str = DEFINITION,
) -> list[Component]:
    """Lay out an exact report, the flow of clients, and the form that downloads it."""
    if not report.figures or not any(metric.denominator for metric in report.metrics):
        empty = "No clients are counted in this period: there are no scores or episodes on record."
        return [html.P(f"{report.heading}.", className="lead"), html.P(empty, className="empty")]
    asked = {"period": period, "cohort": cohort, "definition": definition}
    flow = table("Flow of clients", FLOW, flow_rows(report.flow), numbers=(1,), blocks=True)
    return [
        *_report(report, theme, form(DOWNLOAD, token, [], "Download as CSV", hidden=asked, inline=True)),
        html.Details([html.Summary("Flow of clients: who is missing, and why"), flow]),
        html.P(report.limits_and_bounds, className="quiet-words"),
    ]


def _released(store: Store, theme: Theme, token: str) -> list[Component]:
    releases = store.releases()
    if not releases:
        words = (
            "No release has been published yet. The operator publishes a quarter when it is over: mbc release "
            "make 2026-Q3"
        )
        return [
            _chooser(ids.RELEASE, "Release", (), None),
            html.Div(html.P(words, className="empty"), id=ids.RELEASED, **aria(live="polite")),
        ]
    choices = [Choice(release.name, release.name) for release in releases]
    return [
        _chooser(ids.RELEASE, "Release", choices, releases[0].name),
        html.Div(release_content(releases[0], theme, token), id=ids.RELEASED, **aria(live="polite")),
    ]


def release_content(release: StoredRelease, theme: Theme, token: str = "") -> list[Component]:
    """Lay out a release: what it covers and replaces, every report in it, and the form that downloads it."""
    download = html.Div(
        [
            form(DOWNLOAD, token, [], label, hidden={"release": release.name, "kind": kind}, inline=True)
            for kind, label in RELEASE_FILES.items()
        ],
        className="actions no-print",
    )
    parts: list[Component] = [
        html.P(
            f"Release {release.name}: {day_words(release.start)} to {day_words(release.end)}, "
            f"made on {day_words(release.made_at.date())}. "
            f"{release.content['replaces']} Late entries counted here: {release.content['late_entries']}.",
            className="lead",
        ),
        download,
    ]
    for place, each in enumerate(release.content["reports"]):
        parts += _report(released_report(each), theme, None, place=place)
    return [*parts, *_strata(release)]


def _strata(release: StoredRelease) -> list[Component]:
    tables = strata_tables(release)
    if not tables:
        return []
    return [
        html.Section(
            [
                html.H2("Groups of clients", id="groups"),
                html.P(f"{CAUTION} All figures of each group are in the downloads.", className="lead"),
                *(
                    part
                    for each in tables
                    for part in (html.H3(each.title), table(each.title, each.headings, each.rows, blocks=True))
                ),
            ],
            className="panel",
            **aria(labelledby="groups"),
        )
    ]


def _report(
    report: OutcomeReport | ReleasedReport, theme: Theme, download: Component | None, *, place: int = 0
) -> list[Component]:
    suffix = f"-{place}" if place else ""
    if is_by_measure(report):
        rates = table(report.title, measure_headings(report), measure_rows(report), blocks=True)
    else:
        rows = figure_rows(report)
        rates = table(report.title, FIGURES[: len(rows[0])] if rows else FIGURES, rows, blocks=True)
    inside = [html.H2(report.title, id=f"rates{suffix}"), html.P(report.headline, className="lead"), rates]
    return [
        html.P(report.caption, id=f"counted{suffix}", className="lead"),
        html.Section(
            [*inside, *([download] if download is not None else [])],
            className="panel",
            **aria(labelledby=f"rates{suffix} counted{suffix}"),  # several reports may bear one title
        ),
        chart(
            graph_id=f"{ids.OUTCOMES_GRAPH}{suffix}",
            figure=outcomes_figure(report, theme=theme),
            anchor=f"chart-outcomes{suffix}",
            title="Rates with their 95 % limits",
            caption="All numbers of this chart are in the table above.",
            below=[_rules(report.rules)],
        ),
    ]


def _rules(rules: tuple[str, ...]) -> Component:
    return html.Details(
        [html.Summary("Definitions, limits and sources"), html.Ul([html.Li(rule) for rule in rules])]
    )


@with_definitions_of_record
def choose(
    store: Store, period: object, cohort: object, definition: object, theme: object, own: CohortModels | None
) -> list[Component]:
    """Answer the choice of another period, cohort or definition, or of another theme."""
    start, end = days_of(period)
    drawn: Theme = "dark" if theme == "dark" else "light"
    token = csrf_token() if has_request_context() else ""
    try:
        report = clinic_report(
            store, start=start, end=end, cohort=str(cohort), definition=_named(definition), models=own
        )
    except MbcError as fault:
        return [html.P(str(fault), className="empty")]
    return content(report, drawn, token, str(period), str(cohort), _named(definition))


def _named(definition: object) -> str:
    """Take a definition that comes with mbc; a browser may not name a file."""
    names = [choice.value for choice in definition_choices()]
    return str(definition) if str(definition) in names else DEFINITION


def choose_release(store: Store, name: object, theme: object) -> list[Component]:
    """Answer the choice of another release, or of another theme."""
    token = csrf_token() if has_request_context() else ""
    return release_content(store.release(str(name)), "dark" if theme == "dark" else "light", token)


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
    app.callback(
        Output(ids.OUTCOMES, "children"),
        Input(ids.PERIOD, "value"),
        Input(ids.COHORT, "value"),
        Input(ids.DEFINITION, "value"),
        Input(ids.THEME, "data"),
        prevent_initial_call=True,
    )(lambda period, cohort, definition, theme: choose(user_store(), period, cohort, definition, theme, models()))
    app.callback(
        Output(ids.RELEASED, "children"),
        Input(ids.RELEASE, "value"),
        Input(ids.THEME, "data"),
        prevent_initial_call=True,
    )(lambda name, theme: choose_release(user_store(), name, theme))
    app.callback(
        Output(ids.COMPARED, "children"),
        Input(ids.COMPARED_MEASURE, "value"),
        Input(ids.THEME, "data"),
        prevent_initial_call=True,
    )(lambda measure, theme: choose_measure(user_store(), comparisons(), measure, theme))


PAGE = Page(
    name="outcomes",
    pattern=PATH,
    path=PATH,
    label="Outcomes",
    may_open=lambda user: user.has_permission("aggregate:read"),
    layout=_layout,
    register=register,
    forms={DOWNLOAD: answer_download},
)
MEASURE_PAGE = Page(
    name="outcomes", pattern=rf"{PATH}/[a-z0-9_]{{1,40}}", path="", label="Outcomes", may_open=has_comparison,
    layout=_layout,
)  # fmt: skip
