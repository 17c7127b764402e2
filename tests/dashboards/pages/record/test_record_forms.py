"""What is recorded from a page: each form, as every role; nothing typed is lost, nothing is overwritten unseen."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from mbc.store import Goal, Store
from tests.dashboards.conftest import sign_in

TODAY = date(2026, 3, 20)
LIST = "/client/C001/record"


@pytest.fixture
def record(own_record_url: str) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        yield store


@pytest.fixture
def come(own_record_url: str, make_app: Callable[..., Any], clock: Any) -> Callable[[str], FlaskClient]:
    server = make_app(own_record_url, clock=clock, today=TODAY).server

    def enter(username: str) -> FlaskClient:
        visitor = server.test_client()
        assert sign_in(visitor, username).status_code == 303
        return visitor

    return enter


@pytest.fixture
def ash(come: Callable[[str], FlaskClient]) -> FlaskClient:
    return come("ash")


def values_of(page: str) -> dict[str, str]:
    """What a browser would send of a form as it stands."""
    form = page[page.index('action="/record-entry"') :]
    form = form[: form.index("</form>")]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if attributes.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        sent[attributes["name"]] = html.unescape(attributes.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', form, flags=re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        sent[name] = html.unescape(chosen[1]) if chosen else ""
    return sent


def fill(visitor: FlaskClient, path: str, **typed: str):
    page = visitor.get(path)
    assert page.status_code == 200
    return visitor.post("/record-entry", data=values_of(page.text) | typed)


def test_a_session_is_kept_with_its_defaults(ash, record):
    answer = fill(ash, f"{LIST}/session")
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    row = record.sessions(client_id="C001").row(-1, named=True)
    assert (row["number"], row["held_on"], row["attended"], row["modality"]) == (11, TODAY, True, "in person")
    page = ash.get(LIST).text
    assert "Session 11, kept, 20 Mar 2026, in person" in page
    assert "Done: recorded." in page


def test_words_typed_when_the_sign_in_ended_are_there_after_the_next(ash, record, clock):
    page = ash.get(f"{LIST}/event")
    typed = values_of(page.text) | {"label": "Told her sister about it"}
    clock.now += 31 * 60
    answer = ash.post("/record-entry", data=typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert "sister" not in str(answer.headers)
    assert "sister" not in ash.get("/sign-in").text
    assert sign_in(ash, "ash").headers["Location"] == f"{LIST}/event"
    again = ash.get(f"{LIST}/event")
    assert "Told her sister about it" in again.text
    assert ash.post("/record-entry", data=values_of(again.text)).status_code == 303
    assert record.events(client_id="C001").filter(label="Told her sister about it").height == 1
    assert "sister" not in ash.get(f"{LIST}/event").text


def last_status(store: Store) -> tuple[str, date]:
    return store.statuses(client_id="C001").sort("since").select("status", "since").row(-1)


FORMS: dict[str, tuple[dict[str, str], Callable[[Store], object], object]] = {
    "session": (
        {"attended": "missed", "held_on": "2026-03-18"},
        lambda store: store.sessions(client_id="C001").row(-1),
        ("C001", "E001", 11, date(2026, 3, 18), False, None),
    ),
    "goal-ratings": (
        {"rating-0": "7"},
        lambda store: store.goal_ratings(client_id="C001").row(-1),
        ("G-1", "C001", TODAY, 7.0),
    ),
    "goal": (
        {"label": "Ask for help", "baseline": "2", "target": "7,5"},
        lambda store: (
            store.goals(client_id="C001").row(-1)[1:7],
            store.goal_ratings(client_id="C001").filter(rating=2.0, rated_on=TODAY).height,
        ),
        (("C001", "Ask for help", 2.0, 7.5, True, TODAY), 1),
    ),
    "event": (
        {"label": "New flat", "valence": "growth", "kind": "home"},
        lambda store: store.events(client_id="C001").row(-1)[1:],
        ("C001", TODAY, "home", "New flat", "growth"),
    ),
    "relationship-began": (
        {"status": "dating", "since": "2026-03-01"},
        lambda store: (store.relationships(client_id="C001")["label"].to_list(), last_status(store)),
        (["R1", "R2"], ("dating", date(2026, 3, 1))),
    ),
    "status": (
        {"whose": "-", "status": "dating"},
        last_status,
        ("dating", TODAY),
    ),
    "paper": (
        {"questionnaire": "gad7/standard/0-3", "asked": "gad7/standard/0-3"}
        | {f"item-{place}": str(place % 4) for place in range(1, 8)},
        lambda store: store.answers("gad7", client_id="C001")["value"].to_list(),
        [1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0],
    ),
}


@pytest.mark.parametrize("key", FORMS)
def test_each_form_writes_what_was_typed_and_sent_twice_it_writes_once(ash, record, key):
    typed, read, expected = FORMS[key]
    sent = values_of(ash.get(f"{LIST}/{key}").text) | typed
    for note in ("Done: recorded.", "nothing was written twice"):
        answer = ash.post("/record-entry", data=sent)
        assert (answer.status_code, answer.headers.get("Location")) == (303, LIST)
        listed = ash.get(LIST).text
        assert note in listed
        assert "Just recorded" in listed
        assert read(record) == expected
    written = record.audit.entries(action="write", who="ash")["detail"].to_list()
    assert ["stored" in detail for detail in written].count(True) == 1


def test_an_episode_ends_and_another_is_opened(ash, record):
    assert fill(ash, f"{LIST}/end-episode/E001", ending="planned").status_code == 303
    assert record.episodes(client_id="C001").row(0)[-2:] == (TODAY, "planned")
    assert "No episode of care is open" in ash.get(f"{LIST}/session").text
    assert fill(ash, f"{LIST}/episode").status_code == 303
    assert record.episodes(client_id="C001").filter(started_on=TODAY).height == 1
    assert "An episode of care is open already" in ash.get(f"{LIST}/episode").text


def test_a_new_client_joins_the_caseload_of_who_adds_them(ash, record):
    answer = fill(ash, "/new-client", client_id="C010", alias="Reed")
    assert answer.headers["Location"] == "/client/C010/record"
    (row,) = record.clients(client_id="C010").rows(named=True)
    assert (row["clinician_id"], row["alias"], row["registered_on"]) == ("K1", "Reed", TODAY)
    assert record.episodes(client_id="C010")["started_on"].to_list() == [TODAY]


def test_a_pseudonym_that_is_somebody_elses_tells_nothing_of_them(ash, record):
    answer = fill(ash, "/new-client", client_id="C003", alias="Reed")
    assert answer.status_code == 400
    assert "taken already" in answer.text
    assert "Hazel" not in answer.text
    assert record.clients(client_id="C003")["alias"].to_list() == ["Hazel"]


def test_a_relationship_that_ends_is_asked_whether_it_was_a_step_forward(ash, record):
    fill(ash, f"{LIST}/relationship-began", status="dating", since="2026-03-01")
    page = ash.get(f"{LIST}/relationship-ended").text
    assert "step forward" in page
    refused = ash.post("/record-entry", data=values_of(page))
    assert (refused.status_code, "Choose one." in refused.text) == (400, True)
    assert fill(ash, f"{LIST}/relationship-ended", valence="growth", single="yes").status_code == 303
    assert record.events(client_id="C001").row(-1)[2:] == (TODAY, "break-up", "R2 ended", "growth")
    latest = record.statuses(client_id="C001").filter(since=TODAY)
    assert sorted(latest["status"]) == ["ended", "single"]


@pytest.mark.parametrize(
    ("key", "typed", "reason"),
    [
        ("session", {"held_on": "2026-03-21"}, "The day lies after 2026-03-20"),
        ("session", {"held_on": "yesterday"}, "year-month-day"),
        ("session", {"number": "soon"}, "Write a number"),
        ("session", {"attended": ""}, "Choose one."),
        ("goal", {"label": "x" * 170}, "This has 170 characters"),
        ("goal", {"label": "Speak up", "target": "11"}, "Write a number from 0 to 10."),
        ("goal-ratings", {}, "Rate at least one goal"),
        ("goal-ratings", {"rating-0": "12"}, "Choose one of those listed."),
        ("event", {"label": ""}, "Something is needed here."),
        ("event", {"label": "a\u202eb"}, "control characters"),
        ("relationship-began", {"label": "R1"}, "has a relationship"),
        (
            "paper",
            {"questionnaire": "gad7/standard/0-3", "asked": "gad7/standard/0-3", "item-2": "1"},
            "No answer to 1, 3",
        ),
        ("paper", {"questionnaire": "hits2/standard/0-3"}, "Choose one of those listed."),
    ],
)
def test_a_refused_form_comes_back_with_what_was_typed_and_the_reason(ash, record, key, typed, reason):
    before = record.revision()
    answer = fill(ash, f"{LIST}/{key}", **typed)
    assert answer.status_code == 400
    assert reason in html.unescape(answer.text)
    assert record.revision() == before
    again = values_of(answer.text)
    for name, value in typed.items():
        if name in again and "<option" not in value and value in answer.text:
            assert again[name] == value


def test_every_word_of_a_refused_form_stays(ash):
    sent = {"label": "Zwei Worte & <b>", "occurred_on": "soon", "kind": "work", "valence": "hard"}
    answer = fill(ash, f"{LIST}/event", **sent)
    assert sent.items() <= values_of(answer.text).items()
    assert "<b>" not in answer.text


def test_blank_answers_are_blank_when_somebody_says_so(ash, record):
    typed = {"questionnaire": "gad7/standard/0-3", "asked": "gad7/standard/0-3", "item-2": "1", "blanks": "yes"}
    assert fill(ash, f"{LIST}/paper", **typed).status_code == 303
    assert record.answers("gad7", client_id="C001")["value"].to_list() == [None, 1.0, *[None] * 5]


def test_the_items_are_asked_once_the_questionnaire_is_chosen(ash, record):
    page = fill(ash, f"{LIST}/paper", questionnaire="rses/b/1-4")
    assert page.status_code == 200
    assert page.text.count("<fieldset") == 10
    typed = values_of(page.text) | {f"item-{place}": "4" for place in range(1, 11)}
    assert ash.post("/record-entry", data=typed).status_code == 303
    row = record.administrations("rses", client_id="C001").row(-1, named=True)
    assert (row["form"], row["coding"], row["taken_on"]) == ("b", "1-4", TODAY)


def test_an_answer_on_paper_raises_its_flag(ash, record):
    typed = {"questionnaire": "phq9/standard/0-3", "asked": "phq9/standard/0-3"}
    typed |= {f"item-{place}": "1" for place in range(1, 10)}
    assert fill(ash, f"{LIST}/paper", **typed).status_code == 303
    assert record.safety_flags(client_id="C001").filter(raised_on=TODAY).height == 1
    assert "flag" not in ash.get(LIST).text


def test_what_is_on_record_is_replaced_with_a_reason_only(ash, record):
    fill(ash, f"{LIST}/goal-ratings", **{"rating-0": "7"})
    answer = fill(ash, f"{LIST}/goal-ratings", **{"rating-0": "4"})
    assert answer.status_code == 400
    assert "rated 7, 20 Mar 2026" in answer.text
    assert record.goal_ratings(client_id="C001").row(-1)[-1] == 7.0
    typed = values_of(answer.text)
    assert typed["rating-0"] == "4"
    assert ash.post("/record-entry", data=typed).status_code == 400  # without a reason
    assert ash.post("/record-entry", data=typed | {"reason": "misheard"}).status_code == 303
    assert record.goal_ratings(client_id="C001").row(-1)[-1] == 4.0


def test_a_questionnaire_of_a_day_is_replaced_with_a_reason_only(ash, record):
    typed = FORMS["paper"][0]
    fill(ash, f"{LIST}/paper", **typed)
    answer = fill(ash, f"{LIST}/paper", **typed | {"item-1": "0"})
    assert "on record with other answers" in answer.text
    assert ash.post("/record-entry", data=values_of(answer.text) | {"reason": "typing error"}).status_code == 303
    assert record.answers("gad7", client_id="C001")["value"].to_list()[0] == 0.0
    assert record.administrations("gad7", client_id="C001", history=True).height == 2


def test_a_goal_is_revised_and_retired_with_a_reason(ash, record):
    page = ash.get(f"{LIST}/goal/G-1").text
    assert ash.post("/record-entry", data=values_of(page) | {"target": "9"}).status_code == 400
    assert (
        ash.post("/record-entry", data=values_of(page) | {"target": "9", "reason": "aims higher"}).status_code
        == 303
    )
    assert record.goals(client_id="C001").row(0, named=True)["target"] == 9.0
    assert fill(ash, f"{LIST}/retire-goal/G-1", why="other").status_code == 400
    assert fill(ash, f"{LIST}/retire-goal/G-1", why="reached", more="since January").status_code == 303
    row = record.goals(client_id="C001").row(0, named=True)
    assert (row["retired_on"], row["retired_reason"]) == (TODAY, "reached: since January")
    assert "No goal to rate" in ash.get(f"{LIST}/goal-ratings").text


def test_who_edits_a_goal_later_is_told_what_changed_in_between(come, record):
    first, second = come("ash"), come("ash")
    page = second.get(f"{LIST}/goal/G-1").text
    fill(first, f"{LIST}/goal/G-1", label="Say what I want", reason="her words")
    answer = second.post("/record-entry", data=values_of(page) | {"target": "9", "reason": "aims higher"})
    assert answer.status_code == 400
    told = html.unescape(answer.text)
    assert "Changed by somebody since you opened this form" in told
    assert "label was \u201cSay what I need\u201d, is \u201cSay what I want\u201d" in told
    assert record.goals(client_id="C001").row(0, named=True)["label"] == "Say what I want"
    typed = values_of(answer.text)
    assert (typed["target"], typed["label"], typed["reason"]) == ("9", "Say what I need", "aims higher")
    assert second.post("/record-entry", data=typed | {"label": "Say what I want"}).status_code == 303
    row = record.goals(client_id="C001").row(0, named=True)
    assert (row["label"], row["target"]) == ("Say what I want", 9.0)


def test_two_clinicians_of_one_moment_do_not_write_over_each_other(ash, record, monkeypatch):
    """The other one writes after our check and before our writing: the store compares the version again."""
    page = values_of(ash.get(f"{LIST}/goal/G-1").text)
    goal = Goal(**record.goals(client_id="C001").row(0, named=True))
    writing = Store.writing

    def second_thoughts(self: Store, **options: Any):
        monkeypatch.setattr(Store, "writing", writing)
        with record.writing() as other:
            other.add(replace(goal, target=3.0), supersede="meanwhile")
        return writing(self, **options)

    monkeypatch.setattr(Store, "writing", second_thoughts)
    answer = ash.post("/record-entry", data=page | {"target": "9", "reason": "aims higher"})
    assert answer.status_code == 400
    assert "Changed by somebody" in answer.text
    assert record.goals(client_id="C001").row(0, named=True)["target"] == 3.0


def test_what_was_just_recorded_can_be_corrected(ash, record):
    fill(ash, f"{LIST}/event", label="New job", kind="work")
    correct = re.search(r'href="(/client/C001/record/event/[^"]+)"', ash.get(LIST).text)
    assert correct
    assert fill(ash, correct[1], label="New office", reason="wrong word").status_code == 303
    assert record.events(client_id="C001").row(-1)[-2] == "New office"
    assert "the earlier version is kept" in ash.get(LIST).text


ROLES = ("oak", "ana", "adam", "birch")
PATHS = (LIST, *(f"{LIST}/{key}" for key in FORMS), f"{LIST}/goal/G-1", f"{LIST}/end-episode/E001")


@pytest.mark.parametrize("who", ROLES)
def test_for_who_may_not_write_there_is_no_such_page(come, record, who):
    visitor = come(who)
    nowhere = visitor.get("/nowhere")
    for path in PATHS:
        answer = visitor.get(path)
        assert (answer.status_code, answer.text) == (404, nowhere.text), path
    assert "/record" not in visitor.get("/client/C001?plain=1").text
    if who != "birch":
        assert visitor.get("/new-client").status_code == 404


def test_a_form_of_who_may_not_write_changes_nothing(come, record, ash):
    sheets = {key: values_of(ash.get(f"{LIST}/{key}").text) | typed for key, (typed, _, _) in FORMS.items()}
    before = record.revision()
    for who in ROLES:
        visitor = come(who)
        with visitor.session_transaction() as session:
            session["csrf"] = sheets["event"]["csrf"]
        for sent in sheets.values():
            answer = visitor.post("/record-entry", data=sent)
            nobodys = visitor.post("/record-entry", data=sent | {"client": "C999"})
            assert (answer.status_code, answer.text) == (404, nobodys.text)
        assert record.audit.entries(action="refused", who=who).height >= len(sheets)
    assert record.revision() == before


def test_forms_that_do_not_exist_are_not_found(ash):
    for path in (
        f"{LIST}/nothing",
        f"{LIST}/goal/G-9",
        f"{LIST}/retire-goal",
        f"{LIST}/new-client",
        "/client/C003/record",
    ):
        assert ash.get(path).status_code == 404, path
    token = values_of(ash.get(f"{LIST}/event").text)
    for wrong in ({"form": "nothing"}, {"form": "retire-goal"}, {"client": "C003"}, {"key": "EV9"}):
        assert ash.post("/record-entry", data=token | {"label": "x"} | wrong).status_code == 404, wrong
    assert ash.post("/record-entry", data=token | {"label": "x", "token": "../x"}).status_code == 400


def test_a_page_that_was_open_for_too_long_keeps_what_was_typed(ash, record):
    sent = values_of(ash.get(f"{LIST}/event").text) | {"label": "New flat", "csrf": "old"}
    answer = ash.post("/record-entry", data=sent)
    assert (answer.status_code, values_of(answer.text)["label"]) == (400, "New flat")
    assert ash.post("/record-entry", data=values_of(answer.text)).status_code == 303


def test_what_was_typed_is_given_back_to_nobody_else(ash, come, clock, record):
    typed = values_of(ash.get(f"{LIST}/event").text) | {"label": "A secret"}
    clock.now += 31 * 60
    ash.post("/record-entry", data=typed)
    sign_in(ash, "birch")
    assert ash.get(f"{LIST}/event").status_code == 404
    assert "secret" not in ash.get("/caseload?plain=1").text
    other = come("oak")
    forged = other.post("/record-entry", data=typed | {"writer": "ash"})
    assert forged.status_code == 404


def test_what_was_typed_is_given_back_for_half_an_hour(ash, clock, monkeypatch):
    typed = values_of(ash.get(f"{LIST}/event").text) | {"label": "A late entry"}
    clock.now += 31 * 60
    ash.post("/record-entry", data=typed)
    sign_in(ash, "ash")
    later = time.time() + 1801
    monkeypatch.setattr(time, "time", lambda: later)
    assert "A late entry" not in ash.get(f"{LIST}/event").text


def test_a_form_left_alone_gives_its_words_back_without_writing(ash, record):
    before = record.revision()
    typed = values_of(ash.get(f"{LIST}/event").text) | {"label": "Half a thought", "keep": "yes"}
    answer = ash.post("/record-entry", data=typed)
    assert answer.headers["Location"] == f"{LIST}/event"
    assert "Half a thought" in ash.get(f"{LIST}/event").text
    assert record.revision() == before


def test_signing_out_takes_the_kept_words_along(ash):
    typed = values_of(ash.get(f"{LIST}/event").text) | {"label": "Half a thought", "keep": "yes"}
    ash.post("/record-entry", data=typed)
    assert ash.get_cookie("mbc_typed")
    ash.post("/sign-out", data={"csrf": typed["csrf"]})
    assert not ash.get_cookie("mbc_typed")


def test_a_record_opened_by_emergency_access_is_read_and_not_written(come, record):
    visitor = come("birch")
    reason = {"client_id": "C001", "reason": "Standing in for K1, who is ill today", "extent": "care"}
    with visitor.session_transaction() as session:
        token = session.setdefault("csrf", "a token of this session")
    visitor.post("/open-record", data={"csrf": token, **reason})
    page = visitor.get("/client/C001?plain=1")
    assert (page.status_code, "/record" in page.text) == (200, False)
    assert visitor.get(LIST).status_code == 404


def test_the_pages_lead_to_the_forms(ash, come):
    assert 'href="/client/C001/record' in ash.get("/client/C001?plain=1").text
    assert 'href="/new-client' in ash.get("/caseload?plain=1").text
    assert 'href="/new-client' not in come("oak").get("/caseload?plain=1").text
