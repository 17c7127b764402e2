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
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from mbc.care import make_release
from mbc.store import Store
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
def address(served_record: str) -> Iterator[str]:
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

    def over(self, page: Page) -> None:
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )


Visit = Callable[..., Page]
# a server slows down who signs in again and again, so each user's cookie is used for as long as it is good
_SIGNED_IN: dict[tuple[str, str | None], list[Any]] = {}


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def visit(address: str, chromium: Browser, watch: Watch) -> Iterator[Visit]:
    """Open a page in a browser of its own, signed in when a user is named."""
    contexts: list[BrowserContext] = []

    def enter(
        path: str = "/", user: str | None = None, *, width: int = 1440, height: int = 900, theme: str = "light"
    ):
        context = chromium.new_context(
            base_url=address,
            storage_state={"cookies": _SIGNED_IN.get((address, user), []), "origins": []},
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
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
    for context in contexts:
        context.close()
