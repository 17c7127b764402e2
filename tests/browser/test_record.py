"""Recording in a real browser: by keyboard, by thumb at 390 pixels, without scripts, and when a sign-in ends."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit, Watch
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.browser

CLIENT = "/client/C002"  # nothing else is asked of this client in these tests
FORMS = ["", "session", "goal-ratings", "paper", "event", "readiness", "restricted", "restricted-a"]
OTHER_FORMS = [
    "homework",
    "small-win",
    "rupture",
    "conflict",
    "relationship-began",
    "status",
    "decision",
    "pattern",
    "support",
    "goal",
    "measure",
    "pause",
    "episode",
    "release",
    "restricted-b",
    "restricted-c",
]
SMALL = """() => [...document.querySelectorAll('main :is(button, select, input, a.entry-link, a.button)')]
    .filter((field) => field.type !== 'hidden')
    .map((field) => [field.outerHTML.slice(0, 80), (field.closest('.pill') || field).getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.5 || box.width < 43.5).map(([words]) => words)"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def open_drawer(visit: Visit, **options: int) -> Page:
    page = visit(CLIENT, "ash", **options)
    page.get_by_role("link", name="Record", exact=True).press("Enter")
    expect(page.locator("dialog a.entry-link").first).to_be_visible()
    return page


def choose(page: Page, title: str) -> None:
    """Press the number key that stands beside a form's name, or Enter on it."""
    link = page.locator("dialog a.entry-link", has_text=re.compile(f"^{title}"))
    key = link.get_attribute("data-key")
    page.keyboard.press(key) if key else link.press("Enter")
    expect(page.locator("dialog form.entry-form")).to_be_visible()


def test_entries_by_keyboard_in_the_drawer(visit: Visit, watch: Watch):
    page = open_drawer(visit)
    done = page.locator("dialog .good-note")
    if page.locator("dialog a.entry-link", has_text="Open an episode").count():
        choose(page, "Open an episode")
        page.keyboard.press("Enter")
        expect(done).to_have_text("Done: recorded.")
    choose(page, "Session")  # two keys: the form's number, and Enter
    page.keyboard.press("Enter")
    expect(page.locator("dialog .just-written li").first).to_contain_text("kept")
    choose(page, "New goal")
    page.keyboard.type("Ask for help")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .just-written li").first).to_contain_text("Ask for help")
    choose(page, "Goal ratings")
    page.keyboard.press("7")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .just-written li").first).to_contain_text("rated 7")
    page.get_by_role("button", name=re.compile("Undo.*rated 7")).press("Enter")
    expect(done).to_contain_text("undone")
    choose(page, "New goal")  # goal attainment: from -2 to 2
    page.keyboard.type("Speak up early")
    for level in ("-2", "0"):
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type(level)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .just-written li").first).to_contain_text("Speak up early")
    choose(page, "Goal ratings")
    levels = page.get_by_role("group", name=re.compile("Speak up early")).get_by_role("radio")
    expect(levels).to_have_count(5)  # where the client is now was its first rating
    page.get_by_role("link", name="Record: C002").press("Enter")
    choose(page, "Questionnaire on paper")
    page.keyboard.type("GAD")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Next").press("Enter")
    expect(page.locator("dialog fieldset")).to_have_count(7)
    for key in "1230123":
        page.keyboard.press(key)
    page.get_by_role("button", name="Record").press("Enter")
    expect(page.locator("dialog .just-written li").first).to_contain_text("GAD-7")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text("C002")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_text("Ask for help").first).to_be_attached()  # the page shows what was recorded
    assert watch.complaints == []


@pytest.mark.parametrize(
    "forms", [FORMS, pytest.param(OTHER_FORMS, marks=pytest.mark.slow)], ids=["some", "others"]
)
def test_every_form_fits_a_thumb_at_390_pixels(visit: Visit, watch: Watch, forms: list[str]):
    page = visit(f"{CLIENT}/record", "ash", width=390, height=844)
    for form in forms:
        page.goto(f"{CLIENT}/record/{form}".rstrip("/"))
        assert page.locator("h1").text_content() != "Page not found", form
        assert page.evaluate(SMALL) == [], form
        assert page.evaluate(WIDE) <= 0, form
    assert watch.complaints == []


def test_an_entry_by_thumb_is_written_once(visit: Visit, watch: Watch):
    page = visit(f"{CLIENT}/record/event", "ash", width=390, height=844)
    page.get_by_label("What happened").fill("New flat")
    page.get_by_label("A step forward").check()
    page.get_by_role("button", name="Record").click()
    expect(page.locator(".just-written li").first).to_contain_text("New flat")
    page.go_back()  # harmless: an empty form, and nothing is written again
    page.goto(f"{CLIENT}/record")
    expect(page.locator(".just-written li", has_text="New flat")).to_have_count(1)
    assert watch.complaints == []


def test_what_was_typed_when_the_sign_in_ended_is_there_after_the_next(visit: Visit):
    page = open_drawer(visit)
    choose(page, "Event")
    page.keyboard.type("Half a thought")
    page.context.clear_cookies(name=re.compile(r"mbc(_\d+)?"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")
    assert "Half" not in page.content()
    page.get_by_label("User name").fill("ash")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("What happened")).to_have_value("Half a thought")
    page.get_by_role("button", name="Record").click()
    expect(page.locator(".just-written li").first).to_contain_text("Half a thought")


def test_forms_work_without_scripts(visit: Visit, chromium: Browser, address: str):
    cookies = visit("/account", "ash").context.cookies()
    context = chromium.new_context(
        base_url=address, storage_state={"cookies": cookies, "origins": []}, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"{CLIENT}/record/event")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("What happened").fill("Without scripts")
    page.get_by_role("button", name="Record").click()
    expect(page.locator(".just-written li").first).to_contain_text("Without scripts")
    context.close()
