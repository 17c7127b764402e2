"""How clients are reminded: by the clinic's own mail server, in words that name nothing, and once."""

from __future__ import annotations

import csv
import smtplib
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

from mbc.box.box import Box
from mbc.box.token import new_token
from mbc.care.askings.collect import asking_states
from mbc.care.askings.settings import AskingSettings, Mail, require_private
from mbc.errors import MbcError, SettingsError
from mbc.store import Store

_SECONDS = 30
_OPEN = ("made", "opened", "begun")
Send = Callable[[EmailMessage], object]


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
    with _server(mail) if send is None else _given(send) as deliver:
        for reminder in reminders:
            if not store.note_reminder(reminder.asking_id, sent_before=reminder.sent_before):
                continue  # somebody else is sending it
            token = new_token()
            box.add_token(reminder.asking_id, token)
            try:
                deliver(message(mail, reminder, settings.link(token)))
            except (smtplib.SMTPException, OSError) as fault:
                store.note_reminder(reminder.asking_id, sent_before=reminder.sent_before, undo=True)
                faults.append(f"Asking {reminder.asking_id}: the mail server answered {_why(fault)}.")
            else:
                sent.append(reminder)
    return Reminded(tuple(sent), tuple(faults))


def message(mail: Mail, reminder: Reminder, link: str) -> EmailMessage:
    """Write a message: sender, subject and text as the clinic has them, and nothing else of anybody."""
    words = mail.words(reminder.language)
    until = f"{reminder.expires_at.astimezone():%Y-%m-%d %H:%M}"
    written = EmailMessage()
    written["From"] = mail.sender
    written["To"] = reminder.address
    written["Subject"] = words.subject
    written["Date"] = format_datetime(datetime.now(UTC))
    # without a domain it would name this machine
    written["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2].strip(" >"))
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(words.text.replace("{link}", link).replace("{until}", until))
    return written


def mail_of(settings: AskingSettings) -> Mail:
    """Give the mail settings.

    Raises
    ------
    SettingsError
        If there are none.
    """
    if settings.mail is None:
        raise SettingsError("The settings name no mail server. Write one under [mail]: server, sender, contacts.")
    return settings.mail


def read_contacts(mail: Mail) -> dict[str, str]:
    """Read whose address is which: a CSV file that only its owner can read, with client_id and address.

    Raises
    ------
    SettingsError
        If it cannot be read, others can read it, or a line is not one client with one address.
    """
    path = Path(mail.contacts)
    require_private(path, "file of contacts")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"client_id", "address"} <= set(reader.fieldnames or ()):
                raise SettingsError(f"{path} needs a header with client_id and address.")
            return dict(_contacts(path, reader))
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read as UTF-8 text.") from None


def _contacts(path: Path, reader: csv.DictReader[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for row in reader:
        client_id, address = (row["client_id"] or "").strip(), (row["address"] or "").strip()
        name, at, domain = address.rpartition("@")
        if not (client_id and name and at and domain) or any(c in address for c in " \t\r\n,;<>"):
            raise SettingsError(f"{path}, line {reader.line_num}: a client_id and one address are needed.")
        if client_id in seen:
            raise SettingsError(f"{path}, line {reader.line_num}: {client_id} has two addresses.")
        seen.add(client_id)
        yield client_id, address


@contextmanager
def _given(send: Send) -> Generator[Send]:
    yield send


@contextmanager
def _server(mail: Mail) -> Generator[Send]:
    """Connect to the clinic's mail server."""
    context = ssl.create_default_context()
    try:
        if mail.security == "tls":
            server = smtplib.SMTP_SSL(mail.server, mail.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(mail.server, mail.port, timeout=_SECONDS)
    except (OSError, smtplib.SMTPException) as fault:
        raise MbcError(f"The mail server {mail.server}:{mail.port} does not answer: {_why(fault)}.") from None
    with server:
        try:
            if mail.security == "starttls":
                server.starttls(context=context)
            if mail.user is not None:
                server.login(mail.user, _password(mail))
        except (OSError, smtplib.SMTPException) as fault:
            raise MbcError(f"The mail server {mail.server} let nobody in: {_why(fault)}.") from None
        yield server.send_message


def _password(mail: Mail) -> str:
    if mail.password_file is None:
        raise SettingsError("The mail server needs a password: name a file with password_file, under [mail].")
    path = Path(mail.password_file)
    require_private(path, "file of the mail password")
    return path.read_text(encoding="utf-8").rstrip("\r\n")


def _why(fault: Any) -> str:
    """Name a fault without what the server quotes: it may repeat an address."""
    code = getattr(fault, "smtp_code", None)
    return f"{code}" if code else type(fault).__name__
