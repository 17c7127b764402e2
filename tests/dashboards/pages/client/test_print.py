"""*Print* on a client's page: a download for those who read the client, and nothing for anybody else."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from mbc.store import Store
from tests.reports.documents import read_pdf, squeezed


def print_report(browser, client="C001", *, kind="client", token=None, **fields):
    page = browser.get(f"/client/{client}?plain=1").text
    match = re.search(r'name="csrf" value="([^"]+)"', page)
    csrf = token or (match[1] if match else "")
    return browser.post("/print", data={"csrf": csrf, "client_id": client, "kind": kind, **fields})


def test_the_review_is_downloaded_under_a_name_that_says_nothing_else(signed_in, record_url):
    answer = print_report(signed_in("ash"))
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert re.fullmatch(
        r'attachment; filename="client-C001-\d{4}-\d\d-\d\d\.pdf"', answer.headers["Content-Disposition"]
    )
    assert "no-store" in answer.headers["Cache-Control"]
    assert squeezed("Review: Willow") in squeezed(read_pdf(answer.data).text)
    with Store.open(record_url) as store:
        line = store.audit.entries(action="report").filter(pl.col("who") == "ash").row(-1, named=True)
    assert line["subject"] == "C001"
    assert json.loads(line["detail"]) == {"kind": "client", "form": "pdf", "language": "en"}


def test_the_page_offers_it(signed_in):
    page = signed_in("ash").get("/client/C001?plain=1").text
    assert 'action="/print"' in page
    assert "Review, PDF" in page


@pytest.mark.parametrize(
    ("user", "client"), [("birch", "C001"), ("ash", "C003"), ("adam", "C001"), ("ana", "C001")]
)
def test_somebody_elses_client_is_answered_like_one_that_does_not_exist(signed_in, user, client):
    browser = signed_in(user)
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/account?plain=1").text)
    assert token
    refused = print_report(browser, client, token=token[1])
    unknown = print_report(browser, "C999", token=token[1])
    assert refused.status_code == unknown.status_code == 404
    assert refused.data == unknown.data


def test_a_request_from_elsewhere_prints_nothing(signed_in):
    assert print_report(signed_in("ash"), token="made up").status_code == 303


def test_an_unknown_kind_is_not_found(signed_in):
    assert print_report(signed_in("ash"), kind="all").status_code == 404


def test_nobody_signed_in_prints_nothing(browser):
    assert browser.post("/print", data={"client_id": "C001", "kind": "client"}).status_code == 401


def test_the_summary_is_downloaded_in_the_language_and_with_what_was_ticked(signed_in, record_url):
    browser = signed_in("ash")
    plain = print_report(browser, kind="summary", language="de")
    assert "summary-C001" in plain.headers["Content-Disposition"]
    text = read_pdf(plain.data).text
    assert "Wie es Ihnen geht" in text
    assert "Ended R1" not in text
    ticked = print_report(browser, kind="summary", include=["events", "goals"])
    assert "Ended R1" in read_pdf(ticked.data).text
    with Store.open(record_url) as store:
        detail = store.audit.entries(action="report")["detail"].to_list()[-1]
    assert json.loads(detail)["included"] == ["events", "goals"]


def test_what_cannot_be_ticked_comes_back_to_the_page_in_words(signed_in):
    browser = signed_in("ash")
    refused = print_report(browser, kind="summary", include=["safety"])
    assert refused.status_code == 303
    assert "cannot be included" in browser.get("/client/C001?plain=1").text
