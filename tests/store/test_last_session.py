"""The last day on which a session was held: always that of the record as it is, and as far as a view reaches."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from mbc.errors import AccessDenied
from mbc.store import Session, Store

HELD = date(2026, 1, 9)  # by both clinicians of the clinic
GOOD_PASSWORD = "harbour lamp, seven geese"


def hold(store, client_id: str, number: int, day: date, *, attended: bool = True, supersede: str | None = None):
    with store.writing(by="ann") as record:
        record.add(Session(client_id, f"{client_id}-E1", number, day, attended), supersede=supersede)


def test_it_follows_what_is_written(clinic, url):
    assert clinic.last_session_date() == HELD
    hold(clinic, "C1", 2, HELD + timedelta(days=7))
    assert clinic.last_session_date() == HELD + timedelta(days=7)
    hold(clinic, "C2", 2, HELD + timedelta(days=30), attended=False)  # missed
    assert clinic.last_session_date() == HELD + timedelta(days=7)
    hold(clinic, "C1", 2, HELD + timedelta(days=1), supersede="written down wrongly")
    assert clinic.last_session_date() == HELD + timedelta(days=1)
    with Store.open(url) as another:  # another process
        hold(another, "C1", 3, HELD + timedelta(days=14))
    assert clinic.last_session_date() == HELD + timedelta(days=14)


def test_an_empty_record_has_none(store):
    assert store.last_session_date() is None


def test_each_view_meets_its_own_clients_only(clinic):
    hold(clinic, "C2", 2, HELD + timedelta(days=7))
    clinic.accounts.add("one", GOOD_PASSWORD, "clinician", "T1")
    clinic.accounts.add("two", GOOD_PASSWORD, "clinician", "T2")
    clinic.accounts.add("counts", GOOD_PASSWORD, "analyst")
    assert clinic.last_session_date() == HELD + timedelta(days=7)
    assert clinic.as_user("one").last_session_date() == HELD
    assert clinic.as_user("two").last_session_date() == HELD + timedelta(days=7)
    with pytest.raises(AccessDenied):
        clinic.as_user("counts").last_session_date()
