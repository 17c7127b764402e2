"""Nobody sees anything before they have signed in, and nobody sees what is somebody else's."""

from __future__ import annotations

import pytest
from dash import Dash
from flask.testing import FlaskClient

from dashboards.web.health import HEALTH_ENDPOINTS
from tests.dashboards.conftest import Clock, sign_in

pytestmark = pytest.mark.long

MACHINERY = (
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-component-suites/dash/deps/react@18.v4.js",
    "/_reload-hash",
    "/_favicon.ico",
    "/_mcp",
    "/assets/style.css",
    "/assets/first.js",
    "/static/anything",
)
PAGES = ("/", "/caseload", "/client/C001", "/outcomes", "/nonsense", "/favicon.ico")


def test_every_route_of_the_server_is_closed_but_the_sign_in(app: Dash, browser: FlaskClient):
    for rule in app.server.url_map.iter_rules():
        path = rule.rule.replace("<path:", "<").replace("<", "").replace(">", "")
        for method in rule.methods - {"OPTIONS"}:
            answer = browser.open(path, method=method)
            if rule.endpoint in HEALTH_ENDPOINTS:
                assert method not in ("GET", "HEAD") or answer.status_code == 200
            elif rule.endpoint.startswith("signing_in.") and rule.endpoint != "signing_in.leave":
                led_back = answer.headers.get("Location") == "/sign-in"  # a second step without a first
                assert answer.status_code != 303 or led_back or rule.endpoint == "signing_in.still_here"
            else:
                assert answer.status_code in (401, 303), (method, path)


@pytest.mark.parametrize("path", MACHINERY)
def test_machinery_is_refused_without_a_sign_in(browser: FlaskClient, path: str):
    answer = browser.get(path)
    assert answer.status_code in (401, 303)
    assert answer.text == "Please sign in." or "sign-in" in answer.headers["Location"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_to_the_sign_in_without_naming_anybody_in_the_address(browser: FlaskClient, path: str):
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


def test_a_callback_is_refused_without_a_sign_in(browser: FlaskClient):
    assert browser.post("/_dash-update-component", json={}).status_code == 401


def test_only_two_files_are_served_to_strangers(browser: FlaskClient):
    assert browser.get("/sign-in/plain.css", buffered=True).status_code == 200
    assert browser.get("/sign-in/icon.svg", buffered=True).status_code == 200
    for path in ("/sign-in/../app.py", "/sign-in/app.py", "/sign-in/%2e%2e/app.py", "/sign-in/"):
        assert browser.get(path).status_code in (303, 404), path


def test_signing_in_opens_the_page_that_was_asked_for(browser: FlaskClient):
    browser.get("/client/C001")
    assert sign_in(browser, "ash").headers["Location"] == "/client/C001"
    assert browser.get("/client/C001").status_code == 200


def test_another_page_is_not_opened_by_what_was_asked_for(browser: FlaskClient):
    browser.get("//elsewhere.example/client")
    assert sign_in(browser, "ash").headers["Location"] == "/caseload"


def test_somebody_elses_client_is_answered_like_one_that_does_not_exist(signed_in):
    browser = signed_in("ash")
    theirs, nobodys = browser.get("/client/C003"), browser.get("/client/C999")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text == nobodys.text
    different = {"Date", "Content-Security-Policy"}
    assert {k: v for k, v in theirs.headers if k not in different} == {
        k: v for k, v in nobodys.headers if k not in different
    }


@pytest.mark.parametrize(
    ("user", "opened", "closed"),
    [
        ("ash", ("/caseload", "/client/C001", "/outcomes", "/to-review", "/other-records"), ("/client/C003",)),
        ("oak", ("/caseload", "/client/C001", "/client/C003", "/outcomes", "/other-records"), ("/to-review",)),
        ("ana", ("/outcomes",), ("/caseload", "/client/C001", "/to-review", "/other-records")),
        ("adam", (), ("/caseload", "/client/C001", "/outcomes", "/to-review", "/other-records")),
    ],
)
def test_each_role_opens_its_own_pages(signed_in, user: str, opened: tuple[str, ...], closed: tuple[str, ...]):
    browser = signed_in(user)
    assert [browser.get(path).status_code for path in opened] == [200] * len(opened)
    assert [browser.get(path).status_code for path in closed] == [404] * len(closed)


def test_every_account_has_a_page_to_begin_with(signed_in):
    assert signed_in("adam").get("/").headers["Location"] == "/accounts"
    assert signed_in("ana").get("/").headers["Location"] == "/outcomes"


@pytest.mark.parametrize(
    "path", ["/_mcp", "/mcp", "/_reload-hash", "/_favicon.ico", "/_alive", "/_dash-ws-callback"]
)
def test_nothing_else_is_served_to_those_signed_in_either(signed_in, path: str):
    assert signed_in("ash").get(path).status_code == 404
    assert signed_in("ash").post(path).status_code in (404, 405)


def test_a_forged_request_from_another_site_is_refused(signed_in):
    browser = signed_in("ash")
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ):
        assert browser.post("/_dash-update-component", json={}, headers=headers).status_code == 403
    assert browser.post("/still-here", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204
    assert browser.post("/still-here", headers={"Origin": "http://localhost"}).status_code == 204


def test_a_fault_inside_is_told_without_its_details(app: Dash, signed_in, monkeypatch):
    def break_down(*_: object) -> None:
        raise RuntimeError("the password of the database is hunter2")

    browser = signed_in("ash")
    monkeypatch.setattr("dashboards.app.shell", break_down)
    answer = browser.get("/_dash-layout")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text


def test_idle_sign_ins_end(signed_in, clock: Clock):
    browser = signed_in("ash")
    clock.now += 29 * 60
    assert browser.get("/caseload").status_code == 200
    clock.now += 29 * 60
    assert browser.get("/_dash-layout").status_code == 200  # used in between: still alive
    clock.now += 31 * 60
    assert browser.get("/_dash-layout").status_code == 401
    assert browser.get("/caseload").status_code == 303


def test_no_sign_in_lasts_longer_than_the_longest(signed_in, clock: Clock):
    browser = signed_in("ash")
    for _ in range(24):  # ten hours, kept busy
        assert browser.post("/still-here").status_code == 204
        clock.now += 25 * 60
    clock.now += 1
    assert browser.get("/caseload").status_code == 303
