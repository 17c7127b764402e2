"""Goals on paper: chosen on *Send*, printed with their own levels, and entered by the code on the sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mbc.care.askings.ask import AskOptions
from mbc.care.askings.paper import paper_form
from mbc.care.askings.paper_goals import goals_code
from mbc.care.askings.settings import AskingSettings
from mbc.reports import paper_document
from mbc.store import Goal
from tests.dashboards.pages.record.sheets import TODAY, fill
from tests.dashboards.pages.record.sheets import values_of as entry_of
from tests.dashboards.pages.send.conftest import PATH, send, values_of

PAPER = "/client/C001/record/paper"
POINTS, ATTAINMENT = (0.0, 10.0), (-2.0, 2.0)
SECOND = Goal("G-2", "C001", "Say no to him", date(2026, 2, 2), -1, 0)
CODE = goals_code("C001", [("G-2", ATTAINMENT), ("G-1", POINTS)])


@pytest.mark.long
def test_goals_are_printed_on_their_own_levels_and_rated_by_the_code(clinic):
    with clinic.store.writing() as record:
        record.add(SECOND)
    ash = clinic.visitor("ash")
    page = ash.get(PATH).text
    assert page.count("on paper only: its levels, -2 to 2") == 1
    ticked = {"goal-G-1": "yes", "goal-G-2": "yes", "words-G-2": "Our second goal"}
    refused = send(ash, **ticked)  # no phone can ask for agreed levels
    assert (refused.status_code, "print it, or rate it in the session" in refused.text) == (400, True)
    printed = ash.post("/print-sheet", data=values_of(page) | ticked)
    assert (printed.status_code, printed.data[:4]) == (200, b"%PDF")
    assert clinic.states() == []
    opened = fill(ash, PAPER, code=CODE.lower().replace("-", " "))
    for words, times in (("1. Say what I need", 1), ("2. Say no to him", 1), ("<fieldset", 2)):
        assert opened.text.count(words) == times
    assert ">Record</button>" in opened.text
    entry = entry_of(opened.text)
    assert ash.post("/record-entry", data=entry).status_code == 400  # nothing was rated
    assert ash.post("/record-entry", data=entry | {"item-2": "7"}).status_code == 400  # no such level
    assert ash.post("/record-entry", data=entry | {"item-1": "7", "item-2": "-1"}).status_code == 303
    ratings = clinic.store.goal_ratings(client_id="C001").filter(rated_on=TODAY).sort("goal_id")
    assert ratings.select("goal_id", "rating").rows() == [("G-1", 7.0), ("G-2", -1.0)]
    other = fill(clinic.visitor("birch"), PAPER.replace("C001", "C003"), code=CODE)
    assert "No form printed for this client has this code" in other.text


def test_the_sheet_names_nobody_and_says_what_each_level_means(clinic):
    with clinic.store.writing() as record:
        record.add(SECOND)
    options = AskOptions(goals=(("G-1", ""), ("G-2", "Our second goal")))
    settings = AskingSettings(address="https://form.example.org", box="clinic.box")
    form = paper_form(clinic.store, settings, "C001", [], options, today=TODAY)
    assert [sheet.code for sheet in form.sheets] == [CODE]
    text = paper_document(form, TODAY).html()
    for words, times in ((CODE, 3), ("Say what I need", 1), ("Our second goal", 1)):
        assert text.count(words) == times  # the code stands above the goals and on every page
    for written in ("[  ] 10<", "[  ] −2  much less than expected", "[  ] 0  as expected", "[  ] +2  much more"):
        assert written in text
    assert not [name for name in ("Willow", "C001", "Ash", "G-1", "him") if name in text]


def test_what_was_retired_added_or_changed_since_is_said_and_nothing_is_guessed(clinic):
    ash = clinic.visitor("ash")
    first = Goal("G-1", "C001", "Say what I need", date(2026, 1, 5), 2, 8)
    with clinic.store.writing() as record:
        record.add_all([SECOND, Goal("G-3", "C001", "Sleep", date(2026, 3, 2))])
        record.add(replace(first, retired_on=date(2026, 3, 9)), supersede="reached")
    opened = fill(ash, PAPER, code=CODE).text
    assert "1. “Say what I need” was retired on 9 Mar 2026 and is not asked for" in opened
    assert "“Sleep”, set on 2 Mar 2026, is not on this sheet" in opened
    assert (opened.count("<fieldset"), "2. Say no to him" in opened, 'name="item-1"' in opened) == (1, True, False)
    with clinic.store.writing() as record:
        record.add(replace(SECOND, baseline=1, target=9), supersede="other levels")
    changed = fill(ash, PAPER, code=CODE)
    assert "the levels were changed of “Say no to him”" in changed.text
    assert "<fieldset" not in changed.text
    with clinic.store.writing() as record:
        record.add(replace(SECOND, retired_on=date(2026, 3, 9)), supersede="care ended")
    assert "Every goal of this sheet was retired" in fill(ash, PAPER, code=CODE).text
    assert clinic.store.goal_ratings(client_id="C001").filter(rated_on=TODAY).is_empty()
