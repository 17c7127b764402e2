"""Recorded scores beside the items, and what one questionnaire of a wide file says for itself."""

from __future__ import annotations

from datetime import date

import pytest

from mbc.errors import SettingsError
from mbc.exchange import plan_import

RSES = ",".join(f"rses_{n}" for n in range(1, 11))
GAD7 = ",".join(f"gad7_{n}" for n in range(1, 8))
NO_REGARD = "0,3,0,0,3,3,0,3,3,0"  # form a: 0 on every item once 2, 5, 6, 8 and 9 are turned round


def test_recorded_scores_are_kept_and_reported_where_the_items_give_another(store, write, now):
    text = f"client,date,{RSES},rses_total\nC1,2026-01-05,{NO_REGARD},0\nC2,2026-01-05,{NO_REGARD},20\n"
    plan = plan_import(write(text), store, now=now)
    assert plan.to_frame().select("outcome", "reason").rows() == [
        ("stored", None),
        ("stored", "total: 20 is recorded, but the answers give 0; both are stored"),
    ]
    assert (
        "Rosenberg Self-Esteem Scale: 1 recorded score differing from the answers; both are stored (row 3)."
        in plan.notes
    )
    plan.apply(store)
    assert store.totals().select("client_id", "score").rows() == [("C1", 0.0), ("C2", 20.0)]
    assert plan_import(write(text), store, now=now).counts["duplicate"] == 2


def test_a_score_that_is_rounded_is_no_other_score(store, write, now):
    items = ",".join(f"ecr_s_{n}" for n in range(1, 13))
    answers = "1,2,3,4,5,6,7,1,2,3,4,5"
    exact = plan_import(write(f"client,date,{items},ecr_s_anxiety\nC1,2026-01-05,{answers},1\n"), store, now=now)
    value = exact.to_frame()["reason"][0].split("the answers give ")[1].split(";")[0]
    for written in (value, value.rstrip("0")):
        text = f"client,date,{items},ecr_s_anxiety\nC1,2026-01-05,{answers},{written}\n"
        assert plan_import(write(text), store, now=now).to_frame()["reason"].to_list() == [None]


def test_wide_files_of_scores_alone_are_read(store, write, now):
    text = "client,date,RSES total,ecr_s_anxiety\nC1,2026-01-05,12,3.2\n"
    plan = plan_import(write(text), store, now=now)
    assert plan.administrations.select("instrument", "totals").rows() == [
        ("rses", [{"scale": "total", "score": 12.0}]),
        ("ecr_s", [{"scale": "anxiety", "score": 3.2}]),
    ]


def test_each_questionnaire_may_have_its_own_day_form_and_coding(store, write, now):
    text = (
        f"client,date,{RSES},rses_form,RSES date,{GAD7},gad7_coding\n"
        f"C1,2026-01-05,{NO_REGARD},b,2026-01-07,1,2,3,4,1,2,3,1-4\n"
        f"C2,2026-01-05,{NO_REGARD},,,1,2,3,1,1,2,3,\n"
    )
    plan = plan_import(write(text), store, now=now)
    assert plan.administrations.select("client_id", "instrument", "taken_on", "form", "coding").rows() == [
        ("C1", "rses", date(2026, 1, 7), "b", "0-3"),
        ("C1", "gad7", date(2026, 1, 5), "standard", "1-4"),
        ("C2", "rses", date(2026, 1, 5), "a", "0-3"),
        ("C2", "gad7", date(2026, 1, 5), "standard", "0-3"),
    ]
    assert plan.counts["stored"] == 4


def test_columns_can_be_left_out(store, write, now):
    text = f"client,date,{RSES},rses_total\nC1,2026-01-05,{NO_REGARD},35\n"
    assert "35 is out of range" in plan_import(write(text), store, now=now).refusals[0]
    assert plan_import(write(text), store, ignore=("rses_total",), now=now).counts["stored"] == 1
    with pytest.raises(
        SettingsError, match=r"--ignore 'rses_totl': .* has no such column\. Nearest: 'rses_total'"
    ):
        plan_import(write(text), store, ignore=("rses_totl",), now=now)


def test_words_stand_for_the_numbers_that_the_user_gives(store, write, now):
    text = f"client,date,{GAD7}\nC1,2026-01-05,never,Never,often,OFTEN,2,1,\n"
    plan = plan_import(write(text), store, values={"gad7": {"Never": 0, "often": 3}}, now=now)
    assert plan.administrations["answers"].to_list() == [[0.0, 0.0, 3.0, 3.0, 2.0, 1.0, None]]


HITS = "client,date,hits_1,hits_2,hits_3,hits_4\n"


def test_safety_screens_are_stored_in_their_channel_and_never_shown(store, write, now):
    plan = plan_import(write(HITS + "C1,2026-01-05,1,2,5,5\nC2,2026-01-05,1,1,1,9\n"), store, now=now)
    assert plan.counts["stored"] == 1
    assert (plan.hidden, len(plan.to_frame()), len(plan.to_frame(safety=True))) == (2, 0, 2)
    assert plan.refusals == ("row 3: refused; its questionnaire is not shown here",)
    assert "hits" not in " ".join(plan.notes).casefold()
    plan.apply(store, skip_refused=True)
    assert store.administrations().is_empty()
    assert store.administrations(channel="safety")["client_id"].to_list() == ["C1"]
    assert set(store.safety_flags()["kind"]) == {"risk"}


def test_a_kept_score_of_a_screen_speaks_too(store, write, now):
    plan_import(write("client,date,hits_total\nC1,2026-01-05,18\nC2,2026-01-05,4\n"), store, now=now).apply(store)
    assert store.safety_flags().select("client_id", "item").rows() == [("C1", "total")]
