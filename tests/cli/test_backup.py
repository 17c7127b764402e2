"""``mbc backup``, ``restore``, ``encrypt`` and ``key``, as somebody meets them at the command line."""

from __future__ import annotations

import re
from datetime import date

import pytest
from click import ClickException
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import MbcError
from mbc.store import Administration, Client, Store
from mbc.store.database import sqlcipher

pytestmark = pytest.mark.long

KEY, OTHER_KEY = "quiet lantern, two otters", "seven boats, no harbour"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(sqlcipher, "_ROUNDS", 1)
    for name in ("MBC_STORE", "MBC_STORE_KEY", "MBC_STORE_KEY_FILE", "MBC_BACKUP_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a record, where commands run."""
    monkeypatch.chdir(tmp_path)
    with Store.create("sqlite:///clinic.db") as store, store.writing(by="intake") as record:
        record.add(Client("C1"))
        record.add(Administration("C1", "rses", date(2026, 1, 5), (3, 2, 2, 1, 0, 2, 3, 1, 2, 2)))
    return tmp_path


def run(*arguments, typed=None, **environment):
    """Run a command as `mbc.cli.program.main` does; gives its status and what it said."""
    words = list(map(str, arguments))
    done = CliRunner().invoke(program, words, input=typed, env=environment, standalone_mode=False)
    if isinstance(done.exception, MbcError):
        return 1, done.output + str(done.exception)
    if isinstance(done.exception, ClickException):
        return 2, done.output
    assert done.exception is None, done.exception
    return done.return_value or 0, done.output


def test_a_backup_says_what_it_holds_and_that_anybody_could_read_it(folder):
    status, said = run("backup", "b.mbcbackup")
    assert status == 0
    assert "Backup of sqlite:///clinic.db: 1 client, 1 questionnaire." in said
    assert re.search(r"Written to b.mbcbackup \(\d", said)
    assert "Verified: the record is intact" in said
    assert "It is not encrypted" in said
    status, said = run("backup", "b.mbcbackup")
    assert status == 1
    assert "The file b.mbcbackup already exists" in said
    assert run("backup", "b.mbcbackup", "--force")[0] == 0


def test_a_stick_that_is_not_connected_is_no_file_on_the_disk_of_the_record(folder):
    status, words = run("backup", "stick")
    assert (status, "There is no folder stick. Is the USB stick or disk connected?" in words) == (1, True)
    assert not (folder / "stick").exists()
    (folder / "stick").mkdir()
    status, words = run("backup", "stick")
    assert (status, "It is on the same disk as the record" in words) == (0, True)


def test_backups_in_a_folder_are_named_by_the_moment_and_the_oldest_go(folder):
    (folder / "copies").mkdir()
    (folder / "copies" / "clinic-notes.txt").write_text("kept")
    for day in (1, 2, 3):
        (folder / "copies" / f"clinic-2026010{day}T000000Z.mbcbackup").write_bytes(b"old")
        (folder / "copies" / f"other-2026010{day}T000000Z.mbcbackup").write_bytes(b"of another record")
    status, said = run("backup", "copies", "--keep", "2")
    assert status == 0
    left = sorted(path.name for path in (folder / "copies").iterdir() if path.name.startswith("clinic-2"))
    assert len(left) == 2
    assert left[0] == "clinic-20260103T000000Z.mbcbackup"
    assert "Removed clinic-20260101T000000Z.mbcbackup." in said
    assert len(list((folder / "copies").glob("other-*"))) == 3
    assert (folder / "copies" / "clinic-notes.txt").exists()


def test_copies_of_another_record_of_that_name_are_left_alone(folder):
    (folder / "copies").mkdir()
    (folder / "elsewhere").mkdir()
    theirs = "sqlite:///elsewhere/clinic.db"
    Store.create(theirs).close()
    assert run("backup", "copies", "--store", theirs)[0] == 0
    (copy,) = (folder / "copies").iterdir()
    copy = copy.rename(copy.with_name("clinic-20260101T000000Z.mbcbackup"))
    own = folder / "copies" / "clinic-20260102T000000Z.mbcbackup"
    assert run("backup", str(own))[0] == 0
    status, said = run("backup", "copies", "--keep", "1")
    assert (status, copy.exists(), own.exists()) == (0, True, False)
    assert f"Removed {own.name}." in said


def test_a_backup_is_checked_and_backups_are_listed(folder):
    (folder / "copies").mkdir()
    run("backup", "copies/a.mbcbackup")
    status, said = run("backup", "copies/a.mbcbackup", "--check")
    assert status == 0
    assert "complete; taken 20" in said
    assert "It contains 1 client, 1 questionnaire." in said
    content = bytearray((folder / "copies/a.mbcbackup").read_bytes())
    content[300] ^= 1
    (folder / "copies/b.mbcbackup").write_bytes(content)
    (folder / "copies/notes.txt").write_text("not a backup")
    status, said = run("backup", "copies", "--list")
    assert status == 1
    assert re.search(r"a\.mbcbackup .*complete; taken .*; 1 client, 1 questionnaire", said)
    assert re.search(r"b\.mbcbackup .*damaged", said)
    assert "notes" not in said
    status, said = run("backup", "copies/b.mbcbackup", "--check")
    assert (status, "is damaged" in said) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("b.mbcbackup", "--check", "--list"),
        ("b.mbcbackup", "--check", "--force"),
        ("b.mbcbackup", "--keep", "3"),
        (),
    ],
)
def test_wrong_usage_ends_with_2(folder, arguments):
    assert run("backup", *arguments)[0] == 2


def test_a_record_comes_back_and_the_one_before_is_kept(folder):
    run("backup", "b.mbcbackup")
    with Store.open("sqlite:///clinic.db") as store, store.writing() as record:
        record.add(Client("C2"))
    status, said = run("restore", "b.mbcbackup", "--to", "sqlite:///clinic.db")
    assert (status, "There is already a record at sqlite:///clinic.db" in said) == (1, True)
    status, said = run("restore", "b.mbcbackup", "--to", "sqlite:///clinic.db", "--force")
    assert status == 0
    assert re.search(r"Restored to sqlite:///clinic\.db: 1 client, 1 questionnaire, as of 20\d\d-", said)
    assert re.search(r"is kept as clinic\.db\.before-restore-\d", said)
    assert run("restore", "b.mbcbackup")[0] == 2
    assert run("restore", "nope", "--to", "sqlite:///x.db") == (1, "There is no file nope.")


def test_who_was_erased_since_the_backup_is_named(folder):
    from mbc.store.audit import tombstones  # noqa: PLC0415 - only here

    run("backup", "b.mbcbackup")
    with Store.open("sqlite:///clinic.db") as store, store._engine.begin() as connection:
        values = {"id": "erased-1", "salt": "ab", "client": tombstones.digest("ab", "C1")}
        connection.exec_driver_sql(
            "INSERT INTO tombstone VALUES (:id, '2026-02-01 00:00:00.000000', 'x', 'asked', '{}', :salt, :client)",
            values,
        )
    status, said = run("restore", "b.mbcbackup", "--to", "sqlite:///clinic.db", "--force")
    assert status == 0
    assert "Erased after this backup was taken, but restored with it: C1." in said


def test_a_record_is_encrypted_used_and_given_another_key(folder):
    status, said = run("encrypt", "--key-stdin", "--remove-plain", typed=f"{KEY}\n")
    assert status == 0
    assert (
        "Encrypted: 1 client, 1 questionnaire, every row compared. The record is now "
        "sqlcipher:///clinic.db" in said
    )
    assert "overwritten and removed" in said
    assert [path.name for path in folder.iterdir()] == ["clinic.db"]
    url = "sqlcipher:///clinic.db"
    status, said = run("backup", "b.mbcbackup", "--store", url, MBC_STORE_KEY=KEY)
    assert status == 0
    assert "encrypted" in said
    assert "It is not encrypted" not in said
    status, said = run("key", "change", "--store", url, "--key-stdin", typed="short\n", MBC_STORE_KEY=KEY)
    assert (status, "The key has 5 characters" in said) == (1, True)
    status, said = run("key", "change", "--store", url, "--key-stdin", typed=f"{OTHER_KEY}\n", MBC_STORE_KEY=KEY)
    assert status == 0
    assert "has a new key: 1 client" in said
    status, said = run("backup", "c.mbcbackup", "--store", url, MBC_STORE_KEY=KEY)
    assert (status, "The key in MBC_STORE_KEY does not open" in said) == (1, True)
    new = {"MBC_STORE_KEY": OTHER_KEY}
    status, said = run("restore", "b.mbcbackup", "--to", "sqlcipher:///back.db", **new)
    assert (status, "Give that one in MBC_BACKUP_KEY" in said) == (1, True)
    assert run("restore", "b.mbcbackup", "--to", "sqlcipher:///back.db", MBC_BACKUP_KEY=KEY, **new)[0] == 0
    with Store.open("sqlcipher:///back.db", key=OTHER_KEY) as store:
        assert store.clients().height == 1
    status, said = run("restore", "b.mbcbackup", "--to", "sqlite:///plain.db", MBC_STORE_KEY=KEY)
    assert (status, "add --decrypt" in said) == (1, True)
    status, said = run("restore", "b.mbcbackup", "--to", "sqlite:///plain.db", "--decrypt", MBC_STORE_KEY=KEY)
    assert (status, "This record is not encrypted" in said) == (0, True)


def test_a_plain_record_has_an_encrypted_backup_when_asked(folder):
    status, said = run("backup", "b.mbcbackup", "--encrypt", MBC_BACKUP_KEY=KEY)
    assert status == 0
    assert ", encrypted)" in said
    assert run("backup", "b.mbcbackup", "--check", MBC_BACKUP_KEY=KEY)[0] == 0
    status, said = run("backup", "b.mbcbackup", "--check", MBC_BACKUP_KEY=OTHER_KEY)
    assert (status, "does not open the backup" in said) == (1, True)
    status, said = run("backup", "c.mbcbackup", "--encrypt")
    assert status == 1
    assert "A key for the backup c.mbcbackup is required, and there is no terminal" in said


def test_a_key_that_was_not_typed_is_named_by_its_place(folder):
    status, said = run("encrypt", "--remove-plain", MBC_STORE_KEY=KEY)
    assert (status, "Its key is the one in MBC_STORE_KEY." in said) == (0, True)
    assert KEY not in said


def test_names_with_signs_of_patterns_are_names(folder):
    """What is removed is told by its name, letter by letter."""
    (folder / "[a]*").mkdir()
    (folder / "a.db.to-be-removed-1").write_text("of another record")
    with Store.create("sqlite:///[a].db") as store, store.writing(by="intake") as record:
        record.add(Client("C1"))
    (folder / "[a]*" / "a-20260101T000000Z.mbcbackup").write_bytes(b"of another record")
    assert run("backup", "[a]*", "--keep", "1", "--store", "sqlite:///[a].db")[0] == 0
    assert (folder / "[a]*" / "a-20260101T000000Z.mbcbackup").exists()
    assert run("encrypt", "--store", "sqlite:///[a].db", "--remove-plain", MBC_STORE_KEY=KEY)[0] == 0
    assert (folder / "a.db.to-be-removed-1").exists()
    assert not list(folder.glob("[[]a].db.*"))


def test_the_key_is_never_an_argument(folder):
    """Arguments are seen by everybody on the machine."""
    for name in ("backup", "restore", "encrypt"):
        _, said = run(name, "--help")
        assert not re.search(r"--(key|passphrase|password)[ =]", said)
    for name in ("change", "remember", "forget"):
        _, said = run("key", name, "--help")
        assert not re.search(r"--(key|passphrase|password)[ =]", said)


def test_a_key_is_kept_in_the_keyring_only_of_a_record_that_it_opens(folder):
    status, said = run("key", "remember", "--store", "sqlite:///clinic.db")
    assert (status, "is not an encrypted record" in said) == (1, True)
    status, said = run("key", "remember", "--store", "sqlcipher:///none.db")
    assert (status, "There is no record" in said) == (1, True)
    run("encrypt", "--key-stdin", "--remove-plain", typed=f"{KEY}\n")
    status, said = run("key", "remember", "--store", "sqlcipher:///clinic.db", MBC_STORE_KEY=OTHER_KEY)
    assert (status, "does not open the record" in said) == (1, True)


def test_a_new_record_can_be_encrypted_from_the_first_day(folder):
    status, said = run("init", "--store", "sqlcipher:///new.db", MBC_STORE_KEY=KEY)
    assert (status, "Created an empty record at sqlcipher:///new.db" in said) == (0, True)
    assert not sqlcipher.is_plain(folder / "new.db")
