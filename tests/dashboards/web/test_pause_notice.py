"""Wrong attempts that paused signing in are mentioned at the next sign-in, above every page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from dash import Dash
from flask.testing import FlaskClient

from dashboards.web.pause_notice import notice_words
from mbc.store.accounts.own_account import PausedSignIns
from mbc.store.accounts.sign_ins import MOST_FAILURES
from tests.dashboards.conftest import Clock, sign_in, token_of

WORDS = "Signing in to your account was paused after at least"


@pytest.fixture
def app(own_record_url: str, clock: Clock, make_app: Callable[..., Dash]) -> Dash:
    return make_app(own_record_url, clock=clock)


def layout_of(browser: FlaskClient) -> str:
    return browser.get("/_dash-layout").text


def guess(app: Dash, times: int, address: str) -> None:
    browser = app.server.test_client()
    for _ in range(times):
        token = token_of(browser.get("/sign-in").text)
        typed = {"csrf": token, "username": "ash", "password": "wrong wrong wrong"}
        answer = browser.post("/sign-in", data=typed, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 401


def test_a_mistake_or_two_are_not_mentioned(app):
    guess(app, 2, "203.0.113.5")
    browser = app.server.test_client()
    sign_in(browser, "ash")
    assert WORDS not in layout_of(browser)


def test_a_pause_is_mentioned_until_the_account_is_looked_at_and_not_again(app):
    sign_in(app.server.test_client(), "ash")
    guess(app, MOST_FAILURES + 2, "203.0.113.6")
    guess(app, MOST_FAILURES, "198.51.100.7")
    browser = app.server.test_client()
    sign_in(browser, "ash")
    for _ in range(2):
        assert f"{WORDS} 10 wrong attempts at 2 places" in layout_of(browser)
    browser.get("/account")
    later = app.server.test_client()
    sign_in(later, "ash")
    assert WORDS not in layout_of(later)


def test_somebody_else_is_told_nothing(app):
    guess(app, MOST_FAILURES, "203.0.113.8")
    browser = app.server.test_client()
    sign_in(browser, "birch")
    assert WORDS not in layout_of(browser)


def test_the_words_name_no_address():
    at = datetime(2026, 3, 2, 14, 5, tzinfo=UTC) + timedelta(days=1)
    words = notice_words(PausedSignIns(7, 1, at))
    assert "at one place, the last noted on 3 Mar 2026, 14:05 UTC" in words
