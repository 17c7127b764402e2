from __future__ import annotations

import hashlib
from datetime import date

import polars as pl
import pytest
from sqlalchemy import create_engine, text

from mbc.errors import ImportRefused
from mbc.exchange import plan_import
from mbc.store import Client, Store

FIRST = (3, 2, 1, 0, 3, 2, 1, 0, 3, 2)
OTHER = (3, 2, 1, 0, 3, 2, 1, 0, 3, 3)


def test_a_plan_stores_nothing_and_applying_it_stores_all(store, write, rses_text, now):
    path = write(rses_text([("C1", "2026-01-05", FIRST), ("C2", "2026-01-06", OTHER)]))
    plan = plan_import(path, store, now=now)
    assert plan.counts == {"stored": 2, "duplicate": 0, "superseding": 0, "refused": 0}
    assert store.administrations().is_empty()
    done = plan.apply(store, by="ann")
    assert done.counts == plan.counts
    kept = store.administrations("rses")
    assert kept.select("client_id", "taken_on", "form", "coding", "version", "recorded_by").rows() == [
        ("C1", date(2026, 1, 5), "a", "0-3", "1965", "ann"),
        ("C2", date(2026, 1, 6), "a", "0-3", "1965", "ann"),
    ]
    assert store.answers("rses", client_id="C2")["value"].to_list() == [float(answer) for answer in OTHER]


def test_a_second_run_stores_nothing(store, write, rses_text, now):
    path = write(rses_text([("C1", "2026-01-05", FIRST), ("N1", "2026-01-06", OTHER)]))
    plan_import(path, store, now=now, clinician="K2").apply(store)
    before = store.administrations()
    for plan in (plan_import(path, store, now=now), plan_import(path, store, now=now, clinician="K1")):
        assert plan.counts["duplicate"] == 2
        assert plan.apply(store).counts["duplicate"] == 2
        assert plan.new_clients == 0
    assert store.administrations().equals(before)
    assert store.clients(client_id="N1")["clinician_id"].to_list() == ["K2"]


def test_one_refused_row_keeps_all_others_out_unless_asked(store, write, rses_text, now):
    path = write(rses_text([("C1", "2026-01-05", FIRST), ("N1", "2026-01-06", (9, *FIRST[1:]))]))
    plan = plan_import(path, store, now=now, clinician="K1")
    with pytest.raises(ImportRefused, match="1 of 2 administrations refused; nothing was stored") as refused:
        plan.apply(store)
    assert refused.value.rows == ("row 3: rses_1: 9 is out of range; accepted are 0 to 3 (coding 0-3)",)
    assert store.administrations().is_empty()
    assert plan.apply(store, skip_refused=True).counts == {
        "stored": 1, "duplicate": 0, "superseding": 0, "refused": 1,
    }  # fmt: skip
    assert store.administrations()["client_id"].to_list() == ["C1"]
    assert "N1" not in store.clients()["client_id"]  # nothing of theirs was stored, so neither are they


def test_skipping_cannot_skip_everything(store, write, rses_text, now):
    plan = plan_import(write(rses_text([("C1", "2026-01-05", (9, *FIRST[1:]))])), store, now=now)
    with pytest.raises(ImportRefused):
        plan.apply(store, skip_refused=True)


def test_a_correction_needs_a_reason_and_the_earlier_version_stays(store, write, rses_text, now):
    plan_import(write(rses_text([("C1", "2026-01-05", FIRST)])), store, now=now).apply(store)
    corrected = write(rses_text([("C1", "2026-01-05", OTHER)]), name="corrected.csv")
    plan = plan_import(corrected, store, now=now)
    assert plan.counts["refused"] == 1
    assert "on record with other content" in plan.refusals[0]
    with pytest.raises(ImportRefused, match="its only administration"):
        plan.apply(store)
    done = plan_import(corrected, store, now=now, supersede="typing error").apply(store)
    assert done.counts["superseding"] == 1
    assert store.answers("rses")["value"].to_list()[-1] == 3.0
    history = store.administrations(history=True)
    assert history.height == 2
    assert history["reason"].to_list() == [None, "typing error"]
    assert plan_import(corrected, store, now=now).counts["duplicate"] == 1


def test_a_conflict_met_while_storing_is_reported_row_by_row(store, write, rses_text, now):
    plan_of_file = plan_import(
        write(rses_text([("C1", "2026-01-05", OTHER), ("C2", "2026-01-05", FIRST)])), now=now
    )
    plan_import(write(rses_text([("C1", "2026-01-05", FIRST)]), name="b.csv"), store, now=now).apply(store)
    with pytest.raises(ImportRefused) as refused:
        plan_of_file.apply(store)
    assert [row.split(":")[0] for row in refused.value.rows] == ["row 2"]
    assert store.administrations().height == 1
    assert plan_of_file.apply(store, skip_refused=True).counts["stored"] == 1


def test_the_same_row_twice_is_stored_once(store, write, rses_text, now):
    row = ("C1", "2026-01-05", FIRST)
    plan = plan_import(write(rses_text([row, row])), store, now=now)
    assert plan.to_frame().select("outcome", "reason").rows() == [
        ("stored", None),
        ("duplicate", "the same as row 2"),
    ]
    assert plan.apply(store).counts["stored"] == 1


def test_a_questionnaire_handed_in_blank_is_left_out_and_said(store, write, rses_text, now):
    plan = plan_import(
        write(rses_text([("C1", "2026-01-05", FIRST), ("C1", "2026-01-12", [None] * 10)])), store, now=now
    )
    assert plan.counts["stored"] == 1
    assert "1 questionnaire without any answer left out (row 3)." in plan.notes


def test_new_clients_join_the_caseload_named_by_the_command_or_their_row(store, write, rses_text, now):
    lines = rses_text([("N1", "2026-01-05", FIRST), ("N2", "2026-01-05", FIRST)]).splitlines()
    path = write("\n".join([f"therapist,{lines[0]}", f",{lines[1]}", f"K2,{lines[2]}"]) + "\n")
    plan = plan_import(path, store, now=now, clinician="K1")
    assert plan.new_clients == 2
    plan.apply(store)
    new = store.clients().filter(pl.col("client_id").str.starts_with("N"))
    assert new.select("client_id", "clinician_id", "registered_on").rows() == [
        ("N1", "K1", now.date()),
        ("N2", "K2", now.date()),
    ]


def test_a_first_clinician_can_be_registered_on_the_way(store, write, rses_text, now):
    path = write(rses_text([("N1", "2026-01-05", FIRST)]))
    plan_import(path, store, now=now, clinician="K9", display_name="Dr. Nine").apply(store)
    assert store.clinicians().rows()[-1] == ("K9", "Dr. Nine")
    assert store.clients(client_id="N1")["clinician_id"].to_list() == ["K9"]


def test_where_each_row_came_from_is_kept(tmp_path, write, rses_text, now):
    path = write(rses_text([("C1", "2026-01-05", FIRST), ("C1", "2026-01-12", OTHER)]), name="visit 2.csv")
    url = f"sqlite:///{tmp_path}/record.db"
    with Store.create(url) as store:
        with store.writing() as record:
            record.add(Client("C1"))
        plan_import(path, store, now=now).apply(store)
    engine = create_engine(url)
    with engine.connect() as connection:
        kept = connection.execute(
            text("SELECT source_name, source_sha256, source_line FROM administration JOIN entry USING (entry_id)")
        ).all()
    engine.dispose()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert sorted(tuple(row) for row in kept) == [("visit 2.csv", digest, 2), ("visit 2.csv", digest, 3)]


def test_risk_answers_reach_the_safety_channel_and_nothing_else(store, write, now):
    columns = ",".join(f"phq9_{n}" for n in range(1, 10))
    rows = ["C1,2026-01-05,1,1,1,1,1,1,1,1,0", "C2,2026-01-05,1,1,1,1,1,1,1,1,2", "C3,2026-01-05,1,1,1,1,1,1,1,1,"]
    plan = plan_import(write(f"client,date,{columns}\n" + "\n".join(rows) + "\n"), store, now=now)
    done = plan.apply(store)
    flags = store.safety_flags().select("client_id", "instrument", "item", "kind", "raised_on").rows()
    day = date(2026, 1, 5)
    assert flags == [("C2", "phq9", "i9", "risk", day), ("C3", "phq9", "i9", "ask", day)]
    for said in (str(done.to_frame()), repr(done), " ".join(done.notes)):
        assert not any(word in said.casefold() for word in ("risk", "safety", "flag"))


def test_progress_is_told_to_the_last_administration(store, write, rses_text, now):
    rows = [("C1", f"{year}-{month:02}-01", FIRST) for year in range(2000, 2025) for month in range(1, 13)]
    told: list[int] = []
    plan_import(write(rses_text(rows)), store, now=now).apply(store, progress=told.append)
    assert sum(told) == len(rows)
