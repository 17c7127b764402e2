"""Readers: the same columns whatever is on record, in the same order, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest

from mbc.errors import NotInRecord, StoreError
from mbc.store import Administration, Client

MOMENT = pl.Datetime("us", "UTC")
TEXT, DAY, WHOLE, NUMBER, TRUTH = pl.String, pl.Date, pl.Int64, pl.Float64, pl.Boolean

COLUMNS = {
    "clients": {"client_id": TEXT, "alias": TEXT, "clinician_id": TEXT, "registered_on": DAY, "status": TEXT},
    "clinicians": {"clinician_id": TEXT, "display_name": TEXT},
    "episodes": {
        "episode_id": TEXT,
        "client_id": TEXT,
        "clinician_id": TEXT,
        "referred_on": DAY,
        "started_on": DAY,
        "ended_on": DAY,
        "ending": TEXT,
    },
    "relationships": {"relationship_id": TEXT, "client_id": TEXT, "label": TEXT, "kind": TEXT},
    "statuses": {"client_id": TEXT, "relationship_id": TEXT, "status": TEXT, "since": DAY, "step_forward": TRUTH},
    "sessions": {
        "client_id": TEXT,
        "episode_id": TEXT,
        "number": WHOLE,
        "held_on": DAY,
        "attended": TRUTH,
        "modality": TEXT,
    },
    "administrations": {
        "administration_id": WHOLE,
        "client_id": TEXT,
        "episode_id": TEXT,
        "instrument": TEXT,
        "version": TEXT,
        "form": TEXT,
        "coding": TEXT,
        "informant": TEXT,
        "target": TEXT,
        "taken_on": DAY,
        "taken_at": MOMENT,
        "session_number": WHOLE,
        "recorded_at": MOMENT,
        "recorded_by": TEXT,
        "supersedes": WHOLE,
        "reason": TEXT,
    },
    "answers": {
        "administration_id": WHOLE,
        "client_id": TEXT,
        "instrument": TEXT,
        "form": TEXT,
        "coding": TEXT,
        "target": TEXT,
        "informant": TEXT,
        "taken_on": DAY,
        "session_number": WHOLE,
        "item": WHOLE,
        "value": NUMBER,
    },
    "totals": {
        "administration_id": WHOLE,
        "client_id": TEXT,
        "instrument": TEXT,
        "target": TEXT,
        "informant": TEXT,
        "taken_on": DAY,
        "session_number": WHOLE,
        "scale": TEXT,
        "score": NUMBER,
    },
    "goals": {
        "goal_id": TEXT,
        "client_id": TEXT,
        "label": TEXT,
        "baseline": NUMBER,
        "target": NUMBER,
        "higher_is_better": TRUTH,
        "set_on": DAY,
        "retired_on": DAY,
        "retired_reason": TEXT,
        "scale": TEXT,
        "pattern": TEXT,
    },
    "goal_ratings": {"goal_id": TEXT, "client_id": TEXT, "rated_on": DAY, "rating": NUMBER},
    "events": {
        "event_id": TEXT,
        "client_id": TEXT,
        "occurred_on": DAY,
        "kind": TEXT,
        "label": TEXT,
        "valence": TEXT,
    },
    "safety_flags": {
        "client_id": TEXT,
        "administration_id": WHOLE,
        "instrument": TEXT,
        "item": TEXT,
        "kind": TEXT,
        "raised_on": DAY,
        "acknowledged_by": TEXT,
        "acknowledged_at": MOMENT,
    },
    "conflicts": {
        "conflict_id": TEXT,
        "client_id": TEXT,
        "occurred_on": DAY,
        "intensity": NUMBER,
        "repaired": TRUTH,
        "hours_to_repair": NUMBER,
        "count": WHOLE,
        "relationship_id": TEXT,
    },
}
OF_A_CLIENT = [reader for reader in COLUMNS if reader != "clinicians"]


def test_an_empty_record_has_every_column(store):
    for reader, columns in COLUMNS.items():
        frame = getattr(store, reader)()
        assert dict(frame.schema) == columns, reader
        assert frame.is_empty(), reader


def test_a_full_record_has_the_same_columns(clinic):
    for reader, columns in COLUMNS.items():
        frame = getattr(clinic, reader)()
        assert dict(frame.schema) == columns, reader
        assert not frame.is_empty(), reader


def test_one_client_only(clinic):
    for reader in OF_A_CLIENT:
        frame = getattr(clinic, reader)(client_id="C2")
        assert frame["client_id"].unique().to_list() == ["C2"], reader
        assert frame.equals(getattr(clinic, reader)().filter(pl.col("client_id") == "C2")), reader


def test_an_unknown_client_is_named_with_the_nearest(clinic):
    for reader in OF_A_CLIENT:
        with pytest.raises(NotInRecord, match=r"no client 'C-2' on record. Nearest: C2"):
            getattr(clinic, reader)(client_id="C-2")


def test_answers_stand_in_the_order_of_their_form_and_a_blank_is_null(clinic):
    answers = clinic.answers("phq9", client_id="C1")
    assert answers["item"].to_list() == list(range(1, 10))
    assert answers["value"].to_list() == [1.0, 2.0, 0.0, None, 1.0, 0.0, 2.0, 1.0, 1.0]
    assert answers["session_number"].unique().to_list() == [1]


def test_statuses_tell_a_story_in_time_with_the_person_first(clinic):
    told = clinic.statuses(client_id="C1").select("relationship_id", "status", "since").rows()
    assert told == [(None, "single", date(2025, 1, 1)), ("C1-R1", "partnered", date(2026, 1, 2))]


def test_rows_are_sorted_by_bytes_on_both_databases(store):
    """PostgreSQL's own order depends on its locale; the record's does not."""
    names = ["a1", "B1", "Z", "C-2", "C.1", "c2", "10", "9"]
    with store.writing(by="x") as record:
        record.add_all([Client(name) for name in names])
    assert store.clients()["client_id"].to_list() == sorted(names)


def test_moments_come_back_in_utc_whatever_zone_they_came_in(store):
    there = datetime(2026, 3, 1, 0, 30, 15, 123456, tzinfo=timezone(timedelta(hours=9)))
    with store.writing(by="x") as record:
        record.add(Client("C1"))
        record.add(Administration("C1", "rses", date(2026, 3, 1), (1,), taken_at=there))
    row = store.administrations().row(0, named=True)
    assert row["taken_at"] == datetime(2026, 2, 28, 15, 30, 15, 123456, tzinfo=UTC)
    assert row["taken_on"] == date(2026, 3, 1)  # the client's own day stays
    assert abs(row["recorded_at"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_safety_channel_is_a_record_apart(clinic):
    for reader in ("administrations", "answers", "totals"):
        care, safety = getattr(clinic, reader)(), getattr(clinic, reader)(channel="safety")
        assert care["instrument"].unique().to_list() == ["phq9"]
        assert safety["instrument"].unique().to_list() == ["hits"]
        assert getattr(clinic, reader)("hits").is_empty()
    with pytest.raises(StoreError, match="accepted are 'care' and 'safety'"):
        clinic.answers(channel="all")


def test_many_rows_come_in_several_batches(store, monkeypatch):
    monkeypatch.setattr("mbc.store.database.frames._AT_ONCE", 7)
    with store.writing(by="x") as record:
        record.add(Client("C1"))
        days = [date(2026, 1, 1) + timedelta(days=day) for day in range(5)]
        record.add_all([Administration("C1", "rses", day, (day.day, None, 1.5)) for day in days])
    assert store.answers()["value"].to_list() == [x for day in days for x in (float(day.day), None, 1.5)]
