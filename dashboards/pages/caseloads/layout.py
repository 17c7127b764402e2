"""Caseloads: whose client each pseudonym is, and how clients are reassigned."""

from __future__ import annotations

import polars as pl
from dash import html
from dash.development.base_component import Component

from dashboards.components.forms import Options, choice, choices, form, notice, panel, text_field
from dashboards.components.tables import table
from dashboards.pages.caseloads.forms import ADD_CLINICIAN, ASSIGN, PATH, answer_add_clinician, answer_assign
from dashboards.routes import Page, PageRequest
from mbc.care.words import count

_NOBODY = "No clinician"


def layout(request: PageRequest) -> list[Component]:
    """Lay out the caseloads: numbers of clients, and the form that assigns them."""
    clients = request.store.caseloads()
    names = dict(request.store.clinicians().select("clinician_id", "display_name").iter_rows())
    grouped = _grouped(clients)
    rows = [
        [clinician_id, name, str(len(grouped.get(clinician_id, ())))]
        for clinician_id, name in sorted(names.items())
    ]
    if None in grouped:
        rows.append([_NOBODY, "", str(len(grouped[None]))])
    return [
        html.H1("Caseloads"),
        html.P(
            "Clients are listed by pseudonym only. Once a client is assigned, the new clinician can see their "
            "record and the previous clinician no longer can. The change is kept on record with your name and "
            "the reason.",
            className="lead",
        ),
        *notice(request.note),
        panel("Assign clients", "assign", _assign_form(grouped, names, request.token)),
        panel(
            f"Clinicians, {count(clients.height, 'client')}",
            "clinicians",
            table(
                "Clinicians and their clients", ("Clinician", "Name", "Clients"), rows, numbers=(2,), blocks=True
            ),
        ),
        panel("Add a clinician", "add-clinician", _clinician_form(request.token)),
    ]


def _grouped(clients: pl.DataFrame) -> dict[str | None, list[str]]:
    grouped: dict[str | None, list[str]] = {}
    for client_id, clinician_id in clients.select("client_id", "clinician_id").iter_rows():
        grouped.setdefault(clinician_id, []).append(client_id)
    return grouped


def _assign_form(grouped: dict[str | None, list[str]], names: dict[str, str], token: str) -> Component:
    groups: dict[str, Options] = {
        _NOBODY if key is None else f"{key}: {names.get(key, '')}": [
            (client_id, client_id) for client_id in listed
        ]
        for key, listed in sorted(grouped.items(), key=lambda item: item[0] or "")
    }
    fields = [
        choices("Clients", "client_id", groups, place="assign", rows=10),
        text_field(
            "Or type their pseudonyms", "more", place="assign", required=False, longest=2000,
            hint="Separated by spaces or commas",
        ),
        choice(
            "New clinician", "clinician_id",
            [(key, f"{key}: {name}") for key, name in sorted(names.items())], place="assign",
        ),
        text_field("Reason", "reason", place="assign", longest=200, hint="Such as: K2 has left the clinic"),
    ]  # fmt: skip
    return form(ASSIGN, token, fields, "Assign")


def _clinician_form(token: str) -> Component:
    fields = [
        text_field("Identifier", "clinician_id", place="clinician", hint="Such as K07"),
        text_field("Name", "display_name", place="clinician", longest=200),
    ]
    return form(ADD_CLINICIAN, token, fields, "Add")


PAGE = Page(
    name="caseloads",
    pattern=PATH,
    path=PATH,
    label="Caseloads",
    may_open=lambda user: user.has_permission("caseloads:manage"),
    layout=layout,
    forms={ASSIGN: answer_assign, ADD_CLINICIAN: answer_add_clinician},
)
