"""Every form in a real browser against everybody who may not have it, on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.browser.reading import OVERFLOW
from tests.dashboards.pages.record.forbidden import (
    ADDRESSES,
    ALLOWED,
    OTHERS,
    TYPED,
    Clinic,
    Entry,
    entry_of,
    not_for,
    served,
)
from tests.dashboards.pages.record.sheets import LIST
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.browser

# what a visitor could do by the browser's console: with the cookie and the token of their own session
OPENED = """async (paths) => Promise.all(paths.map(async (path) => (await fetch(path)).status))"""
SENT = """async (requests) => {
    const csrf = document.querySelector("input[name=csrf]").value, statuses = [];
    for (const [address, values] of requests) {
        const body = new URLSearchParams({...values, csrf});
        statuses.push((await fetch(address, {method: "POST", body, redirect: "manual"})).status);
    }
    return statuses;
}"""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clinic, str]]:
    """A record of its own, and its address."""
    with served(tmp_path_factory.mktemp("forbidden")) as made:
        server = make_server("127.0.0.1", 0, made.server, threaded=True)
        running = threading.Thread(target=server.serve_forever)
        running.start()
        yield made, f"http://127.0.0.1:{server.port}"
        server.shutdown()
        running.join()


@pytest.fixture(scope="module")
def entries(clinic: tuple[Clinic, str]) -> list[Entry]:
    made, _ = clinic
    wren = made.enter("wren")
    return [entry_of(made.record, wren, key) for key in TYPED]


@pytest.mark.slow  # the server's answers, in make test: tests/dashboards/pages/record/test_forbidden_roles.py
@pytest.mark.parametrize("who", OTHERS)
def test_what_is_not_theirs_cannot_be_opened_or_sent(
    clinic: tuple[Clinic, str], entries: list[Entry], chromium: Browser, who: str
):
    (made, address), theirs = clinic, not_for(who, entries)
    context = chromium.new_context(base_url=address, viewport={"width": 390, "height": 844})
    page = signed_in(context.new_page(), who)
    before = made.record.revision()
    own = page.url
    form, path, _ = theirs[0]
    page.goto(path)
    expect(page.get_by_role("heading", level=1, name="Page not found")).to_be_visible()
    assert page.locator("main form").count() == 0, form
    assert page.evaluate(OVERFLOW) <= 0
    page.go_back()
    expect(page).to_have_url(own)
    lists = [f"{LIST}/restricted"] if who == "noa" else [LIST, f"{LIST}/restricted"]
    opened = dict.fromkeys([*lists, *(path for _, path, _ in theirs)])
    assert set(page.evaluate(OPENED, list(opened))) == {404}
    page.goto(f"{own}{'&' if '?' in own else '?'}plain=1")  # a page whose form of signing out holds the token
    forbidden = [address for address in ADDRESSES if address not in ALLOWED.get(who, ())]
    requests = [("/record-entry", sent) for _, _, sent in theirs] + [(each, ADDRESSES[each]) for each in forbidden]
    assert set(page.evaluate(SENT, requests)) == {404}
    assert made.record.revision() == before
    context.close()


def signed_in(page: Page, who: str) -> Page:
    page.goto("/sign-in")
    page.get_by_label("User name").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(
        page.get_by_role("button", name="Sign out").or_(page.get_by_role("link", name="Sign out"))
    ).to_be_visible()
    assert page.locator(f'a[href^="{LIST}/"]').count() == 0
    return page
