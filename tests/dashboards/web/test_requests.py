"""What the server refuses before a page sees it (hosts, callbacks, too many requests), and its health."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from dash import Dash
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.web.health import Integrity
from dashboards.web.rate_limit import REQUESTS, SIGN_INS, RateLimits
from tests.dashboards.conftest import sign_in, token_of
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

OURS = {"Origin": "http://localhost"}
CALLBACK = "/_dash-update-component"


def callback(visitor: FlaskClient, body: object):
    return visitor.post(CALLBACK, data=json.dumps(body), content_type="application/json", headers=OURS)


def page_content(path: object) -> dict[str, object]:
    return {
        "output": "main.children",
        "outputs": {"id": "main", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": path}],
        "changedPropIds": ["url.pathname"],
    }


def view(axis: object = "session", **more: object) -> dict[str, object]:
    """What the controls of a client's page send."""
    switches = ("better-is-up", "zero-to-hundred", "quiet-moves")
    body = {
        "output": "view.data",
        "outputs": {"id": "view", "property": "data"},
        "inputs": [
            {"id": "axis", "property": "value", "value": axis},
            *({"id": name, "property": "checked", "value": True} for name in switches),
        ],
        "changedPropIds": ["axis.value"],
    }
    return body | more


@pytest.mark.long
def test_what_our_pages_send_is_answered(signed_in: Callable[[str], FlaskClient]):
    visitor = signed_in("ash")
    assert callback(visitor, page_content("/client/C001")).status_code == 200
    assert callback(visitor, view()).status_code == 200


MALFORMED = {
    "empty object": {}, "empty list": [], "text": "x", "number": 1, "nothing": None,
    "unknown callback": page_content("/caseload") | {"output": "other.children"},
    "output is a list": page_content("/caseload") | {"output": ["main.children"]},
    "no inputs": page_content("/caseload") | {"inputs": []},
    "inputs are an object": page_content("/caseload") | {"inputs": {}},
    "path is a list": page_content(["/client/C001"]), "path is a number": page_content(7),
    "path is an object": page_content({"a": 1}),
    "another component": page_content("/caseload")
    | {"inputs": [{"id": "theme", "property": "pathname", "value": "/caseload"}]},
    "id is an object": page_content("/caseload")
    | {"inputs": [{"id": {"a": 1}, "property": "pathname", "value": "/caseload"}]},
    "outputs are missing": {"output": "main.children", "inputs": page_content("/caseload")["inputs"]},
    "changed is a number": page_content("/caseload") | {"changedPropIds": 3},
    "axis is a list": view(["session"]), "axis is an object": view({"a": 1}),
    "outputs are another's": view(outputs={"id": "main", "property": "children"}),
    "outputs are a list": view(outputs=[]), "a control is missing": view(inputs=[]),
}  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_hand_made_callback_is_refused(signed_in: Callable[[str], FlaskClient], body: object):
    answer = callback(signed_in("ash"), body)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("main.children"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["output", "outputs", "inputs", "state", "id", "property", "value", "changedPropIds"]),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.long
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=ANYTHING)
def test_no_body_breaks_a_callback(signed_in: Callable[[str], FlaskClient], body: object):
    if "visitor" not in test_no_body_breaks_a_callback.__dict__:
        test_no_body_breaks_a_callback.visitor = signed_in("ash")  # type: ignore[attr-defined]
    assert callback(test_no_body_breaks_a_callback.visitor, body).status_code < 500  # type: ignore[attr-defined]


def test_a_body_that_is_no_json_is_refused(signed_in: Callable[[str], FlaskClient]):
    visitor = signed_in("ash")
    for data in (b"", b"{", b"\xff\xfe", b"NaN"):
        answer = visitor.post(CALLBACK, data=data, content_type="application/json", headers=OURS)
        assert answer.status_code == 400


def test_only_named_hosts_are_answered(record_url: str, make_app: Callable[..., Dash]):
    browser = make_app(record_url, hosts=frozenset({"clinic.example"})).server.test_client()
    for host in ("clinic.example", "Clinic.Example:8050", "localhost", "127.0.0.1:8050", "[::1]:8050"):
        assert browser.get("/sign-in", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "clinic.example.evil.example", "192.0.2.1", "clinic.example@evil.example"):
        answer = browser.get("/sign-in", headers={"Host": host})
        assert answer.status_code == 400
        assert answer.headers["Cache-Control"] == "no-store"
        assert "evil" not in answer.text
    assert browser.get("/healthz", headers={"Host": "192.0.2.1"}).status_code == 200


def test_the_origin_must_have_our_scheme(signed_in: Callable[[str], FlaskClient]):
    visitor = signed_in("ash")
    body = page_content("/caseload")
    for origin, status in (("http://localhost", 200), ("https://localhost", 403), ("http://localhost:81", 403)):
        answer = visitor.post(CALLBACK, json=body, headers={"Origin": origin})
        assert answer.status_code == status


def test_files_that_are_not_there_are_not_the_page(signed_in: Callable[[str], FlaskClient]):
    visitor = signed_in("ash")
    for path in (
        "/assets/",
        "/assets/none.js",
        "/assets/a/b.css.map",
        "/_dash-component-suites/",
        "/_dash-component-suites/x",
    ):
        answer = visitor.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["Cache-Control"] == "no-store"
    with visitor.get("/assets/mbc.js") as answer:
        assert answer.status_code == 200


def test_cookies_of_two_servers_on_one_machine_differ(record_url: str, make_app: Callable[..., Dash]):
    one = make_app(record_url, port=8050).server.config["SESSION_COOKIE_NAME"]
    other = make_app(record_url, port=8051).server.config["SESSION_COOKIE_NAME"]
    assert one != other
    assert make_app(record_url, port=8051, https=True).server.config["SESSION_COOKIE_NAME"] == "__Host-mbc"


def test_health_is_open_and_says_nothing_of_the_record(browser: FlaskClient):
    assert browser.get("/healthz").text == "ok"
    answer = browser.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["record"] == "reachable"
    assert set(answer.json) == {"record", "integrity"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_damaged_file_is_not_ready(app: Dash, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    integrity: Integrity = app.server.extensions["mbc_integrity"]
    monkeypatch.setattr("mbc.store.Store.database_faults", lambda self, quick: ("page 3: wrong",))
    with app.server.app_context():
        browser.get("/readyz")
        for _ in range(100):
            if integrity.faulty:
                break
            __import__("time").sleep(0.05)
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json["integrity"]) == (503, "damaged")


def test_sign_ins_and_requests_of_one_address_are_limited(record_url: str):
    from dashboards.app import open_app  # noqa: PLC0415
    from dashboards.settings import Settings  # noqa: PLC0415

    now = [1000.0]
    with open_app(record_url, Settings(secret_key="k" * 40), RateLimits(clock=lambda: now[0])) as limited:
        browser = limited.server.test_client()
        token = token_of(browser.get("/sign-in").text)
        data = {"csrf": token, "username": "nobody", "password": "wrong wrong wrong"}
        statuses = [browser.post("/sign-in", data=data).status_code for _ in range(int(SIGN_INS.burst) + 3)]
        assert statuses == [401] * int(SIGN_INS.burst) + [429] * 3
        assert browser.get("/sign-in").status_code == 200
        other = {"REMOTE_ADDR": "192.0.2.4"}
        assert browser.post("/sign-in", data=data, environ_overrides=other).status_code == 401
        now[0] += 1 / SIGN_INS.per_second + 0.01
        assert sign_in(browser, "ash", PASSWORD).status_code == 303
        # a visitor who is signed in has a limit of their own, whatever others at their address do
        stranger = limited.server.test_client()
        asked = [stranger.get("/healthz").status_code for _ in range(int(REQUESTS.burst) + 5)]
        assert asked[-1] == 429
        assert browser.get("/caseload").status_code == 200
