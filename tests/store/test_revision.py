"""The revision of a record: another one after everything that is written, and after nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from mbc.errors import AccessDenied
from mbc.store import Session, Store

DAY = date(2026, 1, 9)
GOOD_PASSWORD = "harbour lamp, seven geese"


def hold(store, number: int, *, attended: bool = True, supersede: str | None = None):
    with store.writing(by="ann") as record:
        day = DAY + timedelta(days=number)
        record.add(Session("C1", "C1-E1", number, day, attended), supersede=supersede)


def test_it_changes_with_every_writing_of_any_process_and_with_nothing_else(clinic, url):
    seen = [clinic.revision()]
    assert clinic.answers().height >= 0
    assert clinic.revision() == seen[0]  # reading changes nothing
    hold(clinic, 2)
    seen.append(clinic.revision())
    hold(clinic, 2, attended=False, supersede="written down wrongly")
    seen.append(clinic.revision())
    with Store.open(url) as another:
        hold(another, 3)
    seen.append(clinic.revision())
    clinic.erase("C2", reason="asked for")
    seen.append(clinic.revision())
    assert len(set(seen)) == len(seen)


def test_a_users_view_does_not_tell_that_something_was_written(clinic):
    clinic.accounts.add("one", GOOD_PASSWORD, "clinician", "T1")
    with pytest.raises(AccessDenied):
        clinic.as_user("one").revision()
