"""Somebody comes with a passkey that is not theirs, was removed or copied, or with an answer that was used before.

The device is played by a key of our own, so that a test can make every answer that an attacker could make; a real
browser with a device of its own is in tests/browser/test_passkeys.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient

from dashboards.web import passkeys
from mbc.errors import Conflict, SettingsError
from mbc.store import Store
from tests.attack.test_role_pages import note, send, token
from tests.dashboards.conftest import sign_in, token_of
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

ORIGIN, RELYING_PARTY = "http://localhost", "localhost"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class Device:
    """What makes passkeys, as a phone does."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = b"a credential of this device"
    uses: int = 0
    relying_party: str = RELYING_PARTY
    origin: str = ORIGIN
    flags: int = PRESENT | VERIFIED

    def make(self, options: dict[str, Any]) -> str:
        """Answer the question for a new passkey."""
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.credential).to_bytes(2) + self.credential + cbor2.dumps(public)
        content = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return self._answer(
            attestationObject=packed(cbor2.dumps(content)), clientDataJSON=self._client("create", options)
        )

    def sign(self, options: dict[str, Any], **changes: str) -> str:
        """Answer the question of a sign-in."""
        self.uses += 1
        data, client = self._data(), self._client("get", options)
        signed = data + hashlib.sha256(base64.urlsafe_b64decode(client + "==")).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": packed(data), "clientDataJSON": client, "signature": packed(signature)}
        return self._answer(**{**response, **changes})

    def _data(self, more: int = 0) -> bytes:
        party = hashlib.sha256(self.relying_party.encode()).digest()
        return party + bytes([self.flags | more]) + self.uses.to_bytes(4)

    def _client(self, what: str, options: dict[str, Any]) -> str:
        content = {"type": f"webauthn.{what}", "challenge": options["challenge"], "origin": self.origin}
        return packed(json.dumps(content).encode())

    def _answer(self, **response: str) -> str:
        name = packed(self.credential)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


@pytest.fixture
def record(own_record_url) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        yield store


@pytest.fixture
def stranger(record, own_record_url, make_app) -> Callable[[], FlaskClient]:
    return make_app(own_record_url).server.test_client


def add(visitor: FlaskClient, device: Device, *, label: str = "my phone") -> str:
    """Add a passkey under My account; gives what the page says."""
    options = send(visitor, "/ask-passkey", current=PASSWORD, label=label)
    assert options.status_code == 200, options.text
    assert options.json["authenticatorSelection"]["userVerification"] == "required"
    send(visitor, "/add-passkey", label=label, answer=device.make(options.json))
    return note(visitor)


@pytest.fixture
def owner(record, stranger) -> tuple[FlaskClient, Device]:
    visitor, device = stranger(), Device()
    sign_in(visitor, "ash")
    assert "Done" in add(visitor, device)
    return visitor, device


def ask(visitor: FlaskClient) -> dict[str, Any]:
    options = visitor.get("/sign-in/passkey")
    assert options.status_code == 200
    return options.json


def come(visitor: FlaskClient, answer: str) -> int:
    """Send an answer; 303 where it signs in."""
    sent = {"csrf": token_of(visitor.get("/sign-in").text), "answer": answer}
    return visitor.post("/sign-in/passkey", data=sent).status_code


def test_a_passkey_signs_its_owner_in_without_password_and_code_and_is_removed(record, stranger, owner):
    record.accounts.require_factor(["clinician"])  # the device asks for something that is known or is part of them
    mine, device = owner
    page = mine.get("/account?plain=1").text
    assert "my phone" in page
    visitor = stranger()
    options = ask(visitor)
    assert (options["rpId"], options["userVerification"]) == (RELYING_PARTY, "required")
    assert not options.get("allowCredentials")  # nobody's keys are named
    assert come(visitor, device.sign(options)) == 303
    assert visitor.get("/client/C001").status_code == 200
    assert record.audit.entries(action="sign-in").row(-1, named=True)["detail"] == '{"by": "passkey"}'
    number = record.accounts.passkeys("ash")[0].passkey_id
    send(mine, "/remove-passkey", passkey=number, current="wrong wrong wrong")
    assert "password is wrong" in note(mine)
    send(mine, "/remove-passkey", passkey=number, current=PASSWORD)
    assert visitor.get("/caseload").status_code == 303  # every sign-in has ended
    assert come(visitor, device.sign(ask(visitor))) == 401
    assert record.verify().faults == ()


def test_answers_that_do_not_fit_sign_nobody_in(record, stranger, owner):
    _, device = owner
    visitor, other = stranger(), stranger()
    sign_ins = record.audit.entries(action="sign-in").height
    elsewhere = Device(key=device.key, origin="http://localhost.evil.example", uses=50)
    for answer in (
        lambda: Device(uses=60).sign(ask(visitor)),  # another key of the same name
        lambda: Device(credential=b"unknown").sign(ask(visitor)),
        lambda: elsewhere.sign(ask(visitor)),  # asked for by another site
        lambda: Device(key=device.key, relying_party="evil.example", uses=70).sign(ask(visitor)),
        lambda: Device(key=device.key, flags=PRESENT, uses=80).sign(ask(visitor)),  # nobody showed who they are
        lambda: device.sign({"challenge": packed(bytes(32))}),  # a question of the attacker's own
        lambda: device.sign(ask(other)),  # a question that another browser was asked
        lambda: device.sign(ask(visitor), signature=packed(b"guessed")),
        lambda: "", lambda: "{}", lambda: "[]", lambda: '{"id": 1}', lambda: "[" * 19_000, lambda: "x" * 30_000,
        lambda: json.dumps({"id": packed(device.credential), "response": None}),
    ):  # fmt: skip
        assert come(visitor, answer()) == 401
    assert visitor.get("/caseload").status_code == 303
    assert record.audit.entries(action="sign-in").height == sign_ins
    assert come(visitor, device.sign(ask(visitor))) == 303


def test_an_answer_is_taken_once_and_in_its_time(record, stranger, owner, monkeypatch):
    _, device = owner
    device.uses = -1  # many devices do not count: nothing but the question tells two answers apart
    visitor = stranger()
    options = ask(visitor)
    kept = visitor.get_cookie("mbc").value
    answer = device.sign(options)
    assert device.uses == 0
    assert come(visitor, answer) == 303
    thief = stranger()
    thief.set_cookie("mbc", kept)  # the same browser state, and the same answer, seen on their way
    assert come(thief, answer) == 401
    late = ask(thief)
    monkeypatch.setattr(passkeys, "_PATIENCE", timedelta(0))
    assert come(thief, device.sign(late)) == 401


def test_a_copied_device_and_a_disabled_account_are_refused(record, stranger, owner):
    _, device = owner
    device.uses = 10
    visitor = stranger()
    assert come(visitor, device.sign(ask(visitor))) == 303
    copy = Device(key=device.key, uses=7)
    assert come(stranger(), copy.sign(ask(thief := stranger()))) == 401
    assert come(thief, copy.sign(ask(thief))) == 401
    record.accounts.set_active("ash", active=False)
    assert come(thief, device.sign(ask(thief))) == 401


def test_adding_needs_the_password_the_token_and_an_answer_of_this_session(record, stranger, owner):
    _, device = owner
    visitor, thief = stranger(), stranger()
    sign_in(visitor, "birch")
    assert send(visitor, "/ask-passkey", current="wrong wrong wrong").status_code == 400
    assert visitor.post("/ask-passkey", data={"current": PASSWORD}).status_code == 400
    assert thief.post("/ask-passkey", data={"csrf": token(thief), "current": PASSWORD}).status_code == 401
    send(visitor, "/add-passkey", label="x", answer=Device().make({"challenge": packed(bytes(32))}))
    assert "was not added" in note(visitor)
    send(visitor, "/add-passkey", label="x", answer="")
    assert "JavaScript" in note(visitor)
    for made in (
        Device(origin="http://evil.example"),
        Device(flags=PRESENT),
        Device(relying_party="evil.example"),
    ):
        made.credential = b"another credential"
        assert "was not added" in add(visitor, made)
    assert "already registered" in add(visitor, device)  # of another account
    assert "name of the passkey" in add(visitor, Device(credential=b"n"), label=" ")
    assert record.accounts.passkeys("birch") == ()
    send(visitor, "/remove-passkey", passkey=record.accounts.passkeys("ash")[0].passkey_id, current=PASSWORD)
    assert "no such passkey" in note(visitor)
    assert len(record.accounts.passkeys("ash")) == 1


def test_passkeys_are_sealed_few_and_taken_away_by_an_administrator(record, stranger, owner):
    accounts = record.as_user("adam").accounts
    for number in range(9):
        record.accounts.add_passkey("ash", f"key {number}", f"id {number}", "AA")
    with pytest.raises(SettingsError, match="10 passkeys"):
        record.accounts.add_passkey("ash", "one more", "id 10", "AA")
    with pytest.raises(Conflict):
        record.accounts.add_passkey("birch", "the same", "id 1", "AA")
    assert record.verify().faults == ()
    with record._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE passkey SET public_key = 'BB' WHERE label = 'key 1'")
    assert "its passkeys are not" in record.verify().faults[0]
    accounts.remove_passkeys("ash")
    assert record.accounts.passkeys("ash") == ()
    with record._engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO passkey VALUES ('x', 'birch', 'c', 'k', 0, 'mine', '2026-01-05 00:00:00.000000', NULL)"
        )
    assert "'birch'" in record.verify().faults[0]


def test_whoever_made_an_account_or_had_it_keeps_no_key_to_it(record, stranger, owner):
    """An administrator makes an account, adds a passkey, and hands it to a colleague who is given more later."""
    _, device = owner
    link = record.accounts.make_link("ash")
    assert isinstance(link, str)
    record.accounts.use_link(link, "nine otters, a lantern")
    visitor = stranger()
    assert come(visitor, device.sign(ask(visitor))) == 401
    assert record.accounts.passkeys("ash") == ()
    record.accounts.add_passkey("ash", "another", "id", "AA")
    record.as_user("ash").own_account.change_password("nine otters, a lantern", "eight otters, a lantern")
    assert len(record.accounts.passkeys("ash")) == 1  # the owner's own wish
    record.accounts.set_password("ash", "seven otters, a lantern")
    assert record.accounts.passkeys("ash") == ()
    assert record.verify().faults == ()


@pytest.mark.parametrize(
    ("host", "words"), [("clinic.example", "need https"), ("192.0.2.7", "need https"), ("localhost", "")]
)
def test_a_page_says_why_there_are_no_passkeys(stranger, host: str, words: str):
    visitor = stranger()
    page = visitor.get("/sign-in", base_url=f"http://{host}").text
    assert ("Sign in with a passkey" in page) is (not words)
    assert words in page
    assert ("Passkeys need JavaScript" in page) is (not words)
    assert visitor.get("/sign-in/passkey", base_url=f"http://{host}").status_code == (404 if words else 200)
