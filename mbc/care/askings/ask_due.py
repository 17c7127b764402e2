"""How everybody is asked for whom the plan of measures has something due: by mail, once, for a timer."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.box.box import Box
from mbc.box.content import Explanation
from mbc.care.askings.ask import AskOptions, MadeAsking, ask, check_askable, worded_sheets
from mbc.care.askings.collect import asking_states
from mbc.care.askings.mail import REFUSALS, Send, given, mail_of, message, server_of, why
from mbc.care.askings.settings import AskingSettings
from mbc.care.course.current_episode import closed_care
from mbc.care.plan.client_plan import client_plans
from mbc.care.values.plan import MeasureSchedule
from mbc.errors import MbcError
from mbc.instruments import instrument
from mbc.store import Store

Explain = Callable[[str, Sequence[str]], Explanation]


@dataclass(frozen=True, slots=True)
class DueAsking:
    """What one client is asked, and where the link goes."""

    client_id: str
    address: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueAskings:
    """Who is asked on a day, and how many are not although something is due."""

    askings: tuple[DueAsking, ...]
    without_address: int  # no address on file
    stopped: int  # the client wanted no more askings


@dataclass(frozen=True, slots=True)
class AskedDue:
    """What asking everybody did."""

    asked: int
    faults: tuple[str, ...]  # each with the number of clients it kept from being asked, naming none


def due_askings(store: Store, contacts: Mapping[str, str], day: dt.date) -> DueAskings:
    """Find whom the plan of measures has something due for that they were not asked for already.

    Whoever let a link expire is not asked for the same occasion again: the next one comes by the plan. Clients out
    of care are not asked.

    Parameters
    ----------
    store : Store
        The record, as the operator has it; answers were collected just before.
    contacts : mapping
        Client to address.
    day : date
    """
    waiting = _waiting(store, day)
    reachable = [client_id for client_id in waiting if client_id in contacts]
    stopped = {client_id for client_id in reachable if store.has_stopped_askings(client_id)}
    return DueAskings(
        tuple(
            DueAsking(client_id, contacts[client_id], waiting[client_id])
            for client_id in reachable
            if client_id not in stopped
        ),
        without_address=len(waiting) - len(reachable),
        stopped=len(stopped),
    )


def refusals(store: Store, settings: AskingSettings, due: Iterable[DueAsking], day: dt.date) -> tuple[str, ...]:
    """Say what would keep clients from being asked, as `ask_due` would; nothing is written."""
    reasons: Counter[str] = Counter()
    for asking in due:
        measures = [instrument(key) for key in asking.keys]
        try:
            check_askable(measures, settings, settings.language, answers_alone=False)
            worded_sheets(store, asking.client_id, measures, settings.language, AskOptions(), day)
        except MbcError as fault:
            reasons[str(fault)] += 1
    return _counted(reasons)


def ask_due(
    store: Store,
    box: Box,
    settings: AskingSettings,
    due: Sequence[DueAsking],
    day: dt.date,
    *,
    explain: Explain | None = None,
    send: Send | None = None,
) -> AskedDue:
    """Ask each client, and mail the link; it is shown to nobody.

    Each asking is on record before the mail server gets its link: run twice, or interrupted, nobody gets two. One
    that the server refuses is withdrawn, and the next run tries again.

    Parameters
    ----------
    store, box, settings : Store, Box, AskingSettings
        As `mbc.care.askings.ask.ask` takes them; the settings name a mail server.
    due : sequence of DueAsking
        As `due_askings` gives them.
    day : date
    explain : callable, optional
        Words for a client and questionnaires how progress is measured; default: the client is only thanked.
    send : callable, optional
        Gives a message to a server; default: the clinic's.
    """
    mail, reasons, asked = mail_of(settings), Counter[str](), 0
    if not due:
        return AskedDue(0, ())
    with server_of(mail) if send is None else given(send) as deliver:
        for asking in due:
            if _waiting(store, day, asking.client_id).get(asking.client_id) != asking.keys:
                continue  # somebody else has asked meanwhile
            try:
                explanation = None if explain is None else explain(asking.client_id, asking.keys)
                options = AskOptions(explanation=explanation)
                made = ask(store, box, settings, asking.client_id, asking.keys, options, today=day)
            except MbcError as fault:
                reasons[str(fault)] += 1
                continue
            try:
                deliver(message(mail, asking.address, made.language, made.expires_at, made.link))
            except REFUSALS as fault:
                _withdraw(store, box, made)
                reasons[f"the mail server answered {why(fault)}. The next run tries again."] += 1
            else:
                asked += 1
    return AskedDue(asked, _counted(reasons))


def _withdraw(store: Store, box: Box, made: MadeAsking) -> None:
    box.withdraw(made.asking_id)
    store.withdraw_asking(made.asking_id)


def _counted(reasons: Counter[str]) -> tuple[str, ...]:
    return tuple(
        f"{number} {'client' if number == 1 else 'clients'} not asked: {reason}"
        for reason, number in reasons.items()
    )


def _waiting(store: Store, day: dt.date, client_id: str | None = None) -> dict[str, tuple[str, ...]]:
    """List the questionnaires that are due and were not asked for, by client in care."""
    closed = closed_care(store.episodes(client_id=client_id))
    sessions = store.sessions(client_id=client_id).filter(pl.col("attended")).group_by("client_id")
    last_session: dict[str, dt.date] = dict(sessions.agg(pl.col("held_on").max()).iter_rows())
    askings: dict[str, list[dict[str, Any]]] = {}
    for row in asking_states(store, client_id):
        if row["state"] != "withdrawn":
            askings.setdefault(row["client_id"], []).append(row)
    waiting: dict[str, tuple[str, ...]] = {}
    for client, plan in sorted(client_plans(store, as_of=day, client_id=client_id).items()):
        own, since = askings.get(client, []), last_session.get(client, dt.date.min)
        keys = [each.instrument for each in plan.due if not _was_asked(own, each, _asked_since(each, since, day))]
        if keys and client not in closed:
            waiting[client] = tuple(dict.fromkeys(keys))
    return waiting


def _asked_since(measure: MeasureSchedule, last_session: dt.date, day: dt.date) -> dt.date:
    """Give the day from which an asking is for the occasion that is due: before a session, the last session."""
    due_on = measure.due_on or day
    return due_on if due_on <= day else last_session


def _was_asked(askings: Iterable[Mapping[str, Any]], measure: MeasureSchedule, since: dt.date) -> bool:
    return any(
        measure.instrument in row["instruments"]
        and (row["state"] in ("made", "opened", "begun") or row["made_at"].astimezone().date() >= since)
        for row in askings
    )
