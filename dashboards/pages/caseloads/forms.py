"""What the form of the caseloads page does."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.web.flash import back_to
from dashboards.web.form_answers import form_on
from dashboards.web.visitor import user_store
from mbc.care.words import count
from mbc.store import Clinician

PATH = "/caseloads"
ASSIGN, ADD_CLINICIAN = "/assign-clients", "/add-clinician"


@form_on(PATH)
def answer_assign() -> ResponseReturnValue:
    """Assign the chosen clients to a clinician: all of them, or none."""
    clinician_id = request.form.get("clinician_id", "").strip()
    typed = request.form.get("more", "").replace(",", " ").split()
    clients = [*request.form.getlist("client_id"), *typed]
    reason = " ".join(request.form.get("reason", "").split())
    assigned = user_store().assign(clients, clinician_id, reason=reason)
    return back_to(PATH, f"{DONE}{count(assigned, 'client')} in the caseload of {clinician_id}.")


@form_on(PATH)
def answer_add_clinician() -> ResponseReturnValue:
    """Add a clinician, to whom clients can then be assigned."""
    clinician_id = request.form.get("clinician_id", "").strip()
    name = " ".join(request.form.get("display_name", "").split())
    with user_store().writing() as record:
        record.add(Clinician(clinician_id, name))
    return back_to(PATH, f"{DONE}clinician {clinician_id} is on record.")
