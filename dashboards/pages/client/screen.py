"""The first screen of a client's page: where they stand, what to ask, every measure, what happened, what moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria, script_data
from dashboards.components.charts import CONFIG
from dashboards.components.sparklines import spark, spark_mask
from dashboards.components.state_mark import state_class
from dashboards.components.wording import day_words, mood
from dashboards.pages.client.content import anchor
from dashboards.pages.client.print_forms import print_menu
from dashboards.pages.client.snapshot import Snapshot, chart_key
from dashboards.pages.client.view import ChartView
from mbc.care import words
from mbc.care.client.goals import rating_range
from mbc.care.client.moved_items import ItemStrip
from mbc.care.client.review import headline
from mbc.care.client.review_words import (
    agenda,
    facts,
    mark_words,
    not_yet_words,
    period_words,
    state_reasons,
    state_words,
    value_words,
    verdict_line,
)
from mbc.care.course.charted_scales import ALLIANCE
from mbc.care.values.course import Trajectory, Verdict
from mbc.care.values.review import ClientReview, GoalProgress
from mbc.figures.client_page.sheet import Chart
from mbc.figures.client_page.timeline_chart import alliance_ratings, repair_caption
from mbc.store import ReleaseOfInformation

AXES = {"calendar": "dates", "session": "sessions"}
STILL: Any = {**CONFIG, "staticPlot": True}
_LATEST_ANSWERS = 12
_LEVELS = 5  # shades of a heat strip
_MOST_GOALS = 4
_LEGEND = (
    ("score", "score"),
    ("noise", "measurement error"),
    ("expected", "expected from intake"),
    ("fan", "likely end (80%)"),
    ("cutoff", "cutoff"),
    ("goal", "goal"),
    ("same", "no clear change"),
)


def header(
    review: ClientReview,
    *,
    restricted: bool,
    record: str = "",
    send: str = "",
    token: str = "",
    asked: str = "",
    releases: Sequence[ReleaseOfInformation] = (),
    reader: str | None = None,
) -> Component:
    """Lay out who this is, how they are, and what today is about.

    ``record`` is where something is recorded, ``send`` where the client is asked, ``asked`` what they were asked,
    ``reader`` the clinician who reads it.
    """
    buttons: list[Component] = [print_menu(review, token, releases if restricted else None)]
    if send:
        buttons.insert(0, html.A("Send", href=send, className="button", **script_data(drawer="yes")))
    if record:
        buttons.insert(0, html.A("Record", href=record, className="button firm", **script_data(drawer="yes")))
    if restricted:
        buttons.append(
            html.Button(
                "Restricted",
                id=ids.RECORD_BUTTON,
                className="quiet",
                **aria(expanded="false", controls=ids.RECORD),
            )
        )
    lines: list[Component] = [
        html.P(
            [
                html.Strong(state_words(review), className=f"state {_state(review)}"),
                html.Span(headline(review.trajectories, brief=True) if review.trajectories else review.headline),
            ],
            className="headline",
        )
    ]
    reasons = state_reasons(review)
    lines += [html.P(reasons, className="reasons")] if reasons else []
    today = agenda(review)
    lines += [html.P(today, className="quiet-words agenda")] if today else []
    lines += [html.P(asked, className="quiet-words")] if asked else []
    return html.Header(
        [
            html.Div(
                [
                    html.H1(review.alias or review.client_id),
                    html.P(facts(review, reader=reader), className="quiet-words facts"),
                    html.Div(buttons, className="actions no-print"),
                ],
                className="who-line",
            ),
            *lines,
            *(
                [html.Div(id=ids.RECORD, className="restricted no-print", **aria(live="polite"))]
                if restricted
                else []
            ),
        ],
        className="client-head",
    )


def _state(review: ClientReview) -> str:
    return state_class(None if review.closed is not None else review.state.state)


def questions(review: ClientReview) -> list[Component]:
    """Lay out what to ask, each with its reason; nothing after care has ended."""
    if review.closed is not None:
        return []
    if not review.questions:
        return [html.P("No particular questions today.", className="quiet-words")]
    items = [
        html.Li([html.Span(question.text, className="question"), html.Span(question.reason, className="reason")])
        for question in review.questions
    ]
    return [html.H2("What to ask", className="unseen", id="ask"), html.Ol(items, className="ask")]


def tiles(snapshot: Snapshot, charts: dict[str, Chart]) -> list[Component]:
    """Lay out one tile per measure, and one for the goals at the end."""
    review = snapshot.review
    panels = [
        _tile(course, charts.get(chart_key(course)))
        for course in review.trajectories
        if course.construct != ALLIANCE  # that is on the timeline
    ]
    if review.goals:
        panels.append(_goals_tile(review.goals))
    if not panels:
        return [html.P("No questionnaire is on record yet.", className="empty")]
    return [
        html.H2("Measures", className="unseen", id="measures"),
        *([html.P(words, className="quiet-words")] if (words := not_yet_words(snapshot.drawn)) else []),
        html.Div(panels, className=f"tiles {'few' if len(panels) <= 4 else ''}"),
    ]


def _tile(course: Trajectory, chart: Chart | None) -> Component:
    value, moved = value_words(course)
    verdict, kind = verdict_line(course)
    name, _, questionnaire = course.title.partition(": ")
    head = html.Div(
        [
            html.H3(
                html.Button(
                    [name, html.Span(f" {questionnaire}", className="unseen")],
                    className="enlarge",
                    **script_data(chart=chart_key(course)),
                    **aria(haspopup="dialog"),
                )
                if chart is not None
                else [name, html.Span(f" {questionnaire}", className="unseen")]
            ),
            html.P([html.Span(moved, className="moved"), html.B(value)] if value else [], className="value"),
        ],
        className="tile-head",
    )
    drawing: list[Component] = []
    if chart is not None:
        drawing = [
            html.Div(
                dcc.Graph(id=ids.trajectory(chart_key(course)), figure=chart, config=STILL, style=_tall(chart)),
                className="drawing",
                role="img",
                **aria(label=f"Chart. {course.title}: {verdict}"),
            )
        ]
    return html.Article(
        [head, html.P(_quiet(verdict, kind), className=f"verdict {mood(kind)}"), *drawing],
        className="tile",
        id=anchor(course),
    )


def _quiet(verdict: str, kind: Verdict | None) -> Component | str:
    """Show only a mark where nothing needs attention, with text for screen readers."""
    if kind != "no clear change":
        return verdict
    return html.Span(html.Span(verdict, className="unseen"), title=verdict)


def _tall(chart: Chart) -> dict[str, str]:
    return {"height": f"{chart['layout']['height']}px"}


def _goals_tile(goals: Sequence[GoalProgress]) -> Component:
    items: list[Component] = []
    for goal in [goal for goal in goals if goal.retired_on is None or goal.reached][:_MOST_GOALS]:
        latest = goal.ratings[-1][1] if goal.ratings else None
        mask = spark_mask([rating for _, rating in goal.ratings], _bounds(goal))
        value = "not rated" if latest is None else words.number(latest, 1)
        items.append(
            html.Li(
                [
                    html.Span(goal.label, className="goal-label", title=goal.label),
                    "" if mask is None else spark(mask),
                    html.B(value, className="reached" if goal.reached else ""),
                    html.Span(" reached" if goal.reached else "", className="unseen"),
                ]
            )
        )
    return html.Article(
        [html.Div(html.H3("Goals"), className="tile-head"), html.Ul(items, className="goal-list")],
        className="tile",
        id="chart-goals",
    )


def _bounds(goal: GoalProgress) -> tuple[float, float]:
    if goal.scale is None:
        return rating_range(goal.baseline, goal.target)
    ratings = [rating for _, rating in goal.ratings] + [goal.target or 0.0]
    return min(ratings), max(*ratings, min(ratings) + 1e-9)


def legend_and_controls(view: ChartView) -> Component:
    """Lay out one legend for all tiles, and how they are drawn."""
    key = [
        html.Li([html.I(className=f"verdict {kind}" if kind == "same" else f"swatch {kind}"), label])
        for kind, label in _LEGEND
    ]
    axis = dmc.SegmentedControl(
        id=ids.AXIS,
        data=[{"value": value, "label": label} for value, label in AXES.items()],
        value=view.axis,
        size="xs",
    )
    switches = [
        dmc.Switch(id=name, label=label, checked=checked, size="xs")
        for name, label, checked in (
            (ids.BETTER_UP, "improvement up", view.better_is_up),
            (ids.COMMON, "0 to 100", view.common),
            (ids.QUIET, "quiet", view.quiet),
        )
    ]
    return html.Div(
        [
            html.Details(
                [html.Summary("Legend"), html.Ul(key, className="legend", **aria(label="Legend"))],
                className="legend-fold",
            ),
            html.Div(
                [axis, *switches], className="controls no-print", role="group", **aria(label="Chart display")
            ),
        ],
        className="below-tiles",
    )


def along_the_way(snapshot: Snapshot, chart: Chart | None) -> list[Component]:
    """Lay out the timeline, drawn and as a list."""
    review = snapshot.review
    events = [mark_words(mark) for mark in snapshot.marks if mark.kind == "event"]
    lines = [*(period_words(period) for period in review.timeline), *events]
    lines.append(f"{words.count(review.sessions_attended, 'session')} kept, {review.sessions_missed} missed")
    ratings = alliance_ratings(review.trajectories)
    lines += [
        f"{day_words(rating.on)}: {rating.words}" for rating in ratings if rating.fell or rating is ratings[-1]
    ]
    lines += [f"{day_words(mark.on)}: {mark.words}" for mark in review.strips]
    drawing: list[Component] = []
    if chart is not None:
        graph = dcc.Graph(id=ids.trajectory(ids.TIMELINE), figure=chart, config=CONFIG, style=_tall(chart))
        drawing = [
            html.Div(
                graph, className="drawing", role="img", **aria(label="Timeline", describedby="timeline-words")
            )
        ]
    caption = repair_caption(review, drawn=bool(drawing))
    return [
        html.H2("Along the way"),
        *drawing,
        html.Ul(
            [html.Li(line) for line in lines], id="timeline-words", className="unseen" if drawing else "plain"
        ),
        *([html.P(caption, className="quiet-words")] if caption else []),
    ]


def moved_items(snapshot: Snapshot) -> list[Component]:
    """Lay out the items that moved most, each as a heat strip of its latest answers."""
    if snapshot.review.closed is not None:
        return []
    heading = html.H2(["Largest changes", html.Span(" since last time", className="unseen")])
    if not snapshot.moved:
        return [heading, html.P("No answer changed much.", className="quiet-words")]
    rows = [
        html.Tr([html.Th(_item(strip), scope="row"), html.Td(_strip(strip)), html.Td(_move(strip))])
        for strip in snapshot.moved
    ]
    head = html.Thead(
        html.Tr([html.Th(text, scope="col") for text in ("Item", "Answers", "Last change")]), className="unseen"
    )
    caption = html.Caption("Items with the largest changes", className="unseen")
    return [heading, html.Table([caption, head, html.Tbody(rows)], className="moved-items")]


def _item(strip: ItemStrip) -> list[Component | str]:
    return [strip.label, html.Small(f" {strip.name}")]


def _strip(strip: ItemStrip) -> Component:
    cells = [
        html.Span(
            "" if answer is None else words.number(answer),
            className=f"cell-{_shade(strip, answer)}",
            title=day_words(day),
        )
        for day, answer in list(zip(strip.days, strip.answers, strict=True))[-_LATEST_ANSWERS:]
    ]
    return html.Div(cells, className="strip")


def _shade(strip: ItemStrip, answer: float | None) -> str:
    return "blank" if answer is None else str(min(int(strip.level(answer) * _LEVELS), _LEVELS - 1))


def _move(strip: ItemStrip) -> Component:
    before, after = strip.answers[-2:]
    text = f"{words.number(before or 0.0)} \N{RIGHTWARDS ARROW} {words.number(after or 0.0)}"
    word = "better" if strip.improved else "worse"
    return html.Span([text, html.Span(f" {word}", className="unseen")], className=f"move {word}")
