"""Content below the first screen: relationships compared, goals in full, questionnaires, a summary."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.charts import CONFIG
from dashboards.components.tables import table
from dashboards.components.wording import day_words
from dashboards.pages.client.content import summary_row
from dashboards.pages.client.signal import signal_history
from dashboards.pages.client.snapshot import Snapshot
from mbc.care import words
from mbc.care.client.course_shapes import clinic_note
from mbc.care.client.pattern_recurrence import PatternTable
from mbc.care.client.relationship_patterns import STORIES, Comparison
from mbc.care.client.review_words import goal_words
from mbc.care.values.review import ClientReview
from mbc.figures.client_page.sheet import Chart


def below(snapshot: Snapshot, quadrant: Chart | None) -> list[Component]:
    """Lay out everything that a clinician may open after the first screen."""
    review = snapshot.review
    parts = [*_patterns(snapshot, quadrant), *_shapes(snapshot)]
    parts += [*_goals(review), *_questionnaires(review), *_measures(review)]
    parts += _recurrence(snapshot.recurrence)
    parts += signal_history(snapshot.signals.entries)
    return [html.Div(parts, className="below-screen")] if parts else []


def _patterns(snapshot: Snapshot, quadrant: Chart | None) -> list[Component]:
    if not snapshot.patterns:
        return []
    headings = ("Relationship", "From", "To", "Satisfaction", "Own side", "Attachment anxiety", "In short")
    rows = [
        [
            f"{pattern.label} ({pattern.status})",
            day_words(pattern.began),
            day_words(pattern.ended) or "now",
            _compared(pattern.satisfaction),
            _compared(pattern.own_side),
            _compared(pattern.attachment_anxiety),
            f"{pattern.story}: {STORIES[pattern.story]}",
        ]
        for pattern in snapshot.patterns
    ]
    drawing: list[Component] = []
    if quadrant is not None:
        graph = dcc.Graph(
            id=ids.trajectory(ids.QUADRANT), figure=quadrant, config=CONFIG, style={"height": "300px"}
        )
        drawing = [
            html.Div(
                graph,
                className="drawing",
                role="img",
                **aria(
                    label="Own side against satisfaction, relationship by relationship; the table has the numbers"
                ),
            )
        ]
    return [
        html.Details(
            [
                html.Summary("Relationships compared"),
                html.P(
                    "First and last score during each relationship; a difference within measurement error is no "
                    "clear change.",
                    className="quiet-words",
                ),
                html.Div(
                    [*drawing, table("Relationships compared", headings, rows, blocks=True)], className="compared"
                ),
            ]
        )
    ]


def _recurrence(table_of: PatternTable) -> list[Component]:
    """Lay out which patterns come back, relationship by relationship, and the support network."""
    if not table_of.rows and not table_of.support:
        return []
    rows = [
        [
            row.pattern.capitalize(),
            *("seen" if label in row.seen_in else "\N{EN DASH}" for label in table_of.labels),
            row.words,
            "; ".join(row.goals) or "\N{EN DASH}",
        ]
        for row in table_of.rows
    ]
    headings = ("Pattern", *table_of.labels, "In short", "Goals")
    inside: list[Component] = [table("Patterns across relationships", headings, rows, blocks=True)] if rows else []
    inside += [html.P(words.sentence(table_of.support))] if table_of.support else []
    return [html.Details([html.Summary("Patterns and support"), *inside])]


def _compared(comparison: Comparison | None) -> str:
    if comparison is None:
        return "\N{EN DASH}"
    before, after = (
        words.number(value, comparison.decimals) for value in (comparison.change.before, comparison.change.after)
    )
    return f"{before} \N{RIGHTWARDS ARROW} {after}, {comparison.verdict}"


def _shapes(snapshot: Snapshot) -> list[Component]:
    """Lay out how uneven each course is, beside the clinic's own."""
    if not snapshot.shapes:
        return []
    headings = ("Measure", "Setbacks", "Time to regain", "Longest plateau")
    rows = [
        (shape.title, shape.setback_words, shape.regain_words, shape.plateau_words) for shape in snapshot.shapes
    ]
    about = f"Setbacks larger than measurement error, in the present course. {clinic_note(snapshot.shapes)}"
    return [
        html.Details(
            [
                html.Summary("Setbacks and plateaus"),
                html.P(about, className="quiet-words"),
                table("Setbacks and plateaus of each measure", headings, rows, blocks=True),
            ]
        )
    ]


def _goals(review: ClientReview) -> list[Component]:
    if not review.goals:
        return []
    items = [
        html.Li([html.Strong(goal.label), html.Br(), goal.words, html.Br(), html.Small(goal_words(goal))])
        for goal in review.goals
    ]
    return [html.Details([html.Summary("Goals in full"), html.Ul(items, className="plain")])]


def _questionnaires(review: ClientReview) -> list[Component]:
    if not review.completeness:
        return []
    items = [html.Li([html.Strong(entry.name), html.Br(), entry.words]) for entry in review.completeness]
    return [html.Details([html.Summary("Questionnaires answered"), html.Ul(items, className="plain")])]


def _measures(review: ClientReview) -> list[Component]:
    """Lay out all measures as a table: for paper, and for those who would rather read."""
    if not review.trajectories:
        return []
    headings = ("Measure", "Latest", "Since the start", "Since last time")
    rows = [
        (row.title, row.latest, row.since_start, row.since_last) for row in map(summary_row, review.trajectories)
    ]
    return [
        html.Details(
            [
                html.Summary("All measures as a table"),
                table("Latest score and change on each scale", headings, rows, blocks=True),
            ],
            className="all-measures",
        )
    ]
