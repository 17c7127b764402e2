"""What one snapshot has read it gives again; queries are made once for each scope, about nobody in particular."""

from __future__ import annotations

import inspect
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import event

from mbc.errors import AccessDenied, NotInRecord
from mbc.store import Event, Store
from tests.store.conftest import GOOD_PASSWORD

READERS = tuple(
    name
    for name, reader in inspect.getmembers(Store, inspect.isfunction)
    if not name.startswith("_")
    and (found := inspect.signature(reader).parameters.get("client_id")) is not None
    and found.kind is found.KEYWORD_ONLY
    and inspect.signature(reader, eval_str=False).return_annotation == "pl.DataFrame"
)


def statements(store: Store) -> list[str]:
    """Collect the statements that the record is asked from now on."""
    asked: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    return asked


def test_there_are_readers_to_try():
    assert {"administrations", "goals", "homework", "safety_flags", "relationships"} <= set(READERS)


@pytest.mark.parametrize("reader", READERS)
def test_each_client_is_read_by_themselves_however_often_a_query_is_used(clinic, url, reader):
    for client_id in ("C1", "C2", "C1"):
        rows = getattr(clinic, reader)(client_id=client_id)
        everybody = getattr(clinic, reader)()
        if "client_id" in rows.columns:
            assert_frame_equal(rows, everybody.filter(pl.col("client_id") == client_id))
        with Store.open(url) as fresh:
            assert_frame_equal(rows, getattr(fresh, reader)(client_id=client_id))


def test_a_snapshot_asks_once_for_what_is_read_twice(clinic):
    with clinic.snapshot():
        first = clinic.goals(client_id="C1")
        asked = statements(clinic)
        assert_frame_equal(clinic.goals(client_id="C1"), first)
        assert asked == []
        assert clinic.goals(client_id="C2")["client_id"].to_list() == ["C2"]
        assert asked
    del asked[:]
    clinic.goals(client_id="C1")
    assert asked, "what was read before the snapshot ended is not given after it"


def test_a_frame_that_its_reader_changes_is_changed_for_nobody_else(clinic):
    with clinic.snapshot():
        mine = clinic.goals(client_id="C1")
        mine.insert_column(0, pl.Series("mine", [1]))
        assert "mine" not in clinic.goals(client_id="C1").columns


def test_what_one_user_has_read_is_not_given_to_another_in_the_same_snapshot(clinic):
    clinic.accounts.add("first", GOOD_PASSWORD, "clinician", "T1")
    clinic.accounts.add("second", GOOD_PASSWORD, "clinician", "T2")
    clinic.accounts.add("counts", GOOD_PASSWORD, "analyst")
    first, second, analyst = (clinic.as_user(name) for name in ("first", "second", "counts"))
    with clinic.snapshot():
        assert first.goals(client_id="C1").height == 1
        assert first.administrations(client_id="C1").height == 1
        for read in (second.goals, second.administrations, second.clients):
            with pytest.raises(NotInRecord):
                read(client_id="C1")
        with pytest.raises(AccessDenied):
            analyst.goals(client_id="C1")
        assert second.goals()["client_id"].to_list() == ["C2"]


def test_events_of_the_safety_channel_stay_with_those_who_may_read_them(clinic):
    clinic.accounts.add("careful", GOOD_PASSWORD, "clinician", "T1", permissions=("safety:read",))
    clinic.accounts.add("plain", GOOD_PASSWORD, "clinician", "T1")
    with clinic.writing(by="intake") as record:
        record.add(Event("C1-V9", "C1", date(2026, 2, 3), "safety plan", "made", "neutral"))
    careful, plain = clinic.as_user("careful"), clinic.as_user("plain")
    with clinic.snapshot():
        assert "C1-V9" in careful.events(client_id="C1")["event_id"].to_list()
        assert "C1-V9" not in plain.events(client_id="C1")["event_id"].to_list()
