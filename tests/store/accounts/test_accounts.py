"""Accounts: only hashes are kept, guessing is slow, and an unknown name looks like a wrong password."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text

from mbc.errors import AccessDenied, Conflict, NotInRecord, SettingsError
from mbc.store import Clinician
from mbc.store.access.password_rules import require_good
from mbc.store.accounts import passwords, sign_ins
from mbc.store.schema import tables
from tests.store.conftest import GOOD_PASSWORD


@pytest.fixture
def people(filled):
    return filled(add_ann)


def add_ann(store):
    with store.writing(by="intake") as record:
        record.add(Clinician("T1", "Clinician one"))
    store.accounts.add("ann", GOOD_PASSWORD, "clinician", "T1")


def trail(store):
    return store.audit.entries().select("action", "subject", "detail").rows()


def test_the_right_password_signs_in_and_no_other(people):
    user = people.accounts.verify(" Ann ", GOOD_PASSWORD)
    assert user is not None
    assert (user.username, user.role, user.clinician_id) == ("ann", "clinician", "T1")
    assert user.has_permission("aggregate:read")
    assert not user.has_permission("safety:read")
    assert people.accounts.verify("ann", GOOD_PASSWORD + " ") is None
    assert people.accounts.verify("bob", GOOD_PASSWORD) is None
    assert people.accounts.verify("", "") is None


def test_odd_names_and_passwords_are_wrong_ones(people, monkeypatch):
    monkeypatch.setattr(sign_ins, "MOST_FAILURES", 100)
    for odd in ("\x00", "\ud800", "ann\x00", "' OR 1=1 --", "x" * 100_000, "\n"):
        assert people.accounts.verify(odd, GOOD_PASSWORD) is None
        assert people.accounts.verify("ann", odd) is None
        with pytest.raises(SettingsError):
            people.accounts.set_password("ann", odd * 12)
        with pytest.raises(AccessDenied):
            people.as_user(odd)
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None
    assert people.audit.verify().intact


def test_the_same_letters_from_another_keyboard_sign_in(people):
    people.accounts.set_password("ann", "caf\u00e9 lantern drifts")
    assert people.accounts.verify("ann", "cafe\u0301 lantern drifts") is not None


def test_only_an_argon2_hash_is_kept(people):
    with people._engine.connect() as connection:
        row = connection.execute(select(tables.account)).mappings().one()
    assert row["password_hash"].startswith("$argon2id$")
    assert GOOD_PASSWORD not in str(dict(row))
    assert all(GOOD_PASSWORD not in str(line) for line in trail(people))


def test_five_mistakes_pause_an_account_for_a_while(people):
    for _ in range(sign_ins.MOST_FAILURES):
        assert people.accounts.verify("ann", "wrong wrong wrong") is None
    assert people.accounts.verify("ann", GOOD_PASSWORD) is None
    assert people.accounts.paused_sign_ins()["username"].to_list() == ["ann"]
    assert trail(people)[-1] == ("sign-in refused", "ann", '{"attempts": 5, "why": "password"}')
    people._shared.clock = lambda: datetime.now(UTC) + sign_ins.LOCKED_FOR + timedelta(seconds=1)
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None


def test_mistakes_are_forgotten_after_a_sign_in(people):
    for _ in range(3):
        for _ in range(sign_ins.MOST_FAILURES - 1):
            people.accounts.verify("ann", "wrong wrong wrong")
        assert people.accounts.verify("ann", GOOD_PASSWORD) is not None


def test_an_unknown_name_costs_a_hash_too(people, monkeypatch):
    checked = []

    class Hasher:
        def verify(self, hashed: str, password: str) -> bool:
            return bool(checked.append(hashed))

        hash = passwords._HASHER.hash

    people.accounts.add("new", None, "analyst")
    monkeypatch.setattr(passwords, "_HASHER", Hasher())
    people.accounts.verify("ann", "wrong wrong wrong")
    people.accounts.verify("nobody", "wrong wrong wrong")
    people.accounts.verify("new", "wrong wrong wrong")  # its owner has not chosen a password yet
    assert len(checked) == 3
    assert all(hashed.startswith("$argon2id$") for hashed in checked)


def test_what_is_typed_as_an_unknown_name_is_not_written_down(people):
    people.accounts.verify("harbour lamp typed in the wrong field", "x")
    assert all("harbour" not in str(line) for line in trail(people))


def test_a_weaker_hash_is_replaced_at_the_next_sign_in(people, monkeypatch):
    def stored():
        with people._engine.connect() as connection:
            return connection.execute(select(tables.account.c.password_hash)).scalar_one()

    before = stored()
    stricter = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", stricter)
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None
    assert stored() != before
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None


def test_disabling_closes_and_enabling_opens(people):
    people.accounts.set_active("ann", active=False)
    assert people.accounts.verify("ann", GOOD_PASSWORD) is None
    people.accounts.set_active("ann", active=True)
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None


def test_a_new_password_ends_earlier_sign_ins(people):
    before = people.accounts.active("ann").changed_at
    people.accounts.set_password("ann", "seven other words entirely")
    assert people.accounts.active("ann").changed_at > before
    assert people.accounts.verify("ann", GOOD_PASSWORD) is None


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "5 characters; it needs at least 12"),
        ("x" * 1025, "the limit is 1024"),
        ("passwordpassword", "too easy to guess"),
        ("Password1234!", "too easy to guess"),
        ("123456789012", "too easy to guess"),
        ("qwertyuiop123", "too easy to guess"),
        ("aaaaaaaaaaaaaa", "too easy to guess"),
        ("correct horse battery staple", "too easy to guess"),
        ("bob-2026-bob-2026", "too easy to guess"),
        ("clinic-admin-2026", "too easy to guess"),
    ],
)
def test_poor_passwords_are_refused_and_never_repeated(password, says):
    with pytest.raises(SettingsError, match=says) as refused:
        require_good(password, username="bob")
    assert password not in str(refused.value)


def test_a_poor_password_makes_no_account(people):
    with pytest.raises(SettingsError, match="at least 12"):
        people.accounts.add("bob", "short", "analyst")
    with pytest.raises(SettingsError, match="at least 12"):
        people.accounts.set_password("ann", "short")
    assert people.accounts.table().height == 1
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None


@pytest.mark.parametrize("password", ["nine grey herons waded", "jT7#kd02!qLp", "lowercaseonlywordsfine"])
def test_no_kind_of_character_is_asked_for(password):
    assert require_good(password, username="bob") == password


REFUSED = [
    ({"username": "Ann", "role": "analyst"}, Conflict, "Account 'ann' already exists"),
    ({"username": "two words", "role": "analyst"}, SettingsError, "A username is"),
    ({"username": "", "role": "analyst"}, SettingsError, "A username is"),
    ({"username": "bob", "role": "boss"}, SettingsError, "no role 'boss'"),
    ({"username": "bob", "role": "clinician"}, SettingsError, "needs the clinician"),
    ({"username": "bob", "role": "clinician", "clinician_id": "T9"}, NotInRecord, "no clinician 'T9'"),
    ({"username": "bob", "role": "analyst", "clinician_id": "T1"}, SettingsError, "has no caseload"),
    ({"username": "bob", "role": "analyst", "supervises": ["T1"]}, SettingsError, "Only a supervisor"),
    ({"username": "bob", "role": "supervisor", "supervises": ["T9"]}, NotInRecord, "no clinician 'T9'"),
    ({"username": "bob", "role": "analyst", "permissions": ["safety:read"]}, SettingsError, "is granted to"),
    ({"username": "bob", "role": "supervisor", "permissions": ["all"]}, SettingsError, "cannot be granted"),
]


def test_accounts_that_make_no_sense_are_refused(people):
    for options, fault, says in REFUSED:
        with pytest.raises(fault, match=says):
            people.accounts.add(password=GOOD_PASSWORD, **options)
    assert people.accounts.table().height == 1


def test_an_unknown_account_cannot_be_changed(people):
    for change in (
        lambda a: a.set_password("bob", GOOD_PASSWORD),
        lambda a: a.set_active("bob", active=False),
    ):
        with pytest.raises(NotInRecord, match="no account 'bob'"):
            change(people.accounts)
    with pytest.raises(AccessDenied, match="no active account 'bob'"):
        people.as_user("bob")


def test_sign_ins_and_changes_are_in_the_audit_trail(people):
    people.accounts.verify("ann", GOOD_PASSWORD)
    people.accounts.verify("ann", "wrong wrong wrong")
    people.accounts.set_active("ann", active=False)
    assert [action for action, _, _ in trail(people)] == [
        "write",
        "account added",
        "sign-in",
        "sign-in refused",
        "account disabled",
    ]


def test_a_damaged_hash_is_a_wrong_password(people):
    with people._engine.begin() as connection:
        connection.execute(text("UPDATE account SET password_hash = 'junk'"))
    assert people.accounts.verify("ann", GOOD_PASSWORD) is None
