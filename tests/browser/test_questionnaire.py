"""A client answers on a phone: the circle from asking to the chart, and what is left on the phone: nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mbc.box.box import Box
from mbc.box.content import Asking, EarlierScores, ScoreLine
from mbc.box.seal import KeyPair
from mbc.box.token import new_token
from mbc.care.askings.ask import NO_OPTIONS, MadeAsking, ask
from mbc.care.askings.collect import asking_states, collect
from mbc.care.askings.settings import AskingSettings
from mbc.care.askings.sheets import sheet_of
from mbc.instruments import instrument, wording
from mbc.reports import measures_explanation
from mbc.store import Store
from tests.browser.conftest import CHROMIUM, QUIET, Look, Visit, Watch

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 780}
AWAY = "/blank"  # no test asks for a page elsewhere


@dataclass
class Clinic:
    """The clinic's side, and where its clients come in."""

    store: Store
    box: Box
    settings: AskingSettings

    def ask(self, language: str = "en", *, explained: bool = False) -> MadeAsking:
        options = NO_OPTIONS._replace(language=language)
        if explained:
            words = measures_explanation(self.store, "C003", ["phq9", "rses"], language=language)
            options = options._replace(explanation=words)
        return ask(self.store, self.box, self.settings, "C003", ["checkin"], options)


@pytest.fixture(scope="module")
def clinic(served_record: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    file = tmp_path_factory.mktemp("box") / "clinic.box"
    running = subprocess.Popen(
        [sys.executable, "-m", "mbc", "questionnaire", "--box", str(file), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert running.stdout
    address = re.search(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
    assert address
    box = Box(file)
    with Store.open(served_record) as store:
        yield Clinic(store, box, AskingSettings(address=address[0], leave_to=AWAY))
    box.close()
    running.terminate()
    running.communicate(timeout=20)


@pytest.fixture
def phone(chromium: Browser, watch: Watch) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, has_touch=True)
    page = context.new_page()
    watch.over(page)
    yield page
    context.close()


def test_the_circle_asked_answered_on_a_phone_without_scripts_collected_on_the_chart(
    clinic: Clinic, phone: Page, visit: Visit, watch: Watch
):
    collect(clinic.store, clinic.box)  # what other tests have sent
    made = clinic.ask()
    phone.goto(made.link)
    phone.get_by_role("button", name="Start").tap()
    for place in range(8):
        phone.wait_for_url(f"**/{place + 1}")
        buttons = phone.locator("button[name=value]")
        expect(buttons).to_have_count(5)
        for target in (buttons.nth(n).bounding_box() for n in range(5)):
            assert target
            assert target["height"] >= 44
            assert target["x"] + target["width"] <= 390
        if place == 2:
            phone.get_by_role("link", name="Back").tap()
            expect(phone.locator("button.chosen")).to_contain_text("very close")
            phone.get_by_role("link", name="Next").tap()
            phone.wait_for_url("**/3")
        buttons.nth(4).tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Is this right?")
    phone.get_by_role("button", name="Send").scroll_into_view_if_needed()
    expect(phone.get_by_role("link", name="Leave now")).to_be_in_viewport()  # however far down
    phone.get_by_role("button", name="Send").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you")
    phone.go_back()
    expect(phone.get_by_text("very close")).to_have_count(0)
    assert watch.complaints == []
    assert {url.split("/")[2] for url in watch.requests} == {made.link.split("/")[2]}
    assert phone.context.cookies() == []
    assert asking_states(clinic.store, "C003")[-1]["state"] == "made"  # until it is collected
    assert collect(clinic.store, clinic.box).stored == 1
    page = visit("/client/C003", "birch", width=1440)
    expect(page.get_by_text("Check-in", exact=False).first).to_be_visible()


def test_shift_three_times_leaves_and_the_way_back_shows_nothing(clinic: Clinic, chromium: Browser):
    context = chromium.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(clinic.ask("de").link)
    page.get_by_role("button", name="Beginnen").click()
    page.locator("button[name=value]").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("nah")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Sofort weg")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(f"**{AWAY}")
    page.go_back()
    expect(page.locator("button[name=value]")).to_have_count(0)
    context.close()


def test_nothing_of_it_is_left_in_the_profile_of_the_browser(clinic: Clinic, chromium: Browser, tmp_path: Path):
    profile = tmp_path / "profile"
    made = clinic.ask()
    context = chromium.browser_type.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=list(QUIET), viewport=PHONE
    )
    page = context.new_page()
    page.goto(made.link)
    page.get_by_role("button", name="Start").click()
    for place in range(8):
        heading = page.get_by_role("heading", level=1).inner_text()
        page.locator("button[name=value]").nth(place % 5).click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text(heading)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    context.close()
    files = [file for file in profile.rglob("*") if file.is_file()]
    assert any(file.name == "History" for file in files)
    left = b"".join(file.read_bytes() for file in files)
    for words in ("How was this week", "tension with somebody", "very hard", "whenever it mattered", "checkin",
                  "Check-in", "I would rather not say", "Is this right?"):  # fmt: skip
        assert words.encode() not in left
        assert words.encode("utf-16-le") not in left
    box = clinic.box.find(made.link.rpartition("/")[2])
    assert box is None  # the address, which a browser does remember, leads nowhere any more


def test_no_page_of_the_questionnaire_violates_a_rule(clinic: Clinic, chromium: Browser, look: Look):
    context = chromium.new_context()
    page = context.new_page()
    made = clinic.ask("fr", explained=True)
    page.goto(made.link)
    broken = look(page)
    page.get_by_role("button", name="Commencer").click()
    page.locator("button[name=value]").nth(2).click()
    broken += look(page)
    page.get_by_role("link", name="Retour").click()
    broken += look(page)
    page.goto(page.url.rpartition("/")[0] + "/review")
    broken += look(page)
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_role("heading", level=4)).to_have_count(2)
    broken += look(page)
    page.goto(clinic.settings.address)
    assert broken + look(page) == []
    context.close()


def scored(clinic: Clinic, language: str) -> str:
    """Ask with earlier scores of two questionnaires, which need no record here; gives the link."""
    sheet = sheet_of(wording.require("checkin", language), instrument("checkin"), None)
    asking = Asking(language=language, sheets=(sheet, sheet.model_copy(update={"title": None})), leave_to=AWAY)
    days = [date(2026, 1, 5) + timedelta(days=7 * n) for n in range(24)]
    lines = tuple(
        ScoreLine(
            sheet=place, lowest=0, highest=32, higher_is_better=place == 0, only_last=place == 0,
            scores=tuple((day, (5 * n + 3) % 29) for n, day in enumerate(days[: 24 - 20 * place])),
        )
        for place in range(2)
    )  # fmt: skip
    token, until = new_token(), datetime.now(UTC) + timedelta(days=1)
    clinic.box.add(
        f"scores-{token}", asking, public_key=KeyPair.new().public, expires_at=until, token=token,
        scores=EarlierScores(lines=lines),
    )  # fmt: skip
    return f"{clinic.settings.address}/f/{token}"


@pytest.mark.parametrize("scripts", [pytest.param(False, marks=pytest.mark.slow), True])
def test_earlier_scores_fit_a_phone_and_are_gone_when_left(clinic: Clinic, chromium: Browser, scripts: bool):
    context = chromium.new_context(viewport=PHONE, java_script_enabled=scripts, has_touch=True)
    page = context.new_page()
    page.goto(scored(clinic, "es"))
    page.locator("main form button.main").tap()
    page.locator("button[name=value]").nth(2).tap()
    page.wait_for_url("**/2")
    page.goto(page.url.rpartition("/")[0] + "/review")
    page.get_by_role("button", name="Enviar").tap()
    expect(page.get_by_role("heading", level=2)).to_have_text("Sus puntuaciones anteriores")
    for fold in page.locator("summary").all():
        target = fold.bounding_box()
        assert target
        assert target["height"] >= 44
        fold.tap()
    expect(page.get_by_role("listitem")).to_have_count(24 + 4)
    for part in page.locator("svg, ol, .ends").all():
        place = part.bounding_box()
        assert place
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= 390
    sent = page.url
    page.get_by_role("link", name="Salir ya").tap()
    page.wait_for_url(f"**{AWAY}")
    page.go_back()
    expect(page.locator("svg")).to_have_count(0)
    page.goto(sent)
    expect(page.locator("svg")).to_have_count(0)
    context.close()


@pytest.mark.slow  # the other pages of the questionnaire in make test
def test_the_page_with_earlier_scores_violates_no_rule(clinic: Clinic, chromium: Browser, look: Look):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(scored(clinic, "de"))
    page.get_by_role("button", name="Beginnen").click()
    page.locator("button[name=value]").nth(2).click()
    page.goto(page.url.rpartition("/")[0] + "/review")
    page.get_by_role("button", name="Senden").click()
    expect(page.locator("svg")).to_have_count(2)
    broken = look(page)
    for fold in page.locator("summary").all():
        fold.click()
    assert broken + look(page) == []
    context.close()
