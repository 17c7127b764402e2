"""Where the pages of recording are, and where their forms are sent."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dashboards.routes import CLIENT_ID, client_path

NEW_CLIENT_PATH = "/new-client"
SAVE, UNDO = "/record-entry", "/undo-entry"
PATTERN = rf"/client/{CLIENT_ID}/record(?:/(?P<form>[a-z-]{{1,40}})(?:/(?P<key>[A-Za-z0-9._~-]{{1,200}}))?)?"


@dataclass(frozen=True, slots=True)
class Address:
    """What a path of these pages names."""

    client_id: str
    form: str
    key: str


def address_of(path: str) -> Address | None:
    """Read a path; None where it is not one of these pages.

    Examples
    --------
    >>> address_of("/client/C001/record/session/E001~3")
    Address(client_id='C001', form='session', key='E001~3')
    >>> address_of("/client/C001")
    """
    if path == NEW_CLIENT_PATH:
        return Address("", "new-client", "")
    match = re.fullmatch(PATTERN, path)
    return Address(match["client_id"], match["form"] or "", match["key"] or "") if match else None


def list_path(client_id: str) -> str:
    """Give the path of the list of forms for a client."""
    return f"{client_path(client_id)}/record"


def form_path(client_id: str, form: str, key: str = "") -> str:
    """Give the path of a form."""
    if not client_id:
        return NEW_CLIENT_PATH
    return "/".join(filter(None, (list_path(client_id), form, key)))
