"""How a clinic hears that signing in was paused: by its own mail server, in words that name nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from mbc.care.askings.mail import REFUSALS, Send, given, mail_of, server_of, why
from mbc.care.askings.settings import AskingSettings, Mail
from mbc.errors import MbcError
from mbc.store import Store

_TEXTS: dict[str, tuple[str, str]] = {
    "en": ("A notice", "Something on the Accounts page needs your attention."),
    "de": ("Ein Hinweis", "Auf der Seite Accounts ist etwas anzusehen."),
    "es": ("Un aviso", "En la página Accounts hay algo que mirar."),
    "fr": ("Un avis", "Il y a quelque chose à regarder à la page Accounts."),
    "nl": ("Een bericht", "Op de pagina Accounts is iets om naar te kijken."),
}


def send_pause_notice(store: Store, settings: AskingSettings, send: Send | None = None) -> bool:
    """Send the message that is due; says whether one was sent.

    It is noted on record before the mail server gets it, and the note is taken back if that refuses it.

    Parameters
    ----------
    store : Store
        The record, as the operator has it.
    settings : AskingSettings
        They name a mail server.
    send : callable, optional
        Gives a message to a server; default: the clinic's.

    Raises
    ------
    MbcError
        If the mail server does not answer or refuses the message; it is due again.
    """
    mail, accounts = mail_of(settings), store.accounts
    notice = accounts.claim_pause_notice()
    if notice is None:
        return False
    try:
        with server_of(mail) if send is None else given(send) as deliver:
            deliver(notice_message(mail, notice.address, settings.language))
    except REFUSALS as fault:
        accounts.return_pause_notice(notice)
        raise MbcError(f"The mail server did not accept the notice: {why(fault)}.") from None
    except MbcError:
        accounts.return_pause_notice(notice)
        raise
    return True


def notice_message(mail: Mail, address: str, language: str) -> EmailMessage:
    """Write the message: that there is something to look at, and nothing of what or who."""
    subject, text = _TEXTS.get(language.split("-", maxsplit=1)[0], _TEXTS["en"])
    written = EmailMessage()
    written["From"] = mail.sender
    written["To"] = address
    written["Subject"] = subject
    written["Date"] = format_datetime(datetime.now(UTC))
    written["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2].strip(" >"))
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(text)
    return written
