"""What each form of recording writes, and for whom it is there."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest

from tests.dashboards.pages.record.sheets import FORMS, LIST, RESTRICTED, TODAY, fill, safely, undo, values_of
from tests.dashboards.record import PASSWORD

# the others once in make test: in test_forbidden_roles
IN_MAKE_TEST = ("session", "goal-ratings", "goal", "relationship-began", "measure", "release", "paper")


@pytest.mark.parametrize(
    "key", [pytest.param(key, marks=() if key in IN_MAKE_TEST else pytest.mark.slow) for key in FORMS]
)
def test_each_form_writes_once_is_undone_and_writes_again(ash, record, key):
    typed, read, expected = FORMS[key]
    before = safely(read, record)
    sent = values_of(ash.get(f"{LIST}/{key}").text) | typed
    for note in ("Done: recorded.", "nothing was saved twice"):
        answer = ash.post("/record-entry", data=sent)
        assert (answer.status_code, answer.headers.get("Location")) == (303, LIST)
        listed = ash.get(LIST).text
        assert note in listed
        assert "Just recorded" in listed
        assert safely(read, record) == expected
    written = record.audit.entries(action="write", who="ash")["detail"].to_list()
    assert ["stored" in detail for detail in written].count(True) == 1
    assert undo(ash) == LIST
    listed = ash.get(LIST).text
    assert "undone; the history keeps it" in listed
    assert "Just recorded" not in listed
    assert safely(read, record) == before
    again = fill(ash, f"{LIST}/{key}", **typed)
    if key == "paper":  # one that was withdrawn comes back with a reason only
        assert "then withdrawn" in again.text
        again = ash.post("/record-entry", data=values_of(again.text) | {"reason": "it was hers"})
    assert again.status_code == 303
    assert safely(read, record) == expected


def test_homework_is_reviewed_and_a_rupture_repaired_by_one_press_in_the_list(ash, record):
    fill(ash, f"{LIST}/homework", task="Ask for one thing")
    fill(ash, f"{LIST}/rupture", repaired="no")
    page = html.unescape(ash.get(LIST).text)
    review = re.search(r'href="([^"]+/homework-done/[^"]+)"', page)
    repair = re.search(r'href="([^"]+/rupture-repaired/[^"]+)"', page)
    assert "Ask for one thing" in page
    assert fill(ash, review[1], completion="partly", helpful="6").status_code == 303
    assert fill(ash, repair[1]).status_code == 303
    row = record.homework(client_id="C001").row(0, named=True)
    assert (row["completion"], row["helpful"], row["reviewed_on"]) == ("partly", 6.0, TODAY)
    row = record.alliance_ruptures(client_id="C001").row(0, named=True)
    assert (row["repaired"], row["repaired_on"]) == (True, TODAY)
    assert "/homework-done/" not in ash.get(LIST).text


def test_a_release_of_information_is_withdrawn(ash, record):
    fill(ash, f"{LIST}/release", **FORMS["release"][0])
    page = ash.get(f"{LIST}/release").text
    assert "HITS" not in page  # nothing of the safety channel can be ticked
    withdraw = re.search(r'href="([^"]+/withdraw-release/[^"]+)"', ash.get(LIST).text)
    assert fill(ash, withdraw[1], reason_given="changed her mind").status_code == 303
    row = record.releases_of_information(client_id="C001").row(0, named=True)
    assert (row["withdrawn_on"], row["withdrawn_reason"]) == (TODAY, "changed her mind")


@pytest.mark.parametrize("key", RESTRICTED)
def test_entries_of_the_safety_channel_are_restricted_and_leave_no_trace_elsewhere(ash, record, key):
    typed, read, expected = RESTRICTED[key]
    answer = fill(ash, f"{LIST}/{key}", **typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{LIST}/restricted")
    assert read(record) == expected
    assert "Done: recorded." in ash.get(f"{LIST}/restricted").text
    page = ash.get(LIST).text
    assert "Just recorded" not in page
    assert not {"afety", "ontraindic", "report"} & set(re.findall("afety|ontraindic|report", page))
    with ash.session_transaction() as session:
        assert "entered" not in session


def test_a_safety_plan_is_reviewed_and_ended(ash, record):
    fill(ash, f"{LIST}/restricted-a", made_on="2026-01-10")
    answer = fill(ash, f"{LIST}/restricted-a", review_reason="threat", next_review_on="2026-04-01")
    assert answer.status_code == 303
    row = record.safety_plans(client_id="C001").row(0, named=True)
    assert (row["made_on"], row["last_review_on"], row["review_reason"]) == (date(2026, 1, 10), TODAY, "threat")
    fill(ash, f"{LIST}/restricted-a", ended="yes")
    assert record.safety_plans(client_id="C001").row(0, named=True)["ended_on"] == TODAY


def test_couples_prompts_are_gone_while_contraindicated_and_nobody_without_the_permission_has_any(
    ash, come, record
):
    record.accounts.add("noa", PASSWORD, "clinician", "K1")
    noa = come("noa")
    pages = []
    assert "couples work" in ash.get(LIST).text
    for typed in ({"reason": "acute risk"}, {}):  # contraindicated, and no longer
        fill(ash, f"{LIST}/restricted-c", **typed)
        assert ("couples work" in ash.get(LIST).text) is not bool(typed)
        assert (ash.get(f"{LIST}/readiness").status_code == 404) is bool(typed)
        pages.append(noa.get(LIST).text)
    assert len({re.sub(r'value="[^"]*"', "", page) for page in pages}) == 1
    assert "couples" not in pages[0]
    assert noa.get(f"{LIST}/readiness").status_code == 404


def test_who_lacks_the_permission_has_no_restricted_forms(come, ash, record):
    record.accounts.add("noa", PASSWORD, "clinician", "K1")
    noa = come("noa")
    before = record.revision()
    for key, (typed, _, _) in RESTRICTED.items():
        assert noa.get(f"{LIST}/{key}").status_code == 404
        sent = values_of(ash.get(f"{LIST}/{key}").text) | typed
        with noa.session_transaction() as session:
            session["csrf"] = sent["csrf"]
        assert noa.post("/record-entry", data=sent).status_code == 404
    assert noa.get(f"{LIST}/restricted").status_code == 404
    assert "estricted" not in noa.get(LIST).text
    assert "HITS" not in noa.get(f"{LIST}/paper").text
    assert "HITS" not in noa.get(f"{LIST}/measure").text
    assert "HITS" in ash.get(f"{LIST}/paper").text
    assert record.revision() == before


def test_a_screen_on_paper_is_kept_apart(ash, record):
    typed = {"questionnaire": "hits/standard/1-5", "asked": "hits/standard/1-5"}
    typed |= {f"item-{place}": "4" for place in range(1, 5)}
    assert fill(ash, f"{LIST}/paper", **typed).status_code == 303
    assert record.administrations("hits", client_id="C001", channel="safety").height == 1
    assert record.administrations("hits", client_id="C001").height == 0
    assert "HITS" not in ash.get(LIST).text


def test_an_episode_ends_and_another_is_opened(ash, record):
    assert fill(ash, f"{LIST}/end-episode/E001", ending="planned").status_code == 303
    assert record.episodes(client_id="C001").row(0)[-2:] == (TODAY, "planned")
    assert "No episode of care is open" in ash.get(f"{LIST}/session").text
    assert fill(ash, f"{LIST}/episode").status_code == 303
    assert record.episodes(client_id="C001").filter(started_on=TODAY).height == 1
    assert "An episode of care is already open" in ash.get(f"{LIST}/episode").text


def test_a_new_client_joins_the_caseload_of_who_adds_them(ash, record):
    answer = fill(ash, "/new-client", client_id="C010", alias="Reed")
    assert answer.headers["Location"] == "/client/C010/record"
    (row,) = record.clients(client_id="C010").rows(named=True)
    assert (row["clinician_id"], row["alias"], row["registered_on"]) == ("K1", "Reed", TODAY)
    assert record.episodes(client_id="C010")["started_on"].to_list() == [TODAY]


def test_a_pseudonym_that_is_somebody_elses_tells_nothing_of_them(ash, record):
    answer = fill(ash, "/new-client", client_id="C003", alias="Reed")
    assert answer.status_code == 400
    assert "already in use" in answer.text
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
    assert "There is no goal to rate" in ash.get(f"{LIST}/goal-ratings").text


def test_demographics_are_for_those_with_the_permission_and_change_with_a_reason(come, ash, record):
    record.accounts.add("ida", PASSWORD, "clinician", "K1", permissions=["demographics:read"])
    ida, path = come("ida"), f"{LIST}/demographics"
    sent = values_of(ida.get(path).text) | {"age_band": "25-34", "payer": "self"}
    with ash.session_transaction() as session:
        session["csrf"] = sent["csrf"]
    assert (ash.get(path).status_code, ash.post("/record-entry", data=sent).status_code) == (404, 404)
    assert "emographics" not in ash.get(LIST).text
    assert "Enter at least one code." in fill(ida, path).text
    assert "age_band" in fill(ida, path, age_band="25 to 34").text
    assert ida.post("/record-entry", data=sent).status_code == 303
    assert "Demographics" in ida.get(LIST).text
    assert fill(ida, path, payer="insurer").status_code == 400  # a change needs a reason
    assert fill(ida, path, payer="insurer", reason="changed in March").status_code == 303
    row = record.demographics(client_id="C001").row(0, named=True)
    assert (row["age_band"], row["payer"], row["gender"]) == ("25-34", "insurer", None)
