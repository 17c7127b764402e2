"""Demographics stand apart from clinical data: who may read them, what an export holds, what an erasure takes."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from mbc.errors import AccessDenied, Conflict, StoreError
from mbc.exchange import export_record, import_record
from mbc.store import Demographics, Store
from mbc.store._aggregate_view import counting_view
from tests.store.conftest import GOOD_PASSWORD, fill_numbers

DAY = date(2026, 5, 1)


@pytest.fixture
def two(filled):
    return filled(fill_two)


def fill_two(store):
    with store.writing(by="intake") as record:
        fill_numbers(record, (1, 2))
    grant = {"permissions": ["demographics:read"]}
    store.accounts.add("plain", GOOD_PASSWORD, "clinician", "T1")
    store.accounts.add("granted", GOOD_PASSWORD, "clinician", "T1", **grant)
    store.accounts.add("above", GOOD_PASSWORD, "supervisor", supervises=["T1", "T2"], **grant)
    store.accounts.add("ana", GOOD_PASSWORD, "analyst")


def test_with_the_permission_one_reads_and_writes_those_of_ones_own_clients(two):
    mine = two.as_user("granted")
    assert mine.demographics()["client_id"].to_list() == ["C1"]
    with mine.writing() as record:
        record.add(Demographics("C1", DAY, gender="x"), supersede="asked again")
    assert mine.demographics()["gender"].to_list() == ["x"]
    above = two.as_user("above")
    assert above.demographics()["client_id"].to_list() == ["C1", "C2"]
    with pytest.raises(AccessDenied), above.writing() as record:
        record.add(Demographics("C1", DAY, gender="y"), supersede="asked again")


def test_without_it_nobody_does_and_counting_people_leaves_them_out(two):
    plain = two.as_user("plain")
    for refused in (plain.demographics, counting_view(plain, "clinic outcomes").demographics,
                    counting_view(two.as_user("ana"), "clinic outcomes").demographics):  # fmt: skip
        with pytest.raises(AccessDenied):
            refused()
    with pytest.raises(AccessDenied), plain.writing() as record:
        record.add(Demographics("C1", DAY, gender="y"), supersede="asked again")
    with pytest.raises(AccessDenied), plain.writing() as record:
        record.withdraw_entry(Demographics, ("C1",), reason="entered in error")


def test_an_export_holds_them_only_when_asked_and_an_import_brings_them_back(two, tmp_path):
    export_record(two, tmp_path / "plain")
    assert not (tmp_path / "plain" / "demographics.csv").exists()
    export_record(two, tmp_path / "all", include_demographics=True)
    rows = pl.read_csv(tmp_path / "all" / "demographics.csv")
    assert rows["age_band"].to_list() == ["25-34", "25-34"]
    with pytest.raises(AccessDenied, match="demographics:read"):
        export_record(two.as_user("plain"), tmp_path / "no", include_demographics=True)
    with Store.create(f"sqlite:///{tmp_path / 'again.db'}") as again:
        import_record(tmp_path / "all", again)
        assert again.demographics().equals(two.demographics())


def test_an_erasure_takes_them_out_and_the_seals_hold(two):
    two.erase("C1", reason="a request")
    assert two.demographics()["client_id"].to_list() == ["C2"]
    assert two.verify().intact


@pytest.mark.parametrize(
    ("fields", "message"),
    [({}, "No value is given for C1"), ({"age_band": "25 to 34 years, or so\n"}, "age_band")],
)
def test_what_says_nothing_or_is_no_code_is_refused(fields, message):
    with pytest.raises(StoreError, match=message):
        Demographics("C1", DAY, **fields)


def test_another_value_needs_a_reason(two):
    with pytest.raises(Conflict), two.writing(by="intake") as record:
        record.add(Demographics("C2", DAY, gender="x"))
