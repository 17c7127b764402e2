"""A record outside the caseload, opened on the pages: with a reason, for an hour, and never unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from dash import Dash
from flask.testing import FlaskClient

from dashboards.pages.other_records.forms import CLOSE_RECORD, OPEN_RECORD
from dashboards.pages.other_records.layout import layout
from dashboards.web.visitor import unscoped_store
from mbc.store import Store
from mbc.store.accounts.break_glass import OPEN_FOR
from tests.dashboards.conftest import sign_in
from tests.dashboards.reading import of_kind, text_of
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

WHY = "Covering for K2, who is ill; the client has called"


@pytest.fixture
def app(own_record_url: str, make_app) -> Dash:
    with Store.open(own_record_url) as store:
        store.accounts.add("lead", PASSWORD, "safety_lead")
    return make_app(own_record_url)


@pytest.fixture
def enter(app: Dash) -> Callable[[str], FlaskClient]:
    def come(user: str) -> FlaskClient:
        browser = app.server.test_client()
        assert sign_in(browser, user).status_code == 303
        browser.get("/_dash-layout")  # makes the token that forms send back
        return browser

    return come


@pytest.fixture
def trail(own_record_url: str) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        yield store


def send(browser: FlaskClient, path: str = OPEN_RECORD, **fields: str):
    with browser.session_transaction() as session:
        token = session["csrf"]
    return browser.post(path, data={"csrf": token, "reason": WHY, "client_id": "C003"} | fields)


def page(browser: FlaskClient, path: str) -> str:
    asked = {
        "output": "main.children",
        "outputs": {"id": "main", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": path}],
        "changedPropIds": ["url.pathname"],
    }
    return browser.post("/_dash-update-component", json=asked).text


def test_a_record_is_opened_and_closed_again(enter, trail):
    began, browser = datetime.now(UTC), enter("ash")
    assert browser.get("/client/C003").status_code == 404
    assert send(browser).headers["Location"] == "/client/C003"
    assert browser.get("/client/C003").status_code == 200
    opened = page(browser, "/client/C003")
    assert "Hazel" in opened
    assert "Emergency access, read only" in opened
    assert "record-button" not in opened  # the restricted section was not asked for
    assert "Emergency access, read only" not in page(browser, "/client/C001")
    assert send(browser, CLOSE_RECORD).headers["Location"] == "/other-records"
    assert browser.get("/client/C003").status_code == 404
    assert "Hazel" not in page(browser, "/client/C003")
    lines = trail.audit.entries(who="ash", subject="C003", since=began, include_safety=True)
    assert lines["action"].to_list() == [
        "refused", "break glass", "read", "glass closed", "refused", "refused",
    ]  # fmt: skip
    assert set(lines["origin"]) == {"127.0.0.1"}


def test_a_reason_may_be_written_in_lines(enter, trail):
    """The field has three of them; in an emergency nobody is asked to write it again."""
    assert send(enter("ash"), reason="Covering for K2, who is ill;\r\n\tthe client has called ").status_code == 303
    assert trail.break_glass_log()["reason"].to_list() == [WHY]


def test_it_closes_by_itself_on_the_server(app: Dash, enter):
    browser = enter("ash")
    send(browser)
    with app.server.app_context():
        shared = unscoped_store()._shared
    shared.clock = lambda: datetime.now(UTC) + OPEN_FOR - timedelta(seconds=30)
    assert browser.get("/client/C003").status_code == 200
    shared.clock = lambda: datetime.now(UTC) + OPEN_FOR
    assert browser.get("/client/C003").status_code == 404
    assert "Hazel" not in page(browser, "/client/C003")
    assert "Hazel" not in page(browser, "/caseload")


def test_signing_out_closes_what_was_open(enter):
    browser = enter("ash")
    send(browser)
    send(browser, "/sign-out")
    assert enter("ash").get("/client/C003").status_code == 404


def test_the_restricted_section_opens_only_when_it_is_asked_for(enter):
    birch = enter("birch")  # holds no permission for it
    send(birch, client_id="C001", extent="restricted")
    assert "record-button" in page(birch, "/client/C001")
    assert "thoughts of death" not in page(birch, "/client/C001")  # and stays hidden until its button is pressed
    oak = enter("oak")
    assert "record-button" not in page(oak, "/client/C001")
    send(oak, client_id="C001", extent="restricted")
    assert "record-button" in page(oak, "/client/C001")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"client_id": "C999"}, "There is no such client."),
        ({"client_id": "' OR 1=1 --"}, "There is no such client."),
        ({"client_id": ""}, "There is no such client."),
        ({"reason": "urgent"}, "is too short"),
        (
            {"client_id": "C999", "reason": "urgent"},
            "is too short",
        ),  # without a reason nobody learns who is there
        ({"client_id": "C001"}, "already have access"),
        ({"csrf": "guessed"}, "was open for too long"),
        ({"csrf": ""}, "was open for too long"),
    ],
)
def test_a_form_that_is_refused_says_why_once_and_opens_nothing(enter, fields, says):
    browser = enter("ash")
    assert send(browser, **fields).headers["Location"] == "/other-records"
    assert says in page(browser, "/other-records")
    assert says not in page(browser, "/other-records")
    assert browser.get("/client/C003").status_code == 404


def test_another_site_opens_nothing(enter):
    browser = enter("ash")
    for method in ("get", "put"):
        assert getattr(browser, method)(OPEN_RECORD).status_code in (403, 404, 405)
    assert (
        browser.post(OPEN_RECORD, data={"client_id": "C003", "reason": WHY}).headers["Location"]
        == "/other-records"
    )
    assert browser.get("/client/C003").status_code == 404


@pytest.mark.parametrize("user", ["ana", "adam"])
def test_it_is_for_those_who_treat_clients(enter, trail, user):
    began, browser = datetime.now(UTC), enter(user)
    send(browser)
    assert browser.get("/other-records").status_code == 404
    assert browser.get("/client/C003").status_code == 404
    assert "Hazel" not in page(browser, "/client/C003")
    assert set(trail.audit.entries(who=user, subject="C003", since=began)["action"]) == {"refused"}


def test_the_safety_lead_sees_who_did_it_and_why_and_has_no_caseload(enter):
    send(enter("ash"))
    lead = enter("lead")
    assert lead.get("/").headers["Location"] == "/to-review"
    seen = page(lead, "/other-records")
    assert WHY in seen
    assert "ash" in seen
    assert lead.get("/caseload").status_code == 404
    assert lead.get("/client/C003").status_code == 404  # flags are theirs to see, records are not
    send(lead)
    assert lead.get("/client/C003").status_code == 200
    assert "Colleagues' records" in page(lead, "/client/C003")


def test_the_clinician_and_the_supervisor_see_that_it_was_done_but_not_why(enter):
    send(enter("ash"))
    for user in ("birch", "oak"):
        seen = page(enter(user), "/other-records")
        assert "C003" in seen
        assert WHY not in seen


def test_the_page_says_what_it_does_and_each_field_has_a_label(store_of):
    page = layout(store_of("ash"), "token")
    said = text_of(page)
    assert "for one hour" in said
    assert "safety lead" in said
    labels = {label.htmlFor for label in of_kind(page, "Label")}
    assert labels == {"other-client", "other-reason", "other-extent"}
