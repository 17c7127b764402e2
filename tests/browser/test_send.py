"""*Send* in a browser: a link made by keyboard, shown once, withdrawn; accessible throughout."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Look, Visit, Watch

pytestmark = pytest.mark.browser


def test_a_link_is_made_from_the_clients_page_shown_once_and_withdrawn(visit: Visit, watch: Watch, look: Look):
    page = visit("/client/C002", "ash", width=1440)
    page.get_by_role("link", name="Send", exact=True).press("Enter")
    drawer = page.get_by_role("dialog", name="Send")
    expect(drawer.get_by_role("heading", level=1)).to_have_text("Send")
    expect(drawer.get_by_label("Battery")).to_be_focused()
    assert look(page) == []
    page.keyboard.type("Weekly")
    drawer.get_by_role("button", name="Make the link").press("Enter")
    expect(drawer.get_by_role("img", name="QR code of the link")).to_be_visible()
    link = drawer.locator("code").first.inner_text()
    assert re.fullmatch(r"https://form\.example\.org/f/[\w-]{22}", link)
    assert look(page) == []
    drawer.get_by_role("link", name="Requests to C002").press("Enter")
    expect(drawer.get_by_text("not opened yet")).to_be_visible()
    assert link not in page.content()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_text(re.compile("Asked: .*not opened yet"))).to_be_visible()
    page.get_by_role("link", name="Send", exact=True).press("Enter")
    drawer.get_by_role("button", name=re.compile("Withdraw")).press("Enter")
    expect(drawer.get_by_role("status")).to_contain_text("no longer works")
    page.keyboard.press("Escape")
    expect(page.get_by_text(re.compile("Asked: "))).to_have_count(0)
    assert watch.complaints == []
