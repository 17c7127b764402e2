"""Coming in and going out."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from flask.testing import FlaskClient

from mbc.store import Store
from tests.dashboards.conftest import sign_in, token_of
from tests.dashboards.record import PASSWORD


def cookies_of(answer) -> list[str]:
    return answer.headers.getlist("Set-Cookie")


def test_the_form_needs_no_script(browser: FlaskClient):
    page = browser.get("/sign-in").text
    assert page.count("<script") == 1  # for passkeys, beside the form
    assert '<script src="/sign-in/passkey.js" defer></script>' in page
    assert '<form method="post" action="/sign-in">' in page
    assert page.count("<label for=") == 2


@pytest.mark.parametrize(
    ("username", "password"), [("ash", "wrong"), ("nobody", PASSWORD), ("", ""), ("ash", "x" * 5000)]
)
def test_every_failed_sign_in_gets_the_same_message(browser: FlaskClient, username: str, password: str):
    answer = sign_in(browser, username, password)
    assert answer.status_code == 401
    assert "user name or password is wrong" in answer.text
    assert username not in answer.text or not username
    assert browser.get("/caseload").status_code == 303


def test_a_form_without_the_token_is_refused(browser: FlaskClient):
    browser.get("/sign-in")
    for token in ({}, {"csrf": ""}, {"csrf": "guessed"}):
        answer = browser.post("/sign-in", data={"username": "ash", "password": PASSWORD, **token})
        assert answer.status_code == 400
    assert browser.get("/caseload").status_code == 303


def test_the_session_is_a_new_one_after_signing_in(browser: FlaskClient):
    before = token_of(browser.get("/sign-in").text)
    sign_in(browser, "ash")
    with browser.session_transaction() as session:
        assert session["sid"]
        assert session.get("csrf") != before


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(browser: FlaskClient):
    known, cookie = sorted(cookies_of(sign_in(browser, "ash")))
    assert cookie.startswith("mbc=")
    assert known.startswith(
        "mbc-browser="
    )  # says that guesses made elsewhere do not count here, and signs nobody in
    for each in (known, cookie):
        assert "HttpOnly" in each
        assert "SameSite=Lax" in each
        assert "Secure" not in each
    assert "Expires" not in cookie  # ends with the browser


def test_over_https_cookies_are_never_sent_in_clear(record_url: str, make_app):
    app = make_app(record_url, https=True)
    answer = app.server.test_client().get("/sign-in", base_url="https://localhost")
    (cookie,) = cookies_of(answer)
    assert cookie.startswith("__Host-mbc=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_signing_out_ends_the_session_wherever_its_cookie_is(signed_in, app):
    browser = signed_in("ash")
    copied = browser.get_cookie("mbc").value
    assert browser.get("/sign-out").status_code in (404, 405)  # a link cannot sign anybody out
    browser.get("/_dash-layout")
    with browser.session_transaction() as session:
        token = session["csrf"]
    assert browser.post("/sign-out", data={"csrf": "guessed"}).headers["Location"] == "/"
    answer = browser.post("/sign-out", data={"csrf": token})
    assert answer.headers["Location"] == "/sign-in"
    assert browser.get("/caseload").status_code == 303
    assert "You are signed out." in browser.get("/sign-in").text

    thief = app.server.test_client()
    thief.set_cookie("mbc", copied)
    assert thief.get("/_dash-layout").status_code == 401


def test_a_cookie_signed_with_another_key_is_worthless(record_url: str, app, make_app):
    other = make_app(record_url, secret_key="x" * 40).server.test_client()
    sign_in(other, "ash")
    here = app.server.test_client()
    here.set_cookie("mbc", other.get_cookie("mbc").value)
    assert here.get("/_dash-layout").status_code == 401


def test_closing_an_account_or_changing_its_password_ends_its_sign_ins(own_record_url: str, make_app):
    app = make_app(own_record_url)
    with Store.open(own_record_url) as store:
        for change in (
            lambda: store.accounts.set_password("ash", "another nine paper boats"),
            lambda: store.accounts.set_active("birch", active=False),
        ):
            users = {name: app.server.test_client() for name in ("ash", "birch")}
            for name, browser in users.items():
                sign_in(browser, name)
            change()
            opened = {name: browser.get("/_dash-layout").status_code for name, browser in users.items()}
            assert 401 in opened.values()


def test_guessing_is_paused(own_record_url: str, make_app):
    app = make_app(own_record_url)
    browser = app.server.test_client()
    for _ in range(5):
        assert sign_in(browser, "ash", "a guess that is wrong").status_code == 401
    assert sign_in(browser, "ash").status_code == 401  # even the right password, for a while
    assert sign_in(browser, "birch").status_code == 303


def test_coming_and_going_is_on_the_audit_trail(own_record_url: str, make_app):
    app = make_app(own_record_url)
    browser = app.server.test_client()
    began = datetime.now(UTC)
    sign_in(browser, "ash", "a guess that is wrong")
    sign_in(browser, "ash")
    browser.get("/client/C003")
    browser.get("/_dash-layout")
    with browser.session_transaction() as session:
        token = session["csrf"]
    browser.post("/sign-out", data={"csrf": token})
    with Store.open(own_record_url) as store:
        actions = store.audit.entries()["action"].to_list()
        came_from = store.audit.entries(since=began)["origin"].unique().to_list()
        signed = store.audit.entries(since=began).filter(pl.col("action").str.starts_with("sign"))
    for action in ("sign-in refused", "sign-in", "refused", "sign-out"):
        assert action in actions
    assert came_from == ["127.0.0.1"]
    assert signed.select("who", "subject").rows() == [("not signed in", "ash"), ("ash", "ash"), ("ash", "ash")]


def test_a_sign_in_that_was_handed_back_stays_so_on_other_workers_and_after_a_restart(
    own_record_url: str, make_app
):
    def worker():
        return make_app(own_record_url).server.test_client()

    here, there = worker(), worker()
    sign_in(here, "ash")
    copied = here.get_cookie("mbc").value
    there.set_cookie("mbc", copied)
    assert there.get("/_dash-layout").status_code == 200
    here.get("/_dash-layout")
    with here.session_transaction() as session:
        token = session["csrf"]
    here.post("/sign-out", data={"csrf": token})
    there.set_cookie("mbc", copied)
    assert there.get("/_dash-layout").status_code == 401
    restarted = worker()
    restarted.set_cookie("mbc", copied)
    assert restarted.get("/_dash-layout").status_code == 401
    sign_in(there, "ash")  # and another sign-in is not taken for it
    assert there.get("/_dash-layout").status_code == 200


def test_a_page_that_is_not_for_this_role_is_refused_on_the_trail(own_record_url: str, make_app):
    app = make_app(own_record_url)
    browser = app.server.test_client()
    began = datetime.now(UTC)
    sign_in(browser, "ana")
    for path in ("/caseload", "/client/C001", "/nonsense"):
        assert browser.get(path).status_code == 404
    with Store.open(own_record_url) as store:
        refused = store.audit.entries(who="ana", action="refused", since=began)
    assert refused["subject"].to_list() == [None, "C001"]
    assert refused["origin"].unique().to_list() == ["127.0.0.1"]
