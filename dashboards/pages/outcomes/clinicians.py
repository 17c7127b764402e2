"""Outcomes compared with what is expected given case mix: a clinician's own, and of all for those who may."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.charts import chart
from dashboards.components.tables import table
from dashboards.pages.outcomes.content import Choice
from mbc import figures
from mbc.care.clinic import clinician_words as words
from mbc.care.clinic.clinician_comparisons import ClinicianComparisons, finished_measures
from mbc.care.clinic.clinician_outcomes import ClinicianOutcomes
from mbc.errors import MbcError
from mbc.figures.theme import Theme
from mbc.instruments.short_names import short_name
from mbc.store import Store, User

COMPARE = "clinicians:compare"
_NOTHING = (
    "No client whose care has ended has answered a questionnaire on two days yet: there is nothing to compare."
)


def has_comparison(user: User) -> bool:
    """Whether a user has clients of their own to compare, or may compare clinicians."""
    return user.has_permission("aggregate:read") and bool(user.clinician_id or user.has_permission(COMPARE))


def measure_choices(store: Store, comparisons: ClinicianComparisons | None) -> tuple[Choice, ...]:
    """Give the questionnaires that may be chosen: of one's own clients, and of all for those who may compare."""
    user = store.user
    own = finished_measures(store) if user is not None and user.clinician_id else ()
    everybody = comparisons.measures() if comparisons is not None and store.has_permission(COMPARE) else ()
    return tuple(Choice(key, short_name(key)) for key in dict.fromkeys((*own, *everybody)))


def plain_links(choices: Sequence[Choice]) -> list[Component]:
    """Lead to each questionnaire in a browser that runs no scripts."""
    if len(choices) < 2:
        return []
    links = [html.Li(html.A(each.label, href=f"/outcomes/{each.value}")) for each in choices]
    return [
        html.Ul(links, className="plain only-plain", **aria(label="Compared with what is expected, by measure"))
    ]


def comparison_content(
    store: Store, comparisons: ClinicianComparisons | None, measure: str | None, theme: Theme
) -> list[Component]:
    """Lay out the comparisons of one questionnaire that this view may have."""
    if comparisons is None or store.user is None:
        return []
    parts: list[Component] = []
    if store.user.clinician_id:
        parts += _own(store, comparisons, measure, theme)
    if store.has_permission(COMPARE):
        parts += _everybody(store, comparisons, measure, theme)
    return parts


def _own(store: Store, comparisons: ClinicianComparisons, measure: str | None, theme: Theme) -> list[Component]:
    title, name = "Your clients compared with what is expected", "own-comparison"
    if measure is None:
        return [_withheld(title, name, _NOTHING)]
    try:
        made = comparisons.own(store, measure)
    except MbcError as fault:
        return [_withheld(title, name, str(fault))]
    (line,) = made.lines
    inside = [
        html.P(words.own_words(line), className="lead"),
        html.P(words.not_measured(line)),
        html.P(f"{words.counted(made, own=True)} {words.POINTS}", className="quiet-words"),
    ]
    return [
        _section(title, name, made, inside),
        chart(
            graph_id=ids.OWN_COMPARISON_GRAPH,
            figure=figures.clinician_difference(made, title="").plotly(theme=theme),
            anchor="chart-own-comparison",
            title="Your difference from what is expected, with 95 % limits",
            caption="The numbers of this chart are in the words above.",
        ),
    ]


def _everybody(
    store: Store, comparisons: ClinicianComparisons, measure: str | None, theme: Theme
) -> list[Component]:
    title, name = "Clinicians compared with what is expected", "clinicians"
    if measure is None:
        return [_withheld(title, name, _NOTHING)]
    try:
        made = comparisons.everybody(store, measure)
    except MbcError as fault:
        return [_withheld(title, name, str(fault))]
    rows = [[line.clinician_id, *words.line_words(line)] for line in made.lines]
    listed = (
        table(title, words.HEADINGS, rows, numbers=range(1, len(words.HEADINGS)), blocks=True)
        if rows
        else html.P(words.nobody_listed(made), className="empty")
    )
    inside = [
        html.P(f"{words.counted(made, own=False)} {words.POINTS}", className="lead"),
        listed,
        html.Ul([html.Li(each) for each in words.comparison_notes(made)] if rows else []),
    ]
    parts: list[Component] = [_section(title, name, made, inside)]
    if rows:
        parts.append(
            chart(
                graph_id=ids.CLINICIANS_GRAPH,
                figure=figures.clinician_funnel(made, title="").plotly(theme=theme),
                anchor="chart-clinicians",
                title="Differences by number of measured clients",
                caption=f"{words.limits_words(made)} All numbers of this chart are in the table above.",
            )
        )
    return parts


def _section(title: str, name: str, made: ClinicianOutcomes, inside: Sequence[Component]) -> Component:
    expected = words.expectation_lines(made.expectation, rounded=made.own)
    details = html.Details(
        [html.Summary("What is expected"), html.Ul([html.Li(each.strip()) for each in expected])]
    )
    notes = html.Ul([html.Li(each) for each in words.NOT_SAID], className="quiet-words")
    heading = [html.H2(title, id=name), html.P(f"{words.title_words(made)}.", className="quiet-words")]
    return html.Section([*heading, *inside, notes, details], className="panel", **aria(labelledby=name))


def _withheld(title: str, name: str, why: str) -> Component:
    return html.Section(
        [html.H2(title, id=name), html.P(why, className="empty")], className="panel", **aria(labelledby=name)
    )
