"""The record keeps the clinic's models: the same for every process, dated, and never of the safety channel."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mbc.care import CohortModels, client_review, client_trajectory
from mbc.care.forecast import kept_models
from mbc.care.forecast.clinic_models import NOT_YET
from mbc.care.forecast.kept_models import due_models, make_models, read_model, to_keep
from mbc.care.forecast.learned_model import cohort_model
from mbc.errors import StoreError
from mbc.instruments import instrument
from mbc.store import Administration, Client, SafetyPlan, Store

DAY = dt.date(2026, 3, 2)
RSES = instrument("rses")
N_CLIENTS = 60


def total(client: int, week: int) -> float:
    """A score of a course with its own level and slope, and scatter, by a fixed rule."""
    wave = ((client * 37 + week * 101) % 11) - 5
    return float(np.clip(round(12 + client % 9 + week * (0.4 + client % 4 / 5) + wave / 2), 0, 30))


def fill(store: Store, n_clients: int = N_CLIENTS, first: int = 0) -> None:
    with store.writing(by="desk") as record:
        for client in range(first, first + n_clients):
            record.add(Client(f"C{client}"))
            for week in range(8):
                day = DAY + dt.timedelta(weeks=week)
                record.add(Administration(f"C{client}", "rses", day, totals={"total": total(client, week)}))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A record with a model of RSES, as the bytes of its file and key."""
    folder = tmp_path_factory.mktemp("models")
    with Store.create(f"sqlite:///{folder / 'clinic.db'}") as store:
        fill(store)
        assert [kept for _, kept in make_models(store, DAY)] == [True]
    return (folder / "clinic.db").read_bytes(), (folder / "clinic.db.scores-key").read_bytes()


@pytest.fixture
def url(made, tmp_path: Path) -> str:
    (tmp_path / "clinic.db").write_bytes(made[0])
    (tmp_path / "clinic.db.scores-key").write_bytes(made[1])
    return f"sqlite:///{tmp_path / 'clinic.db'}"


@pytest.fixture
def clinic(url) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


def kept(store: Store) -> list[tuple[str, str]]:
    return [(each.instrument, each.scale) for each in store.kept_models()]


def test_every_process_reads_the_same_model_and_none_learns_it_again(url, clinic, monkeypatch):
    monkeypatch.setattr("mbc.care.forecast.clinic_models.cohort_model", lambda *_: pytest.fail("a fit"))
    with Store.open(url) as other:
        one, two = (CohortModels(store).course(RSES, RSES.main_scale) for store in (clinic, other))
    assert one.version == two.version
    learned = cohort_model(clinic, "rses").course
    weeks = np.array([0.0, 4.0, 7.0])
    assert one.expected(15, weeks).expected == pytest.approx(learned.expected(15, weeks).expected, rel=1e-9)
    assert one.forecast([0, 1, 2], [15, 16, 15]).expected == pytest.approx(
        learned.forecast([0, 1, 2], [15, 16, 15]).expected, rel=1e-9
    )


def test_a_review_shows_the_day_of_the_model(clinic):
    review = client_review(clinic, "C1", cohort=CohortModels(clinic, fits="by command"), as_of=DAY)
    assert f"Learned from {N_CLIENTS} clients of this clinic, on 2 March 2026." in review.trajectories[0].outlook


@pytest.mark.parametrize("fits", NOT_YET)
def test_where_there_is_none_nobody_waits_and_the_chart_says_so(fits, monkeypatch):
    monkeypatch.setattr("mbc.care.forecast.clinic_models.cohort_model", lambda *_: pytest.fail("a fit"))
    with Store.create("sqlite://") as store:
        fill(store, 2)
        course = client_trajectory(store, "C0", "rses", cohort=CohortModels(store, fits=fits))
    assert course.no_forecast == course.curve_note == NOT_YET[fits]
    assert NOT_YET[fits] in course.caption
    assert "No forecast: " not in course.caption


def test_it_is_due_after_a_week_with_another_definition_or_mbc_and_not_for_a_new_questionnaire(
    clinic, monkeypatch
):
    assert due_models(clinic, DAY + dt.timedelta(days=6)) == []
    assert due_models(clinic, DAY + dt.timedelta(days=7)) == [(RSES, RSES.main_scale)]
    fill(clinic, 1, first=N_CLIENTS)
    assert due_models(clinic, DAY) == []  # it can be used, and a week changes it little
    monkeypatch.setattr(kept_models, "__version__", "another")
    assert due_models(clinic, DAY) == [(RSES, RSES.main_scale)]
    monkeypatch.undo()
    monkeypatch.setattr(kept_models, "instrument_digest", lambda _: "another")
    assert due_models(clinic, DAY) == [(RSES, RSES.main_scale)]


def test_what_lacked_records_is_due_again_once_something_was_written(monkeypatch):
    with Store.create("sqlite://") as store:
        fill(store, 3)
        assert [kept for _, kept in make_models(store, DAY)] == [True]
        assert due_models(store, DAY) == []
        fill(store, 1, first=3)
        assert due_models(store, DAY) == []  # not at once: somebody may be typing
        monkeypatch.setattr(kept_models, "TRIED_AGAIN", dt.timedelta(0))
        assert len(due_models(store, DAY)) == 1


def test_a_writing_of_the_safety_channel_makes_no_model_due_and_leaves_no_trace_in_the_log(monkeypatch):
    monkeypatch.setattr(kept_models, "TRIED_AGAIN", dt.timedelta(0))
    logs = []
    for safety in (False, True):
        with Store.create("sqlite://") as store:
            fill(store, 3)
            list(make_models(store, DAY))
            if safety:
                with store.writing(by="desk") as record:
                    record.add(Administration("C1", "hits", DAY, (4, 4, 4, 4)))
                    record.add(SafetyPlan("C1", DAY))
            assert due_models(store, DAY) == []
            fill(store, 1, first=3)
            assert [kept for _, kept in make_models(store, DAY)] == [True]
            entries = store.audit.entries(action="model kept")
            logs.append(entries.select("who", "action", "subject", "detail").rows())
    assert logs[0] == logs[1]


def test_two_processes_do_not_make_the_same_model(url, clinic):
    with Store.open(url) as other:
        assert other.claim_model("rses", "total")
        assert not clinic.claim_model("rses", "total")
        assert list(make_models(clinic, DAY, every=True)) == []
        assert kept(clinic) == [("rses", "total")]  # the old one is read meanwhile


def test_a_claim_ends(clinic):
    assert clinic.claim_model("rses", "total")
    with clinic._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE clinic_model SET claimed_until = '2020-01-01 00:00:00.000000'")
    assert clinic.claim_model("rses", "total")


@pytest.mark.long
def test_no_model_is_made_of_the_safety_channel(clinic):
    with clinic.writing() as record:
        for client in range(N_CLIENTS):
            record.add(Administration(f"C{client}", "hits", DAY, (1, 1, 1, 1)))
    assert clinic.measured() == ["rses"]
    assert due_models(clinic, DAY) == []
    assert [model.instrument for model, _ in make_models(clinic, DAY, every=True)] == ["rses"]
    model = replace(cohort_model(clinic, "rses"), instrument="hits")
    for refused in (
        lambda: clinic.keep_model(to_keep(model, RSES, revision=clinic.care_revision(), today=DAY)),
        lambda: clinic.claim_model("hits", "total"),
    ):
        with pytest.raises(StoreError, match="safety channel"):
            refused()


def test_an_erasure_takes_the_models_that_learned_from_the_client(clinic):
    clinic.erase("C7", reason="a request")
    assert kept(clinic) == []
    assert due_models(clinic, DAY) == [(RSES, RSES.main_scale)]
    ((made, was_kept),) = make_models(clinic, DAY)
    assert (made.n_clients, was_kept) == (N_CLIENTS - 1, True)


def test_an_erasure_leaves_models_of_what_the_client_never_answered(clinic):
    with clinic.writing() as record:
        record.add(Client("X"))
    clinic.erase("X", reason="a request")
    assert kept(clinic) == [("rses", "total")]


def test_a_fit_that_began_before_an_erasure_is_not_kept(clinic):
    model, revision = cohort_model(clinic, "rses"), clinic.care_revision()
    clinic.claim_model("rses", "total")
    clinic.erase("C7", reason="a request")
    assert not clinic.keep_model(to_keep(model, RSES, revision=revision, today=DAY))
    assert kept(clinic) == []
    assert clinic.claim_model("rses", "total")


def test_what_is_kept_names_nobody_and_has_no_row_of_anybody(clinic):
    (text,) = (each.content for each in clinic.kept_models())
    assert not any(f'"C{client}"' in text for client in range(N_CLIENTS))

    def longest(value: object) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return max([len(value) if isinstance(value, list) else 0, *map(longest, inner)], default=0)

    assert longest(json.loads(text)) < N_CLIENTS  # quantiles and coefficients: no list is as long as the clinic


def test_the_audit_log_says_that_a_model_was_made(clinic):
    last = clinic.audit.entries(action="model kept").row(-1, named=True)
    assert last["subject"] is None
    assert json.loads(last["detail"]) == {"instrument": "rses", "scale": "total"}
    assert clinic.verify().intact


EDITS = {
    "its numbers": "UPDATE clinic_model SET content = replace(content, '0.', '1.')",
    "its day": "UPDATE clinic_model SET made_on = '2026-03-09'",
    "its scale": "UPDATE clinic_model SET instrument = 'phq9'",
    "its definition": "UPDATE clinic_model SET definition = 'another'",
    "its digest": "UPDATE clinic_model SET digest = NULL",
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_model_that_was_edited_does_not_count_and_is_made_again(clinic, edit):
    with clinic._engine.begin() as connection:
        connection.exec_driver_sql(EDITS[edit])
    assert kept(clinic) == []
    assert due_models(clinic, DAY) == [(RSES, RSES.main_scale)]


def test_a_model_from_elsewhere_with_another_secret_does_not_count(url, tmp_path):
    (tmp_path / "clinic.db.scores-key").write_text("ab" * 32)
    with Store.open(url) as store:
        assert kept(store) == []
        assert len(list(make_models(store, DAY))) == 1
        assert kept(store) == [("rses", "total")]


@pytest.mark.parametrize("content", ["{}", "[]", "no JSON", '{"format": 0}'])
def test_a_text_that_is_no_model_is_none(clinic, content):
    (each,) = clinic.kept_models()
    assert read_model(each) is not None
    assert read_model(replace(each, content=content)) is None


def test_a_model_that_is_made_again_is_read_by_whoever_holds_the_old(clinic, monkeypatch):
    monkeypatch.setattr("mbc.care.forecast.clinic_models._LOOKED_FOR", 3600.0)
    models = CohortModels(clinic)
    before = models.made_on(RSES, RSES.main_scale), models.version
    list(make_models(clinic, DAY + dt.timedelta(days=7)))
    assert (models.made_on(RSES, RSES.main_scale), models.version) == before  # looked up a moment ago
    monkeypatch.setattr("mbc.care.forecast.clinic_models._LOOKED_FOR", 0.0)
    assert models.made_on(RSES, RSES.main_scale) == DAY + dt.timedelta(days=7)
    assert models.version != before[1]


def test_one_that_goes_wrong_stops_none_of_the_others(clinic, monkeypatch):
    with clinic.writing() as record:
        record.add(Administration("C1", "who5", DAY, (1,) * 5))
    learned = kept_models.learned_model

    def fails(rows, questionnaire, scale, lives):
        if questionnaire.key == "rses":
            raise StoreError("the disk is full")
        return learned(rows, questionnaire, scale, lives)

    monkeypatch.setattr(kept_models, "learned_model", fails)
    seen = []
    with pytest.raises(StoreError, match="the disk is full"):
        seen.extend(model.instrument for model, _ in make_models(clinic, DAY, every=True))
    assert kept(clinic) == [("rses", "total"), ("who5", "total")]
