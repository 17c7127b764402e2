"""Passwords in the clinic's file of leaked ones are refused, whatever its size; so is a file of another kind."""

from __future__ import annotations

import gzip
import hashlib
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.server.preparation import prepare
from mbc.errors import SettingsError
from mbc.store import Store
from mbc.store.access import leaked_passwords
from mbc.store.access.leaked_passwords import VARIABLE, check_leaked_passwords, is_leaked
from mbc.store.access.password_rules import require_good
from tests.cli.in_process import mbc

pytestmark = pytest.mark.long

texts = st.text(st.characters(codec="utf-8"), max_size=20)


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def content(
    passwords: Iterable[str], *, end: str = "\r\n", last: bool = True, counts: Iterable[int] = ()
) -> bytes:
    """What Have I Been Pwned would give for these passwords."""
    given = [*counts] or [1]
    lines = [f"{digest}:{given[i % len(given)]}" for i, digest in enumerate(sorted(map(sha1, passwords)))]
    return (end.join(lines) + (end if last else "")).encode()


@pytest.fixture
def leaked(tmp_path, monkeypatch) -> Callable[[bytes], Path]:
    """Name a file with this content."""
    path = tmp_path / "pwned"
    monkeypatch.setenv(VARIABLE, str(path))

    def write(text: bytes) -> Path:
        path.write_bytes(text)
        return path

    return write


@settings(max_examples=40)
@given(
    inside=st.sets(texts, min_size=1, max_size=40),
    others=st.sets(texts, max_size=20),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    lower=st.booleans(),
    counts=st.lists(st.integers(1, 10**9), min_size=1, max_size=5),
)
def test_a_search_finds_what_is_in_the_file_and_nothing_else(
    tmp_path_factory, inside, others, end, last, lower, counts
):
    path = tmp_path_factory.getbasetemp() / "pwned-of-a-property"
    text = content(inside, end=end, last=last, counts=counts)
    path.write_bytes(text.lower() if lower else text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(path))
        check_leaked_passwords()
        assert {password for password in inside | others if is_leaked(password)} == inside


def test_a_few_lines_of_a_large_file_are_read(leaked, monkeypatch):
    passwords = [f"password {number}" for number in range(20_000)]
    path = leaked(content(passwords))
    ordered = sorted(passwords, key=sha1)
    read, line_at = [], leaked_passwords._line_at
    monkeypatch.setattr(leaked_passwords, "_line_at", lambda *given: read.append(given) or line_at(*given))
    for password in (ordered[0], ordered[-1], ordered[1], ordered[-2], *passwords[:100]):
        read.clear()
        assert is_leaked(password)
        assert not is_leaked(f"{password}!")
        assert len(read) <= 2 * (math.log2(path.stat().st_size) + 1)
    read.clear()
    check_leaked_passwords()
    assert len(read) <= leaked_passwords._PLACES + 1


GOOD = content(["a", "b", "c", "d"])
LINES = GOOD.splitlines(keepends=True)
WRONG: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "not in order": (LINES[0] + LINES[2] + LINES[1] + LINES[3], "out of order"),
    "by frequency": (content(["x"]) + b"".join(reversed(LINES)), "out of order"),
    "of another hash": (b"".join(line[:32] + line[40:] for line in LINES), "byte 0 starts no such line"),
    "parts of a download": (b"".join(line[5:] for line in LINES), "starts no such line"),
    "without numbers": (GOOD.replace(b":1", b""), "starts no such line"),
    "a blank line": (GOOD + b"\r\n", "starts no such line"),
    "cut off": (GOOD[:-10], "starts no such line"),
    "packed": (gzip.compress(GOOD), "starts no such line"),
    "passwords": (b"letmein\npassword\nqwerty\n", "starts no such line"),
    "no lines at all": (b"A" * 10_000, "starts no such line"),
    "with a byte order mark": (b"\xef\xbb\xbf" + GOOD, "byte 0 starts no such line"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_of_another_kind_is_refused(name, leaked):
    text, words = WRONG[name]
    leaked(text)
    with pytest.raises(SettingsError, match=words) as refusal:
        check_leaked_passwords()
    assert str(refusal.value).startswith(f"The file of leaked passwords ({VARIABLE}) cannot be used: ")


def test_a_search_in_a_file_out_of_order_says_so_and_does_not_guess(leaked):
    leaked(b"".join(reversed(content([f"password {number}" for number in range(100)]).splitlines(keepends=True))))
    with pytest.raises(SettingsError, match="out of order"):
        [is_leaked(f"password {number}") for number in range(100)]


def test_a_missing_file_and_a_folder_are_refused_and_no_file_means_no_check(tmp_path, monkeypatch):
    for path, words in ((tmp_path / "gone", "No such file"), (tmp_path, "directory")):
        monkeypatch.setenv(VARIABLE, str(path))
        with pytest.raises(SettingsError, match=words) as refusal:
            check_leaked_passwords()
        assert str(tmp_path) not in str(refusal.value)
        with pytest.raises(SettingsError, match=words):
            require_good("harbour lamp, seven geese", username="ann")
    monkeypatch.delenv(VARIABLE)
    check_leaked_passwords()
    assert not is_leaked("password")


def test_a_new_password_is_refused_however_its_letters_were_typed(leaked):
    leaked(content(["harbour lamp, seven caf\u00e9s", "nine otters, \ufb01ve lanterns", "kettle"]))
    for password in ("harbour lamp, seven cafe\u0301s", "nine otters, \ufb01ve lanterns"):
        with pytest.raises(SettingsError, match="known from a leak") as refusal:
            require_good(password, username="ann")
        assert "otters" not in str(refusal.value)
    assert require_good("harbour lamp, seven geese", username="ann")


def test_commands_and_the_server_refuse_a_leaked_password_and_a_wrong_file(leaked, tmp_path, monkeypatch):
    leaked(content(["nine otters, a lantern"]))
    url = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(url) as record:
        record.accounts.add("ann", "harbour lamp, seven geese", "administrator")
    monkeypatch.setenv("MBC_STORE", url)
    monkeypatch.setenv("MBC_PASSWORD", "nine otters, a lantern")
    prepare(url)
    for words in (("add", "bea", "--role", "analyst"), ("password", "ann")):
        ended = mbc("user", *words)
        assert (ended.returncode, "known from a leak" in ended.stderr) == (1, True)
    with Store.open(url) as record:
        link = str(record.accounts.make_link("ann"))
        with pytest.raises(SettingsError, match="known from a leak"):
            record.accounts.use_link(link, "nine otters, a lantern")
        assert record.accounts.verify("ann", "harbour lamp, seven geese") is not None  # asked of new ones alone
    leaked(b"nonsense")
    for words in (("add", "bea", "--role", "analyst"), ("password", "ann"), ("link", "ann")):
        ended = mbc("user", *words)
        assert (ended.returncode, "starts no such line" in ended.stderr) == (1, True)
    assert mbc("user", "disable", "ann").returncode == 0  # in an emergency, no file is in the way
    with pytest.raises(SettingsError, match=VARIABLE):
        prepare(url)
