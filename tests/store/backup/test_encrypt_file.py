"""Encrypted records: who has the key reads them, who has the disk does not, and every mix-up says what to do."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from mbc.distribution import install_hint
from mbc.errors import Conflict, MbcError, SettingsError, StoreError, WrongKey
from mbc.sqlite_library import SQLITE
from mbc.store import Client, Event, Store
from mbc.store.backup.encrypt_file import change_key, encrypt
from mbc.store.backup.restore import examine, restore
from mbc.store.database import encryption_keys as keys
from mbc.store.database import sqlcipher
from tests.store.backup.terminals import Terminals, terminals
from tests.store.backup.test_backup_and_restore import contents, without_last_line
from tests.store.conftest import STORE_KEY, fill

pytestmark = pytest.mark.long

pytest.importorskip("sqlcipher3", reason=f"sqlcipher3 is not installed ({install_hint('encrypted')})")
OTHER_KEY = "seven boats, no harbour"
TOLD = "left by the back door"
SECRETS = (b"left by the back door", b"alias of C1", b"CREATE TABLE", b"phq9", b"Clinician of", b"operator ")


@pytest.fixture
def plain(tmp_path):
    """A plain record with known words in it."""
    url = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(url) as store:
        tell(store)
    return url


@pytest.fixture
def encrypted(tmp_path):
    """An encrypted record with known words in it."""
    url = f"sqlcipher:///{tmp_path}/clinic.db"
    with Store.create(url) as store:
        tell(store)
    return url


def tell(store):
    with store.writing(by="intake") as record:
        fill(record, "T1", "C1")
        record.add(Event("C1-V2", "C1", date(2026, 3, 1), "move", TOLD))


def traces(folder):
    """Known words that can be read in any file of a folder, sub-folders included."""
    found = []
    for path in Path(folder).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [(path.name, secret) for secret in SECRETS if secret in content]
    return found


def test_nothing_can_be_read_on_disk_while_it_is_open(encrypted, tmp_path):
    with Store.open(encrypted) as store:
        tell_more(store)
        beside = {path.name for path in tmp_path.iterdir()}
        assert {"clinic.db", "clinic.db-wal", "clinic.db-shm"} <= beside
        assert traces(tmp_path) == []
        with store._engine.begin() as connection:  # a sort too large for memory's cache, and a rollback journal
            connection.execute(text("PRAGMA cache_size = 1"))
            connection.execute(text("SELECT * FROM event ORDER BY label, event_id")).all()
        assert traces(tmp_path) == []


def tell_more(store):
    with store.writing() as record:
        for number in range(500):
            record.add(Event(f"E{number}", "C1", date(2026, 3, 1), "move", f"{TOLD} {number}"))


def test_the_same_words_are_found_in_a_plain_record(plain, tmp_path):
    """So that a search that finds nothing says something."""
    assert {secret for _, secret in traces(tmp_path)} == set(SECRETS)


def test_nothing_can_be_read_in_a_backup_nor_while_it_is_made(encrypted, tmp_path):
    seen = []
    (tmp_path / "b").mkdir()
    with Store.open(encrypted) as store:
        made = store.backup(tmp_path / "b" / "x", progress=lambda what, part: seen.append(traces(tmp_path)))
    assert made.manifest.encrypted
    assert len(seen) > 3
    assert not any(seen)
    assert traces(tmp_path) == []
    assert examine(tmp_path / "b" / "x").rows == made.rows


def test_nothing_can_be_read_while_a_plain_record_is_backed_up_under_a_key(plain, tmp_path):
    (tmp_path / "b").mkdir()
    seen = []
    with Store.open(plain) as store:
        store.backup(
            tmp_path / "b" / "x", key=OTHER_KEY, progress=lambda what, part: seen.append(traces(tmp_path / "b"))
        )
    assert len(seen) > 3
    assert not any(seen)
    assert traces(tmp_path / "b") == []


def test_any_program_that_reads_sqlcipher_opens_it_with_the_same_passphrase(tmp_path, real_keys):
    """Derived here by SQLCipher itself, not by mbc."""
    Store.create(f"sqlcipher:///{tmp_path}/clinic.db").close()
    connection = sqlcipher.driver().connect(str(tmp_path / "clinic.db"))
    connection.execute(f"PRAGMA key = '{STORE_KEY}'")
    assert connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    assert connection.execute("PRAGMA kdf_iter").fetchone() == ("256000",)
    connection.close()


def test_a_wrong_key_says_so_and_is_not_repeated(encrypted, monkeypatch):
    monkeypatch.setenv("MBC_STORE_KEY", "quite another secret 9")
    with pytest.raises(
        WrongKey, match=r"The key in MBC_STORE_KEY does not open the record .*clinic\.db"
    ) as refused:
        Store.open(encrypted)
    assert "quite another" not in str(refused.value)
    with pytest.raises(WrongKey, match="that was given"):
        Store.open(encrypted, key="quite another secret 8")
    Store.open(encrypted, key=STORE_KEY).close()


def test_a_damaged_file_is_not_taken_for_a_puzzle(encrypted, tmp_path):
    path = tmp_path / "clinic.db"
    content = bytearray(path.read_bytes())
    content[20_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged"), Store.open(encrypted) as store:
        store.backup(tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_plain_and_encrypted_are_told_apart(plain, tmp_path):
    path = tmp_path / "clinic.db"
    with pytest.raises(StoreError, match=r"is not encrypted\. Open it as sqlite:///.*mbc encrypt --store"):
        Store.open(f"sqlcipher:///{path}")
    encrypt(plain, keep_plain=False)
    for opening in (Store.open, Store.create):
        with pytest.raises(StoreError, match=r"is encrypted, or not a database.*sqlcipher:///"):
            opening(plain)


@pytest.mark.parametrize(
    "url",
    [
        "sqlcipher:///clinic.db?key=hunter2hunter2",
        "sqlcipher://:hunter2hunter2@/clinic.db",
        "sqlcipher://ann:hunter2hunter2@host/clinic.db",
        "sqlite:///clinic.db?passphrase=hunter2hunter2",
        "sqlcipher://hunter2hunter2",
        "sqlcipher+x://hunter2hunter2/clinic.db",
        "sqlcipher:///clinic.db?cipher=hunter2hunter2",
        "sqlcipher://",
    ],
)
def test_an_address_with_a_key_or_anything_else_is_refused_and_not_repeated(url):
    with pytest.raises(SettingsError, match=r"address") as refused:
        Store.open(url)
    assert "hunter2" not in str(refused.value)


def test_the_key_comes_from_the_first_place_that_has_one(encrypted, tmp_path, monkeypatch, ring):
    path = tmp_path / "clinic.db"
    file = tmp_path / "key"
    file.write_text(f"{STORE_KEY}\n")
    file.chmod(0o600)
    monkeypatch.delenv("MBC_STORE_KEY")
    keys.forget(path)  # kept until the program ends
    with pytest.raises(SettingsError, match=r"no terminal .*MBC_STORE_KEY.*MBC_STORE_KEY_FILE.*mbc key remember"):
        Store.open(encrypted)
    keys.remember(path, keys.given(STORE_KEY))
    Store.open(encrypted).close()
    monkeypatch.setenv("MBC_STORE_KEY_FILE", str(file))
    keys.remember(path, keys.given(OTHER_KEY))  # not asked: the file comes first
    Store.open(encrypted).close()
    monkeypatch.setenv("MBC_STORE_KEY", OTHER_KEY)  # and this before the file
    with pytest.raises(WrongKey, match="MBC_STORE_KEY"):
        Store.open(encrypted)
    assert keys.forget_for_good(path)
    assert not keys.forget_for_good(path)


@pytest.fixture
def ring():
    """A keyring that forgets everything when the test ends."""
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend  # noqa: PLC0415 - an extra of the package
    from keyring.errors import PasswordDeleteError  # noqa: PLC0415

    class Ring(KeyringBackend):
        priority = 1

        def __init__(self):
            super().__init__()
            self.held = {}

        def get_password(self, service, username):
            return self.held.get((service, username))

        def set_password(self, service, username, password):
            self.held[service, username] = password

        def delete_password(self, service, username):
            if self.held.pop((service, username), None) is None:
                raise PasswordDeleteError

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield
    keyring.set_keyring(before)


def test_a_key_file_that_others_read_is_no_secret(encrypted, tmp_path, monkeypatch):
    monkeypatch.delenv("MBC_STORE_KEY")
    keys.forget(tmp_path / "clinic.db")
    file = tmp_path / "key"
    monkeypatch.setenv("MBC_STORE_KEY_FILE", str(file))
    for content, mode, says in ((STORE_KEY, 0o644, "can be read by others"), ("", 0o600, "is empty")):
        file.write_text(content)
        file.chmod(mode)
        with pytest.raises(SettingsError, match=says):
            Store.open(encrypted)
    file.unlink()
    with pytest.raises(SettingsError, match=r"cannot be read"):
        Store.open(encrypted)


def test_a_machine_without_a_keyring_says_so(tmp_path, monkeypatch):
    keyring = pytest.importorskip("keyring")
    from keyring.backends.fail import Keyring  # noqa: PLC0415 - an extra of the package

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        with pytest.raises(SettingsError, match=r"The key was not kept: .*password manager"):
            keys.remember(tmp_path / "clinic.db", keys.given(STORE_KEY))
        assert not keys.is_remembered(tmp_path / "clinic.db")
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("weak", ["short", "clinic2026!!", "password1234", "aaaaaaaaaaaaaaaa"])
def test_a_new_key_is_as_strong_as_a_password(plain, tmp_path, weak):
    before = (tmp_path / "clinic.db").read_bytes()
    with pytest.raises(SettingsError, match=r"^The key"):
        Store.create(f"sqlcipher:///{tmp_path}/new.db", key=weak)
    with pytest.raises(SettingsError, match=r"^The key"):
        encrypt(plain, key=weak)
    assert (tmp_path / "clinic.db").read_bytes() == before
    assert not (tmp_path / "new.db").exists()


def test_a_new_file_is_private_and_its_salt_is_its_own(tmp_path):
    salts = set()
    for name in ("a", "b"):
        Store.create(f"sqlcipher:///{tmp_path}/{name}").close()
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        salts.add((tmp_path / name).read_bytes()[:16])
    assert len(salts) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_two_programs_that_make_the_same_record_at_once_agree_on_its_key(tmp_path, monkeypatch):
    """The second one meets a file whose salt is written: it cannot choose another."""
    path = tmp_path / "clinic.db"
    first = sqlcipher.make_file(path, keys.given(STORE_KEY))
    assert sqlcipher.opens(path, first)
    with pytest.raises(FileExistsError):
        sqlcipher.make_file(path, keys.given(STORE_KEY))
    with Store.create(f"sqlcipher:///{path}") as store:
        assert store.clients().is_empty()


@pytest.mark.parametrize("keep", [True, False])
def test_a_plain_record_is_encrypted_in_place(plain, tmp_path, keep):
    with Store.open(plain) as store:
        before = contents(store)
    done = encrypt(plain, key=OTHER_KEY, keep_plain=keep)
    assert done.report.intact
    assert done.url == f"sqlcipher:///{tmp_path}/clinic.db"
    with Store.open(done.url, key=OTHER_KEY) as store:
        assert without_last_line(contents(store)) == before
        assert store.audit.entries(last=1)["action"].item() == "encrypt"
        with store.writing() as record:
            record.add(Client("C2"))
        assert store.verify().intact
    if keep:
        assert traces(tmp_path)
        with Store.open(f"sqlite:///{done.kept}") as store:
            assert contents(store) == before
        done.kept.unlink()
    assert {path.name for path in tmp_path.iterdir()} == {"clinic.db"}
    assert traces(tmp_path) == []


def test_a_removed_plain_file_is_overwritten_first(plain, tmp_path):
    """Seen through a second name of the same file."""
    size = (tmp_path / "clinic.db").stat().st_size
    (tmp_path / "aside").hardlink_to(tmp_path / "clinic.db")
    encrypt(plain, keep_plain=False)
    assert (tmp_path / "aside").stat().st_size == size
    assert traces(tmp_path) == []


def test_the_key_is_changed_and_the_old_one_opens_nothing(encrypted, tmp_path):
    with Store.open(encrypted) as store:
        before = contents(store)
        store.backup(tmp_path / "b")
    (tmp_path / "aside").hardlink_to(tmp_path / "clinic.db")
    done = change_key(encrypted, new_key=OTHER_KEY)
    assert done.report.intact
    with Store.open(encrypted, key=OTHER_KEY) as store:
        audit_before = before.pop("audit")
        after = contents(store)
        assert len(after.pop("audit")) == len(audit_before) + 2  # the backup, and this change
        assert after == before
    for path in ("clinic.db", "aside"):
        assert not sqlcipher.opens(tmp_path / path, sqlcipher.raw_of(tmp_path / path, keys.given(STORE_KEY)))
    # a backup keeps the key it was taken under; the record that is made of it has the key of today
    restore(tmp_path / "b", f"sqlcipher:///{tmp_path}/back.db", key=OTHER_KEY, backup_key=STORE_KEY)
    with Store.open(f"sqlcipher:///{tmp_path}/back.db", key=OTHER_KEY) as store:
        assert store.clients().height == 1


def test_a_record_in_use_is_neither_encrypted_nor_rekeyed(tmp_path):
    for url, change in (
        (f"sqlite:///{tmp_path}/a.db", encrypt),
        (f"sqlcipher:///{tmp_path}/b.db", lambda url: change_key(url, new_key=OTHER_KEY)),
    ):
        with Store.create(url) as store:
            with store.writing() as record:
                record.add(Client("C1"))
            with pytest.raises(Conflict, match="is in use"):
                change(url)
            assert store.clients().height == 1
        assert not [path for path in tmp_path.iterdir() if "unfinished" in path.name]


def test_what_cannot_be_encrypted_says_why(encrypted):
    with pytest.raises(SettingsError, match=r"already encrypted\. .*mbc key change"):
        encrypt(encrypted)
    with pytest.raises(SettingsError, match=r"Only a record in a file"):
        encrypt("sqlite://")
    with pytest.raises(SettingsError, match=r"Only a record in a file"):
        encrypt("postgresql://clinic")
    with pytest.raises(SettingsError, match="The new key is the old one"):
        change_key(encrypted, new_key=STORE_KEY)
    with pytest.raises(WrongKey):
        change_key(encrypted, key=OTHER_KEY, new_key=STORE_KEY)


def test_other_programs_databases_are_not_encrypted(tmp_path):
    other = SQLITE.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE recipes (name)")
    other.close()
    with pytest.raises(MbcError, match="belongs to another program"):
        encrypt(f"sqlite:///{tmp_path}/other.db")
    assert sqlcipher.is_plain(tmp_path / "other.db")
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]


ASK = """
for _ in range(2):  # asked once, although opened twice
    with Store.open(sys.argv[1]) as store:
        print("clients", store.clients().height)
"""
COMMAND = "main()"


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminals]:
    """What runs programs at terminals."""
    with terminals() as running:
        yield running


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
def test_the_key_is_asked_for_once_without_showing_it(terminal, encrypted):
    shown = terminal.run(ASK, encrypted, typed=[STORE_KEY])
    assert shown.count("Key of the record clinic.db") == 1
    assert shown.count("clients 1") == 2
    assert STORE_KEY not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
def test_a_slip_of_the_finger_is_asked_about_again_three_times_at_most(terminal, encrypted):
    assert "clients 1" in terminal.run(ASK, encrypted, typed=["a slip", STORE_KEY])
    shown = terminal.run(ASK, encrypted, typed=["a slip", "another", "and a third", STORE_KEY])
    assert shown.count("Key of the record") == 3
    assert shown.count("Wrong key.") == 2
    assert "WrongKey: The key that was typed does not open the record" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
def test_a_question_stands_on_a_line_of_its_own_beside_a_moving_bar(terminal, encrypted, tmp_path):
    with Store.open(encrypted) as store:
        store.backup(tmp_path / "b")
    url = f"sqlcipher:///{tmp_path}/new.db"
    shown = terminal.run(COMMAND, "restore", tmp_path / "b", "--to", url, typed=["a slip", STORE_KEY])
    assert "Verifying" in shown  # the bar
    assert re.search(r"\n[^\n━]*Key of the backup b: \r?\n[^\n]*Wrong key\. Key of the backup b: ", shown)
    assert "Restored to sqlcipher:///" in shown
    with Store.open(url) as store:
        assert store.clients().height == 1


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
def test_a_new_key_is_typed_twice(terminal, plain, tmp_path):
    shown = terminal.run(COMMAND, "encrypt", "--store", plain, typed=[OTHER_KEY, f"{OTHER_KEY}?"])
    assert "The two keys differ. Nothing was changed" in shown
    assert sqlcipher.is_plain(tmp_path / "clinic.db")
    shown = terminal.run(COMMAND, "encrypt", "--store", plain, typed=[OTHER_KEY, OTHER_KEY])
    assert "every row compared" in shown
    assert OTHER_KEY not in shown
    Store.open(f"sqlcipher:///{tmp_path}/clinic.db", key=OTHER_KEY).close()
