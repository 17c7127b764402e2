"""Whose caseload a new client joins."""

from __future__ import annotations

import polars as pl
import pytest

from mbc.exchange import plan_import
from mbc.store import Clinician, Store

TEXT = (
    "client,date,instrument,scale,score{more}\n"
    "N1,2026-01-05,rses,total,12{first}\n"
    "N2,2026-01-05,rses,total,13{second}\n"
)


@pytest.fixture
def empty():
    with Store.create("sqlite://") as store:
        yield store


def brought_in(path, store, text, **options):
    path.write_text(text)
    plan_import(path, store, **options).apply(store)
    return dict(store.clients().select("client_id", "clinician_id").iter_rows())


def test_a_first_file_goes_into_an_empty_record_as_it_is(tmp_path, empty):
    plain = TEXT.format(more="", first="", second="")
    assert brought_in(tmp_path / "a.csv", empty, plain) == {"N1": None, "N2": None}


def test_where_one_clinician_is_on_record_new_clients_are_theirs(tmp_path, empty):
    with empty.writing(by="test") as record:
        record.add(Clinician("K1", "Dr. One"))
    plain = TEXT.format(more="", first="", second="")
    assert brought_in(tmp_path / "a.csv", empty, plain) == {"N1": "K1", "N2": "K1"}


def test_where_several_are_on_record_nobody_is_guessed(tmp_path, empty):
    with empty.writing(by="test") as record:
        record.add_all([Clinician("K1", "Dr. One"), Clinician("K2", "Dr. Two")])
    plain = TEXT.format(more="", first="", second="")
    assert brought_in(tmp_path / "a.csv", empty, plain) == {"N1": None, "N2": None}


def test_an_empty_record_learns_its_clinicians_from_the_file(tmp_path, empty):
    named = TEXT.format(more=",clinician", first=",K7", second=",K8")
    assert brought_in(tmp_path / "a.csv", empty, named) == {"N1": "K7", "N2": "K8"}
    assert empty.clinicians().rows() == [("K7", "K7"), ("K8", "K8")]


def test_the_first_clinician_may_be_named_by_id_alone(tmp_path, empty):
    plain = TEXT.format(more="", first="", second="")
    assert brought_in(tmp_path / "a.csv", empty, plain, clinician="K1") == {"N1": "K1", "N2": "K1"}
    assert empty.clinicians().rows() == [("K1", "K1")]


def test_the_plan_counts_those_in_nobodys_caseload(tmp_path, empty):
    path = tmp_path / "a.csv"
    path.write_text(TEXT.format(more="", first="", second=""))
    plan = plan_import(path, empty)
    assert (plan.new_clients, plan.unassigned) == (2, 2)
    assert isinstance(plan.to_frame(), pl.DataFrame)
