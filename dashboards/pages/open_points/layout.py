"""What waits for somebody to look at it: for few eyes, and out of sight until it is asked for.

Nothing that the page says before its button is pressed, its address and its title tell what it is about.
"""

from __future__ import annotations

from collections.abc import Sequence

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.tables import Cell, table
from dashboards.components.wording import day_words
from dashboards.pages.open_points.forms import MARK_SEEN, PATH, SEEN, answer_mark
from dashboards.routes import Page, client_path, reads_records
from dashboards.web.sessions import csrf_token
from dashboards.web.visitor import my_store
from mbc.care import safety_list
from mbc.care.safety import ListedFlag, SafetyList
from mbc.care.words import count
from mbc.store import Store

_MOST_SHOWN = 100  # of those that were marked; the open ones are all shown
_WHOSE = ("Client", "Clinician", "Questionnaire", "Day")


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
        html.H1("Open points"),
        html.P(["For your eyes only. Escape hides it again. ", button], className="lead no-print"),
        *_said(note),
        html.Div(id=ids.POINTS, className="no-print"),
    ]


def _said(note: str) -> list[Component]:
    if not note:
        return []
    good = note == SEEN
    return [html.P(note, className="quiet-words" if good else "trouble-note", role="status" if good else "alert")]


def shown(store: Store, clicks: int | None, token: str) -> tuple[list[Component], str, str]:
    """Answer the button: open at each odd click, for those who may read it."""
    found = safety_list(store) if clicks and clicks % 2 else None
    if found is None:
        return [], "Show", "false"
    linked = store.user is not None and reads_records(store.user)
    return [_waiting(found, token, linked=linked), *_seen(found, linked=linked)], "Hide", "true"


def _waiting(found: SafetyList, token: str, *, linked: bool) -> Component:
    heading = html.H2(f"{len(found.open) or 'None'} open", id="points-open")
    if not found.open:
        return html.Section([heading], className="panel", **aria(labelledby="points-open"))
    words = (
        "Answers come before blanks, the longest waiting first. Marking says that you have seen one and see to "
        "it; your name and the time are kept, and it cannot be taken back."
    )
    headings = (*_WHOSE, "Waiting", "What", "To do")
    rows = [
        [*_whose(one, linked=linked), _since(one.waiting), _what(one), _mark(one, token)] for one in found.open
    ]
    inside = [heading, html.P(words, className="quiet-words"), table("Open", headings, rows, blocks=True)]
    return html.Section(inside, className="panel", **aria(labelledby="points-open"))


def _seen(found: SafetyList, *, linked: bool) -> list[Component]:
    if not found.acknowledged:
        return []
    rows: list[Sequence[Cell]] = [
        [*_whose(one, linked=linked), _what(one), one.flag.acknowledged_by or "", _when(one)]
        for one in found.acknowledged[:_MOST_SHOWN]
    ]
    left_out = len(found.acknowledged) - len(rows)
    more = f", the latest {len(rows)} shown" if left_out else ""
    said = html.Summary(f"Marked as seen: {len(found.acknowledged)}{more}")
    headings = (*_WHOSE, "What", "Seen by", "When")
    return [html.Details([said, table("Marked as seen, the latest first", headings, rows, blocks=True)])]


def _whose(one: ListedFlag, *, linked: bool) -> list[Cell]:
    who: Cell = dcc.Link(one.client, href=client_path(one.flag.client_id)) if linked else one.client
    return [who, one.clinician or "nobody", one.flag.instrument.upper(), day_words(one.flag.raised_on)]


def _what(one: ListedFlag) -> str:
    """Write kind and label.

    The kind is the store's word: "risk" was answered so, "ask" was left blank.
    """
    blank = " (left blank)" if one.flag.kind == "ask" else ""
    return f"{one.flag.kind}: {one.flag.label}{blank}"


def _since(days: int) -> str:
    return count(days, "day") if days else "since today"


def _when(one: ListedFlag) -> str:
    at = one.flag.acknowledged_at
    return "" if at is None else f"{day_words(at.date())}, {at:%H:%M} UTC"


def _mark(one: ListedFlag, token: str) -> Component:
    words = "Mark as seen"
    hidden = {"csrf": token, "sheet": str(one.flag.administration_id), "line": one.flag.item}
    fields = [dcc.Input(type="hidden", name=name, value=value) for name, value in hidden.items()]
    name = f"{words}: {one.client}, {day_words(one.flag.raised_on)}"
    button = html.Button(words, type="submit", className="quiet", **aria(label=name))
    return html.Form([*fields, button], action=MARK_SEEN, method="POST", className="inline")


def register(app: Dash) -> None:
    """Wire the button."""
    app.callback(
        Output(ids.POINTS, "children"),
        Output(ids.POINTS_BUTTON, "children"),
        Output(ids.POINTS_BUTTON, "aria-expanded"),
        Input(ids.POINTS_BUTTON, "n_clicks"),
        prevent_initial_call=True,
    )(lambda clicks: shown(my_store(), clicks, csrf_token()))


PAGE = Page(
    name="open points",
    pattern=PATH,
    path=PATH,
    label="Open points",
    may_open=lambda user: user.has_permission("safety:read"),
    layout=lambda request: layout(request.note),
    register=register,
    forms={MARK_SEEN: answer_mark},
)
