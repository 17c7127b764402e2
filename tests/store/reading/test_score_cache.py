"""Scores that are kept: the same as worked out, never stale, and gone with whoever they are about."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import text

from mbc.care import scores
from mbc.care.scoring import definition_digest as definitions
from mbc.care.scoring.rescore import keep_scores, rebuild_scores, rescoring, wrong_scores
from mbc.exchange.own_definitions import keep_definitions
from mbc.instruments import instrument
from mbc.instruments.own.template import start
from mbc.store import Administration, Client, Clinician, Relationship, Store
from tests.own_questionnaires import unreadable
from tests.store.conftest import GOOD_PASSWORD

pytestmark = pytest.mark.long

DAY = date(2026, 3, 2)
PARTS = len(instrument("ecr_s").scales)
SHEETS = (  # every kind of score: whole, blank, prorated, banded, by relationship, a total alone, out of range
    Administration("C1", "rses", DAY, (3, 2, 2, 1, 0, 2, 3, 1, 2, 2), form="a", coding="0-3"),
    Administration("C1", "rses", DAY + timedelta(7), (4, 3, 3, 2, 1, 3, 4, 2, 3, None), form="b", coding="1-4"),
    Administration("C1", "phq9", DAY, (1, 2, 0, None, 1, 0, 2, 1, 1), {"total": 8}),
    Administration("C1", "phq9", DAY + timedelta(7), totals={"total": 12}),
    Administration("C1", "csi4", DAY, (5, 4, 3, 2), target="C1-R1"),
    Administration("C2", "ecr_s", DAY, (1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, None)),
    Administration("C2", "gad7", DAY, (0, 1, 2, 3, 0, 1, 9)),  # nobody can answer 9
    Administration("C2", "gad7", DAY + timedelta(7), (0, 1, 2, 3, 0, 1, 2)),
    Administration("C2", "unheard_of", DAY, (1, 2)),
    Administration("C2", "hits", DAY, (1, 2, 1, 1), channel="safety"),
)


@pytest.fixture
def answered(store) -> Store:
    with store.writing(by="desk") as record:
        record.add_all([Client("C1"), Client("C2"), Relationship("C1-R1", "C1", "R1")])
        record.keep_definition(unreadable("unheard_of"))
        record.add_all(SHEETS)
    return store


def dropped(store) -> None:
    store.keep_scores([], dropping=store.score_sets()["set_id"].to_list())


def same_with_and_without(store, client_id="C1") -> None:
    """Whole, by client and by questionnaire: what is kept makes no difference."""
    for asked in ({}, {"client_id": client_id}, {"instrument": "gad7"}):
        kept = scores(store, **asked, invalid="null")
        dropped(store)
        assert_frame_equal(kept, scores(store, **asked, invalid="null"))
        keep_scores(store)
        assert_frame_equal(kept, scores(store, **asked, invalid="null"))


def test_kept_scores_are_those_that_would_be_worked_out(answered):
    fresh = scores(answered, invalid="null")
    # C1: RSES twice, PHQ-9, a total alone, CSI-4; C2: ECR-S, GAD-7 (the one out of range is not kept)
    assert keep_scores(answered) == 6 + PARTS
    assert_frame_equal(scores(answered, invalid="null"), fresh)
    assert keep_scores(answered) == 0
    same_with_and_without(answered)
    assert wrong_scores(answered) == 0


def test_an_answer_out_of_range_is_refused_whether_scores_are_kept_or_not(answered):
    keep_scores(answered)
    with pytest.raises(Exception, match="gad7"):
        scores(answered)


def test_a_correction_is_never_answered_with_an_old_score(answered):
    keep_scores(answered)
    with answered.writing(by="desk") as record:
        record.add(Administration("C1", "phq9", DAY, (3,) * 9), supersede="misread")
        record.add(Administration("C1", "phq9", DAY + timedelta(14), (2,) * 9))
    totals = scores(answered, client_id="C1", instrument="phq9").sort("taken_on")["score"].to_list()
    assert totals == [27, 12, 18]
    assert keep_scores(answered) == 2
    same_with_and_without(answered)


def test_an_erased_client_has_no_kept_score(answered):
    keep_scores(answered)
    answered.erase("C1", reason="a request")
    with answered._engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM score")).scalar_one()
    assert left == 1 + PARTS
    assert set(scores(answered, invalid="null")["client_id"]) == {"C2"}
    same_with_and_without(answered, "C2")
    assert answered.verify().intact


def test_a_changed_definition_is_never_answered_with_an_old_score(answered, tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("MBC_INSTRUMENTS", str(tmp_path / "own"))
    file = tmp_path / "own" / "closeness.toml"
    file.write_text(start("closeness", items=4, answers=(1, 4)))
    with answered.writing(by="desk") as record:
        keep_definitions(record, ["closeness"])
        record.add(Administration("C1", "closeness", DAY, (1, 2, 3, 4)))
    keep_scores(answered)
    assert scores(answered, instrument="closeness")["score"].to_list() == [10]
    file.write_text(start("closeness", items=4, answers=(1, 4)).replace("reverse = [] ", 'reverse = ["q1"] '))
    assert scores(answered, instrument="closeness")["score"].to_list() == [13]
    (found,) = rescoring(answered)
    assert (found.instrument, found.changed, found.scales[0].lowest) == ("closeness", 1, 3)


def test_changed_code_is_never_answered_with_an_old_score(answered, monkeypatch):
    keep_scores(answered)
    sets = answered.score_sets()["definition"]
    monkeypatch.setattr(definitions, "_code", lambda: "other code")
    monkeypatch.setattr(definitions, "_known", {})
    assert keep_scores(answered) == 6 + PARTS
    assert len(set(answered.score_sets()["definition"])) == 2 * len(set(sets))
    assert {one.changed for one in rescoring(answered)} == {0}
    rebuild_scores(answered, rescoring(answered))
    assert set(answered.score_sets()["definition"]).isdisjoint(sets)
    assert rescoring(answered) == ()


def test_somebody_who_writes_into_the_cache_is_noticed(answered):
    keep_scores(answered)
    with answered._engine.begin() as connection:
        connection.execute(text("UPDATE score SET score = 1 WHERE administration_id = 1"))
        connection.execute(text("UPDATE score SET band = 'mild' WHERE administration_id = 4"))
    assert wrong_scores(answered) == 2
    rebuild_scores(answered)
    assert wrong_scores(answered) == 0


def test_rebuilding_is_in_the_trail_and_names_nobody(answered):
    keep_scores(answered)
    rebuild_scores(answered, rescoring(answered))
    last = answered.audit.entries(last=1).row(0, named=True)
    assert (last["action"], last["subject"]) == ("rescore", None)
    assert "C1" not in last["detail"]
    assert answered.verify().intact


def test_a_view_meets_kept_scores_of_its_own_clients_only(answered):
    with answered.writing(by="desk") as record:
        record.add(Clinician("T1", "one"))
        record.add(Client("C1", None, "T1"), supersede="assigned")
    answered.accounts.add("ann", GOOD_PASSWORD, "clinician", "T1")
    keep_scores(answered)
    mine = answered.as_user("ann")
    assert set(scores(mine)["client_id"]) == {"C1"}
    every = answered.score_sets()["set_id"].to_list()
    assert set(mine.administrations_to_score(every).kept["client_id"]) == {"C1"}
