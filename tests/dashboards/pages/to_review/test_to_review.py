"""What waits to be looked at: a page for few, that says nothing of what it is about until it is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from dash import Dash
from flask.testing import FlaskClient

from dashboards.components import ids
from dashboards.pages.to_review.forms import CONFIRMED, CORRECTED, MARK_SEEN, SEEN, confirm, correct, mark
from dashboards.pages.to_review.layout import layout, toggle_list
from mbc.care import safety_list
from mbc.care.safety import SafetyList
from mbc.errors import AccessDenied
from mbc.store import Administration, Flag, SafetyPlan, Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.reading import named, of_kind, text_of
from tests.dashboards.record import PASSWORD
from tests.own_questionnaires import unreadable

TELLING = (
    "safety", "unsafe", "risk", "harm", "suicid", "death", "violen", "threat", "abuse", "flag", "alarm", "danger",
    "phq", "hits", "hark", "willow", "hazel", "c001", "c003",
)  # fmt: skip
DONE, DAY = "asked, and a plan was made", date(2026, 3, 2)
View = Callable[[str], Store]


@pytest.fixture
def url(own_record_url: str) -> str:
    """C001 has an answer of PHQ-9 (12 Jan); C003 a blank of it (2 Mar) and an answer of HITS (1 Mar)."""
    with Store.open(own_record_url) as store:
        with store.writing(by="intake") as record:
            hits = (1, 1, 2, 1)  # one flag: the sum stays under its line
            record.add(
                Administration("C003", "hits", date(2026, 3, 1), hits, channel="safety", flags=(Flag("i3"),))
            )
            blank = (1, 1, 1, 1, 0, 0, 0, 0, None)
            record.add(Administration("C003", "phq9", date(2026, 3, 2), blank, flags=(Flag("i9", "ask"),)))
        accounts = store.accounts
        accounts.add("lead", PASSWORD, "safety_lead")
        accounts.add("elm", PASSWORD, "supervisor", supervises=["K2"], permissions=["safety:read"])
    return own_record_url


@pytest.fixture
def view(url: str) -> Iterator[View]:
    with Store.open(url) as store:
        yield store.as_user


@pytest.fixture
def app(url: str, make_app) -> Dash:
    return make_app(url)


@pytest.fixture
def enter(app: Dash) -> Callable[[str], FlaskClient]:
    def come(user: str) -> FlaskClient:
        browser = app.server.test_client()
        assert sign_in(browser, user).status_code == 303
        browser.get("/_dash-layout")  # makes the token that forms send back
        return browser

    return come


def listed(store: Store, **on: date) -> SafetyList:
    """The list of somebody who may read it."""
    found = safety_list(store, **on)
    assert found is not None
    return found


def row_of(store: Store, client_id: str, instrument: str = "phq9") -> tuple[str, str]:
    """What the form of a flag sends."""
    found = store.safety_flags().filter(client_id=client_id, instrument=instrument).row(0, named=True)
    return str(found["administration_id"]), found["item"]


def send(browser: FlaskClient, sheet: str, line: str, **fields: str):
    with browser.session_transaction() as session:
        token = session["csrf"]
    return browser.post(MARK_SEEN, data={"csrf": token, "sheet": sheet, "line": line, "done": DONE} | fields)


def page(browser: FlaskClient) -> str:
    asked = {
        "output": "main.children",
        "outputs": {"id": "main", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": "/to-review"}],
        "changedPropIds": ["url.pathname"],
    }
    return browser.post("/_dash-update-component", json=asked).text


def lines(store: Store, clicks: int = 1) -> list[list[str]]:
    """The rows of the open list, cell by cell."""
    (section,) = of_kind(toggle_list(store, clicks, "token")[0], "Section")
    rows = [row for body in of_kind(section, "Tbody") for row in of_kind(body, "Tr")]
    return [[text_of(cell) for cell in row.children] for row in rows]


def test_a_safety_lead_sees_everybodys_the_answers_first_and_the_longest_waiting_first(view: View):
    found = listed(view("lead"), today=date(2026, 3, 2))
    assert [(one.client, one.flag.instrument, one.flag.kind, one.waiting) for one in found.open] == [
        ("Willow (C001)", "phq9", "risk", 49),
        ("Hazel (C003)", "hits", "risk", 1),
        ("Hazel (C003)", "phq9", "ask", 0),
    ]
    assert [row[:4] for row in lines(view("lead"))] == [
        ["Willow (C001)", "Dr Ash", "PHQ-9", "12 Jan 2026"],
        ["Hazel (C003)", "Dr Birch", "HITS", "1 Mar 2026"],
        ["Hazel (C003)", "Dr Birch", "PHQ-9", "2 Mar 2026"],
    ]
    assert [row[5] for row in lines(view("lead"))] == [
        "Answered: thoughts of death or self-harm",
        "Answered: threats of harm by a partner",
        "Left blank: thoughts of death or self-harm",
    ]


def test_others_with_the_permission_see_those_of_their_own_clients(view: View):
    assert {row[0] for row in lines(view("ash"))} == {"Willow (C001)"}
    assert {row[0] for row in lines(view("elm"))} == {"Hazel (C003)"}
    for without in ("birch", "oak", "ana", "adam"):
        assert toggle_list(view(without), 1, "token") == ([], "Show", "false")


def test_only_those_who_read_records_are_led_to_one(view: View):
    assert not of_kind(toggle_list(view("lead"), 1, "token")[0], "Link")
    assert [link.href for link in of_kind(toggle_list(view("ash"), 1, "token")[0], "Link")] == ["/client/C001"]


def test_it_opens_and_closes_by_its_button(view: View):
    assert toggle_list(view("lead"), 1, "token")[1:] == ("Hide", "true")
    for clicks in (None, 0, 2):
        assert toggle_list(view("lead"), clicks, "token") == ([], "Show", "false")
    assert named(layout(), ids.POINTS).className == "no-print"


def test_marking_moves_it_behind_the_fold_with_by_whom_and_when(view: View):
    lead, began = view("lead"), datetime.now(UTC)
    assert mark(lead, *row_of(lead, "C001"), DONE, DAY) == SEEN
    assert len(lines(lead)) == 2
    fold, *_ = of_kind(toggle_list(view("ash"), 1, "token")[0], "Details")
    assert "Willow" in text_of(fold)
    assert "lead" in text_of(fold)
    assert f"{began:%H:}" in text_of(fold) or f"{datetime.now(UTC):%H:}" in text_of(fold)


def test_the_first_mark_stays(view: View):
    sheet, line = row_of(view("lead"), "C001")
    assert mark(view("ash"), sheet, line, DONE, DAY) == SEEN
    again = mark(view("lead"), sheet, line, DONE, DAY)
    assert again.startswith("Nothing was changed")
    (one,) = listed(view("lead")).acknowledged
    assert one.flag.acknowledged_by == "ash"
    assert lines(view("ash")) == []


@pytest.mark.parametrize("sheet", ["999999", "", "-1", "1e3", "²", "9" * 400, "1; DROP TABLE safety_flag"])
def test_one_of_somebody_elses_is_answered_like_one_that_never_was(view: View, sheet: str):
    theirs = mark(view("ash"), *row_of(view("lead"), "C003"), DONE, DAY)
    assert mark(view("ash"), sheet, "i9", DONE, DAY) == theirs
    assert len(listed(view("lead")).open) == 3


def test_without_the_permission_the_form_does_not_exist(view: View, enter):
    sheet, line = row_of(view("lead"), "C001")
    for user in ("birch", "oak", "ana", "adam"):
        with pytest.raises(AccessDenied):
            mark(view(user), sheet, line, DONE, DAY)
        assert send(enter(user), sheet, line).status_code == 404
    assert len(listed(view("lead")).open) == 3


def test_the_form_leads_back_to_the_closed_page_which_says_it_once(view: View, enter):
    browser = enter("lead")
    assert send(browser, *row_of(view("lead"), "C001")).headers["Location"] == "/to-review"
    after = page(browser)
    assert SEEN in after
    assert "Willow" not in after
    assert SEEN not in page(browser)
    (one,) = listed(view("lead")).acknowledged
    assert one.flag.acknowledged_by == "lead"


@pytest.mark.parametrize("token", ["guessed", ""])
def test_another_site_marks_nothing(view: View, enter, token: str):
    browser, (sheet, line) = enter("lead"), row_of(view("lead"), "C001")
    send(browser, sheet, line, csrf=token)
    assert "was open for too long" in page(browser)
    for method in ("get", "put"):
        assert getattr(browser, method)(MARK_SEEN).status_code in (403, 404, 405)
    assert len(listed(view("lead")).open) == 3


def test_before_it_is_opened_nothing_tells_what_it_is_about(enter, view: View):
    browser = enter("lead")
    send(browser, *row_of(view("lead"), "C001"))
    answer = browser.get("/to-review")
    frame = browser.get("/_dash-layout").text
    title = re.search(r"<title>(.*)</title>", answer.text)
    assert title
    assert title[1] == "mbc"
    assert "To review" in frame
    after, again = page(browser), page(browser)
    assert "Show" in after
    for said in (answer.text, frame, after, again, MARK_SEEN, ids.POINTS, ids.POINTS_BUTTON):
        assert not [word for word in TELLING if word in said.casefold()]


def test_the_closed_page_is_the_same_whether_anything_waits_or_not(view: View, enter):
    before = page(enter("ash"))
    assert mark(view("ash"), *row_of(view("ash"), "C001"), DONE, DAY) == SEEN
    assert page(enter("ash")) == before


def test_each_button_is_told_apart_by_ear_without_saying_what_it_is_about(view: View):
    section = toggle_list(view("lead"), 1, "token")[0]
    names = [getattr(button, "aria-label") for button in of_kind(section, "Button")]
    assert len(set(names)) == len(names) == 3
    for name in names:
        assert name.startswith("Mark as seen: ")
        assert not [word for word in TELLING[:13] if word in name.casefold()]


def test_a_questionnaire_that_is_not_known_here_any_more_is_listed_all_the_same(view: View, url: str):
    with Store.open(url) as store, store.writing(by="intake") as record:
        record.keep_definition(unreadable("house_list"))
        record.add(Administration("C003", "house_list", date(2026, 3, 3), (1, 2), flags=(Flag("i2"),)))
    assert ["HOUSE-LIST", "Answered: i2"] in [[row[2], row[5]] for row in lines(view("lead"))]


def test_a_mark_needs_what_was_done_which_is_corrected_with_a_reason(view: View, enter):
    lead = view("lead")
    sheet, line = row_of(lead, "C001")
    assert mark(lead, sheet, line, "", DAY) == "Nothing was changed: say in a few words what was done."
    browser = enter("lead")
    send(browser, sheet, line, done="  ")
    assert len(listed(lead).open) == 3
    assert mark(lead, sheet, line, DONE, DAY) == SEEN
    assert listed(lead).acknowledged[0].action == DONE
    assert correct(lead, sheet, line, "asked again", "", DAY).startswith("Nothing was changed: say what was done")
    assert correct(view("ash"), sheet, line, "asked again", "the first was of another day", DAY) == CORRECTED
    assert listed(lead).acknowledged[0].action == "asked again"
    assert correct(lead, *row_of(lead, "C003"), "x", "y", DAY).startswith("Nothing was changed: that flag")
    for without in ("birch", "oak"):
        for change in (
            lambda of: correct(of, sheet, line, "x", "y", DAY),
            lambda of: confirm(of, sheet, line, DAY),
        ):
            with pytest.raises(AccessDenied):
                change(view(without))


def test_a_second_person_confirms_what_the_clinic_has_chosen(view: View, url: str):
    with Store.open(url) as store:
        store.set_second_person_items(["phq9.i9"])
        assert store.verify().intact
    lead, ash = view("lead"), view("ash")
    sheet, line = row_of(lead, "C001")
    assert confirm(lead, sheet, line, DAY).startswith("Nothing was changed: that flag")  # not acknowledged yet
    mark(ash, sheet, line, DONE, DAY)
    assert [item.client for item in listed(lead).second] == ["Willow (C001)"]
    assert confirm(ash, sheet, line, DAY).startswith("Nothing was changed: ash has acknowledged this flag")
    assert "someone else must confirm" in text_of(toggle_list(ash, 1, "token")[0])
    assert confirm(lead, sheet, line, DAY) == CONFIRMED
    assert listed(lead).second == ()


def test_overdue_reviews_are_listed_for_those_with_the_permission_alone(view: View, url: str):
    with Store.open(url) as store, store.writing() as record:
        record.add(SafetyPlan("C001", date(2026, 1, 2), next_review_on=date(2026, 2, 20)))
        record.add(SafetyPlan("C003", date(2025, 11, 1)))  # no day is set: a quarter of a year
        record.add(SafetyPlan("C002", date(2026, 2, 1), next_review_on=date(2026, 4, 1)))
    found = listed(view("lead"), today=date(2026, 3, 2))
    assert [(each.client_id, each.overdue) for each in found.reviews] == [("C003", 30), ("C001", 10)]
    assert [each.client_id for each in listed(view("ash"), today=date(2026, 3, 2)).reviews] == ["C001"]
    assert safety_list(view("oak")) is None
    assert "reviews overdue" in text_of(toggle_list(view("lead"), 1, "token")[0])
