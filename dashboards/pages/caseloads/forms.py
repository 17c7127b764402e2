"""What the form of the caseloads page does."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import user_store
from mbc.care.words import count
from mbc.errors import MbcError
from mbc.store import Clinician

PATH = "/caseloads"
ASSIGN, ADD_CLINICIAN = "/assign-clients", "/add-clinician"


def answer_assign() -> ResponseReturnValue:
    """Assign the chosen clients to a clinician: all of them, or none."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    clinician_id = request.form.get("clinician_id", "").strip()
    typed = request.form.get("more", "").replace(",", " ").split()
    clients = [*request.form.getlist("client_id"), *typed]
    reason = " ".join(request.form.get("reason", "").split())
    try:
        assigned = user_store().assign(clients, clinician_id, reason=reason)
    except MbcError as fault:
        return back_to(PATH, str(fault))
    return back_to(PATH, f"{DONE}{count(assigned, 'client')} in the caseload of {clinician_id}.")


def answer_add_clinician() -> ResponseReturnValue:
    """Add a clinician, to whom clients can then be assigned."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    clinician_id = request.form.get("clinician_id", "").strip()
    name = " ".join(request.form.get("display_name", "").split())
    try:
        with user_store().writing() as record:
            record.add(Clinician(clinician_id, name))
    except MbcError as fault:
        return back_to(PATH, str(fault))
    return back_to(PATH, f"{DONE}clinician {clinician_id} is on record.")
