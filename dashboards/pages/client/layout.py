"""One client, two minutes before a session: what changed clearly, compared with what, and what to ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.charts import chart, layout_of
from dashboards.components.sparklines import spark
from dashboards.components.tables import long_table, table
from dashboards.components.wording import Mood, day_words
from dashboards.pages.client.content import (
    SummaryRow,
    anchor,
    chart_key,
    events_of,
    facts,
    goal_words,
    mark_shape,
    mark_words,
    origins,
    period_words,
    summary_row,
    table_rows,
)
from dashboards.pages.other_records import forms as other_records_forms
from dashboards.pages.other_records.layout import banner
from dashboards.routes import CLIENT_ID, Page, PageRequest, client_of
from dashboards.web.visitor import models, record_view, today
from mbc.care import ClientReview, CohortModels, Trajectory, client_review, client_safety
from mbc.care.client.trajectory import short_name
from mbc.errors import NotInRecord
from mbc.exchange.own_definitions import definitions_of, with_definitions_of_record
from mbc.figures import goals_figure, trajectory_figure
from mbc.figures.axis import Axis
from mbc.figures.theme import Theme
from mbc.store import Store
from mbc.store.accounts.break_glass import MAY_OPEN

_GOALS = "goals"  # the chart of the goals, among those of the scales
_KEY_LINE = 19  # pixels that a figure keeps for each line of the key
AXES: dict[Axis, str] = {"calendar": "Date", "session": "Session number"}


def layout(
    store: Store, client_id: str, theme: Theme, cohort: CohortModels | None = None, today: dt.date | None = None
) -> list[Component]:
    """Lay out one client's page; raises NotInRecord for a client the store does not show."""
    review = client_review(store, client_id, cohort=cohort, as_of=today)
    aside = _side_column(review, restricted=store.has_permission("safety:read"))
    return [
        html.P(_way_back(store), className="crumb"),
        html.H1(review.alias or review.client_id),
        html.P(facts(review), className="quiet-words"),
        html.P(review.headline, className="lead"),
        html.Div(
            className="client",
            children=[
                html.Section(_ask(review), className="ask", **aria(labelledby="ask")),
                html.Section(_summary_table(review), className="at-a-glance", **aria(labelledby="glance")),
                html.Section(_charts(review, theme), className="charts", **aria(labelledby="charts")),
                html.Aside(
                    aside,
                    className="beside",
                    **aria(label="Goals, relationships and events"),
                ),
            ],
        ),
    ]


def _way_back(store: Store) -> Component:
    if store.open_until is None:
        return dcc.Link("Caseload", href="/caseload")
    return dcc.Link("Colleagues' records", href=other_records_forms.PATH)


def _ask(review: ClientReview) -> list[Component]:
    if not review.questions:
        return [html.H2("What to ask", id="ask"), html.P("Nothing stands out.", className="quiet-words")]
    items = [
        html.Li([html.Span(question.text, className="question"), html.Span(question.reason, className="reason")])
        for question in review.questions
    ]
    return [html.H2("What to ask", id="ask"), html.Ol(items)]


def _summary_table(review: ClientReview) -> list[Component]:
    lines = [summary_row(course) for course in review.trajectories]
    if not lines:
        return [html.H2("At a glance", id="glance"), html.P("No questionnaire is on record.", className="empty")]
    headings = ("Measure", "Trend", "Latest", "Since the start", "Since last time")
    rows = [_summary_cells(line) for line in lines]
    return [
        html.H2("At a glance", id="glance"),
        table("Latest score and change on each scale", headings, rows, blocks=True),
    ]


def _summary_cells(line: SummaryRow) -> list[Any]:
    return [
        html.A(line.title, href=f"#{line.chart}"),
        "" if line.spark is None else spark(line.spark),
        line.latest,
        _verdict(line.since_start, line.start_mood),
        _verdict(line.since_last, line.last_mood),
    ]


def _verdict(words: str, mood: Mood) -> Component:
    return html.Span(words or "–", className=f"verdict {mood}" if words else "nothing")


def _charts(review: ClientReview, theme: Theme) -> list[Component]:
    panels = [*(_panel(course, theme) for course in review.trajectories), *_goals_panel(review, theme)]
    return [
        html.H2("Over time", id="charts"),
        html.P("All scores are the client's own ratings.", className="quiet-words"),
        _controls(),
        html.Div(
            panels,
            className="panels",
        ),
    ]


def _controls() -> Component:
    choices = [{"value": key, "label": label} for key, label in AXES.items()]
    return html.Div(
        className="controls",
        role="group",
        **aria(label="Chart display"),
        children=[
            html.Div(
                [
                    html.Span("X axis", id="axis-label"),
                    dmc.SegmentedControl(id=ids.AXIS, data=choices, value="calendar", size="sm"),
                ],
                className="control",
            ),
            dmc.Switch(id=ids.BETTER_UP, label="Plot improvement upwards", checked=False, size="sm"),
        ],
    )


def _panel(course: Trajectory, theme: Theme) -> Component:
    """Lay out one chart with its caption, its table and the origin of its lines."""
    return chart(
        graph_id=ids.trajectory(chart_key(course)),
        figure=figure_of(course, theme=theme),
        anchor=anchor(course),
        title=course.title,
        caption=course.summary,
        key=_key(course),
        below=[*_full_description(course), _table(course), _origins(course)],
    )


def figure_of(
    course: Trajectory, *, axis: Axis = "calendar", better_is_up: bool = False, theme: Theme = "light"
) -> go.Figure:
    """Draw one course; its title, caption and the key of its marks stand on the page, where text wraps."""
    figure = trajectory_figure(course, axis=axis, better_is_up=better_is_up, theme=theme)
    figure.update_traces(showlegend=False, selector={"legend": "legend2"})
    height = layout_of(figure).height - _KEY_LINE * len(course.marks)
    return figure.update_layout(legend_title_text="", height=height, meta=None)


def _key(course: Trajectory) -> Component | None:
    """Name the events and status changes of the chart, by letter and shape."""
    if not course.marks:
        return None
    items = [
        html.Li([html.Span(mark.key, className=f"mark {mark_shape(mark)}"), f" {mark_words(mark)}"])
        for mark in course.marks
    ]
    return html.Ul(items, className="key", **aria(label="Events and status changes"))


def _full_description(course: Trajectory) -> list[Component]:
    """Lay out the full caption where it has more than the summary."""
    if course.caption == course.summary:
        return []
    return [html.Details([html.Summary("Full description"), html.P(course.caption, className="in-full")])]


def _table(course: Trajectory) -> Component:
    headings, rows = table_rows(course)
    scores = long_table(f"{course.title}: all scores", headings, rows)
    return html.Details([html.Summary("Show table of scores"), scores])


def _origins(course: Trajectory) -> Component:
    pairs = []
    for line in origins(course):
        doubt = [html.Span(f" ({line.doubt})", className="doubt")] if line.doubt else []
        pairs += [html.Dt(line.name), html.Dd([line.words, html.Br(), html.Cite(line.source), *doubt])]
    note = [html.P(course.curve_note, className="quiet-words")] if course.curve_note else []
    return html.Details([html.Summary("Sources"), html.Dl(pairs, className="origins"), *note])


def _goals_panel(review: ClientReview, theme: Theme) -> list[Component]:
    """Lay out the goals that are rated 0 to 10; those set on a questionnaire's points stand in its chart."""
    if not any(goal.scale is None and goal.ratings for goal in review.goals):
        return []
    figure = goals_figure(review.goals, theme=theme)
    panel = chart(
        graph_id=ids.trajectory(_GOALS),
        figure=figure,
        anchor="chart-goals",
        title="Goals: rated by the client, 0 to 10",
        caption=layout_of(figure).meta["caption"],
    )
    return [panel]


def _side_column(review: ClientReview, *, restricted: bool) -> list[Component]:
    sections = [*_goals(review), *_timeline(review), *_events(review), *_completeness(review)]
    return [*sections, *(_restricted_section() if restricted else ())]


def _goals(review: ClientReview) -> list[Component]:
    heading = html.H2("Goals")
    if not review.goals:
        return [heading, html.P("No goal is on record.", className="quiet-words")]
    items = [
        html.Li([html.Strong(goal.label), html.Br(), goal.words, html.Br(), html.Small(goal_words(goal))])
        for goal in review.goals
    ]
    return [heading, html.Ul(items, className="plain")]


def _timeline(review: ClientReview) -> list[Component]:
    if not review.timeline:
        return []
    return [html.H2("Relationships"), _list(period_words(period) for period in review.timeline)]


def _events(review: ClientReview) -> list[Component]:
    events = events_of(review)
    if not events:
        return []
    return [html.H2("Events"), _list(f"{day_words(mark.on)}: {mark.words}" for mark in events)]


def _completeness(review: ClientReview) -> list[Component]:
    if not review.completeness:
        return []
    items = [
        html.Li([html.Strong(questionnaire.name), html.Br(), questionnaire.words])
        for questionnaire in review.completeness
    ]
    return [html.H2("Questionnaires"), html.Ul(items, className="plain")]


def _list(lines: Iterable[str]) -> Component:
    return html.Ul([html.Li(line) for line in lines], className="plain")


def _restricted_section() -> list[Component]:
    """Lay out the closed restricted section; it does not reveal whether there is anything in it."""
    button = html.Button("Show", id=ids.RECORD_BUTTON, className="quiet", **aria(expanded="false"))
    door = [html.H2("Restricted"), html.P(["Visible to you only. Press Escape to hide. ", button])]
    return [html.Div([*door, html.Div(id=ids.RECORD, **aria(live="polite"))], className="no-print")]


@with_definitions_of_record
def safety_panel(store: Store, client_id: str | None, clicks: int | None) -> tuple[list[Component], str, str]:
    """Answer the button: open at each odd click, for those who may read it."""
    if client_id is None or not clicks or clicks % 2 == 0:
        return [], "Show", "false"
    review = client_safety(store, client_id)
    if review is None:
        return [], "Show", "false"
    lines = [
        f"{day_words(flag.raised_on)}, {short_name(flag.instrument)}: {flag.label}"
        + (" (left blank)" if flag.kind == "ask" else "")
        + ("" if flag.acknowledged_at is None else f"; seen by {flag.acknowledged_by}")
        for flag in review.flags
    ]
    return [_list(lines) if lines else html.P("Nothing is on record.")], "Hide", "true"


def redraw(
    store: Store,
    client_id: str | None,
    axis: str,
    up: object,
    theme: str,
    charts: Sequence[dict[str, str]],
    *,
    cohort: CohortModels | None = None,
    today: dt.date | None = None,
) -> list[go.Figure]:
    """Redraw the charts of a page as its controls are set.

    What comes from the browser is a claim: the store answers for its visitor's clients alone (NotInRecord), and
    an axis or theme that does not exist is the usual one.
    """
    with store.snapshot(), definitions_of(store):
        review = client_review(store, _known(client_id), cohort=cohort, as_of=today)
    courses = {chart_key(course): course for course in review.trajectories}
    chosen: Axis = "session" if axis == "session" else "calendar"
    page_theme: Theme = "dark" if theme == "dark" else "light"

    def draw(chart_name: str) -> go.Figure:
        if chart_name == _GOALS:
            return goals_figure(review.goals, theme=page_theme)
        if chart_name not in courses:
            raise NotInRecord("The page has no such chart.")
        return figure_of(courses[chart_name], axis=chosen, better_is_up=up is True, theme=page_theme)

    return [draw(chart_id["chart"]) for chart_id in charts]


def _known(client_id: str | None) -> str:
    if client_id is None:
        raise NotInRecord("The path does not name a client.")
    return client_id


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
    app.callback(
        Output(ids.ALL_TRAJECTORIES, "figure"),
        Input(ids.AXIS, "value"),
        Input(ids.BETTER_UP, "checked"),
        Input(ids.THEME, "data"),
        State(ids.ALL_TRAJECTORIES, "id"),
        State(ids.URL, "pathname"),
        prevent_initial_call=True,
    )(
        lambda *inputs: redraw(
            record_view(client_of(inputs[-1])), client_of(inputs[-1]), *inputs[:-1], cohort=models(), today=today()
        )
    )
    app.callback(
        Output(ids.RECORD, "children"),
        Output(ids.RECORD_BUTTON, "children"),
        Output(ids.RECORD_BUTTON, "aria-expanded"),
        Input(ids.RECORD_BUTTON, "n_clicks"),
        State(ids.URL, "pathname"),
        prevent_initial_call=True,
    )(lambda clicks, path: safety_panel(record_view(client_of(path)), client_of(path), clicks))


def _lay_out(request: PageRequest) -> list[Component]:
    client_id = _known(request.client_id)
    above = banner(request.store, client_id, request.token)
    return [*above, *layout(request.store, client_id, request.theme, request.models, request.today)]


PAGE = Page(
    name="client",
    pattern=rf"/client/{CLIENT_ID}",
    path="",
    label="Client",
    may_open=lambda user: user.role in MAY_OPEN,
    layout=_lay_out,
    register=register,
)
