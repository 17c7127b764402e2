"""The pages on which something is recorded of a client: a list of forms, and each form. The server writes them."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.components.forms import DONE
from dashboards.forms.catalogue import FORMS
from dashboards.forms.entry import RESTRICTED, Subject, may_have, may_use
from dashboards.forms.save import seen_of
from dashboards.pages.record.addresses import NEW_CLIENT_PATH, PATTERN, SAVE, UNDO, address_of
from dashboards.pages.record.content import form_page, list_page
from dashboards.pages.record.forms import answer_save, answer_undo
from dashboards.routes import Page, PageRequest
from dashboards.web.kept_words import kept_words
from dashboards.web.server_page import lead_to_page
from dashboards.web.visitor import note_refusal
from mbc.errors import NotInRecord
from mbc.store import Client, Session
from mbc.store.access.roles import ACCESS, User

_KEPT = "You were signed out before this was recorded. Check what you typed, then send it again."


def write_page(request: PageRequest) -> str:
    """Write the list of forms or a form; raises NotInRecord for what the visitor may not write."""
    address = address_of(request.path)
    if address is None:
        raise NotInRecord("There is no such page.")
    subject = Subject(request.store, request.user, address.client_id, request.today)
    restricted = address.form == RESTRICTED.lower() and not address.key
    if not address.form or restricted:
        if not request.store.can_write(Session) or (
            restricted and not request.store.has_permission("safety:read")
        ):
            raise _refused(subject)
        good = request.note.startswith(DONE)
        return list_page(subject, request.note, good=good, restricted=restricted)
    form = FORMS.get(address.form)
    if form is None or form.needs_client != bool(address.client_id):
        raise NotInRecord("There is no such page.")
    if not may_have(form, request.store):
        raise _refused(subject)
    if not may_use(form, subject):  # no such form for this client: no line, which would tell why
        raise NotInRecord("There is no such page.")
    if form.needs_client:
        _ = subject.name  # raises for a client who does not exist here
    record = form.record(subject, address.key)
    if record is None and (address.key or form.only_changes):
        raise NotInRecord("There is no such entry on record.")
    typed: Mapping[str, str] = kept_words(request.user.username, request.path)
    if not typed:
        return form_page(subject, form, record)
    return form_page(
        subject, form, record, typed=typed, problem=_KEPT, seen=seen_of(typed.get("seen", "")),
        needs_reason=bool(typed.get("with_reason")),
    )  # fmt: skip


def _refused(subject: Subject) -> NotInRecord:
    """Write down that somebody asked for a form that their account may not have; to them, it does not exist."""
    note_refusal(subject.store, PAGE.name, subject.client_id or None)
    return NotInRecord("There is no such page.")


def _writes(user: User) -> bool:
    return Session in ACCESS[user.role].writes


def _adds_clients(user: User) -> bool:
    return Client in ACCESS[user.role].writes


PAGE = Page(
    name="record",
    pattern=PATTERN,
    path="",
    label="Record",
    may_open=_writes,
    layout=lead_to_page(write_page),
    written=write_page,
    forms={SAVE: answer_save, UNDO: answer_undo},
    keeps=frozenset({SAVE}),
)
NEW_CLIENT_PAGE = Page(
    name="new client",
    pattern=NEW_CLIENT_PATH,
    path="",
    label="New client",
    may_open=_adds_clients,
    layout=lead_to_page(write_page),
    written=write_page,
)
