"""What the forms of the page do: ask the client and show the link, once; or end an asking."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.forms.entry import Subject
from dashboards.forms.fields import read
from dashboards.pages.send.addresses import send_path
from dashboards.pages.send.content import made_page, send_page
from dashboards.pages.send.fields import (
    Offer,
    asked_keys,
    explanation_of,
    mail_address,
    offer,
    options_of,
    require_askable_goals,
)
from dashboards.web.asking_access import AskingAccess, asking_access
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import fixed_day, models, signed_in_user, today, user_store
from mbc.care.askings.ask import MadeAsking, ask
from mbc.care.askings.mail import mail_link
from mbc.care.askings.paper import paper_form
from mbc.errors import AccessDenied, Conflict, MbcError, NotInRecord, StoreBusy, StoreUnreachable
from mbc.exchange.own_definitions import definitions_of
from mbc.reports import paper_document
from mbc.reports.audit import record_report
from mbc.store import Administration

_MAILED = "The clinic's mail server accepted the link. Whether it was delivered or read is not known."
_NUMBER = re.compile("[0-9a-f]{24}")
_TWICE = "This request was just made; its link was shown once and is not stored. Withdraw it to make another."


def may_ask(subject: Subject) -> bool:
    """Say whether a visitor may ask clients at all."""
    return subject.store.can_write(Administration)


def answer_ask() -> ResponseReturnValue:
    """Ask a client, and show the link; or give the form back with the reason."""
    subject, access = _subject_and_access()
    typed = {name: value for name, value in request.form.items() if len(value) <= 2_000}
    with definitions_of(subject.store):
        offered = offer(subject, access.settings)
        if not csrf_holds(typed.get("csrf")):
            return send_page(offered, subject, typed=typed, problem=STALE), 400
        if not _NUMBER.fullmatch(typed.get("asking", "")):
            return redirect(send_path(subject.client_id), 303)
        return _ask(offered, access, typed)


def _ask(offered: Offer, access: AskingAccess, typed: Mapping[str, str]) -> ResponseReturnValue:
    subject, reading = offered.subject, read(offered.fields, typed)

    def again(problem: str, faults: Mapping[str, str] | None = None) -> ResponseReturnValue:
        return send_page(offered, subject, typed=typed, problem=problem, faults=faults), 400

    if reading.faults:
        return again("No link was made: see below.", reading.faults)
    try:
        require_askable_goals(offered, reading)
        address = mail_address(offered, reading)
        explanation = explanation_of(offered, reading, models(), today())
        options = options_of(offered, reading, typed["asking"], explanation)
        made = ask(
            subject.store, access.box(), access.settings, subject.client_id, asked_keys(offered, reading), options,
            today=fixed_day(),
        )  # fmt: skip
    except (NotInRecord, AccessDenied, StoreBusy, StoreUnreachable):
        raise
    except Conflict as fault:
        return again(_stopped_words(offered, fault))
    except MbcError as fault:
        name, _, words = str(fault).partition(": ")
        if name in {field.name for field in offered.fields}:
            return again("No link was made: see below.", {name: words})
        return again(f"No link was made. {fault}")
    return made_page(subject, made, mailed=_mail(access, made, address), kiosk=access.settings.address)


def _stopped_words(offered: Offer, fault: Conflict) -> str:
    if offered.subject.store.has_stopped_askings(offered.subject.client_id):
        return (
            "The client has opted out of these questions. Discuss it first; then tick that they have agreed again."
        )
    return _TWICE if "already" in str(fault) else str(fault)


def _mail(access: AskingAccess, made: MadeAsking, address: str | None) -> str:
    if address is None:
        return ""
    try:
        mail_link(access.settings, made, address)
    except MbcError as fault:
        return f"Not mailed. {fault} Give the link below to the client in another way, or withdraw it."
    return f"{DONE}{_MAILED}"


def answer_paper() -> ResponseReturnValue:
    """Print what was chosen, to be answered on paper; nothing is put into the box."""
    subject, access = _subject_and_access()
    typed = {name: value for name, value in request.form.items() if len(value) <= 2_000}
    with definitions_of(subject.store):
        offered = offer(subject, access.settings)
        reading = read(offered.fields, typed)

        def again(problem: str) -> ResponseReturnValue:
            return send_page(offered, subject, typed=typed, problem=problem, faults=reading.faults), 400

        if not csrf_holds(typed.get("csrf")):
            return again(STALE)
        if reading.faults:
            return again("Nothing was printed: see below.")
        options = options_of(offered, reading, typed.get("asking", ""))
        try:
            form = paper_form(
                subject.store, access.settings, subject.client_id, asked_keys(offered, reading), options,
                today=fixed_day(),
            )  # fmt: skip
            document = paper_document(form, today())
            content = document.pdf()
        except (NotInRecord, AccessDenied, StoreBusy, StoreUnreachable):
            raise
        except MbcError as fault:
            return again(f"Nothing was printed. {fault}")
        record_report(subject.store, document, subject.client_id, form="pdf")
    headers = {"Content-Disposition": 'attachment; filename="form.pdf"'}
    return Response(content, mimetype="application/pdf", headers=headers)


def answer_withdraw() -> ResponseReturnValue:
    """End a request: its link no longer works."""
    subject, access = _subject_and_access()
    path, number = send_path(subject.client_id), request.form.get("asking", "")
    if not csrf_holds(request.form.get("csrf")):
        return back_to(path, STALE)
    if number not in subject.store.askings(subject.client_id)["asking_id"].to_list():
        raise NotInRecord("There is no such request on record.")
    try:
        access.box().withdraw(number)
        subject.store.withdraw_asking(number)
    except Conflict:
        return back_to(path, "It has already been answered; the answers are on record or will be soon.")
    except (NotInRecord, AccessDenied, StoreBusy, StoreUnreachable):
        raise
    except MbcError as fault:
        return back_to(path, f"Not withdrawn. {fault}")
    return back_to(path, f"{DONE}withdrawn; its link no longer works.")


def _subject_and_access() -> tuple[Subject, AskingAccess]:
    """Give whom a form is about, and the box; refuse what the visitor may not do, and whom they do not see."""
    store, access = user_store(), asking_access()
    subject = Subject(store, signed_in_user(), request.form.get("client", ""), today())
    if access is None or not may_ask(subject):
        store.audit.record("refused", asked="asking a client", fault="AccessDenied")
        raise AccessDenied("This account may not ask clients.")
    _ = subject.name  # raises for a client who does not exist here
    return subject, access
