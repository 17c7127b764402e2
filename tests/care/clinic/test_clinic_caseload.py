"""Every client in one pass, in the same words as their own charts."""

from __future__ import annotations

import datetime as dt

import pytest

from mbc.care import caseload, client_trajectory
from mbc.store import Store

START = dt.date(2025, 1, 6)
AUGUST = dt.date(2025, 8, 1)


@pytest.fixture(scope="module")
def rows(store):
    return {row.client_id: row for row in caseload(store, as_of=AUGUST).rows}


def test_latest_score_and_change_are_in_words(rows):
    assert rows["C1"].cell("self_esteem").words == "23, +11: clearly better"
    assert rows["C2"].cell("relationship_satisfaction").words == "64, +4: no clear change"
    assert rows["C4"].cell("self_esteem").words == "15, first score"


def test_what_does_not_apply_says_so_and_has_no_score(rows):
    cell = rows["C4"].cell("relationship_satisfaction")
    assert (cell.latest, cell.words, cell.verdict) == (None, "not asked while single", "not known")


def test_a_sparkline_is_open_between_relationships_and_at_blank_sheets(rows):
    assert rows["C2"].cell("relationship_satisfaction").points == (40, 36, 20, None, 60, 64)
    assert rows["C1"].cell("self_esteem").points == (12, 11, 8, None, 14, 21, 22, 24, 23)


def test_a_score_travels_with_its_count(rows):
    assert (rows["C2"].cell("symptoms").answered, rows["C2"].cell("symptoms").items) == (9, 9)
    assert rows["C1"].cell("self_esteem").answered is None  # a recorded total


def test_silence_is_flagged_while_in_care_only(rows):
    assert "No contact for 9 weeks." in rows["C1"].reasons
    assert rows["C1"].group == "needs you"
    assert not any("No contact" in reason for reason in rows["C2"].reasons)
    assert "No questionnaire yet." in rows["C3"].reasons
    assert rows["C4"].group == "closed"
    assert rows["C4"].reasons[0].startswith("Care ended on")


def test_the_worklist_is_read_today(store):
    today = caseload(store)
    assert today.as_of == dt.date.today()  # noqa: DTZ011
    silent = {row.client_id for row in today.rows if row.closed is None and row.last_contact}
    assert silent == {row.client_id for row in today.rows if "No contact" in " ".join(row.reasons)}


def test_who_needs_the_clinician_comes_first_and_closed_cases_last(store):
    groups = [row.group for row in caseload(store, as_of=AUGUST).rows]
    order = ("needs you", "soon", "as expected", "closed")
    assert groups == sorted(groups, key=order.index)
    assert groups[-1] == "closed"


def test_rows_can_be_sorted_by_what_noise_explains(rows):
    # 11 points on a threshold of 5.6, and 4 on one of 6.7
    assert rows["C1"].cell("self_esteem").sort_key == pytest.approx(11 / 5.606, abs=0.01)
    assert 0 < rows["C2"].cell("relationship_satisfaction").sort_key < 1


def test_one_clinicians_clients_only(store):
    assert [row.client_id for row in caseload(store, clinician_id="K2").rows] == ["C3", "C4"]


def test_change_counts_from_the_present_care(store):
    (row,) = caseload(store, clinician_id="K3", as_of=AUGUST).rows
    assert row.cell("self_esteem").words == "16, +2: no clear change"
    assert [cell.instrument for cell in row.cells] == ["rses"]  # the WHO-5 belongs to earlier care
    assert row.sessions == 3


def test_a_narrowed_store_shows_its_own_clients_only(tmp_path, sample):
    with Store.open(sample.url) as own:
        own.accounts.add("ilse", "a long enough sentence for a test", "clinician", "K01")
        rows = caseload(own.as_user("ilse")).rows
    expected = set(sample.clients().filter(clinician_id="K01")["client_id"])
    assert {row.client_id for row in rows} == expected
    assert 0 < len(rows) < 150


def test_an_empty_record_is_an_empty_caseload(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/none.db") as made:
        found = caseload(made)
        assert (found.rows, found.caption) == ((), "0 clients in care.")
        assert found.to_frame().is_empty()


@pytest.mark.long
@pytest.mark.parametrize("every", [30, pytest.param(15, marks=pytest.mark.slow)])
def test_every_cell_of_the_sample_agrees_with_its_chart(sample, sample_models, every):
    for row in caseload(sample, cohort=sample_models).rows[::every]:
        for cell in row.cells:
            live = client_trajectory(
                sample, row.client_id, cell.instrument, cell.scale, cohort=sample_models
            ).current
            change = live.since_baseline if live else None
            if cell.latest is not None:
                assert cell.latest == pytest.approx(live.latest.score)
                assert cell.change == (pytest.approx(change.points) if change else None)
                assert cell.verdict == live.verdict


def test_the_table_has_a_row_per_client(store):
    table = caseload(store, as_of=AUGUST).to_frame()
    assert table.height == 5
    assert {"self_esteem_latest", "self_esteem_change", "self_esteem_words"} <= set(table.columns)
    assert {"state", "group", "reasons"} <= set(table.columns)
