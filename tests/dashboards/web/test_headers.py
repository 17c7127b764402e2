"""What browsers are told with every answer."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient


def policy(answer) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/plain.css", "/caseload", "/_dash-layout", "/nonsense"])
def test_every_answer_to_a_stranger_carries_them(browser: FlaskClient, path: str):
    check(browser.get(path, buffered=True))


@pytest.mark.parametrize("path", ["/caseload", "/_dash-layout", "/assets/style.css", "/nonsense", "/client/C999"])
def test_every_answer_to_a_visitor_carries_them(signed_in, path: str):
    check(signed_in("ash").get(path, buffered=True))


def check(answer) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    rules = policy(answer)
    assert rules["default-src"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'none'"]
    assert rules["base-uri"] == ["'none'"]
    said = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in said
    assert "*" not in said
    assert not re.search(r"https?:", said)


def test_data_is_never_kept_by_the_browser(signed_in):
    browser = signed_in("ash")
    for path in ("/caseload", "/_dash-layout", "/_dash-dependencies", "/sign-in", "/client/C999"):
        assert browser.get(path).headers["Cache-Control"] == "no-store", path
    assert browser.post("/_dash-update-component", json={}).headers["Cache-Control"] == "no-store"


def test_each_page_has_a_nonce_of_its_own_and_its_scripts_are_listed(signed_in):
    browser = signed_in("ash")
    one, other = browser.get("/caseload"), browser.get("/caseload")
    assert policy(one)["style-src"] != policy(other)["style-src"]
    nonce = re.search(r'nonce="([^"]+)"', one.text)[1]
    assert f"'nonce-{nonce}'" in policy(one)["style-src"]
    assert (
        len([part for part in policy(one)["script-src"] if part.startswith("'sha256-")]) == 1
    )  # Dash's own start


def test_the_page_says_nothing_of_whom_it_shows_and_asks_nobody_else(signed_in):
    page = signed_in("ash").get("/client/C001").text
    assert "<title>mbc</title>" in page
    assert "Willow" not in page
    assert "C001" not in page
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    addresses.remove("?plain=1")  # the same page without scripts
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)
