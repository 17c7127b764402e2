"""A signal is written when its client's page is opened, asks one question, and is answered there."""

from __future__ import annotations

import re

import pytest

from mbc.errors import StoreBusy
from mbc.store import Administration, Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.pages.record.sheets import fill, values_of
from tests.dashboards.record import day, rses_answers

pytestmark = pytest.mark.long

PAGE, LIST = "/client/C002?plain=1", "/client/C002/record"


@pytest.fixture
def falling(record: Store) -> Store:
    """C002 is not on track."""
    with record.writing() as writing:
        for place, total in enumerate((22, 21, 14, 11, 10)):
            answers = rses_answers(total)
            writing.add(Administration("C002", "rses", day(2 * place), answers, form="a", coding="0-3"))
    return record


def number(record: Store) -> str:
    return record.signals(client_id="C002").row(-1, named=True)["signal_id"]


def pressed(page: str, button: str) -> dict[str, str]:
    """What the form with a button of these words sends."""
    form = next(form for form in re.findall(r"<form.*?</form>", page, flags=re.DOTALL) if f">{button}" in form)
    return {
        name: value
        for tag in re.findall(r"<input[^>]*>", form)
        for name, value in [(re.search('name="([^"]*)"', tag)[1], re.search('value="([^"]*)"', tag)[1])]
    }


def taken_back(visitor) -> dict[str, str]:
    """What the first "Undo" of the list sends."""
    return pressed(visitor.get(LIST).text, 'Undo<span class="unseen"')


def test_the_page_writes_it_once_and_seen_is_one_press(ash, falling):
    page = ash.get(PAGE).text
    assert "Not on track (20 Mar 2026)" in page
    assert ash.get(PAGE).text.count("What was done about it?") == 1
    assert falling.signals(client_id="C002").height == 1
    sent = pressed(page, "Seen")
    answer = ash.post("/record-entry", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/client/C002")
    assert ash.post("/record-entry", data=sent).status_code == 303  # pressed twice
    assert falling.signal_answers()["answer"].to_list() == ["seen"]
    after = ash.get(PAGE).text
    assert "What was done about it?" not in after
    assert "answered today, seen" in after
    assert "20 Mar 2026, not on track: seen (20 Mar 2026)." in after
    assert f'href="{LIST}' in after
    assert ash.post("/undo-entry", data=taken_back(ash)).headers["Location"] == LIST
    assert falling.signal_answers().is_empty()
    assert "What was done about it?" in ash.get(PAGE).text
    assert falling.verify().intact


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"answer": "changed", "change": "alliance"}, ("changed", "alliance", None)),
        ({"answer": "not now", "reason": "exam week"}, ("not now", None, "exam week")),
        ({"answer": "seen"}, ("seen", None, None)),
    ],
    ids=str,
)
def test_each_answer_is_written_by_the_form(ash, falling, typed, kept):
    ash.get(PAGE)
    form = f"{LIST}/signal/{number(falling)}"
    page = ash.get(form).text
    assert "Ask how the work together feels" in page
    assert "doi:10.1080/10503307.2023.2181114" in page
    assert fill(ash, form, **typed).headers["Location"] == LIST
    assert falling.signal_answers().select("answer", "change", "reason").row(0) == kept
    assert "answered" in ash.get(LIST).text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({}, "Choose one."),
        ({"answer": "changed"}, "Choose what was changed."),
        ({"answer": "not now"}, "Say in a few words why not now."),
        ({"answer": "seen", "change": "alliance"}, "Something is named as changed;"),
        ({"answer": "changed", "change": "safety", "reason": "he reads her phone"}, "would read these words"),
        ({"answer": "seen", "answered_on": "2026-03-01"}, "the answer cannot be earlier"),
    ],
    ids=str,
)
def test_half_an_answer_is_given_back_with_the_reason_beside_the_field(ash, falling, typed, says):
    ash.get(PAGE)
    answer = fill(ash, f"{LIST}/signal/{number(falling)}", **typed)
    assert answer.status_code == 400
    assert says in answer.text
    assert falling.signal_answers().is_empty()


def test_what_concerns_safety_stays_with_those_who_may_know(ash, come, falling):
    ash.get(PAGE)
    form = f"{LIST}/signal/{number(falling)}"
    fill(ash, form, answer="changed", change="safety")
    assert falling.signal_answers().select("answer", "change").row(0) == ("seen", None)
    assert falling.safety_changes().height == 1
    ash.post("/undo-entry", data=taken_back(ash))
    assert (falling.signal_answers().height, falling.safety_changes().height) == (0, 0)
    falling.accounts.add("noa", "seven geese, one harbour lamp", "clinician", "K1")
    noa = come("noa")
    assert 'value="safety"' not in noa.get(form).text
    assert 'value="safety"' in ash.get(form).text
    assert fill(noa, form, answer="changed", change="safety").status_code == 400


def test_taking_back_a_correction_leaves_what_an_earlier_answer_wrote(ash, falling):
    ash.get(PAGE)
    form = f"{LIST}/signal/{number(falling)}"
    fill(ash, form, answer="changed", change="safety")
    stored = fill(ash, form, answer="not now", reason="exam week")
    assert stored.status_code == 400  # something else is on record: it asks why
    again = values_of(stored.text) | {"answer": "not now", "reason": "exam week", "why": "misread"}
    assert ash.post("/record-entry", data=again).status_code == 303
    ash.post("/undo-entry", data=taken_back(ash))
    assert falling.signal_answers()["answer"].to_list() == ["seen"]
    assert falling.safety_changes().height == 1


def test_no_question_stands_where_its_signal_could_not_be_written(ash, falling, monkeypatch):
    def busy(*_: object) -> int:
        raise StoreBusy("The record is busy.")

    monkeypatch.setattr("dashboards.pages.client.layout.note_signals", busy)
    page = ash.get(PAGE).text
    assert "What was done about it?" not in page
    assert "Self-esteem" in page
    monkeypatch.undo()
    assert "What was done about it?" in ash.get(PAGE).text


def test_a_supervisor_reads_that_it_waits_and_writes_nothing(ash, come, falling):
    oak = come("oak")
    before = falling.revision()
    assert "What was done about it?" not in oak.get(PAGE).text
    assert falling.revision() == before
    ash.get(PAGE)
    page = oak.get(PAGE).text
    assert "Not answered yet." in page
    assert ">Seen<" not in page
    assert oak.get(f"{LIST}/signal/{number(falling)}").status_code == 404


def test_what_was_typed_when_the_sign_in_ended_is_there_after_the_next(ash, falling, clock):
    ash.get(PAGE)
    form = f"{LIST}/signal/{number(falling)}"
    typed = values_of(ash.get(form).text) | {"answer": "not now", "reason": "moving house"}
    clock.now += 31 * 60
    assert ash.post("/record-entry", data=typed).headers["Location"] == "/sign-in"
    assert sign_in(ash, "ash").headers["Location"] == form
    again = ash.get(form).text
    assert "moving house" in again
    assert ash.post("/record-entry", data=values_of(again)).status_code == 303
    assert falling.signal_answers()["reason"].to_list() == ["moving house"]


def test_the_outcomes_page_counts_signals(ash, falling):
    assert "No signal is on record yet." in ash.get("/outcomes?plain=1").text
    ash.get(PAGE)
    page = ash.get("/outcomes?plain=1").text
    assert "0 of 1 (0%, 0% to 79%)" in page
    assert "This is no proof of a cause" in page
