"""A backup and what comes back from it: the same record, on either database, or a clear refusal."""

from __future__ import annotations

import io
import itertools
import json
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from mbc.errors import (
    AccessDenied,
    BackupDamaged,
    Conflict,
    SettingsError,
    StoreError,
    StoreNewer,
    WrongKey,
)
from mbc.sqlite_library import SQLITE
from mbc.store import Administration, Client, Store, migrations
from mbc.store.backup import archive
from mbc.store.backup import restore as restoring
from mbc.store.backup import row_copy as copying
from mbc.store.backup.restore import examine, restore
from tests.store import postgres_server
from tests.store.conftest import (
    DATABASES,
    GOOD_PASSWORD,
    POSTGRES_LATER,
    SQLCIPHER_LATER,
    STORE_KEY,
    _numbers,
    file_url,
    fill,
    fill_clinic,
)
from tests.store.migrations.test_migrations import held, lay_down
from tests.store.processes.test_concurrent_processes import WRITE_ENDLESSLY, start

pytestmark = pytest.mark.long

WRITE_STEADILY = WRITE_ENDLESSLY.replace("print(", "time.sleep(0.02); print(").replace(
    "import sys", "import sys, time"
)

KINDS = ["sqlite", "sqlcipher", pytest.param("postgres", marks=pytest.mark.postgres)]
# each kind once to be read and once to be written
PAIRS = [
    pytest.param("sqlite", "postgres", marks=pytest.mark.postgres),
    pytest.param("postgres", "sqlcipher", marks=pytest.mark.postgres),
    ("sqlcipher", "sqlite"),
]
PAIRS_LATER = [
    pytest.param(*kinds, marks=[pytest.mark.slow, *[pytest.mark.postgres] * ("postgres" in kinds)])
    for kinds in itertools.product(("sqlite", "sqlcipher", "postgres"), repeat=2)
    if kinds not in {("sqlite", "postgres"), ("postgres", "sqlcipher"), ("sqlcipher", "sqlite")}
]


@pytest.fixture(params=KINDS)
def elsewhere(request, tmp_path):
    """Another address, of each kind, where nothing is yet."""
    if request.param != "postgres":
        (tmp_path / "elsewhere").mkdir()
        return file_url(request.param, tmp_path / "elsewhere")
    socket, name = request.getfixturevalue("postgres"), f"elsewhere_{next(_numbers)}"
    postgres_server.run(socket, "postgres", f"CREATE DATABASE {name}")
    return postgres_server.url(socket, name)


@pytest.fixture
def full(filled):
    """A record with something in every table, corrected and numbered with gaps."""
    return filled(fill_all)


def fill_all(clinic):
    fill_clinic(clinic)
    with clinic.writing(by="ann") as record:
        wrong = Administration("C1", "phq9", date(2026, 1, 9), (3, 2, 0, None, 1, 0, 2, 1, 1), session_number=1)
        record.add(wrong, supersede="typed wrongly")
        moment = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
        record.add(Administration("C1", "gad7", date(2026, 3, 1), (0.1, 1 / 3, 1e-300, None), taken_at=moment))
        record.add(Client("C1", "renamed: é中'\"\\;", "T1", date(2026, 1, 2)), supersede="label")
    with pytest.raises(ZeroDivisionError), clinic.writing() as record:  # noqa: PT012 - numbers are taken, and not used
        record.add(Client("C9"))
        record.add(Administration("C9", "gad7", date(2026, 3, 2), (1,)))
        raise ZeroDivisionError
    clinic.accounts.add("sue", GOOD_PASSWORD, "supervisor", supervises=("T1", "T2"), permissions=("safety:read",))
    flag = clinic.safety_flags().row(0, named=True)
    with clinic.writing(by="sue") as record:
        record.acknowledge(flag["administration_id"], flag["item"])


def contents(store):
    """Every row of every table as plain values, by way of the tables' own types.

    When an account was last changed is left out: a restore ends every sign-in by it.
    """
    with store._engine.connect() as connection:
        return {
            table.name: sorted(
                repr(tuple(row))
                for row in connection.execute(select(*(c for c in table.columns if c.name != "changed_at")))
            )
            for table in copying.tables()
        }


def without_last_line(tables):
    audit = sorted(tables["audit"], key=lambda line: int(line[1:].split(",")[0]))
    return {**tables, "audit": audit[:-1]}


@pytest.mark.parametrize(("database", "elsewhere"), [*PAIRS, *PAIRS_LATER], indirect=True)
def test_what_comes_back_is_the_same_record_on_every_database(full, elsewhere, tmp_path):
    made = full.backup(tmp_path / "b")
    before = contents(full)
    assert all(before[table] for table in ("earlier", "supervision", "account_permission", "safety_flag", "total"))
    assert made.rows == {name: len(rows) for name, rows in before.items()}
    last_number = full.administrations(instrument="gad7")["administration_id"].max()
    done = restore(tmp_path / "b", elsewhere, decrypt=True)
    assert done.report.intact
    assert done.rows == made.rows
    with Store.open(elsewhere) as back:
        assert without_last_line(contents(back)) == before
        last = back.audit.entries(last=2)
        assert last["action"].to_list() == ["backup", "restore"]
        assert last["subject"].to_list() == ["b", "b"]
        with back.writing() as record:  # numbering goes on where it stood
            record.add(Administration("C1", "who5", date(2026, 4, 1), (1, 2, 3, 4, 5)))
        number = back.administrations(client_id="C1", instrument="who5")["administration_id"].item()
        assert number == last_number + 1
        assert back.verify().intact
        with back._engine.connect() as connection, pytest.raises(DBAPIError, match="never changed"):
            connection.execute(text("UPDATE answer SET value = 1"))  # and the record is kept as before


@pytest.mark.parametrize("database", ["sqlite", POSTGRES_LATER], indirect=True)
def test_a_backup_taken_while_others_write_is_one_moment(url, tmp_path):
    with Store.open(url) as store:
        with store.writing(by="intake") as record:
            record.add(Client("C1"))
        process = start(WRITE_STEADILY, url)
        try:
            process.stdout.readline()
            for number in range(3):
                store.backup(tmp_path / f"b{number}")
                process.stdout.readline()
        finally:
            process.kill()
            process.communicate()
        chain = store.audit.entries()
    held = []
    for number in range(3):
        restore(tmp_path / f"b{number}", f"sqlite:///{tmp_path}/back{number}.db")
        with Store.open(f"sqlite:///{tmp_path}/back{number}.db") as back:
            taken = back.administrations().height
            assert taken % 50 == 0  # the writer's transactions hold 50 each
            assert back.answers().height == 4 * taken
            assert back.verify().intact
            lines = back.audit.entries().filter(back.audit.entries()["action"] != "restore")
            ours = lines.filter(lines["action"] != "read")
            assert ours.equals(chain.filter(chain["sequence"].is_in(ours["sequence"])))
            held.append(taken)
    assert held == sorted(held)
    assert held[0] < held[-1]


def test_only_the_operator_takes_a_backup(clinic, tmp_path):
    """A backup obeys no role any more: an administrator, who sees no clinical data, may not have one."""
    clinic.accounts.add("adam", GOOD_PASSWORD, "administrator")
    with pytest.raises(AccessDenied, match="only the record's operator"):
        clinic.as_user("adam").backup(tmp_path / "b")
    assert not list(tmp_path.glob("b*"))
    refused = clinic.audit.entries().filter(clinic.audit.entries()["action"] == "refused")
    assert refused.row(0, named=True)["who"] == "adam"


def test_the_file_is_private_and_replaced_only_when_asked(clinic, tmp_path):
    clinic.backup(tmp_path / "b")
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    before = (tmp_path / "b").read_bytes()
    with pytest.raises(Conflict, match="--force"):
        clinic.backup(tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == before
    clinic.backup(tmp_path / "b", force=True)
    assert (tmp_path / "b").read_bytes() != before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("target", ["no/such/folder/b", "."])
def test_places_that_cannot_be_written_are_named(clinic, tmp_path, target):
    with pytest.raises(StoreError, match=r"no folder|is a folder"):
        clinic.backup(tmp_path / target)


@pytest.mark.parametrize("database", ["sqlite", "sqlcipher"], indirect=True)
def test_the_record_itself_is_no_place_for_its_backup_nor_the_backup_for_the_record(clinic, url, tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "clinic.db")
    for name in ("clinic.db", "clinic.db-wal", "link.db"):
        with pytest.raises(SettingsError, match="is the record itself"):
            clinic.backup(tmp_path / name, force=True)
    assert clinic.verify().intact
    clinic.backup(tmp_path / "b")
    with pytest.raises(SettingsError, match="is the backup itself"):
        restore(tmp_path / "b", f"{url.partition(':')[0]}:///{tmp_path}/b", force=True)
    assert archive.check(tmp_path / "b", archive.no_progress)


def test_a_record_in_memory_has_a_backup_too(tmp_path):
    with Store.create("sqlite://") as store:
        with store.writing(by="intake") as record:
            fill(record, "T1", "C1")
        before = contents(store)
        store.backup(tmp_path / "b")
    restore(tmp_path / "b", f"sqlite:///{tmp_path}/clinic.db")
    with Store.open(f"sqlite:///{tmp_path}/clinic.db") as back:
        after = contents(back)
    assert {name: after[name] for name in after if name != "audit"} == {
        name: before[name] for name in before if name != "audit"
    }
    with pytest.raises(SettingsError, match="cannot be restored into memory"):
        restore(tmp_path / "b", "sqlite://")


@pytest.mark.parametrize("database", DATABASES[1:], indirect=True)
def test_a_server_s_record_in_use_is_not_replaced(url, tmp_path, monkeypatch):
    monkeypatch.setattr(restoring, "_LOCK_WAIT", "100ms")
    with Store.open(url) as store:
        store.backup(tmp_path / "b")
        with store.writing() as record:
            record.add(Client("C1"))
            with pytest.raises(StoreError, match=r"is in use\. Stop 'mbc serve'"):
                restore(tmp_path / "b", url, force=True)
        assert store.clients().height == 1


def test_what_was_removed_from_the_file_is_not_in_its_backup(tmp_path):
    """SQLite leaves the text of removed rows in free pages; a backup of the pages would carry them along."""
    url = f"sqlite:///{tmp_path}/clinic.db"
    Store.create(url).close()
    other = SQLITE.connect(tmp_path / "clinic.db")  # some other program, which does not overwrite what it removes
    other.executescript(
        "PRAGMA secure_delete = 0; CREATE TABLE gone (words TEXT);"
        "INSERT INTO gone VALUES ('walked into the sea');"
        "DROP TABLE gone;"
    )
    other.close()
    with Store.open(url) as store:
        store.backup(tmp_path / "b")
    assert b"walked into the sea" in b"".join(path.read_bytes() for path in tmp_path.glob("clinic.db*"))
    with zipfile.ZipFile(tmp_path / "b") as file:
        assert b"walked into the sea" not in file.read("record.db")


@pytest.fixture
def small(tmp_path):
    """A small plain record and its backup."""
    with Store.create(f"sqlite:///{tmp_path}/clinic.db") as store:
        with store.writing(by="intake") as record:
            fill(record, "T1", "C1")
        store.backup(tmp_path / "b")
    return tmp_path / "b"


def test_every_flipped_bit_is_noticed(small, tmp_path):
    whole = small.read_bytes()
    chance = random.Random(1)
    ends = [*range(40), *range(len(whole) - 400, len(whole))]
    for place in [*ends, *(chance.randrange(len(whole)) for _ in range(200))]:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        small.write_bytes(changed)
        with pytest.raises(BackupDamaged):
            archive.check(small, archive.no_progress)
    small.write_bytes(whole)
    assert archive.check(small, archive.no_progress).rows["client"] == 1


def test_a_cut_or_lengthened_file_is_noticed(small, tmp_path):
    whole = small.read_bytes()
    for left in (0, 1, 63, 64, 65, 500, len(whole) // 2, len(whole) - 65, len(whole) - 1):
        small.write_bytes(whole[:left])
        with pytest.raises(BackupDamaged):
            restore(small, f"sqlite:///{tmp_path}/new.db")
    small.write_bytes(whole + b"\0")
    with pytest.raises(BackupDamaged, match=r"damaged|changed"):
        restore(small, f"sqlite:///{tmp_path}/new.db")
    assert not (tmp_path / "new.db").exists()


def zipped(**members):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("_", "."), content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"client,date\nC1,2026-01-05\n", "is not an mbc backup"),
        (b"", "is not an mbc backup"),
        (zipped(letter_txt="hello"), "is not an mbc backup but another ZIP file"),
    ],
)
def test_other_files_are_no_backups(tmp_path, content, says):
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(BackupDamaged, match=says):
        restore(tmp_path / "b", f"sqlite:///{tmp_path}/new.db")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def rewritten(path, **said):
    """Write a backup again with another manifest, sealed as a true one is."""
    with zipfile.ZipFile(path) as file:
        manifest, record = json.loads(file.read("manifest.json")), file.read("record.db")
    path.write_bytes(zipped(manifest_json=json.dumps(manifest | said), record_db=record))
    archive._seal(path)


@pytest.mark.parametrize(
    ("said", "fault", "says"),
    [
        ({"format": 2}, StoreNewer, r"newer mbc .*pip install --upgrade mbc-toolkit"),
        ({"revision": "9999"}, StoreNewer, r"newer mbc .*revision 9999"),
        ({"kind": "other"}, BackupDamaged, "is not an mbc backup: 'kind'"),
        ({"size": -1}, BackupDamaged, "is not an mbc backup: 'size'"),
        ({"sha256": "0" * 64}, BackupDamaged, "damaged"),
        ({"size": 4096}, BackupDamaged, "damaged"),
    ],
)
def test_manifests_that_cannot_be_are_refused(small, tmp_path, said, fault, says):
    rewritten(small, **said)
    with pytest.raises(fault, match=says):
        restore(small, f"sqlite:///{tmp_path}/new.db")
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("database", ["sqlite", POSTGRES_LATER], indirect=True)
def test_a_record_that_is_there_is_left_alone_unless_asked(clinic, url, tmp_path):
    clinic.backup(tmp_path / "b")
    with clinic.writing() as record:
        record.add(Client("C3"))
    clinic.close()
    with pytest.raises(Conflict, match=r"already a record at "):
        restore(tmp_path / "b", url)
    with Store.open(url) as store:
        assert store.clients().height == 3
    done = restore(tmp_path / "b", url, force=True)
    with Store.open(url) as store:
        assert store.clients().height == 2
        assert store.verify().intact
    if done.kept is not None:
        with Store.open(f"{url.partition(':')[0]}:///{done.kept}") as old:
            assert old.clients().height == 3
            assert old.verify().intact


def test_a_record_in_use_is_not_replaced(tmp_path):
    url = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(url) as store:
        with store.writing() as record:
            record.add(Client("C1"))
        store.backup(tmp_path / "b")
        with pytest.raises(Conflict, match=r"is in use\. Stop 'mbc serve'"):
            restore(tmp_path / "b", url, force=True)
        assert store.clients().height == 1


@pytest.mark.parametrize("database", DATABASES[1:], indirect=True)
def test_a_failed_restore_to_a_server_leaves_what_was_there(url, tmp_path, monkeypatch):
    with Store.open(url) as store:
        with store.writing() as record:
            record.add(Client("C1"))
        store.backup(tmp_path / "b")
        before = contents(store)
    monkeypatch.setattr(copying, "require_equal", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        restore(tmp_path / "b", url, force=True)
    with Store.open(url) as store:
        assert contents(store) == before


@pytest.mark.parametrize("harm", ["header", "page", "rubbish"])
def test_a_damaged_record_is_replaced_and_kept(small, tmp_path, harm):
    path = tmp_path / "clinic.db"
    content = bytearray(path.read_bytes())
    if harm == "header":
        content[:4] = b"\xff\xff\xff\xff"
    elif harm == "page":
        content[100:4096] = bytes(3996)
    else:
        content = bytearray(b"not a database" * 1000)
    path.write_bytes(content)
    (tmp_path / "clinic.db-wal").write_bytes(b"a log of the old record")
    done = restore(small, f"sqlite:///{path}", force=True)
    assert done.kept.read_bytes() == content or harm == "page"
    assert not (tmp_path / "clinic.db-wal").exists()
    with Store.open(f"sqlite:///{path}") as store:
        assert store.clients()["client_id"].to_list() == ["C1"]
        assert store.verify().intact


def test_a_log_without_its_record_is_not_played_into_another(small, tmp_path):
    (tmp_path / "new.db-wal").write_bytes(b"left behind")
    with pytest.raises(Conflict, match="Move it to another folder"):
        restore(small, f"sqlite:///{tmp_path}/new.db")


def test_a_record_that_was_tampered_with_comes_back_and_says_so(small, tmp_path):
    with SQLITE.connect(tmp_path / "clinic.db") as connection:
        connection.execute("DROP TRIGGER answer_kept_from_update")
        connection.execute("UPDATE answer SET value = 3 WHERE administration_id = 1 AND item = 1")
    connection.close()
    with Store.open(f"sqlite:///{tmp_path}/clinic.db") as store:
        made = store.backup(tmp_path / "c")
    assert "Administration 1" in made.report.faults[0]
    done = restore(tmp_path / "c", f"sqlite:///{tmp_path}/new.db")
    assert done.report.faults == made.report.faults
    assert examine(tmp_path / "c").report.faults == made.report.faults


def test_a_damaged_record_makes_no_backup(small, tmp_path):
    path = tmp_path / "clinic.db"
    with SQLITE.connect(path) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'client'").fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match=r"is damaged"), Store.open(f"sqlite:///{path}") as store:
        store.backup(tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_an_older_backup_is_brought_up_to_date(small, tmp_path, monkeypatch):
    upgraded = []
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "REVISIONS", (*migrations.REVISIONS, "later"))
        patched.setattr(migrations, "HEAD", "later")
        patched.setattr(migrations, "upgrade", lambda connection: upgraded.append(connection.dialect.name))
        restore(small, f"sqlite:///{tmp_path}/new.db")
    assert upgraded == ["sqlite"]


@pytest.mark.parametrize(
    "elsewhere",
    ["sqlite", SQLCIPHER_LATER, pytest.param("postgres", marks=pytest.mark.postgres)],
    indirect=True,
)
def test_a_backup_of_the_first_release_comes_back_on_every_database(elsewhere, tmp_path):
    lay_down(f"sqlite:///{tmp_path}/old.db")
    with SQLITE.connect(tmp_path / "old.db") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    record = tmp_path / "old.db"
    before = held(f"sqlite:///{record}")
    manifest = archive.Manifest(
        mbc="0.1.0",
        revision="0001",
        made_at=datetime(2026, 1, 5, tzinfo=UTC),
        encrypted=False,
        size=record.stat().st_size,
        sha256=archive.sha256_of(record),
    )
    archive.pack(record, manifest, tmp_path / "b", archive.no_progress)
    done = restore(tmp_path / "b", elsewhere)
    assert done.report.intact
    shutil.copy(record, tmp_path / "brought.db")
    Store.open(f"sqlite:///{tmp_path}/brought.db", upgrade=True).close()
    with Store.open(f"sqlite:///{tmp_path}/brought.db") as brought, Store.open(elsewhere) as back:
        assert back.answers().equals(brought.answers())
        assert back.verify().intact
    if elsewhere.startswith("sqlite:"):
        after = held(elsewhere)
        assert after["entry"][: len(before["entry"])] == before["entry"]
        upgraded = {"audit", "entry", "account"}  # lines and an entry say so; every sign-in has ended
        assert [after[name] == before[name] for name in before if name not in upgraded] == [True] * (
            len(before) - 3
        )


def test_the_trail_that_cannot_be_written_does_not_stop_a_backup(clinic, tmp_path, monkeypatch):
    """A full disk is a reason to make a backup on another one, not to refuse it."""

    def full(*lines):
        raise StoreError("the disk is full")

    monkeypatch.setattr(clinic, "_log", full)
    assert clinic.backup(tmp_path / "b").log_failure == "the disk is full"


def test_a_copy_that_differs_in_one_value_is_dropped(tmp_path, monkeypatch):
    write = copying._insert

    def bad(target, table, parts):
        if table.name == "answer":
            parts = ([*columns[:-1], [*columns[-1][:-1], 3.0]] for columns in parts)
        write(target, table, parts)

    monkeypatch.setattr(copying, "_insert", bad)
    with Store.create("sqlite://") as store:  # in memory: copied row by row
        with store.writing(by="desk") as record:
            record.add(Client("C1"))
            record.add(Administration("C1", "rses", date(2026, 1, 5), (0, 1, 2, 3, 0, 1, 2, 3, 0, 1)))
        with pytest.raises(StoreError, match="copy of 'answer' differs"):
            store.backup(tmp_path / "a.mbcbackup")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("database", "elsewhere"),
    [
        ("sqlite", "sqlite"),
        pytest.param("postgres", "sqlcipher", marks=pytest.mark.postgres),
        pytest.param("sqlite", "sqlcipher", marks=pytest.mark.slow),
        pytest.param("sqlite", "postgres", marks=[pytest.mark.slow, pytest.mark.postgres]),
        pytest.param("postgres", "sqlite", marks=[pytest.mark.slow, pytest.mark.postgres]),
        pytest.param("postgres", "postgres", marks=[pytest.mark.slow, pytest.mark.postgres]),
    ],
    indirect=True,
)
def test_an_encrypted_backup_of_a_plain_record_needs_its_own_key(clinic, elsewhere, tmp_path):
    key = "five umbrellas, no rain"
    with pytest.raises(SettingsError, match=r"The key has 5 characters"):
        clinic.backup(tmp_path / "b", key="short")
    made = clinic.backup(tmp_path / "b", key=key)
    assert made.manifest.encrypted
    assert made.manifest.rows is None
    before = contents(clinic)
    with pytest.raises(WrongKey, match=r"MBC_BACKUP_KEY"):
        restore(tmp_path / "b", elsewhere, decrypt=True)
    if not elsewhere.startswith("sqlcipher"):
        with pytest.raises(SettingsError, match=r"is encrypted, but the record would not be"):
            restore(tmp_path / "b", elsewhere, backup_key=key)
    restore(tmp_path / "b", elsewhere, decrypt=True, backup_key=key)
    with Store.open(elsewhere) as back:  # under the record's own key
        assert without_last_line(contents(back)) == before
    assert key != STORE_KEY


def test_a_backup_is_an_ordinary_zip_of_an_ordinary_database(small):
    """Were mbc gone, other programs could read it."""
    command = [sys.executable, "-m", "zipfile", "-l", str(small)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "record.db" in listed.stdout
    with zipfile.ZipFile(small) as file:
        manifest = json.loads(file.read("manifest.json"))
        copy = sqlite3.connect(":memory:")
        copy.deserialize(file.read("record.db"))
    assert copy.execute("SELECT count(*) FROM answer").fetchone()[0] == manifest["rows"]["answer"] == 13
    copy.close()
