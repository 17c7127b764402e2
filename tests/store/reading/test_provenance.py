"""Where what is on record came from can be read: file, digest, line, by whom and when, and what was corrected."""

from __future__ import annotations

from datetime import date

import pytest

from mbc.errors import AccessDenied, NotInRecord
from mbc.store import Administration, Client, Clinician, ImportSource, Store
from tests.store.conftest import GOOD_PASSWORD

DAY, DIGEST = date(2026, 1, 5), "ab" * 32


def gad7(*answers: int, line: int | None = None) -> Administration:
    return Administration("C1", "gad7", DAY, answers, form="standard", coding="0-3", source_line=line)


@pytest.fixture
def corrected(store: Store) -> Store:
    with store.writing(by="intake") as record:
        record.add(Clinician("K1", "Dr. One"))
        record.add(Client("C1", clinician_id="K1"))
    with store.writing(by="ann", source=ImportSource("first.csv", DIGEST, "csv")) as record:
        record.add(gad7(1, line=7))
    with store.writing(by="bea") as record:  # typed in on a page: from no file
        record.add(gad7(2), supersede="misread")
    return store


def test_file_line_and_correction_are_told_of_every_version(corrected):
    told = corrected.provenance(client_id="C1").select(
        "recorded_by", "source_name", "source_kind", "source_sha256", "source_line", "reason"
    )
    assert told.rows() == [
        ("ann", "first.csv", "csv", DIGEST, 7, None),
        ("bea", None, None, None, None, "misread"),
    ]
    first, second = corrected.provenance().select("administration_id", "supersedes").rows()
    assert second[1] == first[0]
    assert corrected.provenance("rses").is_empty()
    with pytest.raises(NotInRecord):
        corrected.provenance(client_id="C9")


def test_where_rows_came_from_is_blank_for_all_alike_without_the_permission(
    corrected,
):
    hits = Administration("C1", "hits", DAY, (1, 1, 1, 1), form="standard", coding="1-5", channel="safety")
    later = Administration("C1", "csi4", DAY, (5, 4, 3, 2), form="standard", coding="printed", source_line=3)
    with corrected.writing(source=ImportSource("violence_screens.csv", DIGEST, "csv")) as record:
        record.add_all([hits, later])
    corrected.accounts.add("one", GOOD_PASSWORD, "clinician", clinician_id="K1")
    corrected.accounts.add("two", GOOD_PASSWORD, "clinician", clinician_id="K1", permissions=["safety:read"])
    names = {
        who: corrected.as_user(who).provenance()["source_name"].drop_nulls().to_list() for who in ("one", "two")
    }
    assert names == {"one": [], "two": ["first.csv", "violence_screens.csv"]}
    assert corrected.as_user("two").provenance(channel="safety")["instrument"].to_list() == ["hits"]
    with pytest.raises(AccessDenied):
        corrected.as_user("one").provenance(channel="safety")
