"""A passkey in a real browser, with a device that Chromium plays: added, used to sign in, removed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Watch
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.browser


def add_device(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    device = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def test_a_passkey_is_added_used_and_removed(visit: Visit, watch: Watch, address: str):
    """One visit: browsers know passkeys by name, so it comes by ``localhost`` and not by the number."""
    here = address.replace("127.0.0.1", "localhost")
    page = visit("/sign-in")
    add_device(page)
    page.goto(f"{here}/sign-in")
    page.get_by_label("User name").fill("birch")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(f"{here}/account")
    form = page.locator("form[data-passkey]")
    form.get_by_label("Name of the device").fill("my laptop")
    form.get_by_label("Current password").fill("a guess that is wrong")
    form.get_by_role("button", name="Add a passkey").click()
    expect(form.get_by_role("status")).to_contain_text("password is wrong")
    watch.complaints.clear()  # the browser's own line about the refusal
    form.get_by_label("Current password").fill(PASSWORD)
    form.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("the passkey was added")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/caseload$"))
    page.goto(f"{here}/account")
    expect(page.get_by_role("row").filter(has_text="my laptop")).not_to_contain_text("not yet")
    page.get_by_text("Remove one").click()
    page.locator("#remove-current").fill(PASSWORD)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("the passkey was removed")).to_be_visible()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("not registered here")
    assert [words for words in watch.complaints if "401" not in words] == []
