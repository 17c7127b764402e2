"""``mbc user``, as somebody at a terminal meets it."""

from __future__ import annotations

import io
import sys

import pytest

from mbc.cli import user_ways_in
from mbc.cli.program import main
from mbc.store import ROLES, Client, Clinician, Store

GOOD = "harbour lamp, seven geese"


@pytest.fixture
def url(tmp_path, monkeypatch):
    address = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(address) as store, store.writing(by="intake") as record:
        record.add(Clinician("T1", "Clinician one"))
        record.add(Client("C1", clinician_id="T1"))
    monkeypatch.setenv("MBC_STORE", address)
    monkeypatch.delenv("MBC_PASSWORD", raising=False)
    return address


@pytest.fixture
def mbc(monkeypatch, capsys):
    """Run the command; gives its status, what it printed and what it complained of."""

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mbc", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return int(ended.value.code or 0), printed.out, printed.err

    return run


ADD = ("user", "add", "ann", "--role", "clinician", "--clinician", "T1")


def test_the_roles_offered_are_those_of_the_store():
    assert user_ways_in.ROLES == ROLES


def test_an_account_is_added_listed_disabled_and_enabled(url, mbc):
    assert mbc("user", "list") == (
        0,
        "There is no account yet. Create one: mbc user add NAME --role clinician --clinician ID\n",
        "",
    )
    assert mbc(*ADD, "--password-stdin", typed=GOOD + "\n")[:2] == (0, "Account 'ann' can sign in as clinician.\n")
    assert mbc("user", "list")[1].split() == ["ann", "clinician", "clinician", "T1"]
    assert mbc("user", "disable", "ann")[0] == 0
    assert mbc("user", "list")[1].split()[-1] == "disabled"
    with Store.open(url) as store:
        assert store.accounts.verify("ann", GOOD) is None
    assert mbc("user", "enable", "ann")[0] == 0
    with Store.open(url) as store:
        assert store.accounts.verify("ann", GOOD) is not None


def test_the_password_may_come_from_the_environment(url, mbc, monkeypatch):
    monkeypatch.setenv("MBC_PASSWORD", GOOD)
    assert mbc(*ADD, "--safety")[0] == 0
    with Store.open(url) as store:
        user = store.accounts.verify("ann", GOOD)
    assert user is not None
    assert user.has_permission("safety:read")


def test_a_password_is_changed(url, mbc, monkeypatch):
    mbc(*ADD, "--password-stdin", typed=GOOD)
    status, out, _ = mbc("user", "password", "ann", "--password-stdin", typed="nine grey herons waded\r\n")
    assert (status, "earlier sign-ins have ended" in out) == (0, True)
    with Store.open(url) as store:
        assert store.accounts.verify("ann", GOOD) is None
        assert store.accounts.verify("ann", "nine grey herons waded") is not None


def test_a_clinician_may_be_added_with_the_account(url, mbc):
    command = ("user", "add", "bob", "--role", "clinician", "--clinician", "T2", "--password-stdin")
    status, _, err = mbc(*command, typed=GOOD)
    assert (status, "no clinician 'T2'" in err) == (1, True)
    assert mbc(*command, "--display-name", "Clinician two", typed=GOOD)[0] == 0
    with Store.open(url) as store:
        assert store.clinicians()["display_name"].to_list() == ["Clinician one", "Clinician two"]


def test_a_supervisor_sees_named_clinicians(url, mbc):
    command = ("user", "add", "sue", "--role", "supervisor", "--supervises", "T1", "--password-stdin")
    assert mbc(*command, typed=GOOD)[0] == 0
    with Store.open(url) as store:
        assert store.as_user("sue").clients()["client_id"].to_list() == ["C1"]


@pytest.mark.parametrize(
    ("arguments", "typed", "status", "says"),
    [
        (ADD, "", 1, "no terminal to ask on"),
        ((*ADD, "--password-stdin"), "short\n", 1, "it needs at least 12"),
        ((*ADD, "--password-stdin"), "", 1, "has 0 characters"),
        ((*ADD, "--password-stdin", "--display-name", "Somebody else"), GOOD, 1, "on record with other content"),
        (("user", "add", "ann", "--role", "boss"), "", 2, "'boss' is not one of 'clinician'"),
        (("user", "add", "ann"), "", 2, "Missing option '--role'"),
        (("user", "add", "--role", "analyst"), "", 2, "Missing argument 'NAME'"),
        (("user", "add", "ann", "--role", "analyst", "--display-name", "A"), "", 2, "--display-name names"),
        (("user", "add", "a b", "--role", "analyst", "--password-stdin"), GOOD, 1, "A username is"),
        (("user", "disable", "bob"), "", 1, "no account 'bob'"),
        (("user", "password", "bob", "--password-stdin"), GOOD, 1, "no account 'bob'"),
        (("user", "list", "--store", "sqlite:////nowhere/x.db"), "", 1, "Create one: mbc init"),
        (("user", "list", "--store", "clinic.db"), "", 1, "Did you mean 'sqlite:///clinic.db'"),
        (("user", "add", "ann", "--role", "analyst", "--password", "x"), "", 2, "No such option"),
    ],
)
def test_a_mistake_is_explained(url, mbc, arguments, typed, status, says):
    ended, _, err = mbc(*arguments, typed=typed)
    assert ended == status
    assert says in err
    with Store.open(url) as store:
        assert store.accounts.table().is_empty()


def test_a_refused_password_leaves_nothing_half_done(url, mbc):
    command = ("user", "add", "bob", "--role", "clinician", "--clinician", "T2", "--display-name", "Two")
    assert mbc(*command, "--password-stdin", typed="short")[0] == 1
    with Store.open(url) as store:
        assert store.clinicians().height == 1
