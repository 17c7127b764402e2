"""What the tests of recording type into each form, and how they send it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date

import polars as pl
from flask.testing import FlaskClient

from mbc.store import Store

TODAY = date(2026, 3, 20)
LIST = "/client/C001/record"


def values_of(page: str) -> dict[str, str]:
    """What a browser would send of a form as it stands."""
    form = page[page.index('action="/record-entry"') :]
    form = form[: form.index("</form>")]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if attributes.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        sent[attributes["name"]] = html.unescape(attributes.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', form, flags=re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        sent[name] = html.unescape(chosen[1]) if chosen else ""
    return sent


def fill(visitor: FlaskClient, path: str, **typed: str):
    page = visitor.get(path)
    assert page.status_code == 200
    return visitor.post("/record-entry", data=values_of(page.text) | typed)


def last_status(store: Store) -> tuple[str, date]:
    return store.statuses(client_id="C001").sort("since").select("status", "since").row(-1)


FORMS: dict[str, tuple[dict[str, str], Callable[[Store], object], object]] = {
    "session": (
        {"attended": "missed", "held_on": "2026-03-18"},
        lambda store: store.sessions(client_id="C001").row(-1),
        ("C001", "E001", 11, date(2026, 3, 18), False, None),
    ),
    "goal-ratings": (
        {"rating-0": "7"},
        lambda store: store.goal_ratings(client_id="C001").row(-1),
        ("G-1", "C001", TODAY, 7.0),
    ),
    "goal": (
        {"label": "Ask for help", "baseline": "2", "target": "7,5"},
        lambda store: (
            store.goals(client_id="C001").row(-1)[1:7],
            store.goal_ratings(client_id="C001").filter(rating=2.0, rated_on=TODAY).height,
        ),
        (("C001", "Ask for help", 2.0, 7.5, True, TODAY), 1),
    ),
    "event": (
        {"label": "New flat", "valence": "growth", "kind": "home"},
        lambda store: store.events(client_id="C001").row(-1)[1:],
        ("C001", TODAY, "home", "New flat", "growth"),
    ),
    "relationship-began": (
        {"status": "dating", "since": "2026-03-01"},
        lambda store: (store.relationships(client_id="C001")["label"].to_list(), last_status(store)),
        (["R1", "R2"], ("dating", date(2026, 3, 1))),
    ),
    "status": (
        {"whose": "-", "status": "dating"},
        last_status,
        ("dating", TODAY),
    ),
    "homework": (
        {"task": "Ask for one thing a day", "set_on": "2026-03-18"},
        lambda store: store.homework(client_id="C001").row(-1)[1:5],
        ("C001", date(2026, 3, 18), "Ask for one thing a day", None),
    ),
    "small-win": (
        {"label": "Said no"},
        lambda store: store.small_wins(client_id="C001").row(-1)[1:],
        ("C001", TODAY, "Said no"),
    ),
    "conflict": (
        {"intensity": "7", "repaired": "yes", "lasted": "90", "unit": "minutes", "count": "2"},
        lambda store: store.conflicts(client_id="C001").row(-1)[1:],
        ("C001", TODAY, 7.0, True, 1.5, 2, None),
    ),
    "rupture": (
        {"kind": "withdrawal", "repaired": "yes", "label": "Late start"},
        lambda store: store.alliance_ruptures(client_id="C001").row(-1)[1:],
        ("C001", TODAY, "withdrawal", True, TODAY, "Late start"),
    ),
    "decision": (
        {"rating": "10", "decision": "Move out"},
        lambda store: store.decision_clarity(client_id="C001").row(-1),
        ("C001", TODAY, 10.0, "Move out"),
    ),
    "readiness": (
        {"rating": "3"},
        lambda store: store.couples_readiness(client_id="C001").row(-1),
        ("C001", TODAY, 3.0, None),
    ),
    "imagined-view": (
        {"rating": "0", "aspect": "trust"},
        lambda store: store.imagined_partner_views(client_id="C001").row(-1),
        ("C001", "R-1", TODAY, 0.0, "trust"),
    ),
    "pattern": (
        {"pattern": "giving in"},
        lambda store: store.pattern_tags(client_id="C001").row(-1),
        ("C001", "R-1", "giving in", TODAY),
    ),
    "support": (
        {"people": "3", "quality": "6"},
        lambda store: store.support_networks(client_id="C001").row(-1),
        ("C001", TODAY, 3, 6.0),
    ),
    "measure": (
        {"instrument": "rses", "every_days": "7", "baseline_askings": "3"},
        lambda store: store.planned_measures(client_id="C001").row(-1, named=True),
        {
            "client_id": "C001",
            "instrument": "rses",
            "starts_on": TODAY,
            "every_days": 7,
            "every_sessions": None,
            "ends_on": None,
            "before_sessions": None,
            "baseline_askings": 3,
        },
    ),
    "pause": (
        {"ends_on": "2026-04-20", "reason": "holiday"},
        lambda store: store.measure_pauses(client_id="C001").row(-1),
        ("C001", TODAY, date(2026, 4, 20), "holiday"),
    ),
    "release": (
        {
            "recipient": "Couples therapist",
            "purpose": "Joint work",
            "scale-rses": "yes",
            "expires_on": "2026-09-20",
        },
        lambda store: store.releases_of_information(client_id="C001").row(-1)[1:7],
        ("C001", "Couples therapist", "Joint work", "rses", TODAY, date(2026, 9, 20)),
    ),
    "paper": (
        {"questionnaire": "gad7/standard/0-3", "asked": "gad7/standard/0-3"}
        | {f"item-{place}": str(place % 4) for place in range(1, 8)},
        lambda store: store.answers("gad7", client_id="C001")["value"].to_list(),
        [1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0],
    ),
}


def safely(read: Callable[[Store], object], store: Store) -> object:
    try:
        return read(store)
    except pl.exceptions.OutOfBoundsError:
        return None  # nothing of the kind is on record


def undo(visitor: FlaskClient) -> str:
    """Press the first button to undo."""
    page = visitor.get(LIST).text
    form = page[page.index('action="/undo-entry"') :]
    sent = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")]))
    return visitor.post("/undo-entry", data=sent).headers["Location"]


RESTRICTED = {
    "restricted-a": ({}, lambda store: store.safety_plans(client_id="C001").row(-1)[:2], ("C001", TODAY)),
    "restricted-b": (
        {"outcome": "advice sought"},
        lambda store: store.duties_to_report(client_id="C001").row(-1),
        ("C001", TODAY, "advice sought"),
    ),
    "restricted-c": (
        {"reason": "coercive control"},
        lambda store: store.couples_contraindications(client_id="C001").row(-1)[:3],
        ("C001", TODAY, "coercive control"),
    ),
}
