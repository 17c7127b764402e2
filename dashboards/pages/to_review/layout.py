"""Safety flags that wait for review: visible to few, and hidden until requested.

Neither the page before its button is pressed, nor its address or title, reveals what it is about.
"""

from __future__ import annotations

from collections.abc import Sequence

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.forms import text_field
from dashboards.components.tables import Cell, table
from dashboards.components.wording import day_words
from dashboards.pages.to_review.forms import (
    CONFIRM,
    CORRECT,
    GOOD,
    MARK_SEEN,
    PATH,
    answer_confirm,
    answer_correct,
    answer_mark,
)
from dashboards.routes import Page, client_path, reads_records
from dashboards.web.sessions import csrf_token
from dashboards.web.visitor import user_store
from mbc.care import safety_list
from mbc.care.safety import ListedFlag, SafetyList
from mbc.care.words import count
from mbc.instruments.short_names import short_name
from mbc.store import Store

_MOST_SHOWN = 100  # of those that were marked; the open ones are all shown
_WHOSE = ("Client", "Clinician", "Questionnaire", "Date")


def layout(note: str = "") -> list[Component]:
    """Lay out the closed page: the same whether anything waits or not.

    Parameters
    ----------
    note : str
        What the last form led to.
    """
    button = html.Button(
        "Show", id=ids.POINTS_BUTTON, className="quiet", **aria(expanded="false", controls=ids.POINTS)
    )
    return [
        html.H1("To review"),
        html.P(["Visible to you only. Press Escape to hide. ", button], className="lead no-print"),
        *_notice(note),
        html.Div(id=ids.POINTS, className="no-print"),
    ]


def _notice(note: str) -> list[Component]:
    if not note:
        return []
    good = note in GOOD
    return [html.P(note, className="quiet-words" if good else "trouble-note", role="status" if good else "alert")]


def toggle_list(store: Store, clicks: int | None, token: str) -> tuple[list[Component], str, str]:
    """Answer the button: open at each odd click, for those who may read it."""
    flags = safety_list(store) if clicks and clicks % 2 else None
    if flags is None:
        return [], "Show", "false"
    linked = store.user is not None and reads_records(store.user)
    who = "" if store.user is None else store.user.username
    parts = [
        _waiting(flags, token, linked=linked),
        *_second(flags, token, who, linked=linked),
        *_reviews(flags, linked=linked),
        *_seen(flags, token, linked=linked),
    ]
    return parts, "Hide", "true"


def _waiting(flags: SafetyList, token: str, *, linked: bool) -> Component:
    heading = html.H2(f"{len(flags.open) or 'None'} open", id="points-open")
    if not flags.open:
        return html.Section([heading], className="panel", **aria(labelledby="points-open"))
    words = (
        "Answered items come first, then blank ones; the longest waiting first. Say what was done; 'Mark as seen' "
        "records it with your name and the time. The mark cannot be undone; the note can be corrected."
    )
    headings = (*_WHOSE, "Waiting", "What", "Action")
    rows = [
        [*_whose(item, linked=linked), _since(item.waiting), _flag_words(item), _mark(item, token)]
        for item in flags.open
    ]
    inside = [heading, html.P(words, className="quiet-words"), table("Open", headings, rows, blocks=True)]
    return html.Section(inside, className="panel", **aria(labelledby="points-open"))


def _second(flags: SafetyList, token: str, who: str, *, linked: bool) -> list[Component]:
    """Lay out what waits for a second person, by the clinic's choice; never the one who acknowledged it."""
    if not flags.second:
        return []
    rows: list[Sequence[Cell]] = [
        [
            *_whose(item, linked=linked), _flag_words(item), item.action or "", item.flag.acknowledged_by or "",
            "someone else must confirm" if item.flag.acknowledged_by == who
            else _flag_form(item, token, CONFIRM, "Confirm", ()),
        ]
        for item in flags.second
    ]  # fmt: skip
    headings = (*_WHOSE, "What", "What was done", "Seen by", "Action")
    heading = html.H2(f"{len(rows)} for a second person", id="points-second")
    listed = table("For a second person", headings, rows, blocks=True)
    return [html.Section([heading, listed], className="panel", **aria(labelledby="points-second"))]


def _reviews(flags: SafetyList, *, linked: bool) -> list[Component]:
    """Lay out the overdue reviews of plans."""
    if not flags.reviews:
        return []
    rows: list[Sequence[Cell]] = [
        [
            dcc.Link(review.client, href=client_path(review.client_id)) if linked else review.client,
            review.clinician or "none",
            day_words(review.made_on),
            day_words(review.due_on) or "no date set",
            count(review.overdue, "day"),
        ]
        for review in flags.reviews
    ]
    heading = html.H2(count(len(rows), "review overdue", "reviews overdue"), id="points-reviews")
    headings = ("Client", "Clinician", "Plan of", "Review due", "Overdue")
    listed = table("Overdue reviews", headings, rows, blocks=True)
    return [html.Section([heading, listed], className="panel", **aria(labelledby="points-reviews"))]


def _seen(flags: SafetyList, token: str, *, linked: bool) -> list[Component]:
    if not flags.acknowledged:
        return []
    rows: list[Sequence[Cell]] = [
        [
            *_whose(item, linked=linked),
            _flag_words(item),
            item.action or "no note",
            item.flag.acknowledged_by or "",
            _when(item),
            _correction(item, token),
        ]
        for item in flags.acknowledged[:_MOST_SHOWN]
    ]
    left_out = len(flags.acknowledged) - len(rows)
    more = f", the latest {len(rows)} shown" if left_out else ""
    summary = html.Summary(f"Marked as seen: {len(flags.acknowledged)}{more}")
    headings = (*_WHOSE, "What", "What was done", "Seen by", "When", "Action")
    return [html.Details([summary, table("Marked as seen, latest first", headings, rows, blocks=True)])]


def _whose(item: ListedFlag, *, linked: bool) -> list[Cell]:
    who: Cell = dcc.Link(item.client, href=client_path(item.flag.client_id)) if linked else item.client
    return [who, item.clinician or "none", short_name(item.flag.instrument), day_words(item.flag.raised_on)]


def _flag_words(item: ListedFlag) -> str:
    """Write whether the item was answered so ("risk") or left blank ("ask"), and its label."""
    return f"{'Left blank' if item.flag.kind == 'ask' else 'Answered'}: {item.flag.label}"


def _since(days: int) -> str:
    return count(days, "day") if days else "since today"


def _when(item: ListedFlag) -> str:
    at = item.flag.acknowledged_at
    return "" if at is None else f"{day_words(at.date())}, {at:%H:%M} UTC"


def _mark(item: ListedFlag, token: str) -> Component:
    return _flag_form(item, token, MARK_SEEN, "Mark as seen", (("done", "What was done"),))


def _correction(item: ListedFlag, token: str) -> Component:
    fields = (("done", "What was done"), ("why", "Why it is corrected"))
    return html.Details([html.Summary("Correct"), _flag_form(item, token, CORRECT, "Correct the note", fields)])


def _flag_form(
    item: ListedFlag, token: str, action: str, words: str, asked: Sequence[tuple[str, str]]
) -> Component:
    """Lay out the form of one flag; its fields have unique names for screen readers."""
    about = f"{item.client}, {day_words(item.flag.raised_on)}"
    hidden = {"csrf": token, "sheet": str(item.flag.administration_id), "line": item.flag.item}
    fields: list[Component] = [dcc.Input(type="hidden", name=name, value=value) for name, value in hidden.items()]
    place = f"note-{action.strip('/')}-{item.flag.administration_id}-{item.flag.item}"
    fields += [text_field(label, name, place=place, longest=200) for name, label in asked]
    button = html.Button(words, type="submit", className="quiet", **aria(label=f"{words}: {about}"))
    return html.Form([*fields, button], action=action, method="POST", className="inline")


def register(app: Dash) -> None:
    """Wire the button."""
    app.callback(
        Output(ids.POINTS, "children"),
        Output(ids.POINTS_BUTTON, "children"),
        Output(ids.POINTS_BUTTON, "aria-expanded"),
        Input(ids.POINTS_BUTTON, "n_clicks"),
        prevent_initial_call=True,
    )(lambda clicks: toggle_list(user_store(), clicks, csrf_token()))


PAGE = Page(
    name="to review",
    pattern=PATH,
    path=PATH,
    label="To review",
    may_open=lambda user: user.has_permission("safety:read"),
    layout=lambda request: layout(request.note),
    register=register,
    forms={MARK_SEEN: answer_mark, CORRECT: answer_correct, CONFIRM: answer_confirm},
)
