"""What the forms of recording do: write what was typed by the store's rules, or give it back with a reason."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, abort, make_response, redirect, request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.forms.catalogue import FORMS
from dashboards.forms.entry import Draft, EntryForm, Subject, may_use
from dashboards.forms.fields import Reading, read
from dashboards.forms.save import Refusal, save, seen_of
from dashboards.pages.record.addresses import form_path, list_path
from dashboards.pages.record.content import REASON, back_path, form_page
from dashboards.pages.record.entered import note_entered, undo_entered
from dashboards.routes import client_path
from dashboards.web.flash import STALE, back_to
from dashboards.web.kept_words import forget_words, keep_words
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import signed_in_user, today, user_store
from mbc.errors import AccessDenied, Conflict, NotInRecord, StoreBusy, StoreError, StoreUnreachable
from mbc.exchange.own_definitions import definitions_of
from mbc.store import Session

_TWICE = f"{DONE}it was already on record; nothing was saved twice."
_NOT_THERE = "Not undone: it has been undone or changed since then."
_RECORDED = f"{DONE}recorded."
_CHANGED = f"{DONE}recorded; the earlier version is kept with the reason."


def answer_save() -> ResponseReturnValue:
    """Write an entry, or show the form again with what was typed and the reason beside the field."""
    store = user_store()
    with definitions_of(store):
        return _answer_save()


def _answer_save() -> ResponseReturnValue:
    typed = {name: value for name, value in request.form.items() if len(value) <= 20_000}
    form, subject = _form_and_subject(typed)
    record = form.record(subject, typed.get("key", ""))
    if record is None and (typed.get("key") or form.only_changes):
        raise NotInRecord("There is no such entry on record.")
    if typed.get("keep"):
        return _keep(form, subject, typed)
    if not csrf_holds(typed.get("csrf")):
        return form_page(
            subject, form, record, typed=typed, problem=STALE, seen=seen_of(typed.get("seen", ""))
        ), 400
    return _write(form, subject, record, typed)


def answer_undo() -> ResponseReturnValue:
    """Take back what the visitor has just written; it stays in the history, with the reason."""
    client_id = request.form.get("client", "")
    store = user_store()
    if not store.can_write(Session):
        raise _refused()
    subject = Subject(store, signed_in_user(), client_id, today())
    _ = subject.name  # raises for a client who does not exist here
    back = client_path(client_id) if request.form.get("from") == "page" else list_path(client_id)
    if not csrf_holds(request.form.get("csrf")):
        return back_to(back, STALE)
    try:
        with definitions_of(store):
            undone = undo_entered(subject, request.form.get("entry", ""))
    except Conflict as fault:
        return back_to(back, f"Not undone: {fault}")
    return back_to(back, f"{DONE}undone; the history keeps it." if undone else _NOT_THERE)


def _write(form: EntryForm, subject: Subject, record: object, typed: Mapping[str, str]) -> ResponseReturnValue:
    seen = seen_of(typed.get("seen", ""))
    wants_reason = bool(typed.get("with_reason")) or (record is not None and form.asks_for_a_reason)
    fields = form.fields(subject, record, typed)
    reading = read((*fields, REASON) if wants_reason else fields, typed)

    def again(problem: str = "", faults: Mapping[str, str] | None = None, **more: object) -> ResponseReturnValue:
        kept = {"needs_reason": bool(typed.get("with_reason")), "seen": seen} | more
        return form_page(subject, form, record, typed=typed, faults=faults, problem=problem, **kept), 400  # pyright: ignore[reportArgumentType]

    if record is None and (why := form.unavailable(subject)):
        return again(why)
    if reading.faults:
        return again(_problem(reading), reading.faults)
    try:
        draft = form.draft(subject, record, reading, _token(typed))
        if draft is None:  # there is more to ask
            return form_page(subject, form, record, typed=typed)
        done = save(subject, draft, reason=reading.text("reason"), seen=seen)
    except (NotInRecord, AccessDenied, StoreBusy, StoreUnreachable):
        raise
    except StoreError as fault:
        name, words = _placed(str(fault), {field.name for field in fields})
        return again(words if not name else "Not recorded: see below.", {name: words} if name else None)
    if isinstance(done, Refusal):
        return again(done.problem, needs_reason=done.needs_reason, seen=done.seen)
    back = client_path(subject.client_id) if typed.get("from") == "page" else back_path(subject, form)
    return _recorded(form, subject, draft, done, back)


def _recorded(
    form: EntryForm, subject: Subject, draft: Draft, outcomes: tuple[str, ...], back: str
) -> ResponseReturnValue:
    client_id = subject.client_id if form.needs_client else draft.records[0].client_id
    changed = tuple(
        record for record, outcome in zip(draft.records, outcomes, strict=True) if outcome != "duplicate"
    )
    note_entered(Subject(subject.store, subject.user, client_id, subject.today), changed)
    note = _TWICE if not changed else _CHANGED if "superseding" in outcomes else _RECORDED
    if not form.needs_client:
        back = back_path(Subject(subject.store, subject.user, client_id, subject.today), form)
    answer = make_response(back_to(back, note))
    forget_words(answer)
    return answer


def _problem(reading: Reading) -> str:
    few = len(reading.faults)
    return "Not recorded: " + ("check the marked field." if few == 1 else f"check the {few} marked fields.")


def _placed(message: str, names: set[str]) -> tuple[str, str]:
    """Find the field that a message of the record begins with; empty where it is about none."""
    name, _, words = message.partition(": ")
    if name in names:
        return name, words
    first = message.split(" ", 1)[0]
    return (first, message) if first in names else ("", message)


def _token(typed: Mapping[str, str]) -> str:
    token = typed.get("token", "")
    if not (0 < len(token) <= 32 and token.isascii() and token.isalnum()):
        abort(400)
    return token


def _keep(form: EntryForm, subject: Subject, typed: Mapping[str, str]) -> Response:
    """Give what was typed back at the next opening of the form: the page was left alone for too long."""
    answer = make_response(redirect(typed_page(form, subject, typed), 303))
    keep_words(answer, subject.user.username, typed_page(form, subject, typed), typed)
    return answer


def typed_page(form: EntryForm, subject: Subject, typed: Mapping[str, str]) -> str:
    """Give the path of the form that was filled in."""
    return form_path(subject.client_id, form.key, typed.get("key", ""))


def _form_and_subject(typed: Mapping[str, str]) -> tuple[EntryForm, Subject]:
    """Give the form and whom it is about; refuse what the visitor may not write, and whom they do not see."""
    form = FORMS.get(typed.get("form", ""))
    client_id = typed.get("client", "") if form is not None and form.needs_client else ""
    subject = Subject(user_store(), signed_in_user(), client_id, today())
    if form is None or not subject.store.can_write(form.writes[0]):
        raise _refused()
    if form.needs_client:
        _ = subject.name  # raises for a client who does not exist here
    if not may_use(form, subject):
        raise _refused()
    return form, subject


def _refused() -> AccessDenied:
    """Log a request for something that the account may not do."""
    user_store().audit.record("refused", asked="an entry", fault="AccessDenied")
    return AccessDenied("This account may not record that.")
