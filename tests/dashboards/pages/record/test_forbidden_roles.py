"""Every form against everybody who may not have it: it does not exist for them, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from dashboards.app import PAGES
from dashboards.forms.catalogue import FORMS
from tests.attack.test_role_pages import FORMS as MANAGING
from tests.dashboards.pages.record.forbidden import (
    ADDRESSES,
    ALLOWED,
    ELSEWHERE,
    NEEDS,
    OTHERS,
    TYPED,
    Clinic,
    Entry,
    entry_of,
    not_for,
    served,
)
from tests.dashboards.pages.record.sheets import LIST

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """One for everybody who writes nothing."""
    with served(tmp_path_factory.mktemp("forbidden")) as made:
        yield made


@pytest.fixture(scope="module")
def entries(clinic: Clinic) -> list[Entry]:
    wren = clinic.enter("wren")
    return [entry_of(clinic.record, wren, key) for key in TYPED]


def post(visitor: FlaskClient, address: str, values: dict[str, str]):
    with visitor.session_transaction() as session:
        token = session.setdefault("csrf", "a token of this session")
    return visitor.post(address, data=values | {"csrf": token})


def test_every_form_and_every_address_is_in_these_tables():
    assert TYPED.keys() == FORMS.keys()
    assert {key: form.permission for key, form in FORMS.items() if form.permission} == NEEDS
    assert PAGES.forms.keys() == ADDRESSES.keys() | ELSEWHERE | MANAGING.keys()


def test_for_who_may_each_entry_is_written(tmp_path):
    with served(tmp_path) as own:
        wren = own.enter("wren")
        for key in TYPED:
            before = own.record.revision()
            answer = post(wren, "/record-entry", entry_of(own.record, wren, key)[2])
            assert (answer.status_code, own.record.revision() != before) == (303, True), f"{key}: {answer.text}"


IN_MAKE_TEST = ("noa", "ivo", "sol", "lead", "res")  # the other roles are also in test_record_rules


@pytest.mark.parametrize(
    "who", [pytest.param(who, marks=() if who in IN_MAKE_TEST else pytest.mark.slow) for who in OTHERS]
)
def test_what_is_not_theirs_does_not_exist_and_nothing_is_written(clinic, entries, who):
    record, visitor, theirs = clinic.record, clinic.enter(who), not_for(who, entries)
    before, missing = record.revision(), visitor.get("/no-such-page").text

    asked: list[str] = []

    def refused(method: str, address: str, about: str, sent: dict[str, str] | None = None) -> str:
        answer = visitor.get(address) if method == "GET" else post(visitor, address, sent or {})
        assert answer.status_code == 404, about
        assert "Content-Disposition" not in answer.headers
        asked.append(about)
        return answer.text

    lists = [f"{LIST}/restricted"] if who == "noa" else [LIST, f"{LIST}/restricted"]
    for path in (*lists, *(path for _, path, _ in theirs)):
        assert refused("GET", path, path) == missing, path
    for key, _, sent in theirs:
        refused("POST", "/record-entry", key, sent)
    for address, sent in ADDRESSES.items():
        if address not in ALLOWED.get(who, ()):
            refused("POST", address, address, sent)
    assert record.revision() == before
    lines = record.audit.entries(who=who, include_safety=True)["action"].to_list()
    assert set(lines) <= {"sign-in", "read", "refused"}  # and nothing else was done
    assert lines.count("refused") == len(asked)
