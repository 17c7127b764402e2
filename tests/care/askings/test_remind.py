"""Who has not answered is reminded once, in words that name nothing, and never after the end."""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mbc.care.askings.collect import asking_states, collect
from mbc.care.askings.mail import checked_address, mail_link, read_contacts
from mbc.care.askings.remind import due_reminders, remind
from mbc.care.askings.settings import AskingSettings, Mail, read_settings
from mbc.errors import MbcError, SettingsError
from tests.care.askings.conftest import Clinic
from tests.mail_server import MailServer, mail_server

SETTINGS = AskingSettings(
    address="https://form.example.org",
    mail=Mail(server="127.0.0.1", security="none", sender="Post <post@example.org>", contacts="contacts.csv"),
)
MAIL = '[mail]\nserver = "a"\nsender = "x@y"\ncontacts = "c"\n'
CONTACTS = {"C001": "willow@example.com"}


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days, seconds=5)


def due(clinic: Clinic, days: float, settings: AskingSettings = SETTINGS):
    return due_reminders(clinic.store, settings, CONTACTS, now=later(days))


def test_one_reminder_after_two_days_to_whoever_has_an_address_and_has_not_answered(clinic):
    made = clinic.ask("checkin", settings=SETTINGS)
    clinic.ask("checkin", client_id="C002", settings=SETTINGS)  # without an address
    assert due(clinic, 1.9) == []
    (reminder,) = due(clinic, 2)
    assert (reminder.asking_id, reminder.address) == (made.asking_id, "willow@example.com")
    assert due(clinic, 4) == []  # the link has ended
    clinic.answer(made, *[1] * 8)
    collect(clinic.store, clinic.box)
    assert due(clinic, 2) == []


def test_nobody_gets_the_same_reminder_twice(clinic):
    clinic.ask("checkin", settings=SETTINGS)
    outbox = []
    reminders = due(clinic, 2)
    assert len(remind(clinic.store, clinic.box, SETTINGS, reminders, outbox.append).sent) == 1
    assert (
        remind(clinic.store, clinic.box, SETTINGS, reminders, outbox.append).sent == ()
    )  # a run at the same time
    assert due(clinic, 3.5) == []
    assert len(outbox) == 1


def test_a_reminder_names_nobody_and_nothing_and_its_link_works(clinic):
    clinic.ask("checkin", "hits", answers_alone=True, settings=SETTINGS.model_copy(update={"help": {"en": "112"}}))
    outbox = []
    remind(clinic.store, clinic.box, SETTINGS, due(clinic, 2), outbox.append)
    text = outbox[0].as_string()
    for hidden in ("C001", "Willow", "Ash", "checkin", "hits", "clinic", "therap", "session", "mbc",
                   socket.gethostname()):  # fmt: skip
        assert hidden not in text
    assert text.count("https://form.example.org/f/") == 1
    token = text.partition("/f/")[2].split()[0]
    assert clinic.box.find(token) is not None


def test_a_refused_message_is_tried_again_and_the_fault_repeats_no_address(clinic):
    clinic.ask("checkin", settings=SETTINGS)

    def refuse(_message) -> None:
        raise smtplib.SMTPRecipientsRefused({"willow@example.com": (550, b"no such box")})

    result = remind(clinic.store, clinic.box, SETTINGS, due(clinic, 2), refuse)
    assert result.sent == ()
    assert "willow" not in "".join(result.faults)
    assert len(due(clinic, 2)) == 1


def test_reminding_is_no_receipt(clinic):
    clinic.ask("checkin", settings=SETTINGS)
    remind(clinic.store, clinic.box, SETTINGS, due(clinic, 2), lambda _: None)
    (row,) = asking_states(clinic.store, "C001")
    assert (row["state"], row["reminders"]) == ("made", 1)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def test_the_clinics_own_server_gets_it(clinic, server):
    mail = SETTINGS.mail.model_copy(update={"port": server.port})
    settings = SETTINGS.model_copy(update={"mail": mail})
    clinic.ask("checkin", settings=settings)
    assert len(remind(clinic.store, clinic.box, settings, due(clinic, 2)).sent) == 1
    assert server.recipients == ["willow@example.com"]
    assert "Subject: A few minutes" in server.lines
    assert not {"C001", "Willow", socket.gethostname()} & set(re.findall(r"[\w.-]+", server.message))
    made = clinic.ask("checkin", settings=settings)
    mail_link(settings, made, " hazel@example.com ")
    assert server.recipients[1:] == ["hazel@example.com"]
    assert made.link in server.message
    server.refuses = True
    with pytest.raises(MbcError, match="did not accept the message: 550") as refused:
        mail_link(settings, made, "hazel@example.com")
    assert "hazel" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["", "willow", "a@b\nBcc: c@d", "a@b, c@d", "Willow <a@b>", "a b@c", "a@b" + "c" * 260, "wïllow@b"]
)
def test_what_is_not_one_address_gets_no_mail(address):
    with pytest.raises(MbcError, match="Enter one email address") as refused:
        checked_address(address)
    assert not address or address not in str(refused.value)


def test_a_server_that_does_not_answer_is_named(clinic):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    settings = SETTINGS.model_copy(update={"mail": SETTINGS.mail.model_copy(update={"port": port})})
    clinic.ask("checkin", settings=settings)
    with pytest.raises(MbcError, match=f"127.0.0.1:{port} does not respond"):
        remind(clinic.store, clinic.box, settings, due(clinic, 2))
    assert len(due(clinic, 2)) == 1


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("client_id,address\nC001,willow@example.com\n", 0o644, "can be read by others"),
        ("client,mail\nC001,willow@example.com\n", 0o600, "needs a header"),
        ("client_id,address\nC001,willow\n", 0o600, "line 2: one client_id and one address"),
        ("client_id,address\nC001,a@b.c\nC001,d@e.f\n", 0o600, "two addresses"),
        ('client_id,address\nC001,"a@b.c\nBcc: d@e.f"\n', 0o600, "one address"),
    ],
)
def test_contacts_that_cannot_be_used_are_refused(tmp_path, text, mode, message):
    file = tmp_path / "contacts.csv"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(SettingsError, match=message):
        read_contacts(SETTINGS.mail.model_copy(update={"contacts": str(file)}))


def test_settings_are_read_relative_to_their_file(tmp_path):
    file = tmp_path / "asking.toml"
    file.write_text(
        'address = "https://form.example.org"\nbox = "boxes/clinic.box"\n[help]\nde = "Rufen Sie 112 an."\n'
        '[mail]\nserver = "mail.example.org"\nsender = "post@example.org"\ncontacts = "contacts.csv"\n'
        '[mail.texts.de]\nsubject = "Kurz"\ntext = "{link}"\n',
        encoding="utf-8",
    )
    settings = read_settings(file)
    assert settings.box == str(tmp_path / "boxes" / "clinic.box")
    assert settings.mail.contacts == str(tmp_path / "contacts.csv")
    assert settings.mail.words("de-AT").subject == "Kurz"
    assert settings.mail.words("en").subject == "A few minutes"
    assert (settings.help_text("de-AT"), settings.help_text("en")) == ("Rufen Sie 112 an.", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expires_days = 0", "expires_days"),
        ("expire_days = 3", "expire_days"),
        ('address = "form.example.org"', "address"),
        ('leave_to = "javascript:alert(1)"', "leave_to"),
        ("[help", "cannot be read as TOML"),
        (f'{MAIL}[mail.texts.en]\nsubject = "s"\ntext = "no link"', "text"),
    ],
)
def test_settings_that_are_wrong_say_where(tmp_path, text, message):
    (tmp_path / "asking.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        read_settings(tmp_path / "asking.toml")


def test_a_command_without_mail_settings_says_what_to_write(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"\[mail\]"):
        remind(None, None, AskingSettings(), [])  # type: ignore[arg-type]
