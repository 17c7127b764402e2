"""A signal in a real browser: answered by keyboard and by thumb, pressed twice, and when a sign-in ends."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from mbc.store import Administration, Client, Episode, Store
from tests.browser.conftest import Visit, Watch
from tests.browser.test_record import SMALL, WIDE
from tests.dashboards.record import PASSWORD, day, rses_answers

pytestmark = pytest.mark.browser

CLIENT = "/client/C010"


@pytest.fixture(scope="module")
def falling(served_record: str) -> str:
    """C010 of birch is not on track."""
    with Store.open(served_record) as store, store.writing() as record:
        record.add(Client("C010", None, "K2", day(0)))
        record.add(Episode("E010", "C010", "K2", day(0), day(0)))
        for place, total in enumerate((22, 21, 14, 11, 10)):
            answers = rses_answers(total)
            record.add(Administration("C010", "rses", day(2 * place), answers, form="a", coding="0-3"))
    return served_record


def answers(url: str) -> list[tuple[str, str | None]]:
    with Store.open(url) as store:
        return store.signal_answers(client_id="C010").select("answer", "change").rows()


@pytest.mark.slow  # in make test: forms by keyboard, thumb and after the sign-in ended in test_record, and
# the answers to a signal in tests/dashboards/pages/record/test_signal_form.py
def test_a_signal_is_answered_by_keyboard_thumb_and_after_the_sign_in_ended(
    falling: str, visit: Visit, watch: Watch
):
    page = visit(CLIENT, "birch", width=1280, height=800)
    question = page.locator("section.signal")
    expect(question.get_by_role("heading")).to_contain_text("Not on track")
    question.get_by_role("link").press("Enter")
    expect(page.locator("dialog form.entry-form")).to_be_visible()
    for key in ("2", "1"):  # changed, alliance
        page.keyboard.press(key)
    page.get_by_text("Alliance: what to consider").press("Enter")
    expect(page.get_by_text("Ask how the work together feels")).to_be_visible()
    page.get_by_role("button", name="Record", exact=True).press("Enter")
    expect(page.locator("dialog .just-written li").first).to_contain_text("answered changed: alliance")
    assert answers(falling) == [("changed", "alliance")]
    page.get_by_role("button", name=re.compile("^Undo")).first.press("Enter")
    expect(page.locator("dialog .good-note")).to_contain_text("undone")
    page.set_viewport_size({"width": 390, "height": 844})
    with page.expect_event("load"):  # what was written is shown
        page.keyboard.press("Escape")
    expect(question).to_be_visible()
    assert page.evaluate(SMALL.replace("main :is", "section.signal :is")) == []
    form = question.get_by_role("link").get_attribute("href")
    page.goto(str(form))
    assert page.evaluate(SMALL) == []
    assert page.evaluate(WIDE) <= 0
    page.get_by_role("radio", name="Not now").check(force=True)
    page.get_by_role("textbox", name="Details").fill("exam week")
    page.context.clear_cookies(name=re.compile(r"mbc(_\d+)?"))
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_url("**/sign-in")
    page.get_by_label("User name").fill("birch")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("textbox", name="Details")).to_have_value("exam week")
    page.goto(CLIENT)
    question.get_by_role("button", name="Seen").dblclick()
    expect(page.locator(".signal.answered")).to_contain_text("answered today, seen")
    assert answers(falling) == [("seen", None)]
    assert watch.complaints == []
