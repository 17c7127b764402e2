"""One measure enlarged, in a dialog: the chart with everything named, its words, table, answers and sources."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria, script_data
from dashboards.components.charts import CONFIG
from dashboards.components.tables import long_table
from dashboards.components.wording import mood
from dashboards.pages.client.content import table_rows
from dashboards.pages.client.snapshot import Snapshot, chart_key
from mbc.care.client.line_sources import origins
from mbc.care.client.review_words import heading_words, needed_words, verdict_line
from mbc.care.values.course import Trajectory
from mbc.figures.client_page.course_chart import LARGE_HEIGHT

_NONE: Any = {
    "data": [],
    "layout": {"xaxis": {"visible": False}, "yaxis": {"visible": False}, "height": LARGE_HEIGHT},
}


def dialog(snapshot: Snapshot) -> Component:
    """Lay out the dialog; the browser shows the words of the measure that was chosen, and draws its chart."""
    controls = html.Div(
        [
            html.Button(
                "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
                id="enlarged-previous",
                className="quiet",
                **aria(label="Previous measure"),
            ),
            html.Button(
                "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
                id="enlarged-next",
                className="quiet",
                **aria(label="Next measure"),
            ),
            html.Button(
                "Compare all, 0 to 100", id="enlarged-compare", className="quiet", **aria(pressed="false")
            ),
            html.Button("Close", id="enlarged-close", className="quiet"),
        ],
        className="enlarged-controls",
    )
    graph = html.Div(
        dcc.Graph(id=ids.ENLARGED_GRAPH, figure=_NONE, config=CONFIG, style={"height": f"{LARGE_HEIGHT}px"}),
        id="enlarged-points",
        className="drawing",
        role="slider",
        tabIndex="0",
        **aria(
            label="Scores: arrow keys move from score to score",
            valuemin="1",
            valuemax="1",
            valuenow="1",
            valuetext="",
        ),
    )
    answers = html.Details(
        [
            html.Summary("Every answer"),
            html.Div(
                dcc.Graph(id=ids.ANSWERS_GRAPH, figure=_NONE, config=CONFIG),
                className="drawing answers",
                role="img",
                **aria(label="Answers, item by item"),
            ),
        ],
        id="enlarged-answers",
    )
    return html.Dialog(
        [
            controls,
            *(_head(course) for course in snapshot.drawn),
            graph,
            html.P(id="enlarged-point", className="point-words", **aria(live="polite")),
            *(_foot(course) for course in snapshot.drawn),
            answers,
        ],
        id=ids.ENLARGED,
        className="enlarged no-print",
        **aria(label="One measure enlarged"),
    )


def _head(course: Trajectory) -> Component:
    _, verdict = verdict_line(course)
    mark = [] if verdict is None else [html.Span(className=f"verdict {mood(verdict)}"), " "]
    return html.Div(
        [
            html.H2(heading_words(course)),
            html.P([*mark, course.summary]),
            *([html.P(text, className="quiet-words")] if (text := needed_words(course)) else []),
            *([html.P(text, className="quiet-words")] if (text := course.no_forecast_words) else []),
        ],
        className="enlarged-words",
        hidden=True,
        **script_data(chart=chart_key(course)),
    )


def _foot(course: Trajectory) -> Component:
    return html.Div(
        [*full_description(course), score_table(course), sources(course)],
        className="enlarged-words",
        hidden=True,
        **script_data(chart=chart_key(course)),
    )


def full_description(course: Trajectory) -> list[Component]:
    """Lay out the full caption where it has more than the summary."""
    if course.caption == course.summary:
        return []
    return [html.Details([html.Summary("Full description"), html.P(course.caption, className="in-full")])]


def score_table(course: Trajectory) -> Component:
    """Lay out every score."""
    headings, rows = table_rows(course)
    scores = long_table(f"{course.title}: all scores", headings, rows)
    return html.Details([html.Summary("Show table of scores"), scores])


def sources(course: Trajectory) -> Component:
    """Lay out where each line is from."""
    pairs: list[Component] = []
    for line in origins(course):
        doubt = [html.Span(f" ({line.doubt})", className="doubt")] if line.doubt else []
        pairs += [html.Dt(line.name), html.Dd([line.words, html.Br(), html.Cite(line.source), *doubt])]
    note = [html.P(course.curve_note, className="quiet-words")] if course.curve_note else []
    return html.Details([html.Summary("Sources"), html.Dl(pairs, className="origins"), *note])
