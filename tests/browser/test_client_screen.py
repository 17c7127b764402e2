"""The client's screen in a real browser: seen at once, views stay, a measure enlarged and read by keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit, Watch
from tests.browser.reading import KEPT, OVERFLOW, SCORES, TURNED, WORDS, drawn

pytestmark = pytest.mark.browser

SCHEME = "() => document.documentElement.dataset.mantineColorScheme"
BOTTOM = "(selector) => document.querySelector(selector).getBoundingClientRect().bottom"


def test_a_client_stands_on_one_screen_is_read_by_keyboard_and_printed(visit: Visit, watch: Watch, tmp_path: Path):
    """One visit: drawing the charts takes longer than all that is asked of them."""
    page = visit("/client/C001", "ash", width=1440, height=900)
    drawn(page)
    everything_before_a_session_stands_on_one_screen(page)
    charts_drawn_again_while_the_page_is_idle_stay_as_the_controls_say(page)
    the_arrow_keys_read_the_scores_of_an_enlarged_measure_aloud(page)
    page.get_by_label("Dark").check(force=True)
    page.wait_for_function("() => document.documentElement.dataset.mantineColorScheme === 'dark'")
    it_is_at_most_two_sheets_each_with_who_and_when(page, tmp_path / "client.pdf")
    assert watch.complaints == []


def everything_before_a_session_stands_on_one_screen(page: Page) -> None:
    assert page.evaluate(BOTTOM, ".bottom-row") <= 900
    assert 40 < len(page.evaluate(WORDS)) <= 150


def charts_drawn_again_while_the_page_is_idle_stay_as_the_controls_say(page: Page) -> None:
    page.wait_for_function("() => performance.getEntriesByName('charts warmed up').length")
    turned = """(up) => [...document.querySelectorAll(".js-plotly-plot")]
      .filter((chart) => chart.layout.meta && !chart.layout.meta.fixed)
      .map((chart) => {
        const [low, high] = chart.layout.yaxis.range;
        return [low > high, up && !chart.layout.meta.up_is_better];
      })"""
    found = page.evaluate(turned, page.get_by_label("improvement up").is_checked())
    assert len(found) > 3
    assert all(is_turned == expected for is_turned, expected in found), found


def the_arrow_keys_read_the_scores_of_an_enlarged_measure_aloud(page: Page) -> None:
    page.locator("#chart-rses-total button").press("Enter")
    slider = page.get_by_role("slider")
    expect(slider.locator(".scatterlayer").first).to_be_visible()
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#enlarged-point")).to_contain_text("10 on 5 January 2026")
    expect(page.locator("#enlarged-point")).to_contain_text("first score")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#enlarged-point")).to_contain_text("11 on 19 January 2026")
    assert slider.get_attribute("aria-valuenow") == "2"
    page.keyboard.press("End")
    expect(page.locator("#enlarged-point")).to_contain_text("+12 from the first score, a clear change")
    page.get_by_role("button", name="Next measure").click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).not_to_contain_text("RSES")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def it_is_at_most_two_sheets_each_with_who_and_when(page: Page, file: Path) -> None:
    rules = """() => {
      window.dispatchEvent(new Event("beforeprint"));
      const text = [...document.querySelectorAll("style")].map((style) => style.textContent).join("");
      const folds = document.querySelectorAll(".below-screen details:not([open])").length;
      window.dispatchEvent(new Event("afterprint"));
      return [text, folds];
    }"""
    text, folds = page.evaluate(rules)
    for part in ("@page", '"Willow"', "as of ", '"mbc ', "counter(page)", "counter(pages)"):
        assert part in text
    assert folds == 0
    sheet = page.pdf(path=file, prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) <= 2


def test_a_phone_has_the_same_list_and_shows_who_and_what_to_ask_first_and_is_not_endless(
    visit: Visit, watch: Watch
):
    page = visit("/caseload", "ash", width=390, height=844)
    page.get_by_role("link", name="Willow").click()
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    drawn(page)
    assert page.evaluate("() => document.documentElement.scrollHeight") < 4000
    assert page.evaluate(BOTTOM, "ol.ask li") < 844
    assert page.evaluate(OVERFLOW) <= 0
    assert watch.complaints == []


@pytest.mark.parametrize(
    ("system", "other"), [("dark", "light"), pytest.param("light", "dark", marks=pytest.mark.slow)]
)
def test_a_view_and_a_theme_once_chosen_stay_and_are_not_kept_on_the_device(
    visit: Visit, watch: Watch, system: str, other: str
):
    """One visit: drawing the charts takes longer than all that is asked of them."""
    page = visit("/client/C001", "ash", theme=system)
    drawn(page)
    assert page.evaluate(SCHEME) == system  # until it is chosen
    paper = "() => document.querySelector('#chart-rses-total .js-plotly-plot').layout.font.color"
    before = page.evaluate(paper)
    page.get_by_label("Dark").set_checked(other == "dark")
    page.wait_for_function(f"() => ({paper})() !== '{before}'")
    assert page.evaluate(SCHEME) == other
    page.get_by_text("sessions", exact=True).click()
    page.get_by_label("improvement up").check()
    page.get_by_label("0 to 100").check()
    page.wait_for_function(f"() => ({SCORES})('chart-rses-total').x[0] === 1")
    page.wait_for_load_state("networkidle")
    page.reload()
    drawn(page)
    assert page.evaluate(SCHEME) == other
    assert page.evaluate(paper) != before
    expect(page.get_by_label("improvement up")).to_be_checked()
    expect(page.get_by_label("0 to 100")).to_be_checked()
    page.wait_for_function(f"() => ({SCORES})('chart-rses-total').x[0] === 1")
    scores = page.evaluate(SCORES, "chart-rses-total")["y"]
    assert scores[0] == pytest.approx(100 * 10 / 30)  # the first total, on a scale of 0 to 30
    assert page.evaluate(KEPT) == [[], []]
    assert watch.complaints == []


def test_controls_are_answered_by_the_browser_when_the_server_is_gone_and_charts_follow_the_window(visit: Visit):
    page = visit("/client/C001", "ash", width=1440, height=900)
    drawn(page)
    page.context.set_offline(True)
    page.get_by_label("improvement up").check()
    page.wait_for_function(TURNED, arg="chart-phq9-total")
    quiet_leaves_only_clear_changes_in_colour(page)
    wide = page.evaluate("() => document.querySelector('#chart-rses-total .main-svg').clientWidth")
    page.set_viewport_size({"width": 1100, "height": 900})
    narrower = "(wide) => document.querySelector('#chart-rses-total .main-svg').clientWidth < wide - 20"
    page.wait_for_function(narrower, arg=wide)


def quiet_leaves_only_clear_changes_in_colour(page: Page) -> None:
    page.get_by_label("quiet").check()
    colours = """() => document.querySelector("#chart-rses-total .js-plotly-plot").data
      .find((trace) => trace.meta.role === "score").marker.color"""
    page.wait_for_function(f"() => Array.isArray(({colours})())")
    inks = page.evaluate(colours)
    assert len(set(inks[:4])) == 1  # 10, 11, 9, 12: no clear change
    assert inks[-1] != inks[0]  # 22 is


@pytest.mark.slow  # the page: tests/dashboards/web/test_plain_page.py; forms: test_record
def test_without_scripts_the_words_and_tables_are_there(visit: Visit, chromium: Browser, address: str):
    signed_in = visit("/account", "ash")
    context = chromium.new_context(
        base_url=address, java_script_enabled=False, storage_state=signed_in.context.storage_state()
    )
    page = context.new_page()
    page.goto("/client/C001")
    expect(page).to_have_url(f"{address}/client/C001?plain=1")
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    expect(page.get_by_text("clearly better since").first).to_be_visible()
    page.get_by_text("Show table of scores").first.click()
    expect(page.get_by_role("cell", name="+12").first).to_be_visible()
    context.close()
