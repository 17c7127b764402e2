"""How a record outside the caseload is opened and closed: two plain forms, each with a token of its own."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, request
from flask.typing import ResponseReturnValue

from dashboards.routes import CLOSE_RECORD, OPEN_RECORD, OTHER_RECORDS, client_path
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import my_store
from mbc.errors import AccessDenied, NotInRecord, StoreError

APART = "apart"  # the value of "extent" that asks for what is kept apart, too
_NOBODY = "There is no such client."


def install_out_of_turn(server: Flask) -> None:
    """Add the two forms' addresses; who may use them, and for whom, is the store's to say."""
    forms = Blueprint("out_of_turn", __name__)
    forms.add_url_rule(OPEN_RECORD, "open", _open, methods=["POST"])
    forms.add_url_rule(CLOSE_RECORD, "close", _close, methods=["POST"])
    server.register_blueprint(forms)


def _open() -> ResponseReturnValue:
    if not csrf_holds(request.form.get("csrf")):
        return back_to(OTHER_RECORDS, STALE)
    client_id = request.form.get("client_id", "").strip()
    safety = request.form.get("extent") == APART
    reason = " ".join(request.form.get("reason", "").split())  # the field has lines, what is kept has none
    try:
        my_store().break_glass(client_id, reason=reason, safety=safety)
    except NotInRecord:
        return back_to(OTHER_RECORDS, _NOBODY)
    except (AccessDenied, StoreError) as fault:
        return back_to(OTHER_RECORDS, str(fault))
    return redirect(client_path(client_id), 303)


def _close() -> ResponseReturnValue:
    if csrf_holds(request.form.get("csrf")):
        my_store().close_glass(request.form.get("client_id", ""))
    return back_to(OTHER_RECORDS)
