"""Erasure: one person out of the record for good, on a legal request, with the identifier typed twice."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.components.forms import form, notice, panel, text_field
from dashboards.components.tables import table
from dashboards.components.wording import day_words
from dashboards.pages.erasure.forms import ERASE, PATH, answer_erase
from dashboards.routes import Page, PageRequest
from mbc.store import Store


def layout(request: PageRequest) -> list[Component]:
    """Lay out the form and the erasures that there were."""
    fields = [
        text_field("Client", "client_id", place="erase", hint="The pseudonym, exactly"),
        text_field("Repeat the client's pseudonym", "again", place="erase"),
        text_field(
            "Reason", "reason", place="erase", longest=200,
            hint="Kept for good, so do not name the person. Such as: request of 2 May 2026",
        ),
    ]  # fmt: skip
    return [
        html.H1("Erase a client"),
        html.P(
            "Erases one client from every table, including corrections, history and the safety channel. This "
            "cannot be undone, and the pseudonym can never be reused. What remains is a tombstone: the date, "
            "your name, the reason and the number of rows. Delete backups, exports and printed pages yourself.",
            className="lead",
        ),
        *notice(request.note),
        panel("Erase", "erase", form(ERASE, request.token, fields, "Erase for good")),
        panel("Erased before", "erased", _tombstones(request.store)),
    ]


def _tombstones(store: Store) -> Component:
    lines = store.audit.entries(action="erase")
    if lines.is_empty():
        return html.P("None.", className="quiet-words")
    rows = [
        [line["subject"] or "", f"{day_words(line['at'].date())}, {line['at']:%H:%M} UTC", line["who"]]
        for line in reversed(lines.to_dicts())
    ]
    return table("Erasures, latest first", ("Tombstone", "When", "By"), rows, blocks=True)


PAGE = Page(
    name="erasure",
    pattern=PATH,
    path=PATH,
    label="Erasure",
    may_open=lambda user: user.has_permission("clients:erase"),
    layout=layout,
    forms={ERASE: answer_erase},
)
