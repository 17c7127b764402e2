"""*Print* on a client's page: a download for those who read the client, and nothing for anybody else."""

from __future__ import annotations

import datetime as dt
import json
import re

import polars as pl
import pytest

from mbc.care.plan.battery import read_battery
from mbc.store import ReleaseOfInformation, Store
from tests.dashboards.record import day
from tests.reports.documents import read_pdf, squeezed

pytestmark = pytest.mark.long


@pytest.fixture
def app(own_record_url, clock, make_app):
    return make_app(own_record_url, clock=clock)


def print_report(browser, client="C001", *, kind="client", token=None, **fields):
    page = browser.get(f"/client/{client}?plain=1").text
    match = re.search(r'name="csrf" value="([^"]+)"', page)
    csrf = token or (match[1] if match else "")
    return browser.post("/print", data={"csrf": csrf, "client_id": client, "kind": kind, **fields})


def test_the_review_is_downloaded_under_a_name_that_says_nothing_else(signed_in, own_record_url):
    answer = print_report(signed_in("ash"))
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert re.fullmatch(
        r'attachment; filename="client-C001-\d{4}-\d\d-\d\d\.pdf"', answer.headers["Content-Disposition"]
    )
    assert "no-store" in answer.headers["Cache-Control"]
    assert squeezed("Review: Willow") in squeezed(read_pdf(answer.data).text)
    with Store.open(own_record_url) as store:
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


def test_the_summary_is_downloaded_in_the_language_and_with_what_was_ticked(signed_in, own_record_url):
    browser = signed_in("ash")
    plain = print_report(browser, kind="summary", language="de")
    assert "summary-C001" in plain.headers["Content-Disposition"]
    text = read_pdf(plain.data).text
    assert "Wie es Ihnen geht" in text
    assert "Ended R1" not in text
    ticked = print_report(browser, kind="summary", include=["events", "goals"])
    assert "Ended R1" in read_pdf(ticked.data).text
    with Store.open(own_record_url) as store:
        detail = store.audit.entries(action="report")["detail"].to_list()[-1]
    assert json.loads(detail)["included"] == ["events", "goals"]


def test_what_cannot_be_ticked_comes_back_to_the_page_in_words(signed_in):
    browser = signed_in("ash")
    refused = print_report(browser, kind="summary", include=["safety"])
    assert refused.status_code == 303
    assert "cannot be included" in browser.get("/client/C001?plain=1").text


def test_only_chosen_questionnaires_are_in_the_summary(signed_in):
    browser = signed_in("ash")
    assert 'name="measure"' in browser.get("/client/C001?plain=1").text
    text = squeezed(read_pdf(print_report(browser, kind="summary", measure=["phq9"]).data).text)
    assert "Lowmood" in text
    assert "Howyouseeyourself" not in text
    refused = print_report(browser, kind="summary", measure=["csi4"])
    assert refused.status_code == 303
    assert "--include" not in browser.get("/client/C001?plain=1").text


def test_how_progress_is_measured_is_downloaded_and_audited(signed_in, own_record_url):
    browser = signed_in("ash")
    without = print_report(browser, kind="measures")
    assert without.status_code == 303
    assert "no plan of measures" in browser.get("/client/C001?plain=1").text
    with Store.open(own_record_url) as store, store.writing() as record:
        record.add_all(read_battery().planned("C001", day(0)))
    made = print_report(browser, kind="measures", language="nl")
    assert "measures-C001" in made.headers["Content-Disposition"]
    assert "Hoe we zien of het beter gaat" in read_pdf(made.data).text
    with Store.open(own_record_url) as store:
        detail = store.audit.entries(action="report")["detail"].to_list()[-1]
    assert json.loads(detail) == {"kind": "measures", "form": "pdf", "language": "nl"}


def test_the_couples_summary_is_for_those_with_the_safety_permission_alone(signed_in, own_record_url):
    today = dt.date.today()  # noqa: DTZ011 - the server reads the calendar day
    with Store.open(own_record_url) as store, store.writing() as record:
        ends = today + dt.timedelta(days=30)
        record.add(ReleaseOfInformation("R-1", "C001", "Dr Rowan", "planning", "rses", today, ends))
        record.add(ReleaseOfInformation("R-0", "C001", "Dr Elm", "planning", "rses", day(0), day(1)))
    browser = signed_in("ash")
    page = browser.get("/client/C001?plain=1").text
    assert "For a couples therapist" in page
    assert "Dr Rowan, until" in page
    assert "Dr Elm" not in page  # expired
    made = print_report(browser, kind="couples", release="R-1")
    assert "Summary for Dr Rowan" in read_pdf(made.data).text
    with Store.open(own_record_url) as store:
        line = store.audit.entries(action="report").row(-1, named=True)
    assert json.loads(line["detail"])["release"] == "R-1"
    refused = print_report(browser, kind="couples", release="R-0")
    assert refused.status_code == 303
    assert "expired on" in browser.get("/client/C001?plain=1").text
    other = signed_in("oak")
    assert "couples therapist" not in other.get("/client/C001?plain=1").text
    assert print_report(other, kind="couples", release="R-1").status_code == 404
