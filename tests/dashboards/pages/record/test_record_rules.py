"""What holds for every form: nothing typed is lost, nothing is overwritten unseen, nobody else gets in."""

from __future__ import annotations

import html
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from mbc.store import Goal, Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.pages.record.sheets import FORMS, LIST, TODAY, fill, undo, values_of


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


def test_undoing_a_correction_brings_back_what_was_before(ash, record):
    fill(ash, f"{LIST}/goal/G-1", target="9", reason="aims higher")
    assert undo(ash) == LIST
    assert record.goals(client_id="C001").row(0, named=True)["target"] == 8.0
    assert record.verify().intact


def test_a_change_of_somebody_else_since_is_not_undone(ash, record):
    fill(ash, f"{LIST}/goal/G-1", target="9", reason="aims higher")
    page = ash.get(LIST).text
    entry = re.search(r'name="entry" value="([^"]+)"', page)
    goal = Goal(**record.goals(client_id="C001").row(0, named=True))
    with record.writing() as other:
        other.add(replace(goal, target=3.0), supersede="meanwhile")
    assert "/undo-entry" not in ash.get(LIST).text
    sent = {"csrf": values_of(ash.get(f"{LIST}/event").text)["csrf"], "client": "C001", "entry": entry[1]}
    assert ash.post("/undo-entry", data=sent).status_code == 303
    assert "it has been undone or changed since" in ash.get(LIST).text
    assert record.goals(client_id="C001").row(0, named=True)["target"] == 3.0


@pytest.mark.parametrize(
    ("key", "typed", "reason"),
    [
        ("session", {"held_on": "2026-03-21"}, "The date is after 2026-03-20"),
        ("session", {"held_on": "yesterday"}, "year-month-day"),
        ("session", {"number": "soon"}, "Enter a number"),
        ("session", {"attended": ""}, "Choose one."),
        ("goal", {"label": "x" * 170}, "This has 170 characters"),
        ("goal", {"label": "Speak up", "target": "11"}, "Enter a number from -2 to 10."),
        ("goal-ratings", {}, "Rate at least one goal"),
        ("goal-ratings", {"rating-0": "12"}, "Choose one from the list."),
        ("event", {"label": ""}, "This field is required."),
        ("event", {"label": "a\u202eb"}, "control characters"),
        ("relationship-began", {"label": "R1"}, "has a relationship"),
        (
            "paper",
            {"questionnaire": "gad7/standard/0-3", "asked": "gad7/standard/0-3", "item-2": "1"},
            "No answer to 1, 3",
        ),
        ("paper", {"questionnaire": "hits2/standard/0-3"}, "Choose one from the list."),
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
    assert "on record for that day with other answers" in answer.text
    assert ash.post("/record-entry", data=values_of(answer.text) | {"reason": "typing error"}).status_code == 303
    assert record.answers("gad7", client_id="C001")["value"].to_list()[0] == 0.0
    assert record.administrations("gad7", client_id="C001", history=True).height == 2


def test_who_edits_a_goal_later_is_told_what_changed_in_between(come, record):
    first, second = come("ash"), come("ash")
    page = second.get(f"{LIST}/goal/G-1").text
    fill(first, f"{LIST}/goal/G-1", label="Say what I want", reason="her words")
    answer = second.post("/record-entry", data=values_of(page) | {"target": "9", "reason": "aims higher"})
    assert answer.status_code == 400
    told = html.unescape(answer.text)
    assert "Somebody has changed this since you opened the form" in told
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
    assert "Somebody has changed this" in answer.text
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


@pytest.mark.long
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


def test_what_was_typed_is_given_back_to_nobody_else(ash, clock):
    typed = values_of(ash.get(f"{LIST}/event").text) | {"label": "A secret"}
    clock.now += 31 * 60
    ash.post("/record-entry", data=typed)
    sign_in(ash, "birch")
    assert ash.get(f"{LIST}/event").status_code == 404
    assert "secret" not in ash.get("/caseload?plain=1").text
    forged = ash.post("/record-entry", data=typed | {"writer": "ash"})
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
    reason = {"client_id": "C001", "reason": "Covering for K1, who is ill today", "extent": "care"}
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
