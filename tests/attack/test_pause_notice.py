"""Somebody guesses passwords: the clinic is written to, in words that give nothing away, and not too often."""

from __future__ import annotations

import json
import logging
import smtplib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.server.notice_timer import send_due_notice, sending_notices
from mbc.care.askings.pause_notice import send_pause_notice
from mbc.care.askings.settings import AskingSettings, Mail
from mbc.errors import MbcError
from mbc.store import Clinician, Store
from tests.mail_server import mail_server
from tests.store.conftest import GOOD_PASSWORD

pytestmark = pytest.mark.long

SETTINGS = AskingSettings(mail=Mail(server="127.0.0.1", security="none", sender="Post <post@example.org>"))
ADDRESS = "office@clinic.example"


@pytest.fixture
def people(filled) -> Store:
    return filled(add_ann)


def add_ann(store: Store) -> None:
    with store.writing(by="intake") as record:
        record.add(Clinician("K1", "One"))
    store.accounts.add("ann", GOOD_PASSWORD, "clinician", "K1")
    store.accounts.set_notice_address(ADDRESS)


def guess(store: Store, name: str, *, times: int = 5) -> None:
    for _ in range(times):
        store.accounts.verify(name, "wrong wrong wrong", address="203.0.113.66")


def test_one_message_an_hour_says_that_there_is_something_to_look_at(people):
    outbox = []
    guess(people, "ann", times=4)
    assert not send_pause_notice(people, SETTINGS, outbox.append)  # nothing was paused yet
    guess(people, "ann", times=1)
    assert send_pause_notice(people, SETTINGS, outbox.append)
    assert not send_pause_notice(people, SETTINGS, outbox.append)
    for number in range(30):  # the address is paused, too: within the hour nobody is written to again
        guess(people, f"nobody{number}", times=1)
    assert not send_pause_notice(people, SETTINGS, outbox.append)
    people._shared.clock = lambda: datetime.now(UTC) + timedelta(minutes=61)
    assert send_pause_notice(people, SETTINGS, outbox.append)
    assert not send_pause_notice(people, SETTINGS, outbox.append)
    for message in outbox:
        text = message.as_string()
        assert message["To"] == ADDRESS
        for hidden in (
            "ann",
            "nobody",
            "203.0.113",
            "wrong",
            "password",
            "sign-in",
            "mbc",
            "therap",
            "clinic.local",
        ):
            assert hidden not in text
    people.accounts.set_notice_address(None)
    people._shared.clock = lambda: datetime.now(UTC) + timedelta(hours=3)
    guess(people, "ann")
    assert not send_pause_notice(people, SETTINGS, outbox.append)
    assert people.verify().faults == ()


def test_a_message_that_was_refused_is_due_again_and_the_fault_repeats_no_address(people):
    def refuse(_message) -> None:
        raise smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such box")})

    guess(people, "ann")
    with pytest.raises(MbcError) as fault:
        send_pause_notice(people, SETTINGS, refuse)
    assert ADDRESS not in str(fault.value)
    outbox = []
    assert send_pause_notice(people, SETTINGS, outbox.append)
    assert len(outbox) == 1


@pytest.fixture
def record(own_record_url) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        store.accounts.set_notice_address(ADDRESS)
        yield store


def test_the_server_sends_it_beside_the_pages_and_logs_nobody(record, own_record_url, make_app, caplog, tmp_path):
    caplog.set_level(logging.INFO, "mbc.server")
    with mail_server() as server:
        mail = SETTINGS.mail.model_copy(update={"port": server.port})
        asking = SETTINGS.model_copy(update={"mail": mail, "box": str(tmp_path / "clinic.box")})
        app = make_app(own_record_url, asking=asking)
        guess(record, "ash")
        server.refuses = True
        send_due_notice(app)
        server.refuses = False
        with sending_notices(app, every=30):
            for _ in range(100):
                if server.recipients and "QUIT" in server.message.upper():
                    break
                time.sleep(0.05)
    assert server.recipients == [ADDRESS]
    assert "ash" not in server.message
    assert [line.getMessage() for line in caplog.records if "notice" in line.getMessage()] == [
        "notice of paused sign-ins not sent", "notice of paused sign-ins sent",
    ]  # fmt: skip
    assert ADDRESS not in json.dumps([str(line.__dict__) for line in caplog.records])
