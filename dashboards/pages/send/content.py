"""What the page shows: the form, how far each asking has come, and a new link, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import segno

from dashboards.components.forms import DONE
from dashboards.forms.entry import Subject
from dashboards.forms.fields import Field
from dashboards.pages.record.content import ShownField
from dashboards.pages.send.addresses import ASK, PAPER, WITHDRAW, send_path
from dashboards.pages.send.fields import Offer
from dashboards.routes import client_path
from dashboards.web.server_page import server_page
from dashboards.web.sessions import csrf_token
from mbc.care.askings.ask import MadeAsking
from mbc.care.askings.collect import asking_states
from mbc.care.words import day_words
from mbc.instruments.library import instrument as load
from mbc.instruments.library import keys
from mbc.store import Store
from mbc.store.askings import GOAL, new_asking_id

OPEN_STATES = ("made", "opened", "begun")
_SHOWN = 20
_STATE_WORDS = {
    "made": "not opened yet",
    "opened": "opened",
    "begun": "begun",
    "answered": "answered",
    "expired": "expired",
    "stopped": "the client has opted out",
    "withdrawn": "withdrawn",
}
_MOMENT_OF = {"opened": "opened_at", "begun": "begun_at", "answered": "answered_at", "stopped": "stopped_at",
              "withdrawn": "withdrawn_at", "expired": "expires_at"}  # fmt: skip


def send_page(
    offered: Offer | None,
    subject: Subject,
    *,
    note: str = "",
    problem: str = "",
    faults: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    box_fault: str = "",
    unavailable: str = "",
) -> str:
    """Write the page.

    Parameters
    ----------
    offered : Offer, optional
        What can be asked; None where nothing can.
    subject : Subject
        Whom it is about.
    note : str
        What the last form led to.
    problem, faults, typed : str, mapping, mapping
        Why nobody was asked, the reasons beside the fields, and what was typed.
    box_fault : str
        Why the states may be old.
    unavailable : str
        Why nothing can be asked.
    """
    sent, wrong = typed or {}, faults or {}
    return server_page(
        "send/page.html",
        name=subject.name,
        back=client_path(subject.client_id),
        note=note,
        good=note.startswith(DONE),
        problem=problem,
        box_fault=box_fault,
        unavailable=unavailable,
        stopped=offered is not None and offered.stopped,
        fields=[]
        if offered is None
        else [_filled(field, sent, wrong.get(field.name, "")) for field in offered.fields],
        askings=askings_of(subject.store, subject.client_id),
        ask=ASK,
        paper=PAPER,
        withdraw=WITHDRAW,
        hidden={"csrf": csrf_token(), "client": subject.client_id},
        number=sent.get("asking") or new_asking_id(),
    )


def made_page(subject: Subject, made: MadeAsking, *, mailed: str = "", kiosk: str = "") -> str:
    """Write the page with a link: this once.

    Parameters
    ----------
    subject, made : Subject, MadeAsking
        Who was asked, and what they get.
    mailed : str
        What the mail server said of it, in words.
    kiosk : str
        Where the code is typed.
    """
    return server_page(
        "send/made.html",
        name=subject.name,
        back=client_path(subject.client_id),
        again=send_path(subject.client_id),
        made=made,
        until=_moment(made.expires_at),
        minutes="1 minute" if made.minutes == 1 else f"{made.minutes} minutes",
        picture=segno.make(made.link, micro=False, error="m").svg_data_uri(scale=5, border=3, light="#fff"),
        mailed=mailed,
        kiosk=kiosk,
        scores="; ".join(f"{load(key).name}: {number}" for key, number in made.scores_shown),
    )


def askings_of(store: Store, client_id: str) -> list[dict[str, Any]]:
    """List the askings of a client, the newest first, in words."""
    rows = asking_states(store, client_id)[::-1][:_SHOWN]
    return [
        {
            "number": row["asking_id"],
            "what": asked_words(row["instruments"]),
            "made": _moment(row["made_at"]),
            "state": _STATE_WORDS[row["state"]],
            "at": _moment(row[_MOMENT_OF[row["state"]]]) if row["state"] in _MOMENT_OF else "",
            "until": _moment(row["expires_at"]) if row["state"] in OPEN_STATES else "",
            "reminded": row["reminders"],
            "open": row["state"] in OPEN_STATES,
        }
        for row in rows
    ]


def asked_words(instruments: list[str]) -> str:
    """Name what was asked."""
    known = set(keys())
    names = [
        "goal ratings" if key == GOAL else load(key).name if key in known else key
        for key in dict.fromkeys(instruments)
    ]
    return ", ".join(names)


def waiting_words(store: Store, client_id: str) -> str:
    """Say in a line what a client was asked and has not answered, or that they want no more of it."""
    rows = asking_states(store, client_id)
    if store.has_stopped_askings(client_id):
        days = [row["stopped_at"] for row in rows if row["stopped_at"] is not None]
        since = f" (since {day_words(max(days).astimezone().date())})" if days else ""
        return f"The client has opted out of questions by link{since}."
    open_ones = [row for row in rows if row["state"] in OPEN_STATES]
    if not open_ones:
        return ""
    listed = "; ".join(
        f"{asked_words(row['instruments'])}, {day_words(row['made_at'].astimezone().date())}, "
        f"{_STATE_WORDS[row['state']]}"
        for row in open_ones[-3:]
    )
    return f"Asked: {listed}."


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return ""
    local = moment.astimezone()
    return f"{day_words(local.date())}, {local:%H:%M}"


def _filled(field: Field, sent: Mapping[str, str], fault: str) -> ShownField:
    answered = bool(sent) and (field.name in sent or field.kind in ("choice", "check"))
    return ShownField(field, sent.get(field.name, "") if answered else field.value, fault)
