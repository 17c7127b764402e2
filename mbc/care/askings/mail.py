"""How a link goes out by mail: by the clinic's own server, in words that name nothing."""

from __future__ import annotations

import csv
import re
import smtplib
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

from mbc.care.askings.ask import MadeAsking
from mbc.care.askings.settings import AskingSettings, Mail, require_private
from mbc.errors import MbcError, SettingsError

_SECONDS = 30
_LONGEST = 254
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
Send = Callable[[EmailMessage], object]
REFUSALS = (smtplib.SMTPException, OSError)


def mail_link(settings: AskingSettings, made: MadeAsking, address: str, send: Send | None = None) -> None:
    """Give the link of an asking to the clinic's mail server.

    Parameters
    ----------
    settings : AskingSettings
        They name a mail server.
    made : MadeAsking
        What was asked.
    address : str
        Where to; kept nowhere.
    send : callable, optional
        Gives a message to a server; default: the clinic's.

    Raises
    ------
    SettingsError
        If there is no mail server.
    MbcError
        If it cannot be reached or refuses the message, or the address is none. The asking stands all the same.
    """
    mail = mail_of(settings)
    written = message(mail, checked_address(address), made.language, made.expires_at, made.link)
    with server_of(mail) if send is None else given(send) as deliver:
        try:
            deliver(written)
        except REFUSALS as fault:
            raise MbcError(f"The mail server did not accept the message: {why(fault)}.") from None


def checked_address(address: str) -> str:
    """Check that a text is one address.

    Raises
    ------
    MbcError
        If it is not; the text is not repeated.

    Examples
    --------
    >>> checked_address(" willow@example.com ")
    'willow@example.com'
    """
    text = address.strip()
    if not _ADDRESS.fullmatch(text) or len(text) > _LONGEST:
        raise MbcError("Enter one email address, such as name@example.org.")
    return text


def message(mail: Mail, address: str, language: str, expires_at: datetime, link: str) -> EmailMessage:
    """Write a message: sender, subject and text as the clinic has them, and nothing else of anybody."""
    words = mail.words(language)
    until = f"{expires_at.astimezone():%Y-%m-%d %H:%M}"
    written = EmailMessage()
    written["From"] = mail.sender
    written["To"] = address
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


def address_of(mail: Mail, client_id: str) -> str:
    """Give a client's address from the file of contacts.

    Raises
    ------
    SettingsError
        If there is none.
    """
    address = read_contacts(mail).get(client_id)
    if address is None:
        raise SettingsError(
            f"{mail.contacts} has no address for {client_id}. Add it, or give one for this email only."
        )
    return address


def read_contacts(mail: Mail) -> dict[str, str]:
    """Read whose address is which: a CSV file that only its owner can read, with client_id and address.

    Raises
    ------
    SettingsError
        If there is none, it cannot be read, others can read it, or a line is not one client with one address.
    """
    if mail.contacts is None:
        raise SettingsError(
            "The settings name no address file. Write one under [mail]: contacts, a CSV file with client_id "
            "and address. Without it, give the address each time."
        )
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
        try:
            address = checked_address(address)
        except MbcError:
            client_id = ""
        if not client_id:
            raise SettingsError(f"{path}, line {reader.line_num}: one client_id and one address are required.")
        if client_id in seen:
            raise SettingsError(f"{path}, line {reader.line_num}: {client_id} has two addresses.")
        seen.add(client_id)
        yield client_id, address


@contextmanager
def given(send: Send) -> Generator[Send]:
    """Hand a sender on as a server is handed on."""
    yield send


@contextmanager
def server_of(mail: Mail) -> Generator[Send]:
    """Connect to the clinic's mail server."""
    context = ssl.create_default_context()
    try:
        if mail.security == "tls":
            server = smtplib.SMTP_SSL(mail.server, mail.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(mail.server, mail.port, timeout=_SECONDS)
    except (OSError, smtplib.SMTPException) as fault:
        raise MbcError(f"The mail server {mail.server}:{mail.port} does not respond: {why(fault)}.") from None
    with server:
        try:
            if mail.security == "starttls":
                server.starttls(context=context)
            if mail.user is not None:
                server.login(mail.user, _password(mail))
        except (OSError, smtplib.SMTPException) as fault:
            raise MbcError(f"The mail server {mail.server} refused the sign-in: {why(fault)}.") from None
        yield server.send_message


def _password(mail: Mail) -> str:
    if mail.password_file is None:
        raise SettingsError("The mail server requires a password: name its file with password_file, under [mail].")
    path = Path(mail.password_file)
    require_private(path, "file of the mail password")
    return path.read_text(encoding="utf-8").rstrip("\r\n")


def why(fault: Any) -> str:
    """Name a fault without what the server quotes: it may repeat an address."""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        codes = ", ".join(sorted({str(code) for code, _ in fault.recipients.values()}))
        return f"{codes}, the address was refused"
    code = getattr(fault, "smtp_code", None)
    return f"{code}" if code else type(fault).__name__
