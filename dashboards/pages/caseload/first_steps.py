"""The first steps of somebody new: a client, a questionnaire, a goal, a session, each with the form for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from dashboards.components.aria import aria
from dashboards.pages.caseload.content import name_of
from dashboards.pages.record.addresses import NEW_CLIENT_PATH, form_path
from dashboards.pages.send.addresses import send_path
from mbc.care import Caseload
from mbc.care.values.review import CaseloadRow
from mbc.store import Client, Store

_ABOUT = (
    ("Add your first client", "Use a label of your own, never a name.", "New client", ""),
    (
        "Enter a first questionnaire",
        "From paper, with the number keys. A second one later shows whether anything has changed.",
        "Questionnaire on paper",
        "paper",
    ),
    ("Agree on a goal", "In the client's own words, rated from 0 to 10 each time.", "New goal", "goal"),
    ("Record a session", "Kept or missed. Everything is plotted on one time axis.", "Session", "session"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps."""

    title: str
    about: str
    label: str  # of the link to its form
    path: str  # "" while an earlier step is missing
    done: bool
    another: tuple[str, str] | None = None  # label and path of another way


def first_steps(store: Store, clients: Caseload, *, asks: bool = False) -> tuple[Step, ...]:
    """Say which steps are done and where the next one is; none once a second client is there or all is done.

    Parameters
    ----------
    store : Store
        Narrowed to the visitor.
    clients : Caseload
        Theirs.
    asks : bool
        Whether this server asks clients on their own device.
    """
    if not store.can_write(Client) or len(clients.rows) > 1 or any(row.closed for row in clients.rows):
        return ()
    row = clients.rows[0] if clients.rows else None
    done = (False,) * len(_ABOUT) if row is None else _done(store, row)
    if all(done):
        return ()
    return tuple(
        Step(title, about, label, _path(row, form), is_done, _send(row) if asks and form == "paper" else None)
        for (title, about, label, form), is_done in zip(_ABOUT, done, strict=True)
    )


def _done(store: Store, row: CaseloadRow) -> tuple[bool, ...]:
    measured = any(cell.latest is not None for cell in row.cells)
    return (True, measured, not store.goals(client_id=row.client_id).is_empty(), row.sessions > 0)


def _path(row: CaseloadRow | None, form: str) -> str:
    if not form:
        return NEW_CLIENT_PATH
    return "" if row is None else form_path(row.client_id, form)


def _send(row: CaseloadRow | None) -> tuple[str, str] | None:
    return None if row is None else ("Send a link", send_path(row.client_id))


def steps_panel(steps: Sequence[Step], clients: Caseload, *, personal: bool) -> Component:
    """Lay the steps out as a numbered list; the next one has a button.

    Parameters
    ----------
    steps : sequence of Step
        As `first_steps` gives them.
    clients : Caseload
        None or one of them.
    personal : bool
        Whether whoever reads this can type commands on this computer.
    """
    next_step = next(step for step in steps if not step.done)
    who = f" with {name_of(clients.rows[0])}" if clients.rows else ""
    items = [_item(step, is_next=step is next_step) for step in steps]
    return html.Section(
        className="first-steps",
        **aria(labelledby="first-steps"),
        children=[
            html.H2(f"First steps{who}", id="first-steps"),
            html.Ol(items),
            *([_demo_hint()] if personal else []),
        ],
    )


def _item(step: Step, *, is_next: bool) -> Component:
    parts: list[Component] = [html.Strong(step.title), html.Span(" (done)" if step.done else "")]
    parts.append(html.P(step.about, className="quiet-words"))
    if step.path and not step.done:
        parts.append(html.A(step.label, href=step.path, className="button" if is_next else ""))
        if step.another is not None:
            label, path = step.another
            parts += [" ", html.A(label, href=path)]
    return html.Li(parts, className="done" if step.done else "next" if is_next else "")


def _demo_hint() -> Component:
    return html.P(
        className="quiet-words",
        children=[
            "To look around first: type ",
            html.Code("mbc demo --open"),
            " in another window. A clinic with invented people opens, marked as synthetic on every page.",
        ],
    )
