"""How clients are reminded: by the clinic's own mail server, in words that name nothing, and once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from mbc.box.box import Box
from mbc.box.token import new_token
from mbc.care.askings.collect import asking_states
from mbc.care.askings.mail import REFUSALS, Send, given, mail_of, message, server_of, why
from mbc.care.askings.settings import AskingSettings, Mail
from mbc.store import Store

_OPEN = ("made", "opened", "begun")


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message that is due."""

    asking_id: str
    client_id: str
    address: str
    language: str
    expires_at: datetime
    sent_before: int


@dataclass(frozen=True, slots=True)
class Reminded:
    """What reminding did."""

    sent: tuple[Reminder, ...]
    faults: tuple[str, ...]


def due_reminders(
    store: Store, settings: AskingSettings, contacts: Mapping[str, str], *, now: datetime | None = None
) -> list[Reminder]:
    """List the reminders that are due: askings not answered yet, of clients with an address.

    Parameters
    ----------
    store : Store
        The record, as the operator has it; answers were collected just before.
    settings : AskingSettings
        How long to wait, and how often to remind.
    contacts : mapping
        Client to address.
    now : datetime, optional
        The moment.
    """
    moment, wait = now or datetime.now(UTC), timedelta(days=settings.remind_after_days)
    return [
        Reminder(
            row["asking_id"],
            row["client_id"],
            contacts[row["client_id"]],
            row["language"],
            row["expires_at"],
            row["reminders"],
        )
        for row in asking_states(store, now=moment)
        if row["state"] in _OPEN
        and row["client_id"] in contacts
        and row["reminders"] < settings.reminders
        and moment >= (row["reminded_at"] or row["made_at"]) + wait
    ]


def remind(
    store: Store, box: Box, settings: AskingSettings, reminders: list[Reminder], send: Send | None = None
) -> Reminded:
    """Send reminders, each with a link of its own.

    Each is noted before it is given to the mail server, and the note is taken back if the server refuses it: run
    twice, or interrupted, nobody gets two.

    Parameters
    ----------
    store, box, settings : Store, Box, AskingSettings
        As `mbc.care.askings.ask.ask` takes them; the settings name a mail server.
    reminders : list of Reminder
        As `due_reminders` gives them.
    send : callable, optional
        Gives a message to a server; default: the clinic's.
    """
    mail = mail_of(settings)
    sent: list[Reminder] = []
    faults: list[str] = []
    if not reminders:
        return Reminded((), ())
    with server_of(mail) if send is None else given(send) as deliver:
        for reminder in reminders:
            if not store.note_reminder(reminder.asking_id, sent_before=reminder.sent_before):
                continue  # somebody else is sending it
            token = new_token()
            box.add_token(reminder.asking_id, token)
            try:
                deliver(reminder_message(mail, reminder, settings.link(token)))
            except REFUSALS as fault:
                store.note_reminder(reminder.asking_id, sent_before=reminder.sent_before, undo=True)
                faults.append(f"Request {reminder.asking_id}: the mail server answered {why(fault)}.")
            else:
                sent.append(reminder)
    return Reminded(tuple(sent), tuple(faults))


def reminder_message(mail: Mail, reminder: Reminder, link: str) -> EmailMessage:
    """Write the message of a reminder."""
    return message(mail, reminder.address, reminder.language, reminder.expires_at, link)
