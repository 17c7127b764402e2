"""What the form of the erasure page does."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.web.asking_access import clearing_of_box
from dashboards.web.flash import back_to
from dashboards.web.form_answers import form_on
from dashboards.web.visitor import user_store

PATH = "/erasure"
ERASE = "/erase-client"


@form_on(PATH)
def answer_erase() -> ResponseReturnValue:
    """Erase a person whose identifier was typed twice."""
    client_id = request.form.get("client_id", "").strip()
    if client_id != request.form.get("again", "").strip():
        return back_to(PATH, "The two identifiers differ. Nothing was erased.")
    with clearing_of_box(client_id):
        done = user_store().erase(client_id, reason=" ".join(request.form.get("reason", "").split()))
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
