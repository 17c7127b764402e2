"""A served record, a real Chromium, and a watch over everything it asks for."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from mbc.care import make_release
from mbc.store import Store
from tests.browser.axe import LOOKS, OTHER_LOOKS, violations_by_look
from tests.dashboards.record import PASSWORD, make_record

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable"))), None)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def served_record(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a small record."""
    url = f"sqlite:///{tmp_path_factory.mktemp('served') / 'clinic.db'}"
    make_record(url)
    with Store.open(url) as store:
        for quarter in ("2025-Q4", "2026-Q1"):
            make_release(store, quarter)
        store.accounts.add("lea", PASSWORD, "safety_lead")
        store.accounts.add("rhea", PASSWORD, "researcher")
    return url


@pytest.fixture(scope="session")
def address(served_record: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a small record is served, by the command a clinic would use."""
    url = served_record
    asking = Path(url.removeprefix("sqlite:///")).with_name("asking.toml")
    asking.write_text('address = "https://form.example.org"\nbox = "clinic.box"\n', encoding="utf-8")
    running = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mbc",
            "serve",
            "--store",
            url,
            "--port",
            "0",
            "--settings",
            str(asking),
            "--no-questionnaire",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert running.stdout
    patience = threading.Timer(120, running.kill)  # a server that is stuck must not hold up every other test
    patience.start()
    request.getfixturevalue("chromium")  # both start at the same time
    found = re.search(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
    patience.cancel()
    assert found, "the server did not start"
    yield found[0]
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: sh scripts/chromium.sh")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a browser asked for, and what it complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _listening: list[tuple[Page, str, Callable[[Any], None]]] = field(default_factory=list)

    def over(self, page: Page) -> None:
        self._on(page, "request", lambda request: self.requests.append(request.url))
        self._on(page, "pageerror", lambda fault: self.complaints.append(str(fault)))
        self._on(page, "console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        # every page of ours names its icon; the picture that a page waits at between two tests cannot
        between_tests = said.location["url"].endswith("/favicon.ico")
        if said.type in ("error", "warning") and not between_tests:
            self.complaints.append(said.text)

    def _on(self, page: Page, event: Any, listener: Callable[[Any], None]) -> None:
        page.on(event, listener)
        self._listening.append((page, event, listener))

    def end(self) -> None:
        for page, event, listener in self._listening:
            page.remove_listener(event, listener)
        self._listening.clear()


Visit = Callable[..., Page]
Look = Callable[[Page], list[str]]
# a server slows down who signs in again and again, so each user's cookie is used for as long as it is good
_SIGNED_IN: dict[tuple[str, str | None], list[Any]] = {}


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture(params=["in turn", pytest.param("all", marks=pytest.mark.slow)])
def look(request: pytest.FixtureRequest) -> Look:
    """Give the violations of a page as it is now: its states in LOOKS by turns, or each in all looks."""
    turn = cycle(LOOKS)

    def look_at(page: Page) -> list[str]:
        return violations_by_look(page, (next(turn),) if request.param == "in turn" else (*LOOKS, *OTHER_LOOKS))

    return look_at


@pytest.fixture(scope="session")
def spare_pages(address: str, chromium: Browser) -> list[Page]:
    """Pages of earlier tests, without cookies and empty: a new one would compile every script again."""
    del address, chromium  # they outlive the pages
    return []


@pytest.fixture
def visit(address: str, chromium: Browser, watch: Watch, spare_pages: list[Page]) -> Iterator[Visit]:
    """Open a page with cookies of its own, signed in when a user is named."""
    contexts: list[BrowserContext] = []

    def enter(
        path: str = "/", user: str | None = None, *, width: int = 1440, height: int = 900, theme: str = "light"
    ):
        page = spare_pages.pop() if spare_pages else _new_page(chromium, address)
        context = page.context
        contexts.append(context)
        context.add_cookies(_SIGNED_IN.get((address, user), []))
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme, media="null", reduced_motion="reduce")
        watch.over(page)
        page.goto(path)
        if user is not None and "/sign-in" in page.url:
            page.get_by_label("User name").fill(user)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("heading", level=1).wait_for()
            cookies = context.cookies()
            _SIGNED_IN[address, user] = [c for c in cookies if re.fullmatch(r"mbc(_\d+)?", c["name"])]
        elif user is not None:
            page.get_by_role("heading", level=1).wait_for()
        return page

    yield enter
    watch.end()
    for context in contexts:
        page, *others = context.pages
        for other in others:
            other.close()
        context.set_offline(False)
        page.goto("/sign-in/icon.svg")  # what is compiled is kept only as long as the page stays at one origin
        context.clear_cookies()
        spare_pages.append(page)


def _new_page(chromium: Browser, address: str) -> Page:
    context = chromium.new_context(base_url=address)
    context.set_default_timeout(60_000)
    return context.new_page()
