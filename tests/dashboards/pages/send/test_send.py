"""*Send*: asking from a client's page, what is shown once, what is listed, and who may do it."""

from __future__ import annotations

import html
import re
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from dashboards.web.asking_access import UNREACHABLE, AskingAccess
from mbc.care.askings.collect import asking_states
from mbc.care.askings.paper import paper_code
from mbc.instruments import instrument
from mbc.store import Administration, Goal, PlannedMeasure
from tests.dashboards.conftest import token_of
from tests.dashboards.pages.record.sheets import TODAY, fill
from tests.dashboards.pages.record.sheets import values_of as entry_of
from tests.dashboards.pages.send.conftest import ADDRESS, PATH, send, values_of


def link_of(page: str) -> str:
    return re.search(rf"<code>({ADDRESS}/f/[\w-]{{22}})</code>", page)[1]


def test_a_link_is_shown_once_answered_and_collected_when_the_page_opens(clinic):
    ash = clinic.visitor("ash")
    assert f'href="{PATH}"' in ash.get("/client/C001?plain=1").text.replace("?plain=1", "")
    page = ash.get(PATH).text
    assert re.search(r'value="en"[^>]*>English<', page)
    assert "in Dutch, English, French, German and Spanish" in page
    typed = values_of(page) | {"battery": "weekly"}
    made = ash.post("/ask-client", data=typed)
    assert made.status_code == 200
    link = link_of(made.text)
    assert 'src="data:image/svg' in made.text
    assert re.search(r"<code>[A-Z0-9]{4}-[A-Z0-9]{4}</code>", made.text)
    again = ash.post("/ask-client", data=typed)  # pressed twice, or loaded again
    assert again.status_code == 400
    assert "shown once" in again.text
    assert clinic.states() == ["made"]
    assert link not in ash.get(PATH).text
    clinic.box.mark_opened(clinic.box.find(link.rpartition("/")[2]).number)
    assert f"{instrument('checkin').name}</strong>: opened" in ash.get(PATH).text
    clinic.answer(link, 3, 2, 4, 1, 2, 1, 3, 4)
    page = ash.get("/client/C001?plain=1").text
    assert instrument("checkin").name in page
    assert clinic.states() == ["answered"]
    assert clinic.store.administrations("checkin")["taken_on"].to_list() == [TODAY]
    listed = ash.get(PATH).text
    assert "answered" in listed
    assert not re.search(r"\bsent\b", listed)


def test_an_asking_is_withdrawn_and_its_link_leads_nowhere(clinic):
    ash = clinic.visitor("ash")
    link = link_of(send(ash, battery="weekly").text)
    done = ash.post("/withdraw-asking", data=values_of(ash.get(PATH).text, "/withdraw-asking"))
    assert done.status_code == 303
    assert "no longer works" in ash.get(PATH).text
    assert clinic.states() == ["withdrawn"]
    assert clinic.box.find(link.rpartition("/")[2]) is None
    assert "/withdraw-asking" not in ash.get(PATH).text


def test_that_the_client_stopped_is_told_and_kept_to(clinic):
    ash = clinic.visitor("ash")
    link = link_of(send(ash, battery="weekly").text)
    clinic.box.stop(clinic.box.find(link.rpartition("/")[2]).number)
    assert "has opted out of questions by link" in ash.get("/client/C001?plain=1").text
    assert "has opted out of these questions" in ash.get(PATH).text
    refused = send(ash, battery="weekly")
    assert refused.status_code == 400
    assert "opted out" in refused.text
    assert link_of(send(ash, battery="weekly", again="yes").text)
    assert "has opted out of questions" not in ash.get("/client/C001?plain=1").text


def test_goals_are_asked_in_the_words_that_were_agreed(clinic):
    ash = clinic.visitor("ash")
    with clinic.store.writing() as record:
        record.add(Goal("G-2", "C001", "Leave him", TODAY))
    page = ash.get(PATH).text
    assert page.count("other words may be safer on a phone") == 1
    made = send(ash, **{"goal-G-1": "yes", "goal-G-2": "yes", "words-G-2": "Our second goal"})
    opened = clinic.box.find(link_of(made.text).rpartition("/")[2])
    assert [question.text for _, question in opened.asking.questions] == ["Say what I need", "Our second goal"]
    clinic.answer(link_of(made.text), 7, None)
    ash.get(PATH)
    assert clinic.states() == ["answered"]
    ratings = clinic.store.goal_ratings(client_id="C001").filter(rated_on=TODAY)
    assert ratings.select("goal_id", "rating").rows() == [("G-1", 7.0)]


def test_what_is_wrong_stands_beside_the_field_and_nobody_was_asked(clinic):
    ash = clinic.visitor("ash")
    for typed, words in (
        ({}, "Name at least one questionnaire"),
        ({"battery": "monthly"}, "Choose one from the list"),
        ({"battery": "weekly", "language": "tr"}, "Choose one from the list"),
        ({"battery": "weekly", "way": "mail-to", "address": "willow"}, "Enter one email address"),
        ({"battery": "weekly", "csrf": "x"}, "open for too long"),
    ):
        answer = send(ash, **typed)
        assert answer.status_code == 400
        assert words in answer.text
    assert clinic.states() == []
    assert clinic.box.progress() == []


def test_mail_that_is_not_taken_leaves_the_link_to_be_given_otherwise(clinic):
    ash = clinic.visitor("ash")
    made = send(ash, battery="weekly", way="mail-to", address="willow@example.com")
    assert "Not mailed" in made.text
    assert "willow@" not in made.text
    assert link_of(made.text)
    everything = b"".join(file.read_bytes() for file in Path(clinic.box._path).parent.glob("clinic.*"))
    assert b"willow@example" not in everything


def test_who_may_not_ask_finds_no_page_and_no_form(clinic):
    for username in ("birch", "oak", "adam"):
        visitor = clinic.visitor(username)
        assert visitor.get(PATH).status_code == 404
        token = token_of(visitor.get("/account?plain=1").text)
        data = {"csrf": token, "client": "C001", "asking": "a" * 24, "battery": "weekly"}
        assert visitor.post("/ask-client", data=data).status_code in (403, 404)
        assert visitor.post("/withdraw-asking", data=data).status_code in (403, 404)
        assert visitor.post("/print-sheet", data=data).status_code in (403, 404)
    assert clinic.states() == []


def test_somebody_elses_asking_cannot_be_withdrawn_by_its_number(clinic):
    ash, birch = clinic.visitor("ash"), clinic.visitor("birch")
    send(ash, battery="weekly")
    number = asking_states(clinic.store, "C001")[0]["asking_id"]
    page = birch.get("/client/C003/send").text
    data = {"csrf": token_of(page), "client": "C003", "asking": number}
    assert birch.post("/withdraw-asking", data=data).status_code == 404
    typed = {"client": "C001", "asking": number, "battery": "weekly", "language": "en", "way": "show"}
    for sent in ({}, {"csrf": ""}, {"csrf": "guessed"}):
        for address in ("/ask-client", "/print-sheet", "/withdraw-asking"):
            answer = ash.post(address, data=typed | sent)
            assert answer.status_code in (303, 400)
            assert "Content-Disposition" not in answer.headers
            assert ash.get(address).status_code in (404, 405)
    elsewhere = ash.post("/ask-client", data=typed, headers={"Origin": "https://evil.example"})
    assert elsewhere.status_code in (303, 400, 403)
    assert clinic.states() == ["made"]


def test_a_page_opens_whatever_has_happened_to_the_box(clinic):
    ash = clinic.visitor("ash")
    send(ash, battery="weekly")
    with closing(sqlite3.connect(clinic.box._path)) as box:
        box.execute("DROP TABLE asking")
        box.commit()
    for path in ("/client/C001?plain=1", PATH):
        page = ash.get(path)
        assert page.status_code == 200
        assert UNREACHABLE in page.text


def test_a_server_without_settings_says_what_is_missing(clinic, own_record_url, make_app):
    clinic.server = make_app(own_record_url, today=TODAY).server
    ash = clinic.visitor("ash")
    assert "mbc serve --settings" in ash.get(PATH).text
    assert PATH not in ash.get("/client/C001?plain=1").text


def test_a_sheet_is_printed_and_its_code_opens_the_form_for_its_answers(clinic):
    ash = clinic.visitor("ash")
    typed = values_of(ash.get(PATH).text)
    nothing = ash.post("/print-sheet", data=typed)
    assert (nothing.status_code, "Name at least one" in nothing.text) == (400, True)
    printed = ash.post("/print-sheet", data=typed | {"battery": "weekly"})
    assert printed.data.startswith(b"%PDF")
    assert "form.pdf" in printed.headers["Content-Disposition"]
    assert clinic.states() == []
    assert clinic.store.audit.entries(action="report")["subject"].to_list() == ["C001"]
    code = paper_code("C001", "checkin", "standard", "0-4", "self")
    paper = "/client/C001/record/paper"
    wrong = fill(ash, paper, code="AAA-AAA")
    assert "No form printed for this client has this code" in wrong.text
    opened = fill(ash, paper, code=code.lower().replace("-", " "))
    assert instrument("checkin").name in opened.text
    assert opened.text.count("<fieldset") == 8
    answers = {f"item-{place}": "2" for place in range(1, 9)}
    assert ash.post("/record-entry", data=entry_of(opened.text) | answers).status_code == 303
    assert clinic.store.answers("checkin", client_id="C001")["value"].to_list() == [2] * 8


def test_what_the_plan_has_due_is_ticked_until_it_was_asked(clinic):
    with clinic.store.writing() as record:
        record.add(PlannedMeasure("C001", "checkin", TODAY, every_days=7))
    ash = clinic.visitor("ash")
    assert values_of(ash.get(PATH).text)["ask-checkin"] == "yes"
    assert "due by the plan" in ash.get(PATH).text
    assert link_of(send(ash).text)
    assert "ask-checkin" not in values_of(ash.get(PATH).text)


def test_a_box_that_is_held_up_holds_up_no_page(clinic):
    ash = clinic.visitor("ash")
    send(ash, battery="weekly")
    access = next(each for each in clinic.server.extensions.values() if isinstance(each, AskingAccess))
    access._wait = 0.1
    taken = threading.Event()
    real = access.box().progress

    def slow():
        taken.wait(20)
        return real()

    access.box().progress = slow
    start = time.monotonic()
    assert ash.get(PATH).status_code == 200
    assert ash.get(PATH).status_code == 200  # the same round is waited for, no second one begins
    assert time.monotonic() - start < 10
    taken.set()


def test_how_progress_is_measured_is_shown_to_the_client_only_when_ticked(clinic):
    ash = clinic.visitor("ash")
    links = [link_of(send(ash, battery="weekly", **ticked).text) for ticked in ({}, {"explain": "yes"})]
    explained = [clinic.box.find(link.rpartition("/")[2]).asking.explanation for link in links]
    assert explained[0] is None
    assert explained[1].title == "How we measure your progress"


def test_earlier_scores_are_shown_to_the_client_only_when_ticked_and_only_where_they_answer_alone(clinic):
    ash = clinic.visitor("ash")
    early = send(ash, battery="weekly", scores="yes", alone="yes")
    assert (early.status_code, "C001 has fewer than 3 earlier scores" in early.text) == (400, True)
    with clinic.store.writing() as record:
        record.add_all(Administration("C001", "checkin", TODAY - timedelta(days=n), (n,) * 8) for n in range(1, 4))
    refused = send(ash, battery="weekly", scores="yes")
    assert refused.status_code == 400
    assert "only to a client who answers alone" in refused.text
    assert clinic.states() == []
    made = send(ash, battery="weekly", scores="yes", alone="yes").text
    assert "by this link only: the client's earlier scores. Weekly check-in: 3." in html.unescape(made)
    without = send(ash, battery="weekly", alone="yes").text
    assert "earlier scores" not in without
    shown = [clinic.box.earlier_scores(answered(clinic, link_of(page))) for page in (made, without)]
    assert [score for _, score in shown[0].lines[0].scores] == [22, 16, 10]  # worry counts reversed
    assert shown[1] is None


def test_who_sends_without_safety_screens_can_say_that_the_client_answers_alone(clinic):
    page = clinic.visitor("birch").get("/client/C003/send").text
    assert "required for showing earlier scores" in page
    assert "nobody looking on" in page
    assert "safety screens" not in page


def answered(clinic, link: str) -> str:
    """Answer by a link, as the pages do; gives the secret of the visit."""
    token = link.rpartition("/")[2]
    visit = clinic.box.begin(clinic.box.find(token), token)
    clinic.box.answer(visit, 0, 1)
    clinic.box.send(visit)
    return visit
