"""Every form, who may not have it, and a served record in which each can be filled in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from dashboards.app import open_app
from dashboards.forms.catalogue import FORMS
from dashboards.forms.entry import Subject, key_of
from dashboards.pages.record.addresses import form_path
from dashboards.settings import Settings
from mbc.care.askings.settings import AskingSettings
from mbc.store import (
    AllianceRupture,
    Homework,
    Relationship,
    RelationshipStatus,
    ReleaseOfInformation,
    Signal,
    Store,
)
from tests.dashboards.conftest import KEY, sign_in
from tests.dashboards.pages.record import sheets
from tests.dashboards.pages.record.sheets import TODAY, values_of
from tests.dashboards.record import PASSWORD, make_record

SINCE = date(2026, 3, 9)
SAFETY, DEMOGRAPHICS = "safety:read", "demographics:read"
# Everything that is typed, in an order in which whoever may can send one after the other.
TYPED: dict[str, dict[str, str]] = {
    "signal": {"answer": "seen"},
    "homework-done": {"completion": "partly", "helpful": "6"},
    "rupture-repaired": {},
    "withdraw-release": {"reason_given": "changed her mind"},
    **{key: typed for key, (typed, *_) in {**sheets.FORMS, **sheets.RESTRICTED}.items()},
    "retire-goal": {"why": "reached"},
    "relationship-ended": {"whose": "R-9", "valence": "growth", "single": "no"},
    "demographics": {"gender": "f"},
    "end-episode": {"ending": "planned"},
    "episode": {"started_on": "2026-03-20"},
    "new-client": {"client_id": "C010", "alias": "Reed"},
}
NEEDS = {  # permission without which a clinician of the client's own has no such form
    "readiness": SAFETY, "restricted-a": SAFETY, "restricted-b": SAFETY, "restricted-c": SAFETY,
    "demographics": DEMOGRAPHICS,
}  # fmt: skip
OTHERS = {  # account -> role, whose caseload, permissions: nobody here may write of C001 what is in TYPED
    "noa": ("clinician", {"clinician_id": "K1"}, ()),  # hers, without permissions: the forms of NEEDS
    "ivo": ("clinician", {"clinician_id": "K2"}, (SAFETY, DEMOGRAPHICS)),
    "sol": ("supervisor", {"supervises": ["K1"]}, (SAFETY, DEMOGRAPHICS)),
    "lead": ("safety_lead", {}, ()),
    "res": ("researcher", {}, ()),
    "ana": ("analyst", {}, ()),
    "adam": ("administrator", {}, ()),
}
ADDRESSES = {  # what other pages send about C001; what manages something is in tests/attack
    "/undo-entry": {"client": "C001", "entry": "0"},
    "/print": {"client_id": "C001", "kind": "client"},
    "/ask-client": {"client": "C001", "asking": "a" * 24, "battery": "weekly"},
    "/print-sheet": {"client": "C001", "battery": "weekly"},
    "/withdraw-asking": {"client": "C001", "asking": "a" * 24},
    "/mark-seen": {"sheet": "1", "line": "i9", "done": "asked"},
    "/correct-note": {"sheet": "1", "line": "i9", "done": "asked", "why": "wrong"},
    "/confirm-mark": {"sheet": "1", "line": "i9"},
}
ALLOWED = {  # who of OTHERS may have an address, and what they reach by it is for its own tests
    "noa": {"/undo-entry", "/print", "/ask-client", "/print-sheet", "/withdraw-asking"},
    "sol": {"/print", "/mark-seen", "/correct-note", "/confirm-mark"},
    "ivo": {"/mark-seen", "/correct-note", "/confirm-mark"},
    "lead": {"/mark-seen", "/correct-note", "/confirm-mark"},
}
ELSEWHERE = {
    "/record-entry",  # below, with each form
    "/open-record", "/close-record",  # who opens a record out of turn need not be its clinician
    "/change-password", "/sign-out-everywhere", "/remove-second-factor",  # about the visitor's own account
    "/ask-passkey", "/add-passkey", "/remove-passkey",
}  # fmt: skip
Entry = tuple[str, str, dict[str, str]]  # form, its path, and all that it sends


@dataclass
class Clinic:
    """A served record of which every form can be filled in."""

    server: Any
    record: Store

    def enter(self, username: str) -> FlaskClient:
        visitor = self.server.test_client()
        assert sign_in(visitor, username).status_code == 303
        return visitor


@contextmanager
def served(folder: Path) -> Iterator[Clinic]:
    url = f"sqlite:///{folder / 'clinic.db'}"
    make_record(url)  # of its own: what others did to a shared one would be in its audit log
    settings = AskingSettings(address="https://form.example.org", box=str(folder / "clinic.box"))
    app = open_app(url, Settings(secret_key=KEY, today=TODAY, asking=settings))
    with Store.open(url) as store, app as served_app:
        with store.writing(by="tests") as writing:
            writing.add_all(
                [
                    Signal("S-1", "C001", SINCE, "not on track", "rses 22, 20"),
                    Homework("H-1", "C001", SINCE, "Ask for one thing"),
                    AllianceRupture("A-1", "C001", SINCE),
                    ReleaseOfInformation(
                        "RI-1", "C001", "Physician", "Joint work", "rses", SINCE, date(2026, 9, 9)
                    ),
                    Relationship("R-9", "C001", "R9"),
                    RelationshipStatus("C001", "dating", SINCE, "R-9"),
                ]
            )
        for who, (role, whose, permissions) in OTHERS.items():
            if who not in ("ana", "adam"):  # they are there
                store.accounts.add(who, PASSWORD, role, permissions=permissions, **whose)
        store.accounts.add("wren", PASSWORD, "clinician", "K1", permissions=[SAFETY, DEMOGRAPHICS])
        yield Clinic(served_app.server, store)


def path_of(record: Store, key: str) -> str:
    """Give the address of a form; of one that only changes something, for what it can change."""
    form, store = FORMS[key], record.as_user("wren")
    assert store.user
    subject = Subject(store, store.user, "C001" if form.needs_client else "", TODAY)
    links = form.links(subject) if form.only_changes else ()
    assert bool(links) == form.only_changes, key
    return form_path(subject.client_id, key, key_of(links[0][1]) if links else "")


def entry_of(record: Store, wren: FlaskClient, key: str) -> Entry:
    """Give what a browser sends of a form that is filled in, but for what is its visitor's own."""
    path = path_of(record, key)
    page = wren.get(path)
    assert page.status_code == 200, key
    if key == "episode" and 'action="/record-entry"' not in page.text:  # no fields while another is open
        return key, path, {"client": "C001", "form": key, "token": "a1", **TYPED[key]}
    sent = values_of(page.text) | TYPED[key]
    return key, path, {name: value for name, value in sent.items() if name not in ("csrf", "writer")}


def not_for(who: str, entries: list[Entry]) -> list[Entry]:
    """Give the forms that an account of OTHERS may not have."""
    is_clinician = OTHERS[who][0] == "clinician"  # who adds clients to a caseload of their own
    theirs = [entry for entry in entries if who != "noa" or entry[0] in NEEDS]
    return [entry for entry in theirs if not (is_clinician and entry[0] == "new-client")]
