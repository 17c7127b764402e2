"""Disks that are full and places that may only be read: a clear word, and nothing half-stored."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from mbc.errors import MbcError, StoreError
from mbc.store import Administration, Client, Store
from mbc.store.backup.encrypt_file import encrypt
from mbc.store.backup.restore import restore
from tests.store import postgres_server
from tests.store.conftest import file_url

pytestmark = pytest.mark.long

FULL = r"the disk is full|No space left on device\. Free some space"


def disk(place: Path, kilobytes: int):
    """Put a small disk there, in memory."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0777", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be made here: it takes root, and the right to mount")


@pytest.fixture
def small_disk(tmp_path):
    """A disk with room for an empty record and little more."""
    place = tmp_path / "disk"
    disk(place, 1200)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill_up(place: Path, *, leaving: int = 0) -> None:
    free = shutil.disk_usage(place).free
    (place / "filling").write_bytes(bytes(free - leaving))


def many(count=4000):
    yield Client("C1")
    for number in range(count):
        answers = tuple((number + item) % 4 for item in range(10))
        yield Administration("C1", "rses", date(2000, 1, 1) + timedelta(days=number), answers)


@pytest.mark.parametrize("kind", ["sqlite", "sqlcipher"])
def test_a_record_that_no_longer_fits_stores_nothing_of_what_came_last(small_disk, kind):
    with Store.create(file_url(kind, small_disk)) as store:
        with store.writing(by="x") as record:
            record.add(Client("C0"))
        with pytest.raises(StoreError, match=FULL), store.writing(by="x") as record:
            record.add_all(many())
        assert store.clients()["client_id"].to_list() == ["C0"]
        assert store.administrations().is_empty()
        assert store.verify().intact
        with store.writing(by="x") as record:  # and what fits is taken still
            record.add(Client("C2"))


@pytest.mark.parametrize("kind", ["sqlite", "sqlcipher"])
def test_no_record_is_made_on_a_full_disk(small_disk, kind):
    fill_up(small_disk, leaving=4096)
    with pytest.raises(StoreError, match=FULL):
        Store.create(file_url(kind, small_disk))
    (small_disk / "filling").unlink()
    Store.create(file_url(kind, small_disk)).close()


def test_neither_backup_nor_restore_nor_encryption_leaves_anything_on_a_full_disk(small_disk, tmp_path):
    url = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(url) as store:
        with store.writing(by="x") as record:
            record.add_all(many())
        with pytest.raises(StoreError, match=FULL):
            store.backup(small_disk / "b")
        store.backup(tmp_path / "b")
    assert list(small_disk.iterdir()) == []
    with pytest.raises(StoreError, match=FULL):
        restore(tmp_path / "b", f"sqlite:///{small_disk}/clinic.db")
    assert list(small_disk.iterdir()) == []


def test_an_encryption_that_does_not_fit_leaves_the_plain_record(tmp_path):
    pytest.importorskip("sqlcipher3")
    place = tmp_path / "disk"
    disk(place, 3000)
    try:
        url = f"sqlite:///{place}/clinic.db"
        with Store.create(url) as store, store.writing(by="x") as record:
            record.add_all(many(1500))
        fill_up(place, leaving=300_000)
        with pytest.raises(StoreError, match=FULL):
            encrypt(url)
        assert {path.name for path in place.iterdir()} == {"clinic.db", "filling"}
        with Store.open(url) as store:
            assert store.administrations().height == 1500
            assert store.verify().intact
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_backup_is_made_although_the_full_disk_takes_no_line(small_disk, tmp_path):
    """The way out of a full disk is a copy on another one."""
    with Store.create(f"sqlite:///{small_disk}/clinic.db") as store:
        with store.writing(by="x") as record:
            record.add(Client("C1"))
        fill_up(small_disk)
        made = store.backup(tmp_path / "b")
    assert "the disk is full" in (made.log_failure or "")
    assert made.rows["client"] == 1
    assert made.report.intact


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path):
    """The same fault where nobody may mount: SQLite is told how many pages there are."""

    def limit(connection, _):
        connection.execute("PRAGMA max_page_count = 120")

    with Store.create(f"sqlite:///{tmp_path}/clinic.db") as store:
        event.listen(store._engine, "connect", limit)
        store._engine.dispose()
        with pytest.raises(StoreError, match=FULL), store.writing(by="x") as record:
            record.add_all(many())
        assert store.clients().is_empty()
        assert store.verify().intact


@pytest.mark.postgres
def test_a_server_whose_disk_is_full_stores_nothing_and_says_so(postgres, tmp_path):
    place = Path(tempfile.mkdtemp(prefix="mbc-disk-", dir="/tmp"))
    place.rmdir()
    disk(place, 16_000)
    try:
        folder = place / "space"
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            owner = (postgres / "data").stat()
            os.chown(folder, owner.st_uid, owner.st_gid)
        postgres_server.run(
            postgres,
            "postgres",
            f"CREATE TABLESPACE small LOCATION '{folder}'",
            "CREATE DATABASE filled TABLESPACE small",
        )
        url = postgres_server.url(postgres, "filled")
        with Store.create(url) as store:
            with pytest.raises(StoreError, match=r"the disk is full"), store.writing(by="x") as record:
                record.add_all(many(60_000))
            with store._engine.connect() as connection:  # a reader of the store would add a line to the trail
                assert connection.execute(text("SELECT count(*) FROM client")).scalar() == 0
                assert connection.execute(text("SELECT count(*) FROM administration")).scalar() == 0
    finally:
        postgres_server.run(
            postgres, "postgres", "DROP DATABASE IF EXISTS filled", "DROP TABLESPACE IF EXISTS small"
        )
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def read_only():
    """A folder with a record where this process may only read. Root may write everywhere, so it steps down."""
    folder = Path(tempfile.mkdtemp())
    with Store.create(f"sqlite:///{folder}/clinic.db") as store:
        with store.writing() as record:
            record.add(Client("C1"))
        store.backup(folder / "b")
    (folder / "b").chmod(0o444)
    (folder / "clinic.db").chmod(0o444)
    folder.chmod(0o555)
    was = os.geteuid()
    if was == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    yield folder
    os.seteuid(was)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_may_only_be_read_says_so_and_stays_as_it_is(read_only):
    before = {path.name: path.stat().st_mtime_ns for path in read_only.iterdir()}
    url = f"sqlite:///{read_only}/clinic.db"
    says = r"Permission denied\. Choose a folder|read-only|cannot be (opened|written)"

    def back_up():
        with Store.open(url) as store:
            store.backup(read_only / "c")

    for doing in (
        lambda: Store.create(f"sqlite:///{read_only}/new.db"),
        lambda: Store.create(f"sqlcipher:///{read_only}/new.db"),
        lambda: restore(read_only / "b", f"sqlite:///{read_only}/new.db"),
        lambda: restore(read_only / "b", url, force=True),
        lambda: encrypt(url),
        back_up,
    ):
        with pytest.raises(MbcError, match=says):
            doing()
    assert {path.name: path.stat().st_mtime_ns for path in read_only.iterdir()} == before


def test_a_backup_that_others_own_is_restored_from_where_it_may_only_be_read(read_only):
    place = Path(tempfile.mkdtemp())
    try:
        restore(read_only / "b", f"sqlite:///{place}/clinic.db")
        with Store.open(f"sqlite:///{place}/clinic.db") as store:
            assert store.clients().height == 1
        assert stat.S_IMODE((place / "clinic.db").stat().st_mode) == 0o600
    finally:
        shutil.rmtree(place)


def test_a_backup_that_may_not_be_read_says_so(tmp_path):
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "b").write_bytes(b"PK")
    (folder / "b").chmod(0o000)
    was = os.geteuid()
    if was == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(StoreError, match=r"cannot be read: Permission denied"):
            restore(folder / "b", "sqlite:///nowhere.db")
    finally:
        os.seteuid(was)
        shutil.rmtree(folder)
