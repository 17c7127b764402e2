"""Nothing that points at a person leaves."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from mbc.errors import IdentityLeft, MbcError
from mbc.privacy import days_since, fold_rare, guard, random_study_ids


def test_study_ids_are_a_permutation_that_differs_between_draws():
    clients = [f"C-{number:04d}" for number in range(200)]
    first, second = random_study_ids(clients).of, random_study_ids(clients).of
    assert set(first) == set(second) == set(clients)
    assert set(first.values()) == set(second.values()) == {f"P{number:03d}" for number in range(1, 201)}
    assert first != second  # chance of a tie: 1 in 200!
    assert list(first.values()) != sorted(first.values())  # not the order of the record


def test_an_id_without_a_study_id_is_refused_not_blanked():
    frame = pl.DataFrame({"client_id": ["A", "B"]})
    with pytest.raises(MbcError, match="1 ids in column 'client_id'"):
        random_study_ids(["A"]).replace(frame, "client_id", name="study_id")


def test_dates_become_days_since_each_persons_own_first_day():
    frame = pl.DataFrame(
        {
            "study_id": ["P1", "P1", "P2", "P2"],
            "on": [dt.date(2026, 1, 5), dt.date(2026, 2, 5), dt.date(2025, 7, 1), None],
        }
    )
    origins = {"P1": dt.date(2026, 1, 5), "P2": dt.date(2025, 6, 30)}
    shown = days_since(frame, origins, date="on", by="study_id", name="day")
    assert shown.columns == ["study_id", "day"]
    assert shown["day"].to_list() == [0, 31, 1, None]


def test_one_persons_two_rare_events_are_still_rare():
    events = pl.DataFrame({"study_id": ["P1", "P1", "P2", "P3"], "kind": ["rare", "rare", "common", "common"]})
    assert fold_rare(events, "kind", person="study_id", k=2)["kind"].to_list() == [
        "other",
        "other",
        "common",
        "common",
    ]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (pl.DataFrame({"on": [dt.date(2026, 1, 5)]}), "contains dates"),
        (pl.DataFrame({"at": [dt.datetime(2026, 1, 5, tzinfo=dt.UTC)]}), "contains dates"),
        (pl.DataFrame({"label": ["x"]}), "free text"),
        (pl.DataFrame({"target": ["R1", "c-0001"]}), "identifier"),
        (pl.DataFrame({"kind": [f"text {number}" for number in range(41)]}), "41 different texts"),
    ],
)
def test_the_guard_stops_what_points_at_a_person_and_does_not_repeat_it(table, fault):
    with pytest.raises(IdentityLeft, match=fault) as refused:
        guard({"scores": table}, identifiers={"C-0001"})
    assert "C-0001" not in str(refused.value)


def test_the_guard_lets_a_clean_table_pass():
    clean = pl.DataFrame({"study_id": ["P001"], "day": [12], "target": ["R1"], "score": [14.0]})
    assert guard({"scores": clean}, identifiers={"C-0001", "Ada"}) is None


def test_a_study_id_never_looks_like_an_id_on_record():
    drawn = random_study_ids(["P001", "PX02"]).of
    assert sorted(drawn.values()) == ["PXX001", "PXX002"]
