"""How a record outside the caseload is opened and closed: two plain forms, each with a token of its own."""

from __future__ import annotations

from flask import redirect, request
from flask.typing import ResponseReturnValue

from dashboards.routes import client_path
from dashboards.web.flash import back_to
from dashboards.web.form_answers import form_on
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import user_store
from mbc.errors import AccessDenied, MbcError, NotInRecord, StoreBusy, StoreError, StoreUnreachable

PATH = "/other-records"
OPEN_RECORD, CLOSE_RECORD = "/open-record", "/close-record"
RESTRICTED = "restricted"  # the value of "extent" that asks for the restricted part, too
_NO_CLIENT = "There is no such client."


@form_on(PATH, passes=MbcError)
def answer_open() -> ResponseReturnValue:
    """Open a record; the store decides who may, and whose."""
    client_id = request.form.get("client_id", "").strip()
    safety = request.form.get("extent") == RESTRICTED
    reason = " ".join(request.form.get("reason", "").split())  # the field has lines, the log has none
    try:
        user_store().break_glass(client_id, reason=reason, safety=safety)
    except NotInRecord:
        return back_to(PATH, _NO_CLIENT)
    except (StoreBusy, StoreUnreachable):
        raise
    except (AccessDenied, StoreError) as fault:
        return back_to(PATH, str(fault))
    return redirect(client_path(client_id), 303)


def answer_close() -> ResponseReturnValue:
    """Close a record that this visitor has open."""
    if csrf_holds(request.form.get("csrf")):
        user_store().end_break_glass(request.form.get("client_id", ""))
    return back_to(PATH)
