"""``mbc start``: one person's own record, in words that say where it is and why it cannot be opened."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli import browser, own_record, start
from mbc.cli.own_record import OpenMark, OwnRecord
from mbc.cli.program import program
from mbc.errors import MbcError, SettingsError, StoreBusy, StoreNewer, StoreOlder
from mbc.sqlite_library import SQLITE
from mbc.store import Store

pytestmark = pytest.mark.long
PASSWORD = "seven geese, one harbour lamp"


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnRecord:
    """Where the record of this test would be; nothing is there yet."""
    monkeypatch.setenv("MBC_FOLDER", str(tmp_path / "own"))
    monkeypatch.setenv("MBC_PASSWORD", PASSWORD)
    monkeypatch.setattr(start, "_serve", lambda *_, **__: None)
    monkeypatch.setattr(start, "_BUSY_SECONDS", 0.1)
    monkeypatch.chdir(tmp_path)
    return OwnRecord.at(None)


def run(*words: str, answers: str | None = None):
    result = CliRunner().invoke(program, ["start", "--port", "0", "--no-browser", *words], input=answers)
    if result.exception is not None and not isinstance(result.exception, (MbcError, SystemExit)):
        raise result.exception
    return result


def test_the_first_start_makes_a_record_and_the_next_one_asks_nothing(record: OwnRecord, monkeypatch):
    first = run("--name", "Ann", "--plain")
    assert f"Your record will be kept in {record.folder}" in first.output
    assert "mbc demo --open" in first.output
    assert "not encrypted" in first.output
    with Store.open(record.address()) as store:
        assert store.accounts.verify("ann", PASSWORD) is not None
        assert store.as_user("ann").has_permission("safety:read")
        assert store.clients().is_empty()
    if os.name == "posix":
        assert record.folder.stat().st_mode & 0o777 == 0o700
        assert record.file.stat().st_mode & 0o777 == 0o600
    monkeypatch.delenv("MBC_PASSWORD")
    again = run()
    assert (again.exit_code, again.output) == (0, "")


def test_without_a_terminal_nothing_is_made(record: OwnRecord):
    fault = run().exception
    assert isinstance(fault, SettingsError)
    assert "no terminal to ask on" in str(fault)
    assert not record.exists()


def test_what_is_not_accepted_is_asked_for_again(record: OwnRecord, monkeypatch):
    monkeypatch.delenv("MBC_PASSWORD")
    monkeypatch.setattr(start, "_is_terminal", lambda: True)
    answers = f"an n\nann\nshort\nshort\n{PASSWORD}\n{PASSWORD}\n"
    result = run("--plain", answers=answers)
    assert result.exit_code == 0, result.output
    assert "has 5 characters; it needs at least 12" in result.output
    with Store.open(record.address()) as store:
        assert store.accounts.verify("ann", PASSWORD) is not None


def test_an_interrupted_first_start_is_taken_up_again(record: OwnRecord):
    record.make_folder()
    Store.create(record.address()).close()
    run("--name", "ann")
    with Store.open(record.address()) as store:
        assert store.accounts.table()["username"].to_list() == ["ann"]


@pytest.fixture
def ring() -> Iterator[dict[tuple[str, str], str]]:
    """A keyring that forgets everything when the test ends."""
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend  # noqa: PLC0415 - an extra of the package

    kept: dict[tuple[str, str], str] = {}

    class Ring(KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            return kept.get((service, username))

        def set_password(self, service, username, password):
            kept[service, username] = password

        def delete_password(self, service, username):
            del kept[service, username]

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield kept
    keyring.set_keyring(before)


def test_where_the_system_remembers_a_key_the_record_is_encrypted_with_the_password(record: OwnRecord, ring):
    result = run("--name", "ann")
    assert "The record is encrypted, and its key is the password that you chose" in result.output
    assert "This computer remembers it" in result.output
    assert list(ring.values()) == [PASSWORD]
    assert record.address().startswith("sqlcipher:///")
    with Store.open(record.address()) as store:
        assert store.accounts.verify("ann", PASSWORD) is not None
    assert run().exit_code == 0


@pytest.mark.parametrize("address", ["http://127.0.0.1:8060", ""])
def test_a_second_start_leads_to_the_first(record: OwnRecord, address: str):
    record.make_folder()
    mark = OpenMark(record)
    assert mark.take()
    mark.write(address) if address else None
    result = run("--name", "ann")
    if address:
        assert f"already open at {address}" in result.output
    else:
        assert "is being opened by another 'mbc start'" in str(result.exception)
    assert not record.exists()
    mark.give_back()
    assert OpenMark(record).take()


def test_a_taken_port_is_said_before_anything_is_asked(record: OwnRecord):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        fault = run("--port", str(taken.getsockname()[1])).exception
    assert isinstance(fault, SettingsError)
    assert "another program is using it. Choose another: --port" in str(fault)
    assert not record.exists()


def test_a_record_that_cannot_be_opened_says_why(record: OwnRecord):
    from mbc.store import migrations  # noqa: PLC0415

    run("--name", "ann", "--plain")
    blocking = SQLITE.connect(record.file, isolation_level=None)
    blocking.execute("PRAGMA journal_mode = DELETE")
    blocking.execute("BEGIN EXCLUSIVE")
    fault = run().exception
    blocking.close()
    assert isinstance(fault, StoreBusy)
    for revision, kind, words in (("9999", StoreNewer, "a newer mbc"), ("0001", StoreOlder, "mbc upgrade")):
        with SQLITE.connect(record.file) as connection:
            connection.execute(f"UPDATE {migrations.VERSION_TABLE} SET version_num = ?", (revision,))
        connection.close()
        fault = run().exception
        assert isinstance(fault, kind)
        assert words in str(fault)


def test_other_commands_use_the_record_where_none_is_named(record: OwnRecord, tmp_path: Path):
    nothing = CliRunner().invoke(program, ["user", "list"])
    assert f"(the file {tmp_path / 'clinic.db'})" in str(nothing.exception)
    run("--name", "ann", "--plain")
    own = CliRunner().invoke(program, ["user", "list"])
    assert f"Using your own record (mbc start): {record.file}" in own.stderr
    assert own.stdout.startswith("ann ")
    assert CliRunner().invoke(program, ["init"]).exit_code == 0  # a record of this folder, which then goes first
    here = CliRunner().invoke(program, ["user", "list"])
    assert here.stderr == ""
    assert "no account yet" in here.stdout


def test_the_questionnaire_is_served_too_where_the_folder_has_settings_for_it(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MBC_PASSWORD", PASSWORD)
    served, asked = [], []
    monkeypatch.setattr("dashboards.server.run.serve", lambda serving, ready: served.append(serving))
    monkeypatch.setattr(
        start, "start_questionnaire", lambda *words: asked.append(words[2:]) or ["Questionnaire on"]
    )
    for folder, expected in (("without", []), ("with", [tmp_path / "with" / "asking.toml"])):
        (tmp_path / folder).mkdir()
        for file in expected:
            file.write_text('address = "http://127.0.0.1:8061"\nhelp.en = "Call 112."\n', "utf-8")
        assert run("--folder", str(tmp_path / folder), "--name", "ann", "--plain").exit_code == 0
        assert [file for file, *_ in asked] == expected
    assert len(served) == 2


def test_the_folder_is_the_systems_own_unless_another_is_named(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("MBC_FOLDER", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert own_record.default_folder() == tmp_path / "mbc" / "record"
    monkeypatch.chdir(tmp_path)
    where = CliRunner().invoke(program, ["start", "--folder", "here", "--where"])
    assert where.stdout == f"sqlite:///{(tmp_path / 'here' / 'clinic.db').as_posix()}\n"
    assert not (tmp_path / "here").exists()


def test_a_browser_within_the_terminal_is_never_started(monkeypatch):
    monkeypatch.setattr(browser.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(browser.webbrowser, "open", lambda _: pytest.fail("a browser was started"))
    assert not browser.open_browser("http://127.0.0.1:1")
