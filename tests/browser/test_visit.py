"""A clinician's visit, from the sign-in to the closed door, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from mbc.store import Administration, Store
from tests.browser.conftest import Visit, Watch
from tests.browser.reading import KEPT, SCORES, TURNED, drawn
from tests.dashboards.record import RSES_TOTALS, day

pytestmark = pytest.mark.browser


def test_a_visit(visit: Visit, watch: Watch, address: str):
    page = visit("/", "ash")
    expect(page).to_have_url(f"{address}/caseload")
    expect(page).to_have_title("mbc")

    page.get_by_role("link", name="Willow").first.click()
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    expect(page).to_have_url(f"{address}/client/C001")
    expect(page).to_have_title("mbc")

    chart = page.locator("#chart-rses-total")
    drawn(page)
    assert page.evaluate(SCORES, "chart-rses-total")["y"] == list(RSES_TOTALS)
    expect(chart).to_contain_text("clearly better since")
    expect(chart.get_by_role("img", name=re.compile("Chart. Self-esteem: RSES"))).to_be_visible()

    chart.get_by_role("button", name="Self-esteem RSES").click()
    enlarged = page.get_by_role("dialog")
    expect(enlarged.get_by_role("heading", name="Self-esteem: RSES (0 to 30, higher is better)")).to_be_visible()
    enlarged.get_by_text("Show table of scores").first.click()
    expect(enlarged.get_by_role("cell", name="+12")).to_be_visible()
    enlarged.get_by_text("Sources").first.click()
    expect(enlarged.get_by_text("Measurement error", exact=True).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(enlarged).to_be_hidden()
    expect(chart.get_by_role("button", name="Self-esteem RSES")).to_be_focused()

    assert "2026" in str(page.evaluate(SCORES, "chart-rses-total")["x"][0])
    page.get_by_text("sessions", exact=True).click()
    page.wait_for_function(f"() => ({SCORES})('chart-rses-total').x[0] === 1")
    assert page.evaluate(SCORES, "chart-rses-total")["x"] == [1, 3, 5, 7, 9, 11]

    page.get_by_label("improvement up").check()
    page.wait_for_function(TURNED, arg="chart-phq9-total")

    assert page.evaluate(KEPT) == [[], []]
    leave(page)
    closed(page, address)
    assert watch.complaints == []
    assert {re.match(r"[a-z]+://[^/]+", url)[0] for url in watch.requests if not url.startswith("data:")} == {
        address
    }


def leave(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def closed(page: Page, address: str) -> None:
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    assert "Willow" not in page.content()
    page.goto("/client/C001")
    expect(page).to_have_url(f"{address}/sign-in")
    assert "Willow" not in page.content()


def test_somebody_elses_client_is_not_found_like_one_who_does_not_exist(visit: Visit):
    page = visit("/", "ash")
    said = []
    for client in ("C003", "C999"):
        answer = page.goto(f"/client/{client}")
        assert answer
        assert answer.status == 404
        said.append(page.locator("main").inner_text())
    assert said[0] == said[1]
    assert "Hazel" not in said[0]


def test_a_sign_in_that_ended_leaves_nothing_in_sight(visit: Visit, address: str):
    page = visit("/client/C001", "ash")
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_text("sessions", exact=True).click()  # any request is refused now
    expect(page).to_have_url(f"{address}/sign-in")
    assert "Willow" not in page.content()


def test_the_restricted_section_opens_by_a_button_and_hides_by_one_key_on_paper_and_when_the_window_is_left(
    visit: Visit, watch: Watch
):
    """One visit: drawing a client's page takes longer than all that is asked of it."""
    page = visit("/client/C001", "ash")
    drawn(page)
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    assert "thoughts of death" not in page.content()
    button = page.locator("#record-button")
    button.click()
    expect(page.locator("#record")).to_contain_text("PHQ-9")
    expect(button).to_have_attribute("aria-expanded", "true")
    prints_without_controls_and_without_the_restricted_section(page)
    page.keyboard.press("Escape")
    expect(page.locator("#record")).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#record")).to_be_empty()  # the answer to that has come: what comes next is not replaced
    button.click()
    expect(page.locator("#record")).to_contain_text("PHQ-9")
    hides_when_the_window_is_left(page)
    assert watch.complaints == []


def prints_without_controls_and_without_the_restricted_section(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator("#record")).to_be_hidden()
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.locator("#chart-rses-total")).to_be_visible()
    page.emulate_media(media="screen")
    expect(page.locator("#record")).to_be_visible()


def hides_when_the_window_is_left(page: Page) -> None:
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { value: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    expect(page.locator("#record")).to_be_hidden()
    expect(page.locator("#record-button")).to_have_attribute("aria-expanded", "false")


@pytest.mark.slow  # the page: test_access; what else there is: tests/dashboards/test_wiring.py
def test_an_analyst_sees_outcomes_and_nothing_else(visit: Visit, watch: Watch, address: str):
    page = visit("/", "ana")
    expect(page).to_have_url(f"{address}/outcomes")
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["Outcomes", "My account"])
    expect(page.locator("#chart-outcomes .js-plotly-plot")).to_be_visible()
    expect(page.get_by_text("Release 2026-Q1")).to_be_visible()
    page.get_by_role("textbox", name="Release").click()
    page.get_by_role("option", name="2025-Q4").click()
    expect(page.get_by_text("Release 2025-Q4")).to_be_visible()
    assert watch.complaints == []
    assert page.goto("/caseload").status == 404


def test_a_wrong_password_is_told_in_words(visit: Visit):
    page = visit("/sign-in")
    page.get_by_label("User name").fill("ash")
    page.get_by_label("Password").fill("a guess that is wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The user name or password is wrong")
    assert page.get_by_label("Password").input_value() == ""


def test_the_form_works_without_scripts(chromium, address: str):
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/caseload")
    page.get_by_label("User name").fill("ana")
    page.get_by_label("Password").fill("seven geese, one harbour lamp")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/outcomes?plain=1")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    context.close()


def test_a_record_is_opened_out_of_turn_by_a_form_and_goes_when_its_time_is_up(
    visit: Visit, watch: Watch, address: str
):
    page = visit("/other-records", "birch")
    page.get_by_label("Client").fill("C001")
    page.get_by_label("Reason").fill("Covering for K1, who is ill; the client has called")
    page.get_by_role("button", name="Open for one hour").click()
    expect(page).to_have_url(f"{address}/client/C001")
    expect(page).to_have_title("mbc")
    expect(page.get_by_role("status")).to_contain_text("Emergency access, read only")
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    drawn(page)
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(f"{address}/other-records")
    expect(page.get_by_role("row").filter(has_text="birch").first).to_contain_text("closed")
    page.go_back()
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert "Willow" not in page.content()
    assert [said for said in watch.complaints if "404" not in said] == []


def test_flags_to_review_are_out_of_sight_until_asked_for_at_one_key_and_on_paper(
    visit: Visit, watch: Watch, address: str, served_record: str
):
    with Store.open(served_record) as store, store.writing() as record:  # one that no other test marks as seen
        record.add(Administration("C002", "phq9", day(3), (0,) * 8 + (1,)))
    page = visit("/caseload", "ash")
    page.get_by_role("link", name="To review").click()
    expect(page.get_by_role("heading", level=1, name="To review")).to_be_visible()
    expect(page).to_have_url(f"{address}/to-review")
    expect(page).to_have_title("mbc")
    assert "thoughts of death" not in page.content()
    button, points = page.locator("#points-button"), page.locator("#points")
    button.click()
    expect(points).to_contain_text("PHQ-9")
    page.emulate_media(media="print")
    expect(points).to_be_hidden()
    page.emulate_media(media="screen")
    expect(points).to_be_visible()
    assert watch.complaints == []
    page.context.set_offline(True)  # it goes at once, before the server has answered
    page.keyboard.press("Escape")
    assert points.is_hidden()
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_role("heading", level=1, name="To review")).to_be_visible()
    assert "thoughts of death" not in page.content()
    watch.complaints.clear()  # of a server that did not answer
    button.click()
    expect(points).to_contain_text("PHQ-9")
    page.get_by_role("textbox", name="What was done").first.fill("Talked about it by telephone.")
    page.get_by_role("button", name="Mark as seen").first.click()
    expect(page.get_by_role("status")).to_contain_text("Marked as seen")
    expect(page).to_have_url(f"{address}/to-review")
    assert "thoughts of death" not in page.content()
    assert watch.complaints == []
