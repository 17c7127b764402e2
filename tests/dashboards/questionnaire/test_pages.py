"""The client's pages: one tap an answer, nothing that stays on the device, and words in their language."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboards.questionnaire.app import create_app
from dashboards.questionnaire.frame import frame_for, frames
from dashboards.questionnaire.limits import REQUESTS, WRONG_CODES, Limits
from mbc.box.box import Box
from mbc.box.content import Asking, Choice, ExplainedMeasure, Explanation, Question, Sheet
from mbc.box.seal import KeyPair, unseal
from mbc.box.token import new_code, new_token

KEYS = KeyPair.new()
CHOICES = tuple(Choice(value=value, text=text) for value, text in enumerate(("never", "seldom", "often")))
SECRET_TITLE = "Inventory of Things"


EXPLANATION = Explanation(
    title="How we measure",
    paragraphs=("Why & what for.",),
    heading="What you answer",
    measures=(ExplainedMeasure(name="Low mood", facts=(("Questions", "9"),)),),
    note="There may be more.",
    sections=(("It is yours", "You may stop."),),
)


def asking(language: str = "en", per_page: int = 1, explanation: Explanation | None = None) -> Asking:
    questions = (
        Question(text="Did you <sleep>?", choices=CHOICES, lowest=0, highest=2),
        Question(text="How many hours?", lowest=0, highest=24, whole_numbers=False),
    )
    harm = Question(text="Were you in danger?", choices=CHOICES, lowest=0, highest=2)
    sheets = (
        Sheet(title=SECRET_TITLE, instructions="In the last week:", about="Robin", questions=questions),
        Sheet(copyright="© 2026 Somebody", asks_for_help=True, questions=(harm,)),
    )
    return Asking(
        language=language, sheets=sheets, help_text="Call +49 116 016.\nDay and night.", per_page=per_page,
        explanation=explanation,
    )  # fmt: skip


class Clinic:
    """A box, and a browser without scripts."""

    def __init__(self, folder: Path) -> None:
        self.box = Box(folder / "clinic.box")
        self.time = 0.0
        self.limits = Limits(clock=lambda: self.time)
        self.browser = create_app(self.box, limits=self.limits).test_client()

    def ask(
        self, language: str = "en", per_page: int = 1, explanation: Explanation | None = None
    ) -> tuple[str, str]:
        token, code = new_token(), new_code()
        until = datetime.now(UTC) + timedelta(days=4)
        number = f"A{len(self.box.progress())}"
        content = asking(language, per_page, explanation)
        self.box.add(number, content, public_key=KEYS.public, expires_at=until, token=token, code=code)
        return f"/f/{token}", code

    def answers(self, asking_id: str = "A0") -> dict[int, float | None]:
        contents = [unseal(KEYS, sealed) for sealed in self.box.sealed(asking_id)]
        return {content["place"]: content["value"] for content in contents if "place" in content}


@pytest.fixture
def clinic(tmp_path):
    opened = Clinic(tmp_path)
    yield opened
    opened.box.close()


def begin(clinic: Clinic, link: str) -> str:
    """Start, and give the address of the visit."""
    return clinic.browser.post(link).location.rpartition("/")[0]


def test_the_circle_of_a_client_without_scripts_and_cookies(clinic):
    link, _ = clinic.ask()
    first = clinic.browser.get(link)
    assert "about 1 minute" in first.text
    visit = begin(clinic, link)
    question = clinic.browser.get(f"{visit}/1").text
    assert "Did you &lt;sleep&gt;?" in question
    assert question.count('name="value"') == 3
    assert clinic.browser.post(f"{visit}/1", data={"value": "2"}).location == f"{visit}/2"
    assert clinic.browser.post(f"{visit}/2", data={"value": "7,5"}).location == f"{visit}/3"
    assert clinic.browser.post(f"{visit}/3", data={"blank": "1"}).location == f"{visit}/review"
    review = clinic.browser.get(f"{visit}/review").text
    assert "often" in review
    assert "7.5" in review
    assert "One question has no answer" in review
    sent = clinic.browser.post(f"{visit}/review")
    assert clinic.browser.post(f"{visit}/review").location == sent.location  # a double tap
    thanks = clinic.browser.get(sent.location)
    assert "Thank you" in thanks.text
    assert clinic.answers() == {0: 2, 1: 7.5, 2: None}
    assert clinic.browser.get(link).status_code == 404
    assert not any("Set-Cookie" in response.headers for response in (first, sent, thanks))


def test_what_was_chosen_is_marked_when_going_back(clinic):
    visit = begin(clinic, clinic.ask()[0])
    clinic.browser.post(f"{visit}/1", data={"value": "1"})
    page = clinic.browser.get(f"{visit}/1").text
    assert re.findall(r'value="(\d)" class="chosen"', page) == ["1"]
    clinic.browser.post(f"{visit}/1", data={"value": "0"})
    assert clinic.answers() == {0: 0}


def test_several_questions_on_a_page_never_of_two_questionnaires(clinic):
    visit = begin(clinic, clinic.ask(per_page=5)[0])
    page = clinic.browser.get(f"{visit}/2").text  # any of its questions leads to the page
    assert "Questions 1 to 2 of 3" in page
    assert page.count("<fieldset>") == 2
    assert "danger" not in page
    assert "116" not in page
    wrong = clinic.browser.post(f"{visit}/1", data={"value-1": "2", "value-2": "25"})
    assert wrong.status_code == 400
    assert "number from 0 to 24" in wrong.text
    assert clinic.answers() == {0: 2}  # what was right is kept
    assert re.search(r'name="value-1" value="2" checked', wrong.text)
    assert clinic.browser.post(f"{visit}/1", data={"value-1": "1"}).location == f"{visit}/3"
    last = clinic.browser.get(f"{visit}/3").text
    assert "116 016" in last
    assert "Question 3 of 3" in last
    assert clinic.browser.post(f"{visit}/3", data={"value-3": "blank"}).location == f"{visit}/review"
    assert clinic.answers() == {0: 1, 2: None}
    assert "2 questions have no answer" in clinic.browser.get(f"{visit}/review").text
    assert clinic.browser.post(f"{visit}/3", data={"value-3": "9", "value-1": "0"}).status_code == 400
    assert clinic.answers() == {0: 1, 2: None}


def test_who_comes_back_goes_on_where_they_stopped_and_sees_no_earlier_answer(clinic):
    link, _ = clinic.ask()
    visit = begin(clinic, link)
    clinic.browser.post(f"{visit}/1", data={"value": "2"})
    assert clinic.browser.get(f"{visit}/leave").location == "https://www.wikipedia.org/"
    assert clinic.browser.get(f"{visit}/1").status_code == 404
    greeting = clinic.browser.get(link).text
    assert "Welcome back" in greeting
    again = clinic.browser.post(link).location
    assert again.endswith("/2")
    visit = again.rpartition("/")[0]
    review = clinic.browser.get(f"{visit}/review").text
    assert "answered earlier" in review
    assert "often" not in review
    assert "chosen" not in clinic.browser.get(f"{visit}/1").text.partition("<body")[2]


@pytest.mark.parametrize("value", ["3", "-1", "", "two", "nan", "1e99"])
def test_what_is_not_an_answer_is_not_taken(clinic, value):
    visit = begin(clinic, clinic.ask()[0])
    assert clinic.browser.post(f"{visit}/1", data={"value": value}).status_code == 400
    assert clinic.browser.post(f"{visit}/2", data={"value": f"{value}9999"}).status_code == 400
    assert clinic.answers() == {}


def test_before_it_is_opened_a_page_says_nothing_of_what_it_asks(clinic):
    link, _ = clinic.ask()
    for page in (clinic.browser.get(link), clinic.browser.get("/"), clinic.browser.get(f"{link}/stop")):
        assert page.status_code == 200
        for word in (SECRET_TITLE, "sleep", "danger", "Robin", "clinic", "therap", "mbc", "116"):
            assert word not in page.text
        assert "<title>Form</title>" in page.text


def test_leave_now_comes_first_on_every_page_with_questions(clinic):
    link, _ = clinic.ask()
    visit = begin(clinic, link)
    for path in (link, f"{visit}/1", f"{visit}/2", f"{visit}/review"):
        body = clinic.browser.get(path).text.partition("<body")[2]
        focusable = re.search(r"<(a|button|input)\b[^>]*>", body)
        assert "leave" in focusable[0]


def test_nothing_is_kept_by_a_browser_and_nothing_comes_from_elsewhere(clinic):
    link, _ = clinic.ask()
    visit = begin(clinic, link)
    for path in ("/", link, f"{visit}/1", f"{visit}/review", "/nowhere", f"{visit}/leave"):
        response = clinic.browser.get(path)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r'(src|href|action)="(https?:)?//(?!www\.wikipedia)', response.text)
        assert len(response.data) < 30_000


def test_help_is_shown_with_questions_that_may_need_it_and_at_the_end(clinic):
    visit = begin(clinic, clinic.ask()[0])
    assert "116" not in clinic.browser.get(f"{visit}/1").text
    page = clinic.browser.get(f"{visit}/3").text
    assert '<bdi dir="ltr">+49 116 016</bdi>' in page  # a number is never turned round, whatever the language
    clinic.browser.post(f"{visit}/3", data={"value": "0"})
    sent = clinic.browser.post(f"{visit}/review").location
    assert "116 016" in clinic.browser.get(sent).text  # whatever was answered: the page gives nothing away


def test_who_wants_no_more_is_not_asked_and_leaves_nothing(clinic):
    link, _ = clinic.ask()
    visit = begin(clinic, link)
    clinic.browser.post(f"{visit}/1", data={"value": "2"})
    assert clinic.browser.get(f"{link}/stop").status_code == 200
    assert clinic.box.sealed("A0")  # a look at the question stops nothing
    assert "not be asked again" in clinic.browser.post(f"{link}/stop").text
    assert clinic.box.sealed("A0") == []
    assert clinic.browser.get(link).status_code == 404


def test_a_tablet_takes_a_code_and_shows_no_past(clinic):
    _, code = clinic.ask()
    start = clinic.browser.post("/", data={"code": code.lower()}).location
    assert code.replace("-", "") not in start
    greeting = clinic.browser.get(start)
    visit = start.rpartition("/")[0]
    assert f'content="60;url={visit}/leave"' in greeting.text  # by itself, without scripts
    first = clinic.browser.post(start).location
    clinic.browser.post(first, data={"value": "1"})
    assert clinic.browser.get(f"{visit}/leave").location == "/"
    assert clinic.browser.get(first).status_code == 404


def test_codes_cannot_be_tried_out(clinic):
    _, code = clinic.ask()
    tries = [clinic.browser.post("/", data={"code": new_code()}).status_code for _ in range(15)]
    assert tries == [404] * int(WRONG_CODES.burst) + [429] * 5
    assert clinic.browser.post("/", data={"code": code}).status_code == 429
    clinic.time += 60
    assert clinic.browser.post("/", data={"code": code}).status_code == 303


def test_who_asks_too_often_waits(clinic):
    statuses = [clinic.browser.get("/").status_code for _ in range(int(REQUESTS.burst) + 3)]
    assert statuses[-3:] == [429] * 3
    clinic.time += 1
    assert clinic.browser.get("/").status_code == 200


def test_used_expired_withdrawn_and_invented_links_are_answered_alike(clinic):
    used, _ = clinic.ask()
    visit = begin(clinic, used)
    clinic.browser.post(f"{visit}/1", data={"value": "1"})
    clinic.browser.post(f"{visit}/review")
    withdrawn, _ = clinic.ask()
    clinic.box.withdraw("A1")
    pages = {clinic.browser.get(link).text for link in (used, withdrawn, f"/f/{new_token()}", "/f/x")}
    assert len(pages) == 1


def test_a_program_that_looks_at_links_begins_nothing(clinic):
    link, _ = clinic.ask()
    clinic.browser.head(link)
    clinic.browser.get(link, headers={"Sec-Purpose": "prefetch"})
    assert [each.state(datetime.now(UTC)) for each in clinic.box.progress()] == ["made"]
    clinic.browser.get(link)
    assert [each.state(datetime.now(UTC)) for each in clinic.box.progress()] == ["opened"]


@pytest.mark.parametrize("language", sorted(frames()))
def test_every_language_has_every_word_and_place(language):
    frame, english = frame_for(language), frame_for("en")
    assert frame.words.keys() == english.words.keys()
    assert len(frame.months) == 12
    for name, words in english.words.items():
        assert sorted(re.findall(r"{(\w+)}", frame[name])) == sorted(re.findall(r"{(\w+)}", words)), name
        assert language == "en" or name in {"date", "day", "minute"} or len(words) < 12 or frame[name] != words


@pytest.mark.parametrize(("language", "frame", "direction"), [("de-CH", "de", "ltr"), ("ar", "en", "rtl")])
def test_a_page_says_which_language_its_parts_are_in(clinic, language, frame, direction):
    visit = begin(clinic, clinic.ask(language)[0])
    page = clinic.browser.get(f"{visit}/1").text
    assert f'<html lang="{frame}" dir="ltr">' in page
    assert f'lang="{language}" dir="{direction}"' in page


def test_the_application_loads_nothing_of_the_record():
    program = (
        "import sys, dashboards.questionnaire.serve, mbc.cli.questionnaire;"
        "print([name for name in sys.modules if name.startswith(('mbc.store', 'mbc.care', 'mbc.exchange',"
        " 'dashboards.web', 'dashboards.pages', 'sqlalchemy', 'dash.'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_how_progress_is_measured_is_shown_after_sending_and_not_on_a_tablet(clinic):
    link, _ = clinic.ask(explanation=EXPLANATION)
    visit = begin(clinic, link)
    clinic.browser.post(f"{visit}/1", data={"value": "2"})
    words = ("How we measure", "Why &amp; what for.", "Low mood", "There may be more.", "It is yours")
    before = "".join(clinic.browser.get(page).text for page in (link, f"{visit}/1", f"{visit}/review"))
    assert not [each for each in words if each in before]
    sent = clinic.browser.get(clinic.browser.post(f"{visit}/review").location).text
    assert [each for each in words if each not in sent] == []
    assert "Leave now" in sent
    assert "often" not in sent  # what was answered
    clinic.browser.get(f"{visit}/leave")
    assert "How we measure" not in clinic.browser.get(f"{visit}/sent").text
    _, code = clinic.ask(explanation=EXPLANATION)
    tablet = clinic.browser.post("/", data={"code": code}).location.rpartition("/")[0]
    clinic.browser.post(f"{tablet}/1", data={"value": "2"})
    sent = clinic.browser.get(clinic.browser.post(f"{tablet}/review").location).text
    assert "Thank you" in sent
    assert "How we measure" not in sent
