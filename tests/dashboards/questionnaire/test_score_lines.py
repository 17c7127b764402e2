"""The client's own earlier scores on the page after sending: numbers, a line, no verdict, in every language."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dashboards.questionnaire.app import create_app
from dashboards.questionnaire.frame import frame_for, frames
from dashboards.questionnaire.limits import Limits
from dashboards.questionnaire.score_lines import HEIGHT, WIDTH, shown_lines
from mbc.box.box import SENT_SECONDS, Box
from mbc.box.content import (
    Asking,
    Choice,
    EarlierScores,
    ExplainedMeasure,
    Explanation,
    Question,
    ScoreLine,
    Sheet,
)
from mbc.box.seal import SCORES_BYTES, KeyPair
from mbc.box.token import new_code, new_token
from mbc.reports.catalogue import catalogue

CHOICES = tuple(Choice(value=value, text=text) for value, text in enumerate(("never", "seldom", "often")))
SHEET = Sheet(
    title="A few <questions>", questions=(Question(text="A?", choices=CHOICES, lowest=0, highest=2),) * 2
)
DAYS = (date(2026, 1, 12), date(2026, 1, 19), date(2026, 2, 2))
VERDICTS = re.compile(r"clear|cutoff|band|worse|improv|deterior|on track|normal|mild|severe", re.IGNORECASE)


def line(sheet: int = 0, *, decimals: int = 0, scores: tuple[float, ...] = (17, 23, 11), **values) -> ScoreLine:
    values = {"lowest": 0, "highest": 32, "higher_is_better": True} | values
    return ScoreLine(sheet=sheet, decimals=decimals, scores=tuple(zip(DAYS, scores, strict=True)), **values)


SECOND = line(1, decimals=2, lowest=1, highest=7, scores=(3.5, 4.25, 2), higher_is_better=False, only_last=True)
SCORES = EarlierScores(lines=(line(), SECOND))


def asking(language: str = "en", sheets: int = 2, explanation: Explanation | None = None) -> Asking:
    untitled = SHEET.model_copy(update={"title": None})
    return Asking(language=language, sheets=(SHEET, *[untitled] * (sheets - 1)), explanation=explanation)


class Phone:
    """A box with one request, and a browser without scripts."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime.now(UTC).timestamp()
        self.box = Box(folder / "clinic.box", clock=lambda: self.now)
        self.browser = create_app(self.box, limits=Limits(clock=lambda: 0.0)).test_client()
        self.asked = 0

    def ask(self, scores: EarlierScores | None = SCORES, content: Asking | None = None) -> tuple[str, str]:
        token, code, self.asked = new_token(), new_code(), self.asked + 1
        until = datetime.fromtimestamp(self.now, UTC) + timedelta(days=4)
        self.box.add(
            f"A{self.asked}", content or asking(), public_key=KeyPair.new().public, expires_at=until, token=token,
            code=code, scores=scores,
        )  # fmt: skip
        return f"/f/{token}", code

    def begin(self, link: str) -> str:
        return self.browser.post(link).location.rpartition("/")[0]

    def send(self, visit: str) -> str:
        self.browser.post(f"{visit}/1", data={"value": "2"})
        return self.browser.post(f"{visit}/review").location


@pytest.fixture
def phone(tmp_path):
    opened = Phone(tmp_path)
    yield opened
    opened.box.close()


@pytest.mark.parametrize("language", sorted(frames()))
def test_the_line_and_every_number_are_there_in_every_language(phone, language):
    link, _ = phone.ask(content=asking(language))
    page = phone.browser.get(phone.send(phone.begin(link))).text
    frame = frame_for(language)
    for words in ("scores_title", "scores_text", "scores_added", "scores_higher", "scores_lower", "scores_all"):
        assert frame[words] in page
    assert "A few &lt;questions&gt;</h3>" in page
    assert frame["questions_of"].format(first=3, last=4, total=4) in page  # as the pages called it
    assert frame["scores_last"].format(number=3) in page
    assert page.count("<polyline") == page.count("<details>") == 2
    rows = re.findall("<li>([^<]*) <b>([^<]*)</b></li>", page)
    days = [frame["scores_row"].format(day=frame.full_day(day)) for day in DAYS]
    mark = frame["decimal_mark"]
    assert rows == list(zip(days * 2, ["17", "23", "11", f"3{mark}5", f"4{mark}25", "2"], strict=True))
    assert frame["leave"] in page
    assert "style=" not in page  # the content policy would refuse it


@pytest.mark.parametrize("language", sorted(frames()))
def test_which_way_a_scale_runs_is_said_in_the_words_of_the_reports(language):
    words, frame = catalogue(language), frame_for(language)
    for name in ("higher", "lower"):
        text = words.text(f"measures.{name}_better").replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
        assert frame[f"scores_{name}"] == f"{text[0].upper()}{text[1:]}."
    assert frame.full_day(DAYS[2]) == words.day(DAYS[2])
    assert frame.number(4.25, 2) == words.number(4.25, 2)


def test_nothing_judges_and_nothing_of_them_is_shown_before_sending(phone):
    link, _ = phone.ask()
    visit = phone.begin(link)
    before = "".join(
        phone.browser.get(path).text for path in (link, f"{visit}/1", f"{visit}/2", f"{visit}/review")
    )
    assert "earlier scores" not in before
    assert "2026:" not in before
    assert phone.browser.get(f"{visit}/sent").status_code == 404
    page = phone.browser.get(phone.send(visit)).text
    shown = re.sub(r"<[^>]+>", " ", page[page.index("<section") : page.index("</section>")])
    assert not VERDICTS.search(shown)
    assert not re.search("<svg.*(fill|stroke)=.*</svg>", page)  # one colour for all


def test_left_or_after_ten_minutes_the_page_is_gone_also_behind_the_back_button(phone):
    for leave in (True, False):
        link, _ = phone.ask()
        visit = phone.begin(link)
        place = phone.send(visit)
        page = phone.browser.get(place)
        assert page.headers["Cache-Control"] == "no-store"
        assert f'content="{SENT_SECONDS};url={visit}/leave"' in page.text  # by itself, without scripts
        assert f'data-home="{visit}/leave" data-after="{SENT_SECONDS}"' in page.text
        if leave:
            assert phone.browser.get(f"{visit}/leave").location == "https://www.wikipedia.org/"
        else:
            phone.now += SENT_SECONDS + 1
        again = phone.browser.get(place)
        assert again.status_code == 404
        assert "earlier scores" not in again.text
        assert phone.browser.get(link).status_code == 404


def test_a_tablet_shows_none_and_goes_back_to_the_page_for_codes(phone):
    _, code = phone.ask()
    visit = phone.browser.post("/", data={"code": code}).location.rpartition("/")[0]
    page = phone.browser.get(phone.send(visit)).text
    assert "Thank you" in page
    assert "earlier scores" not in page
    assert 'data-home="/" data-after="60"' in page


def test_without_them_the_page_only_thanks(phone):
    link, _ = phone.ask(None)
    page = phone.browser.get(phone.send(phone.begin(link))).text
    assert "Thank you" in page
    assert "earlier scores" not in page
    assert "data-home" not in page


def test_the_fullest_page_is_small(phone):
    lines: list[ScoreLine] = []
    while True:
        days = [date(2026, 1, 1) + timedelta(days=7 * n) for n in range(24)]
        scores = tuple((day, 2.25 + n / 100) for n, day in enumerate(days))
        full = line().model_copy(update={"sheet": len(lines), "decimals": 2, "scores": scores, "only_last": True})
        lines.append(full)
        if len(EarlierScores(lines=tuple(lines)).to_json()) > SCORES_BYTES:
            lines.pop()
            break
    clear = "6 points or more, on a scale from 0 to 27; lower is better"
    facts = (("Questions", "9"), ("How often", "every week"), ("A clear change", clear))
    measures = (ExplainedMeasure(name="Low mood", facts=facts),) * len(lines)
    sections = (("How sure we are", "x " * 150),) * 2
    words = Explanation(
        title="How", paragraphs=("Why " * 60,), heading="What", measures=measures, sections=sections
    )
    link, _ = phone.ask(EarlierScores(lines=tuple(lines)), asking("es", len(lines), words))
    page = phone.browser.get(phone.send(phone.begin(link)))
    assert page.text.count("<polyline") == len(lines) > 5
    assert len(page.data) < 30_000


def test_points_stand_by_day_and_on_the_full_range_of_the_scale():
    scores = EarlierScores(lines=(line(highest=24, scores=(0, 24, 12)), line(1, scores=(40, -3, 16))))
    first, second = shown_lines(scores, asking(), frame_for("en"))
    assert first.points == ((6, HEIGHT - 6), (108.7, 6), (WIDTH - 6, HEIGHT / 2))  # 7 of 21 days
    assert [y for _, y in second.points] == [6, HEIGHT - 6, HEIGHT / 2]  # never out of the drawing
    same_day = ScoreLine(sheet=0, lowest=0, highest=2, higher_is_better=True, scores=((DAYS[0], 1),) * 3)
    (shown,) = shown_lines(EarlierScores(lines=(same_day,)), asking(), frame_for("en"))
    assert [x for x, _ in shown.points] == [6, WIDTH / 2, WIDTH - 6]


def test_words_that_run_from_right_to_left_say_so_and_the_line_still_runs_with_time(phone):
    link, _ = phone.ask(content=asking("ar"))
    page = phone.browser.get(phone.send(phone.begin(link))).text
    assert '<h3 lang="ar" dir="rtl">A few' in page
    assert '<div class="plot" dir="ltr"' in page
