"""Opening a record: made, found, brought up to date, or refused with what to do."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
import warnings
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from mbc.errors import Conflict, MbcError, SettingsError, StoreError, StoreNewer, StoreNotFound
from mbc.sqlite_library import SQLITE
from mbc.store import Client, Store, migrations
from mbc.store.database.addresses import address, display_address
from mbc.store.schema import tables


def test_a_new_record_is_made_once(empty_url):
    Store.create(empty_url).close()
    with Store.open(empty_url) as store:
        assert store.clients().is_empty()
    with pytest.raises(Conflict, match=r"already a record at "):
        Store.create(empty_url)


def test_open_makes_a_record_only_when_asked(empty_url):
    with pytest.raises(StoreNotFound, match=r"no record at .* yet\. Create one: mbc init --store"):
        Store.open(empty_url)
    with Store.open(empty_url, create=True) as store, store.writing(by="x") as record:
        record.add(Client("C1"))
    with Store.open(empty_url, create=True) as store:
        assert store.clients().height == 1


def test_opening_an_absent_file_leaves_no_file_behind(tmp_path):
    with pytest.raises(StoreNotFound):
        Store.open(f"sqlite:///{tmp_path}/clinic.db")
    assert not list(tmp_path.iterdir())


def test_an_empty_file_is_not_a_record_yet(tmp_path):
    """What a process killed while making a record may leave behind."""
    (tmp_path / "clinic.db").touch()
    with pytest.raises(StoreNotFound):
        Store.open(f"sqlite:///{tmp_path}/clinic.db")
    Store.create(f"sqlite:///{tmp_path}/clinic.db").close()


def test_a_record_of_a_newer_mbc_is_refused(url):
    with Store.open(url) as store, store._engine.begin() as connection:
        connection.execute(text("UPDATE mbc_revision SET version_num = '9999'"))
    with pytest.raises(StoreNewer, match=r"newer mbc \(revision 9999; .* pip install --upgrade mbc-toolkit"):
        Store.open(url)


def test_an_older_record_is_brought_up_to_date_when_that_is_asked_for(url, monkeypatch):
    upgraded = []
    monkeypatch.setattr(migrations, "REVISIONS", (migrations.HEAD, "9999"))
    monkeypatch.setattr(migrations, "HEAD", "9999")
    monkeypatch.setattr(migrations, "upgrade", lambda connection: upgraded.append(connection.in_transaction()))
    Store.open(url, upgrade=True).close()
    assert upgraded == [True]


def test_another_program_s_database_is_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with SQLITE.connect(path) as other:
        other.execute("CREATE TABLE recipes (name)")
    other.close()
    for opening in (Store.open, Store.create):
        with pytest.raises(StoreError, match=r"belongs to another program \(it contains recipes\)"):
            opening(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"client,date\nC1,2026-01-05\n" * 100), "is not an SQLite database"),
        (lambda path: path.mkdir(), "is a folder. Name the file in it"),
    ],
)
def test_what_is_no_database_is_refused(tmp_path, make, says):
    path = tmp_path / "clinic.db"
    make(path)
    for opening in (Store.open, Store.create):
        with pytest.raises(StoreError, match=says):
            opening(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("clinic.db", "Did you mean 'sqlite:///clinic.db'"),
        ("", "is not the address of a record"),
        ("mysql://host/db", "cannot be kept at 'mysql://'"),
        ("sqlite+aiosqlite:///x.db", "cannot be kept at"),
        ("ann:secret@host", r"'\.\.\.@host' is not the address"),
    ],
)
def test_other_addresses_are_refused(url, says):
    with pytest.raises(SettingsError, match=says) as refused:
        Store.open(url)
    assert "secret" not in str(refused.value)


def test_a_server_that_does_not_answer_is_named_without_its_password():
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="does not respond") as refused:
        Store.open("postgresql://ann:secret@127.0.0.1:1/clinic")
    assert "secret" not in str(refused.value)


def test_an_address_is_shown_without_its_password():
    assert display_address(address("postgresql://ann:secret@host/clinic")) == "postgresql://ann:***@host/clinic"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"no folder .*nowhere"):
        Store.create(f"sqlite:///{tmp_path}/nowhere/clinic.db")


def test_a_new_file_is_for_its_owner_only(tmp_path):
    Store.create(f"sqlite:///{tmp_path}/clinic.db").close()
    assert stat.S_IMODE((tmp_path / "clinic.db").stat().st_mode) == 0o600


@pytest.fixture
def read_only():
    """A record in a folder where this process may only read. Root may write everywhere, so it steps down."""
    folder = Path(tempfile.mkdtemp())
    url = f"sqlite:///{folder}/clinic.db"
    Store.create(url).close()
    (folder / "clinic.db").chmod(0o444)
    folder.chmod(0o555)
    was = os.geteuid()
    if was == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    yield url
    os.seteuid(was)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_record_that_may_not_be_written_says_so(read_only):
    with (
        pytest.raises(StoreError, match=r"cannot be (written|opened)") as refused,
        Store.open(read_only) as store,
        store.writing() as record,
    ):
        record.add(Client("C1"))
    assert "permission" in str(refused.value) or "may this user" in str(refused.value)


def test_a_record_cannot_be_made_in_a_read_only_folder(read_only):
    with pytest.raises(StoreError, match=r"cannot be created: Permission denied\. Choose a folder"):
        Store.create(read_only.replace("clinic.db", "other.db"))


def test_migrations_lead_to_exactly_these_tables(url):
    def is_ours(thing, name, kind, *_):
        return not (kind == "table" and name == migrations.VERSION_TABLE)

    options = {"compare_type": True, "include_object": is_ours, "version_table": migrations.VERSION_TABLE}
    with Store.open(url) as store, store._engine.connect() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?i).*skipp")  # SQLite cannot describe an index on an expression
        found = compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)
    assert found == []


def test_every_revision_is_listed_in_order():
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0])
    scripts = ScriptDirectory.from_config(config)
    listed = [script.revision for script in scripts.walk_revisions()][::-1]
    assert tuple(listed) == migrations.REVISIONS
    assert scripts.get_current_head() == migrations.HEAD


def test_a_failed_migration_leaves_the_record_as_it_was(empty_url, monkeypatch):
    def broken(connection, revision="head"):
        connection.execute(text("CREATE TABLE half_done (x INTEGER)"))
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "upgrade", broken)
        with pytest.raises(ZeroDivisionError):
            Store.create(empty_url)
    with Store.create(empty_url) as store:
        assert store.clients().is_empty()


def test_every_fault_of_opening_is_one_the_user_can_read(tmp_path):
    for url in ("", "x", "sqlite:////proc/none/x.db", f"sqlite:///{tmp_path}/a/b/c.db"):
        with pytest.raises(MbcError):
            Store.create(url)


@pytest.mark.parametrize(
    "password", ["p@ss/w:rd#1?%41 é", "100%sure", "a/b", "ends@", "what?", "sharp#", "two words"]
)
def test_a_password_with_characters_of_an_address_is_refused_and_not_repeated(password):
    with pytest.raises(SettingsError, match="percent-encoded") as fault:
        address(f"postgresql://clinic:{password}@127.0.0.1:5432/c1")
    assert password not in str(fault.value)
    parts = [part for part in password.replace("@", "/").split("/") if len(part) > 2]
    assert not any(part in str(fault.value).partition(": @ / ?")[0] for part in parts)


def test_a_password_comes_from_the_file_that_the_environment_names(tmp_path, monkeypatch):
    secret = tmp_path / "password"
    secret.write_text("p@ss/w:rd#1?%\n", encoding="utf-8-sig")  # as Windows Notepad saves it
    monkeypatch.setenv("MBC_STORE_PASSWORD_FILE", str(secret))
    url = address("postgresql://clinic@127.0.0.1/c1")
    assert url.password == "p@ss/w:rd#1?%"
    assert "p@ss" not in display_address(url)
    assert address("postgresql://clinic:own@127.0.0.1/c1").password == "own"
    monkeypatch.setenv("MBC_STORE_PASSWORD_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="cannot be read"):
        address("postgresql://clinic@127.0.0.1/c1")


def test_a_fault_of_the_database_does_not_repeat_what_was_to_be_written(tmp_path):
    with Store.create(f"sqlite:///{tmp_path / 'clinic.db'}") as store:
        with store._engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE audit")
        with pytest.raises(StoreError) as fault:
            store.audit.record("export", subject="C145")
    chain = [str(each) for each in (fault.value, fault.value.__cause__, fault.value.__context__) if each]
    assert chain
    assert not any("C145" in each for each in chain)
