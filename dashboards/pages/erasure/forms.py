"""What the form of the erasure page does."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.web.asking_access import clearing_of_box
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import user_store
from mbc.errors import MbcError

PATH = "/erasure"
ERASE = "/erase-client"


def answer_erase() -> ResponseReturnValue:
    """Erase a person whose identifier was typed twice."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    client_id = request.form.get("client_id", "").strip()
    if client_id != request.form.get("again", "").strip():
        return back_to(PATH, "The two identifiers differ. Nothing was erased.")
    try:
        with clearing_of_box(client_id):
            done = user_store().erase(client_id, reason=" ".join(request.form.get("reason", "").split()))
    except MbcError as fault:
        return back_to(PATH, str(fault))
    left = (
        ""
        if done.clean
        else " Another program has the file open; the deleted data are removed from it at the next start."
    )
    named = "" if not done.mentions else f" Still named in {', '.join(done.mentions[:20])}: correct it there."
    return back_to(
        PATH,
        f"{DONE}erased, tombstone {done.tombstone_id}. Earlier backups and exports still contain this client: "
        f"delete them, or make new ones.{named}{left}",
    )
