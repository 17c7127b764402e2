"""Answers on record become one tidy row per administration and scale."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from mbc.care import client_trajectory, clinic_report, scores
from mbc.care.scoring.columns import SCORED
from mbc.errors import InvalidResponse, NotInRecord, UnknownInstrument
from mbc.store import Administration, Client, Store
from tests.own_questionnaires import unreadable

DAY = dt.date(2025, 1, 6)


def test_scores_are_those_the_answers_were_written_for(store):
    found = scores(store, client_id="C1", instrument="rses").filter(~pl.col("recorded"))
    assert found["score"].to_list() == [12, 11, 8, None, 14, 21, 22, 24]
    assert found["answered"].to_list() == [10, 10, 10, 7, 10, 10, 10, 10]
    assert set(found["items"]) == {10}


def test_too_few_answers_are_no_score_and_never_zero(store):
    blank = scores(store, client_id="C1").filter(pl.col("answered") == 7)
    assert blank["score"].to_list() == [None]


def test_a_total_without_answers_is_marked_as_recorded_and_has_no_count(store):
    (row,) = scores(store, client_id="C1").filter("recorded").to_dicts()
    assert (row["score"], row["answered"], row["items"], row["prorated"]) == (23, None, None, None)


def test_a_recorded_total_has_the_band_its_score_lies_in(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/one.db") as made:
        with made.writing(by="test") as record:
            record.add(Client("C1"))
            record.add(Administration("C1", "phq9", DAY, totals={"total": 10}))  # Kroenke et al. (2001): moderate
        assert scores(made)["band"].to_list() == ["moderate"]


def test_answers_outrank_a_total_handed_in_beside_them(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/one.db") as made:
        with made.writing(by="test") as record:
            record.add(Client("C1"))
            record.add(Administration("C1", "phq9", DAY, answers=(1,) * 9, totals={"total": 12}))
        (row,) = scores(made).to_dicts()
        assert (row["score"], row["recorded"]) == (9, False)


def test_forms_and_codings_are_read_as_they_were_written(tmp_path):
    # The same answers on form a coded 0-3, and on form b coded 1-4, which has a's items in the order below.
    form_a = (3, 0, 2, 1, 0, 1, 2, 3, 0, 2)
    form_b = tuple(form_a[i - 1] + 1 for i in (7, 3, 9, 4, 5, 10, 1, 8, 6, 2))
    with Store.create(f"sqlite:///{tmp_path}/one.db") as made:
        with made.writing(by="test") as record:
            record.add_all([Client("C1"), Client("C2")])
            record.add(Administration("C1", "rses", DAY, answers=form_a, form="a", coding="0-3"))
            record.add(Administration("C2", "rses", DAY, answers=form_b, form="b", coding="1-4"))
        first, second = scores(made)["score"]
        # keyed: 3 + (3-0) + 2 + 1 + (3-0) + (3-1) + 2 + (3-3) + (3-0) + 2
        assert first == second == 21


def test_an_empty_record_has_the_same_columns(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/none.db") as made:
        assert scores(made).schema == SCORED.schema


def test_a_questionnaire_the_catalogue_does_not_know_is_left_out(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/one.db") as made:
        with made.writing(by="test") as record:
            record.add(Client("C1"))
            record.keep_definition(unreadable("my_own"))
            record.add(Administration("C1", "my_own", DAY, answers=(1, 2)))
        assert scores(made).is_empty()


def test_an_unknown_instrument_and_an_unknown_client_are_refused(store):
    with pytest.raises(UnknownInstrument, match="rses"):
        scores(store, instrument="rsess")
    with pytest.raises(NotInRecord):
        scores(store, client_id="C99")


def test_invalid_answers_are_refused_or_counted_as_blank(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/one.db") as made:
        with made.writing(by="test") as record:
            record.add(Client("C1"))
            record.add(Administration("C1", "phq9", DAY, answers=(7, 1, 1, 1, 1, 1, 1, 1, 1)))
        with pytest.raises(InvalidResponse, match="7"):
            scores(made)
        # one blank of nine: prorated by the questionnaire's own rule, 8 / 8 * 9
        (row,) = scores(made, invalid="null").to_dicts()
        assert (row["answered"], row["score"], row["prorated"]) == (8, 9, True)


def test_every_administration_of_the_sample_is_there_once_per_scale(sample):
    found = scores(sample)
    assert not found.select("administration_id", "scale").is_duplicated().any()
    assert set(found["administration_id"]) == set(sample.administrations()["administration_id"])


def test_where_work_does_not_apply_the_cutoff_for_all_items_is_not_used():
    # WSAS: five items of 0 to 8; without work four are left, so 32 is the most, and the cutoffs of 40 do not hold.
    with Store.create("sqlite://") as made:
        with made.writing(by="test") as record:
            record.add(Client("W1"))
            for week, score in enumerate((4, 2)):
                day = dt.date(2026, 1, 5) + dt.timedelta(weeks=week)
                record.add(Administration("W1", "wsas", day, (9, score, score, score, score)))
        rows = scores(made, instrument="wsas")
        assert rows.select("score", "maximum", "band").rows() == [(16.0, 32.0, None), (8.0, 32.0, None)]
        assert "some of its items do not apply" in client_trajectory(made, "W1", "wsas").caption
        report = clinic_report(made, definition="jacobson-truax", cohort="in-care")
        assert report.metrics == ()
