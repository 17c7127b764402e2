"""Every page, form and way in leaves its line in the trail: who, about whom, from where."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import polars as pl
import pytest
from dash import Dash
from flask.testing import FlaskClient

from dashboards.app import PAGES
from dashboards.pages.other_records.forms import CLOSE_RECORD, OPEN_RECORD
from dashboards.pages.to_review.forms import CONFIRM, CORRECT, MARK_SEEN
from mbc.store import Administration, Flag, ImportSource, Store
from tests.attack.test_role_pages import FORMS as ROLE_FORMS
from tests.dashboards.conftest import Clock, sign_in
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

HERE = {"REMOTE_ADDR": "203.0.113.9"}
WHY = "Covering for K2, who is ill; the partner has threatened her"
Lines = list[tuple[str, str, str | None]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(own_record_url: str, clock: Clock, make_app) -> Dash:
    with Store.open(own_record_url) as store:
        source = ImportSource("hits and hark.csv")
        with store.writing(by="intake", source=source) as record:
            flags = (Flag("q2"),)
            record.add(
                Administration("C001", "hits", date(2026, 3, 2), (5, 1, 4, 2), channel="safety", flags=flags)
            )
        store.accounts.add("lead", PASSWORD, "safety_lead")
    return make_app(own_record_url, clock=clock)


Come = Callable[..., FlaskClient]


@pytest.fixture
def come(app: Dash) -> Come:
    """A browser at another address, in which somebody is signed in if named."""

    def enter(user: str | None = None) -> FlaskClient:
        browser = app.server.test_client()
        browser.environ_base.update(HERE)
        if user is not None:
            assert sign_in(browser, user).status_code == 303
            browser.get("/_dash-layout")  # makes the token that forms send back
        return browser

    return enter


@pytest.fixture
def store(app: Dash, own_record_url: str) -> Iterator[Store]:
    with Store.open(own_record_url) as opened:
        yield opened


class Since:
    """Lines that were added since the last look."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.last = store.audit.entries(include_safety=True)["sequence"].max()

    def look(self) -> Lines:
        found = self._store.audit.entries(include_safety=True).filter(pl.col("sequence") > self.last)
        self.last = found["sequence"].max() or self.last
        found = found.filter(~pl.col("who").str.starts_with("operator"))  # the growth models of the whole record
        assert set(found["origin"]) <= {"203.0.113.9"}
        return list(found.select("who", "action", "subject").iter_rows())


def lay_out(browser: FlaskClient, path: str) -> int:
    """Ask for a page as a browser does: the address, then what is on it."""
    status = browser.get(path).status_code
    asked = {
        "output": "main.children",
        "outputs": {"id": "main", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": path}],
        "changedPropIds": ["url.pathname"],
    }
    browser.post("/_dash-update-component", json=asked)
    return status


def press(browser: FlaskClient, path: str, door: str = "record") -> None:
    """Press the button of the restricted section: on a client's page, or on the page to review."""
    button = f"{door}-button"
    parts = ((door, "children"), (button, "children"), (button, "aria-expanded"))
    asked = {
        "output": f"..{'...'.join('.'.join(part) for part in parts)}..",
        "outputs": [{"id": name, "property": what} for name, what in parts],
        "inputs": [{"id": button, "property": "n_clicks", "value": 1}],
        "state": [{"id": "url", "property": "pathname", "value": path}] if door == "record" else [],
        "changedPropIds": [f"{button}.n_clicks"],
    }
    answer = browser.post("/_dash-update-component", json=asked)
    assert answer.status_code == 200
    assert "HITS" in answer.text


def send(browser: FlaskClient, path: str, **fields: str) -> None:
    with browser.session_transaction() as session:
        token = session["csrf"]
    browser.post(path, data={"csrf": token, **fields})


OPENED: dict[str, tuple[str, Lines]] = {
    # page -> its address, and the lines that opening it adds
    "caseload": ("/caseload", [("ash", "read", None)]),
    "client": ("/client/C001", [("ash", "read", "C001")]),
    "record": ("/client/C001/record", [("ash", "read safety", "C001")]),  # whether couples work may be asked about
    "send": ("/client/C001/send", []),  # the read was noted with the client's page
    "new client": ("/new-client", []),
    "outcomes": ("/outcomes", [("ash", "aggregate", None)]),
    "to review": ("/to-review", []),  # closed, it asks for nothing
    "emergency access": ("/other-records", []),  # shows lines of the trail, and no client
    "own account": ("/account", []),
}


MANAGED: dict[str, tuple[str, Lines]] = {  # likewise, for an administrator
    "accounts": ("/accounts", []),  # nobody's record
    "account": ("/accounts/ash", []),
    "caseloads": ("/caseloads", [("adam", "read", None)]),
    "audit log": ("/audit-log", [("adam", "audit read", None)]),
    "erasure": ("/erasure", [("adam", "audit read", None)]),
    "settings": ("/settings", []),
}
STUDIED: dict[str, tuple[str, Lines]] = {"cohort": ("/cohort", [])}  # likewise, for a researcher

OWN_FORMS = {
    "/new-password/<token>", "/sign-in/code", "/second-factor", "/change-password", "/sign-out-everywhere",
    "/remove-second-factor", "/sign-in/passkey", "/ask-passkey", "/add-passkey", "/remove-passkey",
    "/sign-in/provider/logout",
}  # fmt: skip
FORMS = frozenset(
    {
        "/sign-in",
        "/sign-out",
        "/still-here",
        OPEN_RECORD,
        CLOSE_RECORD,
        MARK_SEEN,
        CORRECT,
        CONFIRM,
        "/record-entry",
        "/undo-entry",
        "/print",
        "/ask-client",
        "/print-sheet",
        "/withdraw-asking",
    }
)  # the last six in tests of their own pages


def test_every_form_is_in_the_tests_below(app: Dash):
    taken = {rule.rule for rule in app.server.url_map.iter_rules() if "POST" in (rule.methods or ())}
    managing = set(ROLE_FORMS) | OWN_FORMS  # in tests/attack
    assert {path for path in taken if not path.startswith("/_")} == FORMS | managing


def test_every_page_is_in_the_table():
    assert OPENED.keys() | MANAGED.keys() | STUDIED.keys() == {page.name for page in PAGES.pages}


def test_every_page_leaves_its_line(come, store):
    lines = Since(store)
    browser = come("ash")
    assert lines.look() == [("ash", "sign-in", "ash")]
    for page, (path, expected) in OPENED.items():
        assert lay_out(browser, path) == 200
        assert lines.look() == expected, page


@pytest.mark.parametrize(("who", "pages"), [("adam", MANAGED), ("res", STUDIED)])
def test_every_page_of_other_roles_leaves_its_line(come, store, who, pages):
    store.accounts.add("res", PASSWORD, "researcher")
    browser, lines = come(who), Since(store)
    for page, (path, expected) in pages.items():
        assert lay_out(browser, path) == 200
        assert lines.look() == expected, page


def test_every_page_that_is_refused_leaves_its_line(come, store):
    browser, lines = come("ana"), Since(store)
    lines.look()
    for page, (path, _) in {**OPENED, **MANAGED, **STUDIED}.items():
        if page not in ("outcomes", "own account"):
            assert lay_out(browser, path) == 404
            found = lines.look()
            assert {(who, action) for who, action, _ in found} == {("ana", "refused")}, page
            assert {subject for *_, subject in found} == {"C001" if page in ("client", "record", "send") else None}
    browser = come("ash")
    lines.look()
    assert lay_out(browser, "/client/C003") == 404
    assert set(lines.look()) == {("ash", "refused", "C003")}


def test_every_way_in_and_out_leaves_its_line(come, store, clock):
    lines, stranger = Since(store), come()
    sign_in(stranger, "ash", "a guess that is wrong")
    sign_in(stranger, "hunter2 is my password")
    refused = ("not signed in", "sign-in refused")
    assert lines.look() == [(*refused, "ash"), (*refused, None)]
    browser = come("ash")
    lines.look()
    browser.post("/_dash-update-component", json={}, headers={"Origin": "https://elsewhere.example"})
    assert lines.look() == [("ash", "refused", None)]
    copied = browser.get_cookie("mbc").value
    send(browser, "/sign-out")
    assert lines.look() == [("ash", "sign-out", "ash")]
    for _ in range(3):  # a cookie that was handed back: noted once
        browser.set_cookie("mbc", copied)
        assert browser.get("/_dash-layout").status_code == 401
    assert lines.look() == [("not signed in", "sign-in ended", "ash")]
    browser = come("birch")
    lines.look()
    clock.now += 3600
    assert browser.get("/caseload").status_code == 303
    assert lines.look() == [("not signed in", "sign-in ended", "birch")]


def test_the_restricted_section_leaves_lines_that_few_may_read(come, store):
    browser = come("ash")
    lay_out(browser, "/client/C001")
    lines = Since(store)
    press(browser, "/client/C001")
    assert lines.look() == [("ash", "read safety", "C001")]
    browser = come("birch")
    lines.look()
    send(browser, OPEN_RECORD, client_id="C001", reason=WHY, extent="restricted")
    lay_out(browser, "/client/C001")
    press(browser, "/client/C001")
    send(browser, CLOSE_RECORD, client_id="C001")
    deeds = ["break glass", "read", "read safety", "glass closed"]
    assert lines.look() == [("birch", deed, "C001") for deed in deeds]


def test_the_flags_to_review_leave_lines_that_few_may_read(come, store):
    browser, lines = come("lead"), Since(store)
    lay_out(browser, "/to-review")
    assert lines.look() == []  # the page is closed
    press(browser, "/to-review", "points")
    assert lines.look() == [("lead", "read safety", None), ("lead", "read", None)]
    flag = store.safety_flags(client_id="C001").row(0, named=True)
    sent = {"sheet": str(flag["administration_id"]), "line": flag["item"], "done": "asked"}
    for _ in range(2):  # the second one is too late
        send(browser, MARK_SEEN, **sent)
    assert lines.look() == [("lead", "write safety", "C001"), ("lead", "refused", None)]
    browser = come("birch")
    lines.look()
    send(browser, MARK_SEEN, **sent)
    assert lines.look() == [("birch", "refused", None)]


SAFETY_WORDS = (
    "safety",
    "hits",
    "hark",
    "q2",
    "i9",
    "threatened",
    "risk",
    "violen",
    "self-harm",
    "restricted",
    "flag",
)


def test_no_line_that_an_administrator_reads_tells_of_the_safety_channel_or_of_an_answer(come, store):
    began = datetime.now(UTC)
    test_the_restricted_section_leaves_lines_that_few_may_read(come, store)
    test_the_flags_to_review_leave_lines_that_few_may_read(come, store)
    shown = store.as_user("adam").audit.entries()
    assert shown.filter(pl.col("at") >= began).height > 5
    for line in shown.iter_rows(named=True):
        if line["action"] == "account added":
            continue  # who was given which permission is the administrator's own doing
        text = json.dumps(line, default=str).casefold()
        assert not [word for word in SAFETY_WORDS if word in text], line
        assert not {"answers", "answer", "value", "score", "total"} & json.loads(line["detail"]).keys(), line
    hidden = store.audit.entries(include_safety=True)
    assert any("hits and hark.csv" in detail and WHY not in detail for detail in hidden["detail"])
    assert any(WHY in detail for detail in hidden["detail"])
