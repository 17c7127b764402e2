"""A client's page that is opened again is kept: the same answer, and never one that should be another by now."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from dash import Dash
from flask.testing import FlaskClient
from plotly.io.json import to_json_plotly

from dashboards.pages.client import layout as page
from dashboards.web import kept_parts
from dashboards.web.kept_parts import KeptParts
from mbc.care import CohortModels
from mbc.store import Administration, Client, SafetyPlan, Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.record import rses_answers
from tests.dashboards.web.test_requests import callback, page_content, view

pytestmark = pytest.mark.long

DAY = dt.date(2026, 3, 20)
CHOSEN = '"value":"session"'
RESTRICTED = '"id":"record-button"'


@pytest.fixture
def app(own_record_url: str, make_app: Callable[..., Dash]) -> Dash:
    return make_app(own_record_url, today=DAY)


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Whose page was worked out, each time."""
    clients: list[str] = []
    reads = page.read_snapshot

    def noted(store, client_id, **about):
        clients.append(client_id)
        return reads(store, client_id, **about)

    monkeypatch.setattr(page, "read_snapshot", noted)
    return clients


def visitor_of(app: Dash, username: str) -> FlaskClient:
    visitor = app.server.test_client()
    assert sign_in(visitor, username).status_code == 303
    return visitor


def opened(visitor: FlaskClient, path: str = "/client/C001") -> str:
    answer = callback(visitor, page_content(path))
    assert answer.status_code == 200
    return answer.text


def content(text: str) -> list:
    return json.loads(text)["response"]["main"]["children"]


def test_a_page_opened_again_is_the_same_with_what_belongs_to_the_visit(app, own_record_url, read):
    ash = visitor_of(app, "ash")
    first = opened(ash)
    assert opened(ash) == first
    with ash.session_transaction() as session:
        token = session["csrf"]
    with Store.open(own_record_url) as store:
        models = CohortModels(store, fits="in the background")
        plain = page.layout(store.as_user("ash"), "C001", models, as_of=DAY, token=token)
    assert content(first) == json.loads(to_json_plotly(plain))
    another = visitor_of(app, "ash")
    assert callback(another, view("session")).status_code == 200
    text = opened(another)
    assert token not in text
    assert text.count(CHOSEN) == first.count(CHOSEN) + 1  # the other is the choice itself
    assert read == ["C001", "C001"]  # once for both visits, once for the comparison


def add(store: Store, record: object, supersede: str | None = None) -> None:
    with store.writing(by="tests") as writing:
        writing.add(record, supersede=supersede)


def test_what_changed_shows_at_once_to_whoever_may_still_see_it(app, own_record_url, read):
    with Store.open(own_record_url) as store:
        ash = visitor_of(app, "ash")
        seen = [opened(ash)]
        add(store, Administration("C001", "rses", DAY, rses_answers(5), form="a"))
        seen.append(opened(ash))
        add(store, Client("C001", "Sallow", "K1", dt.date(2026, 1, 5)), "misspelt")
        seen.append(opened(ash))
        app.server.extensions["mbc_today"] = DAY + dt.timedelta(days=1)
        seen.append(opened(ash))
        assert "as of Sat 21 Mar 2026" in seen[-1]
        store.accounts.withdraw("ash", "safety:read")
        ash = visitor_of(app, "ash")
        seen.append(opened(ash))
        assert [RESTRICTED in text for text in seen[-2:]] == [True, False]
        assert len(set(seen)) == len(read) == len(seen)
        assert "Sallow" not in opened(visitor_of(app, "birch"))
        store.assign(["C001"], "K2", reason="a new clinician")
        assert "Sallow" not in opened(ash)


def test_a_kept_page_is_a_reading_and_shows_nothing_of_the_safety_channel(app, own_record_url, read):
    ash, oak = visitor_of(app, "ash"), visitor_of(app, "oak")
    assert RESTRICTED in opened(ash)
    first = opened(oak)
    assert RESTRICTED not in first  # what is kept for one is not given to the other
    with Store.open(own_record_url) as store:
        add(store, SafetyPlan("C001", DAY))
        add(store, Administration("C001", "hits", DAY, (4, 4, 4, 4)))
    store = app.server.extensions["mbc_store"]
    store._shared.logged_reads.clear()  # a quarter of an hour later
    before = len(store.audit.entries(who="oak", action="read", subject="C001"))
    assert opened(oak) == first
    assert read == ["C001", "C001"]  # no delay shows that something was written
    assert len(store.audit.entries(who="oak", action="read", subject="C001")) == before + 1


def test_the_least_lately_used_are_let_go_first():
    parts = KeptParts(most_bytes=60)
    for key in "abac":
        parts.give(key, lambda key=key: f"the text of {key}")
    assert parts.give("a", lambda: "another") == "the text of a"
    assert parts.give("b", lambda: "another") == "another"


def test_pages_are_made_one_after_the_other_and_one_that_was_made_meanwhile_is_not_made_again():
    parts, begun, go_on = KeptParts(), threading.Event(), threading.Event()
    made: list[str] = []

    def slow() -> str:
        begun.set()
        assert go_on.wait(10)
        made.append("first")
        return "first"

    def other() -> str:
        made.append("other")
        return "other"

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(parts.give, "a", slow)
        assert begun.wait(10)
        second, same = threads.submit(parts.give, "b", other), threads.submit(parts.give, "a", other)
        assert made == []
        go_on.set()
        assert (first.result(10), second.result(10), same.result(10)) == ("first", "other", "first")
    assert made == ["first", "other"]


def test_a_page_that_hangs_holds_nobody_up_for_long(monkeypatch):
    monkeypatch.setattr(kept_parts, "_LONGEST_WAIT", 0.01)
    parts, begun, go_on = KeptParts(), threading.Event(), threading.Event()

    def hanging() -> str:
        begun.set()
        assert go_on.wait(10)
        return "late"

    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(parts.give, "a", hanging)
        assert begun.wait(10)
        assert parts.give("b", lambda: "in time") == "in time"
        assert not late.done()
        go_on.set()
        assert late.result(10) == "late"
