"""A served record with a box, and how the tests of *Send* ask."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboards.web.asking_access import AskingAccess
from mbc.box.box import Box
from mbc.care.askings.collect import asking_states
from mbc.care.askings.settings import AskingSettings, Mail
from mbc.store import Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.pages.record.sheets import TODAY

PATH = "/client/C001/send"
ADDRESS = "https://form.example.org"
COOKIES: dict[str, str] = {}  # the sign-in of each user: good in every copy of the record, and slow to make


@dataclass
class Clinic:
    """A served record with a box, and who is signed in."""

    server: Any
    store: Store
    box: Box

    def visitor(self, username: str) -> FlaskClient:
        browser, name = self.server.test_client(), self.server.config["SESSION_COOKIE_NAME"]
        if username in COOKIES:
            browser.set_cookie(name, COOKIES[username])
            return browser
        assert sign_in(browser, username).status_code == 303
        COOKIES[username] = browser.get_cookie(name).value
        return browser

    def answer(self, link: str, *values: float | None) -> None:
        opened = self.box.find(link.rpartition("/")[2])
        assert opened
        visit = self.box.begin(opened)
        for place, value in enumerate(values):
            self.box.answer(visit, place, value)
        self.box.send(visit)

    def states(self, client_id: str = "C001") -> list[str]:
        return [row["state"] for row in asking_states(self.store, client_id)]


@pytest.fixture
def clinic(
    own_record_url: str, make_app: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clinic]:
    monkeypatch.setenv("MBC_WORDING", str(tmp_path / "wording"))
    file = tmp_path / "clinic.box"
    settings = AskingSettings(
        address=ADDRESS, box=str(file), help={"en": "Call 112."},
        mail=Mail(server="127.0.0.1", port=1, security="none", sender="Post <post@example.org>"),
    )  # fmt: skip
    server = make_app(own_record_url, today=TODAY, asking=settings).server
    access = next(each for each in server.extensions.values() if isinstance(each, AskingAccess))
    access._wait, access._clock = 10, iter(range(0, 10**6, 100)).__next__  # each page collects, and waits for it
    with Store.open(own_record_url) as store, closing(Box(file)) as box:
        yield Clinic(server, store, box)


def values_of(page: str, action: str = "/ask-client") -> dict[str, str]:
    form = page[page.index(f'action="{action}"') :]
    form = form[: form.index("</form>")]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        each = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if each["type"] not in ("checkbox", "radio") or " checked" in tag:
            sent[each["name"]] = html.unescape(each.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', form, flags=re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        sent[name] = chosen[1] if chosen else ""
    return sent


def send(visitor: FlaskClient, path: str = PATH, **typed: str):
    return visitor.post("/ask-client", data=values_of(visitor.get(path).text) | typed)
