"""Somebody comes with a forged, stolen or foreign proof of the clinic's directory, or has no account here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from dashboards.app import open_app
from dashboards.provider_settings import ProviderSettings, read_provider
from dashboards.settings import Settings
from dashboards.web.rate_limit import RateLimits
from mbc.errors import Conflict, SettingsError
from mbc.store import Store
from tests.attack.test_role_pages import note, send
from tests.dashboards.conftest import sign_in

pytestmark = pytest.mark.long

CLIENT, SECRET = "mbc", "a secret of this client alone"
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "k1"}) for _ in range(2))


def signed(claims: dict[str, Any], key: RSAKey) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key)


def by_hand(claims: dict[str, Any], algorithm: str, secret: bytes | None) -> str:
    def packed(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    header = json.dumps({"alg": algorithm, "kid": "k1", "typ": "JWT"}).encode()
    text = f"{packed(header)}.{packed(json.dumps(claims).encode())}"
    digest = b"" if secret is None else hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{packed(digest)}"


class Directory:
    """A provider that says whatever a test wants."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.description: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: signed(claims, KEY)
        self.asked: dict[str, str] = {}  # of the token's request
        self.wait: Callable[[], object] = lambda: None
        self.keys, self.keys_asked = [KEY], 0
        directory = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                directory.wait()
                if self.path == "/jwks":
                    directory.keys_asked += 1
                    self.answer({"keys": [{**key.as_dict(private=False), "use": "sig"} for key in directory.keys]})
                else:
                    self.answer(directory.description)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                directory.asked = {**dict(parse_qsl(body)), "Authorization": self.headers.get("Authorization", "")}
                token = directory.sign(directory.claims)
                self.answer({"access_token": "a", "token_type": "Bearer", "id_token": token})

            def answer(self, content: object) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.describe()

    def describe(self, **changes: object) -> None:
        self.description = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/leave",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **changes,
        }


@pytest.fixture
def directory() -> Iterator[Directory]:
    made = Directory()
    thread = Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def record(own_record_url) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        yield store


def settings(directory: Directory, **changes: Any) -> ProviderSettings:
    given = {
        "issuer": directory.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "address": "http://localhost",
    }
    return ProviderSettings(**{**given, **changes})


@pytest.fixture
def stranger(directory, own_record_url, make_app) -> Callable[..., FlaskClient]:
    def enter(**changes: Any) -> FlaskClient:
        return make_app(own_record_url, provider=settings(directory, **changes)).server.test_client()

    return enter


def begin(visitor: FlaskClient) -> dict[str, str]:
    """Go to the provider; gives what it is asked for."""
    there = visitor.get("/sign-in/provider")
    assert there.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(there.headers["Location"]).query).items()}


def come_back(visitor: FlaskClient, directory: Directory, asked: dict[str, str], /, **changes: Any):
    """Come back from the provider with a token about the subject; a claim of None is left out."""
    now, state = int(time.time()), changes.pop("state", asked["state"])
    claims = {
        "iss": directory.issuer, "aud": CLIENT, "sub": "u-17", "nonce": asked["nonce"],
        "iat": now, "exp": now + 300, **changes,
    }  # fmt: skip
    directory.claims = {name: value for name, value in claims.items() if value is not None}
    return visitor.get("/sign-in/provider/back", query_string={"code": "c", "state": state})


def test_a_bound_account_signs_in_with_state_nonce_and_pkce_and_out_again(directory, record, stranger):
    record.accounts.bind("ash", directory.issuer, "u-17")
    visitor = stranger()
    assert "the clinic&#39;s account" in visitor.get("/sign-in").text
    visitor.get("/sign-in/provider")  # begun twice: the last one counts, and the cookie does not grow
    asked = begin(visitor)
    assert (asked["scope"], asked["response_type"], asked["code_challenge_method"]) == ("openid", "code", "S256")
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 20
    answer = come_back(visitor, directory, asked)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/caseload")
    digest = hashlib.sha256(directory.asked["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert directory.asked["redirect_uri"] == "http://localhost/sign-in/provider/back"
    assert visitor.get("/caseload").status_code == 200
    line = record.audit.entries(action="sign-in").row(-1, named=True)
    assert (line["who"], line["detail"]) == ("ash", '{"by": "provider"}')
    assert come_back(visitor, directory, asked).status_code == 401  # the same answer again
    send(visitor, "/sign-out")
    page = visitor.get("/sign-in").text
    assert 'http-equiv="refresh" content="0; url=/sign-in/provider/leave"' in page
    leave = visitor.get("/sign-in/provider/leave").headers["Location"]
    assert leave.startswith(
        f"{directory.issuer}/leave?client_id=mbc&post_logout_redirect_uri=http%3A%2F%2Flocalhost"
    )
    assert "refresh" not in visitor.get("/sign-in").text
    assert record.verify().faults == ()


FORGERIES: dict[str, dict[str, Any]] = {
    "another state": {"state": "guessed"},
    "another nonce": {"nonce": "guessed"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-application"},
    "for two, and not by us": {"aud": ["another-application", CLIENT], "azp": "another-application"},
    "expired": {"exp": int(time.time()) - 3600},
    "no end": {"exp": None},
    "from the future": {"iat": int(time.time()) + 36_000},
    "another issuer": {"iss": "https://id.elsewhere.example"},
    "no subject": {"sub": None},
    "an odd subject": {"sub": ["u-17"]},
}


@pytest.fixture
def refused(directory, record, stranger) -> Callable[..., None]:
    """Check that nobody is signed in, and that the answer says nothing."""
    record.accounts.bind("ash", directory.issuer, "u-17")

    def check(visitor: FlaskClient, answer: Any, *, status: int = 401) -> None:
        assert answer.status_code == status
        assert visitor.get("/caseload").headers["Location"] == "/sign-in"
        for secret in ("u-17", "ash", "Error", "Traceback", "claim", SECRET):
            assert secret not in answer.text
        assert record.audit.entries(action="sign-in").is_empty()

    return check


def test_what_was_forged_signs_nobody_in(directory, stranger, refused):
    visitor = stranger()
    for forgery in FORGERIES.values():
        refused(visitor, come_back(visitor, directory, begin(visitor), **forgery))
    # by another key; with the client's secret, or the public key, as a shared secret; not at all
    public = KEY.as_pem(private=False)
    for sign in (
        lambda claims: signed(claims, OTHER_KEY),
        lambda claims: by_hand(claims, "HS256", SECRET.encode()),
        lambda claims: by_hand(claims, "HS256", public),
        lambda claims: by_hand(claims, "none", None),
    ):
        directory.sign = sign
        refused(visitor, come_back(visitor, directory, begin(visitor)))
    directory.sign = lambda claims: signed(claims, KEY)
    assert come_back(visitor, directory, begin(visitor)).status_code == 303


def test_an_answer_that_was_begun_in_another_browser_signs_nobody_in(directory, stranger, refused):
    attacker, victim = stranger(), stranger()
    asked = begin(attacker)
    refused(victim, come_back(victim, directory, asked))
    denied = attacker.get("/sign-in/provider/back", query_string={"error": "<b>x", "state": asked["state"]})
    refused(attacker, denied)
    assert "<b>x" not in denied.text
    refused(attacker, attacker.get("/sign-in/provider/back"))


def test_a_provider_that_describes_itself_as_another_or_is_away_is_refused(directory, stranger, refused):
    visitor = stranger()
    directory.describe(issuer="https://id.elsewhere.example")
    refused(visitor, visitor.get("/sign-in/provider"))
    directory.server.server_close()
    away = stranger(issuer="http://127.0.0.1:9")
    refused(away, away.get("/sign-in/provider"), status=503)
    assert sign_in(away, "birch").status_code == 303  # the password still works


def test_nobody_is_guessed_and_no_account_is_made(directory, record, stranger):
    before = record.accounts.table().height
    record.accounts.bind("ash", directory.issuer, "u-17")
    visitor = stranger()
    named = {"sub": "u-99", "preferred_username": "ash", "email": "ash", "email_verified": True}
    answer = come_back(visitor, directory, begin(visitor), **named)
    assert answer.status_code == 401
    assert "no account here is linked to it" in answer.text
    record.accounts.set_active("ash", active=False)
    assert come_back(visitor, directory, begin(visitor)).status_code == 401
    assert visitor.get("/caseload").status_code == 303
    refusals = record.audit.entries(action="sign-in refused")
    assert refusals["subject"].to_list() == [None]  # the second one is not the first in a row: it is not written
    assert "u-99" not in str(record.audit.entries().to_dicts())
    assert record.accounts.table().height == before


def test_names_that_the_provider_vouches_for_count_only_where_the_clinic_says_so(directory, record, stranger):
    record.accounts.add("wren@clinic.example", None, "analyst")
    by_mail, by_name = stranger(match="email"), stranger(match="preferred_username")
    mail = {"sub": "u-5", "email": "Wren@clinic.example"}
    for unproved in (mail, {**mail, "email_verified": "true"}, {**mail, "email_verified": False}):
        assert come_back(by_mail, directory, begin(by_mail), **unproved).status_code == 401
    verified = {**mail, "email_verified": True}
    assert come_back(by_name, directory, begin(by_name), **verified).status_code == 401
    assert come_back(by_mail, directory, begin(by_mail), **verified).status_code == 303
    # an account that was given one subject is not had by another that bears its name
    record.accounts.bind("ash", directory.issuer, "u-17")
    taken = come_back(by_name, directory, begin(by_name), sub="u-66", preferred_username="ash")
    assert taken.status_code == 401
    assert come_back(by_name, directory, begin(by_name), sub="u-7", preferred_username="birch").status_code == 303


def test_the_second_factor_is_left_to_the_provider_only_where_the_clinic_says_so(directory, record, stranger):
    record.accounts.bind("ash", directory.issuer, "u-17")
    record.accounts.require_factor(["clinician"])
    here = stranger()
    assert come_back(here, directory, begin(here)).headers["Location"] == "/second-factor"
    assert here.get("/caseload").headers["Location"] == "/sign-in"
    there = stranger(second_factor="provider", acr=("urn:two-factors",))
    assert begin(there)["acr_values"] == "urn:two-factors"
    assert come_back(there, directory, begin(there)).status_code == 401
    assert come_back(there, directory, begin(there), acr="urn:password").status_code == 401
    assert come_back(there, directory, begin(there), acr="urn:two-factors").headers["Location"] == "/caseload"


def test_who_may_bind_whom(directory, record):
    record.accounts.add("eva", "nine otters, a lantern", "administrator")
    adam, eva = (record.as_user(name).accounts for name in ("adam", "eva"))
    assert adam.bind("birch", directory.issuer, "u-1") is None
    for name in ("ash", "eva", "adam"):  # reaches the safety channel, or other accounts
        request = adam.bind(name, directory.issuer, f"of-{name}")
        assert request is not None
        assert record.accounts.provider_accounts(name) == ()
    with pytest.raises(Conflict):
        adam.bind("ana", directory.issuer, "u-1")
    with pytest.raises(Conflict):
        adam.bind("birch", directory.issuer, "u-2")
    for issuer, subject in (("", "u"), ("https://id.example", "a b"), ("https://id.example", "u\n1")):
        with pytest.raises(SettingsError):
            adam.bind("ana", issuer, subject)
    eva.confirm(next(each.number for each in record.accounts.requests() if each.username == "ash"))
    assert record.accounts.provider_accounts("ash") == ((directory.issuer, "of-ash"),)
    adam.unbind("ash", directory.issuer)
    assert record.accounts.provider_accounts("ash") == ()
    assert record.verify().faults == ()
    with record._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE provider_account SET username = 'ash'")
    assert len(record.verify().faults) == 2


def test_who_bound_an_account_alone_does_not_have_it_when_it_is_given_more(directory, record, stranger):
    """An administrator binds a colleague's account to their own; another grants that colleague safety:read."""
    record.accounts.add("eva", "nine otters, a lantern", "administrator")
    record.as_user("adam").accounts.bind("birch", directory.issuer, "of-adam")
    visitor = stranger()
    assert come_back(visitor, directory, begin(visitor), sub="of-adam").status_code == 303
    request = record.as_user("adam").accounts.grant("birch", "safety:read")
    assert request is not None
    record.as_user("eva").accounts.confirm(request.number)
    assert record.accounts.provider_accounts("birch") == ()
    assert visitor.get("/caseload").status_code == 303
    assert come_back(visitor, directory, begin(visitor), sub="of-adam").status_code == 401
    assert record.as_user("adam").accounts.bind("birch", directory.issuer, "of-adam") is not None  # a request now
    assert record.verify().faults == ()


def test_a_slow_provider_holds_few_threads(directory, record, own_record_url):
    settled = Settings(secret_key="k" * 40, provider=settings(directory))
    with open_app(own_record_url, settled, RateLimits()) as app:
        visitors = [app.server.test_client() for _ in range(8)]
        gate, held = Event(), Event()
        directory.wait = lambda: (held.set(), gate.wait(10))
        statuses: list[int] = []
        threads = [
            Thread(target=lambda v=v: statuses.append(v.get("/sign-in/provider").status_code)) for v in visitors
        ]
        for thread in threads:
            thread.start()
        assert held.wait(10)
        deadline = time.monotonic() + 10
        while statuses.count(429) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert statuses == [429] * 5
        assert sign_in(app.server.test_client(), "birch").status_code == 303  # everybody else comes in
        gate.set()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [302] * 3 + [429] * 5


def test_an_administrator_binds_on_the_page(directory, record, stranger):
    visitor = stranger()
    sign_in(visitor, "adam")
    assert "Account at " in visitor.get("/accounts/birch?plain=1").text
    send(visitor, "/change-account", username="birch", change="bind", subject="u-1")
    assert "Done" in note(visitor)
    assert "u-1" in visitor.get("/accounts/birch?plain=1").text
    assert record.accounts.provider_accounts("birch") == ((directory.issuer, "u-1"),)
    send(visitor, "/change-account", username="birch", change="unbind", issuer=directory.issuer)
    assert record.accounts.provider_accounts("birch") == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('issuer = "http://id.example"', "https is needed"),
        ('issuer = "https://id.example?x=1"', "without query"),
        ('match = "name"', "match"),
        ('client_secret = "here in the file"', "client_secret_file"),
        ('acr = ["urn:two"]', "second_factor"),
        ('owner = "me"', "owner"),
        ("[other]", "nothing else"),
    ],
)
def test_settings_that_are_not_safe_or_not_known_are_refused(tmp_path: Path, change: str, words: str):
    secret, file = tmp_path / "secret", tmp_path / "sign-in.toml"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    lines = {
        "issuer": '"https://id.example"', "client_id": '"mbc"', "client_secret_file": '"secret"',
        "address": '"https://mbc.example"',
    }  # fmt: skip
    text = "[provider]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items())
    file.write_text(text)
    read = read_provider(file)
    assert read is not None
    assert (read.client_secret, read.match, read.second_factor) == (SECRET, "subject", "mbc")
    assert SECRET not in repr(read)
    name = change.partition(" = ")[0]
    file.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith(f"{name} =")) + f"\n{change}\n"
    )
    with pytest.raises(SettingsError, match=words) as refusal:
        read_provider(file)
    assert SECRET not in str(refusal.value)
    file.write_text(text)
    if os.name == "posix":
        secret.chmod(0o644)
        with pytest.raises(SettingsError, match="read by others"):
            read_provider(file)
