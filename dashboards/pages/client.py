"""One client, two minutes before a session: what changed beyond noise, against what, and what to ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.charts import chart
from dashboards.components.tables import table
from dashboards.pages.caseload import spark
from dashboards.routes import client_of
from dashboards.view_models.client import (
    Glance,
    anchor,
    chart_key,
    facts,
    glance,
    goal_words,
    happenings,
    origins,
    period_words,
    table_rows,
)
from dashboards.view_models.words import day_words
from dashboards.visitor import my_store
from mbc.care import ClientReview, Trajectory, client_review
from mbc.errors import NotInRecord
from mbc.figures import goals_figure, trajectory_figure
from mbc.figures.axis import Axis
from mbc.figures.theme import Theme
from mbc.store import Store

_TITLE = 28  # pixels that a figure keeps for its title, which here is a heading
AXES: dict[Axis, str] = {"calendar": "Calendar", "session": "Sessions"}


def layout(store: Store, client_id: str, theme: Theme) -> list[Component]:
    """Lay out one client's page; raises NotInRecord for a client the store does not show."""
    review = client_review(store, client_id)
    return [
        html.P(dcc.Link("Caseload", href="/caseload"), className="crumb"),
        html.H1(review.alias or review.client_id),
        html.P(facts(review), className="quiet-words"),
        html.P(review.headline, className="lead"),
        html.Div(
            className="client",
            children=[
                html.Section(_ask(review), className="ask", **{"aria-labelledby": "ask"}),
                html.Section(_glance(review), className="at-a-glance", **{"aria-labelledby": "glance"}),
                html.Section(_charts(review, theme), className="charts", **{"aria-labelledby": "charts"}),
                html.Aside(_beside(review, theme), className="beside", **{"aria-label": "Goals and life"}),
            ],
        ),
    ]


def _ask(review: ClientReview) -> list[Component]:
    if not review.questions:
        return [html.H2("What to ask", id="ask"), html.P("Nothing stands out.", className="quiet-words")]
    items = [
        html.Li([html.Span(one.text, className="question"), html.Span(one.reason, className="reason")])
        for one in review.questions
    ]
    return [html.H2("What to ask", id="ask"), html.Ol(items)]


def _glance(review: ClientReview) -> list[Component]:
    lines = [glance(course) for course in review.trajectories]
    if not lines:
        return [html.H2("At a glance", id="glance"), html.P("No questionnaire is on record.", className="empty")]
    headings = ("Measure", "Course", "Latest", "Since the start", "Since last time")
    rows = [_glance_row(line) for line in lines]
    return [html.H2("At a glance", id="glance"), table("Latest score and change on each scale", headings, rows)]


def _glance_row(line: Glance) -> list[Any]:
    return [
        html.A(line.title, href=f"#{line.chart}"),
        "" if line.spark is None else spark(line.spark),
        line.latest,
        html.Span(line.since_start, className=f"verdict {line.start_mood}") if line.since_start else "–",
        html.Span(line.since_last, className=f"verdict {line.last_mood}") if line.since_last else "–",
    ]


def _charts(review: ClientReview, theme: Theme) -> list[Component]:
    return [
        html.H2("Over time", id="charts"),
        html.P("Every score is the client's own view.", className="quiet-words"),
        _controls(),
        html.Div([_panel(course, theme) for course in review.trajectories], className="panels"),
    ]


def _controls() -> Component:
    choices = [{"value": key, "label": label} for key, label in AXES.items()]
    return html.Div(
        className="controls",
        role="group",
        **{"aria-label": "How the charts are drawn"},
        children=[
            html.Div(
                [
                    html.Span("Time in", id="axis-label"),
                    dmc.SegmentedControl(id=ids.AXIS, data=choices, value="calendar", size="sm"),
                ],
                className="control",
            ),
            dmc.Switch(id=ids.BETTER_UP, label="Draw better as up", checked=False, size="sm"),
        ],
    )


def _panel(course: Trajectory, theme: Theme) -> Component:
    """Lay out one chart with its caption, its table and the origin of its lines."""
    return chart(
        graph_id=ids.trajectory(chart_key(course)),
        figure=figure_of(course, theme=theme),
        anchor=anchor(course),
        title=course.title,
        caption=course.caption,
        below=[_table(course), _origins(course)],
    )


def figure_of(
    course: Trajectory, *, axis: Axis = "calendar", better_is_up: bool = False, theme: Theme = "light"
) -> go.Figure:
    """Draw one course; its title stands on the page, as a heading."""
    figure = trajectory_figure(course, axis=axis, better_is_up=better_is_up, theme=theme)
    height = figure.layout.height - _TITLE
    return figure.update_layout(title=None, height=height, margin_t=figure.layout.margin.t - _TITLE)


def _table(course: Trajectory) -> Component:
    headings, rows, numbers = table_rows(course)
    return html.Details(
        [
            html.Summary("Every score as a table"),
            table(f"{course.title}: every score", headings, rows, numbers=numbers),
        ]
    )


def _origins(course: Trajectory) -> Component:
    pairs = []
    for one in origins(course):
        doubt = [html.Span(f" ({one.doubt})", className="doubt")] if one.doubt else []
        pairs += [html.Dt(one.name), html.Dd([one.words, html.Br(), html.Cite(one.source), *doubt])]
    note = [html.P(course.curve_note, className="quiet-words")] if course.curve_note else []
    return html.Details([html.Summary("Where these lines come from"), html.Dl(pairs, className="origins"), *note])


def _beside(review: ClientReview, theme: Theme) -> list[Component]:
    return [*_goals(review, theme), *_timeline(review), *_events(review), *_completeness(review)]


def _goals(review: ClientReview, theme: Theme) -> list[Component]:
    heading = html.H2("Goals")
    if not review.goals:
        return [heading, html.P("No goal is on record.", className="quiet-words")]
    items = [
        html.Li([html.Strong(one.label), html.Br(), one.words, html.Br(), html.Small(goal_words(one))])
        for one in review.goals
    ]
    drawn = [goal for goal in review.goals if goal.scale is None and goal.ratings]
    graph = [_goals_graph(review, theme)] if drawn else []
    return [heading, html.Ul(items, className="plain"), *graph]


def _goals_graph(review: ClientReview, theme: Theme) -> Component:
    figure = goals_figure(review.goals, theme=theme)
    return chart(
        graph_id=ids.GOALS_GRAPH,
        figure=figure,
        anchor="chart-goals",
        title="Goals over time",
        caption=figure.layout.meta["caption"],
        heading=False,
    )


def _timeline(review: ClientReview) -> list[Component]:
    if not review.timeline:
        return []
    return [html.H2("Relationships"), _list(period_words(one) for one in review.timeline)]


def _events(review: ClientReview) -> list[Component]:
    found = happenings(review)
    if not found:
        return []
    return [html.H2("Events"), _list(f"{day_words(mark.on)}: {mark.words}" for mark in found)]


def _completeness(review: ClientReview) -> list[Component]:
    if not review.completeness:
        return []
    items = [html.Li([html.Strong(one.name), html.Br(), one.words]) for one in review.completeness]
    return [html.H2("Questionnaires"), html.Ul(items, className="plain")]


def _list(lines: Iterable[str]) -> Component:
    return html.Ul([html.Li(line) for line in lines], className="plain")


def redraw(
    store: Store,
    client_id: str | None,
    charts: Sequence[dict[str, str]],
    axis: str,
    up: bool,
    theme: str,
) -> list[go.Figure]:
    """Draw the charts of a page anew, as its controls now say.

    What comes from the browser is a claim: the store answers for its visitor's clients alone (NotInRecord), and
    an axis or theme that does not exist is the usual one.
    """
    if client_id is None:
        raise NotInRecord("There is no such client on record.")
    courses = {chart_key(course): course for course in client_review(store, client_id).trajectories}
    chosen: Axis = "session" if axis == "session" else "calendar"
    page: Theme = "dark" if theme == "dark" else "light"
    return [figure_of(courses[one["chart"]], axis=chosen, better_is_up=bool(up), theme=page) for one in charts]


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
        lambda axis, up, theme, charts, path: redraw(
            my_store(), client_of(path), charts, axis=axis, up=up, theme=theme
        )
    )
